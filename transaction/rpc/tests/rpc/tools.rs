//! What tools call exists. The lists were captured by a proxy between the tools and a node.

use crate::support::{ALICE, TestNode, address};
use alloy_primitives::Address;
use jsonrpsee::{core::client::ClientT, rpc_params};
use serde_json::Value;
use std::collections::BTreeSet;

const METHOD_NOT_FOUND: i32 = -32_601;

/// By tool, what it sends.
const CAPTURED: [(&str, &str); 9] = [
    (
        "cast send 1.7.1",
        "eth_chainId eth_getTransactionCount eth_feeHistory eth_estimateGas eth_sendRawTransaction \
         eth_getTransactionReceipt eth_blockNumber eth_getBlockByNumber",
    ),
    (
        "cast reads",
        "eth_getBalance eth_getTransactionByHash eth_getCode eth_getStorageAt eth_gasPrice \
         eth_getLogs eth_createAccessList eth_getProof web3_clientVersion eth_getBlockByNumber",
    ),
    ("cast run", "eth_getTransactionByHash eth_getAccountInfo eth_getBlockByNumber"),
    ("forge create", "eth_getAccountInfo eth_getCode eth_gasPrice eth_sendRawTransaction"),
    (
        "viem 2.57",
        "eth_fillTransaction eth_sendRawTransaction eth_getTransactionReceipt \
         eth_getTransactionByHash eth_getBlockByNumber eth_call eth_getLogs \
         eth_maxPriorityFeePerGas eth_getProof eth_newFilter eth_newPendingTransactionFilter \
         eth_getFilterChanges eth_uninstallFilter",
    ),
    (
        "ethers 6.17",
        "eth_chainId eth_newFilter eth_getFilterChanges eth_gasPrice eth_maxPriorityFeePerGas",
    ),
    (
        "web3.py 8.0",
        "eth_chainId eth_getTransactionCount eth_estimateGas eth_maxPriorityFeePerGas \
         eth_sendRawTransaction eth_getTransactionReceipt eth_call eth_getLogs",
    ),
    (
        "MetaMask",
        "eth_chainId net_version eth_blockNumber eth_getBlockByNumber eth_getBalance eth_getCode \
         eth_call eth_estimateGas eth_feeHistory eth_gasPrice eth_sendRawTransaction \
         eth_getTransactionReceipt eth_getTransactionByHash",
    ),
    (
        "explorers and others",
        "eth_subscribe eth_unsubscribe eth_newBlockFilter eth_getFilterLogs eth_getBlockReceipts \
         eth_sendRawTransactionSync eth_syncing eth_accounts net_peerCount net_listening web3_sha3 \
         txpool_content txpool_contentFrom txpool_inspect txpool_status debug_traceTransaction \
         debug_traceCall debug_traceBlockByNumber debug_traceBlockByHash debug_getRawHeader \
         debug_getRawBlock debug_getRawReceipts debug_getRawTransaction eth_config rpc_modules \
         eth_getBlockByHash eth_getBlockTransactionCountByNumber \
         eth_getTransactionByBlockHashAndIndex eth_getTransactionByBlockNumberAndIndex \
         eth_getStorageValues sahara_getCertificate sahara_getValidators sahara_getHandovers \
         sahara_supply sahara_recount sahara_earned sahara_getReceiptProof sahara_nodeInfo",
    ),
];

#[tokio::test]
async fn every_method_that_tools_call_exists() {
    let node = TestNode::start().await;
    for (tool, methods) in CAPTURED {
        for method in methods.split_whitespace() {
            let answer = node.client.request::<Value, _>(method, rpc_params![]).await;
            if let Err(jsonrpsee::core::ClientError::Call(error)) = answer {
                assert_ne!(error.code(), METHOD_NOT_FOUND, "{tool} calls {method}");
            }
        }
    }
    let unknown = node.refusal("anvil_nodeInfo", rpc_params![]).await;
    assert_eq!(unknown.code(), METHOD_NOT_FOUND);
}

#[tokio::test]
async fn modules_are_those_of_the_methods() {
    let node = TestNode::start().await;
    let modules = node.ask("rpc_modules", rpc_params![]).await;
    let names: BTreeSet<&str> = modules.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["debug", "eth", "net", "rpc", "sahara", "txpool", "web3"];
    assert_eq!(names, BTreeSet::from(expected));
}

#[tokio::test]
async fn wallet_finds_the_chain_it_was_told() {
    let node = TestNode::start().await;
    assert_eq!(node.ask("eth_chainId", rpc_params![]).await, "0xb0d30");
    assert_eq!(node.ask("net_version", rpc_params![]).await, "724272");
    assert_eq!(node.ask("eth_syncing", rpc_params![]).await, false);
    assert_eq!(node.ask("web3_clientVersion", rpc_params![]).await, "sahara/test");
    let empty = Address::repeat_byte(0x11);
    assert_eq!(node.ask("eth_getBalance", (empty, "latest")).await, "0x0");
    // 142 million coins of 18 decimals.
    let rich = node.ask("eth_getBalance", rpc_params![address(ALICE)]).await;
    assert_eq!(rich, format!("{:#x}", 142_000_000_u128 * 10_u128.pow(18)));
    let config = node.ask("eth_config", rpc_params![]).await;
    assert_eq!(config["current"]["chainId"], "0xb0d30");
    assert_eq!(config["current"]["forkId"].as_str().unwrap().len(), 10);
}
