//! Crashes, lossy links and restarts in virtual time.

use std::{
    collections::BTreeSet,
    num::{NonZeroU64, NonZeroUsize},
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use alloy_primitives::Address;
use commonware_actor::Feedback;
use commonware_codec::DecodeExt as _;
use commonware_consensus::{Heightable as _, Reporter, marshal::Update, simplex::types::Vote};
use commonware_cryptography::keccak256::Digest;
use commonware_glue::simulate::{
    action::{Action, Crash, Schedule},
    engine::{EngineDefinition, InitContext},
    exit::{ExitCondition, ProcessedHeightAtLeast},
    plan::{PlanBuilder, PlanResult},
    processed::ProcessedHeight,
    reporter::MonitorReporter,
    tracker::ProgressTracker,
};
use commonware_p2p::{
    BlockedSubscription, Blocker, LimitedSender, Message, Recipients,
    simulated::{Control, Link, Receiver, Sender},
    utils::mux,
};
use commonware_runtime::{
    Handle, IoBuf, Quota, Spawner as _, Supervisor as _, deterministic::Context,
};
use commonware_utils::{NZU32, probability};
use futures::future::{BoxFuture, Either, ready, select, select_all};
use parking_lot::Mutex;
use sahara_chain::consensus::{
    CHANNELS, Channels, Ledger as _, Peers, Timing, ValidatorConfig, start,
};
use sahara_finality::{
    Block, ChainIdentity, EpochRules, Handover, LightClient, MAX_BLOCK_BYTES, NetworkPublicKey,
    Scheme, Transaction, ValidatorKeys, ValidatorSet, check_child, closes_epoch, epoch_of, signer,
    verify_finalization,
};

use crate::{
    byzantine::{Deviator, deviate},
    clocks::Shifted,
    ledger::{BLOCK_TRANSACTIONS, CHAIN_ID, MemoryLedger, Pool, Power},
    twins::Twins,
};

/// Of the tests in which seeds move what happens.
pub(crate) const FIRST_SEED: u64 = 7;

const LIMITS: Quota = Quota::per_second(NZU32!(100_000)).allow_burst(NZU32!(2_048));

/// Who was let in: by which node, under which number, and whom.
type LetIn = Vec<(usize, u64, Vec<NetworkPublicKey>)>;

/// What was sent on the channel of votes, and which node took it from the network.
type Heard = Vec<(usize, IoBuf)>;

/// The nodes, and what of each survives a crash.
#[derive(Clone)]
pub(crate) struct Network {
    /// Of epoch 0.
    pub(crate) validators: ValidatorSet,
    pub(crate) keys: Vec<ValidatorKeys>,
    pub(crate) ledgers: Arc<Mutex<Vec<MemoryLedger>>>,
    /// On a restart, the ledger's disk is cut to this height.
    pub(crate) loses_blocks_above: Option<usize>,
    /// The node at this place has an empty consensus directory on a restart.
    pub(crate) loses_archives: Option<usize>,
    pub(crate) power: Power,
    /// At each start of a node, by how many blocks its ledger is ahead of what marshal delivered.
    pub(crate) ahead: Arc<Mutex<Vec<u64>>>,
    pub(crate) let_in: Arc<Mutex<LetIn>>,
    /// A validator that does not keep to the protocol.
    pub(crate) deviator: Option<Deviator>,
    /// A validator that runs twice.
    pub(crate) twins: Option<Twins>,
    /// By how much the clock of each node is ahead.
    pub(crate) clocks: Vec<Duration>,
    /// Whose votes are written down where they arrive.
    pub(crate) listens_to: Option<usize>,
    pub(crate) heard: Arc<Mutex<Heard>>,
    /// Who refuses to hear whom any more.
    pub(crate) blocked: Arc<Mutex<BTreeSet<(usize, NetworkPublicKey)>>>,
    /// How often a node had opened its files.
    pub(crate) started: Arc<Mutex<usize>>,
    /// How often a node ended by itself, after that.
    pub(crate) ended: Arc<Mutex<usize>>,
    /// How many blocks marshal delivered, and how many of them the ledger had by then.
    pub(crate) delivered: Arc<Mutex<(usize, usize)>>,
}

/// A sender that reaches all others, or some.
#[derive(Clone, Debug)]
pub(crate) struct Toward {
    inner: Sender<NetworkPublicKey, Context>,
    only: Option<Vec<NetworkPublicKey>>,
}

impl Toward {
    pub(crate) const fn only(
        some: Vec<NetworkPublicKey>,
        inner: Sender<NetworkPublicKey, Context>,
    ) -> Self {
        Self { inner, only: Some(some) }
    }
}

impl LimitedSender for Toward {
    type PublicKey = NetworkPublicKey;
    type Checked<'a> = <Sender<NetworkPublicKey, Context> as LimitedSender>::Checked<'a>;

    fn check(
        &mut self,
        recipients: Recipients<NetworkPublicKey>,
    ) -> Result<Self::Checked<'_>, SystemTime> {
        let recipients = match (&self.only, recipients) {
            (None, recipients) => recipients,
            (Some(only), recipients) => {
                let is_meant = |one: &&NetworkPublicKey| match &recipients {
                    Recipients::All => true,
                    Recipients::Some(some) => some.contains(one),
                    Recipients::One(other) => *one == other,
                };
                Recipients::Some(only.iter().filter(is_meant).cloned().collect())
            }
        };
        self.inner.check(recipients)
    }
}

