//! Encrypted files for validators' secrets: EIP-2335 (version 4), as Ethereum's validators have them.

use crate::sealing::{
    CIPHER, Derived, KeystoreCost, KeystoreError, Pbkdf2, Scrypt, bytes, open, seal,
};
use alloy_primitives::hex;
use sahara_finality::{ValidatorKeys, to_hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

const DESCRIPTION: &str = "Sahara validator: network key and consensus key are derived from it";

/// An encrypted secret of 32 bytes, as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidatorKeystore {
    crypto: Crypto,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The public consensus key, so that files can be told apart without the password.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub pubkey: String,
    /// Empty: our secrets are drawn, not derived from a seed.
    path: String,
    /// A random name.
    uuid: String,
    /// Always 4.
    version: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Crypto {
    kdf: Kdf,
    checksum: Checksum,
    cipher: Cipher,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kdf {
    #[serde(flatten)]
    function: Function,
    /// Always empty.
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "function", content = "params", rename_all = "lowercase")]
enum Function {
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Checksum {
    function: String,
    params: Nothing,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cipher {
    function: String,
    params: Iv,
    message: String,
}

/// An empty object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Nothing {}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Iv {
    iv: String,
}

impl ValidatorKeystore {
    /// Encrypts a validator's secret.
    ///
    /// # Errors
    /// [`KeystoreError::TooCostly`] when the machine cannot derive the key.
    pub fn encrypt(
        secret: &[u8; 32],
        password: &str,
        cost: KeystoreCost,
    ) -> Result<Self, KeystoreError> {
        let sealed = seal(secret, &normalised(password), cost)?;
        let checksum = hex::encode(checksum(sealed.derived.second(), &sealed.ciphertext));
        let crypto = Crypto {
            kdf: Kdf { function: Function::Scrypt(sealed.scrypt), message: String::new() },
            checksum: Checksum { function: "sha256".into(), params: Nothing {}, message: checksum },
            cipher: Cipher {
                function: CIPHER.into(),
                params: Iv { iv: hex::encode(sealed.iv) },
                message: hex::encode(sealed.ciphertext),
            },
        };
        let pubkey = bare(&public_key(secret)?);
        let (description, path) = (DESCRIPTION.into(), String::new());
        Ok(Self { crypto, description, pubkey, path, uuid: sealed.id, version: 4 })
    }

    /// Opens it: the secret, whatever it is a secret of.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn secret(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let Crypto { kdf, checksum: expected, cipher } = &self.crypto;
        let is_known = self.version == 4
            && expected.function == "sha256"
            && cipher.function == CIPHER
            && kdf.message.is_empty();
        if !is_known {
            return Err(KeystoreError::Unsupported(format!(
                "version {} with {} and {}",
                self.version, cipher.function, expected.function
            )));
        }
        let expected = bytes("checksum message", &expected.message)?;
        let is_right = |half: &[u8], text: &[u8]| checksum(half, text).as_slice() == expected;
        let derived = kdf.function.derive(&normalised(password))?;
        open(&derived, (&cipher.params.iv, &cipher.message), is_right)
    }

    /// Opens the secret of a validator of ours.
    ///
    /// # Errors
    /// See [`KeystoreError`]; [`KeystoreError::OtherKey`] when the file names another public key.
    pub fn validator_secret(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let secret = self.secret(password)?;
        let got = bare(&public_key(&secret)?);
        let expected = bare(&self.pubkey);
        if !expected.is_empty() && expected != got {
            return Err(KeystoreError::OtherKey { expected, got });
        }
        Ok(secret)
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

impl Function {
    fn derive(&self, password: &str) -> Result<Derived, KeystoreError> {
        match self {
            Self::Scrypt(scrypt) => scrypt.derive(password),
            Self::Pbkdf2(pbkdf2) => pbkdf2.derive(password),
        }
    }
}

/// NFKD, without control characters: the same password on every keyboard.
fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkd().filter(|character| !character.is_control()).collect())
}

fn checksum(half: &[u8], ciphertext: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(half).chain_update(ciphertext).finalize().into()
}

fn public_key(secret: &[u8; 32]) -> Result<String, KeystoreError> {
    let keys = ValidatorKeys::from_secret(secret)
        .map_err(|error| KeystoreError::Malformed(error.to_string()))?;
    Ok(to_hex(&keys.validator(alloy_primitives::Address::ZERO).consensus_key))
}

/// Without `0x`, as the standard has it.
fn bare(hex: &str) -> String {
    hex.trim_start_matches("0x").to_lowercase()
}
