//! Answers have the shape that the execution-apis suite records: the same fields, of the same kinds.
//! (Its chain has no seals and other rules, so values cannot be compared here; `sahara-evm` imports
//! that chain and compares the blocks.)

use crate::support::{ALICE, BOB, TestNode, address, signed, transaction};
use alloy_sol_types::SolCall;
use sahara_abi::{CHANNELS, IChannels};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// The recorded answer, or `None` when the data is absent, which is said.
#[expect(clippy::disallowed_methods, reason = "the data lies outside the repository")]
fn recorded(method: &str, file: &str) -> Option<Value> {
    let root = std::env::var("SAHARA_CONFORMANCE").map_or_else(
        |_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let path = root.join("execution-apis/tests").join(method).join(format!("{file}.io"));
    let Ok(text) = fs::read_to_string(&path) else {
        println!("conformance data absent: {} (set SAHARA_CONFORMANCE)", path.display());
        return None;
    };
    let answer = text.lines().find_map(|line| line.strip_prefix("<< ")).unwrap();
    Some(serde_json::from_str::<Value>(answer).unwrap()["result"].clone())
}

/// Quantities and data are both text; data has whole bytes of fixed length.
fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "number".into(),
        Value::String(text) if text.len() == 66 => "32 bytes".into(),
        Value::String(text) if text.len() == 42 => "address".into(),
        Value::String(text) if text.starts_with("0x") => "hexadecimal".into(),
        Value::String(_) => "text".into(),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
    }
}

fn compare(path: &str, expected: &Value, got: &Value, differences: &mut Vec<String>) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, expected) in expected {
                match got.get(name) {
                    Some(got) => compare(&format!("{path}.{name}"), expected, got, differences),
                    None => differences.push(format!("{path}.{name} is missing")),
                }
            }
        }
        (Value::Array(expected), Value::Array(got)) => {
            if let (Some(expected), Some(got)) = (expected.first(), got.first()) {
                compare(&format!("{path}[]"), expected, got, differences);
            }
        }
        _ if kind(expected) == kind(got) => {}
        _ => differences.push(format!("{path}: expected {}, got {}", kind(expected), got)),
    }
}

async fn check(
    node: &TestNode,
    (method, file): (&str, &str),
    params: Vec<Value>,
    but_for: &[&str],
) {
    let Some(expected) = recorded(method, file) else { return };
    let got = node.ask(method, params).await;
    let mut differences = Vec::new();
    compare("", &expected, &got, &mut differences);
    differences.retain(|one| !but_for.iter().any(|excuse| one.starts_with(excuse)));
    assert!(differences.is_empty(), "{method} {file}: {differences:#?}");
}

#[tokio::test]
async fn answers_have_the_recorded_shape() {
    let node = TestNode::start().await;
    let input = IChannels::fundCall { payer: address(ALICE) }.abi_encode();
    let receipt = node.send(ALICE, Some(CHANNELS), 100, input.clone()).await;
    let hash = receipt["transactionHash"].clone();
    let waiting = signed(BOB, transaction(1, Some(address(ALICE)), 1, Vec::new()));
    node.ask("eth_sendRawTransaction", (waiting,)).await;
    let call = json!({ "from": address(ALICE), "to": CHANNELS, "value": "0x1",
        "input": alloy_primitives::Bytes::from(input) });
    let block = ("eth_getBlockByNumber", "get-block-cancun-fork");
    check(&node, block, vec!["latest".into(), false.into()], &[]).await;
    let receipts = ("eth_getTransactionReceipt", "get-dynamic-fee");
    check(&node, receipts, vec![hash.clone()], &[]).await;
    // An access list, which ours lacks; and its transaction is of type 1.
    let one = ("eth_getTransactionByHash", "get-access-list");
    check(&node, one, vec![hash], &[]).await;
    let fees = ("eth_feeHistory", "fee-history");
    check(&node, fees, vec!["0x1".into(), "latest".into(), json!([95, 99])], &[]).await;
    let proof = ("eth_getProof", "get-account-proof-default-block");
    check(&node, proof, vec![json!(CHANNELS), json!([])], &[]).await;
    let list = ("eth_createAccessList", "create-al-value-transfer");
    check(&node, list, vec![call], &[]).await;
    let logs = ("eth_getLogs", "contract-addr");
    check(&node, logs, vec![json!({ "fromBlock": "earliest", "address": CHANNELS })], &[]).await;
    check(
        &node,
        ("eth_config", "get-config"),
        Vec::new(),
        &[".current.systemContracts.", ".next", ".last", ".current.blobSchedule"],
    )
    .await;
    check(&node, ("eth_baseFee", "get-current-basefee"), Vec::new(), &[]).await;
    check(&node, ("eth_syncing", "check-syncing"), Vec::new(), &[]).await;
}
