//! The list of validators that stand for seats: those with the most stake, as many as an epoch's turn can
//! read.
//!
//! Where the list is full, a newcomer takes the place of who has the least, if it brings more; so places
//! are not kept by coin that has left. Who lost its place stays a validator, and is listed again when a
//! delegation brings it above the least.

use super::{
    MAX_VALIDATORS,
    position::broken,
    storage::{LIST, PROFILES, VALIDATORS},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::IStaking;

/// Lists a validator with this stake.
///
/// # Errors
/// `TooManyValidators` when the list is full of validators that have as much.
pub(super) fn list(state: &mut impl Write, validator: Address, stake: u128) -> Result<(), Failure> {
    if LIST.len(state, ())? >= MAX_VALIDATORS {
        let (least, last) = least(state)?;
        if stake <= least {
            let most = U256::from(MAX_VALIDATORS);
            return Err(IStaking::TooManyValidators { most }.into());
        }
        unlist(state, last)?;
    }
    let place = LIST.push(state, (), &validator)?;
    let place = u32::try_from(place).map_err(|_| broken())?;
    PROFILES.update(state, validator, |profile| {
        profile.place = place;
        Ok(())
    })?;
    mark(state, validator, false)
}

/// Lists a validator again whose stake grew, if it suffices.
pub(super) fn relist(
    state: &mut impl Write,
    validator: Address,
    stake: u128,
) -> Result<(), Failure> {
    match list(state, validator, stake) {
        Err(Failure::Revert(_)) => Ok(()),
        other => other,
    }
}

/// Takes a validator off the list, if it is on it.
pub(super) fn unlist(state: &mut impl Write, validator: Address) -> Result<(), Failure> {
    if VALIDATORS.get(state, validator)?.is_unlisted {
        return Ok(());
    }
    let place = PROFILES.get(state, validator)?.place;
    if let Some(moved) = LIST.swap_remove(state, (), place.into())? {
        PROFILES.update(state, moved, |profile| {
            profile.place = place;
            Ok(())
        })?;
    }
    mark(state, validator, true)
}

fn mark(state: &mut impl Write, validator: Address, is_unlisted: bool) -> Result<(), Failure> {
    VALIDATORS.update(state, validator, |record| {
        record.is_unlisted = is_unlisted;
        Ok(())
    })
}

/// The least stake on the list, and the first that has it.
fn least(state: &mut impl Read) -> Result<(u128, Address), Failure> {
    let mut least: Option<(u128, Address)> = None;
    for index in 0..LIST.len(state, ())? {
        let validator = LIST.get(state, (), index)?;
        let stake = VALIDATORS.get(state, validator)?.bond.stake;
        if least.is_none_or(|(other, _)| stake < other) {
            least = Some((stake, validator));
        }
    }
    least.ok_or_else(broken)
}
