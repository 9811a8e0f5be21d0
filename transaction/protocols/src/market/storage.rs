//! The slots; a map's number is part of the consensus rules and never used again.

use super::words::{AuctionRecord, Escrow, HeldRecord, OfferRecord};
use crate::{
    liabilities::RawSlot,
    state::Failure,
    storage::{Map, Slot, storage},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::MARKET as ADDRESS;

storage! { ADDRESS:
    /// Listings that were published, by hash: the name under which their seller did (`assets::giver`).
    LISTED: Map<B256, Address> = 0;
    /// Nonces that sold or were cancelled, by `(seller, nonce)`.
    SPENT: Map<(Address, u64), bool> = 1;
    /// Below which a seller's nonces are cancelled.
    FLOORS: Map<Address, u64> = 2;
    /// Offers, auctions and returnable sales so far: the last number.
    COUNT: Slot<u64> = 3;
    /// Offers.
    OFFERS: Map<u64, OfferRecord> = 4;
    /// English auctions.
    AUCTIONS: Map<u64, AuctionRecord> = 5;
    /// Sales whose licence may still be returned.
    HELD: Map<u64, HeldRecord> = 6;
    /// The name of whoever bid most in an auction (`assets::giver`), where that is not its address; it stays after
    /// the auction, and after an account's bid was outbid.
    BIDDER_NAMES: Map<u64, Address> = 7;
}

/// What one storage word says the protocol owes: coin that waits, price and fee.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    if !matches!((slot.number, slot.index), (4..=6, 1)) {
        return Ok(U256::ZERO);
    }
    let escrow = Escrow::unpack(word)?;
    Ok(U256::from(escrow.price).saturating_add(U256::from(escrow.fee)))
}
