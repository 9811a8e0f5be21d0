//! [`Text`]: byte strings.

use super::{Key, Place};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};
use std::marker::PhantomData;

/// Bytes in the first word, after two bytes of length.
const FIRST: usize = 30;

/// Byte strings by key: `| length: 2 bytes | first 30 bytes |`, then 32 bytes a word.
#[derive(Debug)]
pub(crate) struct Text<K> {
    address: Address,
    number: u8,
    key: PhantomData<fn(K)>,
}

impl<K: Key> Text<K> {
    /// The longest string: 30 bytes and 255 words.
    pub(crate) const MOST: usize = 8_190;

    /// The texts with this number.
    pub(crate) const fn at(address: Address, number: u8) -> Self {
        Self { address, number, key: PhantomData }
    }

    /// The bytes; none when never written.
    pub(crate) fn get(&self, state: &mut impl Read, key: K) -> Result<Vec<u8>, Failure> {
        let place = Place::of(state, self.address, self.number, key)?;
        let first = place.load(state, 0)?.to_be_bytes::<32>();
        let ([high, low, ..], (_, start)) = (first, first.split_at(2));
        let length = usize::from(u16::from_be_bytes([high, low]));
        let mut bytes = start.to_vec();
        for index in 1..=u8::MAX {
            if bytes.len() >= length {
                break;
            }
            bytes.extend_from_slice(&place.load(state, index)?.to_be_bytes::<32>());
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The string; what is stored came from a decoded `string`.
    pub(crate) fn string(&self, state: &mut impl Read, key: K) -> Result<String, Failure> {
        String::from_utf8(self.get(state, key)?)
            .map_err(|_| Failure::Fatal("a stored text is not UTF-8".into()))
    }

    /// Writes the bytes and clears what is left of a longer string.
    pub(crate) fn set(&self, state: &mut impl Write, key: K, bytes: &[u8]) -> Result<(), Failure> {
        let length = u16::try_from(bytes.len()).ok().filter(|_| bytes.len() <= Self::MOST);
        let length = length.ok_or_else(|| Failure::Fatal("a text exceeds its place".into()))?;
        let place = Place::of(state, self.address, self.number, key)?;
        let old = place.load(state, 0)?.to_be_bytes::<32>();
        let [high, low, ..] = old;
        let old_length = usize::from(u16::from_be_bytes([high, low]));
        let (start, rest) = bytes.split_at(bytes.len().min(FIRST));
        place.store(state, 0, word(&[&length.to_be_bytes(), start]))?;
        let mut chunks = rest.chunks(32);
        let words = old_length.saturating_sub(FIRST).div_ceil(32);
        for index in 1..=u8::MAX {
            match chunks.next() {
                Some(chunk) => place.store(state, index, word(&[chunk]))?,
                None if usize::from(index) <= words => place.store(state, index, U256::ZERO)?,
                None => break,
            }
        }
        Ok(())
    }
}

/// The parts from the highest byte down, zeros after them.
fn word(parts: &[&[u8]]) -> U256 {
    let mut word = [0; 32];
    for (byte, part) in word.iter_mut().zip(parts.iter().copied().flatten()) {
        *byte = *part;
    }
    U256::from_be_bytes(word)
}
