//! Transactions on their way in.

use crate::support::{ALICE, BOB, TestNode, address, quantity, signed, transaction};
use alloy_consensus::TxEip1559;
use jsonrpsee::{core::client::ClientT, core::params::BatchRequestBuilder, rpc_params};
use serde_json::Value;

#[tokio::test]
async fn refusals_have_the_words_tools_look_for() {
    let node = TestNode::start().await;
    let base = transaction(1, Some(address(BOB)), 1, Vec::new());
    let waiting = signed(ALICE, base.clone());
    node.ask("eth_sendRawTransaction", (&waiting,)).await;
    let send = |one: TxEip1559| signed(ALICE, one);
    let cases = [
        (waiting.clone(), "already known"),
        (
            send(TxEip1559 { max_fee_per_gas: 3_000_000_001, ..base.clone() }),
            "replacement transaction underpriced",
        ),
        (
            send(TxEip1559 { value: alloy_primitives::U256::MAX, nonce: 2, ..base.clone() }),
            "insufficient funds for gas * price + value",
        ),
        (send(TxEip1559 { gas_limit: 20_000, ..base.clone() }), "intrinsic gas too low"),
        (
            send(TxEip1559 {
                max_fee_per_gas: 999_999_999,
                max_priority_fee_per_gas: 0,
                nonce: 2,
                ..base.clone()
            }),
            "transaction underpriced: max fee per gas less than block base fee",
        ),
        (send(TxEip1559 { chain_id: 1, ..base.clone() }), "invalid chain id"),
        (send(TxEip1559 { gas_limit: 400_000_001, ..base }), "exceeds block gas limit"),
        (
            alloy_primitives::Bytes::from_static(&[0x03, 0xc0]),
            "blob transactions (type 3) are not supported",
        ),
        (alloy_primitives::Bytes::from_static(&[0x53, 0xc0]), "malformed transaction"),
        (alloy_primitives::Bytes::new(), "malformed transaction"),
    ];
    for (raw, words) in cases {
        let refused = node.refusal("eth_sendRawTransaction", (raw,)).await;
        assert_eq!(refused.code(), -32_000);
        assert!(refused.message().starts_with(words), "{} / {words}", refused.message());
    }
    node.send(BOB, Some(address(ALICE)), 1, Vec::new()).await;
    let old = signed(BOB, transaction(0, Some(address(ALICE)), 2, Vec::new()));
    let refused = node.refusal("eth_sendRawTransaction", (old,)).await;
    assert_eq!(refused.message(), "nonce too low: next nonce 1, tx nonce 0");
}

#[tokio::test]
async fn system_transactions_are_not_accepted() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let block = node.ask("eth_getBlockByHash", (&receipt["blockHash"], false)).await;
    let system = node.ask("debug_getRawTransaction", (&block["transactions"][1],)).await;
    assert!(system.as_str().unwrap().starts_with("0x53"));
    let refused = node.refusal("eth_sendRawTransaction", (system,)).await;
    assert!(refused.message().starts_with("system transactions are made by the chain"));
}

#[tokio::test]
async fn batch_of_transfers_gets_in_as_a_whole() {
    let node = TestNode::start().await;
    let mut batch = BatchRequestBuilder::new();
    // The last one first: the pool puts them in order.
    for nonce in (0..50).rev() {
        let raw = signed(ALICE, transaction(nonce, Some(address(BOB)), 1, Vec::new()));
        batch.insert("eth_sendRawTransaction", rpc_params![raw]).unwrap();
    }
    let answers = node.client.batch_request::<Value>(batch).await.unwrap();
    assert_eq!(answers.num_successful_calls(), 50);
    let last = signed(ALICE, transaction(50, Some(address(BOB)), 1, Vec::new()));
    let receipt = node.ask("eth_sendRawTransactionSync", (last,)).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(node.nonce(address(ALICE)).await, 51);
}

#[tokio::test]
async fn leader_whose_time_is_up_leaves_the_rest_to_the_next_block() {
    let node = TestNode::start_hurried().await;
    // The last one first, so that all can be taken as soon as one can.
    for nonce in (1..6).rev() {
        let raw = signed(ALICE, transaction(nonce, Some(address(BOB)), 1, Vec::new()));
        node.ask("eth_sendRawTransaction", (raw,)).await;
    }
    node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let last = signed(ALICE, transaction(6, Some(address(BOB)), 1, Vec::new()));
    let receipt = node.ask("eth_sendRawTransactionSync", (last,)).await;
    let head = quantity(&receipt["blockNumber"]);
    assert_eq!(head, 7, "one in a block");
    for number in 1..=head {
        let block = node.ask("eth_getBlockByNumber", (format!("{number:#x}"), true)).await;
        let all = block["transactions"].as_array().unwrap();
        let signed = all.iter().filter(|one| one["type"] != "0x53").count();
        assert_eq!(signed, 1, "{block}");
    }
}

#[tokio::test]
async fn content_shows_what_waits() {
    let node = TestNode::start().await;
    let raw = signed(ALICE, transaction(3, Some(address(BOB)), 1, Vec::new()));
    node.ask("eth_sendRawTransaction", (raw,)).await;
    let content = node.ask("txpool_content", rpc_params![]).await;
    let sender = format!("{:#x}", address(ALICE));
    assert_eq!(content["queued"][&sender]["3"]["nonce"], "0x3");
    assert_eq!(content["pending"], serde_json::json!({}));
    let own = node.ask("txpool_contentFrom", (address(ALICE),)).await;
    assert_eq!(own["queued"]["3"], content["queued"][&sender]["3"]);
    let lines = node.ask("txpool_inspect", rpc_params![]).await;
    let line = lines["queued"][&sender]["3"].as_str().unwrap();
    assert!(line.ends_with("1 wei + 21000 gas × 3000000000 wei"), "{line}");
}
