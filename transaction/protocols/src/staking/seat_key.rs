//! [`SeatKey`]: the keys of one seat, as stored.

use crate::{state::Failure, storage::Value};
use alloy_primitives::{B256, U256};

/// The keys of one seat. Six words: consensus key 96 bytes, possession 48, network key 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatKey {
    /// BLS12-381, in G2.
    pub(crate) consensus: [u8; 96],
    /// Proof that the consensus key is held, in G1.
    pub(crate) possession: [u8; 48],
    /// Ed25519.
    pub(crate) network: B256,
}

fn words<const N: usize>(bytes: &[u8]) -> [U256; N] {
    let mut words = [U256::ZERO; N];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(32)) {
        let mut padded = [0; 32];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        *word = U256::from_be_bytes(padded);
    }
    words
}

fn bytes<const N: usize>(words: &[U256]) -> [u8; N] {
    let mut bytes = [0; N];
    let all = words.iter().flat_map(U256::to_be_bytes::<32>);
    for (to, from) in bytes.iter_mut().zip(all) {
        *to = from;
    }
    bytes
}

impl Value for SeatKey {
    type Words = [U256; 6];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let [a, b, c] = words(&self.consensus);
        let [d, e] = words(&self.possession);
        Ok([a, b, c, d, e, U256::from_be_bytes(self.network.0)])
    }

    fn unpack([a, b, c, d, e, network]: &Self::Words) -> Result<Self, Failure> {
        let consensus = bytes(&[*a, *b, *c]);
        Ok(Self { consensus, possession: bytes(&[*d, *e]), network: B256::from(*network) })
    }
}
