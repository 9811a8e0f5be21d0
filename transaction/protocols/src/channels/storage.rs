//! The slots; a map's number is part of the consensus rules and never used again.

use super::allowance::Allowance;
use super::words::{Balance, Earning, Progress, Terms};
use crate::liabilities::RawSlot;
use crate::state::Failure;
use crate::storage::{Map, Value, storage};
use alloy_primitives::{Address, U256};
use sahara_abi::CHANNELS as ADDRESS;
use sahara_primitives::{AssetId, ChannelId};

storage! { ADDRESS:
    /// Free deposits by payer, in base units.
    FREE: Map<Address, U256> = 0;
    /// What a channel holds and where it stands.
    BALANCES: Map<ChannelId, Balance> = 1;
    /// Running base and gateway.
    PROGRESS: Map<ChannelId, Progress> = 1, 1;
    /// Payer, fees and opening time; written once.
    TERMS: Map<ChannelId, Terms> = 1, 2;
    /// The caps of a channel under a key grant.
    ALLOWANCES: Map<ChannelId, Allowance> = 1, 3;
    /// When a key grant was revoked, whether or not it had opened; 0: never.
    REVOKED: Map<ChannelId, u64> = 2;
    /// Assets that a key grant lists.
    GRANTED: Map<(ChannelId, AssetId), bool> = 3;
    /// What a worker signed last on a channel for an asset.
    EARNINGS: Map<(ChannelId, AssetId, Address), Earning> = 4;
}

/// What one storage word says the protocol owes: a free deposit, or what a channel still holds.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    match (slot.number, slot.index) {
        (0, 0) => Ok(word),
        (1, 0) => Ok(U256::from(Balance::unpack(&[word])?.held())),
        _ => Ok(U256::ZERO),
    }
}
