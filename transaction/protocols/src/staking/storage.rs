//! The slots; a map's number is part of the consensus rules and never used again.

use super::parameters::Parameters;
use super::seat_key::SeatKey;
use super::words::{
    Delegation, Epoch, Mark, Presence, Profile, Redelegation, Rewards, Seat, Slash, Sweep,
    Unbonding, Validator,
};
use crate::liabilities::RawSlot;
use crate::state::Failure;
use crate::storage::{List, Map, Slot, Value, storage};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::STAKING as ADDRESS;

storage! { ADDRESS:
    /// Validators' stakes.
    VALIDATORS: Map<Address, Validator> = 0;
    /// What their delegators earned.
    REWARDS: Map<Address, Rewards> = 0, 1;
    /// What is rarely asked of them.
    PROFILES: Map<Address, Profile> = 0, 4;
    /// The last blocks they should have taken part in.
    PRESENCE: Map<Address, Presence> = 0, 6;
    /// All validators that stand or have stake, in no order.
    LIST: List<(), Address> = 1;
    /// Slashes of a validator, oldest first.
    SLASHES: List<Address, Slash> = 2;
    /// Seat keys of a validator.
    SEAT_KEYS: List<Address, SeatKey> = 3;
    /// Keys that were ever registered, by their hash.
    TAKEN: Map<B256, bool> = 4;
    /// Delegations by validator and delegator.
    DELEGATIONS: Map<(Address, Address), Delegation> = 5;
    /// Delegators of a validator, in no order.
    ROSTERS: List<Address, Address> = 6;
    /// Validators that an account stands behind, or stood within the voting history.
    BACKED: List<Address, Address> = 7;
    /// Coin on its way out, by validator, delegator and place.
    UNBONDINGS: Map<(Address, Address, u32), Unbonding> = 8;
    /// Shares that answer for another validator, by their validator, delegator and place.
    REDELEGATIONS: Map<(Address, Address, u32), Redelegation> = 9;
    /// Validators' stakes through time.
    STAKE_MARKS: List<Address, Mark> = 10;
    /// Delegations' shares through time.
    SHARE_MARKS: List<(Address, Address), Mark> = 11;
    /// All stake through time.
    TOTAL_MARKS: List<(), Mark> = 12;
    /// Epochs of consensus, from the first validator on.
    EPOCHS: Map<u64, Epoch> = 14;
    /// The seats that were apportioned for an epoch.
    SEATS: List<u64, Seat> = 15;
    /// Where the sweep is.
    SWEEP: Slot<Sweep> = 16;
    /// What governance set.
    PARAMETERS: Slot<Parameters> = 17;
    /// The hash of block 0, which validators' signatures name.
    GENESIS: Slot<B256> = 18;
}

/// What one storage word says the protocol owes: stake, rewards not yet paid, coin on its way out.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    let owed = match (slot.number, slot.index) {
        (0, 0) => Validator::unpack(&[word])?.bond.stake,
        (0, 1) => Rewards::unpack(&[word, U256::ZERO, U256::ZERO])?.unpaid,
        (8, 0) => Unbonding::unpack(&[word])?.amount,
        _ => 0,
    };
    Ok(U256::from(owed))
}
