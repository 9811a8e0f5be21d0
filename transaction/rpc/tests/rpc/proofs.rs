//! What a stranger can check without trusting the node.

use crate::support::{ALICE, BOB, TestNode, address, bytes, hash, quantity};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use alloy_trie::TrieAccount;
use jsonrpsee::rpc_params;
use sahara_abi::{CHANNELS, IChannels};
use sahara_chain::store::History;
use sahara_evm::{Account, AccountDiff, StateDiff};
use sahara_finality::{
    Block, LightClient, TxReceipt, ValidatorSet, prove_receipt, verify_account, verify_receipt,
    verify_storage,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn list(value: &Value) -> Vec<Bytes> {
    value.as_array().unwrap().iter().map(bytes).collect()
}

async fn light_client(node: &TestNode) -> LightClient {
    let block_0 = node.ask("sahara_getCertificate", ("earliest",)).await;
    let answer = node.ask("sahara_getValidators", rpc_params![]).await;
    let validators: ValidatorSet = serde_json::from_value(answer["validators"].clone()).unwrap();
    let trusted = node.ledger.store().genesis_hash();
    LightClient::new(trusted, &bytes(&block_0["header"]), 724_272, validators).unwrap()
}

#[tokio::test]
async fn receipt_is_proven_from_the_genesis_hash_on() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 5, Vec::new()).await;
    let bundle = node.ask("sahara_getReceiptProof", (&receipt["transactionHash"],)).await;
    let light = light_client(&node).await;
    let finality = &bundle["finality"];
    let header = light
        .verify_through(
            &bytes(&finality["header"]),
            &list(&finality["path"]),
            &bytes(&finality["certificate"]),
        )
        .unwrap();
    assert_eq!(header.hash(), hash(&receipt["blockHash"]));
    let proven = TxReceipt::decode(&bytes(&bundle["receipt"])).unwrap();
    let index = usize::try_from(quantity(&bundle["transactionIndex"])).unwrap();
    let proof = list(&bundle["proof"]);
    let root = header.header().receipts_root;
    verify_receipt(root, index, &proven, &proof).unwrap();
    let forged = TxReceipt { status: false, ..proven };
    assert!(verify_receipt(root, index, &forged, &proof).is_err());
    let unknown = node.ask("sahara_getReceiptProof", (B256::ZERO,)).await;
    assert_eq!(unknown, Value::Null);
}

fn finality(block: &Block, certificate: Option<&Bytes>) -> Value {
    json!({
        "number": format!("{:#x}", block.header.number),
        "hash": block.hash(),
        "header": Bytes::from(alloy_rlp::encode(&block.header)),
        "seal": Bytes::from(block.seal.encoded()),
        "path": [],
        "certificate": certificate,
    })
}

/// Light clients, gateways and files of receipts of other versions read these names; what stands under them is
/// frozen by the tests of `transaction/finality`, validators as JSON too.
#[tokio::test]
async fn the_json_of_proofs_is_frozen() {
    let node = TestNode::start().await;
    let receipt = node.send(ALICE, Some(address(BOB)), 5, Vec::new()).await;
    let store = node.ledger.store();
    let (genesis, block) = (store.block(0).unwrap().unwrap(), store.block(1).unwrap().unwrap());
    let certificate = store.certificate(1).unwrap().unwrap();
    let is_final = finality(&block, Some(&certificate));
    assert_eq!(node.ask("sahara_getCertificate", ("0x1",)).await, is_final);
    let known = finality(&genesis, None);
    assert_eq!(known["certificate"], Value::Null);
    assert_eq!(node.ask("sahara_getCertificate", ("0x0",)).await, known);
    assert_eq!(node.ask("sahara_getCertificate", ("0x2",)).await, Value::Null);

    let receipts = store.receipts(1).unwrap().unwrap();
    let index = usize::try_from(quantity(&receipt["transactionIndex"])).unwrap();
    let bundle = json!({
        "transactionHash": receipt["transactionHash"],
        "transactionIndex": format!("{index:#x}"),
        "receipt": Bytes::from(receipts[index].encoded()),
        "proof": prove_receipt(&receipts, index).unwrap(),
        "finality": is_final,
    });
    let asked = (&receipt["transactionHash"],);
    assert_eq!(node.ask("sahara_getReceiptProof", asked).await, bundle);

    let seats = serde_json::to_value(&node.validators).unwrap();
    let set = json!({ "epoch": "0x0", "hash": node.validators.hash(), "validators": seats });
    assert_eq!(node.ask("sahara_getValidators", rpc_params![]).await, set);
    assert_eq!(node.ask("sahara_getValidators", ("0x0",)).await, set);
}

/// What an answer of `eth_getProof` proves of an account under a state root; its words are proven too.
fn proven(proof: &Value, root: B256, address: Address) -> TrieAccount {
    let account = TrieAccount {
        nonce: quantity(&proof["nonce"]),
        balance: proof["balance"].as_str().unwrap().parse::<U256>().unwrap(),
        storage_root: hash(&proof["storageHash"]),
        code_hash: hash(&proof["codeHash"]),
    };
    verify_account(root, address, Some(&account), &list(&proof["accountProof"])).unwrap();
    for word in proof["storageProof"].as_array().unwrap() {
        let slot: U256 = word["key"].as_str().unwrap().parse().unwrap();
        let value: U256 = word["value"].as_str().unwrap().parse().unwrap();
        let nodes = list(&word["proof"]);
        verify_storage(account.storage_root, slot.into(), value, &nodes).unwrap();
        assert!(
            verify_storage(account.storage_root, slot.into(), value + U256::ONE, &nodes).is_err()
        );
    }
    account
}

