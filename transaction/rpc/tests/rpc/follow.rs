//! Logs, filters and subscriptions.

use crate::support::{ALICE, BOB, TestNode, address, signed, transaction};
use alloy_primitives::hex;
use alloy_sol_types::{SolCall, SolEvent};
use jsonrpsee::{
    core::{
        ClientError,
        client::{Subscription, SubscriptionClientT},
        params::ArrayParams,
    },
    rpc_params,
    ws_client::{WsClient, WsClientBuilder},
};
use sahara_abi::{CHANNELS, IChannels};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

fn funding() -> Vec<u8> {
    IChannels::fundCall { payer: address(BOB) }.abi_encode()
}

fn filter() -> Value {
    json!({ "address": CHANNELS, "topics": [IChannels::Funded::SIGNATURE_HASH] })
}

#[tokio::test]
async fn logs_are_found_by_range_address_and_topic() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(CHANNELS), 100, funding()).await;
    node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let range = |from: &str, to: &str| {
        let mut filter = filter();
        filter["fromBlock"] = from.into();
        filter["toBlock"] = to.into();
        filter
    };
    let found = node.ask("eth_getLogs", (range("earliest", "latest"),)).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["transactionHash"], receipt["transactionHash"]);
    assert_eq!(found[0], receipt["logs"][0]);
    assert_eq!(node.ask("eth_getLogs", (range("0x2", "latest"),)).await, json!([]));
    let by_hash = json!({ "blockHash": receipt["blockHash"], "address": CHANNELS });
    let all = node.ask("eth_getLogs", (by_hash,)).await;
    assert!(all.as_array().unwrap().contains(&found[0]));
    let backwards = node.refusal("eth_getLogs", (range("0x2", "0x1"),)).await;
    assert_eq!((backwards.code(), backwards.message()), (-32_602, "invalid block range params"));
    let beyond = node.refusal("eth_getLogs", (range("0x1", "0xff"),)).await;
    assert_eq!(beyond.message(), "block range extends beyond current head block");
}

#[tokio::test]
async fn filters_remember_what_was_read() {
    let node = TestNode::start().await;
    let logs = node.ask("eth_newFilter", (filter(),)).await;
    let blocks = node.ask("eth_newBlockFilter", rpc_params![]).await;
    let pending = node.ask("eth_newPendingTransactionFilter", rpc_params![]).await;
    let receipt = node.send(ALICE, Some(CHANNELS), 100, funding()).await;
    let second = node.send(ALICE, Some(CHANNELS), 100, funding()).await;
    let changes = node.ask("eth_getFilterChanges", (&logs,)).await;
    assert_eq!(changes, json!([receipt["logs"][0], second["logs"][0]]));
    assert_eq!(node.ask("eth_getFilterChanges", (&logs,)).await, json!([]));
    let latest = node.ask("eth_getFilterLogs", (&logs,)).await;
    assert_eq!(latest, json!([second["logs"][0]]), "without range, of the latest block");
    let hashes = node.ask("eth_getFilterChanges", (&blocks,)).await;
    assert_eq!(hashes, json!([receipt["blockHash"], second["blockHash"]]));
    let hashes = node.ask("eth_getFilterChanges", (&pending,)).await;
    assert_eq!(hashes, json!([receipt["transactionHash"], second["transactionHash"]]));
    assert_eq!(node.ask("eth_uninstallFilter", (&blocks,)).await, true);
    assert_eq!(node.ask("eth_uninstallFilter", (&blocks,)).await, false);
    let gone = node.refusal("eth_getFilterChanges", (&blocks,)).await;
    assert_eq!(gone.message(), "filter not found");
}

#[tokio::test]
async fn a_filter_behind_more_than_an_answer_holds_is_read_in_parts() {
    const LOGS: usize = 11_000;
    let node = TestNode::start().await;
    let nonce = node.nonce(address(ALICE)).await;
    let contracts = [0, 1].map(|next| address(ALICE).create(nonce + next));
    let filter = node.ask("eth_newFilter", (json!({ "address": contracts }),)).await;
    // While a counter falls to zero: an empty log.
    let code = hex::decode("62002af85b5f5fa06001900380600457").unwrap();
    for next in 0..2 {
        let mut create = transaction(nonce + next, None, 0, code.clone());
        create.gas_limit = 6_000_000;
        let receipt = node.ask("eth_sendRawTransactionSync", (signed(ALICE, create),)).await;
        assert_eq!(receipt["logs"].as_array().map(Vec::len), Some(LOGS), "{}", receipt["status"]);
    }
    for contract in contracts {
        let changes = node.ask("eth_getFilterChanges", (&filter,)).await;
        let changes = changes.as_array().unwrap();
        assert_eq!(changes.len(), LOGS);
        let contract = json!(contract.to_string().to_lowercase());
        assert!(changes.iter().all(|log| log["address"] == contract));
    }
    assert_eq!(node.ask("eth_getFilterChanges", (&filter,)).await, json!([]));
}

