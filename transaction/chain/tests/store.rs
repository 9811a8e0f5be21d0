//! The store: what is final stays, is whole, and is what it was.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]
#![expect(unused_crate_dependencies, reason = "the crate's dependencies are not this test's")]

#[path = "store_support/formats.rs"]
mod formats;
#[path = "store_support/rows.rs"]
mod rows;
#[path = "store_support/mod.rs"]
mod support;

use std::{path::Path, sync::Arc};

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount, proof::verify_proof};
use proptest::{collection::vec, prelude::*};
use sahara_chain::{
    consensus::{Evidence, Fault},
    store::{
        AccountProof, Committed, ExecutedBlock, History, LogFilter, LogLimits, MAX_EVIDENCE,
        PendingStates, Store, StoreError, StoreOptions,
    },
    trie::TrieError,
};
use sahara_evm::{Account, ParentState, StateDiff};
use support::{Chain, Change, Model, address, changes, genesis};

const LIMIT: usize = 64 << 20;

fn small() -> StoreOptions {
    StoreOptions { node_cache_bytes: 1 << 20, ..StoreOptions::default() }
}

fn open(path: &Path) -> Store {
    Store::open(path, small(), &genesis()).unwrap()
}

/// A flag says how much memory the caches have, all of them together.
#[test]
fn the_caches_are_together_what_was_asked_for() {
    for mib in [0, 1, 64, 256, 100_000] {
        let options = StoreOptions::with_cache(mib << 20, History::Archive);
        assert_eq!(options.cache_bytes(), mib << 20);
        assert_eq!(options.history, History::Archive);
    }
    assert_eq!(StoreOptions::with_cache(u64::MAX, History::Archive).cache_bytes(), u64::MAX - 7);
}

