//! Native protocols as contracts see them.

use crate::world::{COIN, Draft, GWEI, STRANGER, World, account};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolError, SolEvent, sol};
use sahara_abi::{
    ASSETS, COIN as COIN_PROTOCOL, IAssets, ICoin, IProtocol, IRoyalties, ISystem, ROYALTIES,
    SYSTEM,
};
use sahara_evm::Refusal;

sol! {
    function sendCoin(address to, uint256 value) external returns (uint256 left);
    function forward(uint256 kind, address target, uint256 value, uint256 gasLimit, bytes calldata data)
        external payable returns (bool success, bytes memory answer);
    function forwardThenRevert(address target, uint256 value, bytes calldata data) external payable;
    function codeSize(address target) external view returns (uint256);
    event Answered(uint256 kind, bool success, bytes data);
}

const CALLER: &str = include_str!("../../contracts/Caller.bin");
const GAS: U256 = U256::from_limbs([2_000_000, 0, 0, 0]);

fn contract() -> (World, Address) {
    let mut world = World::new();
    let caller = world.deploy(1, CALLER, COIN);
    (world, caller)
}

/// What the contract was answered, and the gas of the whole transaction.
fn forward(
    world: &mut World,
    caller: Address,
    kind: u64,
    target: Address,
    data: Vec<u8>,
) -> (bool, Bytes, u64) {
    let call = forwardCall {
        kind: U256::from(kind),
        target,
        value: U256::ZERO,
        gasLimit: GAS,
        data: data.into(),
    };
    let draft = Draft::call(1, world.nonce(1), caller, call.abi_encode());
    let outcome = world.block(&[draft]);
    assert!(outcome.receipts[0].status);
    let log = outcome.receipts[0].logs.iter().find(|log| log.address == caller).unwrap();
    let answer = Answered::decode_log(log).unwrap();
    (answer.success, answer.data.data.clone(), outcome.executions[0].gas_used)
}

#[test]
fn solidity_moves_coin_through_the_erc20_face() {
    let (mut world, caller) = contract();
    let call = sendCoinCall { to: STRANGER, value: COIN / U256::from(4) };
    let outcome = world.block(&[Draft::call(1, 1, caller, call.abi_encode())]);
    assert!(outcome.receipts[0].status);
    assert_eq!(world.state.balance(STRANGER), COIN / U256::from(4));
    assert_eq!(world.state.balance(caller), COIN * U256::from(3) / U256::from(4));
    let log = &outcome.receipts[0].logs[0];
    assert_eq!(log.address, COIN_PROTOCOL);
    let transfer = ICoin::Transfer::decode_log(log).unwrap();
    assert_eq!((transfer.from, transfer.to), (caller, STRANGER));
}

#[test]
fn every_protocol_has_code_for_solidity_to_find() {
    let (world, caller) = contract();
    for protocol in sahara_abi::PROTOCOLS {
        let input = codeSizeCall { target: protocol.address }.abi_encode();
        let request =
            alloy_rpc_types_eth::TransactionRequest::default().to(caller).input(input.into());
        let outcome =
            sahara_evm::call(world.rules, &world.state, &world.env, &request, None).unwrap();
        let size = sahara_evm::protocol_code(protocol.address).len();
        assert_eq!(U256::from_be_slice(&outcome.output), U256::from(size), "{}", protocol.name);
    }
}

#[test]
fn a_delegate_call_is_refused_by_every_protocol() {
    let (mut world, caller) = contract();
    for protocol in sahara_abi::PROTOCOLS {
        for kind in [2, 3] {
            let data = ICoin::nameCall {}.abi_encode();
            let (success, answer, _) = forward(&mut world, caller, kind, protocol.address, data);
            assert!(!success, "{}", protocol.name);
            assert_eq!(answer, IProtocol::DelegateCall {}.abi_encode(), "{}", protocol.name);
        }
    }
}

