//! Coin on its way out.

use super::{
    MAX_ENTRIES,
    position::registered,
    reach::{reach_redelegations, reach_unbonding},
    storage::UNBONDINGS,
    words::Unbonding,
};
use crate::state::{Failure, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{IStaking, STAKING as ADDRESS};
use sahara_primitives::Amount;

/// Pays what has finished unbonding, less old faults; returns it.
///
/// # Errors
/// `UnknownValidator`, `NothingMature` with the first time at which something will be (the largest
/// there is when nothing is on its way), `SlashesPending`.
pub fn withdraw(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
) -> Result<Amount, Failure> {
    registered(state, validator)?;
    let now = state.block().timestamp.0;
    let (mut sum, mut next, mut is_found) = (0_u128, u64::MAX, false);
    for place in 0..MAX_ENTRIES {
        let key = (validator, delegator, place);
        let entry = UNBONDINGS.get(state, key)?;
        if entry.created_at == 0 {
            continue;
        }
        if now < entry.completes_at {
            next = next.min(entry.completes_at);
            continue;
        }
        let (entry, _, is_done) = reach_unbonding(state, key, entry)?;
        if !is_done {
            return Err(IStaking::SlashesPending { delegator, validator }.into());
        }
        UNBONDINGS.replace(state, key, &Unbonding::default())?;
        sum = sum.saturating_add(entry.amount);
        is_found = true;
    }
    if !is_found {
        return Err(IStaking::NothingMature { next }.into());
    }
    let amount = Amount::from_u128(sum);
    state.move_coin(ADDRESS, delegator, amount)?;
    let event = IStaking::Withdrawn { delegator, validator, amount: amount.base_units() };
    state.emit(ADDRESS, event)?;
    Ok(amount)
}

/// Applies old faults to what a delegator has with, or is unbonding from, a validator; at most 64 to
/// each entry. Returns what was taken.
///
/// # Errors
/// `UnknownValidator`.
pub fn apply_slashes(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
) -> Result<U256, Failure> {
    registered(state, validator)?;
    let (mut sum, _) = reach_redelegations(state, delegator, validator)?;
    for place in 0..MAX_ENTRIES {
        let key = (validator, delegator, place);
        let entry = UNBONDINGS.get(state, key)?;
        if entry.created_at > 0 {
            let (_, taken, _) = reach_unbonding(state, key, entry)?;
            sum = sum.saturating_add(taken);
        }
    }
    Ok(U256::from(sum))
}
