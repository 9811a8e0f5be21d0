//! Protocols whose own code calls out: ERC-721's receivers.

use crate::world::{COIN, Draft, STRANGER, World, account};
use alloy_primitives::{Address, Bytes, U256, bytes};
use alloy_sol_types::{Revert, SolCall, SolError, SolEvent, SolValue, sol};
use sahara_abi::{ASSETS, IAssets, IProtocol, PROTOCOLS};
use sahara_evm::{BlockOutcome, protocol_code};

sol! {
    function forward(uint256 kind, address target, uint256 value, uint256 gasLimit, bytes calldata data)
        external payable returns (bool success, bytes memory answer);
    event Answered(uint256 kind, bool success, bytes data);
    event Received(address operator, address from, uint256 tokenId, bytes data, address ownerMeanwhile);
    error NotToday(uint256 tokenId);
}

const RECEIVER: &str = include_str!("../../contracts/Receiver.bin");
const CALLER: &str = include_str!("../../contracts/Caller.bin");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Accept,
    AnswerWrongly,
    AnswerNothing,
    RevertSilently,
    RevertWithReason,
    RevertWithError,
    PassOn,
    SendAgain,
}

fn receiver(world: &mut World, mode: Mode, next: Address) -> Address {
    let arguments = (U256::from(mode as u8), next).abi_encode();
    let code = format!("{}{}", RECEIVER.trim(), alloy_primitives::hex::encode(arguments));
    world.deploy(2, &code, U256::ZERO)
}

/// A world in which account 1 owns asset 1.
fn with_asset() -> World {
    let mut world = World::new();
    register(&mut world, 1);
    world
}

fn register(world: &mut World, key: u8) {
    let registration = crate::native::registration(vec![]);
    let data = IAssets::registerCall { registration }.abi_encode();
    let outcome = world.block(&[Draft::call(key, world.nonce(key), ASSETS, data)]);
    assert!(outcome.receipts[0].status);
}

fn safe_transfer(to: Address) -> Vec<u8> {
    let (from, data) = (account(1), bytes!("c0ffee"));
    IAssets::safeTransferFrom_1Call { from, to, tokenId: U256::ONE, data }.abi_encode()
}

/// Sends the asset by account `key`'s transaction.
fn send(world: &mut World, key: u8, to: Address) -> BlockOutcome {
    world.block(&[Draft::call(key, world.nonce(key), ASSETS, safe_transfer(to))])
}

/// What an `eth_call` of the same returns.
fn answer(world: &World, from: Address, data: Vec<u8>) -> (bool, Bytes) {
    let request = alloy_rpc_types_eth::TransactionRequest::default().from(from).to(ASSETS);
    let request = request.input(Bytes::from(data).into());
    let outcome = sahara_evm::call(world.rules, &world.state, &world.env, &request, None).unwrap();
    (outcome.is_success(), outcome.output)
}

fn owner(world: &World) -> Address {
    let call = IAssets::ownerOfCall { tokenId: U256::ONE }.abi_encode();
    let (_, output) = answer(world, STRANGER, call);
    IAssets::ownerOfCall::abi_decode_returns(&output).unwrap()
}

#[test]
fn the_code_at_a_protocol_is_there_for_what_it_cannot_answer() {
    for protocol in PROTOCOLS {
        let mut calls_out = 0;
        for function in (protocol.abi)().functions() {
            let data = [function.selector().as_slice(), &[0; 64 * 32]].concat();
            let call = sahara_protocols::Call {
                caller: STRANGER,
                value: sahara_primitives::Amount::ZERO,
                data: &data,
                is_static: false,
            };
            let mut state = sahara_protocols::MemoryState::default();
            let outcome = state.call(protocol.address, call);
            calls_out += usize::from(outcome == Err(sahara_protocols::Failure::CallsOut));
        }
        // Governance calls out for a proposal that calls contracts; here there is none (`governor.rs`).
        let calls_out = calls_out > 0 || protocol.address == sahara_abi::GOVERNANCE;
        let code = protocol_code(protocol.address);
        assert_eq!(code.len() > 1, calls_out, "{}", protocol.name);
        assert!(!code.is_empty(), "storage needs an account with code");
    }
}

#[test]
fn an_account_without_code_is_not_asked() {
    let mut world = with_asset();
    let outcome = send(&mut world, 1, STRANGER);
    assert!(outcome.receipts[0].status);
    let [transfer] = &outcome.receipts[0].logs[..] else { panic!("one log") };
    assert_eq!(transfer.address, ASSETS);
    let transfer = IAssets::Transfer::decode_log(transfer).unwrap();
    assert_eq!((transfer.from, transfer.to), (account(1), STRANGER));
    assert_eq!(owner(&world), STRANGER);
}