/// Everything a state holds under the addresses and slots the tests use.
fn assert_state(state: &impl ParentState, model: &Model) {
    for index in 0..support::ADDRESSES {
        let address = address(index);
        let expected = model.accounts.get(&address);
        assert_eq!(state.account(address).unwrap(), expected.map(|(account, _)| *account));
        for slot in 0..support::SLOTS {
            let slot = U256::from(slot);
            let word = expected.and_then(|(_, words)| words.get(&slot)).copied();
            assert_eq!(state.storage(address, slot).unwrap(), word.unwrap_or_default());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Blocks are executed up to three ahead of finality; between batches the store is closed and
    /// opened again, with a pending block or without.
    #[test]
    fn i4_state_is_a_function_of_the_finalised_blocks(
        blocks in vec((vec(changes(), 0..12), any::<bool>()), 1..14),
        ahead in 0_usize..3,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut store = open(directory.path());
        let mut pending = PendingStates::new(store.clone(), LIMIT);
        let mut chain = Chain::new();
        let mut waiting = Vec::new();
        for (changes, reopens) in &blocks {
            let block = chain.execute(&pending, changes);
            // The root is the one alloy computes from the whole state at once.
            prop_assert_eq!(block.trie.root, chain.model().root());
            assert_state(&pending.state_after(block.block.hash()).unwrap(), chain.model());
            waiting.push(block.clone());
            if waiting.len() > ahead {
                let done = waiting.remove(0);
                pending.finalize(done.block.hash(), None).unwrap();
                prop_assert_eq!(store.head().hash, done.block.hash());
            }
            if *reopens {
                drop((pending, store));
                store = open(directory.path());
                pending = PendingStates::new(store.clone(), LIMIT);
                // What was not final is gone; consensus delivers and executes it again.
                for block in &waiting {
                    pending.insert(block.clone()).unwrap();
                }
            }
            let head = store.head();
            let model = chain.model_at(head.number);
            assert_state(&store.state(), model);
            let count = store.recount().unwrap();
            prop_assert_eq!(count.root, head.header.state_root);
            prop_assert_eq!(count.total, model.total());
        }
        // I5: every state of the past is still what it was.
        for number in 0..=store.head().number {
            assert_state(&store.state_at(number).unwrap(), chain.model_at(number));
        }
        prop_assert!(store.state_at(store.head().number + 1).is_none());
    }

    #[test]
    fn i2_proofs_verify_against_the_header(
        blocks in vec(vec(changes(), 0..12), 1..6),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        let pending = PendingStates::new(store.clone(), LIMIT);
        let mut chain = Chain::new();
        for changes in &blocks {
            let block = chain.execute(&pending, changes);
            pending.finalize(block.block.hash(), None).unwrap();
        }
        let root = store.head().header.state_root;
        let slots = (0..support::SLOTS).map(U256::from).collect::<Vec<_>>();
        for index in 0..support::ADDRESSES {
            check_proof(&store, root, address(index), &slots, chain.model());
        }
    }
}

fn check_proof(store: &Store, root: B256, address: Address, slots: &[U256], model: &Model) {
    let proof = store.proof(address, slots).unwrap();
    assert_proof(&proof, root, model);
}

fn assert_proof(proof: &AccountProof, root: B256, model: &Model) {
    assert_eq!(proof.state_root, root);
    let address = proof.address;
    let expected = model.accounts.get(&address);
    let leaf = expected.map(|(account, words)| {
        let Account { nonce, balance, code_hash } = *account;
        assert_eq!(proof.storage_root, support::storage_root(words));
        alloy_rlp::encode(TrieAccount::new(nonce, balance, proof.storage_root, code_hash))
    });
    assert_eq!(leaf.is_none(), proof.account == Account::default());
    verify_proof(root, Nibbles::unpack(keccak256(address)), leaf, &proof.nodes).unwrap();
    for storage in &proof.storage {
        let word = expected.and_then(|(_, words)| words.get(&storage.slot)).copied();
        assert_eq!(storage.value, word.unwrap_or_default());
        let key = Nibbles::unpack(keccak256(storage.slot.to_be_bytes::<32>()));
        if proof.storage_root == EMPTY_ROOT_HASH {
            assert!(storage.nodes.is_empty());
        } else {
            verify_proof(proof.storage_root, key, word.map(alloy_rlp::encode), &storage.nodes)
                .unwrap();
        }
    }
}

/// Everything the store tells of two blocks, the first with three transactions.
fn assert_found(store: &Store, first: &ExecutedBlock, second: &ExecutedBlock) {
    assert_eq!(store.head().hash, second.block.hash());
    assert_eq!(store.block(1).unwrap().unwrap(), first.block);
    assert_eq!(store.header(1).unwrap().unwrap().header, first.block.header);
    assert_eq!(store.receipts(1).unwrap().unwrap(), first.receipts);
    assert_eq!(store.senders(1).unwrap().unwrap(), first.senders);
    assert_eq!(store.block_number(first.block.hash()).unwrap(), Some(1));
    for (index, transaction) in (0_u32..).zip(&first.block.transactions) {
        assert_eq!(store.transaction(transaction.hash()).unwrap(), Some((1, index)));
    }
    assert_eq!(store.certificate(1).unwrap().unwrap().as_ref(), b"certificate 1");
    assert_eq!(store.block(3).unwrap(), None);
    assert_eq!(store.header(3).unwrap(), None);
    assert_eq!(store.receipts(3).unwrap(), None);
    assert_eq!(store.block_number(B256::ZERO).unwrap(), None);
    assert_eq!(store.transaction(B256::ZERO).unwrap(), None);
    let state = store.state();
    assert_eq!(state.block_hash(0).unwrap(), store.genesis_hash());
    assert_eq!(state.block_hash(1).unwrap(), first.block.hash());
    assert_eq!(state.block_hash(2).unwrap(), second.block.hash());
    assert_eq!(state.block_hash(3).unwrap(), B256::ZERO);
    assert_eq!(store.state_at(1).unwrap().block_hash(2).unwrap(), B256::ZERO);
    assert_eq!(state.code(keccak256([0xfe])).unwrap().as_ref(), [0xfe]);
    assert!(state.code(B256::ZERO).is_err());
}

#[test]
fn i6_a_block_is_found_by_all_its_names() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let first = chain.execute_with(&pending, &[], 3);
    pending.finalize(first.block.hash(), Some(b"certificate 1")).unwrap();
    let second = chain.execute_with(&pending, &[], 0);
    let state = pending.state_after(second.block.hash()).unwrap();
    assert_eq!(state.block_hash(2).unwrap(), second.block.hash());
    assert_eq!(state.block_hash(1).unwrap(), first.block.hash());
    assert_eq!(state.block_hash(3).unwrap(), B256::ZERO);
    drop(state);
    pending.finalize(second.block.hash(), None).unwrap();
    assert_found(&store, &first, &second);
    assert_eq!(store.certificate(2).unwrap(), None);
    assert_eq!(store.newest_certified(1).unwrap(), None);
    let (head, certificate) = store.newest_certified(9).unwrap().unwrap();
    assert_eq!((head.hash, certificate.as_ref()), (first.block.hash(), &b"certificate 1"[..]));
    drop((pending, store));
    let store = open(directory.path());
    assert_found(&store, &first, &second);
    assert_eq!(store.certificate(2).unwrap(), None);
}

#[test]
fn logs_are_found_by_address_topic_and_range() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    for transactions in [3, 0, 2] {
        let block = chain.execute_with(&pending, &[], transactions);
        pending.finalize(block.block.hash(), None).unwrap();
    }
    let any = LogFilter::default();
    let limits = LogLimits::default();
    let all = store.logs(0..=9, &any, limits).unwrap();
    let places = all.iter().map(|found| {
        (found.block_number, found.transaction_index, found.log_index, found.log.data.data[0])
    });
    let first = [(1, 0, 0, 0), (1, 1, 1, 1), (1, 1, 2, 1), (1, 2, 3, 2), (1, 2, 4, 2)];
    let others = [(1, 2, 5, 2), (3, 0, 0, 0), (3, 1, 1, 1), (3, 1, 2, 1)];
    assert!(places.eq(first.into_iter().chain(others)));
    for found in &all {
        assert_eq!(store.block_number(found.block_hash).unwrap(), Some(found.block_number));
        let place = store.transaction(found.transaction_hash).unwrap();
        assert_eq!(place, Some((found.block_number, found.transaction_index)));
    }
    let count = |range, filter: &LogFilter| store.logs(range, filter, limits).unwrap().len();
    let by_address = LogFilter { addresses: vec![address(1), address(2)], ..any.clone() };
    assert_eq!(count(0..=3, &by_address), 7);
    let mut by_topic = LogFilter::default();
    by_topic.topics[0] = vec![support::topic(1)];
    assert_eq!(count(0..=3, &by_topic), 4);
    assert_eq!(count(2..=3, &by_topic), 2);
    assert_eq!(count(2..=2, &any), 0);
    let both = LogFilter { addresses: vec![address(2)], ..by_topic.clone() };
    assert_eq!(count(0..=3, &both), 0);
    by_topic.topics[1] = vec![support::topic(1)];
    assert_eq!(count(0..=3, &by_topic), 0);
    let bounded = |limits| store.logs(0..=3, &any, limits);
    let few = |logs| LogLimits { logs, ..limits };
    assert!(matches!(bounded(few(8)), Err(StoreError::TooManyLogs(8))));
    assert_eq!(bounded(few(9)).unwrap().len(), 9);
    let bytes: usize = all.iter().map(|found| found.log.data.data.len()).sum();
    let short = |bytes| LogLimits { bytes, ..limits };
    assert!(matches!(bounded(short(bytes - 1)), Err(StoreError::LogsTooLarge(_))));
    assert_eq!(bounded(short(bytes)).unwrap().len(), 9);
    let late = LogLimits { time: std::time::Duration::ZERO, ..limits };
    assert!(matches!(bounded(late), Err(StoreError::LogsTooLate(_))));
}

