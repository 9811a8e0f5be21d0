//! What is known of each peer, and what each was asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use alloy_primitives::B256;
use sahara_finality::NetworkPublicKey;

use super::Offers;
use crate::store::{Need, Pivot, Place};

/// Requests under way to one peer: one is answered while the next travels.
const MOST_ASKED: usize = 2;
/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// How long to leave a peer alone that was late, doubled each time.
const REST: Duration = Duration::from_secs(1);
/// Doublings of [`REST`].
const MOST_DOUBLINGS: u32 = 5;
/// The most requests of which an answer is still taken when it is late.
const MOST_LATE: usize = 64;
/// How long a peer is not asked again for code that it has not.
const CODE_AGAIN: Duration = Duration::from_secs(30);
/// How often a peer that lacks the target is asked which it has.
const LIST_AGAIN: Duration = Duration::from_secs(3);

/// What was asked.
#[derive(Clone, Debug)]
pub(super) enum What {
    Handovers { above: u64 },
    Pivots,
    Parts(Vec<Need>),
    Codes(Vec<B256>),
    Headers,
    Block(u64),
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) what: What,
    peer: NetworkPublicKey,
    until: SystemTime,
}

#[derive(Debug, Default)]
struct Peer {
    /// The states it says it has. They are judged when it has handed over all the sets it knows:
    /// they may be of the last of them.
    claims: Option<Vec<Pivot>>,
    offers: Offers,
    listed: Option<SystemTime>,
    late: u32,
    rests_until: Option<SystemTime>,
    /// Code that it has not, and when it said so.
    lacks: BTreeMap<B256, SystemTime>,
}

/// All peers.
#[derive(Debug, Default)]
pub(super) struct Peers {
    known: BTreeMap<NetworkPublicKey, Peer>,
    liars: BTreeSet<NetworkPublicKey>,
    under_way: BTreeMap<u64, Asked>,
    /// Answers given up that may still come: over a slow link all come late.
    late: BTreeMap<u64, Asked>,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Busy {
    pub(super) places: BTreeSet<Place>,
    pub(super) codes: BTreeSet<B256>,
    pub(super) blocks: Vec<u64>,
}

impl Peers {
    /// Forgets who is not connected any more.
    pub(super) fn keep(&mut self, connected: &[NetworkPublicKey]) {
        self.known.retain(|peer, _| connected.contains(peer));
        self.under_way.retain(|_, asked| connected.contains(&asked.peer));
        self.late.retain(|_, asked| connected.contains(&asked.peer));
        for peer in connected.iter().filter(|peer| !self.liars.contains(*peer)) {
            self.known.entry(peer.clone()).or_default();
        }
    }

    /// Gives up answers that are late, so that others are asked.
    pub(super) fn expire(&mut self, now: SystemTime) {
        let late = self.under_way.extract_if(.., |_, asked| asked.until <= now);
        for (id, asked) in late.collect::<Vec<_>>() {
            self.rest(&asked.peer, now);
            self.late.insert(id, asked);
        }
        while self.late.len() > MOST_LATE {
            self.late.pop_first();
        }
    }

    /// Leaves a peer alone for a while.
    pub(super) fn rest(&mut self, peer: &NetworkPublicKey, now: SystemTime) {
        if let Some(known) = self.known.get_mut(peer) {
            let factor = 1_u32.checked_shl(known.late.min(MOST_DOUBLINGS)).unwrap_or(1);
            known.late = known.late.saturating_add(1);
            known.rests_until = now.checked_add(REST.saturating_mul(factor));
        }
    }

    pub(super) fn has_room(&self, peer: &NetworkPublicKey, now: SystemTime) -> bool {
        let Some(known) = self.known.get(peer) else { return false };
        let asked = self.under_way.values().filter(|asked| asked.peer == *peer).count();
        asked < MOST_ASKED && known.rests_until.is_none_or(|until| until <= now)
    }

    pub(super) fn asked(&mut self, id: u64, peer: &NetworkPublicKey, what: What, now: SystemTime) {
        let until = now.checked_add(ANSWER_TIME).unwrap_or(now);
        self.under_way.insert(id, Asked { what, peer: peer.clone(), until });
    }

    /// The request that a peer answers.
    pub(super) fn answered(&mut self, id: u64, peer: &NetworkPublicKey) -> Option<Asked> {
        let is_timely = self.under_way.contains_key(&id);
        let of = if is_timely { &mut self.under_way } else { &mut self.late };
        if of.get(&id)?.peer != *peer {
            return None;
        }
        if let Some(known) = self.known.get_mut(peer).filter(|_| is_timely) {
            known.late = 0;
        }
        of.remove(&id)
    }

    pub(super) fn wants_handovers(&self, peer: &NetworkPublicKey) -> bool {
        let has_claims = self.known.get(peer).is_some_and(|known| known.claims.is_some());
        has_claims && !self.is_asking(peer, |what| matches!(what, What::Handovers { .. }))
    }

    pub(super) fn wants_pivots(
        &self,
        peer: &NetworkPublicKey,
        target: Option<B256>,
        now: SystemTime,
    ) -> bool {
        let Some(known) = self.known.get(peer) else { return false };
        let has_target = target.is_some_and(|target| known.offers.contains_key(&target));
        let is_old = known
            .listed
            .is_none_or(|listed| now.duration_since(listed).unwrap_or_default() >= LIST_AGAIN);
        let is_judged = known.claims.is_none();
        let wants = is_judged && !has_target && is_old;
        wants && !self.is_asking(peer, |what| matches!(what, What::Pivots))
    }

