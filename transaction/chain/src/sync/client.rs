//! Who is asked for what, and what becomes of the answers.

mod answers;
mod contained;
mod peers;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use alloy_primitives::{B256, Bytes};
use commonware_p2p::{Blocker, CheckedSender as _, Receiver, Recipients, Sender};
use commonware_runtime::Clock;
use sahara_finality::{NetworkPublicKey, ValidatorSet};
use tokio::sync::watch;
use tracing::{info, warn};

use self::{
    answers::Failed,
    contained::{contained, tried},
    peers::{Peers, What},
};
use super::{
    trust::{BaseParts, Trust},
    wire::{MAX_CODES, MAX_PLACES, Message, Request},
};
use crate::store::{Base, Need, Pivot, StoreError, SyncStore};

/// How often it is looked who is there and who is late.
const TICK: Duration = Duration::from_millis(250);
/// How long to wait for a state of which everybody has heard before the first is taken.
const FIRST_CHOICE: Duration = Duration::from_secs(1);
/// How long a target that nobody has is waited for: peers restart within it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a target of which nothing comes is kept, whoever says to have it: longer than a slow peer is
/// left alone.
const STANDSTILL: Duration = Duration::from_secs(90);
/// How long a target is kept of which something comes, when more peers have another.
const MINORITY: Duration = Duration::from_secs(60);
/// How often the log says how far it is.
const REPORT: Duration = Duration::from_secs(10);
/// How long nothing is chosen and asked for after that panicked; what was asked before is heard.
const PAUSE: Duration = Duration::from_secs(1);
/// How often the state is counted when counting it panics: more than once, since what the disk did to one
/// reading it may not do to the next; not for ever, since a count takes minutes.
const COUNTS: u32 = 2;

/// Fetches a state from peers.
pub struct Join<E, S, R, B> {
    clock: E,
    sender: S,
    receiver: R,
    blocker: B,
    store: SyncStore,
    trust: Trust,
    peers: Peers,
    base: BaseParts,
    next_id: u64,
    connected: Vec<NetworkPublicKey>,
    /// When somebody was last known to have the target.
    had: SystemTime,
    /// When something of the target last came, or it was chosen.
    moved: SystemTime,
    /// When the target was chosen.
    aimed: SystemTime,
    /// Whether the target's own accounts were asked which code they have.
    is_sifted: bool,
    /// Targets of which nothing came, and what those who offered them offered beside.
    stalled: BTreeSet<B256>,
    /// When the first state was offered.
    offered: Option<SystemTime>,
    /// Until when nothing is chosen and asked for, after that panicked.
    pauses: Option<SystemTime>,
    reported: SystemTime,
    progress: watch::Sender<Progress>,
    track: Track,
}

/// Is told of each validator set that is learned.
pub type Track = Box<dyn FnMut(&ValidatorSet) + Send>;

/// How far a state sync is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The block whose state is fetched; 0 while there is none.
    pub target: u64,
    /// Trie nodes taken since the start.
    pub nodes: u64,
    /// Bytes of nodes and code taken since the start.
    pub bytes: u64,
    /// Subtries and pieces of code known to be missing.
    pub open_needs: u64,
    /// Peers that lied.
    pub liars: u64,
    /// Targets taken since the start.
    pub targets: u64,
}

/// Why a state cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The own disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rows that were fetched are not those that were written.
    #[error(
        "the state that was fetched does not add up: {0}. The disk changed it; remove the directory, and fetch the state again"
    )]
    Decayed(#[source] StoreError),
    /// Counting the rows that were fetched panicked, each time.
    #[error(
        "the state that was fetched cannot be counted: this program panicked over it, as its log says. Start it again; if it ends so again, remove the directory, fetch the state again, and tell the maintainers"
    )]
    Uncountable,
    /// A handover that was kept is damaged.
    #[error("what was kept of the state sync is damaged: {0}")]
    Damaged(String),
    /// The network ended.
    #[error("the network ended")]
    NoNetwork,
}

