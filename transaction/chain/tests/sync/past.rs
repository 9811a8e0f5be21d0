//! The blocks from before a state sync, fetched while the node runs.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use alloy_primitives::Bytes;
use alloy_rlp::Decodable as _;
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use sahara_chain::{
    store::{History, LogLimits, PastBlock, Store, StoreError, StoreOptions, TakeError},
    sync::{
        CHANNEL, Library, Past, StateLibrary, fill, start,
        wire::{Answer, Request},
    },
};
use sahara_finality::{ChainIdentity, ValidatorSet};
use tokio::sync::mpsc;

use crate::{
    links::{Links, QUOTA, connect},
    parts::{base, newest, one_answer},
    world::{CHAIN_ID, Change, Sets, World, options, transfer, validators},
};

/// So small that the past takes many answers.
const ANSWER_BYTES: usize = 4_000;
const PATIENCE: Duration = Duration::from_secs(600);
const NEAR: Duration = Duration::from_millis(5);
const FAR: Duration = Duration::from_millis(60);

/// A chain of so many blocks with up to two transactions each, through several sets of validators.
fn world(blocks: u16) -> World {
    let mut world = World::new(5);
    for block in 0..blocks {
        let transfers = (0..block % 3).map(|one| transfer(u64::from(block * 3 + one), 100));
        world.commit_with(&[Change::Balance(block, 1)], transfers.unzip());
    }
    world
}

/// Fetches the state of the head, as a node does before it starts.
fn join(world: &World, directory: &Path) {
    let mut sync = world.start.sync_store(directory);
    let (pivot, hash, number) = newest(world);
    sync.aim(pivot).unwrap();
    while one_answer(world, &mut sync, hash, 1 << 20) {}
    sync.install(&base(world, number)).unwrap();
}

fn open(world: &World, directory: &Path, history: History) -> Store {
    let options = StoreOptions { history, ..options() };
    Store::open(directory, options, &world.start.genesis).unwrap()
}

/// How a peer lies about the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Leaves out the block asked for.
    Skips,
    /// The right block with other receipts.
    OtherReceipts,
    /// One receipt less.
    FewerReceipts,
    /// A certificate that nobody signed.
    WrongCertificate,
    /// Bytes after the end of a block.
    Longer,
    /// No block at all.
    Garbage,
    /// Says that ever more of a block is to come.
    Endless,
    /// An answer to another question.
    OffTopic,
}

const WAYS: [Way; 8] = [
    Way::Skips,
    Way::OtherReceipts,
    Way::FewerReceipts,
    Way::WrongCertificate,
    Way::Longer,
    Way::Garbage,
    Way::Endless,
    Way::OffTopic,
];

struct Peer {
    library: StateLibrary<Sets>,
    lie: Option<Way>,
    is_silent: bool,
    panics: bool,
    served: Arc<AtomicUsize>,
}

impl Library for Peer {
    fn answer(&self, request: &Request) -> Option<Answer> {
        assert!(!self.panics, "an injected panic");
        let mut answer = self.library.answer(request).filter(|_| !self.is_silent)?;
        if matches!(answer, Answer::Past { .. }) {
            self.served.fetch_add(1, Ordering::SeqCst);
        }
        if let Some(lie) = self.lie {
            tell(lie, &mut answer);
        }
        Some(answer)
    }
}

fn tell(lie: Way, answer: &mut Answer) {
    let Answer::Past { blocks, rest } = answer else { return };
    match lie {
        Way::Skips => drop(blocks.remove(0)),
        Way::OtherReceipts => change(blocks, |block| {
            block.receipts.push(Bytes::from(transfer(0, 1).1.encoded()));
        }),
        Way::FewerReceipts => {
            change(blocks, |block| match block.receipts.pop() {
                Some(_) => {}
                // It has none: then one more.
                None => block.receipts.push(Bytes::from(transfer(0, 1).1.encoded())),
            });
        }
        Way::WrongCertificate => change(blocks, |block| {
            let mut bytes = block.certificate.to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            block.certificate = bytes.into();
        }),
        Way::Longer => blocks[0] = Bytes::from([blocks[0].as_ref(), &[0]].concat()),
        Way::Garbage => blocks[0] = Bytes::from_static(b"no block"),
        Way::Endless => {
            blocks.truncate(1);
            *rest = 1;
        }
        Way::OffTopic => *answer = Answer::Codes(Vec::new()),
    }
}

