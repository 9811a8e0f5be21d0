//! How a quorum of the validators decides who validates from the next epoch on, until staking does.
//!
//! A [`ValidatorChange`] is what is decided, and every validator that agrees signs its bytes with
//! its consensus key. The signatures are collected anywhere, added up into one ([`SignedChange`]),
//! and sent by anyone as an ordinary transaction to the native protocol `validators`, which checks
//! them again.

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::primitives::ops::{
    aggregate::{
        Signature as AggregateSignature, combine_public_keys, combine_signatures,
        verify_same_message,
    },
    sign_message, verify_message,
};
use commonware_utils::iter::NonEmpty;

use crate::{
    keys::{ConsensusPrivateKey, ConsensusPublicKey, ConsensusSignature, Pairing, decode_value},
    validators::{MAX_VALIDATOR_SET_BYTES, ValidatorSet, ValidatorSetError},
};

/// The longest encoding of a [`SignedChange`]: the set, two bytes for each signer, one signature.
pub const MAX_CHANGE_BYTES: usize = MAX_VALIDATOR_SET_BYTES + 2048;

/// Separates agreement to a change from every other use of a consensus key.
const CHANGE_NAMESPACE: &[u8] = b"SAHARA_VALIDATOR_CHANGE";

/// What is decided: in which epoch, by whom, and who follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidatorChange {
    /// The EIP-155 chain id.
    pub chain_id: u64,
    /// Tells apart networks that share chain id and validators: a word of the genesis state.
    pub origin: B256,
    /// The epoch in which it is decided. `next` validates from the epoch after it.
    pub epoch: u64,
    /// [`ValidatorSet::hash`] of the validators of `epoch`, who sign.
    pub current: B256,
    /// Who follows.
    pub next: ValidatorSet,
}

/// A change's signatures, as they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedChange {
    /// The epoch in which it was decided.
    pub epoch: u64,
    /// Who follows.
    pub next: ValidatorSet,
    /// The places in the current set of those who signed, ascending.
    pub signers: Vec<u16>,
    /// The sum of their signatures.
    pub signature: AggregateSignature<Pairing>,
}

/// Why a change is not decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The bytes are not the one encoding of a signed change.
    #[error("malformed change of validators: {0}")]
    Malformed(String),
    /// The next set is none.
    #[error(transparent)]
    Set(#[from] ValidatorSetError),
    /// Signers do not ascend, or are not in the set.
    #[error("the signers are not ascending places in a set of {0}")]
    Signers(usize),
    /// Too few signed.
    #[error("{got} of {seats} validators signed, expected at least {quorum}")]
    NoQuorum {
        /// Who signed.
        got: usize,
        /// How many there are.
        seats: usize,
        /// How many must sign.
        quorum: usize,
    },
    /// A signature is not that of its signer.
    #[error("the signature does not fit the change and its signers")]
    Signature,
}

impl ValidatorChange {
    /// The bytes that are signed: `chain id | origin | epoch | current set | next set`, numbers in
    /// 8 bytes big-endian, sets by their hash.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let next = self.next.hash();
        let numbers = (self.chain_id.to_be_bytes(), self.epoch.to_be_bytes());
        [&numbers.0, self.origin.as_slice(), &numbers.1, self.current.as_slice(), next.as_slice()]
            .concat()
    }

    /// Agrees.
    #[must_use]
    pub fn sign(&self, key: &ConsensusPrivateKey) -> ConsensusSignature {
        sign_message::<Pairing>(key, CHANGE_NAMESPACE, &self.message())
    }

    /// Whether the holder of `key` agreed.
    #[must_use]
    pub fn is_signed(&self, key: &ConsensusPublicKey, signature: &ConsensusSignature) -> bool {
        verify_message::<Pairing>(key, CHANGE_NAMESPACE, &self.message(), signature).is_ok()
    }

    /// Adds up the signatures of validators of the current set, given by their places in it.
    /// Signatures of others and wrong ones are left out; repeated ones count once.
    ///
    /// # Errors
    /// [`ChangeError::NoQuorum`].
    pub fn collect(
        &self,
        current: &ValidatorSet,
        signatures: &[ConsensusSignature],
    ) -> Result<SignedChange, ChangeError> {
        let mut signers = Vec::new();
        let mut collected = Vec::new();
        for (place, validator) in (0_u16..).zip(current.as_slice()) {
            let own = |one: &&ConsensusSignature| self.is_signed(&validator.consensus_key, one);
            if let Some(signature) = signatures.iter().find(own) {
                signers.push(place);
                collected.push(*signature);
            }
        }
        check_quorum(current, signers.len())?;
        let collected = NonEmpty::try_new(collected.iter()).ok_or(ChangeError::Signature)?;
        let signature = combine_signatures::<Pairing, _>(collected);
        Ok(SignedChange { epoch: self.epoch, next: self.next.clone(), signers, signature })
    }
}

