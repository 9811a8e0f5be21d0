//! Who may propose and vote.

use std::net::SocketAddr;

use alloy_primitives::{Address, B256, keccak256};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use commonware_codec::{Decode, Encode as _};
use commonware_cryptography::bls12381::primitives::ops::verify_proof_of_possession;
use commonware_utils::{TryCollect as _, ordered::BiMap};
use serde::{Deserialize, Serialize};

use crate::keys::{
    ConsensusPublicKey, ConsensusSignature, KeyError, NetworkPublicKey, POSSESSION_NAMESPACE,
    Pairing, decode_value, parse_hex, to_hex,
};

/// The most validators a set may have: a certificate carries one bit for each, and a proof of
/// possession of each is checked on start (about 1 ms).
pub const MAX_VALIDATORS: usize = 512;

/// The longest encoded set: 512 seats of at most 262 bytes.
pub const MAX_VALIDATOR_SET_BYTES: usize = 136 * 1024;

/// The longest text of an address and port: `[ffff:...:ffff%4294967295]:65535`.
const MAX_ADDRESS_BYTES: usize = 58;

/// One seat: one vote, and one turn to lead in each round of turns. Who holds several seats holds as
/// many pairs of keys.
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
    /// Where the others reach it. Without one, every node must be told by its own configuration.
    pub address: Option<SocketAddr>,
}

/// A non-empty set of validators with distinct keys and checked proofs of possession, in the
/// order of their network keys.
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
    /// The bytes are not the one encoding of a set.
    #[error("malformed validator set: {0}")]
    Malformed(String),
}

impl ValidatorSet {
    /// Orders and checks `validators`.
    ///
    /// # Errors
    /// See [`ValidatorSetError`].
    pub fn new(validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        let set = Self::of_proven(validators)?;
        for one in &set.0 {
            verify_proof_of_possession::<Pairing>(
                &one.consensus_key,
                POSSESSION_NAMESPACE,
                &one.possession,
            )
            .map_err(|_| ValidatorSetError::Possession(to_hex(&one.network_key)))?;
        }
        Ok(set)
    }

    /// As [`Self::new`], of validators whose proofs of possession were checked before: staking checks
    /// each when it is registered, and a check takes about a millisecond.
    ///
    /// # Errors
    /// [`ValidatorSetError::Size`], [`ValidatorSetError::Duplicate`].
    pub fn of_proven(mut validators: Vec<Validator>) -> Result<Self, ValidatorSetError> {
        if validators.is_empty() || validators.len() > MAX_VALIDATORS {
            return Err(ValidatorSetError::Size(validators.len()));
        }
        validators.sort_by(|left, right| left.network_key.cmp(&right.network_key));
        let keys: Result<BiMap<_, _>, _> =
            validators.iter().map(|one| (one.network_key.clone(), one.consensus_key)).try_collect();
        if keys.is_err() {
            return Err(ValidatorSetError::Duplicate);
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

    /// What headers commit to: `keccak("SAHARA_VALIDATORS" | encoding)`.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256([b"SAHARA_VALIDATORS".as_slice(), &self.encoded()].concat())
    }

    /// The encoding: `rlp([[network key, consensus key, proof of possession, fee address, address
    /// and port as text or nothing], ...])`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        alloy_rlp::encode(&self.0)
    }

