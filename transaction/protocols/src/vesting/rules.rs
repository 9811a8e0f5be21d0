//! Reading schedules, releases, and handing schedules and the authority over.

use super::{
    curve::{Curve, CurveWord},
    storage::{AUTHORITY, BOUND, CURVES, OFFERED_AUTHORITY, SCHEDULES, SCHEDULES_OF, STEPS},
    words::{Schedule, pool_number},
};
use crate::{
    assets,
    dispatch::is_reserved,
    erc721::mark_of,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, IVesting, VESTING as ADDRESS};
use sahara_primitives::{Amount, Timestamp};

/// The schedule with a number.
pub(super) fn schedule(state: &mut impl Read, number: u64) -> Result<Schedule, Failure> {
    let unknown = IVesting::UnknownSchedule { schedule: number };
    let index = number.checked_sub(1).ok_or_else(|| unknown.clone())?;
    if index >= SCHEDULES.len(state, ())? {
        return Err(unknown.into());
    }
    SCHEDULES.get(state, (), index)
}

/// Writes the schedule back.
pub(super) fn keep(
    state: &mut impl Write,
    number: u64,
    schedule: &Schedule,
) -> Result<(), Failure> {
    SCHEDULES.replace(state, (), number.saturating_sub(1), schedule)
}

/// The number of the schedule of a whole class: classes come first, in the order of their pools.
pub(super) fn class_of(pool: u8) -> u64 {
    u64::from(pool).saturating_add(1)
}

/// A class's curve.
pub(super) fn curve(state: &mut impl Read, number: u16) -> Result<Curve, Failure> {
    let number = u32::from(number);
    let word = CURVES.get(state, number)?;
    let mut steps = Vec::new();
    for index in 0..u32::from(word.steps) {
        let four = STEPS.get(state, (number, index >> 2))?;
        let place = usize::try_from(index & 3).unwrap_or_default();
        steps.push(Timestamp(four.0.get(place).copied().unwrap_or_default()));
    }
    let CurveWord { cliff, start, end, at_cliff, .. } = word;
    Ok(Curve { cliff, start, end, at_cliff, steps })
}

/// How much of a schedule is free at a time.
pub(super) fn free(
    state: &mut impl Read,
    schedule: &Schedule,
    time: Timestamp,
) -> Result<u128, Failure> {
    if schedule.is_revoked {
        return Ok(schedule.total);
    }
    let Some(time) = time.0.checked_sub(schedule.delay) else { return Ok(0) };
    Ok(curve(state, schedule.curve)?.vested(schedule.total, Timestamp(time)))
}

/// What can leave the pool for a schedule's beneficiary now.
pub(super) fn due(state: &mut impl Read, schedule: &Schedule) -> Result<u128, Failure> {
    let now = state.block().timestamp;
    Ok(free(state, schedule, now)?.saturating_sub(schedule.released))
}

/// Refuses accounts that could never use what they get, or whose coin is bound otherwise.
pub(super) fn check_beneficiary(account: Address) -> Result<(), Failure> {
    if account.is_zero() || is_reserved(account) || pool_number(account).is_some() {
        return Err(IVesting::NotABeneficiary { account }.into());
    }
    Ok(())
}

/// Takes `amount` of a schedule out of its pool.
pub(super) fn pay(
    state: &mut impl Write,
    number: u64,
    mut schedule: Schedule,
    to: Address,
    amount: u128,
) -> Result<(), Failure> {
    schedule.released = schedule.released.checked_add(amount).ok_or(IProtocol::Overflow {})?;
    keep(state, number, &schedule)?;
    unbind(state, schedule.pool, amount)?;
    state.move_coin(schedule.account(), to, Amount::from_u128(amount))
}

/// The pool is bound to so much less.
pub(super) fn unbind(state: &mut impl Write, pool: u8, amount: u128) -> Result<(), Failure> {
    BOUND.update(state, u32::from(pool), |bound| {
        let less = bound.checked_sub(U256::from(amount));
        *bound =
            less.ok_or_else(|| Failure::Fatal("a pool paid more than it was bound to".into()))?;
        Ok(())
    })
}

