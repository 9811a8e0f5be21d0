//! What can be read of schedules, pools and moves.

use super::{
    airdrop,
    moves::shown,
    rules::{class_of, curve, due, free, offered_to, schedule},
    storage::{BOUND, MOVES, ROOT, SETTINGS},
    words::pool_number,
};
use crate::{
    state::{Failure, Read},
    storage::MAX_PAGE,
};
use alloy_primitives::{Address, U256};
use sahara_abi::IVesting;
use sahara_primitives::{Amount, Timestamp};

/// How much of a schedule has come free at a time.
///
/// # Errors
/// `UnknownSchedule`.
pub fn vested_at(state: &mut impl Read, number: u64, time: Timestamp) -> Result<Amount, Failure> {
    let schedule = schedule(state, number)?;
    free(state, &schedule, time).map(Amount::from_u128)
}

/// What the beneficiary can have now, by a release or an announced move.
///
/// # Errors
/// `UnknownSchedule`.
pub fn releasable(state: &mut impl Read, number: u64) -> Result<Amount, Failure> {
    let schedule = schedule(state, number)?;
    if schedule.is_held() || schedule.is_in_place() {
        return Ok(Amount::ZERO);
    }
    due(state, &schedule).map(Amount::from_u128)
}

/// Everything of a schedule that comes free after a time, in order.
///
/// # Errors
/// `UnknownSchedule`.
pub fn unlocks(
    state: &mut impl Read,
    number: u64,
    after: Timestamp,
) -> Result<Vec<IVesting::Unlock>, Failure> {
    let schedule = schedule(state, number)?;
    if schedule.is_revoked {
        return Ok(Vec::new());
    }
    let delay = schedule.delay;
    let after = Timestamp(after.0.saturating_sub(delay));
    let mut unlocks = curve(state, schedule.curve)?.unlocks(schedule.total, after);
    for unlock in &mut unlocks {
        unlock.begins = unlock.begins.saturating_add(delay);
        unlock.ends = unlock.ends.saturating_add(delay);
    }
    Ok(unlocks)
}

/// What schedules still bind of a pool's coin.
///
/// # Errors
/// `NotAPool`.
pub fn locked_in(state: &mut impl Read, account: Address) -> Result<Amount, Failure> {
    let pool = pool_number(account).ok_or(IVesting::NotAPool { account })?;
    let class = schedule(state, class_of(pool))?;
    if class.is_in_place() {
        let now = state.block().timestamp;
        let free = free(state, &class, now)?;
        return Ok(Amount::from_u128(class.total.saturating_sub(free)));
    }
    BOUND.get(state, u32::from(pool)).map(Amount::from_base_units)
}

/// What announced moves may take from a pool.
///
/// # Errors
/// `NotAPool`.
pub fn unlocked_in(state: &mut impl Read, account: Address) -> Result<Amount, Failure> {
    let locked = locked_in(state, account)?;
    Ok(state.balance(account)?.saturating_sub(locked))
}

pub(super) fn show_schedule(
    state: &mut impl Read,
    number: u64,
) -> Result<IVesting::Schedule, Failure> {
    let schedule = schedule(state, number)?;
    let curve = curve(state, schedule.curve)?;
    let moved = |time: Timestamp| time.saturating_add(schedule.delay).0;
    Ok(IVesting::Schedule {
        pool: schedule.account(),
        beneficiary: schedule.beneficiary,
        offeredTo: offered_to(state, &schedule)?,
        total: U256::from(schedule.total),
        released: U256::from(schedule.released),
        cliff: moved(curve.cliff),
        start: moved(curve.start),
        end: moved(curve.end),
        atCliff: curve.at_cliff.points(),
        steps: u16::try_from(curve.steps.len()).unwrap_or(u16::MAX),
        isRevocable: schedule.is_revocable,
        needsNotice: schedule.needs_notice,
        isHeld: schedule.is_held(),
        isRevoked: schedule.is_revoked,
    })
}

pub(super) fn show_moves(
    state: &mut impl Read,
    first: u64,
    count: U256,
) -> Result<Vec<IVesting::Move>, Failure> {
    let total = MOVES.len(state, ())?;
    let count = u64::try_from(count).unwrap_or(u64::MAX).min(MAX_PAGE);
    let first = first.max(1);
    let end = first.saturating_add(count).min(total.saturating_add(1));
    (first..end).map(|id| shown(state, id)).collect()
}

pub(super) fn show_airdrop(state: &mut impl Read) -> Result<IVesting::Airdrop, Failure> {
    let settings = SETTINGS.get(state)?;
    Ok(IVesting::Airdrop {
        root: ROOT.get(state)?,
        opens: settings.opens.0,
        closes: settings.closes.0,
        unclaimed: U256::from(schedule(state, class_of(0))?.total),
    })
}

pub(super) fn is_claimed(state: &mut impl Read, index: u64) -> Result<bool, Failure> {
    airdrop::is_claimed(state, index)
}
