//! Who holds a pool: members join while it is open, and their units never change; the seat's units go
//! with ownership.

use super::{
    accounts, settlement,
    storage::{COMMITMENTS, LATER, MEMBERS, Member, PAST, ROSTERS, SEATS, Seat, TERMS, Terms},
};
use crate::{
    assets, contributions,
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

/// In a contribution's index: a position among the members enrolled by name.
pub(crate) const ENROLLED: u32 = 1 << 31;

pub(super) fn too_many_units() -> Failure {
    IProtocol::Overflow {}.into()
}

pub(super) fn to_u96(units: u128) -> Result<U96, Failure> {
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
        contributions::log_token(state, asset, ENROLLED | terms.enrolled, share.account)?;
        terms.members = terms.members.saturating_add(1);
        terms.enrolled = terms.members;
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
    list(state, asset, terms.members, Share { account, units })?;
    accounts::push(state, account, asset, 1)?;
    Ok(())
}

/// Writes a new member at the end of the roster.
fn list(
    state: &mut impl Write,
    asset: AssetId,
    position: u32,
    Share { account, units }: Share,
) -> Result<(), Failure> {
    let member = Member { units, paid: 0, asset: asset.0 };
    MEMBERS.set(state, (asset, account), &member)?;
    ROSTERS.set(state, (asset, position), &account)
}

/// Makes a contributor of a closed pool a member, or adds to what a member has. The units were part of
/// the pool from the beginning; so what they earned before is due now.
pub(super) fn activate(
    state: &mut impl Write,
    asset: AssetId,
    share: Share,
) -> Result<(), Failure> {
    let Share { account, units } = share;
    let member = MEMBERS.get(state, (asset, account))?;
    if member.units > 0 {
        let units = member.units.checked_add(units).ok_or_else(too_many_units)?;
        MEMBERS.set(state, (asset, account), &Member { units, ..member })?;
        LATER.update(state, (asset, account), |later| {
            *later = later.saturating_add(U256::from(share.units));
            Ok(())
        })?;
        return accounts::count_contribution(state, account);
    }
    let position = TERMS.update(state, asset, |terms| {
        let position = terms.members;
        terms.members = position.saturating_add(1);
        Ok(position)
    })?;
    list(state, asset, position, share)?;
    // Its holder's seat was listed; a pool is listed once for an account.
    let seat = SEATS.get(state, asset)?;
    if seat.units > 0 && assets::title(state, asset)?.owner == account {
        return accounts::count_contribution(state, account);
    }
    accounts::push(state, account, asset, 1).map(|_| ())
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
    let committed = COMMITMENTS.get(state, asset)?.units;
    if terms.members == 0 && committed == 0 {
        SEATS.set(state, asset, &Seat::default())?;
        TERMS.set(state, asset, &Terms::default())?;
        return Ok(U96::ZERO);
    }
    let seat = SEATS.get(state, asset)?;
    let units = terms.units.checked_add(seat.units).and_then(|sum| sum.checked_add(committed));
    let units = units.ok_or_else(too_many_units)?;
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
    accounts::push(state, holder, asset, 0)
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
