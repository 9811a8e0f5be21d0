//! The store's rows, byte for byte: who opens a directory of an older program reads these. A change needs a
//! version of the store and a way to it, not other words here.

use crate::{
    logs::{Cursor, LogRow, log_key},
    rows::{
        Authority, ChannelRow, ClaimRow, KeyRow, ReceiptRow, RequestRow, StoredAnswer, TwinRow,
        receipt_id, seq_key, twin_key,
    },
    store::{Store, encode, put},
};
use alloy_primitives::{B256, hex};
use fjall::{Database, KeyspaceCreateOptions};
use sahara_primitives::{AssetId, ChannelId, ReceiptSeq, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeSet;

const GRANT: &str = r#"{"grant":{"payer":"0x0101010101010101010101010101010101010101","gateway":"0x0202020202020202020202020202020202020202","keyId":"0x0303030303030303030303030303030303030303030303030303030303030303","maxTotal":"0x3e8","maxPerDay":"0xa","assets":[1,2],"validUntil":1900000000,"nonce":7},"signature":"0x0405"}"#;
const RESERVATION: &str = r#"{"reservation":{"reservation":{"payer":"0x0101010101010101010101010101010101010101","gateway":"0x0202020202020202020202020202020202020202","amount":"0x3e8","nonce":7,"validUntil":1900000000},"signature":"0x0405"}}"#;
/// After the authority.
const CHANNEL: &str = r#""deposit":"0x3e8","rates":{"protocol":200,"gateway":300},"is_open":true,"is_closing":false,"spent":"0x9","base":"0x7","next_seq":4,"previous":"0x0606060606060606060606060606060606060606060606060606060606060606","earned":[{"asset":1,"worker":"0x0707070707070707070707070707070707070707","for_worker":"0x5","for_asset":"0x2"}],"voucher":{"amount":340282366920938463463374607431768211455,"signature":"0x08"},"day":[20000,"0x1"],"settled_seq":3,"settled":"0x8","skipped":[1,2],"is_adopted":false}"#;
const REQUEST: &str = r#"{"chain_id":724272,"channel":"0x0303030303030303030303030303030303030303030303030303030303030303","job":"0x0404040404040404040404040404040404040404040404040404040404040404","terms":{"method":"POST","url":"http://localhost:8080/v1/chat/completions","bodyHash":"0x0505050505050505050505050505050505050505050505050505050505050505","asset":1,"purpose":1,"workerPrices":{"input":"10","output":"20"},"assetPrices":{"input":"30","output":"40"},"requestId":"0x0606060606060606060606060606060606060606060606060606060606060606","salt":"0x0808080808080808080808080808080808080808080808080808080808080808"},"right":{"license":5,"covers_price":true,"counts":"tokens"},"worker":"0x0707070707070707070707070707070707070707","model_root":"0x0909090909090909090909090909090909090909090909090909090909090909","class":"D1","model":"trail-guide","created":1800000000000,"is_stream":true,"is_named":false,"outcome":{"ended":1800000001000,"seq":3,"charged":"0x9","usage":{"prompt_tokens":12,"completion_tokens":3},"finish":"length"}}"#;
const TWIN: &str = r#"{"id":"0x0606060606060606060606060606060606060606060606060606060606060606"}"#;
const ANSWER: &str = r#"{"tokens":["Hello"," there"]}"#;
const RECEIPT: &str = r#"{"receipt":{"chain_id":724272,"channel":"0x0303030303030303030303030303030303030303030303030303030303030303","seq":3,"request_hash":"0x0606060606060606060606060606060606060606060606060606060606060606","asset":1,"license":5,"worker":"0x0707070707070707070707070707070707070707","model_root":"0x0909090909090909090909090909090909090909090909090909090909090909","class":"Statistical","usage":{"prompt_tokens":12,"completion_tokens":3},"worker_prices":{"input":"10","output":"20"},"asset_prices":{"input":"30","output":"40"},"output_hash":"0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","bill":{"worker":"0x1","asset":"0x2","protocol_fee":"0x3","gateway_fee":"0x4"},"cumulative":"0xa","cumulative_worker":"0x1","cumulative_asset":"0x2","previous":"0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"},"uses":1,"request":"0x0606060606060606060606060606060606060606060606060606060606060606","job":"0x0404040404040404040404040404040404040404040404040404040404040404","gateway_signature":"0x0c","worker":{"receipt":"0x0d","earning":"0x0e"}}"#;
const CLAIM: &str = r#"{"from":1,"to":4,"transaction":"0x0606060606060606060606060606060606060606060606060606060606060606","block":9,"settled":1800000002,"log_index":2,"payments":[{"kind":"worker","to":"0x0707070707070707070707070707070707070707","asset":1,"amount":"0x5"},{"kind":"pool","asset":1,"source":2,"amount":"0x2"},{"kind":"member","to":"0x0101010101010101010101010101010101010101","asset":1,"amount":"0x1"},{"kind":"gateway","to":"0x0202020202020202020202020202020202020202","amount":"0x1"},{"kind":"protocol","to":"0x0808080808080808080808080808080808080808","amount":"0x0"}]}"#;
const LOG: &str = r#"{"log":6,"covers":{"chain_id":724272,"gateway":"0x0202020202020202020202020202020202020202","asset":1,"from":1799971200,"to":1800057600},"claims":[{"channel":"0x0303030303030303030303030303030303030303030303030303030303030303","from":1,"to":4,"receipts_root":"0x0505050505050505050505050505050505050505050505050505050505050505"}],"transaction":"0x0606060606060606060606060606060606060606060606060606060606060606","log_index":1}"#;
const CURSOR: &str = r#"{"until":1800057600,"block":9}"#;

/// A row that is read is written as it stood.
fn row<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let row = serde_json::from_str::<T>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let again = encode(&row).unwrap();
    assert_eq!(std::str::from_utf8(&again).unwrap(), text);
    row
}