#[test]
fn a_receiver_is_asked_when_the_asset_is_its_own_already() {
    let mut world = with_asset();
    let to = receiver(&mut world, Mode::Accept, Address::ZERO);
    let outcome = send(&mut world, 1, to);
    assert!(outcome.receipts[0].status);
    let asked = outcome.receipts[0].logs.iter().find(|log| log.address == to).unwrap();
    let asked = Received::decode_log(asked).unwrap();
    assert_eq!((asked.operator, asked.from, asked.ownerMeanwhile), (account(1), account(1), to));
    assert_eq!((asked.tokenId, &asked.data.data), (U256::ONE, &bytes!("c0ffee")));
    assert_eq!(owner(&world), to);
}

#[test]
fn the_data_reaches_the_receiver_and_the_short_form_carries_none() {
    let mut world = with_asset();
    let to = receiver(&mut world, Mode::Accept, Address::ZERO);
    let short = IAssets::safeTransferFrom_0Call { from: account(1), to, tokenId: U256::ONE };
    for (data, carried) in [(safe_transfer(to), bytes!("c0ffee")), (short.abi_encode(), bytes!())] {
        let mut world = with_asset();
        let to_again = receiver(&mut world, Mode::Accept, Address::ZERO);
        assert_eq!(to_again, to);
        let outcome = world.block(&[Draft::call(1, world.nonce(1), ASSETS, data)]);
        let logs = &outcome.receipts[0].logs;
        let asked = logs.iter().find_map(|log| Received::decode_log(log).ok()).unwrap();
        assert_eq!(asked.data.data, carried);
    }
}

#[test]
fn a_refusal_undoes_everything_and_says_why() {
    let reasons = [
        (Mode::AnswerWrongly, None),
        (Mode::AnswerNothing, None),
        (Mode::RevertSilently, None),
        (Mode::RevertWithReason, Some(Revert::from("not today").abi_encode())),
        (Mode::RevertWithError, Some(NotToday { tokenId: U256::ONE }.abi_encode())),
    ];
    for (mode, reason) in reasons {
        let mut world = with_asset();
        let to = receiver(&mut world, mode, Address::ZERO);
        let invalid = IAssets::ERC721InvalidReceiver { receiver: to }.abi_encode();
        let (success, output) = answer(&world, account(1), safe_transfer(to));
        assert!(!success);
        assert_eq!(output, reason.unwrap_or(invalid), "{mode:?}");
        let outcome = send(&mut world, 1, to);
        assert!(!outcome.receipts[0].status && outcome.receipts[0].logs.is_empty());
        assert_eq!(owner(&world), account(1));
    }
}

#[test]
fn a_contract_that_is_no_receiver_is_refused() {
    let mut world = with_asset();
    let to = world.deploy(2, CALLER, U256::ZERO);
    let (success, output) = answer(&world, account(1), safe_transfer(to));
    assert!(!success);
    assert_eq!(output, IAssets::ERC721InvalidReceiver { receiver: to }.abi_encode());
}

#[test]
fn a_receiver_may_pass_on_what_it_got_but_not_take_it_twice() {
    let mut world = with_asset();
    let to = receiver(&mut world, Mode::PassOn, STRANGER);
    let outcome = send(&mut world, 1, to);
    assert!(outcome.receipts[0].status);
    let transfers: Vec<_> = outcome.receipts[0]
        .logs
        .iter()
        .filter_map(|log| IAssets::Transfer::decode_log(log).ok())
        .map(|event| (event.from, event.to))
        .collect();
    assert_eq!(transfers, [(account(1), to), (to, STRANGER)]);
    assert_eq!(owner(&world), STRANGER);

    // It was approved, and tries to move the asset a second time from its former owner.
    let mut world = with_asset();
    let to = receiver(&mut world, Mode::SendAgain, STRANGER);
    let approve = IAssets::setApprovalForAllCall { operator: to, approved: true }.abi_encode();
    assert!(world.block(&[Draft::call(1, world.nonce(1), ASSETS, approve)]).receipts[0].status);
    let (success, output) = answer(&world, account(1), safe_transfer(to));
    let wrong = IAssets::ERC721IncorrectOwner { sender: account(1), tokenId: U256::ONE, owner: to };
    assert!(!success);
    assert_eq!(output, wrong.abi_encode());
    assert!(!send(&mut world, 1, to).receipts[0].status);
    assert_eq!(owner(&world), account(1));
}

