//! Blocks, transactions, receipts, fees.

use crate::{
    earnings::{pack, slot},
    support::{ALICE, BOB, TestNode, address, bytes, hash, quantity, signed, transaction},
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use jsonrpsee::rpc_params;
use sahara_abi::{ISystem, SYSTEM};
use sahara_evm::StateDiff;
use serde_json::{Value, json};

#[tokio::test]
async fn transfer_is_final_when_its_receipt_comes() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 5, Vec::new()).await;
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["type"], "0x2");
    assert_eq!(quantity(&receipt["gasUsed"]), 21_000);
    assert_eq!(receipt["contractAddress"], Value::Null);
    let head = node.ask("eth_blockNumber", rpc_params![]).await;
    assert_eq!(receipt["blockNumber"], head);
    for tag in ["latest", "safe", "finalized"] {
        let block = node.ask("eth_getBlockByNumber", (tag, false)).await;
        assert_eq!(block["hash"], receipt["blockHash"], "{tag}");
    }
    let again = node.ask("eth_getTransactionReceipt", (&receipt["transactionHash"],)).await;
    assert_eq!(again, receipt);
    let all = node.ask("eth_getBlockReceipts", ("latest",)).await;
    assert_eq!(all[0], receipt);
    assert_eq!(node.nonce(address(ALICE)).await, 1);
}

#[tokio::test]
async fn block_holds_its_system_transaction_in_a_form_that_clients_parse() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 5, Vec::new()).await;
    let block = node.ask("eth_getBlockByHash", (&receipt["blockHash"], true)).await;
    let transactions = block["transactions"].as_array().unwrap();
    assert_eq!(transactions.len(), 2, "a transfer, and the division of its fee");
    let transfer = &transactions[0];
    assert_eq!(transfer["hash"], receipt["transactionHash"]);
    assert_eq!(transfer["from"], json!(address(ALICE)));
    assert_eq!(transfer["gasPrice"], receipt["effectiveGasPrice"]);
    let system = &transactions[1];
    assert_eq!(system["type"], "0x53");
    assert_eq!(system["from"], "0xfffffffffffffffffffffffffffffffffffffffe");
    assert_eq!(system["transactionIndex"], "0x1");
    for part in ["r", "s"] {
        assert_eq!(hash(&system[part]), alloy_primitives::B256::ZERO);
    }
    let one = node.ask("eth_getTransactionByHash", (&system["hash"],)).await;
    assert_eq!(&one, system);
    let its_receipt = node.ask("eth_getTransactionReceipt", (&system["hash"],)).await;
    assert_eq!(its_receipt["type"], "0x53");
    assert_eq!(its_receipt["status"], "0x1");
    let hashes = node.ask("eth_getBlockByHash", rpc_params![&receipt["blockHash"]]).await;
    assert_eq!(hashes["transactions"][1], system["hash"]);
    let count = node.ask("eth_getBlockTransactionCountByNumber", (&receipt["blockNumber"],)).await;
    assert_eq!(count, "0x2");
    let indexed = (&receipt["blockNumber"], "0x1");
    assert_eq!(&node.ask("eth_getTransactionByBlockNumberAndIndex", indexed).await, system);
}

#[tokio::test]
async fn what_does_not_exist_is_null() {
    let node = TestNode::start().await;
    let nothing = alloy_primitives::B256::repeat_byte(9);
    for method in ["eth_getTransactionByHash", "eth_getTransactionReceipt", "eth_getBlockByHash"] {
        assert_eq!(node.ask(method, rpc_params![nothing]).await, Value::Null, "{method}");
    }
    assert_eq!(node.ask("eth_getBlockByNumber", ("0xffff", true)).await, Value::Null);
    let refused = node.refusal("eth_getBalance", (Address::ZERO, "0xffff")).await;
    assert_eq!((refused.code(), refused.message()), (-32_001, "header not found"));
}

#[tokio::test]
async fn past_states_answer_by_number_and_hash() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(Address::repeat_byte(0x22)), 5, Vec::new()).await;
    let there = Address::repeat_byte(0x22);
    assert_eq!(node.ask("eth_getBalance", (there, "earliest")).await, "0x0");
    assert_eq!(node.ask("eth_getBalance", (there, "0x1")).await, "0x5");
    let by_hash = json!({ "blockHash": receipt["blockHash"] });
    assert_eq!(node.ask("eth_getBalance", (there, by_hash)).await, "0x5");
    let info = node.ask("eth_getAccountInfo", (address(ALICE), "latest")).await;
    assert_eq!(info["nonce"], "0x1");
}

