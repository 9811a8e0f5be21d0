//! From a decoded call to its rule.

use super::{
    auctions, item,
    listing::{self, Purchase},
    offers, returns,
    storage::{FLOORS, LISTED, SPENT},
    words::{AuctionRecord, HeldRecord, OfferRecord, Thing},
};
use crate::{
    dispatch::Call,
    state::{Failure, Read, Write},
    system::parameters,
};
use alloy_primitives::{Bytes, U256};
use sahara_abi::{
    IMarket::{self, IMarketCalls as Calls},
    IProtocol, signing,
};
use sahara_primitives::{Amount, BasisPoints};

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode()? {
        Calls::list(c) => call.payable(c, |c| listing::list(state, caller, value, c.data)),
        Calls::cancel(c) => {
            call.change(c, |c| listing::cancel(state, caller, c.nonce).map(Into::into))
        }
        Calls::cancelBelow(c) => {
            call.change(c, |c| listing::cancel_below(state, caller, c.floor).map(Into::into))
        }
        Calls::buy(c) => call.payable(c, |c| {
            let (recipient, referrer) = (c.recipient, c.referrer);
            let signature = c.signature.to_vec();
            let purchase = Purchase { listing: c.data, signature, recipient, referrer };
            listing::buy(state, caller, value, &purchase)
        }),
        Calls::makeOffer(c) => call.payable(c, |c| {
            let thing = Thing::new(c.collection, c.tokenId, c.state)?;
            offers::make(state, caller, value, (thing, c.price), c.endsAt)
        }),
        Calls::cancelOffer(c) => {
            call.change(c, |c| offers::cancel(state, caller, c.offer).map(Into::into))
        }
        Calls::acceptOffer(c) => {
            call.change(c, |c| offers::accept(state, caller, c.offer).map(Into::into))
        }
        Calls::openAuction(c) => call.change(c, |c| {
            let thing = Thing::new(c.collection, c.tokenId, c.state)?;
            auctions::open(state, caller, (thing, c.reserve), c.endsAt)
        }),
        Calls::bid(c) => call.payable(c, |c| {
            auctions::bid(state, caller, value, (c.auction, c.price)).map(Into::into)
        }),
        Calls::cancelAuction(c) => {
            call.change(c, |c| auctions::cancel(state, caller, c.auction).map(Into::into))
        }
        Calls::settleAuction(c) => {
            call.change(c, |c| auctions::settle(state, c.auction).map(Into::into))
        }
        Calls::returnLicense(c) => {
            call.change(c, |c| returns::return_license(state, caller, c.sale).map(Into::into))
        }
        Calls::release(c) => call.change(c, |c| returns::release(state, c.sale).map(Into::into)),
        other => view(state, call, other),
    }
}

/// Answers a function that only reads.
fn view(state: &mut impl Read, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    match function {
        Calls::quote(c) => call.view(c, |c| {
            let escrow = listing::quote(state, &c.data)?;
            let (price, fee) = (U256::from(escrow.price), U256::from(escrow.fee));
            Ok(IMarket::quoteReturn { price, fee })
        }),
        Calls::parts(c) => call.view(c, |c| {
            let thing = Thing::new(c.collection, c.tokenId, Default::default())?;
            thing.owner(state)?;
            let most = parameters(state)?.max_referral;
            let refused = IMarket::ReferralTooHigh { referral: c.referral, most: most.points() };
            let referral = BasisPoints::new(c.referral).ok().filter(|r| *r <= most);
            let price = Amount::from_base_units(c.price);
            let parts = thing.parts(state, price, referral.ok_or(refused)?)?;
            Ok(IMarket::Parts {
                seller: parts.seller.base_units(),
                royalty: parts.royalty.base_units(),
                referral: parts.referral.base_units(),
            })
        }),
        Calls::stateOf(c) => call.view(c, |c| {
            let thing = Thing::new(c.collection, c.tokenId, Default::default())?;
            thing.owner(state)?;
            item::state_of(state, thing)
        }),
        Calls::listingHash(c) => call.view(c, |c| listing::hash(state, &c.data)),
        Calls::isListed(c) => call.view(c, |c| Ok(!LISTED.get(state, c.listing)?.is_zero())),
        Calls::isNonceSpent(c) => call.view(c, |c| {
            Ok(c.nonce < FLOORS.get(state, c.seller)? || SPENT.get(state, (c.seller, c.nonce))?)
        }),
        Calls::nonceFloor(c) => call.view(c, |c| FLOORS.get(state, c.seller)),
        Calls::offer(c) => call.view(c, |c| offers::standing(state, c.offer).map(offer_view)),
        Calls::auction(c) => {
            call.view(c, |c| auctions::running(state, c.auction).map(auction_view))
        }
        Calls::leastBid(c) => {
            call.view(c, |c| auctions::least_bid(&auctions::running(state, c.auction)?))
        }
        Calls::heldSale(c) => call.view(c, |c| returns::held(state, c.sale).map(held_view)),
        Calls::listingFee(c) => call.view(c, |_| Ok(parameters(state)?.listing_fee.base_units())),
        Calls::protocolFee(c) => call.view(c, |_| Ok(parameters(state)?.market_fee.points())),
        Calls::DOMAIN_SEPARATOR(c) => {
            call.view(c, |_| Ok(signing::market_domain(state.block().chain_id).separator()))
        }
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}

fn offer_view(record: OfferRecord) -> IMarket::Offer {
    IMarket::Offer {
        bidder: record.bidder,
        collection: record.thing.collection.address(),
        tokenId: record.thing.token_id(),
        price: record.escrow.price,
        fee: record.escrow.fee,
        endsAt: record.ends_at,
        state: record.thing.state,
    }
}

fn auction_view(record: AuctionRecord) -> IMarket::Auction {
    IMarket::Auction {
        seller: record.seller,
        collection: record.thing.collection.address(),
        tokenId: record.thing.token_id(),
        reserve: record.reserve,
        endsAt: record.ends_at,
        state: record.thing.state,
        bidder: record.bidder,
        price: record.escrow.price,
        fee: record.escrow.fee,
    }
}

fn held_view(record: HeldRecord) -> IMarket::Return {
    IMarket::Return {
        buyer: record.buyer,
        seller: record.seller,
        license: U256::from(record.license),
        price: record.escrow.price,
        fee: record.escrow.fee,
        until: record.until,
        referrer: record.referrer,
        referral: record.referral,
        state: record.state,
    }
}
