//! Keys against published vectors, and the client against a small node of its own.

use crate::{
    ChainClient, ClientError, Filter, Keystore, KeystoreCost, KeystoreError, SigningKey,
    TEST_MNEMONIC,
};
use alloy_consensus::Header;
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, Bytes, U256, address};
use alloy_sol_types::{SolCall, SolError, SolStruct};
use axum::{Json, Router, extract::State, routing::post};
use sahara_abi::{ASSETS, IAssets, IChannels, PROTOCOLS, signing::channels_domain};
use sahara_finality::{EthereumTransaction, Handover, ValidatorKeys, ValidatorSet, decode_header};
use sahara_primitives::{Amount, BlockNumber};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const BOB: Address = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");

#[test]
fn test_mnemonic_gives_the_accounts_everyone_knows() {
    let first = SigningKey::from_mnemonic(TEST_MNEMONIC, 0).unwrap();
    assert_eq!(first.address(), address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
    assert_eq!(SigningKey::from_mnemonic(TEST_MNEMONIC, 1).unwrap().address(), BOB);
    let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    assert_eq!(SigningKey::from_hex(secret).unwrap().address(), first.address());
    assert_eq!(SigningKey::from_hex(&format!("0x{secret}\n")).unwrap().address(), first.address());
    assert!(SigningKey::from_mnemonic("test test test", 0).is_err());
    assert!(SigningKey::from_hex("0x12").is_err());
    assert!(SigningKey::from_hex(&"0".repeat(64)).is_err());
    assert!(!format!("{first:?}").contains("ac0974"));
}

#[test]
fn typed_signature_is_low_and_the_signers() {
    let key = SigningKey::from_mnemonic(TEST_MNEMONIC, 0).unwrap();
    let voucher = IChannels::Voucher { channelId: [7; 32].into(), cumulativeAmount: 5 };
    let domain = channels_domain(724_272);
    let signature = key.sign_typed(&voucher, &domain);
    assert_eq!(signature.len(), 65);
    assert!(matches!(signature[64], 27 | 28));
    let parsed = alloy_primitives::Signature::from_raw(&signature).unwrap();
    assert!(parsed.normalize_s().is_none());
    let hash = voucher.eip712_signing_hash(&domain);
    assert_eq!(Bytes::copy_from_slice(&key.sign_hash(hash)), signature);
}

/// The two vectors of the Web3 Secret Storage definition: password `testpassword`.
const SECRET: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},"ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{"c":262144,"dklen":32,"prf":"hmac-sha256","salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},"mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},"id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;

#[test]
fn published_key_file_opens() {
    let keystore = Keystore::from_json(PBKDF2).unwrap();
    let key = keystore.decrypt("testpassword").unwrap();
    assert_eq!(alloy_primitives::hex::encode(*key.to_bytes()), SECRET);
    assert_eq!(keystore.decrypt("wrong").unwrap_err(), KeystoreError::WrongPassword);
}

#[test]
fn written_key_file_opens_with_its_password_only() {
    let key = SigningKey::random();
    let written = Keystore::encrypt(&key, "correct horse", KeystoreCost::Light).unwrap();
    let text = written.to_json();
    assert!(!text.contains(&alloy_primitives::hex::encode(*key.to_bytes())));
    let read = Keystore::from_json(&text).unwrap();
    assert_eq!(read.address, Some(key.address()));
    assert_eq!(read.decrypt("correct horse").unwrap().address(), key.address());
    assert_eq!(read.decrypt("").unwrap_err(), KeystoreError::WrongPassword);
    let costly = text.replace("\"n\": 4096", "\"n\": 1073741824");
    let refused = Keystore::from_json(&costly).unwrap().decrypt("correct horse").unwrap_err();
    assert!(matches!(refused, KeystoreError::TooCostly(_)));
    assert!(Keystore::from_json("{}").is_err());
}

