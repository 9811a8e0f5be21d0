//! The trie against alloy-trie, over rows that are stored between changes, and against the
//! official Ethereum tests.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what is absent"
)]
#![expect(unused_crate_dependencies, reason = "the crate's dependencies are not this test's")]

#[cfg(test)]
#[path = "../../evm/tests/ethereum_data/mod.rs"]
mod ethereum_data;

use std::collections::BTreeMap;

use alloy_primitives::{B256, Bytes as AlloyBytes, hex, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, proof::verify_proof};
use bytes::Bytes;
use proptest::{collection::vec, prelude::*};
use sahara_chain::trie::{KeyedUpdate, NodeSource, Row, TrieError, keyed_update, prove};

/// The rows of one trie, as a store would hold them.
#[derive(Default)]
struct Stored(BTreeMap<Nibbles, Row>);

impl NodeSource for Stored {
    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        match self.0.get(path) {
            Some(row) if row.hash == hash => Ok(row.encoding.clone()),
            _ => Err(TrieError::missing(owner, path, hash)),
        }
    }
}

impl Stored {
    fn write(&mut self, update: &KeyedUpdate) {
        for (path, row) in &update.rows {
            match row {
                Some(row) => {
                    assert_eq!(row.hash, keccak256(&row.encoding));
                    self.0.insert(*path, row.clone());
                }
                // A removal must name a row that is there: otherwise updates grow without need.
                None => assert!(self.0.remove(path).is_some(), "removed no row at {path:?}"),
            }
        }
    }
}

fn expected_root(state: &BTreeMap<Nibbles, Bytes>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in state {
        builder.add_leaf(*key, value);
    }
    builder.root()
}

/// Applies batches one after another and compares after each: root, and that the rows kept are
/// exactly those of a trie built at once.
fn check(batches: &[Vec<(Nibbles, Option<Bytes>)>]) {
    let (mut stored, mut root) = (Stored::default(), EMPTY_ROOT_HASH);
    let mut state = BTreeMap::new();
    for batch in batches {
        let changes = batch.iter().cloned().collect::<BTreeMap<_, _>>();
        let update = keyed_update(&stored, None, root, changes.clone()).unwrap();
        for (key, value) in changes {
            match value {
                Some(value) => state.insert(key, value),
                None => state.remove(&key),
            };
        }
        stored.write(&update);
        root = update.root;
        assert_eq!(root, expected_root(&state));
        let whole = state.iter().map(|(key, value)| (*key, Some(value.clone())));
        let whole = keyed_update(&Stored::default(), None, EMPTY_ROOT_HASH, whole).unwrap();
        let whole = whole.rows.into_iter().map(|(path, row)| (path, row.unwrap()));
        assert_eq!(stored.0, whole.collect::<BTreeMap<_, _>>());
    }
}

/// Keys that share long prefixes, so that extensions are split, merged and walked through.
fn key() -> impl Strategy<Value = Nibbles> {
    (vec(0_u8..3, 6), vec(prop_oneof![Just(0_u8), Just(15)], 2)).prop_map(|(head, tail)| {
        let mut nibbles = vec![0; 64];
        for (index, nibble) in head.iter().enumerate() {
            nibbles[index * 5] = *nibble;
        }
        nibbles[62] = tail[0];
        nibbles[63] = tail[1];
        Nibbles::from_nibbles(nibbles)
    })
}

