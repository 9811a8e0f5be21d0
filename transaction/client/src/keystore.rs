//! Encrypted key files: Web3 Secret Storage, version 3, as geth, cast and browser wallets write them.

use crate::{
    key::SigningKey,
    sealing::{CIPHER, Derived, KeystoreCost, KeystoreError, Pbkdf2, Scrypt, fixed, open, seal},
};
use alloy_primitives::{Address, hex, keccak256};
use serde::{Deserialize, Serialize};

/// An encrypted key, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keystore {
    /// The account, so that it can be listed without the password.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "bare_address")]
    pub address: Option<Address>,
    /// What encrypts it.
    #[serde(alias = "Crypto")]
    crypto: Crypto,
    /// A random name.
    id: String,
    /// Always 3.
    version: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParameters,
    ciphertext: String,
    #[serde(flatten)]
    derivation: Derivation,
    mac: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CipherParameters {
    iv: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Derivation {
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

impl Keystore {
    /// Encrypts a key.
    ///
    /// # Errors
    /// [`KeystoreError::TooCostly`] when the machine cannot derive the key.
    pub fn encrypt(
        key: &SigningKey,
        password: &str,
        cost: KeystoreCost,
    ) -> Result<Self, KeystoreError> {
        let sealed = seal(&key.to_bytes(), password, cost)?;
        let crypto = Crypto {
            cipher: CIPHER.into(),
            cipherparams: CipherParameters { iv: hex::encode(sealed.iv) },
            mac: hex::encode(mac(sealed.derived.second(), &sealed.ciphertext)),
            ciphertext: hex::encode(sealed.ciphertext),
            derivation: Derivation::Scrypt(sealed.scrypt),
        };
        Ok(Self { address: Some(key.address()), crypto, id: sealed.id, version: 3 })
    }

    /// Opens it.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn decrypt(&self, password: &str) -> Result<SigningKey, KeystoreError> {
        if self.version != 3 || self.crypto.cipher != CIPHER {
            return Err(KeystoreError::Unsupported(format!(
                "version {} with {}",
                self.version, self.crypto.cipher
            )));
        }
        let Crypto { cipherparams, ciphertext, derivation, mac: expected, .. } = &self.crypto;
        let expected = fixed::<32>("mac", expected)?;
        let is_right = |half: &[u8], text: &[u8]| mac(half, text) == expected;
        let secret = open(&derivation.derive(password)?, (&cipherparams.iv, ciphertext), is_right)?;
        Ok(SigningKey::from_bytes(&secret)?)
    }

    /// The file's text.
    #[must_use]
    #[expect(clippy::expect_used, reason = "strings and numbers always serialise")]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a key file is plain JSON")
    }

    /// Parses a file's text.
    ///
    /// # Errors
    /// [`KeystoreError::Malformed`].
    pub fn from_json(text: &str) -> Result<Self, KeystoreError> {
        serde_json::from_str(text).map_err(|error| KeystoreError::Malformed(error.to_string()))
    }
}

impl Derivation {
    fn derive(&self, password: &str) -> Result<Derived, KeystoreError> {
        match self {
            Self::Scrypt(scrypt) => scrypt.derive(password),
            Self::Pbkdf2(pbkdf2) => pbkdf2.derive(password),
        }
    }
}

fn mac(half: &[u8], ciphertext: &[u8]) -> [u8; 32] {
    keccak256([half, ciphertext].concat()).0
}

/// Other programs write the address without `0x`.
mod bare_address {
    use super::{Address, hex};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        address: &Option<Address>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.serialize_str(&hex::encode(address)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Address>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let bytes = hex::decode(text).map_err(D::Error::custom)?;
        Address::try_from(bytes.as_slice()).map(Some).map_err(D::Error::custom)
    }
}
