//! Joining a validator, leaving it, and going over to another.

use super::{
    MAX_ENTRIES,
    position::Position,
    reach::{catch_up, locked_shares, slashes},
    shares::Bond,
    storage::{PARAMETERS, REDELEGATIONS, UNBONDINGS},
    words::{Redelegation, Unbonding, Validator},
};
use crate::state::{Failure, Read, Write, overflow};
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, IStaking, STAKING as ADDRESS};
use sahara_primitives::{Amount, Overflow};

fn units(amount: Amount) -> Result<u128, Failure> {
    let units = amount.to_u128().ok_or(Overflow).map_err(overflow)?;
    if units == 0 { Err(IStaking::DelegationTooSmall {}.into()) } else { Ok(units) }
}

fn check_open(record: &Validator, validator: Address) -> Result<(), Failure> {
    if record.is_leaving || record.is_tombstoned {
        return Err(IStaking::ValidatorClosed { validator }.into());
    }
    Ok(())
}

fn join(position: &mut Position, amount: u128) -> Result<u128, Failure> {
    let validator = position.validator;
    check_open(&position.record, validator)?;
    let before = position.record.bond;
    let bought =
        position.record.bond.join(amount).ok_or_else(|| refusal(before, validator, amount))?;
    position.delegation.shares = position.delegation.shares.saturating_add(bought);
    Ok(bought)
}

fn refusal(bond: Bond, validator: Address, amount: u128) -> Failure {
    if bond.stake == 0 {
        return IStaking::WorthlessShares { validator }.into();
    }
    if super::shares::mul_div(amount, bond.shares, bond.stake) == Some(0) {
        return IStaking::DelegationTooSmall {}.into();
    }
    IProtocol::Overflow {}.into()
}

/// Puts coin that was sent behind a validator.
///
/// # Errors
/// `UnknownValidator`, `ValidatorClosed`, `DelegationTooSmall`, `WorthlessShares`, `SlashesPending`,
/// `TooManyDelegations`.
pub fn delegate(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
    amount: Amount,
) -> Result<(), Failure> {
    let amount = units(amount)?;
    catch_up(state, delegator, validator)?;
    let mut position = Position::open(state, delegator, validator)?;
    let bought = join(&mut position, amount)?;
    position.close(state)?;
    let (amount, shares) = (U256::from(amount), U256::from(bought));
    state.emit(ADDRESS, IStaking::Delegated { delegator, validator, amount, shares })
}

/// Takes `amount` out of a position; returns it and the shares it cost. What is asked for in full is
/// sold in full, so that no share of nothing stays behind.
fn sell(
    state: &mut impl Read,
    position: &mut Position,
    amount: u128,
) -> Result<(u128, u128), Failure> {
    let (delegator, validator) = (position.delegator, position.validator);
    let locked = locked_shares(state, delegator, validator)?;
    let free = position.delegation.shares.saturating_sub(locked);
    let bond = &mut position.record.bond;
    let available = bond.value(free);
    let insufficient = || -> Failure {
        let (amount, available) = (U256::from(amount), U256::from(available));
        IStaking::InsufficientStake { validator, amount, available }.into()
    };
    if amount > available {
        return Err(insufficient());
    }
    let (sold, paid) = if amount == available {
        (free, bond.burn(free).ok_or_else(insufficient)?)
    } else {
        bond.leave(amount, free).ok_or_else(insufficient)?
    };
    position.delegation.shares = position.delegation.shares.saturating_sub(sold);
    Ok((sold, paid))
}

fn too_many_entries() -> Failure {
    IStaking::TooManyEntries { most: U256::from(MAX_ENTRIES) }.into()
}

/// Takes coin from behind a validator; returns when it can be withdrawn.
///
/// # Errors
/// `UnknownValidator`, `DelegationTooSmall`, `InsufficientStake`, `TooManyEntries`, `SlashesPending`.
pub fn undelegate(
    state: &mut impl Write,
    delegator: Address,
    validator: Address,
    amount: Amount,
) -> Result<u64, Failure> {
    let amount = units(amount)?;
    catch_up(state, delegator, validator)?;
    let mut position = Position::open(state, delegator, validator)?;
    let (sold, paid) = sell(state, &mut position, amount)?;
    position.close(state)?;
    let created_at = state.block().timestamp.0;
    let completes_at = created_at.saturating_add(PARAMETERS.get(state)?.unbonding.into());
    let seen = slashes(state, validator)?;
    let entry = Unbonding { amount: paid, created_at, completes_at, seen };
    let place = (0..MAX_ENTRIES).map(|place| (validator, delegator, place));
    let mut empty = None;
    for key in place {
        if UNBONDINGS.get(state, key)?.created_at == 0 {
            empty = Some(key);
            break;
        }
    }
    UNBONDINGS.set(state, empty.ok_or_else(too_many_entries)?, &entry)?;
    let (amount, shares) = (U256::from(paid), U256::from(sold));
    let event =
        IStaking::Undelegated { delegator, validator, amount, shares, completesAt: completes_at };
    state.emit(ADDRESS, event)?;
    Ok(completes_at)
}

/// Takes coin from behind one validator and puts it behind another, at once. Until it matures it
/// answers for faults of the first and stays with the second.
///
/// # Errors
/// `SameValidator`, otherwise as [`undelegate`] and [`delegate`].
pub fn redelegate(
    state: &mut impl Write,
    delegator: Address,
    source: Address,
    destination: Address,
    amount: Amount,
) -> Result<(), Failure> {
    if source == destination {
        return Err(IStaking::SameValidator { validator: source }.into());
    }
    let amount = units(amount)?;
    catch_up(state, delegator, source)?;
    catch_up(state, delegator, destination)?;
    let mut position = Position::open(state, delegator, source)?;
    let (_, paid) = sell(state, &mut position, amount)?;
    position.close(state)?;
    let mut position = Position::open(state, delegator, destination)?;
    let shares = join(&mut position, paid)?;
    position.close(state)?;

    let created_at = state.block().timestamp.0;
    let matures_at = created_at.saturating_add(PARAMETERS.get(state)?.unbonding.into());
    let seen = slashes(state, source)?;
    let mut empty = None;
    for place in 0..MAX_ENTRIES {
        let key = (destination, delegator, place);
        if REDELEGATIONS.get(state, key)?.created_at == 0 {
            empty = Some(key);
            break;
        }
    }
    let entry = Redelegation { source, created_at, seen, shares, matures_at };
    REDELEGATIONS.set(state, empty.ok_or_else(too_many_entries)?, &entry)?;
    let event = IStaking::Redelegated {
        delegator,
        source,
        destination,
        amount: U256::from(paid),
        shares: U256::from(shares),
        maturesAt: matures_at,
    };
    state.emit(ADDRESS, event)
}