#[test]
fn logs_are_found_in_parts_where_all_are_too_many_or_take_too_long() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    // Six logs, none, three, and one.
    for transactions in [3, 0, 2, 1] {
        let block = chain.execute_with(&pending, &[], transactions);
        pending.finalize(block.block.hash(), None).unwrap();
    }
    let (any, limits) = (LogFilter::default(), LogLimits::default());
    let some = |first, limits| {
        let (found, next) = store.first_logs(first..=9, &any, limits).unwrap();
        assert!(found.iter().all(|one| (first..next).contains(&one.block_number)));
        (found.len(), next)
    };
    assert_eq!(some(1, limits), (10, 5), "all, up to the head");
    assert_eq!(some(5, limits), (0, 5));
    let few = |logs| LogLimits { logs, ..limits };
    assert_eq!(some(1, few(8)), (6, 3), "no part of a block");
    assert_eq!(some(1, few(9)), (9, 4));
    assert_eq!(some(3, few(3)), (3, 4));
    let too_many = store.first_logs(1..=9, &any, few(5));
    assert!(matches!(too_many, Err(StoreError::TooManyLogs(5))), "of the first block alone");
    // There is one time for the whole, and each search gets further.
    let late = LogLimits { time: std::time::Duration::ZERO, ..limits };
    assert_eq!([1, 2, 3, 4].map(|first| some(first, late)), [(6, 2), (0, 3), (3, 4), (1, 5)]);
    let bytes: usize =
        store.logs(1..=1, &any, limits).unwrap().iter().map(|one| one.log.data.data.len()).sum();
    let short = LogLimits { bytes, ..limits };
    assert_eq!(some(1, short), (6, 3));
    let shorter = LogLimits { bytes: bytes - 1, ..limits };
    let too_large = store.first_logs(1..=9, &any, shorter);
    assert!(matches!(too_large, Err(StoreError::LogsTooLarge(_))));
}