impl<E, S, R, B> std::fmt::Debug for Join<E, S, R, B> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Join").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<E, S, R, B> Join<E, S, R, B>
where
    E: Clock,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    /// Goes on with what `store` has. `trust` knows block 0.
    ///
    /// # Errors
    /// When what was kept is damaged.
    pub fn new(
        (clock, blocker): (E, B),
        (sender, receiver): (S, R),
        (store, mut trust): (SyncStore, Trust),
        track: Track,
    ) -> Result<Self, JoinError> {
        for kept in store.handovers()? {
            trust.recall(&kept).map_err(|error| JoinError::Damaged(error.to_string()))?;
        }
        let now = clock.current();
        let mut join = Self {
            clock,
            sender,
            receiver,
            blocker,
            store,
            trust,
            peers: Peers::default(),
            base: BaseParts::default(),
            next_id: 0,
            connected: Vec::new(),
            had: now,
            moved: now,
            aimed: now,
            is_sifted: false,
            stalled: BTreeSet::new(),
            offered: None,
            pauses: None,
            reported: now,
            progress: watch::Sender::new(Progress::default()),
            track,
        };
        if let Some(set) = join.trust.validators() {
            (join.track)(set);
        }
        Ok(join)
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Fetches until the state is whole, and makes its block the head.
    ///
    /// # Errors
    /// See [`JoinError`].
    pub async fn run(mut self) -> Result<(), JoinError> {
        let base = self.fetch().await?;
        if let Some((header, hash)) = self.store.target() {
            info!(number = header.number, %hash, "the state is whole");
        }
        let counted = tried("counting the state", COUNTS, || self.store.install_here(&base));
        counted.ok_or(JoinError::Uncountable)?.map_err(|error| match error {
            StoreError::WrongStateRoot { .. } | StoreError::Damaged { .. } => {
                JoinError::Decayed(error)
            }
            other => other.into(),
        })
    }

    async fn fetch(&mut self) -> Result<Base, JoinError> {
        let mut tick = self.clock.current();
        loop {
            let now = self.clock.current();
            let is_due = now >= tick;
            if is_due {
                tick = now.checked_add(TICK).unwrap_or(now);
            }
            if let Some(base) = self.go_on_or_pause(now, is_due)? {
                return Ok(base);
            }
            let sleep = self.clock.sleep_until(tick);
            tokio::select! {
                biased;
                message = self.receiver.recv() => {
                    let (peer, bytes) = message.map_err(|_| JoinError::NoNetwork)?;
                    self.hear(peer, bytes.as_ref())?;
                }
                () = sleep => {}
            }
        }
    }

    /// As [`Self::go_on`]. A panic over whom to ask for what costs a pause, not the newcomer. What is on
    /// disk is read anew: it is whole, and memory may have stopped between.
    fn go_on_or_pause(&mut self, now: SystemTime, is_due: bool) -> Result<Option<Base>, JoinError> {
        if self.pauses.is_some_and(|until| now < until) {
            return Ok(None);
        }
        let gone_on = contained("choosing what to fetch", || self.go_on(now, is_due));
        gone_on.unwrap_or_else(|| {
            self.pauses = now.checked_add(PAUSE);
            let before = self.store.target().map(|(_, hash)| hash);
            self.store.reread()?;
            if self.store.target().map(|(_, hash)| hash) != before {
                self.begin_target(now);
            }
            Ok(None)
        })
    }

    /// What is done between messages: all that is missing, once nothing is.
    fn go_on(&mut self, now: SystemTime, is_due: bool) -> Result<Option<Base>, JoinError> {
        if is_due {
            self.look_around(now)?;
        }
        if let Some(base) = self.done() {
            return Ok(Some(base));
        }
        self.ask_everybody(now)?;
        Ok(None)
    }

    fn done(&self) -> Option<Base> {
        let (header, _) = self.store.target().filter(|_| self.store.is_whole())?;
        self.trust.base(header, &self.base)
    }

    /// Who is connected, who is late, which target is best.
    fn look_around(&mut self, now: SystemTime) -> Result<(), JoinError> {
        if let Ok(reachable) = self.sender.check(Recipients::All) {
            self.connected = reachable.recipients();
        }
        self.peers.keep(&self.connected);
        self.peers.expire(now);
        self.choose_target(now)?;
        self.sift_code()?;
        let open_needs = u64::try_from(self.store.open_needs()).unwrap_or(u64::MAX);
        self.progress.send_if_modified(|progress| {
            std::mem::replace(&mut progress.open_needs, open_needs) != open_needs
        });
        if now.duration_since(self.reported).unwrap_or_default() >= REPORT {
            self.reported = now;
            let Progress { target, nodes, bytes, open_needs, .. } = *self.progress.borrow();
            let peers = self.connected.len();
            info!(target, nodes, bytes, open_needs, peers, "fetching the state");
        }
        Ok(())
    }

    /// Forgets code that somebody has not and that no account of the target has: a target before had it.
    fn sift_code(&mut self) -> Result<(), JoinError> {
        if self.is_sifted || !self.store.lacks_code_alone() || !self.peers.anyone_lacks_code() {
            return Ok(());
        }
        self.is_sifted = true;
        let forgotten = self.store.drop_foreign_code()?;
        if forgotten > 0 {
            info!(forgotten, "code of a state that was given up is not needed");
        }
        Ok(())
    }

    /// Whether the target is fetched further. Who only says to have it, or sends ever so little of it,
    /// keeps nobody from a state that others have.
    fn keeps_target(&mut self, hash: B256, now: SystemTime) -> bool {
        let since = |then: SystemTime| now.duration_since(then).unwrap_or_default();
        if !self.peers.anyone_has(hash) {
            return since(self.had) < PATIENCE;
        }
        self.had = now;
        if since(self.moved) >= STANDSTILL {
            // Whoever said to have it may say so of many.
            self.stalled.extend(self.peers.offered_with(hash));
            if self.peers.best_offer(&self.stalled).is_some() {
                return false;
            }
            // There is no other.
            self.stalled.clear();
            return true;
        }
        since(self.aimed) < MINORITY || !self.peers.more_have_another(hash, &self.stalled)
    }

    fn choose_target(&mut self, now: SystemTime) -> Result<(), JoinError> {
        let target = self.store.target().map(|(_, hash)| hash);
        if target.is_some_and(|hash| self.keeps_target(hash, now)) {
            return Ok(());
        }
        if self.peers.best_offer(&self.stalled).is_none() {
            self.stalled.clear();
        }
        let Some((pivot, number)) = self.peers.best_offer(&self.stalled) else { return Ok(()) };
        let offered = *self.offered.get_or_insert(now);
        let is_first = self.store.target().is_none();
        let waits = now.duration_since(offered).unwrap_or_default() < FIRST_CHOICE;
        if is_first && waits && self.peers.offering() < self.connected.len() {
            return Ok(());
        }
        self.store.aim(pivot)?;
        self.begin_target(now);
        self.progress.send_modify(|progress| {
            progress.target = number;
            progress.targets = progress.targets.saturating_add(1);
        });
        info!(number, is_first, "fetching the state after a block");
        Ok(())
    }

    /// Nothing that was here or under way is of the target.
    fn begin_target(&mut self, now: SystemTime) {
        (self.had, self.moved, self.aimed) = (now, now, now);
        self.is_sifted = false;
        self.base = BaseParts::default();
        self.peers.forget_parts();
    }

    fn ask_everybody(&mut self, now: SystemTime) -> Result<(), JoinError> {
        for peer in self.connected.clone() {
            while self.peers.has_room(&peer, now) {
                let Some((what, request)) = self.next_for(&peer, now)? else { break };
                let id = self.next_id;
                self.next_id = self.next_id.wrapping_add(1);
                let message = Bytes::from(Message::Request(id, request).encoded());
                if self.sender.send(Recipients::One(peer.clone()), message.0, false).is_empty() {
                    break;
                }
                self.peers.asked(id, &peer, what, now);
            }
        }
        Ok(())
    }

    /// What a peer is asked next.
    fn next_for(
        &self,
        peer: &NetworkPublicKey,
        now: SystemTime,
    ) -> Result<Option<(What, Request)>, JoinError> {
        if self.peers.wants_handovers(peer) {
            let above = self.trust.last();
            return Ok(Some((What::Handovers { above }, Request::Handovers { above })));
        }
        let target = self.store.target();
        if self.peers.wants_pivots(peer, target.map(|(_, hash)| hash), now) {
            return Ok(Some((What::Pivots, Request::Pivots)));
        }
        let Some((header, hash)) = target.filter(|(_, hash)| self.peers.has(peer, *hash)) else {
            return Ok(None);
        };
        let (number, busy) = (header.number, self.peers.busy());
        let is_free =
            |code: &B256| !busy.codes.contains(code) && !self.peers.lacks(peer, *code, now);
        let codes = self.store.codes(MAX_CODES, is_free);
        if !codes.is_empty() {
            return Ok(Some((What::Codes(codes.clone()), Request::Codes(codes))));
        }
        let needs = self.store.places(MAX_PLACES, |place| !busy.places.contains(place))?;
        if !needs.is_empty() {
            let needs = together(needs);
            let places = needs.iter().map(|need| (need.place, need.is_deep)).collect();
            return Ok(Some((What::Parts(needs), Request::Runs { pivot: hash, places })));
        }
        Ok(self.next_of_base(number, busy.blocks.as_slice()))
    }

    /// What is missing beside the state.
    fn next_of_base(&self, number: u64, busy: &[u64]) -> Option<(What, Request)> {
        let block = |wanted: u64, is_here: bool| {
            let is_wanted = !is_here && !busy.contains(&wanted);
            is_wanted.then_some((What::Block(wanted), Request::Block(wanted)))
        };
        let last = number.saturating_sub(1);
        let headers = (self.base.headers.is_none() && !self.peers.asks_headers())
            .then(|| Request::Headers { last, count: Trust::headers_before(number) });
        let before = self.trust.before_epoch(number);
        block(number, self.base.block.is_some())
            .or_else(|| headers.map(|request| (What::Headers, request)))
            .or_else(|| before.and_then(|one| block(one, self.base.before_epoch.is_some())))
    }

    /// Takes a message.
    fn hear(&mut self, peer: NetworkPublicKey, bytes: &[u8]) -> Result<(), JoinError> {
        match self.understand_or_leave(&peer, bytes) {
            Ok(()) => Ok(()),
            Err(Failed::Store(error)) => Err(error.into()),
            Err(Failed::Lie(reason)) => {
                warn!(%peer, reason, "a peer lied and is dropped");
                self.peers.drop_liar(&peer);
                self.progress.send_modify(|one| one.liars = one.liars.saturating_add(1));
                // Who is blocked already needs no more.
                let _feedback = self.blocker.block(peer);
                Ok(())
            }
        }
    }
}

/// Those needs that go well into one request: single nodes and storage tries are small and many, a
/// deep piece of the account trie fills an answer alone.
fn together(mut needs: Vec<Need>) -> Vec<Need> {
    let is_large = |need: &Need| need.is_deep && need.place.owner.is_none();
    let count = match needs.iter().position(is_large) {
        Some(first) => first.max(1),
        None => needs.len(),
    };
    needs.truncate(count);
    needs
}

/// The states that a peer has: number, header and certificate by block hash.
type Offers = BTreeMap<B256, (u64, Pivot)>;
