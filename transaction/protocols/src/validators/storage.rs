//! The slots; a map's number is part of the consensus rules and never used again.

use crate::liabilities::RawSlot;
use crate::state::Failure;
use crate::storage::{List, Map, Pack, Slot, Unpack, Value, storage};
use alloy_primitives::{B256, U256};
use sahara_abi::VALIDATORS as ADDRESS;

storage! { ADDRESS:
    /// What never changes.
    CONSTANTS: Slot<Constants> = 0;
    /// The sets, oldest first.
    SETS: List<(), Stored> = 1;
    /// The bytes of the set that begins with an epoch, 32 in a word.
    BYTES: Map<(u64, u64), U256> = 2;
}

/// The protocol holds nothing for anyone.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}

/// What block 0 decides for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Constants {
    /// Blocks in an epoch.
    pub(crate) epoch_length: u64,
    /// What every signed change names.
    pub(crate) origin: B256,
    /// Whether staking decides.
    pub(crate) by_stake: bool,
}

/// A set's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Its first epoch.
    pub(crate) since: u64,
    /// Bytes of its encoding.
    pub(crate) length: u64,
}

impl Value for Constants {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().number(64, self.epoch_length.into());
        let first = first.number(8, self.by_stake.into()).finish()?;
        Ok([first, U256::from_be_bytes(self.origin.0)])
    }

    fn unpack([first, origin]: &Self::Words) -> Result<Self, Failure> {
        let mut first = Unpack::new(*first);
        let (epoch_length, by_stake) = (first.number(64)?, first.number::<u8>(8)? > 0);
        Ok(Self { epoch_length, origin: B256::from(*origin), by_stake })
    }
}

impl Value for Stored {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([U256::from(self.since), U256::from(self.length)])
    }

    fn unpack([since, length]: &Self::Words) -> Result<Self, Failure> {
        Ok(Self { since: u64::unpack(&[*since])?, length: u64::unpack(&[*length])? })
    }
}
