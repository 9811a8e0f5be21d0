//! What a relayer is repaid, beside what it paid.

use crate::world::{COIN, Draft, GWEI, World, account, sign};
use alloy_primitives::{Address, Bytes, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolEvent, SolStruct, SolValue, sol};
use sahara_abi::{
    CHANNELS, IChannels,
    IIntents::{self, Intent},
    INTENTS,
    signing::intents_domain,
};
use sahara_evm::BlockOutcome;

sol! {
    function forward(uint256 kind, address target, uint256 value, uint256 gasLimit, bytes calldata data)
        external payable returns (bool success, bytes memory answer);
}

const CALLER: &str = include_str!("../../contracts/Caller.bin");
const EARNER: u8 = 9;

/// An account that holds nothing and has ten coins of free deposit; key 2 relays.
fn world() -> World {
    let mut world = World::new();
    let fund = IChannels::fundCall { payer: account(EARNER) };
    let draft =
        Draft { value: COIN * U256::from(10), ..Draft::call(1, 0, CHANNELS, fund.abi_encode()) };
    assert!(world.block(&[draft]).receipts[0].status);
    assert_eq!(world.state.balance(account(EARNER)), U256::ZERO);
    world
}

fn withdrawal(amount: U256, nonce: u64) -> (Intent, Bytes) {
    let intent = Intent {
        account: account(EARNER),
        action: "channels.withdraw(uint256)".into(),
        arguments: amount.abi_encode().into(),
        value: U256::ZERO,
        maxFee: COIN,
        relayer: Address::ZERO,
        nonce: U256::from(nonce),
        validUntil: u64::MAX,
    };
    let hash = intent.eip712_signing_hash(&intents_domain(crate::world::CHAIN_ID));
    (intent, sign(EARNER, hash).as_bytes().to_vec().into())
}

fn relayed(outcome: &BlockOutcome) -> IIntents::Relayed {
    let receipt = &outcome.receipts[0];
    assert!(receipt.status);
    let log = receipt.logs.iter().find(|log| log.address == INTENTS).unwrap();
    IIntents::Relayed::decode_log(log).unwrap().data
}

/// Brings an intent; returns what was repaid and what the gas cost.
fn bring(world: &mut World, data: Vec<u8>) -> (U256, U256) {
    let draft = Draft::call(2, world.nonce(2), INTENTS, data);
    let outcome = world.block(&[draft]);
    let event = relayed(&outcome);
    let cost = U256::from(outcome.executions[0].gas_used) * U256::from(GWEI);
    (event.fee + event.sponsored, cost)
}

fn check(what: &str, repaid: U256, cost: U256) {
    eprintln!("{what}: repaid {} of {} gas", repaid / U256::from(GWEI), cost / U256::from(GWEI));
    assert!(repaid <= cost, "{what}: {repaid} for {cost}");
    assert!(repaid * U256::from(100) >= cost * U256::from(98), "{what}: {repaid} for {cost}");
}

#[test]
fn i4_a_relayer_is_repaid_its_gas_and_never_more() {
    let mut world = world();
    let before = world.state.balance(account(2));
    let amounts = [COIN, COIN * U256::from(2), U256::from(7) * COIN];
    let mut paid = U256::ZERO;
    // The first also makes the account; the last empties the deposit, for which gas is given back.
    for (nonce, amount) in (0..).zip(amounts) {
        let (intent, signature) = withdrawal(amount, nonce);
        let call = IIntents::relayCall { intent, signature };
        let (repaid, cost) = bring(&mut world, call.abi_encode());
        check(&format!("withdrawal {nonce}"), repaid, cost);
        paid += repaid;
    }
    assert_eq!(world.state.balance(account(EARNER)), COIN * U256::from(10) - paid);
    assert!(world.state.balance(account(2)) < before, "nobody earns by relaying");
}

#[test]
fn i4_bytes_that_nobody_reads_are_the_relayers_own() {
    let mut world = world();
    let (intent, signature) = withdrawal(COIN, 0);
    let call = IIntents::relayCall { intent, signature };
    let padded = [call.abi_encode(), vec![1; 2_000]].concat();
    let (repaid, cost) = bring(&mut world, padded);
    assert!(repaid + U256::from(2_000 * 16 * GWEI) <= cost, "{repaid} for {cost}");
}

#[test]
fn i4_a_sponsor_repays_no_more_than_the_gas() {
    let mut world = world();
    let limit = U96::from(1_000_000_000_000_000_000_u64);
    let sponsor = IIntents::sponsorCall { relayer: account(2), perIntent: limit, perDay: limit };
    let nonce = world.nonce(1);
    let draft = Draft { value: COIN, ..Draft::call(1, nonce, INTENTS, sponsor.abi_encode()) };
    assert!(world.block(&[draft]).receipts[0].status);
    for (nonce, amount) in [(0, U256::ZERO), (1, U256::from(1_000)), (2, COIN)] {
        let (intent, signature) = withdrawal(amount, nonce);
        let sponsor = account(1);
        let call = IIntents::relaySponsoredCall { intent, signature, sponsor };
        let (repaid, cost) = bring(&mut world, call.abi_encode());
        assert!(repaid <= cost, "{nonce}: {repaid} for {cost}");
        // The first drawing writes fresh words, whose price is not foreseen.
        let least = if nonce == 0 { 80 } else { 90 };
        assert!(
            repaid * U256::from(100) >= cost * U256::from(least),
            "{nonce}: {repaid} for {cost}"
        );
    }
}

#[test]
fn i4_a_contract_is_repaid_the_call_and_not_the_transaction() {
    let mut world = world();
    let caller = world.deploy(1, CALLER, U256::ZERO);
    let (intent, signature) = withdrawal(COIN, 0);
    let call = IIntents::relayCall { intent, signature };
    let forward = forwardCall {
        kind: U256::ZERO,
        target: INTENTS,
        value: U256::ZERO,
        gasLimit: U256::from(2_000_000),
        data: call.abi_encode().into(),
    };
    let outcome = world.block(&[Draft::call(1, world.nonce(1), caller, forward.abi_encode())]);
    let event = relayed(&outcome);
    assert_eq!(event.relayer, caller);
    let repaid = event.fee / U256::from(GWEI);
    let used = U256::from(outcome.executions[0].gas_used);
    assert!(repaid > U256::ZERO && repaid + U256::from(21_000) < used, "{repaid} of {used}");
}
