//! A node that fetches a state from others over a simulated network, in virtual time.

use std::{
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use alloy_primitives::{Address, B256, Bytes, keccak256};
use commonware_p2p::{LimitedSender, Receiver, Recipients, simulated};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use parking_lot::Mutex;
use sahara_chain::{
    store::Store,
    sync::{
        CHANNEL, Join, Library, Progress, StateLibrary, Track,
        wire::{Answer, Message, Request},
    },
};
use sahara_finality::{NetworkPublicKey, ValidatorKeys, ValidatorSet};

use crate::{
    links::{Links, QUOTA, connect},
    world::{Change, Start, World, options, populated},
};

/// So small that a state takes many answers.
const ANSWER_BYTES: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(600);

/// How a peer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Nodes that do not hash to what was asked for.
    WrongNode,
    /// Leaves one node out, in the middle of a run.
    Omits,
    /// Goes on after the end.
    Endless,
    /// Answers with no nodes.
    Nothing,
    /// Other addresses than the accounts'.
    WrongAddress,
    /// Other code.
    WrongCode,
    /// One header less.
    FewerHeaders,
    /// A block of another height.
    OtherBlock,
    /// A state that nobody signed.
    Unsigned,
    /// Says that there are more handovers, and tells none.
    MoreHandovers,
    /// A handover with one byte changed.
    WrongHandover,
    /// An answer to another question.
    OffTopic,
}

/// Ways that are no proof of a lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lazy {
    /// Never answers.
    Silent,
    /// Has lost the state that it offered.
    Gone,
    /// One node at a time.
    Slow,
    /// Offers for ever what it offered first, and sends no node.
    Holds,
}

struct Peer {
    library: StateLibrary<crate::world::Sets>,
    lie: Option<Way>,
    lazy: Option<Lazy>,
    /// Code that it has not.
    lacks: Option<B256>,
    /// What one that holds offers.
    offer: Option<Answer>,
    /// How many answers with nodes were given, and after how many what happens.
    served: Arc<AtomicUsize>,
    event: Option<(usize, Arc<dyn Fn() + Send + Sync>)>,
}

impl Library for Peer {
    fn answer(&self, request: &Request) -> Option<Answer> {
        if self.lazy == Some(Lazy::Holds) {
            match request {
                Request::Pivots => return self.offer.clone(),
                Request::Handovers { .. } => {}
                _ => return None,
            }
        }
        if let (Request::Codes(hashes), Some(lacks)) = (request, self.lacks) {
            let has = hashes.iter().take_while(|one| **one != lacks).copied().collect::<Vec<_>>();
            return match has.is_empty() {
                true => Some(Answer::Gone),
                false => self.library.answer(&Request::Codes(has)),
            };
        }
        let mut answer = self.library.answer(request)?;
        if let Answer::Runs(runs) = &mut answer {
            let served = self.served.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some((_, event)) = self.event.as_ref().filter(|(after, _)| *after == served) {
                event();
            }
            match self.lazy {
                Some(Lazy::Gone) => return Some(Answer::Gone),
                Some(Lazy::Slow) => {
                    runs.truncate(1);
                    let run = &mut runs[0];
                    run.nodes.truncate(1);
                    // A branch, as the first node of a trie of more than one account is.
                    if run.addresses.len() > 1 {
                        run.addresses.clear();
                    }
                }
                _ => {}
            }
        }
        if self.lazy == Some(Lazy::Silent) {
            return None;
        }
        if let Some(lie) = self.lie {
            tell(lie, &mut answer);
        }
        Some(answer)
    }
}

