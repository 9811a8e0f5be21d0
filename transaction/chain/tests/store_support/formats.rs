//! Directories as older programs left them, written row by row: none of those programs is at hand, and what they
//! wrote is known. The present program opens each, has what it would have had, and goes on.

use alloy_primitives::U256;
use sahara_chain::store::{PendingStates, Store, StoreError};

use crate::{
    LIMIT, assert_proof, assert_state, open,
    rows::{Disk, TwoBlocks, number},
    small,
    support::{self, Change, address, genesis},
};

/// Format 1 had no past tries, no state sync, and no word of either.
#[test]
fn i8_a_directory_of_the_first_format_is_brought_to_the_present() {
    let base = tempfile::tempdir().unwrap();
    let (present, first) = (base.path().join("present"), base.path().join("first"));
    let mut blocks = TwoBlocks::commit(&open(&present));
    blocks.write_first_format(&first);
    assert_eq!(Disk::open(&first).rows("meta").get(&b"oldest trie"[..]), None);

    let store = open(&first);
    let head = store.head();
    assert_eq!(head.hash, blocks.two.block.hash());
    for at in 0..=2 {
        assert_state(&store.state_at(at).unwrap(), blocks.chain.model_at(at));
    }
    let count = store.recount().unwrap();
    assert_eq!(count.root, head.header.state_root);
    let slots = (0..support::SLOTS).map(U256::from).collect::<Vec<_>>();
    for index in 0..support::ADDRESSES {
        let proof = store.proof_at(2, address(index), &slots).unwrap();
        assert_proof(&proof, head.header.state_root, blocks.chain.model());
    }
    let refused = store.proof_at(1, address(0), &[]).unwrap_err();
    assert!(matches!(refused, StoreError::OldTrie { number: 1, oldest: 2 }), "{refused}");
    assert_eq!(store.block(1).unwrap(), Some(blocks.one.block.clone()));
    drop(store);

    // Row for row what the present program writes from the beginning; and opened again it stays so.
    let expected = Disk::open(&present).all();
    assert_eq!(Disk::open(&first).all(), expected);
    drop(open(&first));
    assert_eq!(Disk::open(&first).all(), expected);

    let store = open(&first);
    let pending = PendingStates::new(store.clone(), LIMIT);
    let three = blocks.chain.execute(&pending, &[Change::Word(3, 2, 0), Change::Balance(5, 1)]);
    pending.finalize(three.block.hash(), None).unwrap();
    assert_eq!(store.recount().unwrap().root, three.block.header.state_root);
    assert_state(&store.state_at(1).unwrap(), blocks.chain.model_at(1));
}

/// What no program wrote is not taken for the first format.
#[test]
fn i8_a_directory_whose_format_makes_no_sense_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    for format in [number(0), vec![1], Vec::new()] {
        let database = fjall::Database::builder(directory.path()).open().unwrap();
        let meta = database.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
        meta.insert("format", format).unwrap();
        drop((meta, database));
        let refused = Store::open(directory.path(), small(), &genesis()).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged { what: "format", .. }), "{refused}");
    }
}
