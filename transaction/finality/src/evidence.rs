//! Evidence: two votes of one validator that exclude each other.

use commonware_codec::{Copying, Decode as _};
use commonware_consensus::{Epochable as _, simplex::types, types::Participant};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::{TryCollect as _, ordered::BiMap};

use crate::{
    certificate::{Scheme, randomness},
    keys::{ConsensusPublicKey, NetworkPublicKey},
    seal::ChainIdentity,
};

/// The longest evidence: two votes of at most 150 bytes each, and what they are.
pub const MAX_EVIDENCE_BYTES: usize = 512;

type Notarize = types::Notarize<Scheme, Digest>;
type Finalize = types::Finalize<Scheme, Digest>;
type Nullify = types::Nullify<Scheme>;

/// The epoch in which the holder of these keys signed two votes that exclude each other, if
/// `evidence` proves it: an activity of the consensus library, as nodes keep it. Which place the
/// signer had among the validators does not matter; whose key signed does.
#[must_use]
pub fn proven_conflict(
    chain: &ChainIdentity,
    network_key: &NetworkPublicKey,
    consensus_key: &ConsensusPublicKey,
    evidence: &[u8],
) -> Option<u64> {
    if evidence.len() > MAX_EVIDENCE_BYTES {
        return None;
    }
    let pair = std::iter::once((network_key.clone(), *consensus_key));
    let only: BiMap<_, _> = pair.try_collect().ok()?;
    let scheme = Scheme::verifier(&chain.namespace(), only);
    let (tag, votes) = evidence.split_first()?;
    let noise = || randomness(evidence);
    match tag {
        7 => {
            let (mut one, mut other) = both::<Notarize, Notarize>(votes)?;
            let conflicts = one.round() == other.round() && one.proposal != other.proposal;
            one.attestation.signer = Participant::new(0);
            other.attestation.signer = Participant::new(0);
            let is_signed = one.verify(&mut noise(), &scheme, &Sequential)
                && other.verify(&mut noise(), &scheme, &Sequential);
            (conflicts && is_signed).then(|| one.epoch().get())
        }
        8 => {
            let (mut one, mut other) = both::<Finalize, Finalize>(votes)?;
            let conflicts = one.round() == other.round() && one.proposal != other.proposal;
            one.attestation.signer = Participant::new(0);
            other.attestation.signer = Participant::new(0);
            let is_signed = one.verify(&mut noise(), &scheme, &Sequential)
                && other.verify(&mut noise(), &scheme, &Sequential);
            (conflicts && is_signed).then(|| one.epoch().get())
        }
        9 => {
            let (mut one, mut other) = both::<Nullify, Finalize>(votes)?;
            let conflicts = one.round == other.round();
            one.attestation.signer = Participant::new(0);
            other.attestation.signer = Participant::new(0);
            let is_signed = one.verify::<_, Digest>(&mut noise(), &scheme, &Sequential)
                && other.verify(&mut noise(), &scheme, &Sequential);
            (conflicts && is_signed).then(|| one.round.epoch().get())
        }
        _ => None,
    }
}

fn both<A, B>(bytes: &[u8]) -> Option<(A, B)>
where
    A: commonware_codec::Read<Cfg = ()>,
    B: commonware_codec::Read<Cfg = ()>,
{
    <(A, B)>::decode_cfg(Copying(bytes), &((), ())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{certificate::signer, keys::ValidatorKeys, validators::ValidatorSet};
    use alloy_primitives::{Address, B256};
    use commonware_codec::Encode;
    use commonware_consensus::types::{Epoch, Round, View};

    const CHAIN: ChainIdentity = ChainIdentity { chain_id: 724_272, genesis: B256::ZERO };

    fn keys(number: u8) -> ValidatorKeys {
        ValidatorKeys::from_secret(&[number; 32]).unwrap()
    }

    /// The scheme of one validator among three.
    fn scheme(number: u8) -> Scheme {
        let validators = [1, 2, 3].map(|n| keys(n).validator(Address::ZERO)).to_vec();
        signer(&CHAIN, &ValidatorSet::new(validators).unwrap(), keys(number).consensus).unwrap()
    }

    fn round(view: u64) -> Round {
        Round::new(Epoch::new(5), View::new(view))
    }

    fn proposal(view: u64, block: u8) -> types::Proposal<Digest> {
        types::Proposal::new(round(view), View::new(view - 1), Digest([block; 32]))
    }

    fn evidence(tag: u8, votes: [&dyn Fn() -> Vec<u8>; 2]) -> Vec<u8> {
        [vec![tag], votes[0](), votes[1]()].concat()
    }

    fn proves(chain: &ChainIdentity, number: u8, evidence: &[u8]) -> Option<u64> {
        let validator = keys(number).validator(Address::ZERO);
        proven_conflict(chain, &validator.network_key, &validator.consensus_key, evidence)
    }

    #[test]
    fn two_votes_that_exclude_each_other_prove_a_fault() {
        let scheme = scheme(2);
        let notarize = |block| Notarize::sign(&scheme, proposal(9, block)).unwrap();
        let finalize = |block| Finalize::sign(&scheme, proposal(9, block)).unwrap();
        let nullify = Nullify::sign::<Digest>(&scheme, round(9)).unwrap();
        let as_kept = [
            types::Activity::ConflictingNotarize(types::ConflictingNotarize::new(
                notarize(1),
                notarize(2),
            )),
            types::Activity::ConflictingFinalize(types::ConflictingFinalize::new(
                finalize(1),
                finalize(2),
            )),
            types::Activity::NullifyFinalize(types::NullifyFinalize::new(nullify, finalize(1))),
        ];
        for activity in as_kept {
            let activity: types::Activity<Scheme, Digest> = activity;
            let bytes = activity.encode().to_vec();
            assert_eq!(proves(&CHAIN, 2, &bytes), Some(5));
            assert_eq!(proves(&CHAIN, 1, &bytes), None, "another's key");
            let other = ChainIdentity { chain_id: 1, ..CHAIN };
            assert_eq!(proves(&other, 2, &bytes), None, "another chain's votes");
            assert_eq!(proves(&CHAIN, 2, &[&bytes[..], &[0]].concat()), None, "trailing bytes");
            assert_eq!(proves(&CHAIN, 2, &bytes[..bytes.len() - 1]), None);
        }
    }

    #[test]
    fn votes_that_go_together_prove_nothing() {
        let scheme = scheme(2);
        let vote = |view, block| {
            let scheme = scheme.clone();
            move || Notarize::sign(&scheme, proposal(view, block)).unwrap().encode().to_vec()
        };
        assert_eq!(proves(&CHAIN, 2, &evidence(7, [&vote(9, 1), &vote(9, 1)])), None, "the same");
        assert_eq!(proves(&CHAIN, 2, &evidence(7, [&vote(9, 1), &vote(10, 2)])), None, "two views");
        assert_eq!(
            proves(&CHAIN, 2, &evidence(8, [&vote(9, 1), &vote(9, 2)])),
            None,
            "no finality"
        );
        let foreign = self::scheme(3);
        let other = || Notarize::sign(&foreign, proposal(9, 2)).unwrap().encode().to_vec();
        assert_eq!(proves(&CHAIN, 2, &evidence(7, [&vote(9, 1), &other])), None, "two signers");
    }
}
