//! One simplex engine for each epoch, one after the other.
//!
//! The last block of an epoch is proposed again and again until it is final. When the ledger has
//! applied it, the next epoch's validators are known for good; then the old engine ends and the next
//! starts from that block, with files of its own. A node that is not among the validators runs an
//! engine that only listens.
//!
//! # Being behind
//! Messages travel on a subchannel of their epoch. One of a later epoch than the own proves nothing
//! but hints that its sender has the end of this epoch: marshal asks it for the certificate, checks
//! it, and fetches what is missing below. Messages of the very next epoch are kept ([`Early`]).
//!
//! # After a restart
//! The epoch is that of the block after the ledger's last. The courier first brings the ledger up to
//! what marshal had delivered before, so that no engine of an older epoch starts than the one that
//! ran. The files of the epoch before the last are removed.

use std::{collections::VecDeque, sync::Arc};

use alloy_primitives::B256;
use commonware_consensus::{
    simplex::{
        self, SkipBudget,
        config::{Floor, ForwardPolicy, SkipPolicy},
    },
    types::{Epoch, Height},
};
use commonware_cryptography::keccak256::Digest;
use commonware_p2p::{
    Blocker, Channel, Message, Receiver, Sender,
    utils::mux::{Builder as _, MuxHandle, Muxer},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Handle, Storage as _, buffer::paged::CacheRef};
use commonware_utils::vec::NonEmptyVec;
use sahara_finality::{Block, NetworkPublicKey, Scheme};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info};

use super::{
    delivery::{Decisions, Marshal},
    early::{Early, Resumed},
    engine::{Automaton, BUFFER, MAILBOX, Runtime, TrackPeers, VIEW_BUFFER, VIEW_RETENTION},
    epochs::{Epochs, Members},
    evidence::Watch,
    guard::{Guarded, SharedGuard},
    leaders::Leaders,
    ledger::SharedLedger,
    log::{Votes, WithFiles, refusal},
    presence::Presence,
    progress::{Heights, Progress},
    timing::Timing,
};

/// What an orchestrator works with.
pub(super) struct Orchestrator<E: Runtime, B> {
    pub(super) context: E,
    pub(super) epochs: Epochs,
    pub(super) ledger: SharedLedger,
    pub(super) marshal: Marshal,
    pub(super) genesis: Block,
    pub(super) automaton: Automaton<E>,
    pub(super) blocker: B,
    pub(super) track: TrackPeers,
    pub(super) guard: Option<SharedGuard>,
    pub(super) timing: Timing,
    pub(super) partition: String,
    pub(super) votes: Votes<E>,
    pub(super) cache: CacheRef,
    pub(super) progress: Progress,
    pub(super) presence: Presence,
    pub(super) decisions: Decisions,
}

/// Votes, certificates, and requests for certificates.
pub(super) struct EngineChannels<S, R> {
    pub(super) votes: (S, R),
    pub(super) certificates: (S, R),
    pub(super) resolver: (S, R),
}

type Stray = mpsc::Receiver<(Channel, Message<NetworkPublicKey>)>;

/// The channels, divided by epochs.
struct Divided<S: Sender> {
    votes: MuxHandle<S>,
    certificates: MuxHandle<S>,
    resolver: MuxHandle<S>,
    stray_votes: Stray,
    stray_certificates: Stray,
    early_votes: Early,
    early_certificates: Early,
}

/// The running engine. Dropping it ends the engine.
struct Active {
    epoch: u64,
    engine: Handle<()>,
    /// Whether the peers of the next set are tracked already.
    expects_successors: bool,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

/// Why an epoch's engine is left.
enum Left {
    /// The epoch's last block is applied.
    Over,
    /// A part this depends on ended.
    Ended,
}

impl<E, B> Orchestrator<E, B>
where
    E: Runtime,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    /// Runs engines until something that is needed ends. `caught_up` resolves when the ledger has
    /// what marshal delivered before the restart.
    pub(super) async fn run<S, R>(
        mut self,
        channels: EngineChannels<S, R>,
        caught_up: oneshot::Receiver<()>,
    ) where
        S: Sender<PublicKey = NetworkPublicKey>,
        R: Receiver<PublicKey = NetworkPublicKey>,
    {
        if caught_up.await.is_err() {
            return;
        }
        let mut channels = divide(&self.context, channels);
        let mut heights = self.progress.subscribe();
        loop {
            let epoch = self.epochs.current();
            let Some(active) = self.enter(epoch, &mut channels).await else {
                error!(epoch, "the epoch cannot be entered");
                return;
            };
            match self.stay(active, &mut channels, &mut heights).await {
                Left::Over => {}
                Left::Ended => return,
            }
        }
    }