#[test]
fn i7_only_the_next_block_on_the_head_is_committed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let mut fork = chain.fork();
    let one = chain.execute(&pending, &[Change::Balance(3, 4)]);
    let other = fork.execute(&pending, &[Change::Balance(3, 3)]);
    let two = chain.execute(&pending, &[]);
    let other_two = fork.execute(&pending, &[]);
    assert!(matches!(store.commit(&two, None), Err(StoreError::Gap { expected: 1, got: 2 })));
    let mut wrong = one.as_ref().clone();
    wrong.trie = other.trie.clone();
    assert!(matches!(store.commit(&wrong, None), Err(StoreError::WrongStateRoot { .. })));
    let error = pending.insert(Arc::new(wrong)).unwrap_err();
    assert!(matches!(error, StoreError::WrongStateRoot { .. }));
    let mut wrong = one.as_ref().clone();
    wrong.senders.push(address(0));
    assert!(matches!(store.commit(&wrong, None), Err(StoreError::WrongCount { .. })));
    assert_eq!(store.head().number, 0);
    assert_eq!(store.commit(&one, None).unwrap(), Committed::New);
    let error = store.commit(&other, None).unwrap_err();
    assert!(matches!(error, StoreError::AlreadyFinal { number: 1, .. }));
    let error = store.commit(&other_two, None).unwrap_err();
    assert!(matches!(error, StoreError::WrongParent { number: 2, .. }));
    assert_state(&store.state(), chain.model_at(1));
}

#[test]
fn i7_committing_twice_is_committing_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let mut heads = store.subscribe();
    let one = chain.execute(&pending, &[Change::Word(2, 1, 1)]);
    assert_eq!(pending.finalize(one.block.hash(), None).unwrap(), Committed::New);
    let two = chain.execute(&pending, &[Change::Destroy(2)]);
    assert_eq!(pending.finalize(two.block.hash(), None).unwrap(), Committed::New);
    assert_eq!(pending.finalize(one.block.hash(), None).unwrap(), Committed::Before);
    assert_eq!(store.commit(&one, None).unwrap(), Committed::Before);
    assert_eq!(store.commit(&two, None).unwrap(), Committed::Before);
    assert_state(&store.state(), chain.model());
    assert_eq!(heads.try_recv().unwrap().hash, one.block.hash());
    assert_eq!(heads.try_recv().unwrap().hash, two.block.hash());
    assert!(heads.try_recv().is_err());
}

