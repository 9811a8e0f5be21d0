//! Listings: published or signed, sold once and as a whole.

use super::{
    MAX_ITEMS, MAX_PRICE, MAX_REFUND_SECONDS,
    escrow::next_number,
    item::{Deal, divide},
    storage::{FLOORS, HELD, LISTED, SPENT},
    words::{Collection, Escrow, HeldRecord, Thing},
};
use crate::{
    assets,
    dispatch::is_reserved,
    licenses,
    signature::recover_bytes,
    state::{Failure, Read, Write, overflow},
    system::parameters,
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    IMarket::{self, Item, Listing},
    INCENTIVE_POOL, IProtocol, MARKET as ADDRESS, signing,
};
use sahara_primitives::{Amount, BasisPoints};

/// Gas of an EIP-712 signing hash of a listing without items: domain, types, struct and message.
const HASH_GAS: u64 = 1_000;

/// Gas of an item's part in it: the hash of its type and of six words, 1.2 us at a transfer's rate.
const ITEM_GAS: u64 = 400;

/// The hash that a seller signs.
///
/// # Errors
/// Those of the state.
pub(super) fn hash(state: &mut impl Read, listing: &Listing) -> Result<B256, Failure> {
    let items = u64::try_from(listing.items.len()).unwrap_or(u64::MAX);
    state.charge(HASH_GAS.saturating_add(ITEM_GAS.saturating_mul(items)))?;
    Ok(listing.eip712_signing_hash(&signing::market_domain(state.block().chain_id)))
}

/// Refuses a listing that could never sell.
fn check_shape(state: &mut impl Read, listing: &Listing) -> Result<(), Failure> {
    let items = listing.items.len();
    if items == 0 || items > MAX_ITEMS {
        let (items, most) = (U256::from(items), U256::from(MAX_ITEMS));
        return Err(IMarket::WrongItems { items, least: U256::ONE, most }.into());
    }
    for Item { collection, price, endPrice: end, .. } in &listing.items {
        Collection::at(*collection)?;
        if end > price {
            return Err(IMarket::PriceRises { price: *price, endPrice: *end }.into());
        }
        if *price > MAX_PRICE {
            return Err(IProtocol::Overflow {}.into());
        }
    }
    let most = parameters(state)?.max_referral.points();
    if listing.referral > most {
        let referral = listing.referral;
        return Err(IMarket::ReferralTooHigh { referral, most }.into());
    }
    let asked = listing.refundSeconds;
    let is_one_license = match &listing.items[..] {
        [item] => Collection::at(item.collection)? == Collection::Licenses,
        _ => false,
    };
    let most = if is_one_license { MAX_REFUND_SECONDS } else { 0 };
    if asked > most {
        return Err(IMarket::RefundNotPossible { refundSeconds: asked, most }.into());
    }
    Ok(())
}

fn check_nonce(state: &mut impl Read, listing: &Listing) -> Result<(), Failure> {
    let (seller, nonce) = (listing.seller, listing.nonce);
    if nonce < FLOORS.get(state, seller)? || SPENT.get(state, (seller, nonce))? {
        return Err(IMarket::NonceSpent { seller, nonce }.into());
    }
    Ok(())
}

/// Publishes a listing of the caller.
///
/// # Errors
/// `NotSeller`, `WrongListingFee`, `WrongPeriod` for one that has ended or never runs, `NonceSpent`,
/// and what `check_shape` names.
pub(super) fn list(
    state: &mut impl Write,
    caller: Address,
    sent: Amount,
    listing: Listing,
) -> Result<B256, Failure> {
    let (seller, now) = (listing.seller, state.block().timestamp.0);
    if caller != seller {
        return Err(IMarket::NotSeller { caller, seller }.into());
    }
    let expected = parameters(state)?.listing_fee;
    if sent != expected {
        let (sent, expected) = (sent.base_units(), expected.base_units());
        return Err(IMarket::WrongListingFee { sent, expected }.into());
    }
    let (starts_at, ends_at) = (listing.startsAt, listing.endsAt);
    if ends_at <= now || ends_at <= starts_at {
        return Err(IMarket::WrongPeriod { startsAt: starts_at, endsAt: ends_at, now_: now }.into());
    }
    check_shape(state, &listing)?;
    check_nonce(state, &listing)?;
    let id = hash(state, &listing)?;
    let name = assets::giver(state, seller)?;
    LISTED.set(state, id, &name)?;
    state.move_coin(ADDRESS, INCENTIVE_POOL, sent)?;
    let fee = sent.base_units();
    state.emit(ADDRESS, IMarket::FeePaid { payer: caller, fee })?;
    state.emit(ADDRESS, IMarket::Listed { listing: id, seller, data: listing })?;
    Ok(id)
}