fn tell(lie: Way, answer: &mut Answer) {
    match (lie, answer) {
        (Way::WrongNode, Answer::Runs(runs)) => {
            let node = runs.last_mut().and_then(|run| run.nodes.last_mut());
            if let Some(node) = node {
                *node = Bytes::from([node.as_ref(), &[0]].concat());
            }
        }
        (Way::Omits, Answer::Runs(runs)) => {
            if let Some(run) = runs.iter_mut().find(|run| run.nodes.len() > 2) {
                run.nodes.remove(1);
            }
        }
        (Way::Endless, Answer::Runs(runs)) => runs[0].nodes.push(Bytes::from_static(&[0xc0])),
        (Way::Nothing, Answer::Runs(runs)) => runs[0].nodes.clear(),
        (Way::WrongAddress, Answer::Runs(runs)) => {
            for address in runs.iter_mut().flat_map(|run| &mut run.addresses) {
                *address = Address::repeat_byte(0xee);
            }
        }
        (Way::WrongCode, Answer::Codes(codes)) => codes[0] = Bytes::from_static(b"other"),
        (Way::FewerHeaders, Answer::Headers(headers)) => drop(headers.remove(0)),
        (Way::OtherBlock, Answer::Block { block, .. }) => *block = Bytes::from_static(&[0xc0]),
        (Way::Unsigned, Answer::Pivots(pivots)) => {
            for pivot in pivots {
                let mut bytes = pivot.certificate.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                pivot.certificate = bytes.into();
            }
        }
        (Way::MoreHandovers, Answer::Handovers { some, has_more }) => {
            some.clear();
            *has_more = true;
        }
        (Way::WrongHandover, Answer::Handovers { some, .. }) => {
            if let Some(one) = some.first_mut() {
                let mut bytes = one.validators.to_vec();
                *bytes.last_mut().unwrap() ^= 1;
                one.validators = bytes.into();
            }
        }
        (Way::OffTopic, answer @ Answer::Runs(_)) => *answer = Answer::Codes(Vec::new()),
        _ => {}
    }
}

/// A peer and its distance.
type Placed = (Peer, Duration);

fn honest(world: &World) -> Peer {
    let mut library = StateLibrary::new(world.store.clone(), world.handovers());
    library.answer_bytes = ANSWER_BYTES;
    let (lie, lazy, lacks) = (None, None, None);
    Peer { library, lie, lazy, lacks, offer: None, served: Arc::default(), event: None }
}

const NEAR: Duration = Duration::from_millis(5);
const FAR: Duration = Duration::from_millis(60);

/// Fetches a state into a directory; each time after one of `kills` it is cut off and begins again.
fn fetch(
    start_of: &Start,
    peers: Vec<Placed>,
    kills: &[Duration],
    directory: &Path,
) -> Vec<Progress> {
    fetch_telling(start_of, peers, kills, directory, || Box::new(|_: &ValidatorSet| {}))
}

/// As [`fetch`]; each of them tells what `track` makes of the validator sets that it learns.
fn fetch_telling(
    start_of: &Start,
    peers: Vec<Placed>,
    kills: &[Duration],
    directory: &Path,
    track: impl Fn() -> Track,
) -> Vec<Progress> {
    let runner = deterministic::Runner::timed(PATIENCE);
    runner.start(|context| async move {
        let Links { oracle, me, serving: _serving } = connect(&context, peers).await;
        let mut ends = Vec::new();
        let mut kills = kills.iter();
        loop {
            let control = oracle.control(me.clone());
            let channel = control.register(CHANNEL, QUOTA).await.unwrap();
            let store = start_of.sync_store(directory);
            let clock = context.child("join");
            let parts = (store, start_of.trust());
            let join = Join::new((clock, control), channel, parts, track()).unwrap();
            let progress = join.progress();
            let Some(kill) = kills.next() else {
                join.run().await.unwrap();
                ends.push(*progress.borrow());
                return ends;
            };
            tokio::select! {
                biased;
                () = context.sleep(*kill) => {}
                ended = join.run() => panic!("ended before it was killed: {ended:?}"),
            }
            ends.push(*progress.borrow());
        }
    })
}

/// The fetched state is that of a block the world has.
fn assert_fetched(world: &World, directory: &Path) -> u64 {
    let store = Store::open(directory, options(), &world.start.genesis).unwrap();
    let head = store.head();
    assert_eq!(world.store.header(head.number).unwrap().unwrap().hash, head.hash);
    let count = store.recount().unwrap();
    assert_eq!(count.root, head.header.state_root);
    head.number
}

/// A state with words and code, in its third set of validators.
fn world() -> World {
    populated(150, 23, 5)
}

#[test]
fn i2_a_new_node_fetches_the_state_through_three_sets_of_validators() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let peers = vec![(honest(&world), NEAR), (honest(&world), FAR)];
    let ends = fetch(&world.start, peers, &[], directory.path());
    assert_eq!(assert_fetched(&world, directory.path()), 23);
    assert_eq!((ends[0].liars, ends[0].targets), (0, 1));
}