/// A receiver that writes down what came from one node.
#[derive(Debug)]
struct Overheard {
    inner: Receiver<NetworkPublicKey>,
    /// From whom, who takes it, and where it is written down.
    of: Option<(NetworkPublicKey, usize, Arc<Mutex<Heard>>)>,
}

impl commonware_p2p::Receiver for Overheard {
    type Error = <Receiver<NetworkPublicKey> as commonware_p2p::Receiver>::Error;
    type PublicKey = NetworkPublicKey;

    async fn recv(&mut self) -> Result<Message<NetworkPublicKey>, Self::Error> {
        let message = commonware_p2p::Receiver::recv(&mut self.inner).await?;
        if let Some((from, by, heard)) = &self.of
            && message.0 == *from
        {
            heard.lock().push((*by, message.1.clone()));
        }
        Ok(message)
    }

    fn capacity(&self) -> NonZeroUsize {
        commonware_p2p::Receiver::capacity(&self.inner)
    }
}

/// Blocks, and writes down whom.
#[derive(Clone)]
struct Noted {
    inner: Control<NetworkPublicKey, Context>,
    by: usize,
    blocked: Arc<Mutex<BTreeSet<(usize, NetworkPublicKey)>>>,
}

impl Blocker for Noted {
    type PublicKey = NetworkPublicKey;

    fn block(&mut self, peer: NetworkPublicKey) -> Feedback {
        self.blocked.lock().insert((self.by, peer.clone()));
        self.inner.block(peer)
    }

    fn blocked(&mut self) -> BlockedSubscription<NetworkPublicKey> {
        self.inner.blocked()
    }
}

/// A validator's channels, in the order of [`CHANNELS`].
pub(crate) type Wires = Vec<(Toward, Receiver<NetworkPublicKey>)>;

/// Looks at what marshal delivers.
#[derive(Clone)]
struct Watched<R> {
    inner: R,
    ledger: MemoryLedger,
    delivered: Arc<Mutex<(usize, usize)>>,
}

impl<R: Reporter<Activity = Update<Block>>> Reporter for Watched<R> {
    type Activity = Update<Block>;

    fn report(&mut self, update: Update<Block>) -> Feedback {
        if self.ledger.power.is_off() {
            return Feedback::Closed;
        }
        if let Update::Block(block, _) = &update {
            let height = block.height().get();
            self.ledger.delivered.lock().push(height);
            let mut delivered = self.delivered.lock();
            delivered.0 += 1;
            delivered.1 += usize::from(self.ledger.last_finalized() >= height);
        }
        self.inner.report(update)
    }
}

