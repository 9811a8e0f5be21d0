//! Consensus as part of a node's process: on a thread and a runtime of its own, over TCP. A node
//! whose keys are of no validator follows and signs nothing.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use alloy_primitives::B256;
use commonware_cryptography::Signer as _;
use commonware_p2p::{
    CheckedSender as _, LimitedSender, Recipients,
    authenticated::lookup::{self, Network},
};
use commonware_runtime::{
    Clock, Handle, Metrics as _, Runner as _, Spawner as _, Supervisor as _, tokio as runtime,
};
use futures::future::{Either, select, select_all};
use sahara_finality::{
    ChainIdentity, NetworkPublicKey, Seal, ValidatorKeys, ValidatorSet, epoch_of, to_hex,
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    engine::{CHANNELS, Channels, Engine, Peers, ValidatorConfig, start_erased},
    gossip::{self, GossipWire},
    guard::{Guard, GuardError, LostVotes},
    handle::{ConsensusHandle, ConsensusStatus, MetricsSource},
    ledger::{AnyLedger, Ledger, SharedLedger},
    network::{LARGE_QUOTA, SMALL_QUOTA, TcpNetwork, TcpSender, most_peers},
    progress::Heights,
    thread::Thread,
    timing::Timing,
};
use crate::sync;

/// How long the parts have to end when asked to.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// Answers about the past that wait to be taken; one at a time is asked for.
const HEARD_CAPACITY: usize = 4;
/// How often connected peers are counted.
const PEER_COUNT_INTERVAL: Duration = Duration::from_secs(1);
const PARTITION: &str = "validator";

/// What a node needs to know to take part. Who validates, the ledger's state says.
#[derive(Clone, Debug)]
pub struct ConsensusConfig {
    /// Its keys. They sign in every epoch whose validators they belong to.
    pub keys: ValidatorKeys,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where others listen: validators whose address the set does not say or who moved, and nodes
    /// that are let in without being validators.
    pub peers: Vec<(NetworkPublicKey, SocketAddr)>,
    /// Whether peers may have private or loopback addresses, and many of them one address.
    pub allow_private_addresses: bool,
    /// Where votes, blocks and certificates are kept. It belongs to the consensus key: a
    /// validator that comes back without it could contradict what it signed.
    pub storage_directory: PathBuf,
    /// Where it stands how far the key may have signed; beside the key, not in the directory.
    pub guard_file: PathBuf,
    /// What to do when the directory has lost votes.
    pub lost_votes: LostVotes,
    /// How long what may take.
    pub timing: Timing,
    /// Threads of the runtime.
    pub worker_threads: NonZeroUsize,
}

impl ConsensusConfig {
    /// Makes the directory, and tries the address: the library would panic on a taken port, after the
    /// thread is on its way.
    pub(super) fn prepare(&self) -> Result<(), ConsensusError> {
        let probe = TcpListener::bind(self.listen);
        drop(probe.map_err(|source| ConsensusError::Listen { address: self.listen, source })?);
        std::fs::create_dir_all(&self.storage_directory).map_err(ConsensusError::Start)
    }
}