#[test]
fn a_static_call_reads_and_does_not_write() {
    let (mut world, caller) = contract();
    let read = ICoin::balanceOfCall { account: caller }.abi_encode();
    let (success, answer, _) = forward(&mut world, caller, 1, COIN_PROTOCOL, read);
    assert!(success);
    assert_eq!(U256::from_be_slice(&answer), COIN);
    let write = ICoin::transferCall { to: STRANGER, value: U256::ONE }.abi_encode();
    let (success, answer, _) = forward(&mut world, caller, 1, COIN_PROTOCOL, write);
    assert!(!success);
    assert_eq!(answer, IProtocol::StaticCall {}.abi_encode());
    assert_eq!(world.state.balance(STRANGER), U256::ZERO);
}

#[test]
fn a_refusal_reaches_the_caller_as_a_custom_error() {
    let (mut world, caller) = contract();
    let unknown = vec![0xde, 0xad, 0xbe, 0xef];
    for protocol in sahara_abi::PROTOCOLS {
        let (success, answer, _) =
            forward(&mut world, caller, 0, protocol.address, unknown.clone());
        assert!(!success);
        assert_eq!(answer, IProtocol::InvalidCall {}.abi_encode(), "{}", protocol.name);
    }
    let too_much = ICoin::transferCall { to: STRANGER, value: COIN * U256::from(2) }.abi_encode();
    let (success, answer, _) = forward(&mut world, caller, 0, COIN_PROTOCOL, too_much);
    assert!(!success);
    let error = ICoin::ERC20InsufficientBalance::abi_decode(&answer).unwrap();
    assert_eq!((error.sender, error.balance, error.needed), (caller, COIN, COIN * U256::from(2)));
    let end = ISystem::endBlockCall { leader: caller, recipients: vec![caller], missed: vec![] }
        .abi_encode();
    let (success, answer, _) = forward(&mut world, caller, 0, SYSTEM, end);
    assert!(!success);
    assert_eq!(answer, ISystem::OnlySystem { caller }.abi_encode());
}

#[test]
fn what_a_protocol_did_is_undone_with_its_caller() {
    let (mut world, caller) = contract();
    let data = ICoin::transferCall { to: STRANGER, value: U256::ONE }.abi_encode();
    let call =
        forwardThenRevertCall { target: COIN_PROTOCOL, value: U256::ZERO, data: data.into() };
    let outcome = world.block(&[Draft::call(1, 1, caller, call.abi_encode())]);
    assert!(!outcome.receipts[0].status);
    assert!(outcome.receipts[0].logs.is_empty());
    assert_eq!(world.state.balance(STRANGER), U256::ZERO);
}

#[test]
fn a_call_without_gas_is_undone_and_costs_what_it_was_given() {
    let (mut world, _) = contract();
    let data = ICoin::transferCall { to: STRANGER, value: U256::ONE }.abi_encode();
    let draft = Draft { gas: 24_000, ..Draft::call(1, 1, COIN_PROTOCOL, data) };
    let outcome = world.block(&[draft]);
    assert!(!outcome.receipts[0].status);
    assert_eq!(outcome.executions[0].gas_used, 24_000);
    assert_eq!(world.state.balance(STRANGER), U256::ZERO);
}

#[test]
fn gas_follows_the_work() {
    let (mut world, _) = contract();
    let data =
        |value: u64| ICoin::transferCall { to: STRANGER, value: U256::from(value) }.abi_encode();
    let first = world.block(&[Draft::call(1, 1, COIN_PROTOCOL, data(5))]).executions[0].gas_used;
    let second = world.block(&[Draft::call(1, 2, COIN_PROTOCOL, data(5))]).executions[0].gas_used;
    assert_eq!(first - second, 25_000, "bringing an account into being costs 25,000 once");
    assert!((22_000..25_000).contains(&second), "a transfer to a known account cost {second}");
    let failed = Draft::call(2, 0, COIN_PROTOCOL, data(u64::MAX));
    let outcome = world.block(&[Draft { gas: 60_000, ..failed }]);
    assert!(outcome.receipts[0].status);
}

