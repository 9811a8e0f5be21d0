//! Encrypted files for validators' secrets: EIP-2335 (version 4), as Ethereum's validators have them.

use crate::keystore::{Derivation, KeystoreCost, KeystoreError, apply_cipher, bytes, fixed, uuid};
use alloy_primitives::hex;
use sahara_finality::{ValidatorKeys, to_hex};
use secp256k1::rand::{self, RngCore};
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
    Scrypt { dklen: u32, n: u64, p: u32, r: u32, salt: String },
    Pbkdf2 { c: u32, dklen: u32, prf: String, salt: String },
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
        let (mut salt, mut iv, mut id) = ([0; 32], [0; 16], [0; 16]);
        let mut random = rand::rng();
        random.fill_bytes(&mut salt);
        random.fill_bytes(&mut iv);
        random.fill_bytes(&mut id);
        let (n, p) = match cost {
            KeystoreCost::Standard => (1 << 18, 1),
            KeystoreCost::Light => (1 << 12, 6),
        };
        let function = Function::Scrypt { dklen: 32, n, p, r: 8, salt: hex::encode(salt) };
        let derived = function.derivation().derive(&normalised(password))?;
        let mut ciphertext = Zeroizing::new(*secret);
        apply_cipher(&derived, &iv, ciphertext.as_mut_slice());
        let checksum = hex::encode(checksum(&derived, ciphertext.as_slice()));
        let crypto = Crypto {
            kdf: Kdf { function, message: String::new() },
            checksum: Checksum { function: "sha256".into(), params: Nothing {}, message: checksum },
            cipher: Cipher {
                function: "aes-128-ctr".into(),
                params: Iv { iv: hex::encode(iv) },
                message: hex::encode(ciphertext.as_slice()),
            },
        };
        let pubkey = bare(&public_key(secret)?);
        let (description, path) = (DESCRIPTION.into(), String::new());
        Ok(Self { crypto, description, pubkey, path, uuid: uuid(id), version: 4 })
    }

    /// Opens it: the secret, whatever it is a secret of.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn secret(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let Crypto { kdf, checksum: expected, cipher } = &self.crypto;
        let is_known = self.version == 4
            && expected.function == "sha256"
            && cipher.function == "aes-128-ctr"
            && kdf.message.is_empty();
        if !is_known {
            return Err(KeystoreError::Unsupported(format!(
                "version {} with {} and {}",
                self.version, cipher.function, expected.function
            )));
        }
        let mut secret = Zeroizing::new(fixed::<32>("cipher message", &cipher.message)?);
        let iv = fixed::<16>("iv", &cipher.params.iv)?;
        let expected = bytes("checksum message", &expected.message)?;
        let derived = kdf.function.derivation().derive(&normalised(password))?;
        if checksum(&derived, secret.as_slice()).as_slice() != expected {
            return Err(KeystoreError::WrongPassword);
        }
        apply_cipher(&derived, &iv, secret.as_mut_slice());
        Ok(secret)
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
    fn derivation(&self) -> Derivation {
        match self.clone() {
            Self::Scrypt { dklen, n, p, r, salt } => Derivation::Scrypt { dklen, n, p, r, salt },
            Self::Pbkdf2 { c, dklen, prf, salt } => Derivation::Pbkdf2 { c, dklen, prf, salt },
        }
    }
}

/// NFKD, without control characters: the same password on every keyboard.
fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkd().filter(|character| !character.is_control()).collect())
}

/// The second half of the derived key authenticates.
fn checksum(derived: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    let (_, second) = derived.split_at(16);
    Sha256::new().chain_update(second).chain_update(ciphertext).finalize().into()
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