#[test]
fn i8_a_directory_serves_one_chain_and_one_user() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let store = open(path);
    let error = Store::open(path, small(), &genesis()).unwrap_err();
    assert!(error.to_string().contains("in use"), "{error}");
    drop(store);
    let other_chain = support::genesis_with(1, 1_000);
    let error = Store::open(path, small(), &other_chain).unwrap_err();
    assert!(matches!(error, StoreError::WrongChain { expected: 1, found: support::CHAIN_ID }));
    let other_genesis = support::genesis_with(support::CHAIN_ID, 999);
    let error = Store::open(path, small(), &other_genesis).unwrap_err();
    assert!(matches!(error, StoreError::WrongGenesis { .. }));
    // A refusal leaves the directory as it was.
    drop(open(path));
    let database = fjall::Database::builder(path).open().unwrap();
    let meta = database.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
    meta.insert("format", 3_u64.to_be_bytes()).unwrap();
    drop((meta, database));
    let error = Store::open(path, small(), &genesis()).unwrap_err();
    assert!(matches!(error, StoreError::NewerFormat { supported: 2, found: 3 }));
}

#[test]
fn i8_a_genesis_whose_header_lies_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut genesis = genesis();
    genesis.state.accounts.remove(&address(0));
    let error = Store::open(directory.path(), small(), &genesis).unwrap_err();
    assert!(matches!(error, StoreError::WrongStateRoot { number: 0, .. }));
    drop(open(directory.path()));
}

#[test]
fn i5_the_history_window_moves_and_leaves_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions { history: History::Pruned(3), ..small() };
    let store = Store::open(directory.path(), options, &genesis()).unwrap();
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    for round in 0..20_u8 {
        let balance = Change::Balance(3, u64::from(round) + 1);
        let word = Change::Word(round % 4, round % 3, round % 5);
        let block = chain.execute(&pending, &[balance, word, Change::Recreate(5, round % 6, 1)]);
        pending.finalize(block.block.hash(), None).unwrap();
        let oldest = u64::from(round + 1).saturating_sub(3);
        assert_eq!(store.oldest_state(), oldest);
        assert!(oldest == 0 || store.state_at(oldest - 1).is_none());
        for number in oldest..=u64::from(round) + 1 {
            assert_state(&store.state_at(number).unwrap(), chain.model_at(number));
        }
    }
    drop((pending, store));
    let database = fjall::Database::builder(directory.path()).open().unwrap();
    let rows = |name| {
        let options = fjall::KeyspaceCreateOptions::default;
        database.keyspace(name, options).unwrap().iter().count()
    };
    assert_eq!(rows("changes"), 3);
    assert!(rows("account history") <= 9);
    assert!(rows("storage history") <= 9);
}

/// I8 of 0021: within the window, every block's trie proves what its state root says.
#[test]
fn i8_past_tries_prove_what_their_roots_say_and_leave_no_rows() {
    let directory = tempfile::tempdir().unwrap();
    let window = |history| StoreOptions { history, ..small() };
    let slots = (0..support::SLOTS).map(U256::from).collect::<Vec<_>>();
    let mut chain = Chain::new();
    let mut store = Store::open(directory.path(), window(History::Window(4)), &genesis()).unwrap();
    let mut pending = PendingStates::new(store.clone(), LIMIT);
    for round in 0..24_u8 {
        let changes = [
            Change::Word(round % 5, round % 6, round % 4),
            Change::Recreate(5, round % 6, 1),
            if round % 3 == 0 { Change::Destroy(6) } else { Change::Word(6, round % 6, 1) },
        ];
        let block = chain.execute(&pending, &changes);
        pending.finalize(block.block.hash(), None).unwrap();
        let head = u64::from(round) + 1;
        let oldest = head.saturating_sub(4);
        for number in oldest..=head {
            let root = store.header(number).unwrap().unwrap().header.state_root;
            for index in 0..support::ADDRESSES {
                let proof = store.proof_at(number, address(index), &slots).unwrap();
                assert_proof(&proof, root, chain.model_at(number));
            }
        }
        if let Some(before) = oldest.checked_sub(1) {
            let error = store.proof_at(before, address(0), &[]).unwrap_err();
            assert!(matches!(error, StoreError::OldTrie { oldest: found, .. } if found == oldest));
        }
        if round % 5 == 4 {
            drop((pending, store));
            let options = window(History::Window(4));
            store = Store::open(directory.path(), options, &genesis()).unwrap();
            pending = PendingStates::new(store.clone(), LIMIT);
        }
    }
    drop((pending, store));
    let rows = || {
        let database = fjall::Database::builder(directory.path()).open().unwrap();
        let options = fjall::KeyspaceCreateOptions::default;
        ["node history", "node changes"]
            .map(|name| database.keyspace(name, options).unwrap().iter().count())
    };
    assert!(rows()[0] > 0);
    assert_eq!(rows()[1], 4);
    // Who keeps no past tries removes them, and says from when there are some again.
    drop(open(directory.path()));
    assert_eq!(rows(), [0, 0]);
    let store = Store::open(directory.path(), window(History::Archive), &genesis()).unwrap();
    assert!(matches!(
        store.proof_at(23, address(0), &[]),
        Err(StoreError::OldTrie { number: 23, oldest: 24 })
    ));
    store.proof_at(24, address(0), &[]).unwrap();
}

