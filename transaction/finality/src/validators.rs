//! Who may propose and vote.

use alloy_primitives::{Address, B256, keccak256};
use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::primitives::ops::verify_proof_of_possession;
use commonware_utils::{TryCollect as _, ordered::BiMap};
use serde::{Deserialize, Serialize};

use crate::keys::{
    ConsensusPublicKey, ConsensusSignature, KeyError, NetworkPublicKey, POSSESSION_NAMESPACE,
    Pairing, parse_hex, to_hex,
};

/// The most validators a set may have: a certificate carries one bit for each, and a proof of
/// possession of each is checked on start (about 1 ms).
pub const MAX_VALIDATORS: usize = 512;

/// One validator, as the others know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ValidatorText", into = "ValidatorText")]
pub struct Validator {
    /// Identifies it on the network; orders the set.
    pub network_key: NetworkPublicKey,
    /// Verifies its votes.
    pub consensus_key: ConsensusPublicKey,
    /// Proves that it holds the private consensus key. Without it, a key computed from the
    /// others' keys could sign in everyone's name (rogue key).
    pub possession: ConsensusSignature,
    /// Receives the fees of the blocks it proposes.
    pub fee_address: Address,
}

/// A non-empty set of validators with distinct keys and checked proofs of possession, in the
/// order of their network keys. One seat, one vote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Validator>", into = "Vec<Validator>")]
pub struct ValidatorSet(Vec<Validator>);

/// Why validators are not a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// Nobody, or too many.
    #[error("expected 1 to {MAX_VALIDATORS} validators, got {0}")]
    Size(usize),
    /// Two share a network or consensus key.
    #[error("two validators share a network key or a consensus key")]
    Duplicate,
    /// A proof of possession does not fit its key.
    #[error("the proof of possession of validator {0} does not fit its consensus key")]
    Possession(String),
}

impl ValidatorSet {
    /// Orders and checks `validators`.
    ///
    /// # Errors
    /// See [`ValidatorSetError`].
    pub fn new(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > MAX_VALIDATORS {
            return Err(ValidatorSetError::Size(validators.len()));
        }
        validators.sort_by(|left, right| left.network_key.cmp(&right.network_key));
        let keys: Result<BiMap<_, _>, _> =
            validators.iter().map(|one| (one.network_key.clone(), one.consensus_key)).try_collect();
        if keys.is_err() {
            return Err(ValidatorSetError::Duplicate);
        }
        for one in &validators {
            verify_proof_of_possession::<Pairing>(
                &one.consensus_key,
                POSSESSION_NAMESPACE,
                &one.possession,
            )
            .map_err(|_| ValidatorSetError::Possession(to_hex(&one.network_key)))?;
        }
        Ok(Self(validators))
    }

    /// In the order of their network keys.
    #[must_use]
    pub fn as_slice(&self) -> &[Validator] {
        &self.0
    }

    /// How many.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The validator with this network key.
    #[must_use]
    pub fn find(&self, network_key: &NetworkPublicKey) -> Option<&Validator> {
        let index = self.0.binary_search_by(|one| one.network_key.cmp(network_key)).ok()?;
        self.0.get(index)
    }

    /// What genesis commits to: `keccak("SAHARA_VALIDATORS" | count | keys and address of each)`.
    /// The proofs of possession are left out: they are checked, and there is one per key.
    #[must_use]
    pub fn hash(&self) -> B256 {
        let mut bytes = b"SAHARA_VALIDATORS".to_vec();
        bytes.extend((self.0.len() as u64).to_be_bytes());
        for one in &self.0 {
            bytes.extend(one.network_key.encode());
            bytes.extend(one.consensus_key.encode());
            bytes.extend(one.fee_address.as_slice());
        }
        keccak256(bytes)
    }

    /// The keys as the certificate scheme wants them.
    pub(crate) fn participants(&self) -> BiMap<NetworkPublicKey, ConsensusPublicKey> {
        let pairs = self.0.iter().map(|one| (one.network_key.clone(), one.consensus_key));
        #[expect(clippy::expect_used, reason = "the constructor refused duplicates")]
        pairs.try_collect().expect("the keys of a validator set are distinct")
    }
}

impl TryFrom<Vec<Validator>> for ValidatorSet {
    type Error = ValidatorSetError;

    fn try_from(validators: Vec<Validator>) -> Result<Self, Self::Error> {
        Self::new(validators)
    }
}

impl From<ValidatorSet> for Vec<Validator> {
    fn from(set: ValidatorSet) -> Self {
        set.0
    }
}

/// The JSON face of a validator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidatorText {
    network_key: String,
    consensus_key: String,
    possession: String,
    fee_address: Address,
}

impl TryFrom<ValidatorText> for Validator {
    type Error = KeyError;

    fn try_from(text: ValidatorText) -> Result<Self, KeyError> {
        Ok(Self {
            network_key: parse_hex("network key", &text.network_key)?,
            consensus_key: parse_hex("consensus key", &text.consensus_key)?,
            possession: parse_hex("proof of possession", &text.possession)?,
            fee_address: text.fee_address,
        })
    }
}

impl From<Validator> for ValidatorText {
    fn from(validator: Validator) -> Self {
        Self {
            network_key: to_hex(&validator.network_key),
            consensus_key: to_hex(&validator.consensus_key),
            possession: to_hex(&validator.possession),
            fee_address: validator.fee_address,
        }
    }
}
