//! What is earned and not credited yet can be spent at once, wherever one asks; and what breaks the
//! books stops nobody else.

use crate::support::{ALICE, BOB, TestNode, address, bytes, quantity, signed, transaction};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolCall;
use jsonrpsee::rpc_params;
use sahara_abi::{COIN, ICoin, IRoyalties, ROYALTIES};
use sahara_evm::StateDiff;
use serde_json::{Value, json};

/// Somebody whose only coin is in a pool.
const CAROL: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";

/// Ten SAHARA.
const EARNED: u128 = 10_000_000_000_000_000_000;

/// A slot as `protocols/storage.rs` lays it out.
pub(crate) fn slot(map: u8, key: &[&[u8]], word: u8) -> U256 {
    let hash = keccak256([[map].as_slice(), &key.concat()].concat());
    let mut slot = [0; 32];
    slot[0] = map;
    slot[1..31].copy_from_slice(&hash[..30]);
    slot[31] = word;
    U256::from_be_bytes(slot)
}

/// Fields from the highest bit down: width and value.
pub(crate) fn pack(fields: &[(usize, u128)]) -> U256 {
    let mut used = 0;
    let mut word = U256::ZERO;
    for (bits, value) in fields {
        used += bits;
        word |= U256::from(*value) << (256 - used);
    }
    word
}

/// A pool of one member to whom `deposited` came in and `paid` went out.
fn pool(state: &mut StateDiff, asset: u64, member: Address, (deposited, paid): (u128, u128)) {
    let account = state.accounts.get_mut(&ROYALTIES).unwrap();
    let key = asset.to_be_bytes();
    let mut set = |slot, word| {
        account.storage.insert(slot, (U256::ZERO, word));
    };
    set(slot(0, &[&key], 0), pack(&[(112, deposited)]));
    set(slot(0, &[&key], 1), pack(&[(96, 1), (32, 1), (48, asset.into()), (1, 1)]));
    let holding = pack(&[(96, 1), (112, paid), (48, asset.into())]);
    set(slot(1, &[&key, member.as_slice()], 0), holding);
    let after = account.after.as_mut().unwrap();
    after.balance += U256::from(deposited);
}

/// Carol's pool is in her listing, so that her transactions settle it.
fn with_earnings(state: &mut StateDiff) {
    let carol = address(CAROL);
    pool(state, 1, carol, (EARNED, 0));
    let listing = pack(&[(32, 1), (32, 0), (32, 0), (48, 1)]);
    let account = state.accounts.get_mut(&ROYALTIES).unwrap();
    account.storage.insert(slot(3, &[carol.as_slice()], 0), (U256::ZERO, listing));
}