impl Network {
    pub(crate) fn new(count: u8, pool: &Arc<Pool>) -> Self {
        let all: Vec<_> = (0..usize::from(count)).collect();
        Self::with_epochs(count, &all, 10_000, pool)
    }

    /// `count` nodes, of which those at `first` validate in epoch 0.
    pub(crate) fn with_epochs(count: u8, first: &[usize], length: u64, pool: &Arc<Pool>) -> Self {
        let mut keys: Vec<_> =
            (1..=count).map(|seed| ValidatorKeys::from_secret(&[seed; 32]).unwrap()).collect();
        keys.sort_by_key(|one| one.validator(Address::ZERO).network_key);
        let validators = set_of(&keys, first);
        let length = NonZeroU64::new(length).unwrap();
        let power = Power::default();
        let ledger = || MemoryLedger::with_epochs(&validators, Arc::clone(pool), length);
        let ledgers = (0..count).map(|_| ledger().powered_by(&power)).collect();
        Self {
            ledgers: Arc::new(Mutex::new(ledgers)),
            validators,
            keys,
            loses_blocks_above: None,
            loses_archives: None,
            power,
            ahead: Arc::default(),
            let_in: Arc::default(),
            deviator: None,
            twins: None,
            clocks: vec![Duration::ZERO; usize::from(count)],
            listens_to: None,
            heard: Arc::default(),
            blocked: Arc::default(),
            started: Arc::default(),
            ended: Arc::default(),
            delivered: Arc::default(),
        }
    }

    /// The set of the nodes at these places.
    pub(crate) fn set(&self, members: &[usize]) -> ValidatorSet {
        set_of(&self.keys, members)
    }

    pub(crate) fn chain(&self) -> ChainIdentity {
        let ledger = self.ledgers.lock()[0].clone();
        ChainIdentity { chain_id: CHAIN_ID, genesis: ledger.genesis().hash() }
    }

    pub(crate) fn key(&self, index: usize) -> NetworkPublicKey {
        self.keys[index].validator(Address::ZERO).network_key
    }

    /// Starts a validator. Everything runs below one task, so that a crash takes all of it.
    pub(crate) fn launch(
        &self,
        init: &InitContext<'_, NetworkPublicKey>,
        context: Context,
        (ledger, partition): (MemoryLedger, String),
        channels: Wires,
    ) -> Handle<()> {
        let (index, key, monitor) = (init.index, init.public_key.clone(), init.monitor.clone());
        let config = ValidatorConfig {
            chain: self.chain(),
            keys: self.keys[index].clone(),
            timing: Timing::default(),
            partition,
            guard: None,
        };
        let channels = named(self.overheard(index, channels));
        let let_in = Arc::clone(&self.let_in);
        let peers = Peers {
            provider: init.oracle.manager(),
            blocker: Noted {
                inner: init.oracle.control(key.clone()),
                by: index,
                blocked: Arc::clone(&self.blocked),
            },
            track: Box::new(move |id, next, current| {
                let peers = next.iter().chain(current);
                let keys = peers.map(|one| one.network_key.clone()).collect();
                let_in.lock().push((index, id, keys));
            }),
        };
        let (ended, delivered) = (Arc::clone(&self.ended), Arc::clone(&self.delivered));
        let (started, ahead) = (Arc::clone(&self.started), self.clocks[index]);
        let power = self.power.clone();
        context.spawn(move |context| async move {
            let context = Shifted::new(context, ahead);
            let watched = ledger.clone();
            let observe = |delivery| {
                let inner = MonitorReporter::new(key, monitor, delivery);
                Watched { inner, ledger: watched, delivered }
            };
            let engine = start(context, config, ledger, (peers, channels), observe);
            let engine = Box::pin(engine).await;
            *started.lock() += 1;
            // As in a process: a part that ends or panics ends the whole.
            let parts = select_all(engine.parts.into_iter().map(|(_, part)| part));
            let off = std::pin::pin!(power.off());
            match select(parts, off).await {
                Either::Left(_) => *ended.lock() += 1,
                Either::Right(_) => {}
            }
        })
    }

