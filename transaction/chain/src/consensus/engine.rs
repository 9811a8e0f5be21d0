//! One validator, wired: simplex decides, marshal orders and archives, the application executes.
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
    simplex::{
        self, SkipBudget,
        config::{Floor, ForwardPolicy, SkipPolicy},
        elector::RoundRobin,
    },
    types::{Epoch, FixedEpocher, ViewDelta},
};
use commonware_cryptography::{Keccak256, Signer as _, keccak256::Digest};
use commonware_p2p::{Blocker, Provider, Receiver, Sender};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock, Handle, Metrics, Spawner, Storage, buffer::paged::CacheRef};
use commonware_utils::{NZU16, NZUsize};
use rand_core::CryptoRng;
use sahara_finality::{
    Block, ChainIdentity, NetworkPublicKey, Scheme, ValidatorKeys, ValidatorSet, signer,
};
use tokio::sync::watch;

use super::{
    application::Application,
    delivery::{self, Delivery},
    evidence::Watch,
    ledger::{Ledger, SharedLedger},
    progress::{Heights, Progress},
    storage::{self, EPOCH_LENGTH},
    timing::Timing,
};

/// How many views below the last final one votes are kept for, so that a double vote that
/// arrives late still makes evidence.
pub(super) const VIEW_RETENTION: ViewDelta = ViewDelta::new(64);
pub(super) const MAILBOX: NonZeroUsize = NZUsize!(1024);
pub(super) const BUFFER: NonZeroUsize = NZUsize!(1 << 20);
const PAGE: NonZeroU16 = NZU16!(4096);
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

/// Who this validator is and how it behaves.
#[derive(Clone, Debug)]
pub struct ValidatorConfig {
    /// The chain.
    pub chain: ChainIdentity,
    /// All validators.
    pub validators: ValidatorSet,
    /// This one's keys.
    pub keys: ValidatorKeys,
    /// How long what may take.
    pub timing: Timing,
    /// Prefixes the names of everything stored.
    pub partition: String,
}

/// Where peers are known and refused.
#[derive(Clone, Debug)]
pub struct Peers<P, B> {
    /// Tells who is connected.
    pub provider: P,
    /// Blocks who misbehaves.
    pub blocker: B,
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

/// Starts a validator. `observe` may wrap the reporter of final blocks (the simulation does).
///
/// Returns nothing if the keys are not those of a validator.
pub async fn start<E, P, B, S, R, O>(
    context: E,
    config: ValidatorConfig,
    ledger: impl Ledger,
    network: (Peers<P, B>, Channels<S, R>),
    observe: impl FnOnce(Delivery) -> O + Send,
) -> Option<Engine>
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
) -> Option<Engine>
where
    E: Runtime,
    P: Provider<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
    O: Reporter<Activity = Update<Block>>,
{
    let scheme = signer(&config.chain, &config.validators, config.keys.consensus.clone())?;
    let progress = Progress::new(ledger.last_finalized());
    let cache = CacheRef::new(PAGE, PAGES);

    let (actor, mailbox) =
        storage::marshal(&context, &config.partition, &scheme, ledger.genesis(), &cache).await;
    let resolver = backfill::init(
        context.child("backfill"),
        backfill_config(&config, &peers),
        channels.backfill,
    );
    let (broadcast, buffer) =
        buffered::Engine::new(context.child("broadcast"), broadcast_config(&config, &peers));
    let application = Application::new(&config, Arc::clone(&ledger), progress.clone());
    let inline = Inline::new(
        context.child("inline"),
        application,
        mailbox.clone(),
        FixedEpocher::new(EPOCH_LENGTH),
    );
    let heights = progress.subscribe();
    let simplex = simplex::Engine::new(
        context.child("simplex"),
        simplex_config(&config, (scheme, Arc::clone(&ledger)), inline, peers.blocker, cache),
    );
    let (delivery, courier) = delivery::channel(ledger, progress, mailbox);
    let parts = vec![
        ("delivery", context.child("delivery").spawn(move |_| courier.run())),
        ("broadcast", broadcast.start(channels.blocks)),
        ("marshal", actor.start(observe(delivery), buffer, resolver)),
        ("simplex", simplex.start(channels.votes, channels.certificates, channels.resolver)),
    ];
    Some(Engine { parts, heights })
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

type Automaton<E> = Inline<E, Scheme, Application, Block, FixedEpocher>;

type SimplexConfig<E, B> = simplex::Config<
    Scheme,
    RoundRobin<Keccak256>,
    B,
    Digest,
    Automaton<E>,
    Automaton<E>,
    Watch<Automaton<E>>,
    Sequential,
>;

fn simplex_config<E: Runtime, B: Blocker<PublicKey = NetworkPublicKey>>(
    config: &ValidatorConfig,
    (scheme, ledger): (Scheme, SharedLedger),
    automaton: Automaton<E>,
    blocker: B,
    page_cache: CacheRef,
) -> SimplexConfig<E, B> {
    let Timing { leader_timeout, certification_timeout, timeout_retry, .. } = config.timing;
    simplex::Config {
        reporter: Watch { scheme: scheme.clone(), ledger, inner: automaton.clone() },
        scheme,
        elector: RoundRobin::default(),
        blocker,
        automaton: automaton.clone(),
        relay: automaton,
        track_historical_votes: true,
        strategy: Sequential,
        partition: format!("{}-simplex", config.partition),
        mailbox_size: MAILBOX,
        epoch: Epoch::zero(),
        floor: Floor::Genesis(Digest(config.chain.genesis.0)),
        replay_buffer: BUFFER,
        write_buffer: BUFFER,
        page_cache,
        leader_timeout,
        certification_timeout,
        timeout_retry,
        view_retention: VIEW_RETENTION,
        skip: SkipPolicy::Enabled {
            timeout: config.timing.skip_timeout,
            budget: SkipBudget::Participants,
        },
        fetch_timeout: config.timing.fetch_timeout,
        fetch_retry_delay: config.timing.fetch_retry_delay,
        forward: ForwardPolicy::SilentLeader,
    }
}