    /// Starts the engine of an epoch.
    async fn enter<S>(&mut self, epoch: u64, channels: &mut Divided<S>) -> Option<Active>
    where
        S: Sender<PublicKey = NetworkPublicKey>,
    {
        let members = self.epochs.members(epoch)?;
        let before = self.before(epoch)?;
        (self.track)(epoch.saturating_mul(2), members.validators.as_slice(), &[]);
        let votes = channels.votes.register(epoch).await.ok()?;
        let certificates = channels.certificates.register(epoch).await.ok()?;
        let resolver = channels.resolver.register(epoch).await.ok()?;
        let guard = self.guard.clone().filter(|_| members.signs);
        // What came until the subchannels stood; from now on nothing strays.
        drain(&mut channels.stray_votes, &mut channels.early_votes, epoch);
        drain(&mut channels.stray_certificates, &mut channels.early_certificates, epoch);
        let patience = (self.context.current(), self.timing.skip_timeout);
        let mut first: VecDeque<_> =
            self.presence.signs(epoch, &members.validators, patience).into();
        first.extend(channels.early_votes.take(epoch));
        let votes = (Guarded::new(votes.0, epoch, guard), self.resumed(first, votes.1));
        let first = channels.early_certificates.take(epoch);
        let certificates = (certificates.0, self.resumed(first, certificates.1));
        let context = self.context.child("simplex").with_attribute("epoch", epoch);
        let taken_over = self.votes.take_over(&self.partition_of(epoch)).await;
        #[expect(clippy::panic, reason = "a validator may stop, it may not forget its votes")]
        taken_over.unwrap_or_else(|error| panic!("{}", refusal(&error)));
        let context = WithFiles::new(context, self.votes.clone());
        let config = self.simplex_config(epoch, &members, before);
        let engine = simplex::Engine::new(context, config).start(votes, certificates, resolver);
        self.forget(epoch).await;
        let validators = members.validators.len();
        info!(epoch, validators, signs = members.signs, "the epoch begins");
        Some(Active { epoch, engine, expects_successors: false })
    }

    fn resumed<R>(&self, early: VecDeque<Message<NetworkPublicKey>>, inner: R) -> Resumed<E, R> {
        let clock = self.context.child("presence");
        Resumed { clock, presence: self.presence.clone(), early, inner }
    }

