//! The agenda: what the chain has to look at when, the earliest first, in a binary heap.

use super::storage::AGENDA;
use crate::state::{Failure, Read, Write};
use alloy_primitives::U256;

fn entry(time: u64, number: u64) -> U256 {
    U256::from((u128::from(time) << 64) | u128::from(number))
}

const fn parts(word: U256) -> (u64, u64) {
    let [number, time, ..] = word.into_limbs();
    (time, number)
}

/// Puts a proposal on the agenda.
pub(super) fn push(state: &mut impl Write, time: u64, number: u64) -> Result<(), Failure> {
    let word = entry(time, number);
    let mut place = AGENDA.push(state, (), &word)?;
    while let Some(below) = place.checked_sub(1) {
        let above = below >> 1;
        let other = AGENDA.get(state, (), above)?;
        if other <= word {
            break;
        }
        AGENDA.replace(state, (), place, &other)?;
        AGENDA.replace(state, (), above, &word)?;
        place = above;
    }
    Ok(())
}

/// The proposal to look at next, if its time has come.
pub(super) fn due(state: &mut impl Read, now: u64) -> Result<Option<u64>, Failure> {
    if AGENDA.len(state, ())? == 0 {
        return Ok(None);
    }
    let (time, number) = parts(AGENDA.get(state, (), 0)?);
    Ok((time <= now).then_some(number))
}

/// Takes the first entry away.
pub(super) fn pop(state: &mut impl Write) -> Result<(), Failure> {
    let Some(word) = AGENDA.swap_remove(state, (), 0)? else { return Ok(()) };
    let length = AGENDA.len(state, ())?;
    let mut place = 0_u64;
    loop {
        let left = place.saturating_mul(2).saturating_add(1);
        let mut least = (word, place);
        for child in [left, left.saturating_add(1)] {
            if child < length {
                least = least.min((AGENDA.get(state, (), child)?, child));
            }
        }
        let (other, child) = least;
        if child == place {
            return Ok(());
        }
        AGENDA.replace(state, (), place, &other)?;
        AGENDA.replace(state, (), child, &word)?;
        place = child;
    }
}