    /// A validator's channels, of which that of votes is listened to.
    fn overheard(&self, by: usize, channels: Wires) -> Vec<(Toward, Overheard)> {
        let votes = CHANNELS[0];
        let listen = |(channel, (sender, inner)): (u64, (Toward, Receiver<NetworkPublicKey>))| {
            let to = self.listens_to.filter(|_| channel == votes);
            let of = to.map(|place| (self.key(place), by, Arc::clone(&self.heard)));
            (sender, Overheard { inner, of })
        };
        CHANNELS.into_iter().zip(channels).map(listen).collect()
    }

    /// What nodes took from the network of who is listened to, as votes, each with its taker; all of them
    /// were sent where the engines of `epoch` listen.
    pub(crate) fn heard_votes(&self, epoch: u64) -> Vec<(usize, Vote<Scheme, Digest>)> {
        let heard = self.heard.lock();
        let read = |(by, bytes): &(usize, IoBuf)| {
            let (subchannel, vote) = mux::parse(bytes.clone()).unwrap();
            assert_eq!(subchannel, epoch, "no engine listens there");
            (*by, Vote::<Scheme, Digest>::decode(vote).unwrap())
        };
        heard.iter().map(read).collect()
    }

    /// The final chain of each validator.
    pub(crate) fn chains(&self) -> Vec<Vec<Arc<Block>>> {
        self.ledgers.lock().iter().map(|one| one.disk.lock().blocks.clone()).collect()
    }
}

fn set_of(keys: &[ValidatorKeys], members: &[usize]) -> ValidatorSet {
    let member = |index: &usize| keys[*index].validator(Address::repeat_byte(9));
    ValidatorSet::new(members.iter().map(member).collect()).unwrap()
}

/// The ledger of a validator; a deviator has none and holds nobody up.
#[derive(Clone)]
pub(crate) struct State(Option<MemoryLedger>);

impl ProcessedHeight for State {
    async fn processed_height(&self) -> u64 {
        self.0.as_ref().map_or(u64::MAX, MemoryLedger::last_finalized)
    }
}

impl EngineDefinition for Network {
    type PublicKey = NetworkPublicKey;
    type Engine = Handle<()>;
    type State = State;

    fn participants(&self) -> Vec<NetworkPublicKey> {
        (0..self.keys.len()).map(|index| self.key(index)).collect()
    }

    fn channels(&self) -> Vec<(u64, Quota)> {
        CHANNELS.iter().map(|channel| (*channel, LIMITS)).collect()
    }

    fn max_message_size(&self) -> u32 {
        u32::try_from(MAX_BLOCK_BYTES + 1024).unwrap()
    }

    async fn init(&self, mut init: InitContext<'_, NetworkPublicKey>) -> (Handle<()>, State) {
        let index = init.index;
        if let Some(deviator) = self.deviator.filter(|deviator| deviator.index == index) {
            let consensus = self.keys[index].consensus.clone();
            let scheme = signer(&self.chain(), &self.validators, consensus).unwrap();
            let liar = deviate(deviator, &init.context, scheme, init.channels);
            return (liar.await, State(None));
        }
        if let Some(twins) = self.twins.as_ref().filter(|twins| twins.index == index) {
            return (twins.start(self, init), State(None));
        }
        let ledger = self.ledgers.lock()[index].restarted();
        if let Some(height) = self.loses_blocks_above {
            ledger.lose_blocks_above(height);
        }
        self.ledgers.lock()[index] = ledger.clone();
        self.power.restore();
        let (applied, delivered) = (ledger.last_finalized(), ledger.last_delivered());
        self.ahead.lock().push(applied.saturating_sub(delivered));
        let is_new = delivered > 0 && self.loses_archives == Some(index);
        let partition = format!("validator-{index}{}", if is_new { "-new" } else { "" });
        let everywhere = |(inner, receiver)| (Toward { inner, only: None }, receiver);
        let channels = std::mem::take(&mut init.channels).into_iter().map(everywhere).collect();
        let context = init.context.child("root");
        let root = self.launch(&init, context, (ledger.clone(), partition), channels);
        (root, State(Some(ledger)))
    }