    /// Waits for the end of the epoch.
    async fn stay<S>(
        &mut self,
        mut active: Active,
        channels: &mut Divided<S>,
        heights: &mut watch::Receiver<Heights>,
    ) -> Left
    where
        S: Sender<PublicKey = NetworkPublicKey>,
    {
        let last = self.epochs.last_block(active.epoch);
        loop {
            if heights.borrow_and_update().applied >= last {
                return Left::Over;
            }
            self.expect_successors(&mut active);
            let (stray, early) = tokio::select! {
                biased;
                changed = heights.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Left::Ended,
                },
                stray = channels.stray_votes.recv() => (stray, &mut channels.early_votes),
                stray = channels.stray_certificates.recv() => {
                    (stray, &mut channels.early_certificates)
                }
                outcome = &mut active.engine => {
                    if let Err(reason) = outcome {
                        error!(epoch = active.epoch, %reason, "the epoch's engine broke");
                    }
                    return Left::Ended;
                }
            };
            match stray {
                Some((epoch, message)) if epoch > active.epoch => {
                    let from = NonEmptyVec::new(message.0.clone());
                    self.marshal.hint_finalized(Height::new(last), from);
                    if Some(epoch) == active.epoch.checked_add(1) {
                        early.keep(epoch, message);
                    }
                }
                Some(_) => {}
                None => return Left::Ended,
            }
        }
    }

    /// Lets those connect who will validate next, as soon as they are decided.
    fn expect_successors(&mut self, active: &mut Active) {
        if active.expects_successors {
            return;
        }
        let Some(next) = self.epochs.successors(active.epoch) else { return };
        let Some(members) = self.epochs.members(active.epoch) else { return };
        let id = active.epoch.saturating_mul(2).saturating_add(1);
        (self.track)(id, next.as_slice(), members.validators.as_slice());
        active.expects_successors = true;
        info!(epoch = active.epoch, next = next.len(), "the next validators are decided");
    }

    /// Hash and randomness of the block before the epoch.
    fn before(&self, epoch: u64) -> Option<(Digest, B256)> {
        let Some(previous) = epoch.checked_sub(1) else {
            return Some((Digest(self.genesis.hash().0), self.genesis.header.mix_hash));
        };
        let block = self.ledger.final_block(self.epochs.last_block(previous))?;
        Some((Digest(block.hash().0), block.header.mix_hash))
    }

    /// Removes the votes of the epoch before the last and of all before, which can decide nothing any more.
    async fn forget(&mut self, epoch: u64) {
        let Some(old) = epoch.checked_sub(2) else { return };
        // An older program left some that the log does not know.
        let mut outdated = vec![self.partition_of(old)];
        outdated.extend(
            self.votes
                .partitions()
                .into_iter()
                .filter(|partition| self.epoch_of(partition).is_some_and(|of| of < old)),
        );
        for partition in outdated {
            // They may be gone already.
            let _removed = self.votes.remove(&partition, None).await.is_ok();
        }
    }

    fn partition_of(&self, epoch: u64) -> String {
        format!("{}-simplex-{epoch}", self.partition)
    }

    fn epoch_of(&self, partition: &str) -> Option<u64> {
        partition.strip_prefix(self.partition.as_str())?.strip_prefix("-simplex-")?.parse().ok()
    }

    fn simplex_config(
        &self,
        epoch: u64,
        members: &Members,
        (before, seed): (Digest, B256),
    ) -> SimplexConfig<E, B> {
        let scheme = Scheme::clone(&members.scheme);
        let Timing { leader_timeout, certification_timeout, timeout_retry, .. } = self.timing;
        let automaton = self.automaton.clone();
        simplex::Config {
            reporter: Watch {
                scheme: scheme.clone(),
                ledger: Arc::clone(&self.ledger),
                decisions: self.decisions.clone(),
                inner: automaton.clone(),
            },
            scheme,
            elector: Leaders { seed },
            blocker: self.blocker.clone(),
            automaton: automaton.clone(),
            relay: automaton,
            track_historical_votes: true,
            strategy: Sequential,
            partition: self.partition_of(epoch),
            mailbox_size: MAILBOX,
            epoch: Epoch::new(epoch),
            floor: Floor::Genesis(before),
            replay_buffer: BUFFER,
            write_buffer: VIEW_BUFFER,
            page_cache: self.cache.clone(),
            leader_timeout,
            certification_timeout,
            timeout_retry,
            view_retention: VIEW_RETENTION,
            skip: SkipPolicy::Enabled {
                timeout: self.timing.skip_timeout,
                budget: SkipBudget::Participants,
            },
            fetch_timeout: self.timing.fetch_timeout,
            fetch_retry_delay: self.timing.fetch_retry_delay,
            forward: ForwardPolicy::SilentLeader,
        }
    }
}

type SimplexConfig<E, B> = simplex::Config<
    Scheme,
    Leaders,
    B,
    Digest,
    Automaton<E>,
    Automaton<E>,
    Watch<Automaton<E>>,
    Sequential,
>;

fn drain(stray: &mut Stray, early: &mut Early, epoch: u64) {
    while let Ok((of, message)) = stray.try_recv() {
        if of == epoch {
            early.keep(epoch, message);
        }
    }
}

fn divide<E, S, R>(context: &E, channels: EngineChannels<S, R>) -> Divided<S>
where
    E: Runtime,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    let EngineChannels { votes, certificates, resolver } = channels;
    let (mux, votes, stray_votes) =
        Muxer::builder(context.child("votes"), votes.0, votes.1).with_backup().build();
    mux.start();
    let (mux, certificates, stray_certificates) =
        Muxer::builder(context.child("certificates"), certificates.0, certificates.1)
            .with_backup()
            .build();
    mux.start();
    let (mux, resolver) = Muxer::new(context.child("resolver"), resolver.0, resolver.1);
    mux.start();
    Divided {
        votes,
        certificates,
        resolver,
        stray_votes,
        stray_certificates,
        early_votes: Early::default(),
        early_certificates: Early::default(),
    }
}