#[test]
fn i5_a_view_does_not_move() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let before = store.state();
    let one = chain.execute(&pending, &[Change::Balance(0, 1), Change::Destroy(1)]);
    let above = pending.state_after(one.block.hash()).unwrap();
    let two = chain.execute(&pending, &[Change::Word(1, 3, 3)]);
    for block in [&one, &two] {
        pending.finalize(block.block.hash(), None).unwrap();
    }
    assert_state(&before, chain.model_at(0));
    assert_state(&above, chain.model_at(1));
    assert_state(&store.state(), chain.model_at(2));
}

#[test]
fn i9_readers_beside_a_writer_see_whole_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0_u64;
            loop {
                let count = store.recount().unwrap();
                assert_eq!(count.root, count.head.header.state_root);
                let proof = store.proof(address(3), &[U256::ZERO]).unwrap();
                let header = store.header(proof.number).unwrap().unwrap();
                assert_eq!(header.header.state_root, proof.state_root);
                if count.head.number == 60 {
                    return seen;
                }
                seen += 1;
            }
        });
        for round in 0..60_u8 {
            let word = Change::Word(3, round % 6, round % 3);
            let block = chain.execute(&pending, &[word, Change::Recreate(round % 8, 0, 2)]);
            pending.finalize(block.block.hash(), None).unwrap();
        }
        assert!(reader.join().unwrap() > 0);
    });
}

#[test]
fn i10_finality_prunes_what_does_not_build_on_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let pending = PendingStates::new(store, LIMIT);
    let mut chain = Chain::new();
    let mut fork = chain.fork();
    let one = chain.execute(&pending, &[Change::Word(0, 0, 1)]);
    let other = fork.execute(&pending, &[Change::Word(0, 0, 2)]);
    let two = chain.execute(&pending, &[Change::Word(0, 1, 1)]);
    let other_two = fork.execute(&pending, &[Change::Destroy(0)]);
    for (block, chain) in [(&two, &chain), (&other_two, &fork)] {
        assert_state(&pending.state_after(block.block.hash()).unwrap(), chain.model());
    }
    assert_eq!(pending.usage().0, 4);
    pending.finalize(one.block.hash(), None).unwrap();
    assert_eq!(pending.usage().0, 1);
    assert!(pending.block(two.block.hash()).is_some());
    for gone in [&other, &other_two] {
        let hash = gone.block.hash();
        let unknown = |error| matches!(error, StoreError::UnknownBlock(found) if found == hash);
        assert!(unknown(pending.state_after(hash).unwrap_err()));
        assert!(unknown(pending.finalize(hash, None).unwrap_err()));
    }
    assert!(pending.insert(other_two).is_err());
    pending.finalize(two.block.hash(), None).unwrap();
    assert_eq!(pending.usage(), (0, 0));
    assert_state(&pending.state_after(two.block.hash()).unwrap(), chain.model());
    let (root, _) = pending.root_after(two.block.hash(), &StateDiff::default()).unwrap();
    assert_eq!(root, two.block.header.state_root);
}

