//! The slots; a map's number is part of the consensus rules and never used again.

use super::usage_words::{Usage, UsageRound};
use super::words::{Entry, Grant, Hackathon, Judge, Milestone, Programme, Round};
use crate::{
    liabilities::RawSlot,
    state::Failure,
    storage::{List, Map, Slot, Unpack, storage},
};
use alloy_primitives::{Address, U256};
use sahara_abi::INCENTIVES as ADDRESS;
use sahara_primitives::{AssetId, ChannelId};

storage! { ADDRESS:
    /// Programmes; a number is a position and one, here and below.
    PROGRAMMES: List<(), Programme> = 0;
    /// Grants.
    GRANTS: List<(), Grant> = 1;
    /// Milestones of a grant.
    MILESTONES: Map<(u64, u32), Milestone> = 2;
    /// Hackathons.
    HACKATHONS: List<(), Hackathon> = 3;
    /// Prizes of a hackathon.
    PRIZES: Map<(u64, u32), U256> = 4;
    /// Judges of a hackathon.
    JUDGES: Map<(u64, Address), Judge> = 5;
    /// What was entered into a hackathon.
    ENTRIES: Map<(u64, Address), Entry> = 6;
    /// Entrants of a hackathon whom a judge named.
    NAMED: List<u64, Address> = 7;
    /// Rounds of awards.
    ROUNDS: List<(), Round> = 8;
    /// Awards that were paid, by round and index.
    AWARDED: Map<(u64, u64), bool> = 9;
    /// What is in no programme.
    UNASSIGNED: Slot<U256> = 10;
    /// Rounds by settled usage.
    USAGE_ROUNDS: List<(), UsageRound> = 11;
    /// What was counted for an asset, by round and asset.
    USAGE: Map<(u64, u64), Usage> = 12;
    /// Fees that were counted in any round, in base units.
    COUNTED: Map<(ChannelId, AssetId, Address), U256> = 13;
}

/// What one storage word says the protocol owes: the high field of the second word of everything that
/// has coin set aside, and what is unassigned.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    match (slot.number, slot.index) {
        (0 | 1 | 3 | 8 | 11, 1) => Ok(U256::from(Unpack::new(word).number::<u128>(96)?)),
        (10, 0) => Ok(word),
        _ => Ok(U256::ZERO),
    }
}