/// Changes the first block of an answer.
fn change(blocks: &mut [Bytes], with: impl FnOnce(&mut PastBlock)) {
    let mut block = PastBlock::decode(&mut blocks[0].as_ref()).unwrap();
    with(&mut block);
    blocks[0] = alloy_rlp::encode(block).into();
}

fn honest(world: &World) -> Peer {
    let mut library = StateLibrary::new(world.store.clone(), world.handovers());
    library.answer_bytes = ANSWER_BYTES;
    Peer { library, lie: None, is_silent: false, panics: false, served: Arc::default() }
}

/// Fills the past of `store` from peers at these distances, for at most `time`; how many were blocked.
fn fill_from(world: &World, store: &Store, peers: Vec<(Peer, Duration)>, time: Duration) -> usize {
    fill_with(world, store, peers, time, Box::new(|epoch| Some(validators(epoch))))
}

fn fill_with(
    world: &World,
    store: &Store,
    peers: Vec<(Peer, Duration)>,
    time: Duration,
    validators: Box<dyn Fn(u64) -> Option<ValidatorSet> + Send + Sync>,
) -> usize {
    let past = Past {
        store: store.clone(),
        chain: ChainIdentity { chain_id: CHAIN_ID, genesis: world.start.genesis.block.hash() },
        epoch_length: world.start.length,
        validators,
    };
    let own = StateLibrary::new(store.clone(), world.handovers());
    deterministic::Runner::timed(PATIENCE).start(|context| async move {
        let Links { oracle, me, mut serving } = connect(&context, peers).await;
        let control = oracle.control(me.clone());
        let (sender, receiver) = control.register(CHANNEL, QUOTA).await.unwrap();
        let (heard, answers) = mpsc::channel(4);
        let channel = (sender.clone(), receiver);
        serving.push(start(context.child("own"), Arc::new(own), channel, heard));
        let mut filling = fill(context.child("fill"), (sender, answers), control, past);
        tokio::select! {
            biased;
            () = context.sleep(time) => {}
            ended = &mut filling => ended.unwrap(),
        }
        let blocked = oracle.blocked().await.unwrap().len();
        // Whoever opens the directory next finds it closed.
        serving.push(filling);
        serving.iter().for_each(|one| one.abort());
        context.sleep(NEAR).await;
        blocked
    })
}

/// Both stores say the same of every block from `first` on.
fn assert_same(world: &World, store: &Store, first: u64) {
    let head = world.store.head().number;
    assert_eq!(store.head().number, head);
    for number in first.max(1)..=head {
        assert_eq!(store.header(number).unwrap(), world.store.header(number).unwrap());
        let block = world.store.block(number).unwrap().unwrap();
        assert_eq!(store.block(number).unwrap().unwrap(), block, "block {number}");
        assert_eq!(store.receipts(number).unwrap(), world.store.receipts(number).unwrap());
        assert_eq!(store.senders(number).unwrap(), world.store.senders(number).unwrap());
        assert_eq!(store.certificate(number).unwrap(), world.store.certificate(number).unwrap());
        assert_eq!(store.block_number(block.hash()).unwrap(), Some(number));
        for (index, transaction) in (0..).zip(&block.transactions) {
            assert_eq!(store.transaction(transaction.hash()).unwrap(), Some((number, index)));
        }
    }
    let all = Default::default();
    let logs = |store: &Store| store.logs(first..=head, &all, LogLimits::default()).unwrap();
    assert_eq!(logs(store), logs(&world.store));
}

