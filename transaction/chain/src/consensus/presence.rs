//! Who was heard of lately, across epochs.
//!
//! The library skips the turn of a leader that was not heard of for a while, once it has heard of a
//! quorum. An engine that has just begun has heard of nobody: the votes of the first view's quorum
//! make everyone else look absent. Whoever saw another quorum does not think so, the votes of the
//! second view divide into those for its block and those for skipping it, neither side has a quorum,
//! and the view lasts until its timeout. It happened in every epoch.
//!
//! So an engine is first told of everyone who was heard of lately, by the only means there is: a vote
//! of a view that never comes, which the library counts as a sign of life of its sender and drops.

use std::{collections::BTreeMap, sync::Arc, time::Duration, time::SystemTime};

use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::types::{Nullify, Vote},
    types::{Epoch, Participant, Round, View},
};
use commonware_cryptography::{certificate::Attestation, keccak256::Digest};
use commonware_p2p::Message;
use parking_lot::Mutex;
use sahara_finality::{NetworkPublicKey, Scheme, Validator, ValidatorSet};

/// No epoch has so many views, and none beyond the next is taken by an engine.
const NEVER: View = View::new(1 << 48);

/// When each validator was last heard of.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence(Arc<Mutex<BTreeMap<NetworkPublicKey, SystemTime>>>);

impl Presence {
    /// A message came.
    pub(super) fn mark(&self, peer: &NetworkPublicKey, now: SystemTime) {
        let mut heard = self.0.lock();
        match heard.get_mut(peer) {
            Some(last) => *last = now,
            None => drop(heard.insert(peer.clone(), now)),
        }
    }

    /// Signs of life of those among `validators` who were heard of within `patience` or are met for
    /// the first time, for the engine of `epoch`. Others are forgotten.
    pub(super) fn signs(
        &self,
        epoch: u64,
        validators: &ValidatorSet,
        (now, patience): (SystemTime, Duration),
    ) -> Vec<Message<NetworkPublicKey>> {
        let mut heard = self.0.lock();
        heard.retain(|peer, _| validators.find(peer).is_some());
        let present = validators.as_slice().iter().filter(|one| {
            let last = *heard.entry(one.network_key.clone()).or_insert(now);
            now.duration_since(last).unwrap_or_default() <= patience
        });
        present.map(|one| sign(epoch, one)).collect()
    }
}

fn sign(epoch: u64, validator: &Validator) -> Message<NetworkPublicKey> {
    // Nobody checks the signature; it only has to be one.
    let attestation =
        Attestation { signer: Participant::new(0), signature: validator.possession.into() };
    let nullify = Nullify::<Scheme> { round: Round::new(Epoch::new(epoch), NEVER), attestation };
    let vote = Vote::<Scheme, Digest>::Nullify(nullify);
    (validator.network_key.clone(), vote.encode().into())
}
