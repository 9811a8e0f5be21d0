//! What key files of both formats have in common: a key derived from the password, AES-128 in counter mode,
//! and what authenticates the ciphertext.

use crate::key::KeyError;
use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::hex;
use secp256k1::rand::{self, RngCore};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The most memory scrypt may take when a file is opened: 128 * N * r bytes, 1 GiB.
const MAX_SCRYPT_MEMORY: u64 = 1 << 30;
/// The most rounds of PBKDF2 when a file is opened; usual files have 262,144.
const MAX_ROUNDS: u32 = 10_000_000;
/// The one cipher, as both formats name it.
pub(crate) const CIPHER: &str = "aes-128-ctr";

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

/// A key derived with scrypt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scrypt {
    dklen: u32,
    n: u64,
    p: u32,
    r: u32,
    salt: String,
}

/// A key derived with PBKDF2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pbkdf2 {
    c: u32,
    dklen: u32,
    prf: String,
    salt: String,
}

/// What is derived from a password: the first half encrypts, the second authenticates.
pub(crate) struct Derived(Zeroizing<[u8; 32]>);

/// A secret that was encrypted just now.
pub(crate) struct Sealed {
    pub(crate) scrypt: Scrypt,
    pub(crate) derived: Derived,
    pub(crate) iv: [u8; 16],
    pub(crate) ciphertext: [u8; 32],
    /// A random name.
    pub(crate) id: String,
}

/// Encrypts a secret.
pub(crate) fn seal(
    secret: &[u8; 32],
    password: &str,
    cost: KeystoreCost,
) -> Result<Sealed, KeystoreError> {
    let (mut salt, mut iv, mut id) = ([0; 32], [0; 16], [0; 16]);
    let mut random = rand::rng();
    random.fill_bytes(&mut salt);
    random.fill_bytes(&mut iv);
    random.fill_bytes(&mut id);
    let (n, p) = match cost {
        KeystoreCost::Standard => (1 << 18, 1),
        KeystoreCost::Light => (1 << 12, 6),
    };
    let scrypt = Scrypt { dklen: 32, n, p, r: 8, salt: hex::encode(salt) };
    let derived = scrypt.derive(password)?;
    let mut text = Zeroizing::new(*secret);
    derived.apply_cipher(&iv, text.as_mut_slice());
    Ok(Sealed { scrypt, derived, iv, ciphertext: *text, id: uuid(id) })
}

/// Decrypts a secret, both in hexadecimal, if what authenticates it `is_right`.
pub(crate) fn open(
    derived: &Derived,
    (iv, ciphertext): (&str, &str),
    is_right: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let mut secret = Zeroizing::new(fixed::<32>("ciphertext", ciphertext)?);
    let iv = fixed::<16>("iv", iv)?;
    if !is_right(derived.second(), secret.as_slice()) {
        return Err(KeystoreError::WrongPassword);
    }
    derived.apply_cipher(&iv, secret.as_mut_slice());
    Ok(secret)
}

impl Scrypt {
    pub(crate) fn derive(&self, password: &str) -> Result<Derived, KeystoreError> {
        let Self { dklen, n, p, r, salt } = self;
        if *dklen != 32 {
            return Err(KeystoreError::Unsupported(format!("scrypt with {dklen} bytes")));
        }
        let memory = n.saturating_mul(u64::from(*r)).saturating_mul(128);
        if !n.is_power_of_two() || memory > MAX_SCRYPT_MEMORY || *p > 16 {
            return Err(KeystoreError::TooCostly(format!("scrypt n={n} r={r} p={p}")));
        }
        let malformed = |error: &dyn std::fmt::Display| KeystoreError::Malformed(error.to_string());
        let log = u8::try_from(n.ilog2()).unwrap_or(u8::MAX);
        let parameters = scrypt::Params::new(log, *r, *p, 32).map_err(|error| malformed(&error))?;
        let (salt, mut derived) = (bytes("salt", salt)?, Zeroizing::new([0; 32]));
        scrypt::scrypt(password.as_bytes(), &salt, &parameters, derived.as_mut_slice())
            .map_err(|error| malformed(&error))?;
        Ok(Derived(derived))
    }
}

impl Pbkdf2 {
    pub(crate) fn derive(&self, password: &str) -> Result<Derived, KeystoreError> {
        let Self { c, dklen, prf, salt } = self;
        if prf != "hmac-sha256" || *dklen != 32 {
            return Err(KeystoreError::Unsupported(format!("{prf} with {dklen} bytes")));
        }
        if *c > MAX_ROUNDS {
            return Err(KeystoreError::TooCostly(format!("{c} rounds of pbkdf2")));
        }
        let (salt, mut derived) = (bytes("salt", salt)?, Zeroizing::new([0; 32]));
        let (password, out) = (password.as_bytes(), derived.as_mut_slice());
        pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &salt, *c, out);
        Ok(Derived(derived))
    }
}

impl Derived {
    fn apply_cipher(&self, iv: &[u8; 16], data: &mut [u8]) {
        let mut key = Zeroizing::new([0; 16]);
        let (first, _) = self.0.split_at(16);
        key.copy_from_slice(first);
        ctr::Ctr128BE::<aes::Aes128>::new((&*key).into(), iv.into()).apply_keystream(data);
    }

    /// The half that authenticates.
    pub(crate) fn second(&self) -> &[u8] {
        self.0.split_at(16).1
    }
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
fn uuid(mut random: [u8; 16]) -> String {
    let [.., six, _, eight, _, _, _, _, _, _, _] = &mut random;
    *six = (*six & 0x0f) | 0x40;
    *eight = (*eight & 0x3f) | 0x80;
    let digits = hex::encode(random);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
