//! Old faults and stake that left: applied when it is touched.
//!
//! A slash is in its validator's list. An entry knows how many of them it has seen; what came later
//! and is about a fault not after the entry's beginning takes its ratio, in order.

use super::{
    MAX_ENTRIES, SLASHES_AT_ONCE,
    position::{Position, broken},
    shares::mul_div_up,
    storage::{REDELEGATIONS, SLASHES, UNBONDINGS},
    words::{Redelegation, Unbonding},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{INCENTIVE_POOL, IStaking, STAKING as ADDRESS};
use sahara_primitives::Amount;

/// The number of slashes of a validator.
pub(super) fn slashes(state: &mut impl Read, validator: Address) -> Result<u32, Failure> {
    u32::try_from(SLASHES.len(state, validator)?).map_err(|_| broken())
}

/// What slashes leave of an amount that left `validator` at `created_at`, after the first `seen`; how
/// many are seen then, and whether those are all.
pub(super) fn remaining(
    state: &mut impl Read,
    validator: Address,
    created_at: u64,
    seen: u32,
    amount: u128,
) -> Result<(u128, u32, bool), Failure> {
    let all = slashes(state, validator)?;
    let end = all.min(seen.saturating_add(SLASHES_AT_ONCE));
    let mut left = amount;
    for index in seen..end {
        let slash = SLASHES.get(state, validator, index.into())?;
        if slash.fault_at <= created_at {
            let cut = mul_div_up(left, slash.points.into(), 10_000).ok_or_else(broken)?;
            left = left.saturating_sub(cut);
        }
    }
    Ok((left, end, end == all))
}

fn take(
    state: &mut impl Write,
    taken: u128,
    event: &IStaking::SlashReached,
) -> Result<(), Failure> {
    if taken == 0 {
        return Ok(());
    }
    state.move_coin(ADDRESS, INCENTIVE_POOL, Amount::from_u128(taken))?;
    state.emit(ADDRESS, IStaking::SlashReached { amount: U256::from(taken), ..event.clone() })
}

/// Brings one unbonding up to date; returns it, what was taken, and whether all slashes are seen.
pub(super) fn reach_unbonding(
    state: &mut impl Write,
    key: (Address, Address, u32),
    entry: Unbonding,
) -> Result<(Unbonding, u128, bool), Failure> {
    let (validator, delegator, _) = key;
    let Unbonding { amount, created_at, seen, .. } = entry;
    let (left, seen, is_done) = remaining(state, validator, created_at, seen, amount)?;
    let entry = Unbonding { amount: left, seen, ..entry };
    UNBONDINGS.replace(state, key, &entry)?;
    let taken = amount.saturating_sub(left);
    let amount = U256::ZERO;
    let event = IStaking::SlashReached {
        delegator,
        validator,
        holder: validator,
        amount,
        isUnbonding: true,
    };
    take(state, taken, &event)?;
    Ok((entry, taken, is_done))
}

/// Brings one redelegation up to date, and forgets it when it is mature; returns what was taken and
/// whether all slashes are seen.
fn reach_redelegation(
    state: &mut impl Write,
    key: (Address, Address, u32),
    entry: Redelegation,
) -> Result<(u128, bool), Failure> {
    let (holder, delegator, _) = key;
    let Redelegation { source, created_at, seen, shares, matures_at } = entry;
    let (left, seen, is_done) = remaining(state, source, created_at, seen, shares)?;
    let sold = shares.saturating_sub(left);
    let mut taken = 0;
    if sold > 0 {
        let mut position = Position::open(state, delegator, holder)?;
        taken = position.record.bond.burn(sold).ok_or_else(broken)?;
        let own = position.delegation.shares.checked_sub(sold);
        position.delegation.shares = own.ok_or_else(broken)?;
        position.close(state)?;
    }
    let is_mature = state.block().timestamp.0 >= matures_at;
    let is_over = (is_mature && is_done) || left == 0;
    let entry = Redelegation { seen, shares: left, ..entry };
    let entry = if is_over { Redelegation::default() } else { entry };
    REDELEGATIONS.replace(state, key, &entry)?;
    let amount = U256::ZERO;
    let event =
        IStaking::SlashReached { delegator, validator: source, holder, amount, isUnbonding: false };
    take(state, taken, &event)?;
    Ok((taken, is_done || left == 0))
}

/// Applies old faults to every redelegation of a delegator to a validator; returns what was taken and
/// whether all of them are applied.
pub(super) fn reach_redelegations(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
) -> Result<(u128, bool), Failure> {
    let (mut sum, mut is_done) = (0_u128, true);
    for place in 0..MAX_ENTRIES {
        let key = (validator, delegator, place);
        let entry = REDELEGATIONS.get(state, key)?;
        if entry.created_at > 0 {
            let (taken, done) = reach_redelegation(state, key, entry)?;
            sum = sum.saturating_add(taken);
            is_done &= done;
        }
    }
    Ok((sum, is_done))
}

/// Before a delegation changes, its old faults are applied.
pub(super) fn catch_up(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
) -> Result<(), Failure> {
    if reach_redelegations(state, delegator, validator)?.1 {
        return Ok(());
    }
    Err(IStaking::SlashesPending { delegator, validator }.into())
}

/// Shares that still answer for another validator and cannot leave.
pub(super) fn locked_shares(
    state: &mut impl Read,
    delegator: Address,
    validator: Address,
) -> Result<u128, Failure> {
    let mut sum = 0_u128;
    let now = state.block().timestamp.0;
    for place in 0..MAX_ENTRIES {
        let entry = REDELEGATIONS.get(state, (validator, delegator, place))?;
        if now < entry.matures_at {
            sum = sum.saturating_add(entry.shares);
        }
    }
    Ok(sum)
}