#[test]
fn i3_who_lies_is_dropped_and_another_is_asked() {
    let world = world();
    for lie in [
        Way::WrongNode,
        Way::Omits,
        Way::Endless,
        Way::Nothing,
        Way::WrongAddress,
        Way::WrongCode,
        Way::FewerHeaders,
        Way::OtherBlock,
        Way::Unsigned,
        Way::MoreHandovers,
        Way::WrongHandover,
        Way::OffTopic,
    ] {
        let directory = tempfile::tempdir().unwrap();
        // The liars are nearer, so that they are asked for everything first.
        let liar = || Peer { lie: Some(lie), ..honest(&world) };
        let peers = vec![(liar(), NEAR), (liar(), NEAR), (honest(&world), FAR)];
        let ends = fetch(&world.start, peers, &[], directory.path());
        assert_eq!(assert_fetched(&world, directory.path()), 23, "{lie:?}");
        assert!((1..=2).contains(&ends[0].liars), "{lie:?}: {:?}", ends[0]);
    }
}

#[test]
fn i3_who_cannot_read_a_handover_any_more_says_so_and_is_no_liar() {
    let world = world();
    for (damaged, told) in [(9, 0), (19, 1)] {
        let mut peer = honest(&world);
        peer.library.handovers.damaged = Some(damaged);
        let answer = peer.library.answer(&Request::Handovers { above: 0 });
        match answer {
            Some(Answer::Handovers { some, has_more }) => {
                assert_eq!((some.len(), has_more), (told, true), "{damaged}");
            }
            other => assert_eq!((other, told), (Some(Answer::Gone), 0), "{damaged}"),
        }
        let rest = peer.library.answer(&Request::Handovers { above: damaged - 1 });
        assert_eq!(rest, Some(Answer::Gone));
        let directory = tempfile::tempdir().unwrap();
        let peers = vec![(peer, NEAR), (honest(&world), FAR)];
        let ends = fetch(&world.start, peers, &[], directory.path());
        assert_eq!(assert_fetched(&world, directory.path()), 23, "{damaged}");
        assert_eq!(ends[0].liars, 0, "{damaged}");
    }
}

#[test]
fn i4_who_does_not_answer_holds_nobody_up() {
    let world = world();
    for lazy in [Lazy::Silent, Lazy::Gone, Lazy::Slow] {
        let directory = tempfile::tempdir().unwrap();
        let idle = Peer { lazy: Some(lazy), ..honest(&world) };
        let peers = vec![(idle, NEAR), (honest(&world), FAR)];
        let ends = fetch(&world.start, peers, &[], directory.path());
        assert_eq!(assert_fetched(&world, directory.path()), 23, "{lazy:?}");
        assert_eq!(ends[0].liars, 0, "{lazy:?} is no lie");
    }
}

#[test]
fn i4_a_panic_over_an_answer_costs_the_answer_and_no_newcomer() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let learned = Arc::new(AtomicUsize::new(0));
    // The first set is that of block 0; over the second, which an answer brings, the node panics.
    let track = || -> Track {
        let learned = Arc::clone(&learned);
        Box::new(move |_: &ValidatorSet| {
            assert!(learned.fetch_add(1, Ordering::SeqCst) != 1, "an injected panic");
        })
    };
    // There is nobody else to ask.
    let peers = vec![(honest(&world), NEAR)];
    let ends = fetch_telling(&world.start, peers, &[], directory.path(), track);
    assert_eq!(assert_fetched(&world, directory.path()), 23);
    assert_eq!(ends[0].liars, 0, "nobody lied");
    assert_eq!(learned.load(Ordering::SeqCst), 3, "the third set was learned after the panic");
}

/// A sender that panics over some of what it is asked: who is there, or to send something.
#[derive(Clone, Debug)]
struct Stumbling<S> {
    sender: S,
    calls: Arc<AtomicUsize>,
}

const STUMBLES: [usize; 5] = [1, 3, 6, 10, 15];

impl<S: LimitedSender> LimitedSender for Stumbling<S> {
    type PublicKey = S::PublicKey;
    type Checked<'a>
        = S::Checked<'a>
    where
        Self: 'a;

    fn check(
        &mut self,
        recipients: Recipients<Self::PublicKey>,
    ) -> Result<Self::Checked<'_>, SystemTime> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!STUMBLES.contains(&call), "an injected panic");
        self.sender.check(recipients)
    }
}

/// What one peer answers comes as a message of a kind that nobody knows yet.
#[derive(Debug)]
struct Newer<R> {
    receiver: R,
    peer: NetworkPublicKey,
    replaced: Arc<AtomicUsize>,
}

