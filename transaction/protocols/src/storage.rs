//! Where values live: a slot names its map, so a diff of raw slots can be read without preimages.
//!
//! ```text
//! slot = | map number: 1 byte | first 30 bytes of keccak256(map number || key) | word index: 1 byte |
//! ```
//!
//! Keys have a fixed width per map, so no two keys share an encoding. 240 bits of the hash leave
//! 120 bits of collision resistance. The number of a map is part of the consensus rules and is never
//! used again for something else.

mod list;
mod pack;
mod text;

pub(crate) use list::{List, MAX_PAGE};
pub(crate) use pack::{Pack, Unpack, Value};
pub(crate) use text::Text;

use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, Keccak256, U256};
use sahara_primitives::{AssetId, ChannelId};
use std::marker::PhantomData;

/// Gas for the keccak256 of a key of at most two words (30 + 2 * 6).
const KEY_HASH_GAS: u64 = 42;

/// One map, list, text or single value of a protocol: what the layout test holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte of its slots.
    pub number: u8,
    /// Last byte of its first slot.
    pub first_word: u8,
    /// Its constant in `storage.rs`.
    pub name: &'static str,
    /// Its type, keys and values included.
    pub kind: &'static str,
}

/// Declares a protocol's storage: each line is a constant and a [`Region`] of `LAYOUT`.
///
/// `NAME: Map<K, V> = number;` or `= number, first_word;` for values that share a key's slots.
macro_rules! storage {
    ($address:ident: $($(#[$doc:meta])* $name:ident: $kind:ty = $number:literal $(, $word:literal)?;)*) => {
        $(
            $(#[$doc])*
            pub(crate) const $name: $kind = <$kind>::at($address, $number) $(.starting_at($word))?;
        )*
        /// Every region above, for the layout test.
        pub(crate) const LAYOUT: &[$crate::storage::Region] = &[
            $($crate::storage::Region {
                number: $number,
                first_word: 0 $(+ $word)?,
                name: stringify!($name),
                kind: stringify!($kind),
            },)*
        ];
    };
}
pub(crate) use storage;

/// What a map is indexed by; every key of a type is fed with the same number of bytes.
pub(crate) trait Key: Copy {
    /// Feeds the key to the hash.
    fn feed(self, hasher: &mut Keccak256);
}

impl Key for () {
    fn feed(self, _: &mut Keccak256) {}
}

macro_rules! number_key {
    ($($kind:ty),*) => {$(
        impl Key for $kind {
            fn feed(self, hasher: &mut Keccak256) {
                hasher.update(self.to_be_bytes());
            }
        }
    )*};
}
number_key!(u32, u64);

impl Key for AssetId {
    fn feed(self, hasher: &mut Keccak256) {
        self.0.feed(hasher);
    }
}

impl Key for Address {
    fn feed(self, hasher: &mut Keccak256) {
        hasher.update(self);
    }
}

impl Key for B256 {
    fn feed(self, hasher: &mut Keccak256) {
        hasher.update(self);
    }
}

impl Key for ChannelId {
    fn feed(self, hasher: &mut Keccak256) {
        self.0.feed(hasher);
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn feed(self, hasher: &mut Keccak256) {
        self.0.feed(hasher);
        self.1.feed(hasher);
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn feed(self, hasher: &mut Keccak256) {
        self.0.feed(hasher);
        self.1.feed(hasher);
        self.2.feed(hasher);
    }
}

/// The words of one key: 31 bytes of every slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    address: Address,
    slot: [u8; 32],
}

impl Place {
    /// Hashes the key, which costs gas.
    pub(crate) fn of(
        state: &mut impl Read,
        address: Address,
        number: u8,
        key: impl Key,
    ) -> Result<Self, Failure> {
        state.charge(KEY_HASH_GAS)?;
        Ok(Self { address, slot: slot_of(number, key) })
    }

    const fn word(&self, index: u8) -> U256 {
        let mut slot = self.slot;
        slot[31] = index;
        U256::from_be_bytes(slot)
    }

    pub(crate) fn load(&self, state: &mut impl Read, index: u8) -> Result<U256, Failure> {
        state.load(self.address, self.word(index))
    }

    pub(crate) fn store(
        &self,
        state: &mut impl Write,
        index: u8,
        value: U256,
    ) -> Result<(), Failure> {
        state.store(self.address, self.word(index), value)
    }
}

fn slot_of(number: u8, key: impl Key) -> [u8; 32] {
    let mut hasher = Keccak256::new();
    hasher.update([number]);
    key.feed(&mut hasher);
    let hash = hasher.finalize();
    let mut slot = [0; 32];
    let parts = std::iter::once(&number).chain(hash.iter().take(30));
    for (byte, part) in slot.iter_mut().zip(parts) {
        *byte = *part;
    }
    slot
}

/// Values by key; a key never written holds the value of zero words.
#[derive(Debug)]
pub(crate) struct Map<K, V> {
    address: Address,
    number: u8,
    first_word: u8,
    types: PhantomData<fn(K) -> V>,
}

impl<K: Key, V: Value> Map<K, V> {
    /// The map with this number.
    pub(crate) const fn at(address: Address, number: u8) -> Self {
        Self { address, number, first_word: 0, types: PhantomData }
    }

    /// The same keys' words from `first_word` on: what is often touched alone has its own type.
    pub(crate) const fn starting_at(mut self, first_word: u8) -> Self {
        self.first_word = first_word;
        self
    }

    /// The first byte of its slots, by which liabilities know a word.
    pub(crate) const fn number(&self) -> u8 {
        self.number
    }

    /// The slot of the value's first word.
    pub(crate) fn slot(&self, key: K) -> U256 {
        Place { address: self.address, slot: slot_of(self.number, key) }.word(self.first_word)
    }

    fn indices(&self) -> impl Iterator<Item = u8> {
        self.first_word..=u8::MAX
    }

    fn place(&self, state: &mut impl Read, key: K) -> Result<Place, Failure> {
        Place::of(state, self.address, self.number, key)
    }

    fn read(&self, state: &mut impl Read, place: &Place) -> Result<V::Words, Failure> {
        let mut words = V::Words::default();
        for (word, index) in words.as_mut().iter_mut().zip(self.indices()) {
            *word = place.load(state, index)?;
        }
        Ok(words)
    }

    /// The value of a key.
    pub(crate) fn get(&self, state: &mut impl Read, key: K) -> Result<V, Failure> {
        let place = self.place(state, key)?;
        V::unpack(&self.read(state, &place)?)
    }

    /// Writes every word of the value.
    pub(crate) fn set(&self, state: &mut impl Write, key: K, value: &V) -> Result<(), Failure> {
        let place = self.place(state, key)?;
        for (word, index) in value.pack()?.as_ref().iter().zip(self.indices()) {
            place.store(state, index, *word)?;
        }
        Ok(())
    }

    /// Writes the words of the value that differ from what is stored.
    pub(crate) fn replace(&self, state: &mut impl Write, key: K, value: &V) -> Result<(), Failure> {
        let place = self.place(state, key)?;
        let before = self.read(state, &place)?;
        let after = value.pack()?;
        let changed = before.as_ref().iter().zip(after.as_ref()).zip(self.indices());
        for ((before, after), index) in changed {
            if before != after {
                place.store(state, index, *after)?;
            }
        }
        Ok(())
    }

    /// Changes the value and writes the words that differ.
    pub(crate) fn update<R>(
        &self,
        state: &mut impl Write,
        key: K,
        change: impl FnOnce(&mut V) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let place = self.place(state, key)?;
        let before = self.read(state, &place)?;
        let mut value = V::unpack(&before)?;
        let result = change(&mut value)?;
        let after = value.pack()?;
        let changed = before.as_ref().iter().zip(after.as_ref()).zip(self.indices());
        for ((before, after), index) in changed {
            if before != after {
                place.store(state, index, *after)?;
            }
        }
        Ok(result)
    }
}

/// A single value.
#[derive(Debug)]
pub(crate) struct Slot<V>(Map<(), V>);

impl<V: Value> Slot<V> {
    /// The slot with this number.
    pub(crate) const fn at(address: Address, number: u8) -> Self {
        Self(Map::at(address, number))
    }

    /// The value.
    pub(crate) fn get(&self, state: &mut impl Read) -> Result<V, Failure> {
        self.0.get(state, ())
    }

    /// Where its first word stands, for who reads the state without running a rule.
    pub(crate) fn slot(&self) -> U256 {
        self.0.slot(())
    }

    /// Changes the value and writes the words that differ.
    pub(crate) fn update<R>(
        &self,
        state: &mut impl Write,
        change: impl FnOnce(&mut V) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.0.update(state, (), change)
    }
}

#[cfg(test)]
mod tests;
