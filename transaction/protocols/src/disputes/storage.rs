//! The slots; a map's number is part of the consensus rules and never used again.

use super::{
    parameters::Parameters,
    words::{Claimants, Complaint, Escrow, Place, Seat, Share, Standing},
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
    /// Open complaints that have an asset's income held.
    CLAIMANTS: Map<AssetId, Claimants> = 10;
    /// What waits of an asset's income.
    ESCROWS: List<AssetId, Escrow> = 11;
    /// The last complaint of an account about an asset.
    LAST: Map<(AssetId, Address), u64> = 12;
}

/// What one storage word says the protocol owes: a complaint's bond, the bonds of an answer and of an
/// appeal, and what waits of an asset's income.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    let amounts = match (slot.number, slot.index) {
        (COMPLAINTS_NUMBER, 1) | (ESCROWS_NUMBER, 1) => 1,
        (COMPLAINTS_NUMBER, 2) => 2,
        _ => 0,
    };
    let mut word = Unpack::new(word);
    (0..amounts)
        .try_fold(U256::ZERO, |sum, _| Ok(sum.saturating_add(U256::from(word.number::<u128>(96)?))))
}

/// The list of complaints.
const COMPLAINTS_NUMBER: u8 = 0;

/// The lists of what waits.
const ESCROWS_NUMBER: u8 = 11;
