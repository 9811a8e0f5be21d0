//! What delegators earn, and how it reaches them.

use super::{
    delegation::delegate,
    position::{broken, registered},
    shares::mul_div,
    storage::{DELEGATIONS, PROFILES, REWARDS, SWEEP, VALIDATORS},
    words::Delegation,
};
use crate::state::{Failure, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{IStaking, STAKING as ADDRESS};
use sahara_primitives::Amount;

/// What a validator keeps of a reward before it is divided among its delegators, rounded down.
pub fn commission_of(units: u128, points: u16) -> u128 {
    mul_div(units, points.into(), 10_000).unwrap_or_default()
}

/// Pays the reward of one seat from `source`: the commission to the validator's fee address, the rest
/// to its delegators. Where no validator of this name has a stake, the recipient gets all of it.
///
/// Writes the same number of words whatever the number of delegators.
///
/// # Errors
/// Those of the state.
pub fn reward(
    state: &mut impl Write,
    source: Address,
    recipient: Address,
    amount: Amount,
) -> Result<(), Failure> {
    let record = VALIDATORS.get(state, recipient)?;
    let units = amount.to_u128().filter(|units| *units > 0);
    let Some(units) = units.filter(|_| record.is_registered) else {
        return state.move_coin(source, recipient, amount);
    };
    let fee_address = PROFILES.get(state, recipient)?.fee_address;
    let commission = commission_of(units, record.commission);
    let rest = units.saturating_sub(commission);
    let mut rewards = REWARDS.get(state, recipient)?;
    let unpaid = rewards.unpaid.checked_add(rest).filter(|unpaid| *unpaid < 1 << 112);
    let pool = rewards.pool.deposit(rest, record.bond.shares);
    let (Some(unpaid), Some(pool)) = (unpaid, pool) else {
        return state.move_coin(source, fee_address, amount);
    };
    (rewards.unpaid, rewards.pool) = (unpaid, pool);
    REWARDS.replace(state, recipient, &rewards)?;
    state.move_coin(source, fee_address, Amount::from_u128(commission))?;
    state.move_coin(source, ADDRESS, Amount::from_u128(rest))?;
    SWEEP.update(state, |sweep| {
        sweep.is_dirty |= sweep.is_running;
        sweep.is_running = true;
        Ok(())
    })?;
    let (amount, commission) = (U256::from(rest), U256::from(commission));
    state.emit(ADDRESS, IStaking::Rewarded { validator: recipient, amount, commission })
}

/// Pays what a delegation earned and brings it up to date; the caller writes it.
pub(super) fn credit(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
    delegation: &mut Delegation,
) -> Result<u128, Failure> {
    let mut rewards = REWARDS.get(state, validator)?;
    let settled = delegation.due.settle(delegation.shares, &rewards.pool);
    let (owed, due) = settled.ok_or_else(broken)?;
    delegation.due = due;
    if owed == 0 {
        return Ok(0);
    }
    rewards.unpaid = rewards.unpaid.checked_sub(owed).ok_or_else(broken)?;
    REWARDS.replace(state, validator, &rewards)?;
    state.move_coin(ADDRESS, delegator, Amount::from_u128(owed))?;
    state.emit(ADDRESS, IStaking::Paid { delegator, validator, amount: U256::from(owed) })?;
    Ok(owed)
}

/// Credits what a delegation earned, if that is at least `least`.
pub(super) fn settle_from(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
    least: u128,
) -> Result<Amount, Failure> {
    let pool = REWARDS.get(state, validator)?.pool;
    let mut delegation = DELEGATIONS.get(state, (validator, delegator))?;
    let settled = delegation.due.settle(delegation.shares, &pool);
    if settled.ok_or_else(broken)?.0 < least.max(1) {
        return Ok(Amount::ZERO);
    }
    let paid = credit(state, delegator, validator, &mut delegation)?;
    DELEGATIONS.replace(state, (validator, delegator), &delegation)?;
    Ok(Amount::from_u128(paid))
}

/// Credits what a delegation earned; returns it.
///
/// # Errors
/// `UnknownValidator`.
pub fn settle(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
) -> Result<Amount, Failure> {
    registered(state, validator)?;
    settle_from(state, delegator, validator, 1)
}

/// Credits what the caller earned and delegates it to the same validator; returns it.
///
/// # Errors
/// Those of [`delegate`].
pub fn compound(
    state: &mut impl Write,
    caller: Address,
    validator: Address,
) -> Result<Amount, Failure> {
    let earned = settle(state, caller, validator)?;
    if earned.is_zero() {
        return Err(IStaking::DelegationTooSmall {}.into());
    }
    state.move_coin(caller, ADDRESS, earned)?;
    delegate(state, caller, validator, earned)?;
    Ok(earned)
}
