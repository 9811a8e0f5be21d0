//! The slots; a map's number is part of the consensus rules and never used again.

use super::curve::{CurveWord, Times};
use super::words::{Move, Schedule, Settings};
use crate::storage::{List, Map, Slot, storage};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::VESTING as ADDRESS;

storage! { ADDRESS:
    /// The classes' curves; no other is ever added.
    CURVES: Map<u32, CurveWord> = 0;
    /// The seconds of a curve's steps, four to a word.
    STEPS: Map<(u32, u32), Times> = 1;
    /// Schedules; a schedule's number is its position and one.
    SCHEDULES: List<(), Schedule> = 2;
    /// The schedules that an account holds or ever held.
    SCHEDULES_OF: List<Address, u64> = 3;
    /// What the schedules of a pool bind by their totals, less what was released.
    BOUND: Map<u32, U256> = 4;
    /// Announced moves; a move's number is its position and one.
    MOVES: List<(), Move> = 5;
    /// Notice period, window, the airdrop's times.
    SETTINGS: Slot<Settings> = 6;
    /// Who grants, revokes, and announces moves from pools.
    AUTHORITY: Slot<Address> = 7;
    /// Who may take the authority over.
    OFFERED_AUTHORITY: Slot<Address> = 8;
    /// The root of the airdrop's leaves.
    ROOT: Slot<B256> = 9;
    /// Claimed indices, 256 to a word.
    CLAIMED: Map<u64, U256> = 10;
}
