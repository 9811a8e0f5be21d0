//! What can be read of licences.

use super::{
    rights::is_licensed,
    sale::{Quote, renewal_quote},
    storage::{COUNT, LICENSES, METERS, OFFERED, OFFERINGS, SEATINGS, SEATS, TERMS},
    words::{License, Offering, Seat},
};
use crate::{
    assets,
    state::{Failure, Read},
    storage::{Pack, Value},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::ILicenses::{self, Terms};
use sahara_primitives::AssetId;

/// Registered terms.
///
/// # Errors
/// `UnknownTerms`.
pub fn terms_of(state: &mut impl Read, id: B256) -> Result<Terms, Failure> {
    let unknown = || ILicenses::UnknownTerms { terms: id }.into();
    TERMS.get(state, id)?.0.ok_or_else(unknown)
}

/// A licence that was issued.
pub(super) fn held(state: &mut impl Read, token_id: U256) -> Result<License, Failure> {
    let unknown = || ILicenses::ERC721NonexistentToken { tokenId: token_id };
    let license = LICENSES.get(state, u64::try_from(token_id).map_err(|_| unknown())?)?;
    if license.holder.is_zero() { Err(unknown().into()) } else { Ok(license) }
}

/// Everything about a licence.
///
/// # Errors
/// `ERC721NonexistentToken`.
pub fn license(state: &mut impl Read, token_id: U256) -> Result<ILicenses::License, Failure> {
    let license = held(state, token_id)?;
    Ok(ILicenses::License {
        asset: license.asset.0,
        terms: license.terms,
        holder: license.holder,
        expiresAt: license.expires_at,
        useLimit: license.use_limit,
        uses: license.uses,
        seats: license.seats,
        seatsTaken: license.taken,
        lockedUntil: license.locked_until,
        isRevoked: license.is_revoked,
    })
}

/// The word that says how a licence stands: its end, windows, uses, transfers, whether it was revoked, and
/// its holder's renewals. Whoever buys one commits to it.
pub(crate) fn standing_word(state: &mut impl Read, token_id: U256) -> Result<B256, Failure> {
    let [_, standing, _] = held(state, token_id)?.pack()?;
    Ok(B256::from(standing))
}

/// Whether a licence stands as it did when this was its [`standing_word`], or better: a renewal, which
/// anybody may pay, moves its end and raises its limit.
pub(crate) fn stands_as(
    state: &mut impl Read,
    token_id: U256,
    word: B256,
) -> Result<bool, Failure> {
    let license = held(state, token_id)?;
    let before = License::unpack(&[U256::ZERO, U256::from_be_bytes(word.0), U256::ZERO])?;
    // Nothing ends later than never, and no limit is above none.
    let is_kept = |before: u64, now: u64| now == before || (before > 0 && now > before);
    let rest = |it: &License| (it.locked_until, it.uses, it.epoch, it.is_revoked);
    Ok(rest(&license) == rest(&before)
        && is_kept(before.expires_at, license.expires_at)
        && is_kept(before.use_limit, license.use_limit))
}

/// As [`stands_as`], and its holder has not renewed it itself: who listed it and then paid for more of it
/// does not mean to sell that for the old price.
pub(crate) fn stands_as_listed(
    state: &mut impl Read,
    token_id: U256,
    word: B256,
) -> Result<bool, Failure> {
    let license = held(state, token_id)?;
    let before = License::unpack(&[U256::ZERO, U256::from_be_bytes(word.0), U256::ZERO])?;
    Ok(license.own_renewals == before.own_renewals && stands_as(state, token_id, word)?)
}

/// The word that says whether a licence was used or passed on: its seats and windows, uses and transfers.
/// What anybody may add by paying a renewal, end and limit, is not in it, and neither is a revocation:
/// whoever may return a licence must not lose that by what others do to it.
pub(crate) fn use_word(state: &mut impl Read, token_id: U256) -> Result<B256, Failure> {
    let license = held(state, token_id)?;
    let word = Pack::new()
        .number(16, license.taken.into())
        .number(40, license.locked_until.into())
        .number(64, license.uses.into())
        .number(32, license.epoch.into());
    word.finish().map(B256::from)
}

/// Licences issued so far.
pub(super) fn count(state: &mut impl Read) -> Result<u64, Failure> {
    COUNT.get(state)
}

/// What renewing a licence costs.
pub(super) fn renewal(
    state: &mut impl Read,
    token_id: U256,
    quantity: u32,
) -> Result<Quote, Failure> {
    let license = held(state, token_id)?;
    let terms = terms_of(state, license.terms)?;
    renewal_quote(state, &license, &terms, quantity)
}

/// Terms offered for an asset.
pub(super) fn offers_of(
    state: &mut impl Read,
    asset: AssetId,
    start: U256,
    count: U256,
) -> Result<(Vec<B256>, u64), Failure> {
    OFFERED.page(state, asset, start, count)
}

/// Whether an asset is licensed, what it carries, what it gives freely.
pub(super) fn licensing(
    state: &mut impl Read,
    asset: AssetId,
) -> Result<(bool, B256, B256), Failure> {
    let Offering { carried, free } = OFFERINGS.get(state, asset)?;
    Ok((is_licensed(state, asset)?, carried, free))
}

/// Licences of an asset in which an account was given a seat.
pub(super) fn seats_of(
    state: &mut impl Read,
    account: Address,
    asset: AssetId,
) -> Result<Vec<U256>, Failure> {
    Ok(SEATINGS.get(state, (account, asset))?.0.into_iter().map(U256::from).collect())
}

/// Whether an account has a seat, and until when it cannot be passed on.
pub(super) fn seat(
    state: &mut impl Read,
    token_id: U256,
    account: Address,
) -> Result<(bool, u64), Failure> {
    let license = held(state, token_id)?;
    let number = u64::try_from(token_id).unwrap_or_default();
    let seat: Seat = SEATS.get(state, (number, account))?;
    Ok(if seat.is_valid(&license) { (true, seat.locked_until) } else { (false, 0) })
}

/// Whether a gateway may count a holder's uses.
pub(super) fn is_meter(
    state: &mut impl Read,
    holder: Address,
    meter: Address,
) -> Result<bool, Failure> {
    let name = assets::giver(state, holder)?;
    Ok(METERS.get(state, (name, meter))?.is_allowed)
}