    fn start(engine: Handle<()>) -> Handle<()> {
        engine
    }
}

/// A validator's channels, registered in the order of [`CHANNELS`].
fn named<S, R>(channels: Vec<(S, R)>) -> Channels<S, R> {
    let mut channels = channels.into_iter();
    let mut next = || channels.next().unwrap();
    Channels {
        votes: next(),
        certificates: next(),
        resolver: next(),
        backfill: next(),
        blocks: next(),
    }
}

pub(crate) const NO_LOSS: Link = Link {
    latency: Duration::from_millis(10),
    jitter: Duration::from_millis(5),
    success_rate: probability!(1.0),
};

/// Over which nothing comes.
const SILENT: Link = Link { success_rate: probability!(0.0), ..NO_LOSS };

/// Silences the links between two groups of nodes, in both directions.
pub(crate) fn cut(network: &Network, groups: [&[usize]; 2]) -> Vec<Action<NetworkPublicKey>> {
    let mut actions = Vec::new();
    for left in groups[0] {
        for right in groups[1] {
            for (from, to) in [(left, right), (right, left)] {
                let (from, to) = (network.key(*from), network.key(*to));
                actions.push(Action::UpdateLink { from, to, link: SILENT });
            }
        }
    }
    actions
}

/// Once a node was started again: when all have this height.
#[derive(Clone)]
struct AfterRestart {
    starts: Arc<Mutex<Vec<u64>>>,
    nodes: usize,
    height: ProcessedHeightAtLeast,
}

impl ExitCondition<NetworkPublicKey, State> for AfterRestart {
    fn name(&self) -> &str {
        "after_restart"
    }

    fn requires_polling(&self) -> bool {
        true
    }

    fn reached<'a>(
        &'a self,
        tracker: &'a ProgressTracker<NetworkPublicKey>,
        states: &'a [&'a State],
        target_count: usize,
    ) -> BoxFuture<'a, Result<bool, String>> {
        if self.starts.lock().len() <= self.nodes {
            return Box::pin(ready(Ok(false)));
        }
        self.height.reached(tracker, states, target_count)
    }
}

/// The node at `place` crashes at `crash`, and comes back a second later without a link to anybody and
/// with a ledger that lost what is above [`Network::loses_blocks_above`]. The run ends when it has
/// `height` again, and fails when it never has.
pub(crate) fn refill_alone(network: &Network, (place, crash, height): (usize, Duration, u64)) {
    let others: Vec<_> = (0..network.keys.len()).filter(|index| *index != place).collect();
    let mut schedule = Schedule::new().at(crash, Action::Crash(network.key(place)));
    for action in cut(network, [&[place], &others]) {
        schedule = schedule.at(crash, action);
    }
    schedule = schedule.at(crash + Duration::from_secs(1), Action::Restart(network.key(place)));
    let until = AfterRestart {
        starts: Arc::clone(&network.ahead),
        nodes: network.keys.len(),
        height: ProcessedHeightAtLeast::new(height),
    };
    let plan = plan(network, height).exit_condition(until);
    let result = run(plan.crash(Crash::Schedule(schedule)));
    assert_eq!(result.crashes, 1);
}

/// What a seed decides, it decides again, event for event.
pub(crate) fn assert_same(disturb: impl Fn() -> (PlanResult<Network>, Network)) {
    let [first, again] = [(); 2].map(|()| {
        let (result, network) = disturb();
        (result.state, result.crashes, network.chains())
    });
    assert_eq!(first, again);
}

/// The seeds of a test: the usual number, or as many as `SAHARA_SEEDS` says (`cargo xtask soak
/// simulation`).
#[expect(clippy::disallowed_methods, reason = "a soak has no other way to say how many")]
pub(crate) fn seeds(first: u64, usual: u64) -> Range<u64> {
    let asked = std::env::var("SAHARA_SEEDS").ok().and_then(|count| count.parse().ok());
    first..first + asked.unwrap_or(usual)
}