/// A node that knows one account: it accepts the next nonce, refuses others, and has a receipt for
/// what it accepted.
#[derive(Default)]
struct Account {
    next_nonce: u64,
    /// What the client was told last; set apart to make its knowledge stale.
    hashes: Vec<String>,
    is_without_sync: bool,
    /// How often it was asked for handovers.
    pages: usize,
    /// Answers with the first page, whatever is asked.
    is_stuck: bool,
}

type Shared = Arc<Mutex<Account>>;

fn receipt(hash: &str) -> Value {
    json!({
        "transactionHash": hash, "blockNumber": "0x5", "blockHash": format!("0x{}", "5".repeat(64)),
        "transactionIndex": "0x0", "status": "0x1", "gasUsed": "0x5208",
        "effectiveGasPrice": "0x3b9aca00", "contractAddress": null, "logs": [],
    })
}

fn refusal(code: i64, message: &str, data: Option<&Bytes>) -> Value {
    json!({ "error": { "code": code, "message": message, "data": data } })
}

fn accept(account: &mut Account, raw: &Value) -> Result<String, Value> {
    let raw: Bytes = serde_json::from_value(raw.clone()).unwrap();
    let signed = EthereumTransaction::decode_2718(&mut raw.as_ref()).unwrap();
    let nonce = alloy_consensus::Transaction::nonce(&signed);
    if nonce < account.next_nonce {
        return Err(refusal(-32_000, "nonce too low: next nonce 9, tx nonce 1", None));
    }
    account.next_nonce = nonce + 1;
    let hash = signed.tx_hash().to_string();
    account.hashes.push(hash.clone());
    Ok(hash)
}

/// A log in every 10,000th block; no more than 100,000 blocks and three logs at once.
fn search(filter: &Value) -> Value {
    let number = |field: &str| {
        let text = filter[field].as_str().unwrap();
        u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
    };
    let (from, to) = (number("fromBlock"), number("toBlock"));
    let logs: Vec<_> = (from..=to).filter(|block| block % 10_000 == 0).map(logged).collect();
    if to - from >= 100_000 || logs.len() > 3 {
        return refusal(-32_005, "query exceeds max block range 100000", None);
    }
    json!({ "result": logs })
}

fn logged(block: u64) -> Value {
    json!({
        "address": ASSETS, "topics": [], "data": "0x", "blockNumber": format!("{block:#x}"),
        "blockHash": null, "transactionHash": null, "transactionIndex": null, "logIndex": null,
        "removed": false,
    })
}

/// Two handovers a page; epochs of ten blocks end with 9, 19, 29, 39 and 49.
fn handovers(above: u64) -> Value {
    let keys = ValidatorKeys::from_secret(&[3; 32]).unwrap();
    let validators = ValidatorSet::new(vec![keys.validator(BOB)]).unwrap();
    let handover = |number| Handover {
        header: alloy_rlp::encode(Header { number, ..Header::default() }).into(),
        seal: Bytes::new(),
        certificate: Bytes::new(),
        validators: validators.clone(),
    };
    let ends = (1..=5).map(|epoch| epoch * 10 - 1).filter(|end| *end > above);
    json!(ends.take(2).map(handover).collect::<Vec<_>>())
}

