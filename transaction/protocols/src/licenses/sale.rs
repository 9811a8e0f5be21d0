//! Buying and renewing: the price is divided in the same call, and the licence issued.

use super::{
    MAX_EXPIRY, MAX_SEATS,
    offers::is_offered,
    ownership::{self, TOKENS},
    seats,
    storage::{COUNT, LICENSES},
    views::{held, terms_of},
    words::License,
};
use crate::{
    royalties,
    state::{Failure, Read, Write, overflow},
    system::parameters,
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    ILicenses::{self, Pricing, Purchase, Terms},
    INCENTIVE_POOL, IProtocol, LICENSES as ADDRESS,
};
use sahara_primitives::{Amount, AssetId, Price, Prices, Usage};

/// What a buyer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// For those who made the asset possible.
    pub price: Amount,
    /// On top, for the incentive pool.
    pub fee: Amount,
}

impl Quote {
    fn of(state: &mut impl Read, price: Amount) -> Result<Self, Failure> {
        let rate = parameters(state)?.license_fee;
        Ok(Self { price, fee: rate.of(price).map_err(overflow)? })
    }

    /// Price and fee.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn total(&self) -> Result<Amount, Failure> {
        self.price.checked_add(self.fee).map_err(overflow)
    }
}

/// What `quantity` costs under these terms.
///
/// # Errors
/// `WrongQuantity`.
pub fn quote(state: &mut impl Read, terms: &Terms, quantity: u32) -> Result<Quote, Failure> {
    check_quantity(terms, quantity)?;
    Quote::of(state, price(terms, quantity, 1)?)
}

/// What renewing costs: a price per seat is paid for every seat of the licence.
pub(super) fn renewal_quote(
    state: &mut impl Read,
    license: &License,
    terms: &Terms,
    quantity: u32,
) -> Result<Quote, Failure> {
    let seats = if terms.pricing == Pricing::PerSeat { license.seats } else { 1 };
    Quote::of(state, price(terms, quantity, seats)?)
}

fn price(terms: &Terms, quantity: u32, seats: u16) -> Result<Amount, Failure> {
    if terms.pricing == Pricing::PerMillionTokens {
        let prices = Prices { input: Price(terms.price), output: Price(0) };
        let usage = Usage { prompt_tokens: quantity, completion_tokens: 0 };
        return prices.charge(usage).map_err(overflow);
    }
    let count = u64::from(quantity).saturating_mul(seats.into());
    Amount::from_u128(terms.price).checked_mul(count).map_err(overflow)
}

/// Whether uses (or tokens) are what is bought.
const fn sells_uses(terms: &Terms) -> bool {
    matches!(terms.pricing, Pricing::PerUse | Pricing::PerMillionTokens)
}

/// Refuses a quantity that the first sale does not have.
fn check_quantity(terms: &Terms, quantity: u32) -> Result<(), Failure> {
    let most = match terms.pricing {
        Pricing::PerSeat if terms.seatCap > 0 => terms.seatCap.into(),
        Pricing::PerSeat => MAX_SEATS.into(),
        Pricing::Subscription => u32::MAX.into(),
        _ if sells_uses(terms) && terms.useCap > 0 => terms.useCap,
        _ if sells_uses(terms) || terms.duration > 0 => u32::MAX.into(),
        _ => 1,
    };
    if quantity == 0 || u64::from(quantity) > most {
        return Err(ILicenses::WrongQuantity { quantity, least: 1, most }.into());
    }
    Ok(())
}

/// The licence after `quantity` more were paid; the first sale adds to nothing.
fn extended(license: License, terms: &Terms, quantity: u32, now: u64) -> Result<License, Failure> {
    let is_first = license.seats == 0;
    let mut next = license;
    if sells_uses(terms) {
        let limit = license.use_limit.checked_add(quantity.into()).ok_or(IProtocol::Overflow {})?;
        if terms.useCap > 0 && limit > terms.useCap {
            let most = terms.useCap.saturating_sub(license.use_limit);
            return Err(ILicenses::WrongQuantity { quantity, least: 1, most }.into());
        }
        next.use_limit = limit;
        if is_first && terms.duration > 0 {
            next.expires_at = later(now, terms.duration.into())?;
        }
        return Ok(next);
    }
    let turns = if is_first && terms.pricing == Pricing::PerSeat { 1 } else { u64::from(quantity) };
    let added = terms.useCap.checked_mul(turns).ok_or(IProtocol::Overflow {})?;
    next.use_limit = license.use_limit.checked_add(added).ok_or(IProtocol::Overflow {})?;
    let length = u64::from(terms.period.max(terms.duration));
    if length > 0 {
        let added = length.checked_mul(turns).ok_or(IProtocol::Overflow {})?;
        next.expires_at = later(license.expires_at.max(now), added)?;
    }
    Ok(next)
}

fn later(from: u64, seconds: u64) -> Result<u64, Failure> {
    let end = from.checked_add(seconds).filter(|end| *end <= MAX_EXPIRY);
    end.ok_or_else(|| IProtocol::Overflow {}.into())
}

