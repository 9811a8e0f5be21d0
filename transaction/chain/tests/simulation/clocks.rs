//! Clocks that differ (I19): a leader may date a block 500 ms ahead of a voter's clock, and a voter waits for
//! what is further ahead.
//!
//! Time in the simulation begins with Unix time, so a clock that is behind is one of which the others are ahead.

use std::{
    collections::BTreeSet,
    fmt::Display,
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use commonware_consensus::{
    Viewable as _,
    simplex::{elector::Elector as _, types::Vote},
    types::{Epoch, Round, View},
};
use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, Metrics, Name, Spawner, Storage, Supervisor,
    deterministic::Context,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};
use sahara_chain::consensus::Leaders;

use crate::{
    ledger::Pool,
    simulated::{FIRST_SEED, Network, assert_one_chain, intervals, plan, run, seeds},
};

/// A runtime whose clock is ahead.
pub(crate) struct Shifted {
    inner: Context,
    ahead: Duration,
}

impl Shifted {
    pub(crate) const fn new(inner: Context, ahead: Duration) -> Self {
        Self { inner, ahead }
    }
}

impl Clock for Shifted {
    fn current(&self) -> SystemTime {
        self.inner.current() + self.ahead
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep(duration)
    }

    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.inner.sleep_until(deadline - self.ahead)
    }
}

impl GovernorClock for Shifted {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl ReasonablyRealtime for Shifted {}

impl Supervisor for Shifted {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        Self { inner: self.inner.child(label), ..*self }
    }

    fn with_attribute(self, key: &'static str, value: impl Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), ahead: self.ahead }
    }
}

impl Spawner for Shifted {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), ahead: self.ahead }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), ahead: self.ahead }
    }

    fn spawn<W, Fut, T>(self, work: W) -> Handle<T>
    where
        W: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let ahead = self.ahead;
        self.inner.spawn(move |inner| work(Self { inner, ahead }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl Metrics for Shifted {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl Storage for Shifted {
    type Blob = <Context as Storage>::Blob;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Self::Blob, u64, BlobVersion), Error> {
        self.inner.open_versioned(partition, name, versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.inner.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.inner.scan(partition).await
    }
}

impl TryRng for Shifted {
    type Error = <Context as TryRng>::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Self::Error> {
        self.inner.try_fill_bytes(destination)
    }
}

impl TryCryptoRng for Shifted {}

/// Whose clock is another in these tests.
const OTHER: usize = 1;

/// What came of a network whose clocks are ahead by so many milliseconds.
struct Outcome {
    network: Network,
    /// The views of the final blocks.
    views: BTreeSet<u64>,
    /// The views of the proposals that [`OTHER`] voted for, as others heard it, and led itself.
    own: BTreeSet<u64>,
    /// And of those that others led.
    of_others: BTreeSet<u64>,
}

fn outcome(ahead: [u64; 4], seed: u64) -> Outcome {
    let mut network = Network::new(4, &Pool::with(9));
    network.clocks = ahead.map(Duration::from_millis).to_vec();
    network.listens_to = Some(OTHER);
    run(plan(&network, 14).seed(seed));
    assert_one_chain(&network);
    let views = network.chains()[0].iter().map(|one| one.seal.as_round().unwrap().view).collect();
    let is_notarize = |(_, vote): &(usize, Vote<_, _>)| matches!(vote, Vote::Notarize(_));
    let votes = network.heard_votes(0).into_iter().filter(is_notarize);
    // The genesis block of these tests has no randomness.
    let leaders = Leaders { seed: B256::ZERO }.schedule(4);
    let leads = |view: &u64| {
        let round = Round::new(Epoch::new(0), View::new(*view));
        usize::from(leaders.elect(round, ())) == OTHER
    };
    let (own, of_others) = votes.map(|(_, vote)| vote.view().get()).partition(leads);
    Outcome { network, views, own, of_others }
}

/// The chain goes on: a turn that is lost costs the time of a round and a heartbeat.
fn assert_goes_on(network: &Network) {
    let intervals = intervals(network);
    assert!(intervals.iter().all(|one| *one < 5_000), "{intervals:?}");
}

#[test]
fn i19_a_clock_that_is_a_little_ahead_changes_nothing() {
    for seed in seeds(FIRST_SEED, 1) {
        let Outcome { network, views, own, of_others } = outcome([0, 400, 0, 0], seed);
        let (first, last) = (views.first().unwrap(), views.last().unwrap());
        assert!(views.iter().copied().eq(*first..=*last), "a view was skipped: {views:?}");
        assert!(!own.is_disjoint(&views) && !of_others.is_disjoint(&views), "seed {seed}");
        // Its blocks are dated 400 ms after their time, and those that follow are not.
        let intervals = intervals(&network);
        assert!(intervals.iter().any(|one| (1_350..1_600).contains(one)), "{intervals:?}");
        assert!(intervals.iter().all(|one| *one < 1_600), "{intervals:?}");
    }
}

#[test]
fn i19_a_leader_whose_clock_is_far_ahead_loses_its_turns_and_blocks_go_on() {
    for seed in seeds(FIRST_SEED, 1) {
        let Outcome { network, views, own, of_others } = outcome([0, 10_000, 0, 0], seed);
        assert!(!own.is_empty(), "it proposed nothing, seed {seed}");
        assert!(own.is_disjoint(&views), "what it dated ahead is final: {own:?}, seed {seed}");
        assert!(!of_others.is_disjoint(&views), "it votes for what others propose, seed {seed}");
        assert_goes_on(&network);
    }
}

#[test]
fn i19_a_voter_whose_clock_is_far_behind_loses_its_votes_and_blocks_go_on() {
    for seed in seeds(FIRST_SEED, 1) {
        let Outcome { network, views, own, of_others } = outcome([10_000, 0, 10_000, 10_000], seed);
        assert!(of_others.is_empty(), "it voted for what is to come: {of_others:?}, seed {seed}");
        assert!(!own.is_disjoint(&views), "it leads in its turn, seed {seed}");
        assert_goes_on(&network);
    }
}
