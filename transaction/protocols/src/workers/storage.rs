//! The slots; a map's number is part of the consensus rules and never used again.

use super::words::{Asked, GatewayRecord, Listing, WorkerRecord};
use crate::liabilities::RawSlot;
use crate::state::Failure;
use crate::storage::{List, Map, Text, Value, storage};
use alloy_primitives::{Address, U256};
use sahara_abi::WORKERS as ADDRESS;
use sahara_primitives::AssetId;

storage! { ADDRESS:
    /// Workers.
    WORKERS: Map<Address, WorkerRecord> = 0;
    /// Gateways.
    GATEWAYS: Map<Address, GatewayRecord> = 1;
    /// Where a worker is reached.
    WORKER_ENDPOINTS: Text<Address> = 2;
    /// Where a gateway is reached.
    GATEWAY_ENDPOINTS: Text<Address> = 3;
    /// Whether a worker serves an asset, and since when it does not.
    LISTINGS: Map<(Address, AssetId), Listing> = 4;
    /// What a worker asks for an asset.
    PRICES: Map<(Address, AssetId), Asked> = 4, 1;
    /// The workers of an asset, in no order.
    WORKERS_OF: List<AssetId, Address> = 5;
}

/// What one storage word says the protocol owes: bonds.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    let bond = match (slot.number, slot.index) {
        (0, 0) => WorkerRecord::unpack(&[word])?.standing.bond,
        (1, 0) => GatewayRecord::unpack(&[word])?.standing.bond,
        _ => 0,
    };
    Ok(U256::from(bond))
}
