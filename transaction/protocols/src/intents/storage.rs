//! The slots; a map's number is part of the consensus rules and never used again.

use super::words::Budget;
use crate::{
    liabilities::RawSlot,
    state::Failure,
    storage::{Map, Unpack, storage},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::INTENTS as ADDRESS;

storage! { ADDRESS:
    /// Nonces used or cancelled, a bit each, by account and the nonce's upper 248 bits.
    USED: Map<(Address, B256), U256> = 0;
    /// Budgets, by sponsor and relayer.
    BUDGETS: Map<(Address, Address), Budget> = 1;
    /// By sponsor and relayer, the name under which the sponsor set the limits (`assets::giver`), where that is
    /// not its address.
    SPONSOR_NAMES: Map<(Address, Address), Address> = 2;
}

/// What one storage word says the protocol owes: what is left of a budget.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    if slot.number != BUDGETS.number() || slot.index != 0 {
        return Ok(U256::ZERO);
    }
    Ok(U256::from(Unpack::new(word).number::<u128>(96)?))
}
