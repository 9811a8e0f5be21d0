//! The slots; a map's number is part of the consensus rules and never used again.

use super::{
    parameters::{Rules, Settings},
    words::{Ballot, Failed, Pause, Proposal, Tally, Upgrade},
};
use crate::{
    liabilities::RawSlot,
    state::Failure,
    storage::{List, Map, Slot, Text, Value, storage},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::GOVERNANCE as ADDRESS;

storage! { ADDRESS:
    /// Proposals by their identifier.
    PROPOSALS: Map<B256, Proposal> = 0;
    /// What was voted.
    TALLIES: Map<B256, Tally> = 0, 3;
    /// The hash of a proposal's description.
    DESCRIPTIONS: Map<B256, B256> = 0, 6;
    /// Proposals in the order in which they were made.
    NUMBERED: List<(), B256> = 1;
    /// Whom a proposal calls, by place.
    TARGETS: Map<(B256, u32), Address> = 2;
    /// With what.
    CALLS: Text<(B256, u32)> = 3;
    /// Who voted what, and, of a validator, what those behind it voted themselves.
    BALLOTS: Map<(B256, Address), Ballot> = 4;
    /// Coin that an account may put behind proposals.
    DEPOSITS: Map<Address, U256> = 5;
    /// Votes by signature so far.
    NONCES: Map<Address, U256> = 6;
    /// What holds for a kind of proposal; nothing: the defaults.
    RULES: Map<u32, Rules> = 7;
    /// What holds for all; nothing: the defaults.
    SETTINGS: Slot<Settings> = 8;
    /// What the chain has to do when: `time u64 | number of the proposal u64`, a heap.
    AGENDA: List<(), U256> = 9;
    /// Until when entries of a protocol are paused.
    PAUSES: Map<Address, Pause> = 10;
    /// From when on the guardian may pause again.
    GUARDIAN_RESTS: Slot<u64> = 11;
    /// The last upgrade that was scheduled.
    UPGRADE: Slot<Upgrade> = 12;
    /// When the chain could not do what a proposal decided.
    FAILED: Map<B256, Failed> = 13;
}

/// What one storage word says the protocol owes: deposits, free and behind proposals.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    match (slot.number, slot.index) {
        (0, 2) => Ok(U256::from(Proposal::unpack(&[U256::ZERO, U256::ZERO, word])?.deposit)),
        (5, 0) => Ok(word),
        _ => Ok(U256::ZERO),
    }
}