#[test]
fn i10_pending_memory_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let limit = 100_000;
    let pending = PendingStates::new(store, limit);
    let mut chain = Chain::new();
    let one = chain.execute(&pending, &[Change::Word(0, 0, 1)]);
    // Siblings that nothing builds on make room, the oldest first; the branch that grows stays.
    let mut fork = chain.clone();
    let mut leaves = Vec::new();
    for _ in 0..60 {
        fork = fork.fork();
        leaves.push(fork.clone().execute(&pending, &[]));
        assert!(pending.usage().1 <= limit);
    }
    assert!(pending.block(leaves[0].block.hash()).is_none());
    assert!(pending.block(leaves[59].block.hash()).is_some());
    assert!(pending.block(one.block.hash()).is_some());
    // A single line cannot be cut: it is refused.
    let refused = (0..60).find_map(|_| {
        let block = chain.build(&pending, &[], 0);
        pending.insert(Arc::new(block)).err()
    });
    assert!(matches!(refused, Some(StoreError::TooManyPending { .. })));
    assert!(pending.usage().1 <= limit);
}

/// Copies all but the journal.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if entry.path().extension().is_none_or(|extension| extension != "jnl") {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn journal(directory: &Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut journals =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    let journal = journals.next().unwrap();
    assert!(journals.next().is_none(), "a small store has one journal");
    journal
}

/// Flips one bit of a row and opens the store again.
fn damage(directory: &Path, name: &str, key: impl AsRef<[u8]>) -> Result<Store, StoreError> {
    let database = fjall::Database::builder(directory).open().unwrap();
    let rows = database.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
    let mut row = rows.get(&key).unwrap().unwrap().to_vec();
    let middle = row.len() / 2;
    row[middle] ^= 1;
    rows.insert(key.as_ref(), row).unwrap();
    drop((rows, database));
    Store::open(directory, small(), &genesis())
}

#[test]
fn i3_a_damaged_row_is_named_and_never_believed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let store = open(path);
    let pending = PendingStates::new(store.clone(), LIMIT);
    let mut chain = Chain::new();
    let writes = (0..support::SLOTS).map(|slot| Change::Word(slot, slot, 1)).collect::<Vec<_>>();
    let one = chain.execute_with(&pending, &writes, 1);
    pending.finalize(one.block.hash(), None).unwrap();
    let root = store.head().header.state_root;
    drop((pending, store));

    // A word in the flat rows: only a recount can see it.
    let word = [keccak256(address(2)), keccak256(B256::with_last_byte(2))].concat();
    let store = damage(path, "storage", word).unwrap();
    let count = store.recount().unwrap();
    assert_eq!(count.head.header.state_root, root);
    assert_ne!(count.root, root);
    drop(store);
    // The root of the account trie.
    let store = damage(path, "nodes", [0]).unwrap();
    let error = store.proof(address(2), &[]).unwrap_err();
    assert!(
        matches!(error, StoreError::Trie(TrieError::Damaged { expected, .. }) if expected == root)
    );
    let pending = PendingStates::new(store.clone(), LIMIT);
    let diff =
        StateDiff { accounts: [(address(9), support::created())].into(), ..StateDiff::default() };
    let error = pending.root_after(store.head().hash, &diff).unwrap_err();
    assert!(matches!(error, StoreError::Trie(TrieError::Damaged { .. })));
    drop((pending, store));
    // A block, and the head's header.
    let store = damage(path, "blocks", 1_u64.to_be_bytes()).unwrap();
    assert!(matches!(store.block(1), Err(StoreError::Damaged { what: "block", .. })));
    drop(store);
    let error = damage(path, "headers", 1_u64.to_be_bytes()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { what: "header", .. }));
}

