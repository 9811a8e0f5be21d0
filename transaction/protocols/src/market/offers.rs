//! Offers: coin that waits for an owner's yes.

use super::{
    escrow::next_number,
    item::{Deal, divide},
    storage::OFFERS,
    words::{Escrow, OfferRecord, Thing},
};
use crate::{
    assets,
    dispatch::is_reserved,
    erc721::mark_of,
    state::{Failure, Read, Write},
};
use alloy_primitives::Address;
use sahara_abi::{IMarket, MARKET as ADDRESS};
use sahara_primitives::{Amount, BasisPoints};

/// An offer that stands.
///
/// # Errors
/// `UnknownOffer`.
pub(super) fn standing(state: &mut impl Read, offer: u64) -> Result<OfferRecord, Failure> {
    let record = OFFERS.get(state, offer)?;
    if record.bidder.is_zero() { Err(IMarket::UnknownOffer { offer }.into()) } else { Ok(record) }
}

/// Makes an offer; its coin came with the call. Returns its number.
///
/// # Errors
/// `WrongPeriod`, `WrongPayment`, and `ERC721NonexistentToken` of the collection.
pub(super) fn make(
    state: &mut impl Write,
    bidder: Address,
    sent: Amount,
    (thing, price): (Thing, u128),
    ends_at: u64,
) -> Result<u64, Failure> {
    let now = state.block().timestamp.0;
    if ends_at <= now {
        return Err(IMarket::WrongPeriod { startsAt: now, endsAt: ends_at, now_: now }.into());
    }
    if is_reserved(bidder) {
        return Err(IMarket::InvalidRecipient { recipient: bidder }.into());
    }
    thing.owner(state)?;
    let escrow = Escrow::of(state, Amount::from_u128(price))?;
    escrow.check_sent(sent)?;
    let (offer, mark) = (next_number(state)?, mark_of(state, bidder)?);
    OFFERS.set(state, offer, &OfferRecord { bidder, ends_at, escrow, mark, thing })?;
    let (collection, token_id) = (thing.collection.address(), thing.token_id());
    let event =
        IMarket::Offered { offer, bidder, collection, tokenId: token_id, price, endsAt: ends_at };
    state.emit(ADDRESS, event).map(|()| offer)
}

/// Whether an offer is its bidder's word: what an asset's own account offered was its owner's, and not the next
/// one's.
fn is_meant(state: &mut impl Read, record: &OfferRecord) -> Result<bool, Failure> {
    Ok(record.mark == mark_of(state, record.bidder)?)
}

/// Gives an offer's coin back: to its bidder at any time, and for anyone after its end, or when it is nobody's
/// word any more.
///
/// # Errors
/// `UnknownOffer`, `NotBidder`.
pub(super) fn cancel(state: &mut impl Write, caller: Address, offer: u64) -> Result<(), Failure> {
    let record = standing(state, offer)?;
    let OfferRecord { bidder, ends_at, escrow, .. } = record;
    let is_over = state.block().timestamp.0 >= ends_at || !is_meant(state, &record)?;
    if caller != bidder && !is_over {
        return Err(IMarket::NotBidder { caller, bidder }.into());
    }
    OFFERS.set(state, offer, &OfferRecord::default())?;
    escrow.give_back(state, bidder)?;
    state.emit(ADDRESS, IMarket::OfferClosed { offer, isAccepted: false })
}

/// Sells what the caller owns to whom made the offer.
///
/// # Errors
/// `UnknownOffer`, also where it is nobody's word any more, `NoLongerOnSale`, `NotMovable`, `StateChanged`, and
/// those of the transfer.
pub(super) fn accept(state: &mut impl Write, seller: Address, offer: u64) -> Result<(), Failure> {
    let record = standing(state, offer)?;
    if !is_meant(state, &record)? {
        return Err(IMarket::UnknownOffer { offer }.into());
    }
    let OfferRecord { bidder, ends_at, escrow, thing, .. } = record;
    if state.block().timestamp.0 >= ends_at {
        return Err(IMarket::NoLongerOnSale { endsAt: ends_at }.into());
    }
    let path = (seller, bidder);
    thing.check_kept(state, seller, path)?;
    OFFERS.set(state, offer, &OfferRecord::default())?;
    let price = escrow.pay_fee(state, bidder)?;
    let (referrer, referral) = (Address::ZERO, BasisPoints::ZERO);
    divide(state, Deal { seller, buyer: bidder, referrer, referral }, thing, price)?;
    thing.transfer(state, seller, path)?;
    // Who buys an asset whose account made the offer is told that its coin has left.
    assets::count_taken(state, seller, bidder)?;
    state.emit(ADDRESS, IMarket::OfferClosed { offer, isAccepted: true })
}
