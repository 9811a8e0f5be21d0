//! The two keys of a validator, and how they are written as text.
//!
//! One 32-byte secret is stored; both keys are derived from it, so a backup is one line.

use alloy_primitives::{Address, hex, keccak256};
use commonware_codec::{Copying, Decode, Encode};
use commonware_cryptography::{
    Signer as _,
    bls12381::primitives::{
        group,
        ops::{compute_public, sign_proof_of_possession},
        variant::{MinSig, Variant},
    },
    ed25519,
};

use crate::validators::Validator;

/// The pairing arrangement: signatures in G1 (48 bytes), keys in G2 (96 bytes).
///
/// Every vote, header and certificate carries signatures, while keys change once an epoch, so the
/// small side belongs to the signatures. On Ethereum (EIP-2537) hashing the message to G1 costs
/// 11,400 gas against 48,200 for G2 and each further key 600 against 375: cheaper up to 160
/// signers. `specs/0001-finality.md` has the table.
pub type Pairing = MinSig;
/// Identifies a validator on the network and orders the set: ed25519.
pub type NetworkPublicKey = ed25519::PublicKey;
/// Opens the encrypted connections between validators.
pub type NetworkPrivateKey = ed25519::PrivateKey;
/// Verifies a validator's votes and randomness.
pub type ConsensusPublicKey = <Pairing as Variant>::Public;
/// Signs votes and randomness.
pub type ConsensusPrivateKey = group::Private;
/// A signature by a consensus key. For one key and one message there is exactly one.
pub type ConsensusSignature = <Pairing as Variant>::Signature;

/// Separates a proof of possession from every other use of the key. It names no chain: it proves
/// something about the key alone.
pub(crate) const POSSESSION_NAMESPACE: &[u8] = b"SAHARA_PROOF_OF_POSSESSION";

/// Both private keys of a validator.
#[derive(Clone)]
pub struct ValidatorKeys {
    /// The network key.
    pub network: NetworkPrivateKey,
    /// The consensus key.
    pub consensus: ConsensusPrivateKey,
}

/// Why text is not the value it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not hexadecimal.
    #[error("expected hexadecimal digits, optionally after 0x: {0}")]
    NotHex(String),
    /// Hexadecimal, but not a key or signature of this kind.
    #[error("not a valid {expected}: {reason}")]
    Invalid {
        /// What was expected.
        expected: &'static str,
        /// What the decoder found.
        reason: String,
    },
}

impl ValidatorKeys {
    /// Derives both keys from one secret.
    ///
    /// # Errors
    /// Never for a uniformly drawn secret; the decoders of the derived keys could refuse.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, KeyError> {
        let derive = |purpose: &[u8]| keccak256([purpose, secret.as_slice()].concat());
        let network = decode_value("network key", derive(b"SAHARA_NETWORK_KEY").as_slice())?;
        let scalar = group::Scalar::map(b"SAHARA_CONSENSUS_KEY", secret);
        // Through the decoder, which refuses zero.
        let consensus = decode_value("consensus key", &scalar.encode())?;
        Ok(Self { network, consensus })
    }

    /// Parses [`Self::from_secret`]'s secret from hexadecimal digits.
    ///
    /// # Errors
    /// When the text is not 32 bytes in hexadecimal.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let bytes = from_hex(text)?;
        let secret: [u8; 32] = bytes.as_slice().try_into().map_err(|_| KeyError::Invalid {
            expected: "validator secret of 32 bytes",
            reason: format!("got {} bytes", bytes.len()),
        })?;
        Self::from_secret(&secret)
    }

    /// What the others need to know: public keys, the proof that the consensus key is held, and
    /// where fees go.
    #[must_use]
    pub fn validator(&self, fee_address: Address) -> Validator {
        Validator {
            network_key: self.network.public_key(),
            consensus_key: compute_public::<Pairing>(&self.consensus),
            possession: sign_proof_of_possession::<Pairing>(&self.consensus, POSSESSION_NAMESPACE),
            fee_address,
            address: None,
        }
    }
}

impl std::fmt::Debug for ValidatorKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ValidatorKeys")
            .field("network", &self.network.public_key())
            .finish_non_exhaustive()
    }
}

/// Writes a key or signature as `0x` and lower-case digits.
#[must_use]
pub fn to_hex(value: &impl Encode) -> String {
    hex::encode_prefixed(value.encode())
}

/// A key or signature as bytes.
#[must_use]
pub fn to_bytes(value: &impl Encode) -> Vec<u8> {
    value.encode().to_vec()
}

/// Reads what [`to_hex`] wrote; `expected` names the kind in the error.
///
/// # Errors
/// See [`KeyError`].
pub fn parse_hex<T: Decode<Cfg = ()>>(expected: &'static str, text: &str) -> Result<T, KeyError> {
    decode_value(expected, &from_hex(text)?)
}

fn from_hex(text: &str) -> Result<Vec<u8>, KeyError> {
    hex::decode(text).map_err(|error| KeyError::NotHex(error.to_string()))
}

pub(crate) fn decode_value<T: Decode<Cfg = ()>>(
    expected: &'static str,
    bytes: &[u8],
) -> Result<T, KeyError> {
    T::decode_cfg(Copying(bytes), &())
        .map_err(|error| KeyError::Invalid { expected, reason: error.to_string() })
}