/// The root does not depend on the bytes of code: a recount looks at them.
#[test]
fn i3_code_that_is_damaged_or_missing_is_named_by_a_recount() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    // Of the genesis' contract.
    let hash = keccak256([0xfe]);
    assert_eq!(open(path).recount().unwrap().accounts, 2);
    let named = |store: &Store, reason: &str| {
        let error = store.recount().unwrap_err();
        assert!(matches!(error, StoreError::Damaged { what: "code", .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    };
    let store = damage(path, "code", hash).unwrap();
    named(&store, "other code");
    drop(store);
    let database = fjall::Database::builder(path).open().unwrap();
    let code = database.keyspace("code", fjall::KeyspaceCreateOptions::default).unwrap();
    code.remove(hash.as_slice()).unwrap();
    drop((code, database));
    named(&open(path), "is missing");
}

/// What a kill leaves is a prefix of the journal. Cuts it everywhere within the last block.
#[test]
fn i9_a_block_is_on_disk_whole_or_not_at_all() {
    let base = tempfile::tempdir().unwrap();
    let (live, cut) = (base.path().join("live"), base.path().join("cut"));
    let store = open(&live);
    let pending = PendingStates::new(store, LIMIT);
    let mut chain = Chain::new();
    let one = chain.execute(&pending, &[Change::Word(0, 0, 1), Change::Word(2, 4, 2)]);
    pending.finalize(one.block.hash(), None).unwrap();
    let journal_before = std::fs::read(journal(&live)).unwrap();
    let changes = [Change::Recreate(0, 5, 2), Change::Destroy(1), Change::Balance(4, 3)];
    let two = chain.execute_with(&pending, &changes, 2);
    pending.finalize(two.block.hash(), Some(b"certificate")).unwrap();
    // The store is still open: this is what a killed process leaves behind.
    let journal_after = std::fs::read(journal(&live)).unwrap();
    let start = journal_before.iter().zip(&journal_after).take_while(|(a, b)| a == b).count();
    let end = journal_after.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    assert!(end > start + 1_000, "{start} to {end}");
    let path = journal(&live);
    let name = path.file_name().unwrap();
    let mut heads = std::collections::BTreeSet::new();
    for length in (start..end).step_by((end - start) / 12).chain([end - 1, end]) {
        copy(&live, &cut);
        std::fs::write(cut.join(name), &journal_after[..length]).unwrap();
        let store = open(&cut);
        let head = store.head().number;
        assert_eq!(head == 2, length == end, "cut at {length} of {end}");
        let count = store.recount().unwrap();
        assert_eq!(count.root, count.head.header.state_root);
        assert_state(&store.state(), chain.model_at(head));
        assert_eq!(store.block(2).unwrap().is_some(), head == 2);
        assert_eq!(store.certificate(2).unwrap().is_some(), head == 2);
        let transaction = two.block.transactions[0].hash();
        assert_eq!(store.transaction(transaction).unwrap().is_some(), head == 2);
        // The block that was lost is committed again on what is there.
        let pending = PendingStates::new(store.clone(), LIMIT);
        pending.insert(two.clone()).unwrap_or_else(|error| assert_eq!(head, 2, "{error}"));
        pending.finalize(two.block.hash(), None).unwrap();
        assert_state(&store.state(), chain.model());
        let count = store.recount().unwrap();
        assert_eq!(count.root, two.block.header.state_root);
        heads.insert(head);
        drop((pending, store));
        std::fs::remove_dir_all(&cut).unwrap();
    }
    assert_eq!(heads, [1, 2].into());
}

fn evidence(signer: u32, view: u64) -> Evidence {
    Evidence { epoch: 3, signer, view, fault: Fault::NullifyFinalize, proof: vec![7; 100] }
}

#[test]
fn i11_evidence_is_kept_once_bounded_for_each_validator_and_across_restarts() {
    let directory = tempfile::tempdir().unwrap();
    {
        let store = open(directory.path());
        assert!(store.add_evidence(&evidence(1, 5)).unwrap());
        assert!(!store.add_evidence(&evidence(1, 5)).unwrap(), "known");
        let most = u64::try_from(MAX_EVIDENCE).unwrap();
        for view in 6..200 {
            assert_eq!(store.add_evidence(&evidence(1, view)).unwrap(), view < 5 + most);
        }
        let other = Evidence { fault: Fault::ConflictingNotarize, ..evidence(0, 5) };
        assert!(store.add_evidence(&other).unwrap(), "another validator has its own room");
        let later = Evidence { epoch: 4, ..evidence(1, 5) };
        assert!(store.add_evidence(&later).unwrap(), "the seat of another epoch is another's");
        assert!(store.sizes().iter().any(|(name, _)| *name == "evidence"));
    }
    let all = open(directory.path()).evidence().unwrap();
    assert_eq!(all.len(), MAX_EVIDENCE + 2);
    assert_eq!((all[0].signer, all[0].fault), (0, Fault::ConflictingNotarize));
    assert_eq!(all[1], evidence(1, 5));
    assert_eq!(all.last().map(|last| last.epoch), Some(4), "by epoch");
}
