//! A store that takes parts of a state, without a network.

use std::path::Path;

use alloy_primitives::{B256, Bytes, keccak256};
use proptest::{collection::vec, prelude::*};
use sahara_chain::{
    store::{Base, Need, Pivot, Run, Store, StoreError, SyncStore, TakeError},
    sync::{BaseParts, Trust},
};
use sahara_evm::ParentState as _;

use crate::world::{Change, World, address, changes, options, populated, rows};

/// The newest pinned state.
pub(crate) fn newest(world: &World) -> (Pivot, B256, u64) {
    let pivot = world.store.pivots().remove(0);
    let (header, hash) = follow(world).pivot(&pivot).unwrap();
    (pivot, hash, header.number)
}

/// Trust that has followed all sets.
fn follow(world: &World) -> Trust {
    use sahara_chain::sync::{Handovers as _, wire::HandoverParts};
    let (mut trust, sets) = (world.start.trust(), world.handovers());
    for end in sets.ends() {
        trust.learn(&HandoverParts::from(&sets.handover(end).unwrap())).unwrap();
    }
    trust
}

pub(crate) fn base(world: &World, number: u64) -> Base {
    let (trust, store) = (follow(world), &world.store);
    let block = |number| {
        let block = store.block(number).unwrap().unwrap();
        (block.encoded(), store.certificate(number).unwrap().unwrap())
    };
    let target = store.header(number).unwrap().unwrap();
    let mut parts = BaseParts::default();
    let first = number - Trust::headers_before(number);
    let headers = (first..number)
        .map(|one| Bytes::from(alloy_rlp::encode(&store.header(one).unwrap().unwrap().header)));
    trust.headers(&target.header, headers.collect(), &mut parts).unwrap();
    for wanted in trust.before_epoch(number).into_iter().chain([number]) {
        let (encoded, certificate) = block(wanted);
        trust.block((wanted, target.hash), (&encoded, certificate), &mut parts).unwrap();
    }
    trust.base(&target.header, &parts).unwrap()
}

/// Takes what one answer brings; false when nothing is needed any more.
pub(crate) fn one_answer(world: &World, sync: &mut SyncStore, pivot: B256, bytes: usize) -> bool {
    if let Some(code) = sync.codes(1, |_| true).first() {
        sync.take_code(*code, &world.store.code(*code).unwrap().unwrap()).unwrap();
        return true;
    }
    let Some(need) = sync.places(1, |_| true).unwrap().pop() else { return false };
    let run = run_of(world, pivot, &need, bytes);
    sync.take(&need, &run).unwrap();
    true
}

fn run_of(world: &World, pivot: B256, need: &Need, bytes: usize) -> Run {
    let state = world.store.pinned(pivot).unwrap();
    state.run((need.place.owner, &need.place.path), need.is_deep, bytes).unwrap()
}

/// Both directories hold the same state, row for row.
fn assert_same(world: World, fetched: &Path) {
    let number = world.store.head().number;
    let store = Store::open(fetched, options(), &world.start.genesis).unwrap();
    assert_eq!(store.head().hash, world.store.head().hash);
    assert_eq!(store.first_block(), number + 1);
    assert_eq!(store.recount().unwrap(), world.store.recount().unwrap());
    drop(store);
    let directory = world.close();
    assert_eq!(rows(fetched), rows(directory.path()));
}