#[tokio::test]
async fn account_and_word_are_proven_under_the_header() {
    let node = TestNode::start().await;
    let input = IChannels::fundCall { payer: address(ALICE) }.abi_encode();
    node.send(ALICE, Some(CHANNELS), 100, input).await;
    let block = node.ask("eth_getBlockByNumber", ("latest", false)).await;
    let slots = ["0x0", "0x1"];
    let proof = node.ask("eth_getProof", (CHANNELS, slots, "latest")).await;
    proven(&proof, hash(&block["stateRoot"]), CHANNELS);
    let old = node.refusal("eth_getProof", (CHANNELS, slots, "0x0")).await;
    assert!(old.message().contains("trie of block 0 is not kept"), "{}", old.message());
}

/// A node with `--history window=4`, whose every block changes a word of one contract and what its caller has.
#[tokio::test]
async fn proofs_of_the_past_hold_under_the_headers_of_their_blocks() {
    // It adds one to its word 0 whenever it is called.
    let code = Bytes::from_static(&[0x60, 0, 0x54, 0x60, 1, 0x01, 0x60, 0, 0x55]);
    let (counter, code_hash) = (Address::repeat_byte(0xc0), keccak256(&code));
    let deploy = |state: &mut StateDiff| {
        let account = Account { nonce: 1, code_hash, ..Account::default() };
        let deployed = AccountDiff { after: Some(account), ..AccountDiff::default() };
        state.accounts.insert(counter, deployed);
        state.code.insert(code_hash, code);
    };
    let node = TestNode::start_keeping(History::Window(4), deploy).await;
    let mut called = Vec::new();
    for _ in 0..8 {
        let receipt = node.send(ALICE, Some(counter), 0, vec![0]).await;
        assert_eq!(receipt["status"], "0x1");
        called.push(quantity(&receipt["blockNumber"]));
    }
    let head = quantity(&node.ask("eth_blockNumber", rpc_params![]).await);
    let (mut seen, mut paid) = (Vec::new(), BTreeSet::new());
    for number in head - 4..=head {
        let at = format!("{number:#x}");
        let block = node.ask("eth_getBlockByNumber", (at.as_str(), false)).await;
        let proof = node.ask("eth_getProof", (counter, ["0x0"], at.as_str())).await;
        let root = hash(&block["stateRoot"]);
        let account = proven(&proof, root, counter);
        let calls = called.iter().filter(|block| **block <= number).count();
        assert_eq!(proof["storageProof"][0]["value"], format!("{calls:#x}"), "block {number}");
        seen.push((root, account, list(&proof["accountProof"])));
        // Who pays for the calls has less after each.
        let no_words: [&str; 0] = [];
        let proof = node.ask("eth_getProof", (address(ALICE), no_words, at.as_str())).await;
        let held = node.ask("eth_getBalance", (address(ALICE), at.as_str())).await;
        assert_eq!(held, json!(proven(&proof, root, address(ALICE)).balance), "block {number}");
        paid.insert(held.to_string());
    }
    let ((_, old, nodes), (root, ..)) = (&seen[0], &seen[4]);
    assert!(verify_account(*root, counter, Some(old), nodes).is_err(), "what was is not what is");
    assert_eq!(paid.len(), 5, "{paid:?}");

    for gone in [head - 5, 0] {
        let asked = (counter, ["0x0"], format!("{gone:#x}"));
        let refused = node.refusal("eth_getProof", asked).await;
        let oldest = head - 4;
        let said = format!(
            "the state trie of block {gone} is not kept here, the oldest is that of block {oldest}"
        );
        assert_eq!(refused.code(), -32_004);
        assert!(refused.message().starts_with(&said), "{}", refused.message());
        let asked = (address(ALICE), format!("{gone:#x}"));
        let refused = node.refusal("eth_getBalance", asked).await;
        let said = format!(
            "the state of block {gone} is not kept any more, the oldest is that of block {oldest}"
        );
        assert_eq!((refused.code(), refused.message()), (-32_004, said.as_str()));
    }
}

/// Old callers name nothing, new ones where they stand and how much they want.
#[tokio::test]
async fn handovers_are_asked_for_from_a_block_on() {
    let node = TestNode::start().await;
    let none = serde_json::json!([]);
    assert_eq!(node.ask("sahara_getHandovers", rpc_params![]).await, none);
    assert_eq!(node.ask("sahara_getHandovers", rpc_params!["0x0"]).await, none);
    assert_eq!(node.ask("sahara_getHandovers", rpc_params!["0x2710", "0x40"]).await, none);
    let refused = node.refusal("sahara_getHandovers", rpc_params!["latest"]).await;
    assert_eq!(refused.code(), -32_602, "{}", refused.message());
}

#[tokio::test]
async fn coin_told_and_coin_counted_agree() {
    let node = TestNode::start().await;
    node.send(ALICE, Some(address(BOB)), 5, Vec::new()).await;
    let told = node.ask("sahara_supply", rpc_params![]).await;
    let counted = node.ask("sahara_recount", rpc_params![]).await;
    assert_eq!(told["total"], counted["total"]);
    assert_eq!(told["total"], format!("{:#x}", U256::from(10_u64).pow(U256::from(28))));
    assert_eq!(told["blockHash"], counted["blockHash"]);
    let earned = node.ask("sahara_earned", rpc_params![address(ALICE)]).await;
    assert_eq!(earned, "0x0");
    let info = node.ask("sahara_nodeInfo", rpc_params![]).await;
    assert_eq!(info["headHash"], told["blockHash"]);
    assert_eq!(info["validators"], "0x1");
}
