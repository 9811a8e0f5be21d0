//! [`Position`]: what one delegator has with one validator, while a rule changes it.

use super::{
    HISTORY, MAX_DELEGATIONS, candidates, rewards,
    shares::Bond,
    storage::{BACKED, DELEGATIONS, REWARDS, ROSTERS, SHARE_MARKS, VALIDATORS},
    votes::{mark_shares, mark_stake},
    words::{Delegation, Validator},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::IStaking;

/// A delegation and its validator, settled and ready to change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub(super) validator: Address,
    pub(super) delegator: Address,
    pub(super) record: Validator,
    pub(super) delegation: Delegation,
    bond_before: Bond,
    shares_before: u128,
}

/// The validator, which must exist.
pub(super) fn registered(state: &mut impl Read, validator: Address) -> Result<Validator, Failure> {
    let record = VALIDATORS.get(state, validator)?;
    if !record.is_registered {
        return Err(IStaking::UnknownValidator { validator }.into());
    }
    Ok(record)
}

pub(super) fn broken() -> Failure {
    Failure::Fatal("a validator's books do not add up".into())
}

impl Position {
    /// Reads the position and pays what it earned; old faults must have been applied.
    pub(super) fn open(
        state: &mut impl Write,
        delegator: Address,
        validator: Address,
    ) -> Result<Self, Failure> {
        let record = registered(state, validator)?;
        let mut delegation = DELEGATIONS.get(state, (validator, delegator))?;
        rewards::credit(state, delegator, validator, &mut delegation)?;
        Ok(Self {
            validator,
            delegator,
            record,
            delegation,
            bond_before: record.bond,
            shares_before: delegation.shares,
        })
    }

    /// Writes the position back and keeps rosters, lists and marks.
    pub(super) fn close(mut self, state: &mut impl Write) -> Result<(), Failure> {
        if self.shares_before == 0 && self.delegation.shares > 0 {
            self.enter(state)?;
        } else if self.shares_before > 0 && self.delegation.shares == 0 {
            self.exit(state)?;
        }
        DELEGATIONS.replace(state, (self.validator, self.delegator), &self.delegation)?;
        VALIDATORS.replace(state, self.validator, &self.record)?;
        if self.delegation.shares != self.shares_before {
            mark_shares(state, self.validator, self.delegator, self.delegation.shares)?;
        }
        mark_stake(state, self.validator, self.bond_before, self.record.bond)?;
        let (before, after) = (self.bond_before, self.record.bond);
        let is_over = self.record.is_leaving || self.record.is_tombstoned;
        if is_over && before.shares > 0 && after.shares == 0 {
            return candidates::unlist(state, self.validator);
        }
        if self.record.is_unlisted && !is_over && after.stake > before.stake {
            return candidates::relist(state, self.validator, after.stake);
        }
        Ok(())
    }

    fn enter(&mut self, state: &mut impl Write) -> Result<(), Failure> {
        let place = ROSTERS.push(state, self.validator, &self.delegator)?;
        self.delegation.place = u32::try_from(place).map_err(|_| broken())?;
        if !self.delegation.is_listed {
            self.delegation.is_listed = true;
            back(state, self.delegator, self.validator)?;
        }
        Ok(())
    }

    fn exit(&mut self, state: &mut impl Write) -> Result<(), Failure> {
        let place = std::mem::take(&mut self.delegation.place);
        if let Some(moved) = ROSTERS.swap_remove(state, self.validator, place.into())? {
            DELEGATIONS.update(state, (self.validator, moved), |other| {
                other.place = place;
                Ok(())
            })?;
        }
        // The fraction that is left goes to who stays.
        let frac = U256::from(std::mem::take(&mut self.delegation.due.frac));
        REWARDS.update(state, self.validator, |rewards| {
            rewards.pool.rem = rewards.pool.rem.checked_add(frac).ok_or_else(broken)?;
            Ok(())
        })
    }
}

/// Lists a validator with an account, in place of one that it left longer ago than votes go back
/// should the list be full.
fn back(state: &mut impl Write, delegator: Address, validator: Address) -> Result<(), Failure> {
    let length = BACKED.len(state, delegator)?;
    if length < MAX_DELEGATIONS {
        BACKED.push(state, delegator, &validator)?;
        return Ok(());
    }
    let now = state.block().timestamp.0;
    for index in 0..length {
        let old = BACKED.get(state, delegator, index)?;
        let delegation = DELEGATIONS.get(state, (old, delegator))?;
        let marks = SHARE_MARKS.len(state, (old, delegator))?;
        let last = SHARE_MARKS.get(state, (old, delegator), marks.saturating_sub(1))?.time;
        if delegation.shares == 0 && last.saturating_add(HISTORY) <= now {
            let delegation = Delegation { is_listed: false, ..delegation };
            DELEGATIONS.replace(state, (old, delegator), &delegation)?;
            return BACKED.replace(state, delegator, index, &validator);
        }
    }
    Err(IStaking::TooManyDelegations { most: U256::from(MAX_DELEGATIONS) }.into())
}