#[tokio::test]
async fn fee_history_shows_what_was_paid() {
    let node = TestNode::start().await;
    for _ in 0..3 {
        node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    }
    let history = node.ask("eth_feeHistory", ("0x2", "latest", [25.0, 75.0])).await;
    assert_eq!(history["oldestBlock"], "0x2");
    assert_eq!(history["baseFeePerGas"].as_array().unwrap().len(), 3);
    assert_eq!(history["gasUsedRatio"].as_array().unwrap().len(), 2);
    assert_eq!(
        history["reward"],
        json!([["0x3b9aca00", "0x3b9aca00"], ["0x3b9aca00", "0x3b9aca00"]])
    );
    let wrong = node.refusal("eth_feeHistory", ("0x2", "latest", [75.0, 25.0])).await;
    assert_eq!(wrong.code(), -32_602);
    let price = node.ask("eth_gasPrice", rpc_params![]).await;
    let tip = node.ask("eth_maxPriorityFeePerGas", rpc_params![]).await;
    let base = node.ask("eth_baseFee", rpc_params![]).await;
    assert_eq!(quantity(&price), quantity(&tip) + quantity(&base));
}

/// What gas costs at least stands in the state, where a vote puts it; the genesis file says 1 gwei.
#[tokio::test]
async fn the_floor_in_the_state_is_the_base_fee_of_blocks_and_of_what_is_taken() {
    let floor: u64 = 1_500_000_000;
    let raised = |state: &mut StateDiff| {
        let words = &mut state.accounts.get_mut(&SYSTEM).unwrap().storage;
        words.insert(slot(1, &[], 0), (U256::ZERO, pack(&[(64, floor.into())])));
    };
    let node = TestNode::start_on(raised, |_| {}).await;
    let genesis = node.ask("eth_getBlockByNumber", ("latest", false)).await;
    assert_eq!(quantity(&genesis["baseFeePerGas"]), 1_000_000_000);
    assert_eq!(quantity(&node.ask("eth_baseFee", rpc_params![]).await), floor);
    let input = Bytes::from(ISystem::gasParametersCall {}.abi_encode());
    let shown = node.ask("eth_call", (json!({ "to": SYSTEM, "input": input }), "latest")).await;
    assert_eq!(U256::from_be_slice(&bytes(&shown)), U256::from(floor));
    let cheap = TxEip1559 {
        max_fee_per_gas: 1_400_000_000,
        max_priority_fee_per_gas: 0,
        ..transaction(0, Some(address(BOB)), 1, Vec::new())
    };
    let refused = node.refusal("eth_sendRawTransaction", (signed(ALICE, cheap),)).await;
    assert!(refused.message().contains("never below 1500000000"), "{}", refused.message());
    let receipt = node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let block = node.ask("eth_getBlockByHash", (&receipt["blockHash"], false)).await;
    assert_eq!(quantity(&block["baseFeePerGas"]), floor);
    assert_eq!(quantity(&receipt["effectiveGasPrice"]), floor + 1_000_000_000);
}

#[tokio::test]
async fn raw_forms_are_what_hashes_are_made_of() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    let header = node.ask("debug_getRawHeader", ("latest",)).await;
    let header = bytes(&header);
    assert_eq!(alloy_primitives::keccak256(&header), hash(&receipt["blockHash"]));
    let block = node.ask("debug_getRawBlock", ("latest",)).await;
    let block = bytes(&block);
    assert!(block.windows(header.len()).any(|part| part == header.as_ref()));
    let raw = node.ask("debug_getRawTransaction", (&receipt["transactionHash"],)).await;
    let raw = bytes(&raw);
    assert_eq!(alloy_primitives::keccak256(&raw), hash(&receipt["transactionHash"]));
    let receipts = node.ask("debug_getRawReceipts", ("latest",)).await;
    let encoded = bytes(&receipts[0]);
    let decoded = sahara_finality::TxReceipt::decode(&encoded).unwrap();
    assert_eq!(decoded.cumulative_gas_used, 21_000);
}