    fn is_asking(&self, peer: &NetworkPublicKey, is_it: impl Fn(&What) -> bool) -> bool {
        self.under_way.values().any(|asked| asked.peer == *peer && is_it(&asked.what))
    }

    pub(super) fn asks_headers(&self) -> bool {
        self.under_way.values().any(|asked| matches!(asked.what, What::Headers))
    }

    /// A peer says which states it has.
    pub(super) fn claims(&mut self, peer: &NetworkPublicKey, claims: Vec<Pivot>) {
        if let Some(known) = self.known.get_mut(peer) {
            known.claims = Some(claims);
        }
    }

    /// What a peer said it has, to be judged now.
    pub(super) fn take_claims(&mut self, peer: &NetworkPublicKey) -> Vec<Pivot> {
        let known = self.known.get_mut(peer);
        known.and_then(|known| known.claims.take()).unwrap_or_default()
    }

    /// What a peer has.
    pub(super) fn offers(&mut self, peer: &NetworkPublicKey, offers: Offers, now: SystemTime) {
        if let Some(known) = self.known.get_mut(peer) {
            known.offers = offers;
            known.listed = Some(now);
        }
    }

    pub(super) fn has(&self, peer: &NetworkPublicKey, block: B256) -> bool {
        self.known.get(peer).is_some_and(|known| known.offers.contains_key(&block))
    }

    pub(super) fn anyone_has(&self, block: B256) -> bool {
        self.known.values().any(|known| known.offers.contains_key(&block))
    }

    /// How many peers have said which states they have.
    pub(super) fn offering(&self) -> usize {
        self.known.values().filter(|known| known.listed.is_some()).count()
    }

    /// The state that most have, of those the newest, but for some.
    pub(super) fn best_offer(&self, without: &BTreeSet<B256>) -> Option<(Pivot, u64)> {
        let offers = self.offered(without).into_values();
        let best = offers.max_by_key(|(peers, number, _)| (*peers, *number));
        best.map(|(_, number, pivot)| (pivot.clone(), number))
    }

    /// Whether there is a state, but for some, that more peers have than this one.
    pub(super) fn more_have_another(&self, block: B256, without: &BTreeSet<B256>) -> bool {
        let offers = self.offered(without);
        let most = offers.values().map(|(peers, ..)| *peers).max();
        most > offers.get(&block).map(|(peers, ..)| *peers)
    }

    /// The states that are offered by whoever offers this one.
    pub(super) fn offered_with(&self, block: B256) -> impl Iterator<Item = B256> {
        let known = self.known.values().filter(move |known| known.offers.contains_key(&block));
        known.flat_map(|known| known.offers.keys().copied())
    }

    /// How many have each state, but for some; its number; and how it is proven.
    fn offered(&self, without: &BTreeSet<B256>) -> BTreeMap<B256, (usize, u64, &Pivot)> {
        let mut offers = BTreeMap::<B256, (usize, u64, &Pivot)>::new();
        let all = self.known.values().flat_map(|known| &known.offers);
        for (hash, (number, pivot)) in all.filter(|(hash, _)| !without.contains(*hash)) {
            let offer = offers.entry(*hash).or_insert((0, *number, pivot));
            offer.0 = offer.0.saturating_add(1);
        }
        offers
    }

    /// A peer was asked for code and has not the first of it.
    pub(super) fn lacks_code(&mut self, peer: &NetworkPublicKey, asked: &[B256], now: SystemTime) {
        if let Some((known, first)) = self.known.get_mut(peer).zip(asked.first()) {
            known.lacks.insert(*first, now);
        }
    }

    /// Whether a peer said lately that it has not this code.
    pub(super) fn lacks(&self, peer: &NetworkPublicKey, code: B256, now: SystemTime) -> bool {
        let said = self.known.get(peer).and_then(|known| known.lacks.get(&code));
        said.is_some_and(|said| now.duration_since(*said).unwrap_or_default() < CODE_AGAIN)
    }

    pub(super) fn anyone_lacks_code(&self) -> bool {
        self.known.values().any(|known| !known.lacks.is_empty())
    }

    /// A peer does not have the target any more, and may have newer ones.
    pub(super) fn lost_target(&mut self, peer: &NetworkPublicKey) {
        if let Some(known) = self.known.get_mut(peer) {
            known.offers.clear();
            known.listed = None;
        }
    }

    pub(super) fn drop_liar(&mut self, peer: &NetworkPublicKey) {
        self.known.remove(peer);
        self.under_way.retain(|_, asked| asked.peer != *peer);
        self.late.retain(|_, asked| asked.peer != *peer);
        self.liars.insert(peer.clone());
    }

    /// What is under way of a target that is given up comes too late.
    pub(super) fn forget_parts(&mut self) {
        self.late.clear();
        self.known.values_mut().for_each(|known| known.lacks.clear());
        self.under_way
            .retain(|_, asked| matches!(asked.what, What::Handovers { .. } | What::Pivots));
    }

    pub(super) fn busy(&self) -> Busy {
        let mut busy = Busy::default();
        for asked in self.under_way.values() {
            match &asked.what {
                What::Parts(needs) => busy.places.extend(needs.iter().map(|need| need.place)),
                What::Codes(hashes) => busy.codes.extend(hashes),
                What::Block(number) => busy.blocks.push(*number),
                What::Handovers { .. } | What::Pivots | What::Headers => {}
            }
        }
        busy
    }
}
