//! [`Inbox`]: transactions of peers that nobody has looked at yet.
//!
//! Looking at one takes a signature's recovery, and one task does it for all. So each peer has a queue of
//! its own, and they are emptied in turns: a peer that floods fills its own queue. What an honest peer sends
//! its own pool has accepted, so of what it sends next to nothing is undecodable or signed by nobody. A peer of
//! which more than [`ALLOWANCE`] such come within [`WINDOW`], and more than good ones, is not listened to for
//! [`IGNORED`].

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parking_lot::Mutex;
use sahara_finality::NetworkPublicKey;
use tokio::sync::Notify;

use crate::turns::{Limits, Turns};

/// What may wait of one peer: two seconds of the fastest rate there is (11,000 transfers/s of about 110
/// bytes) are 2.4 MB.
const MOST_BYTES: usize = 8 << 20;
/// A turn: 150 transfers, so that a longer transaction takes a turn alone.
const TURN_BYTES: usize = 16 << 10;
/// Invalid transactions and messages that a peer may send in [`WINDOW`]: recovering so many takes 15 ms.
const ALLOWANCE: u32 = 256;
/// In what time they are counted.
const WINDOW: Duration = Duration::from_secs(10);
/// How long a peer is not listened to that sent more.
const IGNORED: Duration = Duration::from_secs(60);

/// A transaction from a peer, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedTransaction {
    /// Who sent it.
    pub peer: NetworkPublicKey,
    /// The encoded transaction, unchecked.
    pub bytes: Bytes,
}

/// What became of a transaction that a peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pool took it.
    Accepted,
    /// The pool has no use for it, as may happen to an honest peer.
    Refused,
    /// It cannot be decoded, or nobody signed it: no honest peer sends such.
    Invalid,
}

/// The node's end: yields what peers sent, and hears what became of it.
#[derive(Debug)]
pub struct Inbox {
    shared: Arc<Shared>,
}

/// Consensus's end.
#[derive(Debug)]
pub(super) struct Post {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug)]
struct State {
    turns: Turns<NetworkPublicKey, Bytes>,
    /// Of everyone who ever sent something: only keys of validators and configured peers connect.
    records: BTreeMap<NetworkPublicKey, Record>,
    is_closed: bool,
}

/// What a peer sent since the window began.
#[derive(Debug, Default)]
struct Record {
    began: Option<SystemTime>,
    accepted: u32,
    invalid: u32,
    ignored_until: Option<SystemTime>,
}

/// Whether a message of a peer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Open,
    Ignored,
    /// As [`Self::Ignored`], for the first time since it was listened to.
    IgnoredFromNow,
    /// The node has dropped its end.
    Closed,
}

/// Both ends, with room for `most` transactions of each peer.
pub(super) fn inbox(most: usize) -> (Inbox, Post) {
    let limits = Limits { most, most_bytes: MOST_BYTES, turn_bytes: TURN_BYTES };
    let turns = Turns::new(limits);
    let state = Mutex::new(State { turns, records: BTreeMap::new(), is_closed: false });
    let shared = Arc::new(Shared { state, arrived: Notify::new() });
    (Inbox { shared: Arc::clone(&shared) }, Post { shared })
}

impl Inbox {
    /// The next transaction, of each peer in turn; none after consensus has ended. Nothing is lost when this
    /// is dropped before it is done.
    pub async fn recv(&mut self) -> Option<ReceivedTransaction> {
        loop {
            {
                let mut state = self.shared.state.lock();
                if let Some((peer, bytes)) = state.turns.pop() {
                    return Some(ReceivedTransaction { peer, bytes });
                }
                if state.is_closed {
                    return None;
                }
            }
            // What came in between has left a permit.
            self.shared.arrived.notified().await;
        }
    }

    /// Says what became of a peer's transaction.
    pub fn judge(&self, peer: &NetworkPublicKey, verdict: Verdict) {
        self.shared.state.lock().judge(peer, verdict);
    }
}

impl Post {
    /// Whether to look at a message that came now from a peer.
    pub(super) fn admit(&self, peer: &NetworkPublicKey, now: SystemTime) -> Admission {
        let mut state = self.shared.state.lock();
        if state.is_closed {
            return Admission::Closed;
        }
        state.records.entry(peer.clone()).or_default().admit(now)
    }

    /// Puts a peer's transactions behind what waits of it; how many had no room.
    pub(super) fn deliver(&self, peer: &NetworkPublicKey, batch: Vec<Bytes>) -> usize {
        let mut dropped = 0_usize;
        {
            let mut state = self.shared.state.lock();
            for bytes in batch {
                let length = bytes.len();
                if !state.turns.push(peer, bytes, length) {
                    dropped = dropped.saturating_add(1);
                }
            }
        }
        self.shared.arrived.notify_one();
        dropped
    }

    /// A peer sent something that holds no transactions.
    pub(super) fn was_garbled(&self, peer: &NetworkPublicKey) {
        self.shared.state.lock().judge(peer, Verdict::Invalid);
    }
}