impl<R: Receiver<PublicKey = NetworkPublicKey>> Receiver for Newer<R> {
    type Error = R::Error;
    type PublicKey = NetworkPublicKey;

    async fn recv(&mut self) -> Result<commonware_p2p::Message<NetworkPublicKey>, R::Error> {
        let (from, message) = self.receiver.recv().await?;
        if from != self.peer {
            return Ok((from, message));
        }
        self.replaced.fetch_add(1, Ordering::SeqCst);
        let Ok(Message::Answer(id, _)) = Message::decode(message.as_ref()) else {
            panic!("it only answers");
        };
        let unknown = alloy_rlp::encode(vec![200_u64, id]);
        Ok((from, unknown.into()))
    }

    fn capacity(&self) -> NonZeroUsize {
        self.receiver.capacity()
    }
}

/// As [`fetch`], never killed, by a channel of which `through` makes another.
fn fetch_by<S, R>(
    world: &World,
    peers: Vec<Placed>,
    directory: &Path,
    through: impl FnOnce(
        (
            simulated::Sender<NetworkPublicKey, deterministic::Context>,
            simulated::Receiver<NetworkPublicKey>,
        ),
    ) -> (S, R),
) -> Progress
where
    S: commonware_p2p::Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    let parts = (world.start.sync_store(directory), world.start.trust());
    deterministic::Runner::timed(PATIENCE).start(|context| async move {
        let Links { oracle, me, serving: _serving } = connect(&context, peers).await;
        let control = oracle.control(me);
        let channel = through(control.register(CHANNEL, QUOTA).await.unwrap());
        let clock = context.child("join");
        let track: Track = Box::new(|_: &ValidatorSet| {});
        let join = Join::new((clock, control), channel, parts, track).unwrap();
        let progress = join.progress();
        join.run().await.unwrap();
        *progress.borrow()
    })
}

#[test]
fn i3_who_runs_a_newer_program_is_no_liar_and_another_is_asked() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let replaced = Arc::new(AtomicUsize::new(0));
    let peers = vec![(honest(&world), NEAR), (honest(&world), FAR)];
    // The nearer of the two, as they are connected.
    let newer = ValidatorKeys::from_secret(&[100; 32]).unwrap();
    let peer = newer.validator(Address::ZERO).network_key;
    let told = Arc::clone(&replaced);
    let end = fetch_by(&world, peers, directory.path(), |(sender, receiver)| {
        (sender, Newer { receiver, peer, replaced: told })
    });
    assert_eq!(assert_fetched(&world, directory.path()), 23);
    assert_eq!((end.liars, end.targets), (0, 1));
    assert!(replaced.load(Ordering::SeqCst) > 0, "it was asked");
}

#[test]
fn i4_a_panic_over_whom_to_ask_for_what_costs_a_pause_and_no_newcomer() {
    let world = world();
    let directory = tempfile::tempdir().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let peers = vec![(honest(&world), NEAR)];
    let told = Arc::clone(&calls);
    let end = fetch_by(&world, peers, directory.path(), |(sender, receiver)| {
        (Stumbling { sender, calls: told }, receiver)
    });
    assert_eq!(assert_fetched(&world, directory.path()), 23);
    assert_eq!((end.liars, end.targets), (0, 1), "nobody lied, and the target was kept");
    assert!(calls.load(Ordering::SeqCst) > STUMBLES[4], "it panicked each time");
}

#[test]
fn i4_over_a_link_so_slow_that_every_answer_is_late_it_takes_longer() {
    let world = populated(40, 3, 5);
    let directory = tempfile::tempdir().unwrap();
    let peers = vec![(honest(&world), Duration::from_secs(3))];
    let ends = fetch(&world.start, peers, &[], directory.path());
    assert_eq!(assert_fetched(&world, directory.path()), 3);
    assert_eq!(ends[0].liars, 0);
}

#[test]
fn i4_a_node_that_is_killed_goes_on_where_it_was() {
    let world = world();
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = fetch(&world.start, vec![(honest(&world), FAR)], &[], whole.path());
    let kills = [1_300, 600, 600, 700].map(Duration::from_millis);
    let peers = vec![(honest(&world), FAR)];
    let ends = fetch(&world.start, peers, &kills, parts.path());
    assert_eq!(assert_fetched(&world, parts.path()), 23);
    // What was under way when it was killed is asked for again, and nothing else.
    let taken: u64 = ends.iter().map(|end| end.nodes).sum();
    assert_eq!(taken, all[0].nodes, "{ends:?}");
    assert!(ends.iter().filter(|end| end.nodes > 0).count() > 2, "{ends:?}");
}