/// Uses a nonce of the caller up.
///
/// # Errors
/// Those of the state.
pub(super) fn cancel(state: &mut impl Write, seller: Address, nonce: u64) -> Result<(), Failure> {
    SPENT.set(state, (seller, nonce), &true)?;
    state.emit(ADDRESS, IMarket::NonceUsed { seller, nonce })
}

/// Uses all nonces of the caller up that are lower; the floor never sinks.
///
/// # Errors
/// Those of the state.
pub(super) fn cancel_below(
    state: &mut impl Write,
    seller: Address,
    floor: u64,
) -> Result<(), Failure> {
    let floor = FLOORS.update(state, seller, |old| {
        *old = floor.max(*old);
        Ok(*old)
    })?;
    state.emit(ADDRESS, IMarket::NonceFloorRaised { seller, floor })
}

/// Refuses a listing that its seller neither published nor signed.
fn check_word(state: &mut impl Read, listing: &Listing, signature: &[u8]) -> Result<(), Failure> {
    let id = hash(state, listing)?;
    if signature.is_empty() {
        // What an asset's own account published is its owner's word, and not the next one's.
        let name = LISTED.get(state, id)?;
        let is_listed = !name.is_zero() && name == assets::giver(state, listing.seller)?;
        return if is_listed { Ok(()) } else { Err(IMarket::NotListed { listing: id }.into()) };
    }
    let (seller, signer) = (listing.seller, recover_bytes(state, id, signature)?);
    if !seller.is_zero() && signer == Some(seller) {
        return Ok(());
    }
    Err(IMarket::InvalidSignature { signer: signer.unwrap_or_default(), seller }.into())
}

/// The price of an item now: it falls in a straight line, rounded up.
fn price_of(item: &Item, listing: &Listing, now: u64) -> Result<Amount, Failure> {
    let fall = item.price.saturating_sub(item.endPrice);
    let length = listing.endsAt.saturating_sub(listing.startsAt);
    let passed = now.saturating_sub(listing.startsAt).min(length);
    let fallen = U256::from(fall).checked_mul(U256::from(passed)).ok_or(IProtocol::Overflow {})?;
    let fallen = fallen.checked_div(U256::from(length)).unwrap_or_default();
    Amount::from_u128(item.price).checked_sub(Amount::from_base_units(fallen)).map_err(overflow)
}

/// The prices of all items now, and what is paid for them together.
fn prices(state: &mut impl Read, listing: &Listing) -> Result<(Vec<Amount>, Escrow), Failure> {
    let now = state.block().timestamp.0;
    let prices: Result<Vec<_>, _> =
        listing.items.iter().map(|item| price_of(item, listing, now)).collect();
    let prices = prices?;
    let sum = Amount::sum(prices.iter().copied()).map_err(overflow)?;
    Ok((prices, Escrow::of(state, sum)?))
}

/// What a listing costs now.
///
/// # Errors
/// As buying, for its shape.
pub(super) fn quote(state: &mut impl Read, listing: &Listing) -> Result<Escrow, Failure> {
    check_shape(state, listing)?;
    Ok(prices(state, listing)?.1)
}

/// A purchase as the buyer asks for it.
#[derive(Debug)]
pub(super) struct Purchase {
    /// What is bought.
    pub(super) listing: Listing,
    /// Its seller's signature; empty for a published one.
    pub(super) signature: Vec<u8>,
    /// Who gets the items.
    pub(super) recipient: Address,
    /// Who brought the buyer; zero: nobody.
    pub(super) referrer: Address,
}

