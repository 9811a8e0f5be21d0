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
