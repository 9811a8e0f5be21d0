//! One function per interface function.

use super::{
    CHANGE_GAS, SET_BYTE_GAS,
    storage::{BYTES, CONSTANTS, Constants, SETS, Stored},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{B256, U256};
use sahara_abi::{
    IValidators::{AlreadyChanged, ChangeRefused, EpochCloses, ValidatorsChanged, WrongEpoch},
    VALIDATORS,
};
use sahara_finality::{MAX_CHANGE_BYTES, SignedChange, ValidatorSet};

/// Bytes in a word.
const WORD: usize = 32;

/// What block 0 begins with.
#[derive(Clone, Debug)]
pub struct Founding<'a> {
    /// Blocks in an epoch, at least 2.
    pub epoch_length: u64,
    /// What every signed change names; differs between networks.
    pub origin: B256,
    /// The validators of epoch 0.
    pub validators: &'a ValidatorSet,
    /// Whether staking decides who follows, and nobody else.
    pub by_stake: bool,
}

/// Writes what block 0 begins with.
///
/// # Errors
/// Those of the state.
pub fn found(state: &mut impl Write, founding: &Founding<'_>) -> Result<(), Failure> {
    let Founding { epoch_length, origin, validators, by_stake } = *founding;
    CONSTANTS.update(state, |constants| {
        *constants = Constants { epoch_length, origin, by_stake };
        Ok(())
    })?;
    store(state, 0, validators)
}

/// Blocks in an epoch; 1 before block 0 is founded.
///
/// # Errors
/// Those of the state.
pub fn epoch_length(state: &mut impl Read) -> Result<u64, Failure> {
    Ok(CONSTANTS.get(state)?.epoch_length.max(1))
}

/// What every signed change names.
///
/// # Errors
/// Those of the state.
pub fn origin(state: &mut impl Read) -> Result<B256, Failure> {
    Ok(CONSTANTS.get(state)?.origin)
}

/// The epoch of this block.
pub(crate) fn epoch(state: &mut impl Read) -> Result<u64, Failure> {
    let length = epoch_length(state)?;
    Ok(state.block().number.div_euclid(length))
}

/// Whether this block is the last but one of its epoch: the last that can decide who follows.
pub(crate) fn closes_after_next(state: &mut impl Read) -> Result<bool, Failure> {
    let length = epoch_length(state)?;
    Ok(state.block().number.rem_euclid(length) == length.saturating_sub(2))
}

/// The encoded set of an epoch, and its first epoch; none before block 0 is founded.
///
/// # Errors
/// Those of the state.
pub fn validators_of(state: &mut impl Read, epoch: u64) -> Result<Option<(Vec<u8>, u64)>, Failure> {
    let mut index = SETS.len(state, ())?;
    while let Some(before) = index.checked_sub(1) {
        let Stored { since, length } = SETS.get(state, (), before)?;
        if since <= epoch {
            return Ok(Some((load(state, since, length)?, since)));
        }
        index = before;
    }
    Ok(None)
}

/// The first epochs of all sets, oldest first.
///
/// # Errors
/// Those of the state.
pub fn starts(state: &mut impl Read) -> Result<Vec<u64>, Failure> {
    let total = SETS.len(state, ())?;
    (0..total).map(|index| Ok(SETS.get(state, (), index)?.since)).collect()
}

/// A page of the first epochs of all sets.
pub(super) fn changes(
    state: &mut impl Read,
    start: U256,
    count: U256,
) -> Result<(Vec<u64>, u64), Failure> {
    let (sets, total) = SETS.page(state, (), start, count)?;
    Ok((sets.into_iter().map(|stored| stored.since).collect(), total))
}

/// Replaces the validators from the next epoch on, if a quorum of the current ones signed that.
///
/// # Errors
/// `WrongEpoch`, `EpochCloses`, `AlreadyChanged`, `ChangeRefused`; otherwise those of the state.
pub fn change(state: &mut impl Write, signed: &[u8]) -> Result<(), Failure> {
    let refused = |reason: String| Failure::from(ChangeRefused { reason });
    if CONSTANTS.get(state)?.by_stake {
        return Err(refused("staking decides who validates".into()));
    }
    if signed.len() > MAX_CHANGE_BYTES {
        return Err(refused(format!("expected at most {MAX_CHANGE_BYTES} bytes")));
    }
    let now = epoch(state)?;
    let (current, _) = validators_of(state, now)?.unwrap_or_default();
    let checked = signed.len().saturating_add(current.len());
    let checked = u64::try_from(checked).unwrap_or(u64::MAX);
    state.charge(CHANGE_GAS.saturating_add(checked.saturating_mul(SET_BYTE_GAS)))?;
    let change = SignedChange::decode(signed).map_err(|error| refused(error.to_string()))?;
    if change.epoch != now {
        return Err(WrongEpoch { expected: now, got: change.epoch }.into());
    }
    let current = ValidatorSet::decode(&current)
        .map_err(|error| refused(format!("there is no current set: {error}")))?;
    let (chain_id, origin) = (state.block().chain_id, origin(state)?);
    change.verify(chain_id, origin, &current).map_err(|error| refused(error.to_string()))?;
    schedule(state, &change.next)
}

/// Makes `next` the validators from the next epoch on, if staking decides and they are others.
pub(crate) fn elect(state: &mut impl Write, next: &ValidatorSet) -> Result<(), Failure> {
    if !CONSTANTS.get(state)?.by_stake {
        return Ok(());
    }
    let now = epoch(state)?;
    let current = validators_of(state, now)?;
    if current.is_some_and(|(current, _)| current == next.encoded()) {
        return Ok(());
    }
    schedule(state, next)
}

/// Makes `next` the validators from the next epoch on: the end of every way to change them.
///
/// # Errors
/// `EpochCloses` in the last block of an epoch, whose header was made before; `AlreadyChanged` when
/// it was decided before.
fn schedule(state: &mut impl Write, next: &ValidatorSet) -> Result<(), Failure> {
    let (length, now) = (epoch_length(state)?, epoch(state)?);
    if state.block().number.rem_euclid(length) == length.saturating_sub(1) {
        return Err(EpochCloses { epoch: now }.into());
    }
    let since = now.saturating_add(1);
    let last = SETS.len(state, ())?.saturating_sub(1);
    if SETS.get(state, (), last)?.since >= since {
        return Err(AlreadyChanged { epoch: since }.into());
    }
    store(state, since, next)?;
    let seats = U256::from(next.len());
    state.emit(VALIDATORS, ValidatorsChanged { epoch: since, validators: next.hash(), seats })
}

fn store(state: &mut impl Write, since: u64, set: &ValidatorSet) -> Result<(), Failure> {
    let bytes = set.encoded();
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    for (index, chunk) in (0..).zip(bytes.chunks(WORD)) {
        let mut word = [0; WORD];
        word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        BYTES.set(state, (since, index), &U256::from_be_bytes(word))?;
    }
    SETS.push(state, (), &Stored { since, length })?;
    Ok(())
}

fn load(state: &mut impl Read, since: u64, length: u64) -> Result<Vec<u8>, Failure> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    let mut index = 0;
    while bytes.len() < length {
        let word = BYTES.get(state, (since, index))?;
        bytes.extend_from_slice(&word.to_be_bytes::<WORD>());
        index = index.saturating_add(1);
    }
    bytes.truncate(length);
    Ok(bytes)
}