fn check_purchase(
    state: &mut impl Read,
    buyer: Address,
    purchase: &Purchase,
) -> Result<(), Failure> {
    let Purchase { listing, recipient, referrer, .. } = purchase;
    let (starts_at, ends_at) = (listing.startsAt, listing.endsAt);
    check_shape(state, listing)?;
    let now = state.block().timestamp.0;
    if now < starts_at {
        return Err(IMarket::NotYetOnSale { startsAt: starts_at }.into());
    }
    if now >= ends_at {
        return Err(IMarket::NoLongerOnSale { endsAt: ends_at }.into());
    }
    if !listing.buyer.is_zero() && listing.buyer != buyer {
        return Err(IMarket::NotForCaller { caller: buyer, buyer: listing.buyer }.into());
    }
    if recipient.is_zero() || is_reserved(*recipient) {
        return Err(IMarket::InvalidRecipient { recipient: *recipient }.into());
    }
    if is_reserved(*referrer) {
        return Err(IMarket::InvalidReferrer { referrer: *referrer }.into());
    }
    check_nonce(state, listing)?;
    check_word(state, listing, &purchase.signature)
}

/// Buys everything that a listing sells for at most the coin that came with the call. Returns the
/// number of the sale if its licence can be returned.
///
/// # Errors
/// Every refusal that `IMarket` names for listings, `PriceTooHigh`, `NotMovable`, `StateChanged`, and
/// those of the transfer.
pub(super) fn buy(
    state: &mut impl Write,
    buyer: Address,
    sent: Amount,
    purchase: &Purchase,
) -> Result<u64, Failure> {
    check_purchase(state, buyer, purchase)?;
    let listing = &purchase.listing;
    let (prices, escrow) = prices(state, listing)?;
    let excess = sent.checked_sub(escrow.total()).map_err(|_| IMarket::PriceTooHigh {
        asked: escrow.total().base_units(),
        sent: sent.base_units(),
    })?;
    cancel(state, listing.seller, listing.nonce)?;
    state.move_coin(ADDRESS, buyer, excess)?;
    let path = (listing.seller, purchase.recipient);
    let mut things = Vec::new();
    for (item, price) in listing.items.iter().zip(prices) {
        let thing = Thing::new(item.collection, item.tokenId, item.state)?;
        thing.check(state, ADDRESS, path)?;
        things.push((thing, price));
    }
    let referral = BasisPoints::new(listing.referral).unwrap_or(BasisPoints::ZERO);
    let deal = Deal { seller: listing.seller, buyer, referrer: purchase.referrer, referral };
    if listing.refundSeconds > 0
        && let [(thing, _)] = &things[..]
    {
        return hold(state, deal, (*thing, path), (escrow, listing.refundSeconds));
    }
    escrow.pay_fee(state, buyer)?;
    for (thing, price) in things {
        // Bundled items may be parts of each other: what the first sale changed is looked at again.
        thing.check(state, ADDRESS, path)?;
        divide(state, deal, thing, price)?;
        thing.transfer(state, ADDRESS, path)?;
    }
    Ok(0)
}

/// Moves a licence to its buyer and lets the coin wait until it cannot be returned any more.
fn hold(
    state: &mut impl Write,
    deal: Deal,
    (thing, path): (Thing, (Address, Address)),
    (escrow, seconds): (Escrow, u32),
) -> Result<u64, Failure> {
    thing.transfer(state, ADDRESS, path)?;
    let until = state.block().timestamp.saturating_add(seconds.into()).0;
    let unused = licenses::use_word(state, thing.token_id())?;
    let record = HeldRecord {
        buyer: path.1,
        until,
        escrow,
        seller: deal.seller,
        license: thing.token,
        referrer: deal.referrer,
        referral: deal.referral.points(),
        state: unused,
    };
    let sale = next_number(state)?;
    HELD.set(state, sale, &record)?;
    let license = thing.token_id();
    state.emit(ADDRESS, IMarket::Held { sale, license, buyer: path.1, until })?;
    Ok(sale)
}
