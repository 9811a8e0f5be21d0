//! Slashes, jail, tombstones.

use super::{
    candidates,
    evidence::Fault,
    position::registered,
    shares::mul_div,
    storage::{EPOCHS, PARAMETERS, PROFILES, SLASHES, VALIDATORS},
    votes::mark_stake,
    words::Slash,
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{INCENTIVE_POOL, IStaking, STAKING as ADDRESS};
use sahara_primitives::Amount;

/// Takes a part of a validator's stake for a fault at `fault_at`, at once and from all who stand
/// behind it; what left since is reached when it is touched. The reporter's bounty is a part of it,
/// rounded down; the rest goes to the incentive pool.
pub(super) fn slash(
    state: &mut impl Write,
    validator: Address,
    points: u16,
    fault_at: u64,
    reporter: Option<Address>,
) -> Result<(), Failure> {
    let mut record = registered(state, validator)?;
    let before = record.bond;
    let cut = record.bond.slash(points);
    VALIDATORS.replace(state, validator, &record)?;
    mark_stake(state, validator, before, record.bond)?;
    SLASHES.push(state, validator, &Slash { fault_at, points })?;
    let share = PARAMETERS.get(state)?.bounty;
    let bounty = mul_div(cut, share.into(), 10_000).filter(|_| reporter.is_some());
    let (bounty, reporter) = (bounty.unwrap_or_default(), reporter.unwrap_or_default());
    state.move_coin(ADDRESS, reporter, Amount::from_u128(bounty))?;
    let rest = Amount::from_u128(cut.saturating_sub(bounty));
    state.move_coin(ADDRESS, INCENTIVE_POOL, rest)?;
    let event = IStaking::Slashed {
        validator,
        amount: U256::from(cut),
        ratio: points,
        faultAt: fault_at,
        reporter,
        bounty: U256::from(bounty),
    };
    state.emit(ADDRESS, event)
}

/// Takes a validator out until `until`.
pub(super) fn jail(state: &mut impl Write, validator: Address, until: u64) -> Result<(), Failure> {
    VALIDATORS.update(state, validator, |record| {
        record.is_jailed = true;
        Ok(())
    })?;
    PROFILES.update(state, validator, |profile| {
        profile.jailed_until = until;
        Ok(())
    })?;
    state.emit(ADDRESS, IStaking::Jailed { validator, until })
}

/// What was bonded when the epoch began made its votes: from that second on stake answers for it.
pub(super) fn fault_time(state: &mut impl Read, epoch: u64) -> Result<u64, Failure> {
    let started_at = EPOCHS.get(state, epoch)?.started_at;
    if started_at == 0 || epoch > crate::validators::epoch(state)? {
        return Err(IStaking::UnknownEpoch { epoch }.into());
    }
    Ok(started_at)
}

/// Slashes a validator for two votes that exclude each other, and shuts it out for good. The votes
/// were checked: see [`super::Votes`].
///
/// # Errors
/// `UnknownValidator`, `UnknownEpoch`, `EvidenceTooOld`, `ValidatorTombstoned`.
pub fn double_sign(
    state: &mut impl Write,
    validator: Address,
    fault: Fault,
    reporter: Address,
) -> Result<(), Failure> {
    let record = registered(state, validator)?;
    if record.is_tombstoned {
        return Err(IStaking::ValidatorTombstoned { validator }.into());
    }
    let parameters = PARAMETERS.get(state)?;
    let fault_at = fault_time(state, fault.epoch)?;
    let expired_at = fault_at.saturating_add(parameters.unbonding.into());
    if state.block().timestamp.0 >= expired_at {
        return Err(IStaking::EvidenceTooOld { faultAt: fault_at, expiredAt: expired_at }.into());
    }
    slash(state, validator, parameters.double_sign_slash, fault_at, Some(reporter))?;
    VALIDATORS.update(state, validator, |record| {
        record.is_tombstoned = true;
        Ok(())
    })?;
    jail(state, validator, u64::MAX)?;
    if record.bond.shares == 0 {
        candidates::unlist(state, validator)?;
    }
    state.emit(ADDRESS, IStaking::Tombstoned { validator })
}

/// Lets the caller out of jail.
///
/// # Errors
/// `UnknownValidator`, `NotJailed`, `ValidatorTombstoned`, `JailedUntil`.
pub fn unjail(state: &mut impl Write, caller: Address) -> Result<(), Failure> {
    let validator = caller;
    let record = registered(state, validator)?;
    if record.is_tombstoned {
        return Err(IStaking::ValidatorTombstoned { validator }.into());
    }
    if !record.is_jailed {
        return Err(IStaking::NotJailed { validator }.into());
    }
    let until = PROFILES.get(state, validator)?.jailed_until;
    if state.block().timestamp.0 < until {
        return Err(IStaking::JailedUntil { validator, until }.into());
    }
    VALIDATORS.update(state, validator, |record| {
        record.is_jailed = false;
        Ok(())
    })?;
    state.emit(ADDRESS, IStaking::Unjailed { validator })
}