/// Why a validator cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ConsensusError {
    /// The ledger's block 0 names other validators than its state, or is no genesis block.
    #[error("the genesis block {0} does not commit to the validators in the ledger's state")]
    OtherValidators(B256),
    /// The network key is a validator's, the consensus key is not.
    #[error("network key {0} is that of a validator with another consensus key")]
    NotAValidator(String),
    /// The guard of votes does not let it start.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// Nobody to connect to.
    #[error("there is no address of any other validator, such as {0}, and no peer is configured")]
    UnknownAddress(String),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// No thread, or no directory.
    #[error("cannot start consensus: {0}")]
    Start(#[source] io::Error),
    /// A part ended that never should.
    #[error("consensus stopped because its part {0} ended")]
    Ended(&'static str),
    /// Something that must not happen did.
    #[error("consensus stopped: {0}")]
    Panicked(String),
    /// The state could not be fetched.
    #[error("the state could not be fetched: {0}")]
    Join(#[from] sync::JoinError),
}

/// Runs a validator on its own thread until it is stopped.
///
/// # Errors
/// When the configuration contradicts itself or the ledger, or the address cannot be had. What
/// goes wrong later, [`ConsensusHandle::ended`] tells.
pub fn run(
    config: ConsensusConfig,
    ledger: impl Ledger,
    gossip: GossipWire,
) -> Result<ConsensusHandle, ConsensusError> {
    let ledger: SharedLedger = Arc::new(ledger);
    let mut node = Node::new(config, &*ledger)?;
    node.config.prepare()?;
    node.guard = Some(Arc::new(node.open_guard(&*ledger)?));

    let (heights_sender, heights) = watch::channel(Heights::default());
    let (metrics_sender, metrics) = watch::channel(None);
    let (peers_sender, peers) = watch::channel(0);
    let thread = Thread::start("consensus", move |stopped| {
        let (heights, peers, metrics) = (heights_sender, peers_sender, metrics_sender);
        node.run(ledger, gossip, Signals { stopped, heights, peers, metrics })
    })?;
    let status = ConsensusStatus { heights, peers, metrics };
    Ok(ConsensusHandle { thread, status })
}

struct Signals {
    stopped: oneshot::Receiver<()>,
    heights: watch::Sender<Heights>,
    peers: watch::Sender<usize>,
    metrics: watch::Sender<Option<MetricsSource>>,
}

pub(super) struct Node {
    pub(super) config: ConsensusConfig,
    pub(super) chain: ChainIdentity,
    /// Peers at one time. The network takes memory for each at once, so it is not the most there may
    /// ever be, but four times the set at the start: two sets that have nobody in common, and room to
    /// double. A node that runs while the set grows beyond is restarted once.
    pub(super) most_peers: NonZeroUsize,
    pub(super) guard: Option<Arc<Guard>>,
}

impl Node {
    fn new(config: ConsensusConfig, ledger: &dyn AnyLedger) -> Result<Self, ConsensusError> {
        let genesis = ledger.genesis();
        let hash = genesis.hash();
        let first = ledger.validators(None, 0).map(|set| set.hash());
        let chain_id = match genesis.seal {
            Seal::Genesis { chain_id, validators } if first == Some(validators) => chain_id,
            Seal::Genesis { .. } | Seal::Round(_) => {
                return Err(ConsensusError::OtherValidators(hash));
            }
        };
        let next = ledger.last_finalized().saturating_add(1);
        let epoch = epoch_of(next, ledger.epoch_length());
        let current = ledger.validators(None, epoch);
        let current = current.ok_or(ConsensusError::OtherValidators(hash))?;
        let me = config.keys.validator(alloy_primitives::Address::ZERO);
        let found = current.find(&me.network_key);
        if found.is_some_and(|found| found.consensus_key != me.consensus_key) {
            return Err(ConsensusError::NotAValidator(to_hex(&me.network_key)));
        }
        check_addresses(&current, &me.network_key, &config.peers)?;
        let most_peers = most_peers(current.len(), &config);
        let chain = ChainIdentity { chain_id, genesis: hash };
        Ok(Self { config, chain, most_peers, guard: None })
    }

    fn open_guard(&self, ledger: &dyn AnyLedger) -> Result<Guard, GuardError> {
        let key = to_hex(&self.config.keys.network.public_key());
        let ConsensusConfig { guard_file, storage_directory, lost_votes, .. } = &self.config;
        let known = (ledger.last_finalized() > 0, *lost_votes);
        Guard::open(guard_file, storage_directory, (self.chain.genesis, key), known)
    }

    fn run(
        self,
        ledger: SharedLedger,
        gossip: GossipWire,
        signals: Signals,
    ) -> Result<(), ConsensusError> {
        let settings = runtime::Config::new()
            .with_storage_directory(&self.config.storage_directory)
            .with_worker_threads(self.config.worker_threads.get());
        runtime::Runner::new(settings).start(move |context| async move {
            let (network, oracle) = Network::new(context.child("network"), self.network());
            let (parts, heights, presence) =
                Box::pin(self.start(&context, (network, oracle), ledger, gossip)).await;
            let source = context.child("metrics");
            signals.metrics.send_replace(Some(Arc::new(move || source.encode())));
            let relay = context.child("heights").spawn(move |_| relay(heights, signals.heights));
            let peers = signals.peers.clone();
            let counting =
                context.child("peers").spawn(move |clock| count_peers(clock, presence, peers));
            let outcome = supervise(parts, signals.stopped).await;
            relay.abort();
            counting.abort();
            signals.peers.send_replace(0);
            signals.metrics.send_replace(None);
            // A part that does not end in time is aborted when the runtime ends.
            let _in_time = context.stop(0, Some(STOP_PATIENCE)).await.is_ok();
            outcome
        })
    }

    async fn start(
        &self,
        context: &runtime::Context,
        (mut network, oracle): (TcpNetwork, lookup::Oracle<NetworkPublicKey>),
        ledger: SharedLedger,
        gossip: GossipWire,
    ) -> (Vec<Part>, watch::Receiver<Heights>, TcpSender) {
        let [votes, certificates, resolver, backfill, blocks] = CHANNELS;
        let channels = Channels {
            votes: network.register(votes, SMALL_QUOTA),
            certificates: network.register(certificates, SMALL_QUOTA),
            resolver: network.register(resolver, LARGE_QUOTA),
            backfill: network.register(backfill, LARGE_QUOTA),
            blocks: network.register(blocks, LARGE_QUOTA),
        };
        let transactions = network.register(gossip::CHANNEL, gossip::QUOTA);
        let states = network.register(sync::CHANNEL, sync::QUOTA);
        let presence = transactions.0.clone();
        let track = self.track(oracle.clone());
        let blocker = oracle.clone();
        let peers = Peers { provider: oracle.clone(), blocker: oracle, track };
        let config = ValidatorConfig {
            chain: self.chain,
            keys: self.config.keys.clone(),
            timing: self.config.timing.clone(),
            partition: PARTITION.to_owned(),
            guard: self.guard.clone(),
        };
        let network = network.start();
        let context = context.child("consensus");
        let _gossip = gossip::start(&context, gossip, transactions);
        let (heard, answers) = mpsc::channel(HEARD_CAPACITY);
        if let Some(past) = ledger.past() {
            let channel = (states.0.clone(), answers);
            let _filling = sync::fill(context.child("past"), channel, blocker, past);
        }
        if let Some(library) = ledger.library() {
            let _serving = sync::start(context.child("states"), library, states, heard);
        }
        let Engine { mut parts, heights } =
            start_erased(context, config, ledger, (peers, channels), |delivery| delivery).await;
        parts.push(("network", network));
        (parts, heights, presence)
    }
}

/// A seat without address keeps no node from starting: its holder alone says where it is, and would
/// otherwise decide whether the others come back. Only a node that knows no address at all is
/// configured wrongly. Who cannot be reached is named when peers are tracked.
fn check_addresses(
    current: &ValidatorSet,
    me: &NetworkPublicKey,
    peers: &[(NetworkPublicKey, SocketAddr)],
) -> Result<(), ConsensusError> {
    let mut others = current.as_slice().iter().filter(|one| one.network_key != *me).peekable();
    let Some(first) = others.peek().map(|one| to_hex(&one.network_key)) else { return Ok(()) };
    if peers.is_empty() && others.all(|one| one.address.is_none()) {
        return Err(ConsensusError::UnknownAddress(first));
    }
    Ok(())
}

type Part = (&'static str, Handle<()>);

/// Waits until it is told to stop, or until a part ends.
async fn supervise(parts: Vec<Part>, stopped: oneshot::Receiver<()>) -> Result<(), ConsensusError> {
    let (names, handles): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    match select(select_all(handles), stopped).await {
        Either::Left(((_, index, _), _)) => {
            Err(ConsensusError::Ended(names.get(index).copied().unwrap_or("unknown")))
        }
        // A dropped handle asks for the same as one that says so.
        Either::Right(_) => Ok(()),
    }
}

/// Tells every second how many peers a message to all would go to.
async fn count_peers(
    clock: impl Clock,
    mut presence: impl LimitedSender,
    peers: watch::Sender<usize>,
) {
    loop {
        // Who just sent as much as allowed is not counted now, and stays counted as before.
        if let Ok(reachable) = presence.check(Recipients::All) {
            let count = reachable.recipients().len();
            peers.send_if_modified(|known| std::mem::replace(known, count) != count);
        }
        clock.sleep(PEER_COUNT_INTERVAL).await;
    }
}

async fn relay(mut from: watch::Receiver<Heights>, to: watch::Sender<Heights>) {
    loop {
        to.send_replace(*from.borrow_and_update());
        if from.changed().await.is_err() {
            return;
        }
    }
}