#[test]
fn i9_the_past_is_filled_in_newest_first_and_is_the_past() {
    let world = world(40);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let store = open(&world, directory.path(), History::Archive);
    assert_eq!((store.first_block(), store.missing_past()), (41, 40));
    let base = store.base().unwrap();
    let too_early = store.logs(3..=40, &Default::default(), LogLimits::default()).unwrap_err();
    assert!(matches!(too_early, StoreError::NotYet { number: 3, first: 41 }), "{too_early}");
    let peers = vec![(honest(&world), NEAR), (honest(&world), FAR)];
    assert_eq!(fill_from(&world, &store, peers, PATIENCE / 2), 0, "nobody lied");
    assert_eq!((store.first_block(), store.missing_past()), (0, 0));
    assert_same(&world, &store, 0);
    // Where consensus began does not move.
    assert_eq!(store.base().unwrap(), base);
    drop(store);
    let store = open(&world, directory.path(), History::Pruned(10));
    assert_same(&world, &store, 0);
    assert_eq!((store.first_block(), store.base().unwrap()), (0, base));
}

#[test]
fn i9_who_lies_about_the_past_is_dropped_and_another_is_asked() {
    let world = world(20);
    for lie in WAYS {
        let directory = tempfile::tempdir().unwrap();
        join(&world, directory.path());
        let store = open(&world, directory.path(), History::Archive);
        let liar = Peer { lie: Some(lie), ..honest(&world) };
        let served = Arc::clone(&liar.served);
        let peers = vec![(liar, NEAR), (honest(&world), FAR)];
        assert_eq!(fill_from(&world, &store, peers, PATIENCE / 2), 1, "{lie:?}");
        assert_eq!(served.load(Ordering::SeqCst), 1, "{lie:?} is asked once");
        assert_same(&world, &store, 0);
    }
}

#[test]
fn i9_who_is_silent_or_has_nothing_holds_nobody_up() {
    let world = world(20);
    let young = tempfile::tempdir().unwrap();
    join(&world, young.path());
    // It has joined by state as well and fetches nothing.
    let young = open(&world, young.path(), History::Pruned(10));
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let store = open(&world, directory.path(), History::Archive);
    let silent = Peer { is_silent: true, ..honest(&world) };
    let mut lacks = honest(&world);
    lacks.library.store = young;
    let peers = vec![(silent, NEAR), (lacks, NEAR), (honest(&world), FAR)];
    assert_eq!(fill_from(&world, &store, peers, PATIENCE / 2), 0, "neither is a lie");
    assert_same(&world, &store, 0);
}

#[test]
fn i9_a_panic_over_the_past_costs_an_answer_and_no_node() {
    let world = world(20);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let store = open(&world, directory.path(), History::Archive);
    // Who is asked first panics over the question, and the node itself over the first certificate.
    let panics = Peer { panics: true, ..honest(&world) };
    let asked = AtomicUsize::new(0);
    let once = move |epoch| {
        assert!(asked.fetch_add(1, Ordering::SeqCst) > 0, "an injected panic");
        Some(validators(epoch))
    };
    let peers = vec![(panics, NEAR), (honest(&world), FAR)];
    let blocked = fill_with(&world, &store, peers, PATIENCE / 2, Box::new(once));
    assert_eq!(blocked, 0, "nobody lied");
    assert_same(&world, &store, 0);
}

#[test]
fn i9_a_node_that_is_killed_fills_on_where_it_was() {
    let world = world(60);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let (mut first, mut stops) = (61, 0);
    let mut answers = 0;
    loop {
        let store = open(&world, directory.path(), History::Archive);
        assert_eq!(store.first_block(), first, "nothing is lost");
        assert_same(&world, &store, first);
        let peer = honest(&world);
        let served = Arc::clone(&peer.served);
        fill_from(&world, &store, vec![(peer, FAR)], Duration::from_millis(1_300));
        answers += served.load(Ordering::SeqCst);
        first = store.first_block();
        if first == 0 {
            break;
        }
        stops += 1;
        assert!(stops < 20, "it gets nowhere");
    }
    assert!(stops > 0, "it was stopped in between");
    // Once more for each that was under way.
    let other = tempfile::tempdir().unwrap();
    join(&world, other.path());
    let peer = honest(&world);
    let served = Arc::clone(&peer.served);
    let whole = open(&world, other.path(), History::Archive);
    fill_from(&world, &whole, vec![(peer, FAR)], PATIENCE / 2);
    let alone = served.load(Ordering::SeqCst);
    assert!(answers <= alone + 2 * stops, "{answers} answers, {alone} without a stop");
}

