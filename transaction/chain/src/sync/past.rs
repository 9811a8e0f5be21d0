//! Fetching the blocks from before a state sync, while the node does its work.
//!
//! # Model
//! Newest to oldest, one answer at a time: each block is the one that its child names, so nobody has to
//! be trusted with it ([`Store::fill`] has the proof). A block's own certificate proves it to strangers
//! and is not under its hash; it is held against the validators of its epoch, as the own state says them.
//! After each step it rests at least as long as the step took, so that consensus keeps half a core
//! whatever comes.
//!
//! # Failure
//! Who sends anything else is blocked. Who is late or has not the block is left alone for a while. Where
//! it stopped, the store says; it goes on there after a restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU64,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    time::{Duration, SystemTime},
};

use alloy_primitives::{B256, Bytes};
use commonware_p2p::{Blocker, CheckedSender as _, Recipients, Sender};
use commonware_runtime::{Clock, Handle, Spawner};
use sahara_finality::{
    ChainIdentity, NetworkPublicKey, Scheme, ValidatorSet, epoch_of, verifier, verify_with,
};
use tokio::sync::mpsc;
use tracing::{error, info, warn};

use super::{
    serve::Heard,
    wire::{ANSWER_BYTES, Answer, Message, Request},
};
use crate::store::{PastBlock, ProvenBlock, Store, StoreError, TakeError};

/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// How long to leave a peer alone that was late, doubled each time.
const REST: Duration = Duration::from_secs(1);
/// Doublings of [`REST`].
const MOST_DOUBLINGS: u32 = 5;
/// How long to leave a peer alone that has not the block: it may be fetching it itself.
const LACKS: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody can be asked.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// The shortest rest after a step: at 256 KiB a step, 13 MB/s at most.
const PAUSE: Duration = Duration::from_millis(20);
/// How often the log says how far it is.
const REPORT: Duration = Duration::from_secs(10);
/// The longest block with all it brought: thirty times the transactions that a block can hold.
const MAX_PAST_BYTES: u64 = 64 << 20;

/// Tells who validates in an epoch, as far as the state knows.
pub type Validators = Box<dyn Fn(u64) -> Option<ValidatorSet> + Send + Sync>;

/// The past of a chain, to be filled in.
pub struct Past {
    /// Says what is missing, and takes it.
    pub store: Store,
    /// The chain.
    pub chain: ChainIdentity,
    /// How many blocks an epoch has.
    pub epoch_length: NonZeroU64,
    /// Who signed what.
    pub validators: Validators,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Past").field("store", &self.store).finish_non_exhaustive()
    }
}

/// Fetches what the store lacks of the past until it lacks nothing, on a thread of its own. `answers`
/// are what [`start`](super::start) heard.
pub fn fill<E, S, B>(
    context: E,
    (sender, answers): (S, mpsc::Receiver<Heard>),
    blocker: B,
    past: Past,
) -> Handle<()>
where
    E: Spawner + Clock,
    S: Sender<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    context.dedicated().spawn(move |clock| async move {
        let reported = clock.current();
        let fill = Fill {
            clock,
            sender,
            answers,
            blocker,
            past,
            scheme: None,
            next_id: 0,
            peers: BTreeMap::new(),
            liars: BTreeSet::new(),
            reported,
        };
        if let Err(error) = fill.run().await {
            error!(%error, "older blocks are not fetched any more");
        }
    })
}

struct Fill<E, S, B> {
    clock: E,
    sender: S,
    answers: mpsc::Receiver<Heard>,
    blocker: B,
    past: Past,
    /// What checks the certificates of an epoch.
    scheme: Option<(u64, Scheme)>,
    next_id: u64,
    peers: BTreeMap<NetworkPublicKey, Peer>,
    liars: BTreeSet<NetworkPublicKey>,
    reported: SystemTime,
}

#[derive(Debug, Default)]
struct Peer {
    last_asked: u64,
    late: u32,
    rests_until: Option<SystemTime>,
}

/// Why nothing came of a request.
enum Failed {
    /// Nothing came in time.
    Late,
    /// The peer has it not.
    Gone,
    /// It cannot be what was asked for.
    Lie(String),
    /// The own disk.
    Store(StoreError),
    /// The node stops.
    Ended,
}

impl From<TakeError> for Failed {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Lie(reason) => Self::Lie(reason),
            TakeError::Store(error) => Self::Store(error),
        }
    }
}