/// By how much what happens in a run is later than with the first seed: up to two seconds.
pub(crate) const fn later(seed: u64) -> Duration {
    Duration::from_millis(seed.saturating_sub(FIRST_SEED).saturating_mul(311) % 2_000)
}

/// A place among `count` that differs from seed to seed.
pub(crate) fn place(seed: u64, first: usize, count: usize) -> usize {
    (first + usize::try_from(seed - FIRST_SEED).unwrap()) % count
}

pub(crate) fn plan(network: &Network, height: u64) -> PlanBuilder<Network> {
    PlanBuilder::new(network.clone())
        .seed(7)
        .link(NO_LOSS)
        .exit_condition(ProcessedHeightAtLeast::new(height))
        .timeout(Duration::from_secs(600))
}

pub(crate) fn run(plan: PlanBuilder<Network>) -> PlanResult<Network> {
    plan.run().unwrap().pop().unwrap()
}

/// What must hold of everything that was finalised: one chain (I7), every link of which keeps the
/// rules (I6), no transaction twice, every certificate holds (I3), and who knows the genesis hash
/// can follow the sets to the end (I12).
pub(crate) fn assert_one_chain(network: &Network) {
    let chain = network.chain();
    let chains = network.chains();
    let longest = chains.iter().max_by_key(|one| one.len()).unwrap();
    for other in &chains {
        assert_eq!(other.as_slice(), &longest[..other.len()], "i7: there is a fork");
    }
    let ledger = longest_ledger(network);
    let length = ledger.epoch_length();
    let mut parent = ledger.genesis();
    let mut seen = BTreeSet::new();
    for block in longest {
        let number = block.header.number;
        let epoch = epoch_of(number, length);
        let next = ledger.validators(Some(parent.hash()), epoch + 1).unwrap().hash();
        let rules = EpochRules {
            length,
            validators: &ledger.validators(None, epoch).unwrap(),
            next_validators: closes_epoch(number, length).then_some(next),
        };
        check_child(&parent, block, &chain, &rules).unwrap();
        let hashes = block.transactions.iter().map(Transaction::hash);
        hashes.for_each(|hash| assert!(seen.insert(hash), "a transaction is final twice"));
        parent = (**block).clone();
    }
    let longest_ledger = ledger;
    let ledgers = network.ledgers.lock().clone();
    for ledger in ledgers {
        let (blocks, certificates) = {
            let disk = ledger.disk.lock();
            (disk.blocks.clone(), disk.certificates.clone())
        };
        let certified = blocks.iter().zip(&certificates);
        let certified = certified.filter_map(|(block, bytes)| Some((block, bytes.as_ref()?)));
        let mut count = 0;
        for (block, bytes) in certified {
            let epoch = epoch_of(block.header.number, length);
            let validators = longest_ledger.validators(None, epoch).unwrap();
            verify_finalization(&chain, (epoch, &validators), block.hash(), bytes).unwrap();
            count += 1;
        }
        let is_most = blocks.is_empty() || count * 2 > blocks.len();
        assert!(is_most, "most blocks have a certificate of their own");
    }
    follow_sets(network);
}

fn longest_ledger(network: &Network) -> MemoryLedger {
    let ledgers = network.ledgers.lock();
    ledgers.iter().max_by_key(|one| one.last_finalized()).unwrap().clone()
}

