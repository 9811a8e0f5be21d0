//! Encrypted key files: Web3 Secret Storage, version 3, as geth, cast and browser wallets write them.

use crate::key::{KeyError, SigningKey};
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::{Address, hex, keccak256};
use secp256k1::rand::{self, RngCore};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most memory scrypt may take when a file is opened: 128 * N * r bytes, 1 GiB.
const MAX_SCRYPT_MEMORY: u64 = 1 << 30;
/// The most rounds of PBKDF2 when a file is opened; usual files have 262,144.
const MAX_ROUNDS: u32 = 10_000_000;

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

/// How long a guess at the password takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeystoreCost {
    /// As geth: about a second and 256 MiB.
    Standard,
    /// As geth's `--lightkdf`: about 30 ms and 4 MiB.
    Light,
}

/// Why a key file does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeystoreError {
    /// Not the JSON of a key file.
    #[error("not an encrypted key file: {0}")]
    Malformed(String),
    /// Another cipher or derivation.
    #[error("the key file uses {0}, expected aes-128-ctr with scrypt or pbkdf2")]
    Unsupported(String),
    /// Opening it would take too much time or memory.
    #[error("the key file asks for unreasonable work: {0}")]
    TooCostly(String),
    /// The password does not fit.
    #[error("wrong password")]
    WrongPassword,
    /// It opened, but what it holds is another key than it says.
    #[error("the key file says that it holds {expected}, and holds {got}")]
    OtherKey {
        /// The public key that the file names.
        expected: String,
        /// That of the secret inside.
        got: String,
    },
    /// It opened, but what it holds is no key.
    #[error(transparent)]
    Key(#[from] KeyError),
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
pub(crate) enum Derivation {
    Scrypt { dklen: u32, n: u64, p: u32, r: u32, salt: String },
    Pbkdf2 { c: u32, dklen: u32, prf: String, salt: String },
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
        let (mut salt, mut iv, mut id) = ([0; 32], [0; 16], [0; 16]);
        let mut random = rand::rng();
        random.fill_bytes(&mut salt);
        random.fill_bytes(&mut iv);
        random.fill_bytes(&mut id);
        let (n, p) = match cost {
            KeystoreCost::Standard => (1 << 18, 1),
            KeystoreCost::Light => (1 << 12, 6),
        };
        let derivation = Derivation::Scrypt { dklen: 32, n, p, r: 8, salt: hex::encode(salt) };
        let derived = derivation.derive(password)?;
        let mut ciphertext = key.to_bytes();
        apply_cipher(&derived, &iv, ciphertext.as_mut_slice());
        let crypto = Crypto {
            cipher: "aes-128-ctr".into(),
            cipherparams: CipherParameters { iv: hex::encode(iv) },
            mac: hex::encode(mac(&derived, ciphertext.as_slice())),
            ciphertext: hex::encode(ciphertext),
            derivation,
        };
        Ok(Self { address: Some(key.address()), crypto, id: uuid(id), version: 3 })
    }

    /// Opens it.
    ///
    /// # Errors
    /// See [`KeystoreError`].
    pub fn decrypt(&self, password: &str) -> Result<SigningKey, KeystoreError> {
        if self.version != 3 || self.crypto.cipher != "aes-128-ctr" {
            return Err(KeystoreError::Unsupported(format!(
                "version {} with {}",
                self.version, self.crypto.cipher
            )));
        }
        let mut secret = Zeroizing::new(fixed::<32>("ciphertext", &self.crypto.ciphertext)?);
        let iv = fixed::<16>("iv", &self.crypto.cipherparams.iv)?;
        let expected = fixed::<32>("mac", &self.crypto.mac)?;
        let derived = self.crypto.derivation.derive(password)?;
        if mac(&derived, secret.as_slice()) != expected {
            return Err(KeystoreError::WrongPassword);
        }
        apply_cipher(&derived, &iv, secret.as_mut_slice());
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
    pub(crate) fn derive(&self, password: &str) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
        let mut derived = Zeroizing::new([0; 32]);
        match self {
            Self::Scrypt { dklen: 32, n, p, r, salt } => {
                let memory = n.saturating_mul(u64::from(*r)).saturating_mul(128);
                if !n.is_power_of_two() || memory > MAX_SCRYPT_MEMORY || *p > 16 {
                    return Err(KeystoreError::TooCostly(format!("scrypt n={n} r={r} p={p}")));
                }
                let log = u8::try_from(n.ilog2()).unwrap_or(u8::MAX);
                let parameters = scrypt::Params::new(log, *r, *p, 32)
                    .map_err(|error| KeystoreError::Malformed(error.to_string()))?;
                let salt = bytes("salt", salt)?;
                scrypt::scrypt(password.as_bytes(), &salt, &parameters, derived.as_mut_slice())
                    .map_err(|error| KeystoreError::Malformed(error.to_string()))?;
            }
            Self::Pbkdf2 { c, dklen: 32, prf, salt } if prf == "hmac-sha256" => {
                if *c > MAX_ROUNDS {
                    return Err(KeystoreError::TooCostly(format!("{c} rounds of pbkdf2")));
                }
                let salt = bytes("salt", salt)?;
                pbkdf2::pbkdf2_hmac::<sha2::Sha256>(
                    password.as_bytes(),
                    &salt,
                    *c,
                    derived.as_mut_slice(),
                );
            }
            Self::Pbkdf2 { prf, dklen, .. } => {
                return Err(KeystoreError::Unsupported(format!("{prf} with {dklen} bytes")));
            }
            Self::Scrypt { dklen, .. } => {
                return Err(KeystoreError::Unsupported(format!("scrypt with {dklen} bytes")));
            }
        }
        Ok(derived)
    }
}

/// The first half of the derived key encrypts.
pub(crate) fn apply_cipher(derived: &[u8; 32], iv: &[u8; 16], data: &mut [u8]) {
    let mut key = Zeroizing::new([0; 16]);
    let (first, _) = derived.split_at(16);
    key.copy_from_slice(first);
    ctr::Ctr128BE::<aes::Aes128>::new((&*key).into(), iv.into()).apply_keystream(data);
}

/// The second half authenticates.
fn mac(derived: &[u8; 32], ciphertext: &[u8]) -> [u8; 32] {
    let (_, second) = derived.split_at(16);
    keccak256([second, ciphertext].concat()).0
}

pub(crate) fn bytes(what: &str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text).map_err(|error| KeystoreError::Malformed(format!("{what}: {error}")))
}

pub(crate) fn fixed<const N: usize>(what: &str, text: &str) -> Result<[u8; N], KeystoreError> {
    bytes(what, text)?
        .try_into()
        .map_err(|_| KeystoreError::Malformed(format!("{what}: expected {N} bytes")))
}

/// Version 4 of RFC 9562.
pub(crate) fn uuid(mut random: [u8; 16]) -> String {
    let [.., six, _, eight, _, _, _, _, _, _, _] = &mut random;
    *six = (*six & 0x0f) | 0x40;
    *eight = (*eight & 0x3f) | 0x80;
    let digits = hex::encode(random);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
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