#[test]
fn i5_the_chain_goes_on_meanwhile_and_only_what_changed_is_fetched_again() {
    let world = Arc::new(Mutex::new(populated(600, 7, 5)));
    let directory = tempfile::tempdir().unwrap();
    let (target, peer) = {
        let world = world.lock();
        (world.store.head().number, honest(&world))
    };
    // After some answers the peer has made more blocks than it keeps states of.
    let moving = Arc::clone(&world);
    let event = move || {
        let mut world = moving.lock();
        for round in 0..14_u16 {
            let words = (0..20).map(|slot| Change::Word(7 * (round + 1), slot, 9));
            let words = words.chain([Change::Destroy(14), Change::Balance(1_000 + round, 5)]);
            world.commit(&words.collect::<Vec<_>>());
        }
    };
    let served = Arc::clone(&peer.served);
    let peer = Peer { event: Some((25, Arc::new(event))), ..peer };
    let start_of = world.lock().start.clone();
    let ends = fetch(&start_of, vec![(peer, NEAR)], &[], directory.path());
    let world = world.lock();
    assert!(assert_fetched(&world, directory.path()) > target);
    assert_eq!((ends[0].targets, ends[0].liars), (2, 0));
    assert!(served.load(Ordering::SeqCst) > 30);
    // Two whole states would be twice as much.
    let other = tempfile::tempdir().unwrap();
    let whole = fetch(&world.start, vec![(honest(&world), NEAR)], &[], other.path());
    assert!(ends[0].nodes < whole[0].nodes * 3 / 2, "{:?} against {:?}", ends[0], whole[0]);
}

#[test]
fn i5_code_that_only_a_state_given_up_wanted_holds_nobody_up() {
    let mut world = populated(600, 7, 5);
    let coded = |byte: u8| (0..600).step_by(3).map(move |one| Change::Code(one, byte));
    world.commit(&coded(77).collect::<Vec<_>>());
    let (start_of, peer) = (world.start.clone(), honest(&world));
    let world = Arc::new(Mutex::new(world));
    let moving = Arc::clone(&world);
    // A third of all accounts get other code, and what they had nobody has.
    let event = move || {
        let mut world = moving.lock();
        world.commit(&coded(78).collect::<Vec<_>>());
        for round in 0..13_u16 {
            world.commit(&[Change::Balance(1_000 + round, 5)]);
        }
    };
    let lacks = Some(keccak256([77; 300]));
    let peer = Peer { lacks, event: Some((25, Arc::new(event))), ..peer };
    let directory = tempfile::tempdir().unwrap();
    let ends = fetch(&start_of, vec![(peer, NEAR)], &[], directory.path());
    assert_eq!((ends[0].targets, ends[0].liars), (2, 0));
    let number = assert_fetched(&world.lock(), directory.path());
    assert!(number > 8, "{number}");
}

#[test]
fn i4_who_offers_an_old_state_for_ever_and_sends_nothing_of_it_holds_nobody_up() {
    for holders in 0..3 {
        let world = Arc::new(Mutex::new(populated(600, 7, 5)));
        let directory = tempfile::tempdir().unwrap();
        let holder = |world: &World| {
            let mut holder = honest(world);
            holder.offer = holder.library.answer(&Request::Pivots);
            holder.lazy = Some(Lazy::Holds);
            (holder, NEAR)
        };
        let mut peers: Vec<_> = (0..holders).map(|_| holder(&world.lock())).collect();
        let moving = Arc::clone(&world);
        // The only one who serves has newer states alone after a while.
        let event = move || {
            let mut world = moving.lock();
            for round in 0..14_u16 {
                world.commit(&[Change::Balance(1_000 + round, 5)]);
            }
        };
        let peer = honest(&world.lock());
        peers.push((Peer { event: Some((25, Arc::new(event))), ..peer }, NEAR));
        let start = world.lock().start.clone();
        let ends = fetch(&start, peers, &[], directory.path());
        assert_eq!(ends.len(), 1, "{holders} that hold");
        assert!(ends[0].targets >= 2, "{holders} that hold: {ends:?}");
    }
}
