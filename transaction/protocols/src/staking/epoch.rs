//! Epochs: for each of them seats are apportioned once.

use super::{
    position::broken,
    seats::{Candidate, apportion},
    storage::{EPOCH, EPOCHS, LIST, PARAMETERS, PROFILES, SEATS, VALIDATORS},
    words::{Epoch, Seat},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::Address;
use sahara_abi::{IStaking, STAKING as ADDRESS};

/// Counts from the first validator on.
pub(super) fn begin(state: &mut impl Write) -> Result<(), Failure> {
    let started_at = state.block().timestamp.0;
    if EPOCH.get(state)?.started_at > 0 {
        return Ok(());
    }
    EPOCH.update(state, |epoch| {
        *epoch = Epoch { number: 0, started_at };
        Ok(())
    })?;
    EPOCHS.set(state, 0, &started_at)
}

/// Begins the next epoch when this one's time is over.
pub(crate) fn turn(state: &mut impl Write) -> Result<(), Failure> {
    let Epoch { number, started_at } = EPOCH.get(state)?;
    if started_at == 0 {
        return Ok(());
    }
    let now = state.block().timestamp.0;
    let length = u64::from(PARAMETERS.get(state)?.epoch);
    if now < started_at.saturating_add(length) {
        return Ok(());
    }
    let number = number.saturating_add(1);
    EPOCH.update(state, |epoch| {
        *epoch = Epoch { number, started_at: now };
        Ok(())
    })?;
    EPOCHS.set(state, number, &now)?;
    let mut seats = 0_u32;
    for (validator, count) in apportioned(state)? {
        for key in 0..count {
            SEATS.push(state, number, &Seat { validator, key })?;
            seats = seats.saturating_add(1);
        }
    }
    state.emit(ADDRESS, IStaking::EpochBegan { epoch: number, startedAt: now, seats })
}

/// Who would hold how many seats now, in the order of addresses; none is left out who has one.
pub(super) fn apportioned(state: &mut impl Read) -> Result<Vec<(Address, u32)>, Failure> {
    let mut standing = Vec::new();
    for index in 0..LIST.len(state, ())? {
        let validator = LIST.get(state, (), index)?;
        let record = VALIDATORS.get(state, validator)?;
        if !record.is_jailed && !record.is_leaving && !record.is_tombstoned {
            let keys = PROFILES.get(state, validator)?.keys;
            standing.push((validator, Candidate { stake: record.bond.stake, keys }));
        }
    }
    standing.sort_by_key(|(validator, _)| *validator);
    let candidates: Vec<_> = standing.iter().map(|(_, candidate)| *candidate).collect();
    let seats = PARAMETERS.get(state)?.seats;
    let won = apportion(&candidates, seats.into());
    if won.len() != standing.len() {
        return Err(broken());
    }
    let holders = standing.into_iter().map(|(validator, _)| validator).zip(won);
    Ok(holders.filter(|(_, seats)| *seats > 0).collect())
}
