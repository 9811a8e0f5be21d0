//! What protocols owe, recomputed from storage words alone.
//!
//! Every liability stands in one word whose slot names its map, so a block's diff of raw slots is
//! enough to say by how much a protocol's balance must have changed, and all slots are enough to say
//! what it must be. Neither reads a total that the rules keep.

use crate::{
    dispatch::{is_protocol, liability, not_a_protocol},
    royalties,
    state::Failure,
};
use alloy_primitives::{Address, U256};
use sahara_abi::ROYALTIES;
use std::collections::BTreeMap;

/// The parts of a slot (see the crate's `storage` module).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RawSlot {
    /// The map's number.
    pub number: u8,
    /// The key, hashed.
    pub key: [u8; 30],
    /// The word of the value.
    pub index: u8,
}

impl From<U256> for RawSlot {
    fn from(slot: U256) -> Self {
        let [number, key @ .., index] = slot.to_be_bytes::<32>();
        Self { number, key, index }
    }
}

fn overflow() -> Failure {
    Failure::Fatal("liabilities exceed 256 bits".into())
}

/// By how much the changed words `(slot, before, after)` raise and lower what a protocol owes: its
/// balance must change by the first minus the second.
///
/// # Errors
/// [`Failure::Fatal`] for an address that is no protocol or a word that no rule writes.
pub fn liabilities_change(
    protocol: Address,
    changes: impl IntoIterator<Item = (U256, U256, U256)>,
) -> Result<(U256, U256), Failure> {
    if !is_protocol(protocol) {
        return Err(not_a_protocol(protocol));
    }
    let (mut increase, mut decrease) = (U256::ZERO, U256::ZERO);
    for (slot, before, after) in changes {
        let slot = RawSlot::from(slot);
        let before = liability(protocol, slot, before)?;
        let after = liability(protocol, slot, after)?;
        increase = increase.checked_add(after.saturating_sub(before)).ok_or_else(overflow)?;
        decrease = decrease.checked_add(before.saturating_sub(after)).ok_or_else(overflow)?;
    }
    Ok((increase, decrease))
}

/// What a protocol owes by all its slots `(slot, word)`: its balance. For royalties the identity of
/// every pool is checked over its members.
///
/// # Errors
/// [`Failure::Fatal`] naming what does not hold.
pub fn liabilities_total(
    protocol: Address,
    slots: impl IntoIterator<Item = (U256, U256)>,
) -> Result<U256, Failure> {
    if !is_protocol(protocol) {
        return Err(not_a_protocol(protocol));
    }
    let slots: BTreeMap<RawSlot, U256> =
        slots.into_iter().map(|(slot, word)| (slot.into(), word)).collect();
    if protocol == ROYALTIES {
        royalties::check_pools(&slots)?;
    }
    slots.into_iter().try_fold(U256::ZERO, |sum, (slot, word)| {
        sum.checked_add(liability(protocol, slot, word)?).ok_or_else(overflow)
    })
}