#[test]
fn access_that_a_transaction_has_paid_for_is_its_own_calls_alone() {
    let (mut world, caller) = contract();
    let assets: Vec<_> = (0..16).map(|_| shared_asset(&mut world)).collect();
    let look = |count: usize| {
        let assets = assets.iter().copied().take(count).collect();
        IRoyalties::settleCall { account: account(3), assets }.abi_encode()
    };
    let direct = [1, 3].map(|count| {
        let draft = Draft::call(2, world.nonce(2), ROYALTIES, look(count));
        world.block(&[draft]).executions[0].gas_used
    });
    let by_contract = [8, 16].map(|count| forward(&mut world, caller, 0, ROYALTIES, look(count)).2);
    let [one, three] = direct;
    assert!(three - one < 1_000, "two more pools are looked at for their data: {direct:?}");
    let [eight, sixteen] = by_contract;
    assert!(sixteen - eight > 8 * 500, "a contract pays for each: {by_contract:?}");
}

pub(crate) fn registration(members: Vec<IAssets::Member>) -> IAssets::Registration {
    IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(3),
        metadataURI: "data:,".into(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 500,
        derivatives: IAssets::Derivatives::Open,
        edges: vec![],
        members,
        ownerUnits: U96::from(1),
        isOpen: false,
    }
}

/// Registers an asset of which account 3 holds half, account 1 the other half.
pub(crate) fn shared_asset(world: &mut World) -> u64 {
    let members = vec![IAssets::Member { account: account(3), units: U96::from(1) }];
    let data = IAssets::registerCall { registration: registration(members) }.abi_encode();
    let outcome = world.block(&[Draft::call(1, world.nonce(1), ASSETS, data)]);
    assert!(outcome.receipts[0].status);
    let logs = outcome.receipts[0].logs.iter();
    logs.filter_map(|log| IAssets::Registered::decode_log(log).ok()).next().unwrap().asset
}

pub(crate) fn pay(world: &World, asset: u64, value: U256) -> Draft {
    let data = IRoyalties::payCall { asset }.abi_encode();
    Draft { value, ..Draft::call(2, world.nonce(2), ROYALTIES, data) }
}

#[test]
fn solidity_registers_an_asset_and_pays_for_it() {
    let (mut world, caller) = contract();
    let data = IAssets::registerCall { registration: registration(vec![]) }.abi_encode();
    let (success, answer, _) = forward(&mut world, caller, 0, ASSETS, data);
    assert!(success, "{answer}");
    let asset: u64 = U256::from_be_slice(&answer).to();
    let owner = IAssets::ownerOfCall { tokenId: U256::from(asset) }.abi_encode();
    let (_, answer, _) = forward(&mut world, caller, 1, ASSETS, owner);
    assert_eq!(Address::from_word(B256::from_slice(&answer)), caller);
    let call = forwardCall {
        kind: U256::ZERO,
        target: ROYALTIES,
        value: COIN / U256::from(2),
        gasLimit: GAS,
        data: IRoyalties::payCall { asset }.abi_encode().into(),
    };
    let outcome = world.block(&[Draft::call(1, world.nonce(1), caller, call.abi_encode())]);
    let logs = &outcome.receipts[0].logs;
    let paid = logs.iter().find_map(|log| IRoyalties::Paid::decode_log(log).ok()).unwrap();
    assert_eq!((paid.payer, paid.amount), (caller, COIN / U256::from(2)));
    // The sole owner is paid inside the paying call: its own coin came back.
    assert_eq!(world.state.balance(caller), COIN);
}

