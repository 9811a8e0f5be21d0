//! Epochs: those of consensus. Before each of them it is decided who has seats in it.

use super::{
    Parameters,
    evidence::remember_genesis,
    position::broken,
    seats::{Candidate, apportion},
    storage::{EPOCHS, LIST, PARAMETERS, PROFILES, SEATS, VALIDATORS},
    validators::{KeyBytes, enter, seat_key},
    words::{Epoch, Seat},
};
use crate::{
    state::{Failure, Read, Write},
    validators,
};
use alloy_primitives::Address;
use sahara_abi::{IProtocol, IStaking, STAKING as ADDRESS};
use sahara_finality::ValidatorSet;
use sahara_primitives::Amount;

/// A validator of block 0.
#[derive(Clone, Debug)]
pub struct Founder {
    /// Its account, which holds the stake.
    pub operator: Address,
    /// Base units.
    pub stake: Amount,
    /// In basis points.
    pub commission: u16,
    /// Receives the commission.
    pub fee_address: Address,
    /// The keys of its seats.
    pub keys: Vec<KeyBytes>,
}

/// Writes what block 0 begins with: parameters and validators. Returns who has the seats of epoch 0.
///
/// # Errors
/// Those of [`create`](super::create) but for places; `IProtocol::InvalidParameters`.
pub fn found(
    state: &mut impl Write,
    parameters: Parameters,
    founders: &[Founder],
) -> Result<ValidatorSet, Failure> {
    if !parameters.is_valid() {
        return Err(IProtocol::InvalidParameters {}.into());
    }
    PARAMETERS.update(state, |stored| {
        *stored = parameters;
        Ok(())
    })?;
    for founder in founders {
        let Founder { operator, stake, commission, fee_address, keys } = founder;
        state.move_coin(*operator, ADDRESS, *stake)?;
        enter(state, *operator, *stake, (*commission, *fee_address), keys)?;
    }
    let seats = seats(state)?;
    store(state, 0, &seats)?;
    set(state, &seats)?.ok_or_else(|| IProtocol::InvalidParameters {}.into())
}

/// Counts from the first validator on.
pub(super) fn begin(state: &mut impl Write) -> Result<(), Failure> {
    let (epoch, now) = (validators::epoch(state)?, state.block().timestamp.0);
    if EPOCHS.get(state, epoch)?.started_at > 0 {
        return Ok(());
    }
    let begun = Epoch { seats_since: epoch, apportioned_at: now, started_at: now };
    EPOCHS.replace(state, epoch, &begun)
}

/// The epoch of this block, and when it was decided who has seats in it.
pub(super) fn current(state: &mut impl Read) -> Result<(u64, u64), Failure> {
    let epoch = validators::epoch(state)?;
    Ok((epoch, EPOCHS.get(state, epoch)?.started_at))
}

/// Who has seats in an epoch.
pub(super) fn seats_in(state: &mut impl Read, epoch: u64) -> Result<Vec<Seat>, Failure> {
    let since = EPOCHS.get(state, epoch)?.seats_since;
    (0..SEATS.len(state, since)?).map(|index| SEATS.get(state, since, index)).collect()
}