/// Seats of a licence of `quantity`.
fn seats_of(terms: &Terms, quantity: u32) -> Result<u16, Failure> {
    match terms.pricing {
        Pricing::PerSeat => u16::try_from(quantity).map_err(|_| IProtocol::Overflow {}.into()),
        _ => Ok(terms.seatCap.max(1)),
    }
}

/// Sells a licence for the coin that came with the call; returns its id.
///
/// # Errors
/// `UnknownAsset`, `UnknownTerms`, `NotOffered`, `NotSealed`, `WrongQuantity`, `WrongPayment`,
/// `ERC721InvalidReceiver` for the zero address and protocols.
pub fn buy(
    state: &mut impl Write,
    payer: Address,
    sent: Amount,
    purchase: &Purchase,
) -> Result<u64, Failure> {
    let (asset, id) = (AssetId(purchase.asset), purchase.terms);
    ownership::check_receiver(purchase.holder)?;
    let terms = terms_of(state, id)?;
    check_offered(state, asset, id)?;
    let quote = quote(state, &terms, purchase.quantity)?;
    let now = state.block().timestamp.0;
    let seats = seats_of(&terms, purchase.quantity)?;
    let blank = License::blank(purchase.holder, asset, id);
    let issued = License { seats, ..extended(blank, &terms, purchase.quantity, now)? };
    let number = COUNT.update(state, |count| {
        *count = count.checked_add(1).ok_or(IProtocol::Overflow {})?;
        Ok(*count)
    })?;
    LICENSES.set(state, number, &issued)?;
    TOKENS.mint(state, U256::from(number), purchase.holder)?;
    let (license, quantity) = (U256::from(number), purchase.quantity);
    let (asset, holder) = (purchase.asset, purchase.holder);
    state.emit(ADDRESS, ILicenses::Issued { license, asset, terms: id, holder, quantity })?;
    if !purchase.user.is_zero() {
        // A buyer who seats itself uses its own places; whoever gives a licence uses the others'.
        let is_own = purchase.user == payer;
        seats::first_seat(state, number, purchase.user, is_own)?;
    }
    collect(state, (payer, sent), (number, AssetId(asset)), quote)?;
    Ok(number)
}

fn check_offered(state: &mut impl Read, asset: AssetId, terms: B256) -> Result<(), Failure> {
    crate::assets::title(state, asset)?;
    crate::disputes::check_listed(state, asset)?;
    if is_offered(state, asset, terms)? {
        return Ok(());
    }
    Err(ILicenses::NotOffered { asset: asset.0, terms }.into())
}

/// Pays for more of a licence; whoever pays, it stays its holder's.
///
/// # Errors
/// `ERC721NonexistentToken`, `LicenseRevoked`, `NotOffered`, `NotRenewable` where nothing is counted
/// and nothing ends, `WrongQuantity`, `WrongPayment`.
pub fn renew(
    state: &mut impl Write,
    (payer, sent): (Address, Amount),
    number: u64,
    quantity: u32,
) -> Result<(), Failure> {
    let license = held(state, U256::from(number))?;
    let id = U256::from(number);
    if license.is_revoked {
        return Err(ILicenses::LicenseRevoked { license: id }.into());
    }
    check_offered(state, license.asset, license.terms)?;
    let terms = terms_of(state, license.terms)?;
    let ends = terms.period > 0 || terms.duration > 0;
    if terms.pricing == Pricing::Free || !(ends || sells_uses(&terms)) {
        return Err(ILicenses::NotRenewable { license: id }.into());
    }
    let now = state.block().timestamp;
    if sells_uses(&terms) && license.is_expired(now) {
        let expires_at = license.expires_at;
        return Err(ILicenses::LicenseExpired { license: id, expiresAt: expires_at }.into());
    }
    if quantity == 0 {
        let most = u32::MAX.into();
        return Err(ILicenses::WrongQuantity { quantity, least: 1, most }.into());
    }
    let next = extended(license, &terms, quantity, now.0)?;
    let next = if payer == license.holder { next.renewed_by_holder() } else { next };
    LICENSES.set(state, number, &next)?;
    let (expires_at, limit) = (next.expires_at, next.use_limit);
    let event =
        ILicenses::Renewed { license: id, quantity, expiresAt: expires_at, useLimit: limit };
    state.emit(ADDRESS, event)?;
    let quote = renewal_quote(state, &license, &terms, quantity)?;
    collect(state, (payer, sent), (number, license.asset), quote)
}

/// Divides what came with the call: the fee to the incentive pool, the price through the royalties.
fn collect(
    state: &mut impl Write,
    (payer, sent): (Address, Amount),
    (number, asset): (u64, AssetId),
    quote: Quote,
) -> Result<(), Failure> {
    let expected = quote.total()?;
    if sent != expected {
        let (sent, expected) = (sent.base_units(), expected.base_units());
        return Err(ILicenses::WrongPayment { sent, expected }.into());
    }
    let (price, fee) = (quote.price.base_units(), quote.fee.base_units());
    let license = U256::from(number);
    state.emit(ADDRESS, ILicenses::Sold { license, payer, price, fee })?;
    state.move_coin(ADDRESS, INCENTIVE_POOL, quote.fee)?;
    royalties::pay_from(state, ADDRESS, payer, asset, quote.price)
}
