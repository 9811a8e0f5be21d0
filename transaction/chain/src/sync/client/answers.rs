//! What becomes of an answer.

use std::time::SystemTime;

use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_runtime::Clock;
use sahara_finality::{NetworkPublicKey, decode_header};
use tracing::{debug, warn};

use super::{
    Join,
    contained::contained,
    peers::{Asked, What},
};
use crate::{
    store::{StoreError, TakeError},
    sync::{
        TrustError,
        wire::{Answer, HandoverParts, Message, WireError},
    },
};

impl<E, S, R, B> Join<E, S, R, B>
where
    E: Clock,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
    B: Blocker<PublicKey = NetworkPublicKey>,
{
    /// As [`Self::understand`]. A panic over what came costs the answer, not the newcomer: nobody is
    /// blamed for it, whoever sent it is left alone for a while, and what it was to bring is asked for
    /// again.
    pub(super) fn understand_or_leave(
        &mut self,
        peer: &NetworkPublicKey,
        bytes: &[u8],
    ) -> Result<(), Failed> {
        let understood = contained("taking what a peer sent", || self.understand(peer, bytes));
        understood.unwrap_or_else(|| {
            warn!(%peer, "who sent it is left alone for a while");
            self.peers.rest(peer, self.clock.current());
            Ok(self.store.reread()?)
        })
    }

    /// Takes what a peer sent, if it was asked for.
    fn understand(&mut self, peer: &NetworkPublicKey, bytes: &[u8]) -> Result<(), Failed> {
        match Message::decode(bytes) {
            Ok(Message::Answer(id, answer)) => match self.peers.answered(id, peer) {
                Some(Asked { what, .. }) => self.take(peer, what, answer),
                // Too late, or of a target that was given up.
                None => Ok(()),
            },
            // Others may fetch as well; there is nothing here yet.
            Ok(Message::Request(..)) => Ok(()),
            // It runs a newer program. What it was asked for, another is asked for.
            Err(error @ WireError::Unknown { .. }) => {
                let asked = error.unknown_answer().and_then(|id| self.peers.answered(id, peer));
                if asked.is_some() {
                    debug!(%peer, %error, "an answer that is not understood");
                    self.peers.rest(peer, self.clock.current());
                }
                Ok(())
            }
            Err(error) => Err(Failed::Lie(error.to_string())),
        }
    }

    /// Takes what a peer answered.
    fn take(&mut self, peer: &NetworkPublicKey, what: What, answer: Answer) -> Result<(), Failed> {
        let now = self.clock.current();
        match (what, answer) {
            (What::Parts(_), Answer::Gone) => {
                self.peers.lost_target(peer);
                self.peers.rest(peer, now);
            }
            // It has the first of them not; of the others it said nothing.
            (What::Codes(hashes), Answer::Gone) => self.peers.lacks_code(peer, &hashes, now),
            (_, Answer::Gone) => self.peers.rest(peer, now),
            (What::Handovers { above }, Answer::Handovers { some, has_more }) => {
                if has_more && some.is_empty() {
                    return Err(Failed::lie("more handovers and none of them"));
                }
                self.take_handovers(above, &some)?;
                if !has_more {
                    self.judge(peer, now)?;
                }
            }
            (What::Pivots, Answer::Pivots(pivots)) => self.peers.claims(peer, pivots),
            (What::Parts(needs), Answer::Runs(runs)) => {
                if runs.is_empty() || runs.len() > needs.len() {
                    return Err(Failed::lie("another number of runs than asked for"));
                }
                for (need, run) in needs.iter().zip(&runs) {
                    // What came late, another may have sent.
                    if !self.store.wants(need) {
                        continue;
                    }
                    self.store.take(need, run)?;
                    let bytes = run.nodes.iter().map(|node| node.len()).sum();
                    self.count(run.nodes.len(), bytes, now);
                }
            }
            (What::Codes(hashes), Answer::Codes(codes)) => {
                if codes.is_empty() || codes.len() > hashes.len() {
                    return Err(Failed::lie("another number of codes than asked for"));
                }
                for (hash, code) in hashes.iter().zip(&codes) {
                    self.store.take_code(*hash, code)?;
                    self.count(0, code.len(), now);
                }
            }
            (What::Headers, Answer::Headers(headers)) => {
                if let Some((target, _)) = self.store.target() {
                    self.trust.headers(target, headers, &mut self.base)?;
                    self.moved = now;
                }
            }
            (What::Block(number), Answer::Block { block, certificate }) => {
                if let Some((_, hash)) = self.store.target() {
                    let given = (block.as_ref(), certificate);
                    self.trust.block((number, hash), given, &mut self.base)?;
                    self.moved = now;
                }
            }
            _ => return Err(Failed::lie("an answer to another question")),
        }
        Ok(())
    }

    /// A peer has handed over all the sets it knows: what it says it has must be final under them.
    fn judge(&mut self, peer: &NetworkPublicKey, now: SystemTime) -> Result<(), Failed> {
        let claims = self.peers.take_claims(peer).into_iter();
        let judged = claims.map(|pivot| {
            let (header, hash) = self.trust.pivot(&pivot)?;
            Ok((hash, (header.number, pivot)))
        });
        let offers = judged.collect::<Result<_, Failed>>()?;
        self.peers.offers(peer, offers, now);
        Ok(())
    }

    /// What others handed over meanwhile is passed over.
    fn take_handovers(&mut self, above: u64, some: &[HandoverParts]) -> Result<(), Failed> {
        for parts in some {
            let header = decode_header(&parts.header);
            let number = header.map_err(|error| Failed::lie(&error.to_string()))?.number;
            if number <= above {
                return Err(Failed::lie("a handover from before those asked for"));
            }
            if number <= self.trust.last() {
                continue;
            }
            // Kept first: what is known is not asked for again.
            let proven = self.trust.prove(parts)?;
            self.store.keep_handover(proven.end(), &alloy_rlp::encode(parts))?;
            self.trust.believe(proven);
            if let Some(set) = self.trust.validators() {
                (self.track)(set);
            }
        }
        Ok(())
    }

    fn count(&mut self, nodes: usize, bytes: usize, now: SystemTime) {
        self.moved = now;
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.progress.send_modify(|progress| {
            progress.nodes = progress.nodes.saturating_add(number(nodes));
            progress.bytes = progress.bytes.saturating_add(number(bytes));
        });
    }
}

/// Why an answer was not taken.
pub(super) enum Failed {
    /// It cannot be what was asked for.
    Lie(String),
    /// The own disk.
    Store(StoreError),
}

impl Failed {
    fn lie(reason: &str) -> Self {
        Self::Lie(reason.to_owned())
    }
}

impl From<TakeError> for Failed {
    fn from(error: TakeError) -> Self {
        match error {
            TakeError::Lie(reason) => Self::Lie(reason),
            TakeError::Store(error) => Self::Store(error),
        }
    }
}

impl From<TrustError> for Failed {
    fn from(error: TrustError) -> Self {
        Self::Lie(error.to_string())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
