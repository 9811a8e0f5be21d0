//! Grants: parts of a held class, each with a beneficiary of its own.

use super::{
    MAX_DELAY,
    rules::{check_authority, check_beneficiary, class_of, due, keep, schedule},
    storage::{SCHEDULES, SCHEDULES_OF},
    words::{Schedule, pool_number},
};
use crate::state::{Failure, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, IVesting, TEAM, VESTING as ADDRESS};
use sahara_primitives::Amount;

/// What the authority gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The pool of the class.
    pub pool: Address,
    /// Whose it is.
    pub beneficiary: Address,
    /// How much.
    pub amount: Amount,
    /// Seconds after the class's curve: never before, so that the class's curve stays a promise.
    pub delay: u64,
    /// Whether the authority may end it.
    pub is_revocable: bool,
}

/// Cuts a schedule from a held class; returns its number.
///
/// # Errors
/// `OnlyAuthority`, `NotAPool`, `NoGrants`, `NotABeneficiary`, `DelayTooLong`, `GrantTooLarge`.
pub fn grant(state: &mut impl Write, caller: Address, grant: &Grant) -> Result<u64, Failure> {
    check_authority(state, caller)?;
    let account = grant.pool;
    let pool = pool_number(account).ok_or(IVesting::NotAPool { account })?;
    if account == sahara_abi::AIRDROP {
        return Err(IVesting::NoGrants { pool: account }.into());
    }
    if grant.delay > MAX_DELAY {
        let (delay, most) = (grant.delay, MAX_DELAY);
        return Err(IVesting::DelayTooLong { delay, most }.into());
    }
    let part = Schedule {
        delay: grant.delay,
        pool,
        is_revocable: grant.is_revocable,
        // Moves of the team's coin are announced, as those of the treasury are.
        needs_notice: account == TEAM,
        beneficiary: grant.beneficiary,
        ..Schedule::default()
    };
    cut(state, part, grant.amount)
}

/// Cuts `amount` from the class of the schedule's pool.
pub(super) fn cut(state: &mut impl Write, part: Schedule, amount: Amount) -> Result<u64, Failure> {
    let (pool, beneficiary) = (part.account(), part.beneficiary);
    check_beneficiary(beneficiary)?;
    let mut class = schedule(state, class_of(part.pool))?;
    if !class.is_held() {
        return Err(IVesting::NoGrants { pool }.into());
    }
    let total = amount.to_u128().filter(|total| (1..=class.total).contains(total));
    let (amount, left) = (amount.base_units(), U256::from(class.total));
    let total = total.ok_or(IVesting::GrantTooLarge { amount, left })?;
    class.total = class.total.saturating_sub(total);
    keep(state, class_of(part.pool), &class)?;
    let part = Schedule { total, curve: class.curve, ..part };
    let number = SCHEDULES.push(state, (), &part)?.saturating_add(1);
    SCHEDULES_OF.push(state, beneficiary, &number)?;
    let Schedule { delay, is_revocable, .. } = part;
    let schedule = number;
    let event = IVesting::Granted {
        schedule,
        pool,
        beneficiary,
        total: amount,
        delay,
        isRevocable: is_revocable,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// Ends a revocable schedule: what came free stays, the rest goes back to the class.
///
/// # Errors
/// `OnlyAuthority`, `UnknownSchedule`, `NotRevocable`.
pub fn revoke(state: &mut impl Write, caller: Address, number: u64) -> Result<(), Failure> {
    check_authority(state, caller)?;
    let mut ended = schedule(state, number)?;
    if !ended.is_revocable || ended.is_revoked {
        return Err(IVesting::NotRevocable { schedule: number }.into());
    }
    let kept = ended.released.saturating_add(due(state, &ended)?);
    let returned = ended.total.saturating_sub(kept);
    ended.total = kept;
    ended.is_revoked = true;
    keep(state, number, &ended)?;
    let mut class = schedule(state, class_of(ended.pool))?;
    class.total = class.total.checked_add(returned).ok_or(IProtocol::Overflow {})?;
    keep(state, class_of(ended.pool), &class)?;
    let (kept, returned) = (U256::from(kept), U256::from(returned));
    let beneficiary = ended.beneficiary;
    state.emit(ADDRESS, IVesting::Revoked { schedule: number, beneficiary, kept, returned })
}