impl SignedChange {
    /// Checks that a quorum of `current` decided exactly this on this network. `current` must be the
    /// set of the epoch named.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub fn verify(
        &self,
        chain_id: u64,
        origin: B256,
        current: &ValidatorSet,
    ) -> Result<(), ChangeError> {
        let seats = current.len();
        let ascending = self.signers.windows(2).all(|pair| pair.first() < pair.get(1));
        let keys: Option<Vec<ConsensusPublicKey>> = self
            .signers
            .iter()
            .map(|place| current.as_slice().get(usize::from(*place)).map(|one| one.consensus_key))
            .collect();
        let keys = keys.filter(|_| ascending).ok_or(ChangeError::Signers(seats))?;
        check_quorum(current, keys.len())?;
        let change = ValidatorChange {
            chain_id,
            origin,
            epoch: self.epoch,
            current: current.hash(),
            next: self.next.clone(),
        };
        let keys = NonEmpty::try_new(keys.iter()).ok_or(ChangeError::Signature)?;
        // The keys are distinct and their possession is proven: a set has no others.
        let key = combine_public_keys::<Pairing, _>(keys);
        verify_same_message::<Pairing>(&key, CHANGE_NAMESPACE, &change.message(), &self.signature)
            .map_err(|_| ChangeError::Signature)
    }

    /// The encoding: `rlp([epoch, next set, [place, ...], signature])`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        alloy_rlp::encode(Fields {
            epoch: self.epoch,
            next: self.next.encoded().into(),
            signers: self.signers.clone(),
            signature: self.signature.encode().to_vec().into(),
        })
    }

    /// Decodes an encoding; the whole input is one change.
    ///
    /// # Errors
    /// [`ChangeError::Malformed`] and [`ChangeError::Set`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ChangeError> {
        let malformed = |text: String| ChangeError::Malformed(text);
        if bytes.len() > MAX_CHANGE_BYTES {
            let got = bytes.len();
            return Err(malformed(format!("{got} bytes, expected at most {MAX_CHANGE_BYTES}")));
        }
        let fields = alloy_rlp::decode_exact::<Fields>(bytes)
            .map_err(|error| malformed(error.to_string()))?;
        let change = Self {
            epoch: fields.epoch,
            next: ValidatorSet::decode(&fields.next)?,
            signers: fields.signers,
            signature: decode_value("signature", &fields.signature)
                .map_err(|error| malformed(error.to_string()))?,
        };
        if change.encoded() == bytes {
            Ok(change)
        } else {
            Err(malformed("not encoded canonically".into()))
        }
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct Fields {
    epoch: u64,
    next: Bytes,
    signers: Vec<u16>,
    signature: Bytes,
}

const fn check_quorum(current: &ValidatorSet, got: usize) -> Result<(), ChangeError> {
    let (seats, quorum) = (current.len(), current.quorum());
    if got < quorum { Err(ChangeError::NoQuorum { got, seats, quorum }) } else { Ok(()) }
}
