//! One node, wired: an engine of simplex for each epoch decides, marshal orders and archives, the
//! application executes.
//!
//! Generic over runtime and network only, for the simulation; scheme, block, elector and storage
//! are concrete.

use std::{
    num::{NonZeroU16, NonZeroUsize},
    sync::Arc,
};

use commonware_broadcast::buffered;
use commonware_consensus::{
    Reporter,
    marshal::{Update, resolver::p2p as backfill, standard::Inline},
    types::{FixedEpocher, ViewDelta},
};
use commonware_cryptography::Signer as _;
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Handle, Metrics, Spawner, Storage, buffer::paged::CacheRef};
use commonware_utils::{NZU16, NZUsize};
use rand_core::CryptoRng;
use sahara_finality::{Block, ChainIdentity, NetworkPublicKey, Scheme, Validator, ValidatorKeys};
use tokio::sync::{oneshot, watch};

use super::{
    application::Application,
    delivery::{self, Delivery},
    epochs::Epochs,
    guard::Guard,
    ledger::{Ledger, SharedLedger},
    orchestrator::{EngineChannels, Orchestrator},
    presence::Presence,
    progress::{Heights, Progress},
    storage,
    timing::Timing,
};

/// How many views below the last final one votes are kept for, so that a double vote that
/// arrives late still makes evidence.
pub(super) const VIEW_RETENTION: ViewDelta = ViewDelta::new(64);
pub(super) const MAILBOX: NonZeroUsize = NZUsize!(1024);
pub(super) const BUFFER: NonZeroUsize = NZUsize!(1 << 20);
/// A view's votes and certificates fit.
pub(super) const VIEW_BUFFER: NonZeroUsize = NZUsize!(1 << 14);
/// Of the files of votes and archives; another size is another format of them.
pub(super) const PAGE: NonZeroU16 = NZU16!(4096);
const PAGES: NonZeroUsize = NZUsize!(4096);
/// Recent proposals kept for each validator until they are final: with 2 MiB blocks and four
/// validators at most 64 MiB.
const PROPOSALS_PER_VALIDATOR: usize = 8;

/// The logical channels of consensus; the transactions' is [`super::gossip::CHANNEL`].
pub const CHANNELS: [u64; 5] = [0, 1, 2, 3, 4];

/// A sender and a receiver for each of [`CHANNELS`], in that order.
#[derive(Debug)]
pub struct Channels<S, R> {
    /// Votes.
    pub votes: (S, R),
    /// Certificates.
    pub certificates: (S, R),
    /// Requests for certificates that were missed.
    pub resolver: (S, R),
    /// Requests for blocks that were missed.
    pub backfill: (S, R),
    /// Proposals.
    pub blocks: (S, R),
}

/// Who this node is and how it behaves. Who validates, the ledger's state says.
#[derive(Clone, Debug)]
pub struct ValidatorConfig {
    /// The chain.
    pub chain: ChainIdentity,
    /// Its keys. It signs in the epochs whose validators they belong to, and listens in others.
    pub keys: ValidatorKeys,
    /// How long what may take.
    pub timing: Timing,
    /// Prefixes the names of everything stored.
    pub partition: String,
    /// Accounts for votes outside of the stored partitions.
    pub guard: Option<Arc<Guard>>,
}

/// Is told who may be connected: a number that only grows, the validators of the next epoch and those of
/// the current one; before the next are decided, and where they are the same, the current ones and nobody.
pub type TrackPeers = Box<dyn FnMut(u64, &[Validator], &[Validator]) + Send>;

/// Where peers are known, refused and let in.
pub struct Peers<P, B> {
    /// Tells who is connected.
    pub provider: P,
    /// Blocks who misbehaves.
    pub blocker: B,
    /// Lets in the validators of an epoch.
    pub track: TrackPeers,
}

impl<P: std::fmt::Debug, B> std::fmt::Debug for Peers<P, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Peers").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A running validator.
pub struct Engine {
    /// One handle for each part; if any ends, the validator is dead.
    pub parts: Vec<(&'static str, Handle<()>)>,
    /// How far it is.
    pub heights: watch::Receiver<Heights>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Engine").field("heights", &self.heights).finish_non_exhaustive()
    }
}

/// What a runtime must offer.
pub trait Runtime:
    Spawner + Metrics + Clock + Storage + CryptoRng + commonware_storage::Context + Sync
{
}

impl<E> Runtime for E where
    E: Spawner + Metrics + Clock + Storage + CryptoRng + commonware_storage::Context + Sync
{
}

