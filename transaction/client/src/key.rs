//! A key of an account.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Signature, eip191_hash_message, hex, keccak256};
use alloy_sol_types::{Eip712Domain, SolStruct};
use sahara_finality::EthereumTransaction;
use secp256k1::{Message, SECP256K1, SecretKey, ecdsa::RecoveryId};
use std::fmt;
use zeroize::Zeroizing;

/// The secret of one account. It signs; it is never printed, and erased when dropped.
#[derive(Clone)]
pub struct SigningKey {
    secret: SecretKey,
    address: Address,
}

/// Why text or bytes are not a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes in hexadecimal.
    #[error("expected a secret key of 64 hexadecimal digits, optionally after 0x")]
    NotHex,
    /// Zero, or not below the order of the curve.
    #[error("the secret is zero or too large for secp256k1")]
    OutOfRange,
    /// Not a recovery phrase.
    #[error("not a recovery phrase of 12 to 24 English words: {0}")]
    Mnemonic(String),
}

impl SigningKey {
    /// From 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::OutOfRange`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let secret = SecretKey::from_byte_array(*bytes).map_err(|_| KeyError::OutOfRange)?;
        Ok(Self::new(secret))
    }

    /// From 64 hexadecimal digits, optionally after `0x`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| KeyError::NotHex)?;
        Self::from_bytes(&bytes)
    }

    /// Draws a key from the operating system's randomness.
    #[must_use]
    pub fn random() -> Self {
        Self::new(SecretKey::new(&mut secp256k1::rand::rng()))
    }

    /// From a BIP-39 recovery phrase, as wallets do: account `index` of `m/44'/60'/0'/0`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_mnemonic(phrase: &str, index: u32) -> Result<Self, KeyError> {
        crate::mnemonic::derive(phrase, index).map(Self::new)
    }

    pub(crate) fn new(secret: SecretKey) -> Self {
        let public = secret.public_key(SECP256K1).serialize_uncompressed();
        let (_, point) = public.split_at(1);
        Self { secret, address: Address::from_word(keccak256(point)) }
    }

    /// Its account.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The secret, for a file or another program. Handle with care.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.secret_bytes())
    }

    /// Signs a hash.
    #[must_use]
    pub fn sign(&self, hash: B256) -> Signature {
        let signature =
            SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.secret);
        let (parity, bytes) = signature.serialize_compact();
        Signature::from_bytes_and_parity(
            &bytes,
            matches!(parity, RecoveryId::One | RecoveryId::Three),
        )
    }

    /// Signs a hash: `r || s || v`, `v` 27 or 28, `s` low.
    #[must_use]
    pub fn sign_hash(&self, hash: B256) -> [u8; 65] {
        self.sign(hash).as_bytes()
    }

    /// Signs an EIP-712 message: `r || s || v`.
    #[must_use]
    pub fn sign_typed(&self, message: &impl SolStruct, domain: &Eip712Domain) -> Bytes {
        Bytes::copy_from_slice(&self.sign_hash(message.eip712_signing_hash(domain)))
    }

    /// Signs text as wallets do (EIP-191 `personal_sign`): `r || s || v`.
    #[must_use]
    pub fn sign_message(&self, message: impl AsRef<[u8]>) -> Bytes {
        Bytes::copy_from_slice(&self.sign_hash(eip191_hash_message(message)))
    }

    /// Signs a transaction.
    #[must_use]
    pub fn sign_transaction(&self, transaction: TxEip1559) -> EthereumTransaction {
        let signature = self.sign(transaction.signature_hash());
        EthereumTransaction::Eip1559(transaction.into_signed(signature))
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("address", &self.address).finish_non_exhaustive()
    }
}