    /// Decodes an encoding and checks the set; the whole input is one set.
    ///
    /// # Errors
    /// See [`ValidatorSetError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ValidatorSetError> {
        Self::decode_with(bytes, Self::new)
    }

    /// As [`Self::decode`], of a set whose proofs of possession were checked before it was kept: what is
    /// only shown to others is not checked again, a millisecond a seat.
    ///
    /// # Errors
    /// See [`ValidatorSetError`].
    pub fn decode_proven(bytes: &[u8]) -> Result<Self, ValidatorSetError> {
        Self::decode_with(bytes, Self::of_proven)
    }

    fn decode_with(
        bytes: &[u8],
        set_of: fn(Vec<Validator>) -> Result<Self, ValidatorSetError>,
    ) -> Result<Self, ValidatorSetError> {
        if bytes.len() > MAX_VALIDATOR_SET_BYTES {
            let text = format!("{} bytes, expected at most {MAX_VALIDATOR_SET_BYTES}", bytes.len());
            return Err(ValidatorSetError::Malformed(text));
        }
        let validators = alloy_rlp::decode_exact::<Vec<Validator>>(bytes)
            .map_err(|error| ValidatorSetError::Malformed(error.to_string()))?;
        let set = set_of(validators)?;
        if set.encoded() == bytes {
            Ok(set)
        } else {
            Err(ValidatorSetError::Malformed("not encoded canonically".into()))
        }
    }

    /// How many of the seats make a quorum: more than two thirds.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        quorum(self.0.len())
    }

    /// The keys as the certificate scheme wants them.
    pub(crate) fn participants(&self) -> BiMap<NetworkPublicKey, ConsensusPublicKey> {
        let pairs = self.0.iter().map(|one| (one.network_key.clone(), one.consensus_key));
        #[expect(clippy::expect_used, reason = "the constructor refused duplicates")]
        pairs.try_collect().expect("the keys of a validator set are distinct")
    }
}

/// How many of so many seats make a quorum: more than two thirds.
#[must_use]
pub const fn quorum(seats: usize) -> usize {
    let tolerated = seats.saturating_sub(1) / 3;
    seats.saturating_sub(tolerated)
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

impl Encodable for Validator {
    fn encode(&self, out: &mut dyn BufMut) {
        let keys = (self.network_key.encode(), self.consensus_key.encode());
        let possession = self.possession.encode();
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        let fields: [&dyn Encodable; 5] = [
            &keys.0.as_ref(),
            &keys.1.as_ref(),
            &possession.as_ref(),
            &self.fee_address,
            &address.as_str(),
        ];
        let payload_length = fields.iter().map(|field| field.length()).sum();
        RlpHeader { list: true, payload_length }.encode(out);
        for field in fields {
            field.encode(out);
        }
    }
}

impl Decodable for Validator {
    fn decode(buffer: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut fields = RlpHeader::decode_bytes(buffer, true)?;
        let validator = Self {
            network_key: decode_field(&mut fields, "network key")?,
            consensus_key: decode_field(&mut fields, "consensus key")?,
            possession: decode_field(&mut fields, "proof of possession")?,
            fee_address: Address::decode(&mut fields)?,
            address: decode_address(&mut fields)?,
        };
        if fields.is_empty() { Ok(validator) } else { Err(alloy_rlp::Error::UnexpectedLength) }
    }
}

fn decode_field<T: Decode<Cfg = ()>>(
    fields: &mut &[u8],
    what: &'static str,
) -> alloy_rlp::Result<T> {
    let bytes = RlpHeader::decode_bytes(fields, false)?;
    decode_value(what, bytes).map_err(|_| alloy_rlp::Error::Custom(what))
}

fn decode_address(fields: &mut &[u8]) -> alloy_rlp::Result<Option<SocketAddr>> {
    let bytes = RlpHeader::decode_bytes(fields, false)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= MAX_ADDRESS_BYTES);
    let address = text.and_then(|text| text.parse().ok());
    Ok(Some(address.ok_or(alloy_rlp::Error::Custom("address and port"))?))
}

/// The JSON face of a validator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidatorText {
    network_key: String,
    consensus_key: String,
    possession: String,
    fee_address: Address,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<SocketAddr>,
}

impl TryFrom<ValidatorText> for Validator {
    type Error = KeyError;

    fn try_from(text: ValidatorText) -> Result<Self, KeyError> {
        Ok(Self {
            network_key: parse_hex("network key", &text.network_key)?,
            consensus_key: parse_hex("consensus key", &text.consensus_key)?,
            possession: parse_hex("proof of possession", &text.possession)?,
            fee_address: text.fee_address,
            address: text.address,
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
            address: validator.address,
        }
    }
}
