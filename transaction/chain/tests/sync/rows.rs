//! What a state sync and a node that joined by one write on disk, encoded a second time as the tables in
//! `specs/0002-state.md` and `store/sync.rs` say: a change here counts the format up.

use std::{collections::BTreeMap, path::Path};

use alloy_primitives::Bytes;
use alloy_rlp::RlpEncodable;
use fjall::{Database, KeyspaceCreateOptions};
use sahara_chain::store::{History, Pivot, Place, Store, StoreOptions, SyncStore};

use crate::{
    parts::{base, newest, one_answer},
    world::{Change, World, options, populated},
};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// Which state is fetched.
#[derive(RlpEncodable)]
struct Target {
    header: Bytes,
    certificate: Bytes,
    is_moved: bool,
}

/// A directory that nobody has open.
fn rows(directory: &Path, keyspace: &str) -> Rows {
    let database = Database::builder(directory).open().unwrap();
    let keyspace = database.keyspace(keyspace, KeyspaceCreateOptions::default).unwrap();
    let rows = keyspace.iter().map(|row| row.into_inner().unwrap());
    rows.map(|(key, row)| (key.to_vec(), row.to_vec())).collect()
}

fn number(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

/// 0, or 1 and the hash of the account; then a byte for each nibble.
fn place_key(kind: u8, place: &Place) -> Vec<u8> {
    let owner = place.owner.map(|owner| [&[1_u8], owner.as_slice()].concat());
    let path = place.path.iter().collect::<Vec<u8>>();
    [vec![kind], owner.unwrap_or_else(|| vec![0]), path].concat()
}

/// What is needed, as rows.
fn needs(sync: &SyncStore) -> Rows {
    let places = sync.places(usize::MAX, |_| true).unwrap();
    let places = places.iter().map(|need| (place_key(b'n', &need.place), need.hash.to_vec()));
    let codes = sync.codes(usize::MAX, |_| true).into_iter();
    places.chain(codes.map(|code| ([b"c", code.as_slice()].concat(), Vec::new()))).collect()
}

fn target(pivot: &Pivot, is_moved: bool) -> Vec<u8> {
    let Pivot { header, certificate } = pivot.clone();
    alloy_rlp::encode(Target { header, certificate, is_moved })
}

fn assert_meta(directory: &Path, expected: &[(&str, Vec<u8>)]) {
    let mut meta = rows(directory, "meta");
    assert_eq!(meta.remove(&b"format"[..]), Some(number(2)), "the format is counted up by hand");
    for known in ["chain id", "genesis"] {
        assert!(meta.remove(known.as_bytes()).is_some(), "{known}");
    }
    let expected = expected.iter().map(|(name, row)| (name.as_bytes().to_vec(), row.clone()));
    assert_eq!(meta, expected.collect::<Rows>());
}

/// Takes answers until some of the state is here and some, with code, is needed.
fn begin(world: &World, sync: &mut SyncStore) -> Pivot {
    let (pivot, hash, _) = newest(world);
    sync.aim(pivot.clone()).unwrap();
    while sync.codes(1, |_| true).is_empty() {
        assert!(one_answer(world, sync, hash, 1), "there is code in the state");
    }
    assert!(!sync.places(1, |_| true).unwrap().is_empty(), "there is more to fetch");
    pivot
}

#[test]
fn rows_of_a_sync_are_what_the_specification_says() {
    let mut world = populated(60, 2, 5);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let mut sync = world.start.sync_store(path);
    let pivot = begin(&world, &mut sync);
    sync.keep_handover(4, b"handover").unwrap();
    let first = needs(&sync);
    drop(sync);
    let genesis = |sync| {
        let zero = ["head", "oldest state", "oldest trie"].map(|name| (name, number(0)));
        [zero.to_vec(), vec![("sync", sync)]].concat()
    };
    assert_eq!(rows(path, "sync"), first);
    assert_meta(path, &genesis(target(&pivot, false)));
    assert_eq!(rows(path, "handovers"), Rows::from([(number(4), b"handover".to_vec())]));

    // A newer state: the walk begins at its root, and the places of the one before are unfinished.
    world.commit(&[Change::Balance(3, 77)]);
    let (pivot, hash, head) = newest(&world);
    let mut sync = world.start.sync_store(path);
    sync.aim(pivot.clone()).unwrap();
    drop(sync);
    let root = world.store.header(head).unwrap().unwrap().header.state_root;
    let unfinished = first.into_iter().map(|(key, row)| match key.split_first() {
        Some((b'n', place)) => ([b"u", place].concat(), Vec::new()),
        _ => (key, row),
    });
    let mut moved = unfinished.collect::<Rows>();
    moved.insert(place_key(b'n', &Place::root(None)), root.to_vec());
    assert_eq!(rows(path, "sync"), moved);
    assert_meta(path, &genesis(target(&pivot, true)));

    let mut sync = world.start.sync_store(path);
    while one_answer(&world, &mut sync, hash, 3_000) {}
    sync.install(&base(&world, head)).unwrap();
    assert_eq!(rows(path, "sync"), Rows::new());
    assert_eq!(rows(path, "handovers").len(), 1);
    let joined = ["head", "oldest state", "oldest trie"].map(|name| (name, number(head)));
    let joined = [joined.to_vec(), vec![("first block", number(head + 1))]].concat();
    assert_meta(path, &joined);
    assert_past(&world, path, &joined);
}

/// The past is filled in from the base downwards; the row that says how far is 0 when all of it is here.
fn assert_past(world: &World, path: &Path, joined: &[(&str, Vec<u8>)]) {
    let head = world.store.head().number;
    let proven = |number: u64| {
        let hash = world.store.header(number).unwrap().unwrap().hash;
        world.store.past_block(number).unwrap().unwrap().prove(hash).unwrap()
    };
    for (from, filled) in [(head, head), (head - 1, 0)] {
        let archive = StoreOptions { history: History::Archive, ..options() };
        let store = Store::open(path, archive, &world.start.genesis).unwrap();
        let last = filled.max(1);
        let blocks = (last..=from).rev().map(proven).collect::<Vec<_>>();
        store.fill(&blocks).unwrap();
        drop(store);
        assert_meta(path, &[joined, &[("filled", number(filled))]].concat());
        let (blocks, receipts) = (rows(path, "blocks"), rows(path, "receipts"));
        for one in last..=from {
            let expected = world.store.block(one).unwrap().unwrap().encoded();
            assert_eq!(blocks.get(&number(one)), Some(&expected), "block {one}");
            assert_eq!(receipts.get(&number(one)), Some(&vec![0xc0]), "it brought nothing");
        }
    }
}
