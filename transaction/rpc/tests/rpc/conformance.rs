//! Answers have the shape that the execution-apis suite records: the same fields, of the same kinds.
//! (Its chain has no seals and other rules, so values cannot be compared here; `sahara-evm` imports
//! that chain and compares the blocks.)

use crate::support::{ALICE, TestNode, address};
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

/// Where a difference is right: the header's extra data is the commitment to the seal; of the system
/// contracts only the block hashes' is live, there is no blob schedule and no fork to come; and a
/// signature's numbers are as long as they are.
const EXCUSES: [&str; 7] = [
    "eth_getBlockByNumber.extraData",
    "eth_config.current.blobSchedule",
    "eth_config.current.systemContracts",
    "eth_config.last",
    "eth_config.next",
    "eth_getTransactionByHash.r:",
    "eth_getTransactionByHash.s:",
];

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

async fn differences(
    node: &TestNode,
    (method, file): (&str, &str),
    params: Vec<Value>,
) -> Vec<String> {
    let mut differences = Vec::new();
    if let Some(expected) = recorded(method, file) {
        let got = node.ask(method, params).await;
        compare(method, &expected, &got, &mut differences);
    }
    differences.retain(|one| !EXCUSES.iter().any(|excuse| one.starts_with(excuse)));
    differences
}

#[tokio::test]
async fn answers_have_the_recorded_shape() {
    let node = TestNode::start().await;
    let input = IChannels::fundCall { payer: address(ALICE) }.abi_encode();
    let receipt = node.send(ALICE, Some(CHANNELS), 100, input.clone()).await;
    let hash = receipt["transactionHash"].clone();
    let call = json!({ "from": address(ALICE), "to": CHANNELS, "value": "0x1",
        "input": alloy_primitives::Bytes::from(input) });
    let cases = [
        (("eth_getBlockByNumber", "get-block-cancun-fork"), json!(["latest", false])),
        (("eth_getTransactionReceipt", "get-dynamic-fee"), json!([hash])),
        (("eth_getTransactionByHash", "get-access-list"), json!([hash])),
        (("eth_feeHistory", "fee-history"), json!(["0x1", "latest", [95, 99]])),
        (("eth_getProof", "get-account-proof-default-block"), json!([CHANNELS, []])),
        (("eth_createAccessList", "create-al-value-transfer"), json!([call])),
        (("eth_getLogs", "contract-addr"), json!([{ "fromBlock": "0x0", "address": CHANNELS }])),
        (("eth_config", "get-config"), json!([])),
        (("eth_baseFee", "get-current-basefee"), json!([])),
        (("eth_syncing", "check-syncing"), json!([])),
    ];
    let mut found = Vec::new();
    for (recorded, params) in cases {
        let params = params.as_array().unwrap().clone();
        found.extend(differences(&node, recorded, params).await);
    }
    assert!(found.is_empty(), "{found:#?}");
}