fn answer(account: &Shared, method: &str, params: &Value) -> Value {
    let mut account = account.lock().unwrap();
    let result = match method {
        "eth_chainId" => json!("0xb0d30"),
        "eth_blockNumber" => json!("0x5"),
        "eth_getTransactionCount" => json!(format!("{:#x}", account.next_nonce)),
        "eth_getBlockByNumber" => json!({ "baseFeePerGas": "0x3b9aca00" }),
        "eth_maxPriorityFeePerGas" => json!("0xf4240"),
        "eth_estimateGas" => json!("0x5208"),
        "eth_getLogs" => return search(&params[0]),
        "sahara_getHandovers" => {
            account.pages += 1;
            let above = params[0].as_str().unwrap().trim_start_matches("0x");
            let above = u64::from_str_radix(above, 16).unwrap();
            handovers(if account.is_stuck { 0 } else { above })
        }
        "eth_sendRawTransactionSync" if account.is_without_sync => {
            return refusal(-32_601, "Method not found", None);
        }
        "eth_sendRawTransactionSync" => match accept(&mut account, &params[0]) {
            Ok(hash) => receipt(&hash),
            Err(refused) => return refused,
        },
        "eth_sendRawTransaction" => match accept(&mut account, &params[0]) {
            Ok(hash) => json!(hash),
            Err(refused) => return refused,
        },
        "eth_getTransactionReceipt" => {
            let hash = params[0].as_str().unwrap();
            if account.hashes.iter().any(|one| one == hash) { receipt(hash) } else { Value::Null }
        }
        "eth_call" => {
            let owner = IAssets::ownerOfCall { tokenId: U256::from(7) }.abi_encode();
            if params[0]["input"] == json!(Bytes::from(owner)) {
                json!(Bytes::from(IAssets::ownerOfCall::abi_encode_returns(&BOB)))
            } else {
                let error = IAssets::ERC721NonexistentToken { tokenId: U256::from(8) };
                let data = Bytes::from(error.abi_encode());
                return refusal(3, "execution reverted", Some(&data));
            }
        }
        other => return refusal(-32_601, other, None),
    };
    json!({ "result": result })
}

fn respond(account: &Shared, request: &Value) -> Value {
    let mut reply = answer(account, request["method"].as_str().unwrap(), &request["params"]);
    reply["jsonrpc"] = json!("2.0");
    reply["id"] = request["id"].clone();
    reply
}

async fn handle(State(account): State<Shared>, Json(request): Json<Value>) -> Json<Value> {
    Json(match request.as_array() {
        // Out of order, as a server may.
        Some(batch) => batch.iter().rev().map(|one| respond(&account, one)).collect(),
        None => respond(&account, &request),
    })
}

async fn node() -> (ChainClient, Shared) {
    let account = Shared::default();
    let router = Router::new().route("/", post(handle)).with_state(Arc::clone(&account));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(tokio::spawn(async move { axum::serve(listener, router).await }));
    (ChainClient::new(&url).unwrap(), account)
}

#[tokio::test]
async fn call_returns_its_type_or_the_custom_errors_name() {
    let (client, _) = node().await;
    let call = |id| IAssets::ownerOfCall { tokenId: U256::from(id) };
    assert_eq!(client.call(ASSETS, &call(7)).await.unwrap(), BOB);
    let error = client.call(ASSETS, &call(8)).await.unwrap_err();
    let revert = error.revert().unwrap();
    assert_eq!(revert.name, "ERC721NonexistentToken");
    assert!(revert.is::<IAssets::ERC721NonexistentToken>());
    let decoded = revert.decode::<IAssets::ERC721NonexistentToken>().unwrap();
    assert_eq!(decoded.tokenId, U256::from(8));
    assert_eq!(error.to_string(), "execution reverted: ERC721NonexistentToken { tokenId: 8 }");
}

#[test]
fn every_error_of_every_interface_has_its_name() {
    for protocol in PROTOCOLS {
        for error in (protocol.abi)().errors() {
            // Arguments that are all zero, dynamic ones empty.
            let data = [error.selector().as_slice(), &[0; 32 * 16]].concat();
            assert_eq!(crate::Revert::from_data(data.into()).name, error.name, "{}", protocol.name);
        }
    }
}

#[tokio::test]
async fn many_transactions_under_way_take_one_nonce_each() {
    let (client, account) = node().await;
    let key = SigningKey::random();
    let first = client.transfer(&key, BOB, Amount::from_u128(1)).await.unwrap();
    assert_eq!((first.block_number, first.fee()), (5, Amount::from_u128(21_000_000_000_000)));
    let mut submitted = Vec::new();
    for _ in 0..5 {
        let request = crate::TxRequest { to: Some(BOB), ..Default::default() };
        submitted.push(client.submit(&key, request).await.unwrap());
    }
    for one in submitted {
        assert!(client.outcome(one).await.unwrap().succeeded);
    }
    assert_eq!(account.lock().unwrap().next_nonce, 6);
}

