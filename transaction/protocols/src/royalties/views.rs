//! What can be read of pools.

use super::{
    accounts,
    settlement::Holding,
    storage::{FLOWS, LISTINGS, MEMBERS, PAST, SEATS, TERMS},
};
use crate::{
    assets,
    state::{Failure, Read, overflow},
    storage::MAX_PAGE,
};
use alloy_primitives::{Address, U256, aliases::U96};
use sahara_abi::IRoyalties;
use sahara_primitives::{Amount, AssetId};

/// Earned in one pool and not yet credited.
///
/// # Errors
/// Those of the state.
pub fn earned_in(
    state: &mut impl Read,
    account: Address,
    asset: AssetId,
) -> Result<Amount, Failure> {
    Holding::read(state, account, asset)?.owed().map(Amount::from_u128)
}

/// Earned and not yet credited, over all of the account's pools.
///
/// # Errors
/// Those of the state.
pub fn earned(state: &mut impl Read, account: Address) -> Result<Amount, Failure> {
    let listing = LISTINGS.get(state, account)?;
    let mut sum = Amount::ZERO;
    for position in 0..listing.number {
        let asset = accounts::entry(state, account, &listing, position)?;
        sum = sum.checked_add(earned_in(state, account, asset)?).map_err(overflow)?;
    }
    Ok(sum)
}

/// Credited so far from one pool, as a member and as its owner, past times included.
///
/// # Errors
/// Those of the state.
pub fn paid_to(state: &mut impl Read, account: Address, asset: AssetId) -> Result<Amount, Failure> {
    let member = Amount::from_u128(MEMBERS.get(state, (asset, account))?.paid);
    let past = Amount::from_base_units(PAST.get(state, (asset, account))?);
    let seat = SEATS.get(state, asset)?;
    let is_owner = seat.units > 0 && assets::title(state, asset)?.owner == account;
    let present = if is_owner { seat.paid.saturating_sub(seat.paid_before) } else { 0 };
    Amount::sum([member, past, Amount::from_u128(present)]).map_err(overflow)
}

/// The account's units in one pool, those of ownership included.
///
/// # Errors
/// Those of the state.
pub fn units_of(state: &mut impl Read, asset: AssetId, account: Address) -> Result<u128, Failure> {
    let holding = Holding::read(state, account, asset)?;
    let seat = if holding.is_owner { holding.seat.units } else { 0 };
    Ok(holding.member.units.saturating_add(seat))
}

/// The pool's totals; zeros where the owner alone earns.
pub(super) fn pool(state: &mut impl Read, asset: AssetId) -> Result<IRoyalties::Pool, Failure> {
    let title = assets::title(state, asset)?;
    let (flow, terms) = (FLOWS.get(state, asset)?, TERMS.get(state, asset)?);
    let has_seat = title.has_members && SEATS.get(state, asset)?.units > 0;
    Ok(IRoyalties::Pool {
        deposited: U256::from(flow.deposited),
        paid: U256::from(flow.paid),
        units: terms.units.try_into().unwrap_or_default(),
        members: u64::from(terms.members).saturating_add(u64::from(has_seat)),
    })
}

/// What an account holds and earned in its pools, from `start`, at most `count`, and the number of all.
pub(super) fn statement(
    state: &mut impl Read,
    account: Address,
    start: U256,
    count: U256,
) -> Result<(Vec<IRoyalties::Statement>, u32), Failure> {
    let (pools, total) = pools_of(state, account, start, count)?;
    let mut statements = Vec::new();
    for asset in pools {
        let pool = AssetId(asset);
        let holding = Holding::read(state, account, pool)?;
        let seat = if holding.is_owner { holding.seat.units } else { 0 };
        let units = |units: u128| U96::try_from(units).unwrap_or_default();
        statements.push(IRoyalties::Statement {
            asset,
            units: units(holding.member.units),
            ownerUnits: units(seat),
            poolUnits: units(TERMS.get(state, pool)?.units),
            deposited: U256::from(holding.flow.deposited),
            paid: paid_to(state, account, pool)?.base_units(),
            earned: U256::from(holding.owed()?),
        });
    }
    Ok((statements, total))
}

/// Pools of an account, from `start`, at most `count`, and the number of all.
pub(super) fn pools_of(
    state: &mut impl Read,
    account: Address,
    start: U256,
    count: U256,
) -> Result<(Vec<u64>, u32), Failure> {
    let listing = LISTINGS.get(state, account)?;
    let start = u32::try_from(start).unwrap_or(u32::MAX).min(listing.number);
    let count = u64::try_from(count).unwrap_or(u64::MAX).min(MAX_PAGE);
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let mut pools = Vec::new();
    for position in start..start.saturating_add(count).min(listing.number) {
        pools.push(accounts::entry(state, account, &listing, position)?.0);
    }
    Ok((pools, listing.number))
}
