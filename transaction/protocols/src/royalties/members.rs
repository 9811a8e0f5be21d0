//! Who holds a pool: members join while it is open, and their units never change; the seat's units go
//! with ownership.

use super::{
    accounts, settlement,
    storage::{MEMBERS, Member, PAST, ROSTERS, SEATS, Seat, TERMS, Terms},
};
use crate::{
    dispatch::is_reserved,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256, aliases::U96};
use sahara_abi::{IAssets, IProtocol, MAX_MEMBERS};
use sahara_primitives::AssetId;

/// Units of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub account: Address,
    /// How many; more than none.
    pub units: u128,
}

fn too_many_units() -> Failure {
    IProtocol::Overflow {}.into()
}

fn to_u96(units: u128) -> Result<U96, Failure> {
    U96::try_from(units).map_err(|_| too_many_units())
}

/// Opens the pool of a new asset.
pub(crate) fn found(
    state: &mut impl Write,
    asset: AssetId,
    owner_units: u128,
) -> Result<(), Failure> {
    to_u96(owner_units)?;
    TERMS.set(state, asset, &Terms { asset: asset.0, ..Terms::default() })?;
    if owner_units > 0 {
        SEATS.set(state, asset, &Seat { units: owner_units, ..Seat::default() })?;
    }
    Ok(())
}

/// Adds members to an open pool; returns their units.
pub(crate) fn enroll(
    state: &mut impl Write,
    asset: AssetId,
    members: &[Share],
) -> Result<U96, Failure> {
    let mut terms = TERMS.get(state, asset)?;
    let before = terms.units;
    let most = U256::from(MAX_MEMBERS);
    let number = U256::from(terms.members).saturating_add(U256::from(members.len()));
    if number > most {
        return Err(IAssets::TooManyMembers { members: number, most }.into());
    }
    for share in members {
        terms.units = terms.units.checked_add(share.units).ok_or_else(too_many_units)?;
        join(state, asset, &terms, *share)?;
        terms.members = terms.members.saturating_add(1);
    }
    to_u96(terms.units)?;
    TERMS.set(state, asset, &terms)?;
    to_u96(terms.units.saturating_sub(before))
}

fn join(
    state: &mut impl Write,
    asset: AssetId,
    terms: &Terms,
    Share { account, units }: Share,
) -> Result<(), Failure> {
    if account.is_zero() || is_reserved(account) || units == 0 {
        return Err(IAssets::InvalidMember { account, units: to_u96(units)? }.into());
    }
    if MEMBERS.get(state, (asset, account))?.units > 0 {
        return Err(IAssets::DuplicateMember { account }.into());
    }
    let member = Member { units, paid: 0, asset: asset.0 };
    MEMBERS.set(state, (asset, account), &member)?;
    ROSTERS.set(state, (asset, terms.members), &account)?;
    accounts::push(state, account, asset)?;
    Ok(())
}

/// Makes members and units final; returns all units, 0 when the owner alone earns.
pub(crate) fn close(
    state: &mut impl Write,
    asset: AssetId,
    owner: Address,
) -> Result<U96, Failure> {
    let terms = TERMS.get(state, asset)?;
    if terms.asset == 0 {
        return Ok(U96::ZERO);
    }
    if terms.members == 0 {
        SEATS.set(state, asset, &Seat::default())?;
        TERMS.set(state, asset, &Terms::default())?;
        return Ok(U96::ZERO);
    }
    let seat = SEATS.get(state, asset)?;
    let units = terms.units.checked_add(seat.units).ok_or_else(too_many_units)?;
    let total = to_u96(units)?;
    TERMS.set(state, asset, &Terms { units, is_closed: true, ..terms })?;
    if seat.units > 0 {
        let position = take_seat(state, asset, owner)?;
        SEATS.set(state, asset, &Seat { position, ..seat })?;
    }
    Ok(total)
}

/// Lists the pool with the seat's holder, who may be listed as a member already.
fn take_seat(state: &mut impl Write, asset: AssetId, holder: Address) -> Result<u32, Failure> {
    if is_member(state, asset, holder)? {
        return Ok(0);
    }
    accounts::push(state, holder, asset)
}

fn leave_seat(
    state: &mut impl Write,
    asset: AssetId,
    holder: Address,
    position: u32,
) -> Result<(), Failure> {
    if is_member(state, asset, holder)? {
        return Ok(());
    }
    let Some(moved) = accounts::remove(state, holder, position)? else { return Ok(()) };
    if is_member(state, moved, holder)? {
        return Ok(());
    }
    SEATS.update(state, moved, |seat| {
        seat.position = position;
        Ok(())
    })
}

fn is_member(state: &mut impl Read, asset: AssetId, account: Address) -> Result<bool, Failure> {
    Ok(MEMBERS.get(state, (asset, account))?.units > 0)
}

/// Pays the old owner what the seat earned and hands it to the new one.
pub(crate) fn move_seat(
    state: &mut impl Write,
    asset: AssetId,
    from: Address,
    to: Address,
) -> Result<(), Failure> {
    if SEATS.get(state, asset)?.units == 0 || from == to {
        return Ok(());
    }
    settlement::settle_pool(state, from, asset, 1)?;
    let seat = SEATS.get(state, asset)?;
    let paid = seat.paid.saturating_sub(seat.paid_before);
    if paid > 0 {
        PAST.update(state, (asset, from), |past| {
            *past = past.saturating_add(U256::from(paid));
            Ok(())
        })?;
    }
    leave_seat(state, asset, from, seat.position)?;
    let position = take_seat(state, asset, to)?;
    SEATS.set(state, asset, &Seat { position, paid_before: seat.paid, ..seat })
}