async fn subscribe(client: &WsClient, params: ArrayParams) -> Subscription<Value> {
    client.subscribe("eth_subscribe", params, "eth_unsubscribe").await.unwrap()
}

#[tokio::test]
async fn subscribers_hear_of_heads_logs_and_pending_transactions() {
    let node = TestNode::start().await;
    let url = format!("ws://{}", node.server.address());
    let client = WsClientBuilder::default().build(url).await.unwrap();
    let mut heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let mut logs = subscribe(&client, rpc_params!["logs", filter()]).await;
    let mut hashes = subscribe(&client, rpc_params!["newPendingTransactions"]).await;
    let mut full = subscribe(&client, rpc_params!["newPendingTransactions", true]).await;
    for number in 1..=2 {
        let receipt = node.send(ALICE, Some(CHANNELS), 100, funding()).await;
        let head = heads.next().await.unwrap().unwrap();
        assert_eq!(head["hash"], receipt["blockHash"]);
        assert_eq!(head["number"], format!("{number:#x}"));
        assert_eq!(logs.next().await.unwrap().unwrap(), receipt["logs"][0]);
        assert_eq!(hashes.next().await.unwrap().unwrap(), receipt["transactionHash"]);
        let transaction = full.next().await.unwrap().unwrap();
        assert_eq!(transaction["hash"], receipt["transactionHash"]);
        assert_eq!(transaction["blockHash"], Value::Null);
    }
    let unknown = client
        .subscribe::<Value, _>("eth_subscribe", rpc_params!["weather"], "eth_unsubscribe")
        .await;
    assert!(unknown.is_err());
}

#[tokio::test]
async fn subscriptions_hold_no_more_than_there_is_room_for() {
    let node = TestNode::start_with(|settings| settings.max_subscribed = 100).await;
    let url = format!("ws://{}", node.server.address());
    let client = WsClientBuilder::default().build(url).await.unwrap();
    let refused = async |params: ArrayParams| {
        let answer = client.subscribe::<Value, _>("eth_subscribe", params, "eth_unsubscribe").await;
        match answer {
            Err(ClientError::Call(error)) => assert_eq!(error.code(), -32_005, "{error:?}"),
            other => panic!("there is no room, got {other:?}"),
        }
    };
    let heads = subscribe(&client, rpc_params!["newHeads"]).await;
    let mut logs = subscribe(&client, rpc_params!["logs", filter()]).await;
    // 32 and 34 are held: with 35 it would be one too many.
    let three = json!({ "address": [address(ALICE), address(BOB), CHANNELS] });
    refused(rpc_params!["logs", three]).await;
    let _pending = subscribe(&client, rpc_params!["newPendingTransactions"]).await;
    refused(rpc_params!["newHeads"]).await;
    heads.unsubscribe().await.unwrap();
    let again = async {
        loop {
            let params = rpc_params!["newHeads"];
            let answer =
                client.subscribe::<Value, _>("eth_subscribe", params, "eth_unsubscribe").await;
            match answer {
                Ok(heads) => return heads,
                Err(ClientError::Call(_)) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let mut heads = timeout(Duration::from_secs(30), again).await.expect("there is room again");
    let receipt = node.send(ALICE, Some(CHANNELS), 100, funding()).await;
    assert_eq!(heads.next().await.unwrap().unwrap()["hash"], receipt["blockHash"]);
    assert_eq!(logs.next().await.unwrap().unwrap(), receipt["logs"][0]);
}

#[tokio::test]
async fn synchronous_submission_times_out_with_the_hash() {
    let node = TestNode::start().await;
    // A gap in the nonces: it waits for ever.
    let raw = signed(ALICE, transaction(5, Some(address(BOB)), 1, Vec::new()));
    let late = node.refusal("eth_sendRawTransactionSync", (&raw, "0x1")).await;
    assert_eq!(late.code(), 4);
    let hash: String = serde_json::from_str(late.data().unwrap().get()).unwrap();
    let waiting = node.ask("eth_getTransactionByHash", (&hash,)).await;
    assert_eq!(waiting["blockNumber"], Value::Null);
    let status = node.ask("txpool_status", rpc_params![]).await;
    assert_eq!(status, json!({ "pending": "0x0", "queued": "0x1" }));
}

#[tokio::test]
async fn ids_cannot_be_guessed_and_filters_nobody_reads_are_gone() {
    let node = TestNode::start().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        let id = node.ask("eth_newBlockFilter", rpc_params![]).await;
        let id = id.as_str().unwrap().strip_prefix("0x").unwrap().to_owned();
        ids.push(u128::from_str_radix(&id, 16).unwrap());
    }
    for pair in ids.windows(2) {
        assert!(pair[0].abs_diff(pair[1]) > 1 << 64, "{ids:?}");
    }
    let hasty = TestNode::start_with(|settings| settings.filter_life = Duration::ZERO).await;
    let id = hasty.ask("eth_newBlockFilter", rpc_params![]).await;
    let gone = hasty.refusal("eth_getFilterChanges", (&id,)).await;
    assert_eq!(gone.message(), "filter not found");
}
