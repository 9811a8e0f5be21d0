//! English auctions: the best bid's coin waits, everyone else's is back in the call that outbid it.

use super::{
    EXTENSION_SECONDS, MAX_AUCTION_SECONDS, MAX_PRICE, MIN_RAISE,
    escrow::next_number,
    item::{Deal, divide},
    storage::{AUCTIONS, BIDDER_NAMES},
    words::{AuctionRecord, Escrow, Thing},
};
use crate::{
    assets,
    dispatch::is_reserved,
    erc721::mark_of,
    state::{Failure, Read, Write, overflow},
};
use alloy_primitives::Address;
use sahara_abi::{IMarket, IProtocol, MARKET as ADDRESS};
use sahara_primitives::{Amount, BasisPoints};

/// An auction that is not over.
///
/// # Errors
/// `UnknownAuction`.
pub(super) fn running(state: &mut impl Read, auction: u64) -> Result<AuctionRecord, Failure> {
    let record = AUCTIONS.get(state, auction)?;
    if record.seller.is_zero() {
        return Err(IMarket::UnknownAuction { auction }.into());
    }
    Ok(record)
}

/// Opens an auction of what the caller owns and lets the market move.
///
/// # Errors
/// `WrongPeriod`, `NotMovable`, `StateChanged`, `Overflow`, and those of the transfer.
pub(super) fn open(
    state: &mut impl Write,
    seller: Address,
    (thing, reserve): (Thing, u128),
    ends_at: u64,
) -> Result<u64, Failure> {
    let now = state.block().timestamp.0;
    if ends_at <= now || ends_at > now.saturating_add(MAX_AUCTION_SECONDS) {
        return Err(IMarket::WrongPeriod { startsAt: now, endsAt: ends_at, now_: now }.into());
    }
    if reserve > MAX_PRICE {
        return Err(IProtocol::Overflow {}.into());
    }
    thing.check(state, ADDRESS, (seller, seller))?;
    let auction = next_number(state)?;
    let extension = ends_at.saturating_sub(now).min(EXTENSION_SECONDS);
    let extension = u16::try_from(extension).unwrap_or(u16::MAX);
    let mark = mark_of(state, seller)?;
    let open = AuctionRecord { seller, ends_at, extension, ..AuctionRecord::default() };
    let record = AuctionRecord { reserve, mark, thing, ..open };
    AUCTIONS.set(state, auction, &record)?;
    let (collection, token_id) = (thing.collection.address(), thing.token_id());
    state.emit(
        ADDRESS,
        IMarket::AuctionOpened {
            auction,
            seller,
            collection,
            tokenId: token_id,
            reserve,
            endsAt: ends_at,
        },
    )?;
    Ok(auction)
}

/// The least that is bid next.
pub(super) fn least_bid(record: &AuctionRecord) -> Result<u128, Failure> {
    if record.bidder.is_zero() {
        return Ok(record.reserve);
    }
    let raise = MIN_RAISE.of(Amount::from_u128(record.escrow.price)).map_err(overflow)?;
    let raise = raise.to_u128().unwrap_or(u128::MAX).max(1);
    Ok(record.escrow.price.saturating_add(raise))
}

/// Bids; the coin came with the call. Whoever was outbid has its coin back at once.
///
/// # Errors
/// `UnknownAuction`, `NoLongerOnSale`, `BidTooLow`, `WrongPayment`.
pub(super) fn bid(
    state: &mut impl Write,
    bidder: Address,
    sent: Amount,
    (auction, price): (u64, u128),
) -> Result<(), Failure> {
    let record = running(state, auction)?;
    let now = state.block().timestamp;
    if now.0 >= record.ends_at {
        return Err(IMarket::NoLongerOnSale { endsAt: record.ends_at }.into());
    }
    let least = least_bid(&record)?;
    if price < least {
        return Err(IMarket::BidTooLow { price, least }.into());
    }
    if is_reserved(bidder) {
        return Err(IMarket::InvalidRecipient { recipient: bidder }.into());
    }
    let escrow = Escrow::of(state, Amount::from_u128(price))?;
    escrow.check_sent(sent)?;
    let name = assets::giver(state, bidder)?;
    if name != bidder {
        BIDDER_NAMES.set(state, auction, &name)?;
    }
    let ends_at = record.ends_at.max(now.saturating_add(record.extension.into()).0);
    AUCTIONS.set(state, auction, &AuctionRecord { bidder, escrow, ends_at, ..record })?;
    record.escrow.give_back(state, record.bidder)?;
    state.emit(ADDRESS, IMarket::Bid { auction, bidder, price, endsAt: ends_at })
}

/// Ends an auction that nobody bid in.
///
/// # Errors
/// `UnknownAuction`, `NotSeller`, `AuctionHasBid`.
pub(super) fn cancel(state: &mut impl Write, caller: Address, auction: u64) -> Result<(), Failure> {
    let AuctionRecord { seller, bidder, .. } = running(state, auction)?;
    if caller != seller {
        return Err(IMarket::NotSeller { caller, seller }.into());
    }
    if !bidder.is_zero() {
        return Err(IMarket::AuctionHasBid { auction, bidder }.into());
    }
    close(state, auction, false)
}

fn close(state: &mut impl Write, auction: u64, is_sold: bool) -> Result<(), Failure> {
    AUCTIONS.set(state, auction, &AuctionRecord::default())?;
    state.emit(ADDRESS, IMarket::AuctionClosed { auction, isSold: is_sold })
}

/// Whether an auction is the word of both: what an asset's own account put up or bid was its owner's, and not
/// the next one's.
fn is_meant(state: &mut impl Read, auction: u64, record: &AuctionRecord) -> Result<bool, Failure> {
    if record.mark != mark_of(state, record.seller)? {
        return Ok(false);
    }
    let name = assets::giver(state, record.bidder)?;
    Ok(name == record.bidder || name == BIDDER_NAMES.get(state, auction)?)
}

/// Ends an auction after its time: sells to whom bid most, or gives the bid back when the item cannot
/// be moved in the state in which it was put up, or an asset's own account put it up or bid and changed hands.
///
/// # Errors
/// `UnknownAuction`, `AuctionRunning`.
pub(super) fn settle(state: &mut impl Write, auction: u64) -> Result<(), Failure> {
    let record = running(state, auction)?;
    let ends_at = record.ends_at;
    if state.block().timestamp.0 < ends_at {
        return Err(IMarket::AuctionRunning { auction, endsAt: ends_at }.into());
    }
    let AuctionRecord { seller, bidder, escrow, thing, .. } = record;
    if bidder.is_zero() {
        return close(state, auction, false);
    }
    let path = (seller, bidder);
    let is_meant = is_meant(state, auction, &record)?;
    match thing.check_kept(state, ADDRESS, path) {
        Ok(()) if is_meant => {}
        Ok(()) | Err(Failure::Revert(_)) => {
            close(state, auction, false)?;
            return escrow.give_back(state, bidder);
        }
        Err(failure) => return Err(failure),
    }
    close(state, auction, true)?;
    let price = escrow.pay_fee(state, bidder)?;
    let (referrer, referral) = (Address::ZERO, BasisPoints::ZERO);
    divide(state, Deal { seller, buyer: bidder, referrer, referral }, thing, price)?;
    thing.transfer(state, ADDRESS, path)?;
    // Who buys an asset whose account bid is told that its coin has left.
    assets::count_taken(state, seller, bidder)
}
