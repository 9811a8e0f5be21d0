//! Recovery phrases: BIP-39 words to a seed, BIP-32 seed to keys.

use crate::key::KeyError;
use bip39::{Language, Mnemonic};
use hmac::{Hmac, Mac};
use secp256k1::{SECP256K1, Scalar, SecretKey};
use sha2::Sha512;
use zeroize::Zeroizing;

/// The phrase that Foundry, Hardhat and this project's local network share. Everyone knows it:
/// coin on any public network would be stolen at once.
pub const TEST_MNEMONIC: &str = "test test test test test test test test test test test junk";

const HARDENED: u32 = 1 << 31;
/// `m/44'/60'/0'/0`: Ethereum's first account, external addresses (BIP-44).
const PATH: [u32; 4] = [44 | HARDENED, 60 | HARDENED, HARDENED, 0];

/// A BIP-32 extended private key.
struct Node {
    secret: SecretKey,
    chain_code: Zeroizing<[u8; 32]>,
}

pub(crate) fn derive(phrase: &str, index: u32) -> Result<SecretKey, KeyError> {
    let words: Vec<&str> = phrase.split_whitespace().collect();
    let words = Zeroizing::new(words.join(" ").to_lowercase());
    let mnemonic = Mnemonic::parse_in_normalized(Language::English, &words)
        .map_err(|error| KeyError::Mnemonic(error.to_string()))?;
    let seed = Zeroizing::new(mnemonic.to_seed_normalized(""));
    let mut node = split(&keyed_hash(b"Bitcoin seed", &[seed.as_slice()]))?;
    for child in PATH.into_iter().chain([index]) {
        node = node.child(child)?;
    }
    Ok(node.secret)
}

impl Node {
    fn child(&self, index: u32) -> Result<Self, KeyError> {
        let number = index.to_be_bytes();
        let digest = if index >= HARDENED {
            let secret = Zeroizing::new(self.secret.secret_bytes());
            keyed_hash(self.chain_code.as_slice(), &[&[0], secret.as_slice(), &number])
        } else {
            let public = self.secret.public_key(SECP256K1).serialize();
            keyed_hash(self.chain_code.as_slice(), &[&public, &number])
        };
        let Self { secret: tweak, chain_code } = split(&digest)?;
        let secret =
            self.secret.add_tweak(&Scalar::from(tweak)).map_err(|_| KeyError::OutOfRange)?;
        Ok(Self { secret, chain_code })
    }
}

fn split(digest: &[u8; 64]) -> Result<Node, KeyError> {
    let (mut left, mut right) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    let (low, high) = digest.split_at(32);
    left.copy_from_slice(low);
    right.copy_from_slice(high);
    let secret = SecretKey::from_byte_array(*left).map_err(|_| KeyError::OutOfRange)?;
    Ok(Node { secret, chain_code: right })
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed_hash(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut hash = Hmac::<Sha512>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into_bytes().into())
}