#[tokio::test]
async fn stale_nonce_is_asked_for_again() {
    let (client, account) = node().await;
    let key = SigningKey::random();
    client.transfer(&key, BOB, Amount::from_u128(1)).await.unwrap();
    // The same key was used elsewhere.
    account.lock().unwrap().next_nonce = 9;
    client.transfer(&key, BOB, Amount::from_u128(1)).await.unwrap();
    assert_eq!(account.lock().unwrap().next_nonce, 10);
}

#[tokio::test]
async fn node_without_synchronous_submission_is_polled() {
    let (client, account) = node().await;
    account.lock().unwrap().is_without_sync = true;
    let outcome = client.transfer(&SigningKey::random(), BOB, Amount::ZERO).await.unwrap();
    assert!(outcome.succeeded);
    assert_eq!(account.lock().unwrap().next_nonce, 1);
}

#[tokio::test]
async fn batch_answers_come_back_in_order() {
    let (client, _) = node().await;
    let requests =
        [("eth_chainId", json!([])), ("nope", json!([])), ("eth_blockNumber", json!([]))];
    let answers = client.rpc().batch::<Value>(&requests).await.unwrap();
    assert_eq!(*answers[0].as_ref().unwrap(), json!("0xb0d30"));
    assert!(matches!(&answers[1], Err(ClientError::Rpc(error)) if error.code == -32_601));
    assert_eq!(*answers[2].as_ref().unwrap(), json!("0x5"));
    assert!(client.rpc().batch::<Value>(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn logs_of_a_long_chain_are_found_though_a_node_answers_for_a_part() {
    let (client, _) = node().await;
    let find = async |from: u64, to: u64| {
        let filter = Filter::new().address(ASSETS).from_block(from).to_block(to);
        client.logs(&filter).await.unwrap()
    };
    let found = find(1, 1_234_567).await;
    let blocks = found.iter().filter_map(|log| log.block_number);
    assert!(blocks.eq((1..=123).map(|number| number * 10_000)), "each once, in order");
    assert_eq!(find(0, 0).await.len(), 1);
    // Without a last block: to the head, which is block 5.
    let open = client.logs(&Filter::new().from_block(0)).await.unwrap();
    assert_eq!(open.len(), 1);
}

#[tokio::test]
async fn handovers_are_fetched_page_by_page_from_where_one_stands_and_the_first_once() {
    let (client, account) = node().await;
    let find = async |since: u64, below: u64| {
        let found = client.handovers_between(BlockNumber(since), BlockNumber(below)).await;
        let found = found.unwrap();
        let ends = found.iter().map(|one| decode_header(&one.header).unwrap().number);
        (ends.collect::<Vec<_>>(), account.lock().unwrap().pages)
    };
    assert_eq!(find(30, 50).await, (vec![39, 49], 1), "none before, and no page beyond");
    assert_eq!(find(0, 30).await, (vec![9, 19, 29], 3), "two pages");
    assert_eq!(find(0, 30).await, (vec![9, 19, 29], 3), "they never change");
    assert_eq!(find(9, 20).await, (vec![9, 19], 3), "the block named belongs to them");
    assert_eq!(find(15, 1_000).await, (vec![19, 29, 39, 49], 5), "an empty page is the end");
    assert_eq!(find(0, 1_000).await, (vec![9, 19, 29, 39, 49], 6));
    assert_eq!(find(50, 1_000).await, (vec![], 7));

    account.lock().unwrap().is_stuck = true;
    let refused = client.handovers(BlockNumber(19)).await.unwrap_err();
    assert!(refused.to_string().contains("block 9 is not above block 19"), "{refused}");
}

#[tokio::test]
async fn absent_node_is_named() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = ChainClient::new(&format!("http://{closed}")).unwrap();
    let error = client.block_number().await.unwrap_err();
    assert!(error.is_unreachable());
    assert!(error.to_string().contains(&closed.to_string()), "{error}");
    assert!(ChainClient::new("ftp://x").is_err());
    assert!(ChainClient::new("nonsense").is_err());
}