impl State {
    fn judge(&mut self, peer: &NetworkPublicKey, verdict: Verdict) {
        let Some(record) = self.records.get_mut(peer) else { return };
        match verdict {
            Verdict::Accepted => record.accepted = record.accepted.saturating_add(1),
            Verdict::Refused => {}
            Verdict::Invalid => record.invalid = record.invalid.saturating_add(1),
        }
        if record.is_beyond_allowance() {
            self.turns.clear(peer);
        }
    }
}

impl Record {
    const fn is_beyond_allowance(&self) -> bool {
        self.invalid > ALLOWANCE && self.invalid > self.accepted
    }

    fn admit(&mut self, now: SystemTime) -> Admission {
        if self.ignored_until.is_some_and(|until| now < until) {
            return Admission::Ignored;
        }
        if self.is_beyond_allowance() {
            *self = Self { ignored_until: now.checked_add(IGNORED), ..Self::default() };
            return Admission::IgnoredFromNow;
        }
        let since = |began: SystemTime| now.duration_since(began).unwrap_or(WINDOW);
        if self.began.is_none_or(|began| since(began) >= WINDOW) {
            *self = Self { began: Some(now), ..Self::default() };
        }
        Admission::Open
    }
}

impl Shared {
    fn close(&self) {
        self.state.lock().is_closed = true;
        self.arrived.notify_one();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.shared.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;
    use futures::FutureExt as _;
    use sahara_finality::ValidatorKeys;

    fn peer(seed: u8) -> NetworkPublicKey {
        ValidatorKeys::from_secret(&[seed; 32]).unwrap().validator(Address::ZERO).network_key
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn received(inbox: &mut Inbox) -> Option<ReceivedTransaction> {
        inbox.recv().now_or_never().flatten()
    }

    #[test]
    fn a_peer_that_floods_fills_its_own_queue_and_the_others_have_their_turns() {
        let (mut inbox, post) = inbox(1_000);
        let (flooding, quiet) = (peer(1), peer(2));
        let long = Bytes::from(vec![1; 128 << 10]);
        let dropped: usize = (0..10)
            .map(|_| {
                assert_eq!(post.admit(&flooding, at(1)), Admission::Open);
                post.deliver(&flooding, vec![long.clone(); 16])
            })
            .sum();
        assert_eq!(dropped, 160 - (MOST_BYTES >> 17), "its own bytes are full");
        assert_eq!(post.admit(&quiet, at(1)), Admission::Open);
        assert_eq!(post.deliver(&quiet, vec![Bytes::from(vec![2; 110]); 100]), 0);
        let first: Vec<_> = (0..102).map(|_| received(&mut inbox).unwrap().peer).collect();
        let of_quiet = first.iter().filter(|one| **one == quiet).count();
        assert_eq!(of_quiet, 100, "they wait for one of the other");
        // And nobody else's are lost when all of one wait.
        assert_eq!(post.deliver(&quiet, vec![Bytes::from(vec![2; 110]); 1_000]), 0);
    }

    #[test]
    fn who_sends_nothing_that_is_valid_is_ignored_for_a_minute() {
        let (mut inbox, post) = inbox(1_000);
        let (bad, good, mixed) = (peer(1), peer(2), peer(3));
        for one in [&bad, &good, &mixed] {
            assert_eq!(post.admit(one, at(1)), Admission::Open);
        }
        for _ in 0..ALLOWANCE {
            inbox.judge(&bad, Verdict::Invalid);
            inbox.judge(&good, Verdict::Refused);
            inbox.judge(&mixed, Verdict::Accepted);
            inbox.judge(&mixed, Verdict::Invalid);
        }
        inbox.judge(&good, Verdict::Refused);
        inbox.judge(&mixed, Verdict::Accepted);
        inbox.judge(&mixed, Verdict::Invalid);
        assert_eq!(post.admit(&bad, at(2)), Admission::Open, "not beyond the allowance");
        assert_eq!(post.deliver(&bad, vec![Bytes::from_static(&[1]); 9]), 0);
        post.was_garbled(&bad);
        assert_eq!(received(&mut inbox), None, "what waits of it is dropped");
        assert_eq!(post.admit(&bad, at(3)), Admission::IgnoredFromNow);
        assert_eq!(post.admit(&bad, at(62)), Admission::Ignored);
        assert_eq!(post.admit(&bad, at(63)), Admission::Open);
        for one in [&good, &mixed] {
            assert_eq!(post.admit(one, at(3)), Admission::Open);
        }
    }

    #[test]
    fn what_comes_slowly_is_not_added_up() {
        let (inbox, post) = inbox(1_000);
        let one = peer(1);
        for window in 0..4 {
            assert_eq!(post.admit(&one, at(10 * window)), Admission::Open);
            for _ in 0..ALLOWANCE {
                inbox.judge(&one, Verdict::Invalid);
            }
        }
    }

    #[test]
    fn what_waits_is_taken_after_the_other_end_is_gone_and_then_nothing() {
        let (mut inbox, post) = inbox(8);
        assert!(inbox.recv().now_or_never().is_none(), "it waits");
        post.deliver(&peer(1), vec![Bytes::from_static(&[1])]);
        drop(post);
        assert!(received(&mut inbox).is_some());
        assert_eq!(inbox.recv().now_or_never(), Some(None));
        let (inbox, post) = super::inbox(8);
        drop(inbox);
        assert_eq!(post.admit(&peer(1), at(1)), Admission::Closed);
    }
}
