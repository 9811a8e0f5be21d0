//! Calls, estimates, access lists, traces.

use crate::support::{ALICE, BOB, TestNode, address, bytes, quantity};
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::{SolCall, SolError};
use jsonrpsee::rpc_params;
use sahara_abi::{ASSETS, CHANNELS, COIN, IAssets, IChannels, ICoin};
use serde_json::{Value, json};

/// Solidity's `revert("no")`, always.
const REVERTING: &str = "7f08c379a0000000000000000000000000000000000000000000000000000000006000526020600452600260245261\
                         6e6f60f01b60445260646000fd";

fn data(call: &impl SolCall) -> Bytes {
    call.abi_encode().into()
}

#[tokio::test]
async fn view_answers() {
    let node = TestNode::start().await;
    let call = data(&ICoin::balanceOfCall { account: address(BOB) });
    let output = node.ask("eth_call", (json!({ "to": COIN, "input": call }), "latest")).await;
    let balance = ICoin::balanceOfCall::abi_decode_returns(&bytes(&output)).unwrap();
    assert_eq!(balance, U256::from(100_000_000_u128 * 10_u128.pow(18)));
    // Old clients write `data`.
    let same = node.ask("eth_call", rpc_params![json!({ "to": COIN, "data": call })]).await;
    assert_eq!(same, output);
}

#[tokio::test]
async fn revert_has_code_3_words_and_data() {
    let node = TestNode::start().await;
    let call = data(&IAssets::ownerOfCall { tokenId: U256::from(999) });
    let refused =
        node.refusal("eth_call", (json!({ "to": ASSETS, "input": call }), "latest")).await;
    assert_eq!(refused.code(), 3);
    assert!(refused.message().starts_with("execution reverted"), "{}", refused.message());
    let text: String = serde_json::from_str(refused.data().unwrap().get()).unwrap();
    let returned: Bytes = text.parse().unwrap();
    assert!(returned.len() >= 4, "{returned}");

    let state =
        json!({ Address::repeat_byte(5).to_string(): { "code": format!("0x{REVERTING}") } });
    let to = json!({ "to": Address::repeat_byte(5) });
    for method in ["eth_call", "eth_estimateGas"] {
        let refused = node.refusal(method, (&to, "latest", &state)).await;
        assert_eq!((refused.code(), refused.message()), (3, "execution reverted: no"), "{method}");
    }
    let text: String = serde_json::from_str(
        node.refusal("eth_call", (&to, "latest", &state)).await.data().unwrap().get(),
    )
    .unwrap();
    let reason = alloy_sol_types::Revert::abi_decode(&hex::decode(text).unwrap()).unwrap();
    assert_eq!(reason.reason(), "no");
}

#[tokio::test]
async fn estimate_of_a_transfer_is_exact_and_of_a_call_enough() {
    let node = TestNode::start().await;
    let transfer = json!({ "from": address(ALICE), "to": address(BOB), "value": "0x1" });
    assert_eq!(node.ask("eth_estimateGas", rpc_params![transfer]).await, "0x5208");
    let input = data(&IChannels::fundCall { payer: address(ALICE) });
    let fund = json!({ "from": address(ALICE), "to": CHANNELS, "value": "0x64", "input": input });
    let gas = quantity(&node.ask("eth_estimateGas", rpc_params![&fund]).await);
    let list = node.ask("eth_createAccessList", (&fund, "latest")).await;
    assert!(list.get("error").is_none(), "{list}");
    assert!(gas > 21_000 && quantity(&list["gasUsed"]) > 21_000);
    let poor = json!({ "from": Address::repeat_byte(1), "to": address(BOB), "value": "0x1" });
    let refused = node.refusal("eth_estimateGas", rpc_params![poor]).await;
    assert!(refused.message().contains("insufficient funds"), "{}", refused.message());
}

#[tokio::test]
async fn filled_transaction_has_everything_but_a_signature() {
    let node = TestNode::start().await;
    node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let request = json!({ "from": address(ALICE), "to": address(BOB), "value": "0x7" });
    let filled = node.ask("eth_fillTransaction", (request,)).await;
    let tx = &filled["tx"];
    assert_eq!((quantity(&tx["nonce"]), quantity(&tx["gas"])), (1, 21_000));
    assert_eq!(tx["type"], "0x2");
    assert_eq!(tx["chainId"], "0xb0d30");
    assert!(quantity(&tx["maxFeePerGas"]) >= quantity(&tx["maxPriorityFeePerGas"]));
    assert!(filled["raw"].as_str().unwrap().starts_with("0x02"));
}

#[tokio::test]
async fn traces_show_what_happened_inside() {
    let node = TestNode::start().await;
    let input = data(&IChannels::fundCall { payer: address(ALICE) });
    let receipt = node.send(ALICE, Some(CHANNELS), 100, input.to_vec()).await;
    assert_eq!(receipt["status"], "0x1");
    let tracer = json!({ "tracer": "callTracer" });
    let trace = node.ask("debug_traceTransaction", (&receipt["transactionHash"], &tracer)).await;
    assert_eq!(trace["to"], json!(CHANNELS));
    assert_eq!(trace["value"], "0x64");
    let block = node.ask("debug_traceBlockByNumber", ("latest", &tracer)).await;
    assert_eq!(block.as_array().unwrap().len(), 2);
    assert_eq!(block[0]["result"], trace);
    let prestate = json!({ "tracer": "prestateTracer" });
    let before = node.ask("debug_traceTransaction", (&receipt["transactionHash"], prestate)).await;
    assert!(before.get(format!("{:#x}", address(ALICE))).is_some(), "{before}");
    let request =
        json!({ "from": address(ALICE), "to": CHANNELS, "value": "0x64", "input": input });
    let call = node.ask("debug_traceCall", (request, "latest", &tracer)).await;
    assert_eq!(call["type"], "CALL");
    let steps = node.ask("debug_traceTransaction", rpc_params![&receipt["transactionHash"]]).await;
    assert_eq!(steps["failed"], false);
    let unknown = alloy_primitives::B256::repeat_byte(1);
    let refused = node.refusal("debug_traceTransaction", rpc_params![unknown]).await;
    assert_eq!(refused.message(), "transaction not found");
}

#[tokio::test]
async fn storage_is_read_word_by_word() {
    let node = TestNode::start().await;
    let input = data(&IChannels::fundCall { payer: address(ALICE) });
    node.send(ALICE, Some(CHANNELS), 100, input.to_vec()).await;
    let zero = format!("0x{}", "0".repeat(64));
    assert_eq!(node.ask("eth_getStorageAt", (CHANNELS, "0x0", "latest")).await, zero.as_str());
    assert_eq!(node.ask("eth_getStorageAt", (CHANNELS, &zero, "latest")).await, zero.as_str());
    let request: Value = json!({ CHANNELS.to_string(): [zero] });
    let words = node.ask("eth_getStorageValues", (request, "latest")).await;
    assert_eq!(words.as_object().unwrap().len(), 1);
    let code = node.ask("eth_getCode", (CHANNELS, "latest")).await;
    assert_ne!(code, "0x", "a protocol has code, or tools refuse to call it");
}