/// What happens between two answers.
#[derive(Clone, Debug)]
enum Event {
    Answers(usize),
    Killed,
    Moves(Vec<Change>),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (1_usize..12).prop_map(Event::Answers),
        1 => Just(Event::Killed),
        2 => vec(changes(60), 0..30).prop_map(Event::Moves),
    ];
    vec(event, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// However answers are cut, however often it is killed and moved to a newer state in between,
    /// what becomes the head is that state: every row, and no other.
    #[test]
    fn i2_i4_i5_the_state_fetched_is_the_state(
        first in vec(changes(60), 0..120),
        bytes in 1_usize..6_000,
        events in events(),
    ) {
        let mut world = World::new(3);
        world.commit(&first);
        let directory = tempfile::tempdir().unwrap();
        let mut sync = world.start.sync_store(directory.path());
        let (pivot, mut hash, _) = newest(&world);
        sync.aim(pivot).unwrap();
        for event in &events {
            match event {
                Event::Answers(count) => {
                    for _ in 0..*count {
                        one_answer(&world, &mut sync, hash, bytes);
                    }
                }
                Event::Killed => {
                    drop(sync);
                    let refused = Store::open(directory.path(), options(), &world.start.genesis);
                    prop_assert!(matches!(refused.unwrap_err(), StoreError::Syncing));
                    sync = world.start.sync_store(directory.path());
                    prop_assert_eq!(sync.target().unwrap().1, hash);
                }
                Event::Moves(changes) => {
                    world.commit(changes);
                    let (pivot, newer, _) = newest(&world);
                    sync.aim(pivot).unwrap();
                    hash = newer;
                }
            }
        }
        while one_answer(&world, &mut sync, hash, bytes) {}
        prop_assert!(sync.is_whole());
        sync.install(&base(&world, world.store.head().number)).unwrap();
        assert_same(world, directory.path());
    }

    /// A run that is changed in any way is refused and changes nothing, unless it only ends earlier.
    #[test]
    fn i1_a_changed_run_is_refused(
        first in vec(changes(60), 30..120),
        bytes in 200_usize..6_000,
        skipped in 0_usize..30,
        kind in 0_u8..8,
        place in any::<prop::sample::Index>(),
        flip in 1_u8..=255,
    ) {
        let mut world = World::new(3);
        world.commit(&first);
        let directory = tempfile::tempdir().unwrap();
        let mut sync = world.start.sync_store(directory.path());
        let (pivot, hash, _) = newest(&world);
        sync.aim(pivot).unwrap();
        for _ in 0..skipped {
            one_answer(&world, &mut sync, hash, bytes);
        }
        let Some(need) = sync.places(1, |_| true).unwrap().pop() else { return Ok(()) };
        let honest = run_of(&world, hash, &need, bytes);
        let lie = changed(&honest, kind, &place, flip);
        let ends_earlier = honest.nodes.starts_with(&lie.nodes) && !lie.nodes.is_empty();
        let before = sync.places(usize::MAX, |_| true).unwrap();
        match sync.take(&need, &lie) {
            Ok(()) => prop_assert!(ends_earlier && honest.addresses.starts_with(&lie.addresses)),
            Err(TakeError::Lie(_)) => {
                prop_assert_ne!(&lie, &honest);
                prop_assert_eq!(sync.places(usize::MAX, |_| true).unwrap(), before);
                sync.take(&need, &honest).unwrap();
            }
            Err(TakeError::Store(error)) => panic!("{error}"),
        }
        while one_answer(&world, &mut sync, hash, bytes) {}
        sync.install(&base(&world, world.store.head().number)).unwrap();
        assert_same(world, directory.path());
    }
}

/// A run with one thing changed.
fn changed(run: &Run, kind: u8, place: &prop::sample::Index, flip: u8) -> Run {
    let (mut run, at) = (run.clone(), place.index(run.nodes.len()));
    match kind {
        0 => {
            let mut node = run.nodes[at].to_vec();
            *place.get_mut(&mut node) ^= flip;
            run.nodes[at] = node.into();
        }
        1 => drop(run.nodes.remove(at)),
        2 => run.nodes.insert(at, run.nodes[at].clone()),
        3 => run.nodes.swap(0, at),
        4 => run.nodes.push(Bytes::from_static(&[0xc0])),
        5 => run.nodes[at] = run.nodes[at].slice(..run.nodes[at].len() / 2),
        6 => run.addresses.push(address(u16::from(flip))),
        _ => {
            if let Some(one) = run.addresses.first_mut() {
                one.0[19] ^= flip;
            }
        }
    }
    run
}

#[test]
fn i1_code_is_what_its_hash_says() {
    let world = populated(60, 2, 5);
    let directory = tempfile::tempdir().unwrap();
    let mut sync = world.start.sync_store(directory.path());
    let (pivot, hash, _) = newest(&world);
    sync.aim(pivot).unwrap();
    while sync.codes(1, |_| true).is_empty() {
        let need = sync.places(1, |_| true).unwrap().pop().unwrap();
        sync.take(&need, &run_of(&world, hash, &need, 1)).unwrap();
    }
    let wanted = sync.codes(1, |_| true)[0];
    let lie = sync.take_code(wanted, b"other code").unwrap_err();
    assert!(matches!(lie, TakeError::Lie(_)), "{lie}");
    assert_eq!(sync.codes(1, |_| true), [wanted]);
}