/// In the last block but one of an epoch, decides who has seats in the next: the same as now, unless
/// their time is over or one of them may not keep them. The last block's header then names them.
///
/// # Errors
/// Those of the state.
pub fn turn(state: &mut impl Write) -> Result<(), Failure> {
    let now = validators::epoch(state)?;
    if EPOCHS.get(state, now)?.started_at == 0 {
        if LIST.len(state, ())? == 0 {
            return Ok(());
        }
        // The first validator came in the last block of the epoch before.
        begin(state)?;
    }
    let begun = EPOCHS.get(state, now)?;
    remember_genesis(state)?;
    if !validators::closes_after_next(state)? {
        return Ok(());
    }
    let (next, time) = (now.saturating_add(1), state.block().timestamp.0);
    let period = u64::from(PARAMETERS.get(state)?.epoch);
    let seated = seats_in(state, now)?;
    let is_over = time >= begun.apportioned_at.saturating_add(period);
    let begins = Epoch { started_at: time, ..begun };
    if !is_over && all_stand(state, &seated)? {
        return EPOCHS.replace(state, next, &begins);
    }
    let seats = seats(state)?;
    let set = set(state, &seats)?;
    // Nobody stands: those who have seats keep them, or there would be no more blocks.
    let Some(set) = set else { return EPOCHS.replace(state, next, &begins) };
    let begins = Epoch { seats_since: next, apportioned_at: time, started_at: time };
    EPOCHS.replace(state, next, &begins)?;
    store(state, next, &seats)?;
    validators::elect(state, &set)?;
    let seats = u32::try_from(seats.len()).unwrap_or(u32::MAX);
    state.emit(ADDRESS, IStaking::EpochBegan { epoch: next, startedAt: time, seats })
}

/// Whether there are seats, and everyone who holds one may.
fn all_stand(state: &mut impl Read, seats: &[Seat]) -> Result<bool, Failure> {
    let mut last = None;
    for seat in seats {
        if last.replace(seat.validator) == Some(seat.validator) {
            continue;
        }
        let record = VALIDATORS.get(state, seat.validator)?;
        if record.is_jailed || record.is_leaving || record.is_tombstoned || record.bond.stake == 0 {
            return Ok(false);
        }
    }
    Ok(!seats.is_empty())
}

fn seats(state: &mut impl Read) -> Result<Vec<Seat>, Failure> {
    let holders = apportioned(state)?.into_iter();
    Ok(holders
        .flat_map(|(validator, count)| (0..count).map(move |key| Seat { validator, key }))
        .collect())
}

fn store(state: &mut impl Write, epoch: u64, seats: &[Seat]) -> Result<(), Failure> {
    seats.iter().try_for_each(|seat| SEATS.push(state, epoch, seat).map(drop))
}

/// The seats as consensus has them; none when there are none.
fn set(state: &mut impl Read, seats: &[Seat]) -> Result<Option<ValidatorSet>, Failure> {
    let mut seated = Vec::new();
    for Seat { validator, key } in seats {
        let key = seat_key(state, *validator, *key)?.and_then(|key| key.seat(*validator));
        seated.push(key.ok_or_else(broken)?);
    }
    if seated.is_empty() {
        return Ok(None);
    }
    // Keys are registered once, each with its proof.
    ValidatorSet::of_proven(seated).map(Some).map_err(|_| broken())
}

/// Seconds of an epoch.
pub(crate) fn epoch_length(state: &mut impl Read) -> Result<u32, Failure> {
    Ok(PARAMETERS.get(state)?.epoch)
}

/// When the epoch that a past second belongs to began; 0 for one before all epochs. The same
/// whenever it is asked: an epoch's beginning is written in the second that it names.
pub(crate) fn epoch_start(state: &mut impl Read, time: u64) -> Result<u64, Failure> {
    let mut latest = validators::epoch(state)?;
    let next = latest.saturating_add(1);
    if EPOCHS.get(state, next)?.started_at > 0 {
        latest = next;
    }
    // Mostly it is one of the last.
    let (mut low, mut high, mut reach) = (latest, latest, 1_u64);
    while EPOCHS.get(state, low)?.started_at > time {
        if low == 0 {
            return Ok(0);
        }
        high = low.saturating_sub(1);
        low = low.saturating_sub(reach);
        reach = reach.saturating_mul(2);
    }
    while low < high {
        let middle = low.midpoint(high.saturating_add(1));
        if EPOCHS.get(state, middle)?.started_at <= time {
            low = middle;
        } else {
            high = middle.saturating_sub(1);
        }
    }
    Ok(EPOCHS.get(state, low)?.started_at)
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
