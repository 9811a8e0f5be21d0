//! What can be read of validators and delegations.

use super::{
    MAX_ENTRIES, epoch,
    position::{broken, registered},
    reach::{locked_shares, remaining, slashes},
    storage::{DELEGATIONS, PROFILES, REDELEGATIONS, REWARDS, ROSTERS, SEAT_KEYS, UNBONDINGS},
};
use crate::{
    state::{Failure, Read},
    storage::MAX_PAGE,
};
use alloy_primitives::{Address, Bytes, U256};
use sahara_abi::IStaking;

pub(super) fn validator(
    state: &mut impl Read,
    account: Address,
) -> Result<IStaking::Validator, Failure> {
    let record = registered(state, account)?;
    let profile = PROFILES.get(state, account)?;
    Ok(IStaking::Validator {
        stake: U256::from(record.bond.stake),
        shares: U256::from(record.bond.shares),
        unpaid: U256::from(REWARDS.get(state, account)?.unpaid),
        commission: record.commission,
        commissionChangedAt: profile.commission_changed_at,
        feeAddress: profile.fee_address,
        jailedUntil: profile.jailed_until,
        keys: profile.keys,
        slashes: slashes(state, account)?,
        delegators: u32::try_from(ROSTERS.len(state, account)?).unwrap_or(u32::MAX),
        isJailed: record.is_jailed,
        isTombstoned: record.is_tombstoned,
        isLeaving: record.is_leaving,
    })
}

/// A delegation as it is now; old faults not yet applied to what came from elsewhere are not counted.
pub(super) fn delegation(
    state: &mut impl Read,
    delegator: Address,
    validator: Address,
) -> Result<IStaking::Delegation, Failure> {
    let bond = registered(state, validator)?.bond;
    let held = DELEGATIONS.get(state, (validator, delegator))?;
    let pool = REWARDS.get(state, validator)?.pool;
    let (earned, _) = held.due.settle(held.shares, &pool).ok_or_else(broken)?;
    Ok(IStaking::Delegation {
        shares: U256::from(held.shares),
        value: U256::from(bond.value(held.shares)),
        earned: U256::from(earned),
        lockedShares: U256::from(locked_shares(state, delegator, validator)?),
    })
}

pub(super) fn unbondings(
    state: &mut impl Read,
    delegator: Address,
    validator: Address,
) -> Result<Vec<IStaking::Unbonding>, Failure> {
    let mut shown = Vec::new();
    for place in 0..MAX_ENTRIES {
        let entry = UNBONDINGS.get(state, (validator, delegator, place))?;
        if entry.created_at > 0 {
            let (left, ..) =
                remaining(state, validator, entry.created_at, entry.seen, entry.amount)?;
            let (created, completes) = (entry.created_at, entry.completes_at);
            let amount = U256::from(left);
            shown.push(IStaking::Unbonding { amount, createdAt: created, completesAt: completes });
        }
    }
    Ok(shown)
}

pub(super) fn redelegations(
    state: &mut impl Read,
    delegator: Address,
    validator: Address,
) -> Result<Vec<IStaking::Redelegation>, Failure> {
    let mut shown = Vec::new();
    for place in 0..MAX_ENTRIES {
        let entry = REDELEGATIONS.get(state, (validator, delegator, place))?;
        if entry.created_at > 0 {
            shown.push(IStaking::Redelegation {
                source: entry.source,
                shares: U256::from(entry.shares),
                createdAt: entry.created_at,
                maturesAt: entry.matures_at,
            });
        }
    }
    Ok(shown)
}

pub(super) fn seat_keys(
    state: &mut impl Read,
    validator: Address,
    start: U256,
    count: U256,
) -> Result<(Vec<IStaking::SeatKey>, u64), Failure> {
    let (keys, total) = SEAT_KEYS.page(state, validator, start, count.min(U256::from(MAX_PAGE)))?;
    let shown = keys.into_iter().map(|key| IStaking::SeatKey {
        consensusKey: Bytes::copy_from_slice(&key.consensus),
        possession: Bytes::copy_from_slice(&key.possession),
        networkKey: key.network,
        ip: key.place.ip.to_be_bytes().into(),
        port: key.place.port,
    });
    Ok((shown.collect(), total))
}

pub(super) fn seats_of(
    state: &mut impl Read,
    epoch: u64,
) -> Result<(Vec<Address>, Vec<u32>), Failure> {
    let seats = epoch::seats_in(state, epoch)?;
    Ok(seats.into_iter().map(|seat| (seat.validator, seat.key)).unzip())
}

pub(super) fn next_seats(state: &mut impl Read) -> Result<(Vec<Address>, Vec<u32>), Failure> {
    Ok(epoch::apportioned(state)?.into_iter().unzip())
}