/// Pays the beneficiary what came free; returns the amount.
///
/// # Errors
/// `UnknownSchedule`, `NothingToRelease` for held schedules and those that come free in place,
/// `NoticeRequired`.
pub fn release(state: &mut impl Write, number: u64) -> Result<Amount, Failure> {
    let schedule = schedule(state, number)?;
    if schedule.is_held() || schedule.is_in_place() {
        return Err(IVesting::NothingToRelease { schedule: number }.into());
    }
    if schedule.needs_notice {
        return Err(IVesting::NoticeRequired { schedule: number }.into());
    }
    let amount = due(state, &schedule)?;
    if amount == 0 {
        return Ok(Amount::ZERO);
    }
    let beneficiary = schedule.beneficiary;
    pay(state, number, schedule, beneficiary, amount)?;
    let event = IVesting::Released { schedule: number, beneficiary, amount: U256::from(amount) };
    state.emit(ADDRESS, event)?;
    Ok(Amount::from_u128(amount))
}

/// Only the beneficiary goes on.
pub(super) fn check_owner(
    schedule: &Schedule,
    number: u64,
    caller: Address,
) -> Result<(), Failure> {
    if schedule.beneficiary != caller || schedule.is_in_place() {
        return Err(IVesting::OnlyBeneficiary { schedule: number, caller }.into());
    }
    Ok(())
}

/// Offers the caller's schedule to another account; zero takes the offer back.
///
/// # Errors
/// `UnknownSchedule`, `OnlyBeneficiary`, `NotABeneficiary`.
pub fn offer_beneficiary(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    to: Address,
) -> Result<(), Failure> {
    let mut schedule = schedule(state, number)?;
    check_owner(&schedule, number, caller)?;
    if !to.is_zero() {
        check_beneficiary(to)?;
    }
    schedule.offered_to = to;
    schedule.mark = if to.is_zero() { 0 } else { mark_of(state, caller)? };
    keep(state, number, &schedule)?;
    state.emit(ADDRESS, IVesting::BeneficiaryOffered { schedule: number, from: caller, to })
}

/// To whom a schedule is offered; zero: to nobody. What an asset's own account offered was its owner's word,
/// and not the next one's.
pub(super) fn offered_to(state: &mut impl Read, schedule: &Schedule) -> Result<Address, Failure> {
    let Schedule { beneficiary, offered_to, mark, .. } = *schedule;
    if offered_to.is_zero() || mark == mark_of(state, beneficiary)? {
        return Ok(offered_to);
    }
    Ok(Address::ZERO)
}

/// Takes over a schedule that was offered to the caller.
///
/// # Errors
/// `UnknownSchedule`, `OnlyOffered`.
pub fn accept_beneficiary(
    state: &mut impl Write,
    caller: Address,
    number: u64,
) -> Result<(), Failure> {
    let mut schedule = schedule(state, number)?;
    if caller.is_zero() || offered_to(state, &schedule)? != caller {
        return Err(IVesting::OnlyOffered { caller }.into());
    }
    let from = schedule.beneficiary;
    schedule.beneficiary = caller;
    (schedule.offered_to, schedule.mark) = (Address::ZERO, 0);
    keep(state, number, &schedule)?;
    // Who buys an asset whose account has a schedule is told that it has left.
    assets::count_taken(state, caller, from)?;
    if from != caller {
        SCHEDULES_OF.push(state, caller, &number)?;
    }
    let event = IVesting::BeneficiaryChanged { schedule: number, from, to: caller };
    state.emit(ADDRESS, event)
}

/// Only the authority goes on.
pub(super) fn check_authority(state: &mut impl Read, caller: Address) -> Result<(), Failure> {
    if AUTHORITY.get(state)? != caller {
        return Err(IVesting::OnlyAuthority { caller }.into());
    }
    Ok(())
}

/// Offers the authority to another account; zero takes the offer back.
///
/// # Errors
/// `OnlyAuthority`.
pub fn offer_authority(
    state: &mut impl Write,
    caller: Address,
    to: Address,
) -> Result<(), Failure> {
    check_authority(state, caller)?;
    OFFERED_AUTHORITY.update(state, |offered| {
        *offered = to;
        Ok(())
    })?;
    state.emit(ADDRESS, IVesting::AuthorityOffered { from: caller, to })
}

/// Takes the authority over.
///
/// # Errors
/// `OnlyOffered`.
pub fn accept_authority(state: &mut impl Write, caller: Address) -> Result<(), Failure> {
    if caller.is_zero() || OFFERED_AUTHORITY.get(state)? != caller {
        return Err(IVesting::OnlyOffered { caller }.into());
    }
    OFFERED_AUTHORITY.update(state, |offered| {
        *offered = Address::ZERO;
        Ok(())
    })?;
    let from = AUTHORITY.update(state, |authority| Ok(std::mem::replace(authority, caller)))?;
    state.emit(ADDRESS, IVesting::AuthorityChanged { from, to: caller })
}