/// A stranger with the genesis hash verifies the sets from epoch to epoch, from what any node has
/// stored, up to the last certificate.
fn follow_sets(network: &Network) {
    let ledgers = network.ledgers.lock().clone();
    for ledger in ledgers {
        let (length, genesis) = (ledger.epoch_length(), ledger.genesis());
        let header = alloy_rlp::encode(&genesis.header);
        let first = network.validators.clone();
        let mut client = LightClient::new(genesis.hash(), &header, CHAIN_ID, first).unwrap();
        let (blocks, certificates) = {
            let disk = ledger.disk.lock();
            (disk.blocks.clone(), disk.certificates.clone())
        };
        for (block, certificate) in blocks.iter().zip(certificates) {
            let number = block.header.number;
            if closes_epoch(number, length) {
                assert!(certificate.is_some(), "the last block of an epoch has a certificate");
            }
            let Some(certificate) = certificate else { continue };
            let header = alloy_rlp::encode(&block.header);
            assert_eq!(client.verify(&header, &certificate).unwrap().hash(), block.hash());
            let epoch = epoch_of(number, length);
            let next = ledger.validators(None, epoch + 1).unwrap();
            // Only ends of epochs that change something have to be shown.
            if closes_epoch(number, length) && Some(&next) != client.validators(epoch) {
                let seal = block.seal.encoded().into();
                let (header, certificate) = (header.into(), certificate.into());
                let handover = Handover { header, seal, certificate, validators: next };
                client.hand_over(&handover).unwrap();
            }
        }
    }
}

/// The milliseconds between each block and the one before.
pub(crate) fn intervals(network: &Network) -> Vec<u64> {
    let chains = network.chains();
    let longest = chains.iter().max_by_key(|one| one.len()).unwrap();
    longest.windows(2).map(|pair| pair[1].milliseconds() - pair[0].milliseconds()).collect()
}

#[test]
fn i7_four_validators_finalise_one_chain() {
    for seed in seeds(1, 3) {
        let network = Network::new(4, &Pool::with(40));
        run(plan(&network, 20).seed(seed));
        assert_one_chain(&network);
    }
}

/// A quorum of 27, and a certificate whose signers take more than a byte to name.
#[test]
fn i7_i8_forty_validators_finalise_one_chain_across_the_end_of_an_epoch() {
    let all: Vec<_> = (0..40).collect();
    let network = Network::with_epochs(40, &all, 4, &Pool::with(6));
    run(plan(&network, 5));
    assert_one_chain(&network);
    let chains = network.chains();
    assert!(chains.iter().all(|one| one.len() >= 5));
    let epochs: BTreeSet<_> =
        chains[0].iter().map(|one| one.seal.as_round().unwrap().epoch).collect();
    assert!(epochs.is_superset(&BTreeSet::from([0, 1])), "{epochs:?}");
}

#[test]
fn i8_one_of_four_crashes_and_the_others_go_on_and_take_it_back() {
    for seed in seeds(FIRST_SEED, 1) {
        let network = Network::new(4, &Pool::with(0));
        let (crash, restart) = (Duration::from_secs(4), Duration::from_secs(60));
        let crashed = place(seed, 1, 4);
        let schedule = Schedule::new()
            .at(crash + later(seed), Action::Crash(network.key(crashed)))
            .at(restart + later(seed), Action::Restart(network.key(crashed)));
        run(plan(&network, 40).seed(seed).crash(Crash::Schedule(schedule)));
        assert_one_chain(&network);
        let chain = network.chains()[crashed].clone();
        let away = Duration::from_secs(5) + later(seed)..restart + later(seed);
        let is_without =
            |one: &&Arc<Block>| away.contains(&Duration::from_millis(one.milliseconds()));
        let without = chain.iter().filter(is_without).count();
        assert!(without > 25, "{without} blocks in 55 seconds without it, seed {seed}");
        // Its first turns cost the leader timeout, later ones only the messages to skip it.
        let intervals = intervals(&network);
        assert!(intervals.iter().all(|one| *one < 4_500), "{intervals:?}, seed {seed}");
    }
}

