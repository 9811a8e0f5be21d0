//! Finalisation certificates: which validators signed that a block is final.

use alloy_primitives::B256;
use commonware_codec::{Copying, Decode as _, Encode as _, Error as CodecError, ReadExt as _};
use commonware_consensus::{
    Epochable as _,
    simplex::{scheme::bls12381_multisig, types},
    types::Round,
};
use commonware_cryptography::{
    certificate::Verifier as _,
    keccak256::Digest,
    transcript::{Transcript, Version},
};
use commonware_parallel::Sequential;

use crate::{
    keys::{ConsensusPrivateKey, NetworkPublicKey, Pairing},
    seal::ChainIdentity,
    validators::{MAX_VALIDATORS, ValidatorSet},
};

/// The one certificate scheme: attributable votes, aggregated. Everything that instantiates the
/// consensus library does so with this type; each other would cost every build a minute.
pub type Scheme = bls12381_multisig::Scheme<NetworkPublicKey, Pairing>;

/// A certificate that a block is final.
pub type Finalization = types::Finalization<Scheme, Digest>;

/// The longest encoded certificate: round, parent and hash, a bit for each of 512 validators, one
/// signature. With four validators it has 84 bytes.
pub const MAX_CERTIFICATE_BYTES: usize = 256;

/// Why bytes do not certify a block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Longer than [`MAX_CERTIFICATE_BYTES`].
    #[error("a certificate has at most {MAX_CERTIFICATE_BYTES} bytes, got {0}")]
    TooLong(usize),
    /// Not a certificate of a set of this size.
    #[error("malformed certificate: {0}")]
    Malformed(String),
    /// It certifies another block.
    #[error("the certificate is for block {got}, expected {expected}")]
    OtherBlock {
        /// The block in question.
        expected: B256,
        /// The block certified.
        got: B256,
    },
    /// Of another epoch than that of the validators.
    #[error("the certificate is of epoch {got}, expected epoch {expected}")]
    OtherEpoch {
        /// The validators'.
        expected: u64,
        /// The certificate's.
        got: u64,
    },
    /// Too few signers or a wrong signature.
    #[error("the signatures do not make a quorum of the validators")]
    NoQuorum,
}

/// The scheme for checking what others signed.
#[must_use]
pub fn verifier(chain: &ChainIdentity, validators: &ValidatorSet) -> Scheme {
    Scheme::verifier(&chain.namespace(), validators.participants())
}

/// The scheme for signing as the validator with `key`; none if no validator has it.
#[must_use]
pub fn signer(
    chain: &ChainIdentity,
    validators: &ValidatorSet,
    key: ConsensusPrivateKey,
) -> Option<Scheme> {
    Scheme::signer(&chain.namespace(), validators.participants(), key)
}

/// The bytes of a certificate.
#[must_use]
pub fn encode_finalization(finalization: &Finalization) -> Vec<u8> {
    finalization.encode().to_vec()
}

/// The epoch a certificate says it is of, unchecked: tells whose signatures it must have.
///
/// # Errors
/// [`CertificateError::Malformed`].
pub fn certificate_epoch(bytes: &[u8]) -> Result<u64, CertificateError> {
    let round = Round::read(&mut Copying(bytes))
        .map_err(|error| CertificateError::Malformed(error.to_string()))?;
    Ok(round.epoch().get())
}

/// Checks that more than two thirds of the validators of `epoch` signed that the block is final.
///
/// # Errors
/// See [`CertificateError`].
pub fn verify_finalization(
    chain: &ChainIdentity,
    (epoch, validators): (u64, &ValidatorSet),
    block: B256,
    bytes: &[u8],
) -> Result<Finalization, CertificateError> {
    verify_with((epoch, &verifier(chain, validators)), block, bytes)
}

/// As [`verify_finalization`], for who checks many with one [`verifier`].
///
/// # Errors
/// See [`CertificateError`].
pub fn verify_with(
    (expected, scheme): (u64, &Scheme),
    block: B256,
    bytes: &[u8],
) -> Result<Finalization, CertificateError> {
    if bytes.len() > MAX_CERTIFICATE_BYTES {
        return Err(CertificateError::TooLong(bytes.len()));
    }
    let participants = scheme.certificate_codec_config().min(MAX_VALIDATORS);
    let finalization = Finalization::decode_cfg(Copying(bytes), &participants)
        .map_err(|error: CodecError| CertificateError::Malformed(error.to_string()))?;
    if encode_finalization(&finalization) != bytes {
        return Err(CertificateError::Malformed("not encoded canonically".into()));
    }
    let got = B256::from(finalization.proposal.payload.0);
    if got != block {
        return Err(CertificateError::OtherBlock { expected: block, got });
    }
    let epoch = finalization.epoch().get();
    if epoch != expected {
        return Err(CertificateError::OtherEpoch { expected, got: epoch });
    }
    if finalization.verify(&mut randomness(bytes), scheme, &Sequential) {
        Ok(finalization)
    } else {
        Err(CertificateError::NoQuorum)
    }
}

/// Whether the signatures of something a validator is reported to have signed are right. Two that
/// contradict each other are then proof of its fault.
#[must_use]
pub fn is_proven(scheme: &Scheme, activity: &types::Activity<Scheme, Digest>) -> bool {
    activity.verify(&mut randomness(&activity.encode()), scheme, &Sequential)
}

/// The library asks for randomness to check batches with; one aggregate needs none. Drawn from
/// the bytes themselves, the outcome depends on nothing else.
pub(crate) fn randomness(bytes: &[u8]) -> impl rand_core::CryptoRng + use<> {
    Transcript::new(b"SAHARA_CERTIFICATE", Version::V1).commit(bytes).noise(b"batch")
}
