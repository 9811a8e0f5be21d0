//! The slots; a map's number is part of the consensus rules and never used again.

use super::{
    terms::Stored,
    words::{License, Meter, Metering, Offering, Seat, Seatings},
};
use crate::{
    erc721::Approval,
    liabilities::RawSlot,
    state::Failure,
    storage::{List, Map, Slot, storage},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::LICENSES as ADDRESS;
use sahara_primitives::AssetId;

storage! { ADDRESS:
    /// Licences issued so far: the last id.
    COUNT: Slot<u64> = 0;
    /// Terms by their hash.
    TERMS: Map<B256, Stored> = 1;
    /// How often terms were offered for an asset: since the first time using it needs a right.
    OFFERS_MADE: Map<AssetId, u64> = 2;
    /// What an asset carries and gives freely.
    OFFERINGS: Map<AssetId, Offering> = 2, 1;
    /// Where terms stand in an asset's list, from 1; 0: not offered.
    PLACES: Map<(AssetId, B256), u64> = 3;
    /// Terms offered for an asset, in no order.
    OFFERED: List<AssetId, B256> = 4;
    /// Licences.
    LICENSES: Map<u64, License> = 5;
    /// ERC-721: who may move it once.
    APPROVED: Map<u64, Approval> = 5, 3;
    /// Seats by licence and account.
    SEATS: Map<(u64, Address), Seat> = 6;
    /// Where an account was seated, by asset.
    SEATINGS: Map<(Address, AssetId), Seatings> = 7;
    /// Who counts uses, by the holder's name (`assets::giver`) and the gateway.
    METERS: Map<(Address, Address), Meter> = 8;
    /// ERC-721: licences held, by owner.
    HOLDINGS: Map<Address, u64> = 9;
    /// ERC-721: by the owner's name and the operator.
    OPERATORS: Map<(Address, Address), bool> = 10;
    /// All gateways that count a holder's uses, by its name.
    METERINGS: Map<Address, Metering> = 11;
}

/// The protocol's account holds nothing for anyone: a sale is paid out in its own call.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}