impl<E, S, B> Fill<E, S, B>
where
    E: Clock,
    S: Sender<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    async fn run(mut self) -> Result<(), StoreError> {
        while let Some(next) = self.past.store.next_of_past()? {
            self.report(next.0);
            let Some(peer) = self.next_peer() else {
                self.clock.sleep(LOOK_AGAIN).await;
                continue;
            };
            let blocks = self.fetch(&peer, next.0).await;
            let before = self.clock.current();
            let outcome = blocks.and_then(|blocks| self.take_or_leave(next.1, &blocks));
            match outcome {
                Ok(()) => self.was_here(&peer),
                Err(Failed::Late) => self.was_late(&peer),
                Err(Failed::Gone) => self.rest(&peer, LACKS),
                Err(Failed::Lie(reason)) => self.block(peer, &reason),
                Err(Failed::Store(error)) => return Err(error),
                Err(Failed::Ended) => return Ok(()),
            }
            let took = self.clock.current().duration_since(before).unwrap_or_default();
            self.clock.sleep(took.max(PAUSE)).await;
        }
        info!(first = self.past.store.first_block(), "the past is here as far as it is wanted");
        Ok(())
    }

    fn report(&mut self, next: u64) {
        let now = self.clock.current();
        if now.duration_since(self.reported).unwrap_or_default() >= REPORT {
            self.reported = now;
            info!(next, missing = self.past.store.missing_past(), "fetching older blocks");
        }
    }

    /// Of those who are connected and not left alone, the one who was asked longest ago.
    fn next_peer(&mut self) -> Option<NetworkPublicKey> {
        let connected = self.sender.check(Recipients::All).ok()?.recipients();
        self.peers.retain(|peer, _| connected.contains(peer));
        let now = self.clock.current();
        let is_free = |peer: &NetworkPublicKey| {
            let rests = self.peers.get(peer).and_then(|known| known.rests_until);
            !self.liars.contains(peer) && rests.is_none_or(|until| until <= now)
        };
        let last_asked =
            |peer: &NetworkPublicKey| self.peers.get(peer).map(|known| known.last_asked);
        connected.into_iter().filter(is_free).min_by_key(last_asked)
    }

    fn known(&mut self, peer: &NetworkPublicKey) -> &mut Peer {
        self.peers.entry(peer.clone()).or_default()
    }

    fn was_here(&mut self, peer: &NetworkPublicKey) {
        self.known(peer).late = 0;
    }

    fn was_late(&mut self, peer: &NetworkPublicKey) {
        let known = self.known(peer);
        let factor = 1_u32.checked_shl(known.late.min(MOST_DOUBLINGS)).unwrap_or(1);
        known.late = known.late.saturating_add(1);
        self.rest(peer, REST.saturating_mul(factor));
    }

    fn rest(&mut self, peer: &NetworkPublicKey, time: Duration) {
        let until = self.clock.current().checked_add(time);
        self.known(peer).rests_until = until;
    }

    fn block(&mut self, peer: NetworkPublicKey, reason: &str) {
        warn!(%peer, reason, "a peer lied about older blocks and is dropped");
        self.liars.insert(peer.clone());
        // Who is blocked already needs no more.
        let _feedback = self.blocker.block(peer);
    }

    /// The block of this number and some before it, as a peer sends them.
    async fn fetch(&mut self, peer: &NetworkPublicKey, number: u64) -> Result<Vec<Bytes>, Failed> {
        let mut begun = Vec::<u8>::new();
        loop {
            let skipped = length(&begun);
            let (blocks, rest) = self.ask(peer, Request::Past { number, skipped }).await?;
            if skipped == 0 && rest == 0 {
                return Ok(blocks);
            }
            let [piece] = blocks.as_slice() else {
                return Err(Failed::Lie("a piece of a block among others".into()));
            };
            begun.extend_from_slice(piece);
            let is_short = rest > 0 && piece.len() < ANSWER_BYTES;
            if is_short || length(&begun).saturating_add(rest) > MAX_PAST_BYTES {
                return Err(Failed::Lie("a block in too many pieces".into()));
            }
            if rest == 0 {
                return Ok(vec![begun.into()]);
            }
        }
    }

    async fn ask(
        &mut self,
        peer: &NetworkPublicKey,
        request: Request,
    ) -> Result<(Vec<Bytes>, u64), Failed> {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.known(peer).last_asked = id;
        // What came too late makes room.
        while self.answers.try_recv().is_ok() {}
        let message = Bytes::from(Message::Request(id, request).encoded());
        if self.sender.send(Recipients::One(peer.clone()), message.0, false).is_empty() {
            return Err(Failed::Late);
        }
        let mut late = pin!(self.clock.sleep(ANSWER_TIME));
        loop {
            let (from, of, answer) = tokio::select! {
                biased;
                heard = self.answers.recv() => heard.ok_or(Failed::Ended)?,
                () = &mut late => return Err(Failed::Late),
            };
            if from != *peer || of != id {
                continue;
            }
            return match answer {
                Answer::Past { blocks, rest } if !blocks.is_empty() => Ok((blocks, rest)),
                Answer::Gone => Err(Failed::Gone),
                _ => Err(Failed::Lie("an answer to another question".into())),
            };
        }
    }

    /// As [`Self::take`]. A panic over what came costs the time until the next, not the node that votes;
    /// nobody is blamed for it.
    fn take_or_leave(&mut self, first: B256, blocks: &[Bytes]) -> Result<(), Failed> {
        let taken = catch_unwind(AssertUnwindSafe(|| self.take(first, blocks)));
        taken.unwrap_or_else(|_| {
            error!(%first, "taking older blocks panicked");
            Err(Failed::Gone)
        })
    }

    /// Takes blocks of which the first must have this hash, as far as they are wanted.
    fn take(&mut self, first: B256, blocks: &[Bytes]) -> Result<(), Failed> {
        let missing = usize::try_from(self.past.store.missing_past()).unwrap_or(usize::MAX);
        let (mut hash, mut proven) = (first, Vec::new());
        for bytes in blocks.iter().take(missing) {
            let mut block = PastBlock::decode_exact(bytes)?.prove(hash)?;
            block.certificate = self.certificate(&block)?;
            hash = block.parent();
            proven.push(block);
        }
        self.past.store.fill(&proven).map_err(Failed::Store)
    }

    /// A block's own certificate, if it has one and the state says whose it must be.
    fn certificate(&mut self, block: &ProvenBlock) -> Result<Bytes, Failed> {
        if block.certificate.is_empty() {
            return Ok(Bytes::new());
        }
        let epoch = epoch_of(block.number(), self.past.epoch_length);
        if self.scheme.as_ref().is_none_or(|(known, _)| *known != epoch) {
            let set = (self.past.validators)(epoch);
            self.scheme = set.map(|set| (epoch, verifier(&self.past.chain, &set)));
        }
        let Some((epoch, scheme)) = &self.scheme else { return Ok(Bytes::new()) };
        verify_with((*epoch, scheme), block.hash(), &block.certificate)
            .map_err(|error| Failed::Lie(error.to_string()))?;
        Ok(block.certificate.clone())
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
