//! Voting power: bonded coin, now and at any past second.

use super::{
    position::broken,
    shares::Bond,
    storage::{BACKED, DELEGATIONS, SHARE_MARKS, STAKE_MARKS, TOTAL_MARKS, VALIDATORS},
    words::Mark,
};
use crate::{
    state::{Failure, Read, Write},
    storage::{Key, List},
};
use alloy_primitives::{Address, U256};
use sahara_abi::IStaking;
use sahara_primitives::Amount;

/// Writes what holds from this second on.
fn mark<K: Key>(
    state: &mut impl Write,
    list: &List<K, Mark>,
    key: K,
    bond: Bond,
) -> Result<(), Failure> {
    let time = state.block().timestamp.0;
    let last = list.len(state, key)?.checked_sub(1);
    if let Some(last) = last
        && list.get(state, key, last)?.time == time
    {
        return list.replace(state, key, last, &Mark { time, bond });
    }
    list.push(state, key, &Mark { time, bond })?;
    Ok(())
}

/// What held at the end of a second.
fn at<K: Key>(
    state: &mut impl Read,
    list: &List<K, Mark>,
    key: K,
    time: u64,
) -> Result<Bond, Failure> {
    let (mut low, mut high) = (0, list.len(state, key)?);
    let mut found = Bond::default();
    while low < high {
        let middle = low.midpoint(high);
        let mark = list.get(state, key, middle)?;
        if mark.time <= time {
            found = mark.bond;
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    Ok(found)
}

pub(super) fn mark_shares(
    state: &mut impl Write,
    validator: Address,
    delegator: Address,
    shares: u128,
) -> Result<(), Failure> {
    mark(state, &SHARE_MARKS, (validator, delegator), Bond { stake: 0, shares })
}

/// Marks a validator's stake and the sum of all, where they changed.
pub(super) fn mark_stake(
    state: &mut impl Write,
    validator: Address,
    before: Bond,
    after: Bond,
) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    mark(state, &STAKE_MARKS, validator, after)?;
    if before.stake == after.stake {
        return Ok(());
    }
    let total = total(state)?;
    let stake = total.checked_sub(before.stake).and_then(|rest| rest.checked_add(after.stake));
    let stake = stake.ok_or_else(broken)?;
    mark(state, &TOTAL_MARKS, (), Bond { stake, shares: 0 })
}

/// All stake now.
fn total(state: &mut impl Read) -> Result<u128, Failure> {
    let Some(last) = TOTAL_MARKS.len(state, ())?.checked_sub(1) else { return Ok(0) };
    Ok(TOTAL_MARKS.get(state, (), last)?.bond.stake)
}

/// A past second: before the present block's, so that its votes never change.
pub(super) fn past(state: &mut impl Read, timepoint: U256) -> Result<u64, Failure> {
    let now = state.block().timestamp.0;
    let time = u64::try_from(timepoint).ok().filter(|time| *time < now);
    time.ok_or_else(|| {
        let clock = alloy_primitives::aliases::U48::saturating_from(now);
        IStaking::ERC5805FutureLookup { timepoint, clock }.into()
    })
}

/// Bonded coin of an account.
///
/// # Errors
/// Those of the state.
pub fn votes(state: &mut impl Read, account: Address) -> Result<Amount, Failure> {
    let mut sum = 0_u128;
    for index in 0..BACKED.len(state, account)? {
        let validator = BACKED.get(state, account, index)?;
        let shares = DELEGATIONS.get(state, (validator, account))?.shares;
        let bond = VALIDATORS.get(state, validator)?.bond;
        sum = sum.saturating_add(bond.value(shares));
    }
    Ok(Amount::from_u128(sum))
}

/// The validators that an account stands behind, or stood within the voting history.
pub(crate) fn backed(state: &mut impl Read, account: Address) -> Result<Vec<Address>, Failure> {
    (0..BACKED.len(state, account)?).map(|index| BACKED.get(state, account, index)).collect()
}

/// Whether a validator was shut out for a double vote.
pub(crate) fn is_tombstoned(state: &mut impl Read, validator: Address) -> Result<bool, Failure> {
    Ok(VALIDATORS.get(state, validator)?.is_tombstoned)
}

/// What an account had with one validator at the end of a past second.
pub(crate) fn past_delegation(
    state: &mut impl Read,
    account: Address,
    validator: Address,
    timepoint: U256,
) -> Result<u128, Failure> {
    let time = past(state, timepoint)?;
    let own = at(state, &SHARE_MARKS, (validator, account), time)?.shares;
    Ok(at(state, &STAKE_MARKS, validator, time)?.value(own))
}

/// Bonded coin of an account at the end of a past second.
///
/// # Errors
/// `ERC5805FutureLookup` for the present second and later ones.
pub fn past_votes(
    state: &mut impl Read,
    account: Address,
    timepoint: U256,
) -> Result<Amount, Failure> {
    past(state, timepoint)?;
    let mut sum = 0_u128;
    for index in 0..BACKED.len(state, account)? {
        let validator = BACKED.get(state, account, index)?;
        sum = sum.saturating_add(past_delegation(state, account, validator, timepoint)?);
    }
    Ok(Amount::from_u128(sum))
}

/// All bonded coin at the end of a past second.
///
/// # Errors
/// As [`past_votes`].
pub fn past_total(state: &mut impl Read, timepoint: U256) -> Result<Amount, Failure> {
    let time = past(state, timepoint)?;
    Ok(Amount::from_u128(at(state, &TOTAL_MARKS, (), time)?.stake))
}

/// All coin behind a validator at the end of a past second.
///
/// # Errors
/// As [`past_votes`].
pub fn past_stake(
    state: &mut impl Read,
    validator: Address,
    timepoint: U256,
) -> Result<Amount, Failure> {
    let time = past(state, timepoint)?;
    Ok(Amount::from_u128(at(state, &STAKE_MARKS, validator, time)?.stake))
}
