//! [`List`]: values by position, under a key.

use super::{Key, Map, Value};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};

/// The most items a view returns at once.
pub(crate) const MAX_PAGE: u64 = 256;

/// Values by position. The length stands under the key, an item under `(key, position)`.
#[derive(Debug)]
pub(crate) struct List<K, V> {
    lengths: Map<K, u64>,
    items: Map<(K, u64), V>,
}

impl<K: Key, V: Value> List<K, V> {
    /// The list with this number.
    pub(crate) const fn at(address: Address, number: u8) -> Self {
        Self { lengths: Map::at(address, number), items: Map::at(address, number) }
    }

    /// The number of items.
    pub(crate) fn len(&self, state: &mut impl Read, key: K) -> Result<u64, Failure> {
        self.lengths.get(state, key)
    }

    /// The item at `index`; the value of zero words beyond the last.
    pub(crate) fn get(&self, state: &mut impl Read, key: K, index: u64) -> Result<V, Failure> {
        self.items.get(state, (key, index))
    }

    /// Appends and returns the position.
    pub(crate) fn push(&self, state: &mut impl Write, key: K, value: &V) -> Result<u64, Failure> {
        let index = self.lengths.update(state, key, |length| {
            let index = *length;
            *length = length.saturating_add(1);
            Ok(index)
        })?;
        self.items.set(state, (key, index), value)?;
        Ok(index)
    }

    /// Writes the item at `index`, which must exist; words that stay the same are not written.
    pub(crate) fn replace(
        &self,
        state: &mut impl Write,
        key: K,
        index: u64,
        value: &V,
    ) -> Result<(), Failure> {
        self.items.replace(state, (key, index), value)
    }

    /// Removes the item at `index` by moving the last one there; returns the moved one.
    pub(crate) fn swap_remove(
        &self,
        state: &mut impl Write,
        key: K,
        index: u64,
    ) -> Result<Option<V>, Failure> {
        let last = self.len(state, key)?.checked_sub(1).filter(|last| index <= *last);
        let last = last.ok_or_else(|| Failure::Fatal("a list has no such item".into()))?;
        self.lengths.set(state, key, &last)?;
        let moved = self.items.get(state, (key, last))?;
        self.items.set(state, (key, last), &V::unpack(&V::Words::default())?)?;
        if index == last {
            return Ok(None);
        }
        self.items.set(state, (key, index), &moved)?;
        Ok(Some(moved))
    }

    /// At most `count` items from `start`, never more than [`MAX_PAGE`], and the number of all.
    pub(crate) fn page(
        &self,
        state: &mut impl Read,
        key: K,
        start: U256,
        count: U256,
    ) -> Result<(Vec<V>, u64), Failure> {
        let total = self.len(state, key)?;
        let start = u64::try_from(start).unwrap_or(u64::MAX).min(total);
        let count = u64::try_from(count).unwrap_or(u64::MAX).min(MAX_PAGE);
        let mut items = Vec::new();
        for index in start..start.saturating_add(count).min(total) {
            items.push(self.get(state, key, index)?);
        }
        Ok((items, total))
    }
}