#[test]
fn rows_are_frozen() {
    row::<KeyRow>(GRANT);
    let granted = format!(r#"{{"authority":{{"grant":{GRANT}}},{CHANNEL}"#);
    let granted = row::<ChannelRow>(&granted);
    assert!(matches!(granted.authority, Authority::Grant(_)) && granted.unsettled() == 1);
    let reserved = format!(r#"{{"authority":{RESERVATION},{CHANNEL}"#);
    let reserved = row::<ChannelRow>(&reserved);
    assert!(matches!(reserved.authority, Authority::Reservation { .. }));
    // What may be missing is there, as nothing.
    let early = format!(r#"{{"authority":{RESERVATION},{CHANNEL}"#);
    let early = early.replace(r#""skipped":[1,2]"#, r#""skipped":null"#);
    let voucher = r#"{"amount":340282366920938463463374607431768211455,"signature":"0x08"}"#;
    row::<ChannelRow>(&early.replace(voucher, "null"));
    let request = row::<RequestRow>(REQUEST);
    let outcome = REQUEST.find(r#""outcome""#).unwrap();
    row::<RequestRow>(&format!(r#"{}"outcome":null}}"#, &REQUEST[..outcome]));
    assert!(request.outcome.is_some());
    row::<TwinRow>(TWIN);
    row::<StoredAnswer>(ANSWER);
    row::<ReceiptRow>(RECEIPT);
    row::<ClaimRow>(CLAIM);
    row::<LogRow>(LOG);
    row::<Cursor>(CURSOR);
}

#[test]
fn keys_are_frozen() {
    let channel = ChannelId(B256::repeat_byte(3));
    let seq = hex::encode(seq_key(channel, ReceiptSeq(0x1_02_03)));
    assert_eq!(seq, format!("{}00010203", "03".repeat(32)));
    let twin = hex::encode(twin_key(B256::repeat_byte(4), B256::repeat_byte(5)));
    assert_eq!(twin, ["04".repeat(32), "05".repeat(32)].concat());
    let log = hex::encode(log_key(AssetId(6), Timestamp(0x6b49_d200)));
    assert_eq!(log, "0000000000000006000000006b49d200");
    assert_eq!(receipt_id(channel, ReceiptSeq(7)), format!("rcpt_{}_7", "03".repeat(16)));
}

/// Each kind of row lies in the keyspace that is named after it.
#[test]
fn keyspaces_keep_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let keyspaces = [
        (&store.keys, "keys"),
        (&store.channels, "channels"),
        (&store.requests, "requests"),
        (&store.open, "open"),
        (&store.twins, "twins"),
        (&store.results, "results"),
        (&store.receipts, "receipts"),
        (&store.claims, "claims"),
        (&store.logs, "logs"),
        (&store.marks, "marks"),
    ];
    for (keyspace, name) in keyspaces {
        put(keyspace, b"a key", &name).unwrap();
    }
    let names: BTreeSet<_> = keyspaces.map(|(_, name)| name).into();
    assert_eq!(names.len(), keyspaces.len());
    drop(store);
    let database = Database::builder(directory.path().join("store")).open().unwrap();
    for name in names {
        let rows = database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
        let found = rows.get(b"a key").unwrap();
        assert_eq!(found.as_deref(), Some(format!("{name:?}").as_bytes()), "{name}");
    }
}