#[test]
fn i8_two_of_four_crash_and_the_chain_halts_and_resumes() {
    for seed in seeds(FIRST_SEED, 1) {
        let network = Network::new(4, &Pool::with(0));
        let crash = Duration::from_secs(5) + later(seed);
        let restart = Duration::from_secs(65) + later(seed);
        let crashed = [place(seed, 0, 4), place(seed, 2, 4)].map(|index| network.key(index));
        let mut schedule = Schedule::new();
        for key in &crashed {
            schedule = schedule.at(crash, Action::Crash(key.clone()));
        }
        for key in crashed {
            schedule = schedule.at(restart, Action::Restart(key));
        }
        run(plan(&network, 20).seed(seed).crash(Crash::Schedule(schedule)));
        assert_one_chain(&network);
        let intervals = intervals(&network);
        let pauses = intervals.iter().filter(|one| **one > 50_000).count();
        assert_eq!(pauses, 1, "the chain stood still once: {intervals:?}, seed {seed}");
    }
}

/// One of four crashes again and again, and comes back.
fn restart_at_random(seed: u64) -> (PlanResult<Network>, Network) {
    let network = Network::new(4, &Pool::with(60));
    let result = run(plan(&network, 30).seed(seed).crash(Crash::Random {
        frequency: Duration::from_millis(700),
        downtime: Duration::from_millis(300),
        count: 1,
    }));
    (result, network)
}

#[test]
fn i9_restarts_lose_and_repeat_nothing() {
    for seed in seeds(7, 1) {
        let (result, network) = restart_at_random(seed);
        assert!(result.crashes > 5, "only {} crashes", result.crashes);
        assert_one_chain(&network);
        for ledger in network.ledgers.lock().iter() {
            assert!(ledger.most_executions() <= 1, "a block was executed twice");
        }
    }
}

#[test]
fn i9_a_block_is_applied_when_it_is_decided_and_not_when_it_is_archived() {
    let network = Network::new(4, &Pool::with(40));
    run(plan(&network, 20));
    assert_one_chain(&network);
    let (delivered, applied) = *network.delivered.lock();
    assert!(delivered >= 60, "{delivered} blocks were delivered");
    assert!(applied * 10 > delivered * 9, "{applied} of {delivered} were applied before");
}

#[test]
fn i9_a_ledger_that_lost_blocks_gets_them_from_the_archive() {
    let mut network = Network::new(4, &Pool::with(0));
    network.loses_blocks_above = Some(2);
    refill_alone(&network, (3, Duration::from_secs(8), 5));
    assert_one_chain(&network);
}

/// Over slow links that lose one message in seven.
fn lossy(seed: u64, height: u64) -> (PlanResult<Network>, Network) {
    let link = Link {
        latency: Duration::from_millis(80),
        jitter: Duration::from_millis(60),
        success_rate: probability!(0.85),
    };
    let network = Network::new(4, &Pool::with(40));
    let result = run(plan(&network, height).seed(seed).link(link));
    (result, network)
}

#[test]
fn i7_a_lossy_network_makes_no_fork() {
    for seed in seeds(7, 1) {
        let (_, network) = lossy(seed, 15);
        assert_one_chain(&network);
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let runs = [7, 7, 8].map(|seed| {
        let network = Network::new(4, &Pool::with(20));
        let result = run(plan(&network, 8).seed(seed));
        (result.state, network.chains()[0][..8].to_vec())
    });
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0].0, runs[2].0);
}

#[test]
fn the_same_seed_gives_the_same_run_with_restarts_at_random_moments() {
    assert_same(|| restart_at_random(9));
}

#[test]
fn the_same_seed_gives_the_same_run_over_lossy_links() {
    assert_same(|| lossy(8, 6));
}

#[test]
fn i10_blocks_come_at_once_with_work_and_once_a_second_without() {
    let network = Network::new(4, &Pool::with(15));
    run(plan(&network, 10));
    assert_one_chain(&network);
    let chain = &network.chains()[0];
    let busy = chain.iter().take_while(|one| !one.transactions.is_empty()).count();
    assert_eq!(busy, 15 / BLOCK_TRANSACTIONS, "work goes into full blocks, one after the other");
    let intervals = intervals(&network);
    let (fast, slow) = intervals.split_at(busy - 1);
    assert!(fast.iter().all(|one| *one < 150), "{fast:?}");
    assert!(slow.iter().all(|one| (1_000..1_200).contains(one)), "{slow:?}");
}