#[test]
fn what_is_earned_is_spent_in_the_same_block() {
    let mut world = World::new();
    let asset = shared_asset(&mut world);
    assert_eq!(world.state.balance(account(3)), U256::ZERO);
    let payment = pay(&world, asset, COIN);
    let spend = Draft { gas: 200_000, ..Draft::transfer(3, 0, STRANGER, COIN / U256::from(4)) };
    let outcome = world.block(&[payment, spend]);
    let [_, spent, ..] = outcome.receipts.as_slice() else { panic!("no receipt") };
    assert!(spent.status);
    let settled = spent.logs.iter().find_map(|log| IRoyalties::Settled::decode_log(log).ok());
    assert_eq!(settled.unwrap().amount, COIN / U256::from(2));
    let gas = outcome.executions[1].gas_used;
    assert!(gas > 25_000, "the settlement cost {gas} in all");
    let fee = U256::from(gas) * U256::from(GWEI);
    assert_eq!(world.state.balance(account(3)), COIN / U256::from(4) - fee);
    assert_eq!(world.state.balance(STRANGER), COIN / U256::from(4));
}

#[test]
fn an_estimate_has_room_for_what_is_earned_before_the_call() {
    let mut world = World::new();
    let asset = shared_asset(&mut world);
    let nonce = world.nonce(1);
    assert!(world.block(&[Draft::transfer(1, nonce, account(3), COIN)]).receipts[0].status);
    let input = ICoin::transferCall { to: STRANGER, value: U256::ONE }.abi_encode();
    let request = alloy_rpc_types_eth::TransactionRequest::default().from(account(3));
    let request = request.to(COIN_PROTOCOL).input(input.clone().into());
    // Nothing waits while one asks; a payment comes before the call, in its block.
    let gas = sahara_evm::estimate_gas(world.rules, &world.state, &world.env, &request, None);
    let payment = pay(&world, asset, COIN);
    let call = Draft { gas: gas.unwrap(), ..Draft::call(3, 0, COIN_PROTOCOL, input) };
    let outcome = world.block(&[payment, call]);
    let receipt = &outcome.receipts[1];
    assert!(receipt.logs.iter().any(|log| IRoyalties::Settled::decode_log(log).is_ok()));
    assert!(receipt.status, "{} gas", outcome.executions[1].gas_used);
    assert_eq!(world.state.balance(STRANGER), U256::ONE);
}

#[test]
fn a_settlement_outlives_the_revert_of_its_transaction() {
    let mut world = World::new();
    let asset = shared_asset(&mut world);
    let payment = pay(&world, asset, COIN);
    let failing = Draft { gas: 200_000, ..Draft::call(3, 0, COIN_PROTOCOL, vec![1, 2, 3, 4]) };
    let outcome = world.block(&[payment, failing]);
    assert!(!outcome.receipts[1].status);
    assert!(
        outcome.receipts[1].logs.iter().any(|log| IRoyalties::Settled::decode_log(log).is_ok())
    );
    let fee = U256::from(outcome.executions[1].gas_used) * U256::from(GWEI);
    assert_eq!(world.state.balance(account(3)), COIN / U256::from(2) - fee);
}

#[test]
fn a_gas_limit_of_21000_settles_nothing_and_still_pays() {
    let mut world = World::new();
    let asset = shared_asset(&mut world);
    let payment = pay(&world, asset, COIN);
    let mut builder = world.builder();
    builder.try_transaction(&payment.sign()).unwrap().unwrap();
    // Without the sweep at the end of the block, so that the earnings still wait.
    let waiting = builder.account(account(3)).unwrap().balance;
    assert_eq!(waiting, U256::ZERO);
    let bare = Draft::transfer(3, 0, STRANGER, U256::ONE).sign();
    let refused = builder.try_transaction(&bare).unwrap().map(|_| ()).unwrap_err();
    assert!(matches!(refused, Refusal::InsufficientFunds { .. }), "{refused}");
    let roomy = Draft { gas: 300_000, ..Draft::transfer(3, 0, STRANGER, U256::ONE) }.sign();
    assert!(builder.try_transaction(&roomy).unwrap().unwrap().status);
    let again = Draft::transfer(3, 1, STRANGER, U256::ONE).sign();
    assert!(builder.try_transaction(&again).unwrap().unwrap().status);
    let outcome = builder.finish().unwrap();
    assert_eq!(outcome.executions[2].gas_used, 21_000);
}