async fn balance(node: &TestNode, account: Address) -> U256 {
    let balance = node.ask("eth_getBalance", (account, "latest")).await;
    balance.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_waits_in_a_pool_is_spent_by_calls_estimates_traces_and_transactions() {
    let node = TestNode::start_on(with_earnings, |_| {}).await;
    let carol = address(CAROL);
    assert_eq!(balance(&node, carol).await, U256::ZERO, "it is not credited yet");
    let earned = node.ask("sahara_earned", rpc_params![carol]).await;
    assert_eq!(earned, format!("{EARNED:#x}"));

    let half = U256::from(EARNED / 2);
    let spend = json!({ "from": carol, "to": address(BOB), "value": half });
    assert_eq!(node.ask("eth_call", (&spend, "latest")).await, "0x");
    let beyond = json!({ "from": carol, "to": address(BOB), "value": U256::from(EARNED + 1) });
    let refused = node.refusal("eth_call", (&beyond, "latest")).await;
    assert!(refused.message().contains("insufficient funds"), "{}", refused.message());
    let own = ICoin::balanceOfCall { account: carol }.abi_encode();
    let input = alloy_primitives::Bytes::from(own);
    let seen = node.ask("eth_call", (json!({ "from": carol, "to": COIN, "input": input }),)).await;
    assert_eq!(U256::from_be_slice(&bytes(&seen)), U256::from(EARNED), "a contract sees it");

    let gas = quantity(&node.ask("eth_estimateGas", rpc_params![&spend]).await);
    assert!(gas > 21_000, "{gas}: settling is part of what the sender pays for");
    let tracer = json!({ "tracer": "callTracer" });
    let trace = node.ask("debug_traceCall", (&spend, "latest", &tracer)).await;
    assert!(trace.get("error").is_none(), "{trace}");
    let simulated = json!({ "blockStateCalls": [{ "calls": [&spend, &spend] }] });
    let simulated = node.ask("eth_simulateV1", (simulated, "latest")).await;
    assert_eq!(simulated[0]["calls"][1]["status"], "0x1", "{simulated}");

    // The same with a real transaction, at exactly the gas that was estimated.
    let body =
        TxEip1559 { gas_limit: gas, value: half, ..transaction(0, Some(address(BOB)), 0, vec![]) };
    let receipt = node.ask("eth_sendRawTransactionSync", (signed(CAROL, body),)).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(quantity(&receipt["gasUsed"]), gas);
    let fee = U256::from(gas) * U256::from(quantity(&receipt["effectiveGasPrice"]));
    assert_eq!(balance(&node, carol).await, U256::from(EARNED) - half - fee);
    let logs = receipt["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 1, "the settlement is in the transaction's receipt: {logs:?}");
    let hash = &receipt["transactionHash"];
    let again = node.ask("debug_traceTransaction", (hash, &tracer)).await;
    assert_eq!(quantity(&again["gasUsed"]), gas);
}

fn settle(account: Address, asset: u64) -> Vec<u8> {
    IRoyalties::settleCall { account, assets: vec![asset] }.abi_encode()
}

#[tokio::test]
async fn transaction_that_breaks_the_books_is_left_out_and_the_chain_goes_on() {
    // More was paid out of this pool than ever came in: settling it finds the books broken.
    let broken = |state: &mut StateDiff| pool(state, 2, address(ALICE), (EARNED, 2 * EARNED));
    let node = TestNode::start_on(broken, |_| {}).await;
    let (alice, bob) = (address(ALICE), address(BOB));
    let bad = signed(ALICE, transaction(0, Some(ROYALTIES), 0, settle(alice, 2)));
    let good = signed(BOB, transaction(0, Some(alice), 7, Vec::new()));
    let hash = node.ask("eth_sendRawTransaction", (&bad,)).await;
    let receipt = node.ask("eth_sendRawTransactionSync", (&good,)).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(node.ledger.metrics().banished(), 1);
    assert_eq!(node.ask("eth_getTransactionByHash", (&hash,)).await, Value::Null);
    let again = node.refusal("eth_sendRawTransaction", (&bad,)).await;
    assert!(again.message().contains("not accepted again"), "{}", again.message());
    // Its sender is not shut out.
    let receipt = node.send(ALICE, Some(bob), 1, Vec::new()).await;
    assert_eq!(receipt["status"], "0x1");
    assert_ne!(receipt["blockNumber"], Value::Null);
}

#[tokio::test]
async fn account_with_broken_books_spends_nothing_of_them_and_stops_no_node() {
    // As above, and listed among what is settled before the account's transactions.
    let broken = |state: &mut StateDiff| {
        let alice = address(ALICE);
        pool(state, 2, alice, (EARNED, 2 * EARNED));
        let listing = pack(&[(32, 1), (32, 0), (32, 0), (48, 2)]);
        let account = state.accounts.get_mut(&ROYALTIES).unwrap();
        account.storage.insert(slot(3, &[alice.as_slice()], 0), (U256::ZERO, listing));
    };
    let node = TestNode::start_on(broken, |_| {}).await;
    let (alice, bob) = (address(ALICE), address(BOB));
    let earned = node.refusal("sahara_earned", rpc_params![alice]).await;
    assert!(!earned.message().is_empty(), "nobody can say what was earned");
    // It waits behind a gap, so that each block that changes the account asks what it can spend.
    let waiting = signed(ALICE, transaction(1, Some(bob), 0, Vec::new()));
    let hash = node.ask("eth_sendRawTransaction", (&waiting,)).await;
    for value in 1..=3 {
        let receipt = node.send(BOB, Some(alice), value, Vec::new()).await;
        assert_eq!(receipt["status"], "0x1");
    }
    assert_eq!(node.ledger.is_broken(), None);
    let found = node.ask("eth_getTransactionByHash", (&hash,)).await;
    assert_ne!(found, Value::Null, "it waits still");
}