/// Starts a node. `observe` may wrap the reporter of final blocks (the simulation does).
pub async fn start<E, P, B, S, R, O>(
    context: E,
    config: ValidatorConfig,
    ledger: impl Ledger,
    network: (Peers<P, B>, Channels<S, R>),
    observe: impl FnOnce(Delivery) -> O + Send,
) -> Engine
where
    E: Runtime,
    P: Provider<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
    O: Reporter<Activity = Update<Block>>,
{
    start_erased(context, config, Arc::new(ledger), network, observe).await
}

/// [`start`], compiled once for every ledger.
pub(super) async fn start_erased<E, P, B, S, R, O>(
    context: E,
    config: ValidatorConfig,
    ledger: SharedLedger,
    (peers, channels): (Peers<P, B>, Channels<S, R>),
    observe: impl FnOnce(Delivery) -> O + Send,
) -> Engine
where
    E: Runtime,
    P: Provider<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
    O: Reporter<Activity = Update<Block>>,
{
    let of = (config.keys.clone(), config.guard.clone());
    let epochs = Epochs::new(config.chain, Arc::clone(&ledger), of);
    let progress = Progress::new(ledger.last_finalized());
    let cache = CacheRef::new(PAGE, PAGES);
    let genesis = ledger.genesis();

    let (files, renewal) = storage::files(&context, &config.partition).await;
    let archiving = (&context, files.archives());
    let (actor, marshal) =
        storage::marshal(archiving, &config.partition, &epochs, &*ledger, &cache).await;
    let resolver = backfill::init(
        context.child("backfill"),
        backfill_config(&config, &peers),
        channels.backfill,
    );
    let (broadcast, buffer) =
        buffered::Engine::new(context.child("broadcast"), broadcast_config(&config, &peers));
    let application =
        Application::new(&config, epochs.clone(), Arc::clone(&ledger), progress.clone());
    let epocher = FixedEpocher::new(epochs.length());
    let automaton = Inline::new(context.child("inline"), application, marshal.clone(), epocher);
    let heights = progress.subscribe();
    let archives = (marshal.clone(), files.archives());
    let (delivery, decisions, courier) =
        delivery::channel(Arc::clone(&ledger), epochs.clone(), progress.clone(), archives);
    let orchestrator = Orchestrator {
        context: context.child("epoch"),
        epochs,
        ledger,
        marshal,
        genesis,
        automaton,
        blocker: peers.blocker,
        track: peers.track,
        guard: config.guard,
        timing: config.timing,
        partition: config.partition,
        votes: files.votes(),
        cache,
        progress,
        presence: Presence::default(),
        decisions,
    };
    let (catching_up, caught_up) = oneshot::channel();
    let Channels { votes, certificates, resolver: requests, .. } = channels;
    let engines = EngineChannels { votes, certificates, resolver: requests };
    let parts = vec![
        ("log", renewal),
        ("delivery", context.child("delivery").spawn(move |_| courier.run(catching_up))),
        ("broadcast", broadcast.start(channels.blocks)),
        ("marshal", actor.start(observe(delivery), buffer, resolver)),
        ("epochs", context.child("epochs").spawn(move |_| orchestrator.run(engines, caught_up))),
    ];
    Engine { parts, heights }
}

fn backfill_config<P, B>(
    config: &ValidatorConfig,
    peers: &Peers<P, B>,
) -> backfill::Config<NetworkPublicKey, P, B>
where
    P: Provider<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    backfill::Config {
        public_key: config.keys.network.public_key(),
        peer_provider: peers.provider.clone(),
        blocker: peers.blocker.clone(),
        mailbox_size: MAILBOX,
        fetch_timeout: config.timing.fetch_timeout,
        fetch_retry_delay: config.timing.fetch_retry_delay,
        priority_requests: false,
        priority_responses: false,
    }
}

fn broadcast_config<P, B>(
    config: &ValidatorConfig,
    peers: &Peers<P, B>,
) -> buffered::Config<NetworkPublicKey, (), P, Sequential>
where
    P: Provider<PublicKey = NetworkPublicKey>,
{
    buffered::Config {
        public_key: config.keys.network.public_key(),
        mailbox_size: MAILBOX,
        deque_size: PROPOSALS_PER_VALIDATOR,
        priority: false,
        codec_config: (),
        peer_provider: peers.provider.clone(),
        strategy: Sequential,
    }
}

/// What simplex asks, per epoch.
pub(super) type Automaton<E> = Inline<E, Scheme, Application, Block, FixedEpocher>;