#[test]
fn a_delegated_account_is_a_contract_to_its_sender() {
    let mut world = with_asset();
    let accepts = receiver(&mut world, Mode::Accept, Address::ZERO);
    let no_receiver = world.deploy(2, CALLER, U256::ZERO);
    let delegate = |world: &mut World, to: Address| {
        let code = [&[0xef, 0x01, 0x00], to.as_slice()].concat();
        world.state.insert(account(3), 1, U256::ZERO, code.into());
    };
    delegate(&mut world, no_receiver);
    let (success, output) = answer(&world, account(1), safe_transfer(account(3)));
    assert!(!success);
    assert_eq!(output, IAssets::ERC721InvalidReceiver { receiver: account(3) }.abi_encode());
    delegate(&mut world, accepts);
    assert!(send(&mut world, 1, account(3)).receipts[0].status);
    assert_eq!(owner(&world), account(3));
}

#[test]
fn who_may_not_move_an_asset_may_not_do_so_safely() {
    let mut world = with_asset();
    let to = receiver(&mut world, Mode::Accept, Address::ZERO);
    let (success, output) = answer(&world, account(2), safe_transfer(to));
    let refused = IAssets::ERC721InsufficientApproval { operator: account(2), tokenId: U256::ONE };
    assert!(!success);
    assert_eq!(output, refused.abi_encode());
    let (success, output) = answer(&world, account(1), safe_transfer(ASSETS));
    assert!(!success);
    assert_eq!(output, IAssets::ERC721InvalidReceiver { receiver: ASSETS }.abi_encode());
    let approve = IAssets::approveCall { to: account(2), tokenId: U256::ONE }.abi_encode();
    world.block(&[Draft::call(1, world.nonce(1), ASSETS, approve)]);
    let outcome = send(&mut world, 2, to);
    let logs = &outcome.receipts[0].logs;
    let asked = logs.iter().find_map(|log| Received::decode_log(log).ok()).unwrap();
    assert_eq!((asked.operator, asked.from), (account(2), account(1)));
}

#[test]
fn nobody_else_asks_for_the_rule_behind_the_face() {
    let mut world = with_asset();
    let caller = world.deploy(2, CALLER, U256::ZERO);
    let rule = IAssets::transferForCall {
        operator: account(1),
        from: account(1),
        to: STRANGER,
        tokenId: U256::ONE,
    }
    .abi_encode();
    for from in [account(1), STRANGER, caller] {
        let (success, output) = answer(&world, from, rule.clone());
        assert!(!success);
        assert_eq!(output, IProtocol::OnlySelf { caller: from }.abi_encode());
    }
    // Neither by borrowing the code nor in a static call.
    for (kind, error) in [
        (1, IProtocol::StaticCall {}.abi_encode()),
        (2, IProtocol::DelegateCall {}.abi_encode()),
        (3, IProtocol::DelegateCall {}.abi_encode()),
    ] {
        for data in [rule.clone(), safe_transfer(STRANGER)] {
            let call = forwardCall {
                kind: U256::from(kind),
                target: ASSETS,
                value: U256::ZERO,
                gasLimit: U256::from(1_000_000),
                data: data.into(),
            };
            let draft = Draft::call(1, world.nonce(1), caller, call.abi_encode());
            let outcome = world.block(&[draft]);
            let logs = &outcome.receipts[0].logs;
            let answered = logs.iter().find_map(|log| Answered::decode_log(log).ok()).unwrap();
            assert!(!answered.success);
            assert_eq!(answered.data.data, error);
        }
    }
    assert_eq!(owner(&world), account(1));
}

#[test]
fn coin_is_not_taken_with_a_safe_transfer() {
    let mut world = with_asset();
    let nonce = world.nonce(1);
    let draft = Draft { value: COIN, ..Draft::call(1, nonce, ASSETS, safe_transfer(STRANGER)) };
    assert!(!world.block(&[draft]).receipts[0].status);
    assert_eq!(world.state.balance(ASSETS), U256::ZERO);
}

#[test]
fn the_registry_says_that_it_is_an_erc721() {
    let world = World::new();
    for (id, is_supported) in [
        ([0x01, 0xff, 0xc9, 0xa7], true),
        ([0x80, 0xac, 0x58, 0xcd], true),
        ([0x5b, 0x5e, 0x13, 0x9f], true),
        ([0x2a, 0x55, 0x20, 0x5a], true),
        ([0xff, 0xff, 0xff, 0xff], false),
    ] {
        let call = IAssets::supportsInterfaceCall { interfaceId: id.into() }.abi_encode();
        assert_eq!(answer(&world, STRANGER, call).1, is_supported.abi_encode());
    }
}