/// Code that only a state wanted which was given up is forgotten, and no other.
#[test]
fn i5_code_of_a_state_given_up_is_not_needed_for_ever() {
    let mut world = populated(60, 2, 5);
    world.commit(&[Change::Code(3, 77)]);
    let given_up = keccak256([77; 300]);
    let directory = tempfile::tempdir().unwrap();
    let mut sync = world.start.sync_store(directory.path());
    let take_all = |world: &World, sync: &mut SyncStore, pivot: B256| {
        while let Some(need) = sync.places(1, |_| true).unwrap().pop() {
            sync.take(&need, &run_of(world, pivot, &need, 3_000)).unwrap();
        }
    };
    let (pivot, hash, _) = newest(&world);
    sync.aim(pivot).unwrap();
    assert_eq!(sync.drop_foreign_code().unwrap(), 0, "its accounts are not here");
    take_all(&world, &mut sync, hash);
    assert_eq!(sync.drop_foreign_code().unwrap(), 0, "all are wanted");
    assert!(sync.codes(100, |_| true).contains(&given_up));
    world.commit(&[Change::Code(3, 78)]);
    let (pivot, hash, number) = newest(&world);
    sync.aim(pivot).unwrap();
    take_all(&world, &mut sync, hash);
    let wanted = sync.codes(100, |code| *code != given_up);
    assert!(wanted.contains(&keccak256([78; 300])) && wanted.len() > 1);
    assert_eq!(sync.drop_foreign_code().unwrap(), 1);
    assert_eq!(sync.codes(100, |_| true), wanted, "the others are needed still");
    // It is forgotten on disk too.
    drop(sync);
    let mut sync = world.start.sync_store(directory.path());
    assert_eq!(sync.codes(100, |_| true), wanted);
    while one_answer(&world, &mut sync, hash, 3_000) {}
    sync.install(&base(&world, number)).unwrap();
    assert_same(world, directory.path());
}

/// Who is proven and not believed is asked for again; who is believed follows with its end, at once.
#[test]
fn i4_a_handover_is_proven_before_it_is_known() {
    use sahara_chain::sync::{Handovers as _, wire::HandoverParts};
    let world = populated(60, 23, 5);
    let (mut trust, sets) = (world.start.trust(), world.handovers());
    for end in sets.ends() {
        let (before, first) = (trust.last(), trust.validators().cloned());
        let handover = sets.handover(end).unwrap();
        let parts = HandoverParts::from(&handover);
        assert_eq!(trust.prove(&parts).unwrap().end(), end);
        assert_eq!((trust.last(), trust.validators().cloned()), (before, first));
        assert_eq!(trust.learn(&parts).unwrap(), end);
        assert_eq!((trust.last(), trust.validators()), (end, Some(&handover.validators)));
        assert!(trust.learn(&parts).is_err(), "each once");
    }
    assert!(trust.last() > 0);
}

#[test]
fn i3_nothing_becomes_the_head_before_it_is_whole() {
    let world = populated(60, 2, 5);
    let directory = tempfile::tempdir().unwrap();
    let mut sync = world.start.sync_store(directory.path());
    let (pivot, hash, number) = newest(&world);
    sync.aim(pivot).unwrap();
    one_answer(&world, &mut sync, hash, 500);
    let refused = sync.install(&base(&world, number)).unwrap_err();
    assert!(matches!(refused, StoreError::Syncing), "{refused}");
    let refused = Store::open(directory.path(), options(), &world.start.genesis).unwrap_err();
    assert!(refused.to_string().contains("--sync state"), "{refused}");
}