#[test]
fn i9_the_past_reaches_as_far_as_the_history_mode() {
    let world = world(30);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let pruned = open(&world, directory.path(), History::Pruned(1_000));
    assert_eq!((pruned.next_of_past().unwrap(), pruned.missing_past()), (None, 0));
    let refused = pruned.absent(30);
    assert!(matches!(refused, StoreError::OldBlock { number: 30, first: 31 }), "{refused}");
    drop(pruned);
    let store = open(&world, directory.path(), History::Window(12));
    assert!(matches!(store.absent(18), StoreError::NotYet { number: 18, first: 31 }));
    assert!(matches!(store.absent(17), StoreError::OldBlock { number: 17, first: 31 }));
    let lent = vec![(honest(&world), NEAR)];
    assert_eq!(fill_from(&world, &store, lent, PATIENCE / 2), 0);
    assert_eq!((store.first_block(), store.missing_past()), (18, 0));
    assert_same(&world, &store, 18);
    assert!(matches!(store.absent(17), StoreError::OldBlock { number: 17, first: 18 }));
    drop(store);
    // Who asks for more later gets it.
    let store = open(&world, directory.path(), History::Archive);
    assert_eq!(store.missing_past(), 17);
}

/// A block whose receipts are longer than any message comes in pieces.
#[test]
fn i9_a_block_longer_than_a_message_comes_in_pieces() {
    let mut world = world(3);
    let brought = [transfer(90, 3 << 20), transfer(91, 2 << 20)].into_iter().unzip();
    world.commit_with(&[], brought);
    world.commit(&[]);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let store = open(&world, directory.path(), History::Archive);
    let peer = honest(&world);
    let served = Arc::clone(&peer.served);
    assert_eq!(fill_from(&world, &store, vec![(peer, NEAR)], PATIENCE / 2), 0);
    assert_same(&world, &store, 0);
    assert!(served.load(Ordering::SeqCst) >= 4, "three pieces and the rest");
}

/// The store itself takes nothing out of turn.
#[test]
fn i9_blocks_are_taken_in_turn_or_not_at_all() {
    let world = world(6);
    let directory = tempfile::tempdir().unwrap();
    join(&world, directory.path());
    let store = open(&world, directory.path(), History::Archive);
    let proven = |number: u64| {
        let hash = world.store.header(number).unwrap().unwrap().hash;
        world.store.past_block(number).unwrap().unwrap().prove(hash).unwrap()
    };
    let refused = store.fill(&[proven(5)]).unwrap_err();
    assert!(matches!(refused, StoreError::Gap { expected: 6, got: 5 }), "{refused}");
    let refused = store.fill(&[proven(6), proven(4)]).unwrap_err();
    assert!(matches!(refused, StoreError::Gap { expected: 5, got: 4 }), "{refused}");
    assert_eq!(store.first_block(), 7, "nothing was written");
    store.fill(&[proven(6), proven(5)]).unwrap();
    assert_eq!((store.first_block(), store.next_of_past().unwrap().unwrap().0), (5, 4));
    let other = world.store.header(3).unwrap().unwrap().hash;
    let lie = world.store.past_block(4).unwrap().unwrap().prove(other).unwrap_err();
    assert!(matches!(lie, TakeError::Lie(_)), "{lie}");
    assert!(world.store.past_block(0).unwrap().is_none() && store.past_block(4).unwrap().is_none());
}
