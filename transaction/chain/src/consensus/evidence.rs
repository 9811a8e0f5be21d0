//! What a validator signed and should not have.

use super::{delivery::Decisions, ledger::SharedLedger};
use commonware_actor::Feedback;
use commonware_codec::Encode as _;
use commonware_consensus::{
    Epochable as _, Reporter, Viewable as _,
    simplex::types::{Activity, Attributable as _},
};
use commonware_cryptography::keccak256::Digest;
use sahara_finality::{Scheme, is_proven};
use std::fmt;
use tracing::warn;

/// Proof that a validator contradicted itself: two of its signed votes, which anyone can check
/// against the validator set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The epoch the votes are of.
    pub epoch: u64,
    /// Whose votes, as a position in the epoch's validator set.
    pub signer: u32,
    /// The view they are of.
    pub view: u64,
    /// What is wrong with them.
    pub fault: Fault,
    /// Both votes, as the consensus library encodes an activity.
    pub proof: Vec<u8>,
}

/// How two votes of a view contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Notarize votes for two proposals.
    ConflictingNotarize,
    /// Finalize votes for two proposals.
    ConflictingFinalize,
    /// A vote to skip the view, and one to finalize it.
    NullifyFinalize,
}

impl Fault {
    /// The byte it is stored as.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::ConflictingNotarize => 0,
            Self::ConflictingFinalize => 1,
            Self::NullifyFinalize => 2,
        }
    }

    /// Reads what [`Self::byte`] wrote.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::ConflictingNotarize),
            1 => Some(Self::ConflictingFinalize),
            2 => Some(Self::NullifyFinalize),
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ConflictingNotarize => "conflicting notarize votes",
            Self::ConflictingFinalize => "conflicting finalize votes",
            Self::NullifyFinalize => "nullify and finalize votes",
        })
    }
}

impl Evidence {
    /// What an activity proves, if it is a contradiction and its signatures are right.
    #[must_use]
    pub fn of(scheme: &Scheme, activity: &Activity<Scheme, Digest>) -> Option<Self> {
        let (fault, signer) = match activity {
            Activity::ConflictingNotarize(votes) => (Fault::ConflictingNotarize, votes.signer()),
            Activity::ConflictingFinalize(votes) => (Fault::ConflictingFinalize, votes.signer()),
            Activity::NullifyFinalize(votes) => (Fault::NullifyFinalize, votes.signer()),
            _ => return None,
        };
        // Votes are reported before they are verified.
        is_proven(scheme, activity).then(|| Self {
            epoch: activity.epoch().get(),
            signer: signer.get(),
            view: activity.view().get(),
            fault,
            proof: activity.encode().to_vec(),
        })
    }
}

/// Passes on what consensus reports; hands contradictions to the ledger, and decisions to its courier.
/// Votes are attributable, so each is proof of fault.
#[derive(Clone)]
pub(super) struct Watch<R> {
    pub(super) scheme: Scheme,
    pub(super) ledger: SharedLedger,
    pub(super) decisions: Decisions,
    pub(super) inner: R,
}

impl<R: Reporter<Activity = Activity<Scheme, Digest>>> Reporter for Watch<R> {
    type Activity = Activity<Scheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        if let Some(evidence) = Evidence::of(&self.scheme, &activity) {
            let Evidence { epoch, signer, view, fault, .. } = &evidence;
            warn!(%fault, epoch, signer, view, "a validator contradicts itself");
            self.ledger.accuse(evidence);
        }
        if let Activity::Finalization(finalization) = &activity {
            self.decisions.tell(finalization);
        }
        self.inner.report(activity)
    }
}
