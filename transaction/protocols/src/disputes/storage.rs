//! The slots; a map's number is part of the consensus rules and never used again.

use super::{
    parameters::Parameters,
    words::{Complaint, Place, Seat, Share, Standing},
};
use crate::{
    liabilities::RawSlot,
    state::Failure,
    storage::{List, Map, Slot, Unpack, storage},
};
use alloy_primitives::{Address, U256};
use sahara_abi::DISPUTES as ADDRESS;
use sahara_primitives::AssetId;

storage! { ADDRESS:
    /// Complaints; a number is a position and one, here and below.
    COMPLAINTS: List<(), Complaint> = 0;
    /// What a complaint asks for.
    SHARES: List<u64, Share> = 1;
    /// What holds for an asset.
    STANDINGS: Map<AssetId, Standing> = 2;
    /// Jurors of a complaint.
    JURIES: List<u64, Address> = 3;
    /// What they said.
    SEATS: Map<(u64, Address), Seat> = 4;
    /// The list of jurors; a place that was left is filled again.
    PLACES: List<(), Place> = 5;
    /// An account's places.
    PLACES_OF: List<Address, u64> = 6;
    /// Places nobody has.
    FREE: List<(), u64> = 7;
    /// Complaints for which a jury was drawn: a position in the list of complaints.
    DRAWN: Slot<u64> = 8;
    /// What governance may set.
    PARAMETERS: Slot<Parameters> = 9;
}

/// What one storage word says the protocol owes: a complaint's bond and what it holds, the bonds of an
/// answer and of an appeal.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    if slot.number != COMPLAINTS_NUMBER || !matches!(slot.index, 1 | 2) {
        return Ok(U256::ZERO);
    }
    let mut word = Unpack::new(word);
    let (first, second): (u128, u128) = (word.number(96)?, word.number(96)?);
    Ok(U256::from(first.saturating_add(second)))
}

/// The list of complaints.
const COMPLAINTS_NUMBER: u8 = 0;
