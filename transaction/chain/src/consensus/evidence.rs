//! What a validator signed and should not have.

use commonware_actor::Feedback;
use commonware_consensus::{
    Reporter, Viewable as _,
    simplex::types::{Activity, Attributable as _},
};
use commonware_cryptography::keccak256::Digest;
use sahara_finality::{Scheme, is_proven};
use tracing::warn;

/// Passes on what consensus reports, and writes down contradictions. Votes are attributable, so
/// each is proof of fault.
#[derive(Clone)]
pub(super) struct Evidence<R> {
    pub(super) scheme: Scheme,
    pub(super) inner: R,
}

impl<R: Reporter<Activity = Activity<Scheme, Digest>>> Reporter for Evidence<R> {
    type Activity = Activity<Scheme, Digest>;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        let fault = match &activity {
            Activity::ConflictingNotarize(fault) => Some(("two notarize votes", fault.signer())),
            Activity::ConflictingFinalize(fault) => Some(("two finalize votes", fault.signer())),
            Activity::NullifyFinalize(fault) => Some(("nullify and finalize", fault.signer())),
            _ => None,
        };
        // Votes are reported before they are verified.
        let proven = fault.filter(|_| is_proven(&self.scheme, &activity));
        if let Some((fault, signer)) = proven {
            warn!(
                fault,
                signer = signer.get(),
                view = activity.view().get(),
                "a validator contradicts itself"
            );
        }
        self.inner.report(activity)
    }
}