/// Whatever row the disk changed while the rest was fetched, the count before the end finds it.
#[test]
fn i2_what_decayed_while_the_rest_was_fetched_does_not_become_the_head() {
    let world = populated(60, 2, 5);
    let last = |row: &[u8]| row.len() - 1;
    // Of an account the address, and the hash of its code, which is nobody's then.
    for (name, place, expected) in [
        ("accounts", None, Some("account")),
        ("accounts", Some(last), Some("code")),
        ("storage", Some(last), None),
        ("code", Some(last), Some("code")),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut sync = world.start.sync_store(directory.path());
        let (pivot, hash, number) = newest(&world);
        sync.aim(pivot).unwrap();
        while one_answer(&world, &mut sync, hash, 3_000) {}
        drop(sync);
        let database = fjall::Database::builder(directory.path()).open().unwrap();
        let rows = database.keyspace(name, fjall::KeyspaceCreateOptions::default).unwrap();
        let (key, row) = rows.iter().next().unwrap().into_inner().unwrap();
        let mut row = row.to_vec();
        let place = place.map_or(0, |place| place(&row));
        row[place] ^= 1;
        rows.insert(key, row).unwrap();
        drop((rows, database));
        let sync = world.start.sync_store(directory.path());
        assert!(sync.is_whole(), "nothing says so before");
        let refused = sync.install(&base(&world, number)).unwrap_err();
        let found = match refused {
            StoreError::Damaged { what, .. } => Some(what),
            StoreError::WrongStateRoot { .. } => None,
            other => panic!("{name}: {other}"),
        };
        assert_eq!(found, expected, "{name}");
        let refused = Store::open(directory.path(), options(), &world.start.genesis).unwrap_err();
        assert!(matches!(refused, StoreError::Syncing), "{name}: {refused}");
    }
}

/// The chain goes on from a fetched state as from an executed one: hashes of the blocks before,
/// the block before the epoch, and clear words about what is not there.
#[test]
fn i6_a_fetched_state_is_a_head_like_any_other() {
    let world = populated(120, 13, 5);
    let directory = tempfile::tempdir().unwrap();
    let mut sync = world.start.sync_store(directory.path());
    let (pivot, hash, number) = newest(&world);
    sync.aim(pivot).unwrap();
    while one_answer(&world, &mut sync, hash, 3_000) {}
    sync.install(&base(&world, number)).unwrap();
    assert!(SyncStore::open(directory.path(), options(), &world.start.genesis).unwrap().is_none());
    let store = Store::open(directory.path(), options(), &world.start.genesis).unwrap();
    let state = store.state();
    for number in 0..=number {
        let expected = world.store.header(number).unwrap().unwrap().hash;
        assert_eq!(state.block_hash(number).unwrap(), expected);
    }
    assert_eq!((number, store.first_block(), store.oldest_state()), (13, 14, 13));
    let base = store.base().unwrap().unwrap();
    assert_eq!((base.0.number, base.0.hash), (number, hash));
    assert_eq!(store.newest_certified(1).unwrap().unwrap(), base);
    assert_eq!(store.block(9).unwrap(), world.store.block(9).unwrap(), "before the epoch");
    assert_eq!(store.block(number).unwrap(), world.store.block(number).unwrap());
    assert!(store.receipts(number).unwrap().is_none());
    assert!(store.block(5).unwrap().is_none());
    let refused = store.logs(3..=number, &Default::default(), Default::default()).unwrap_err();
    assert!(matches!(refused, StoreError::OldBlock { number: 3, first: 14 }), "{refused}");
    let account = address(7);
    let proof = store.proof_at(number, account, &[]).unwrap();
    assert_eq!(proof, world.store.proof(account, &[]).unwrap());
    let refused = store.proof_at(12, account, &[]).unwrap_err();
    assert!(matches!(refused, StoreError::OldTrie { number: 12, oldest: 13 }), "{refused}");
}

/// Pins are whole states: later blocks do not change what is served, and are served themselves.
#[test]
fn i5_a_pinned_state_does_not_move() {
    let mut world = populated(60, 2, 5);
    let (_, hash, _) = newest(&world);
    let whole = |world: &World, hash| {
        let state = world.store.pinned(hash).unwrap();
        state.run((None, &Default::default()), true, usize::MAX).unwrap()
    };
    let before = whole(&world, hash);
    world.commit(&[Change::Balance(3, 99), Change::Destroy(4), Change::Word(7, 1, 9)]);
    assert_eq!(whole(&world, hash), before);
    let (_, newer, _) = newest(&world);
    assert_ne!(whole(&world, newer), before);
    for _ in 0..12 {
        world.commit(&[]);
    }
    assert!(world.store.pinned(hash).is_none(), "pins are few");
}
