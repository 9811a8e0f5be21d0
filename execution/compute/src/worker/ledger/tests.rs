//! The ledger's rows, byte for byte: they are what a worker must not sign twice, and who opens the directory
//! of an older program reads these. A change needs a version of the ledger and a way to it, not other words
//! here.

use super::{Earned, JobRecord, Ledger};
use crate::worker::{
    StartError,
    tests::{NOW, job, key, receipt},
};
use alloy_primitives::Address;
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use sahara_primitives::DeterminismClass;
use serde::{Serialize, de::DeserializeOwned};
use std::path::Path;

const JOB: &str = r#"{"channel":"0x0303030303030303030303030303030303030303030303030303030303030303","asset":1,"gateway":"0x0202020202020202020202020202020202020202","class":"Statistical","model_root":"0x0909090909090909090909090909090909090909090909090909090909090909","worker_prices":{"input":"10","output":"20"},"asset_prices":{"input":"30","output":"40"},"prompt_tokens":12,"most_tokens":3,"receipt":null,"started":1800000000000}"#;
const NOTHING: &str = r#"{"worker":"0x0","asset":"0x0","seq":null,"last":null}"#;
/// After the first receipt, of number 3, with job 4: nothing was signed before it.
const EARNED: &str = r#"{"worker":"0xc","asset":"0x18","seq":3,"last":{"job":"0x0404040404040404040404040404040404040404040404040404040404040404","worker":"0x0","asset":"0x0"}}"#;

/// A row that is read is written as it stood.
fn row<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let row = serde_json::from_str::<T>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(std::str::from_utf8(&super::encode(&row).unwrap()).unwrap(), text);
    row
}

fn keyspace(directory: &Path, name: &str) -> Result<(Database, Keyspace), fjall::Error> {
    let database = Database::builder(directory).open()?;
    let keyspace = database.keyspace(name, KeyspaceCreateOptions::default)?;
    Ok((database, keyspace))
}

/// The one row of a keyspace: its key in hexadecimal, and its text.
fn only_row(directory: &Path, name: &str) -> (String, String) {
    let (_database, rows) = keyspace(directory, name).unwrap();
    let mut found = rows.iter().map(|guard| guard.into_inner().unwrap());
    let (key, value) = found.next().unwrap();
    assert!(found.next().is_none(), "{name}");
    (alloy_primitives::hex::encode(key), String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn rows_are_frozen() {
    row::<JobRecord>(JOB);
    row::<Earned>(NOTHING);
    row::<Earned>(EARNED);
}

#[test]
fn what_was_signed_lies_where_later_workers_look_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(4, 7);
    let receipt = receipt(&job, 3, 7, 0);
    let engine = (DeterminismClass::D1, receipt.model_root, NOW);
    let ledger = Ledger::open(directory.path()).unwrap();
    ledger.write_job(job.id, &JobRecord::new(&job, Address::repeat_byte(2), 5, engine)).unwrap();
    ledger.sign(job.id, &receipt, (&key(1), None)).unwrap();
    drop(ledger);
    let record = format!(
        r#"{{"channel":"0x{}","asset":1,"gateway":"0x{}","class":"D1","model_root":"{}","worker_prices":{{"input":"1000000","output":"1000000"}},"asset_prices":{{"input":"2000000","output":"2000000"}},"prompt_tokens":5,"most_tokens":7,"receipt":"{}","started":1800000000000}}"#,
        "09".repeat(32),
        "02".repeat(20),
        receipt.model_root,
        receipt.hash(),
    );
    assert_eq!(only_row(directory.path(), "jobs"), ("04".repeat(32), record));
    let account = format!("{}0000000000000001", "09".repeat(32));
    assert_eq!(only_row(directory.path(), "earned"), (account, EARNED.to_owned()));
    let format = (alloy_primitives::hex::encode("format"), "1".to_owned());
    assert_eq!(only_row(directory.path(), "meta"), format);
}

#[test]
fn a_ledger_without_a_format_is_of_the_first_and_gets_its_number() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(4, 7);
    {
        // As workers wrote it that knew no formats.
        let (database, jobs) = keyspace(directory.path(), "jobs").unwrap();
        jobs.insert(job.id.as_slice(), JOB).unwrap();
        assert!(!database.keyspace_exists("meta"));
    }
    for _ in 0..2 {
        let ledger = Ledger::open(directory.path()).unwrap();
        assert_eq!(ledger.job(job.id).unwrap().map(|record| record.most_tokens), Some(3));
    }
    let (_database, meta) = keyspace(directory.path(), "meta").unwrap();
    assert_eq!(meta.get("format").unwrap().as_deref(), Some(&b"1"[..]));
}

#[test]
fn a_ledger_of_a_later_worker_is_refused_and_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let rows = |row: &str| {
        let (database, meta) = keyspace(directory.path(), "meta").unwrap();
        meta.insert("format", row).unwrap();
        assert!(!database.keyspace_exists("jobs"), "nothing was made in it");
    };
    rows("2");
    let refused = Ledger::open(directory.path()).unwrap_err();
    assert!(matches!(refused, StartError::NewerFormat { supported: 1, found: 2 }));
    assert_eq!(refused.to_string(), "the worker's ledger has format 2, expected at most 1");
    for damaged in ["0", "one", ""] {
        rows(damaged);
        let refused = Ledger::open(directory.path()).unwrap_err();
        assert!(matches!(refused, StartError::Format), "{refused}");
    }
    rows("1");
    drop(Ledger::open(directory.path()).unwrap());
}