fn value() -> impl Strategy<Value = Option<Bytes>> {
    // One byte gives nodes shorter than a hash near the end of a key.
    prop_oneof![
        2 => Just(None),
        2 => (1_u8..4).prop_map(|byte| Some(Bytes::from(vec![byte]))),
        1 => (1_u8..4).prop_map(|byte| Some(Bytes::from(vec![byte; 40]))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn i1_the_root_is_alloys_and_no_row_is_left_behind(
        batches in vec(vec((key(), value()), 0..40), 1..6)
    ) {
        check(&batches);
    }

    #[test]
    fn i1_random_keys_give_alloys_root(
        batches in vec(vec((any::<[u8; 32]>(), 0_usize..30, any::<bool>()), 0..60), 1..5)
    ) {
        // Later batches also remove what earlier ones wrote.
        let keys = batches.concat();
        let batches = batches.iter().map(|batch| {
            let changes = batch.iter().map(|(key, length, keeps)| {
                let key = if *keeps { key } else { &keys[*length % keys.len()].0 };
                let value = keeps.then(|| Bytes::from(vec![7; *length + 1]));
                (Nibbles::unpack(key), value)
            });
            changes.collect()
        });
        check(&batches.collect::<Vec<_>>());
    }

    #[test]
    fn i2_a_proof_shows_presence_and_absence(
        state in proptest::collection::btree_map(key(), (1_u8..4, 1_usize..40), 0..40),
        asked in vec(key(), 1..10),
    ) {
        let state = state.into_iter().map(|(key, (byte, length))| {
            (key, Bytes::from(vec![byte; length]))
        }).collect::<BTreeMap<_, _>>();
        let changes = state.iter().map(|(key, value)| (*key, Some(value.clone())));
        let mut stored = Stored::default();
        let update = keyed_update(&stored, None, EMPTY_ROOT_HASH, changes).unwrap();
        stored.write(&update);
        for key in asked.iter().chain(state.keys()) {
            let proof = prove(&stored, None, update.root, key).unwrap();
            prop_assert_eq!(proof.value.as_ref(), state.get(key));
            let nodes = proof.nodes.iter().map(|n| AlloyBytes::from(n.clone())).collect::<Vec<_>>();
            let expected = state.get(key).map(|value| value.to_vec());
            prop_assert!(verify_proof(update.root, *key, expected, &nodes).is_ok());
            prop_assert!(verify_proof(update.root, *key, Some(vec![9; 9]), &nodes).is_err());
        }
    }
}

/// Enough keys to go through the parallel paths, and back to nothing.
#[test]
fn i1_a_large_batch_gives_alloys_root() {
    let keys = (0_u32..3_000).map(|i| Nibbles::unpack(keccak256(i.to_be_bytes())));
    let keys = keys.collect::<Vec<_>>();
    let write = |byte: u8| {
        keys.iter().map(|key| (*key, Some(Bytes::from(vec![byte; 40])))).collect::<Vec<_>>()
    };
    let some = keys.iter().step_by(3).map(|key| (*key, None)).collect::<Vec<_>>();
    let rest = keys.iter().map(|key| (*key, None)).collect::<Vec<_>>();
    check(&[write(1), write(2), some, rest, write(3)]);
}

#[test]
fn i3_a_row_that_is_missing_is_an_error_and_not_another_root() {
    let keys = (0_u8..40).map(|i| Nibbles::unpack(keccak256([i]))).collect::<Vec<_>>();
    let changes = keys.iter().map(|key| (*key, Some(Bytes::from(vec![1; 40]))));
    let mut stored = Stored::default();
    let update = keyed_update(&stored, None, EMPTY_ROOT_HASH, changes).unwrap();
    stored.write(&update);
    let path = keys[0].slice(..1);
    stored.0.remove(&path).unwrap();
    let change = [(keys[0], Some(Bytes::from(vec![2; 40])))];
    let error = keyed_update(&stored, None, update.root, change).unwrap_err();
    assert!(matches!(error, TrieError::Missing { place, .. } if place.path == path));
}

// The official tests.

fn cases(file: &str) -> Option<serde_json::Value> {
    let place = ethereum_data::find(&format!("ethereum-tests/TrieTests/{file}"))?;
    Some(serde_json::from_slice(&std::fs::read(place).unwrap()).unwrap())
}

fn text(value: &serde_json::Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    if text.starts_with("0x") { hex::decode(text).unwrap() } else { text.as_bytes().to_vec() }
}

fn changes_of(input: &serde_json::Value) -> Vec<(Vec<u8>, Option<Bytes>)> {
    let value = |v: &serde_json::Value| (!v.is_null()).then(|| Bytes::from(text(v)));
    match input {
        serde_json::Value::Object(map) => map
            .iter()
            .map(|(key, v)| (text(&serde_json::Value::String(key.clone())), value(v)))
            .collect(),
        serde_json::Value::Array(pairs) => {
            pairs.iter().map(|pair| (text(&pair[0]), value(&pair[1]))).collect()
        }
        _ => panic!("neither an object nor an array"),
    }
}

/// Runs every case of a file one change at a time, stored in between, and all at once.
fn run(file: &str, is_secure: bool) {
    let Some(cases) = cases(file) else { return };
    let mut count = 0;
    for (name, case) in cases.as_object().unwrap() {
        let root: B256 = case["root"].as_str().unwrap().parse().unwrap();
        let changes = changes_of(&case["in"])
            .into_iter()
            .map(|(key, value)| {
                let path = |key: &[u8]| Nibbles::unpack(key);
                (if is_secure { path(keccak256(key).as_slice()) } else { path(&key) }, value)
            })
            .collect::<Vec<_>>();
        let (mut stored, mut got) = (Stored::default(), EMPTY_ROOT_HASH);
        for change in &changes {
            let update = keyed_update(&stored, None, got, [change.clone()]).unwrap();
            stored.write(&update);
            got = update.root;
        }
        assert_eq!(got, root, "{file}: {name}, one at a time");
        let last = changes.into_iter().collect::<BTreeMap<_, _>>();
        let update = keyed_update(&Stored::default(), None, EMPTY_ROOT_HASH, last).unwrap();
        assert_eq!(update.root, root, "{file}: {name}, at once");
        count += 1;
    }
    println!("{file}: {count} cases");
    assert!(count > 0);
}

#[test]
fn official_plain_tries() {
    run("trieanyorder.json", false);
    run("trietest.json", false);
}

#[test]
fn official_secure_tries() {
    run("trieanyorder_secureTrie.json", true);
    run("trietest_secureTrie.json", true);
    run("hex_encoded_securetrie_test.json", true);
}
