//! The list of jurors.

use super::{
    MAX_PLACES,
    parameters::parameters,
    storage::{FREE, PLACES, PLACES_OF},
    words::Place,
};
use crate::{
    staking,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{DISPUTES as ADDRESS, IDisputes};

/// Places of an account.
pub(super) fn places_of(state: &mut impl Read, account: Address) -> Result<u32, Failure> {
    Ok(u32::try_from(PLACES_OF.len(state, account)?).unwrap_or(u32::MAX))
}

/// Refuses an account whose bonded coin is less than its places need.
///
/// # Errors
/// `TooFewVotes`.
pub(super) fn check_votes(
    state: &mut impl Read,
    account: Address,
    places: u32,
) -> Result<(), Failure> {
    let votes = staking::votes(state, account)?.base_units();
    let needed = U256::from(parameters(state)?.place.saturating_mul(places.into()));
    if votes < needed {
        return Err(IDisputes::TooFewVotes { votes, needed }.into());
    }
    Ok(())
}

/// Puts an account on the list so many more times.
///
/// # Errors
/// `TooManyPlaces`, `TooFewVotes`.
pub(super) fn enlist(state: &mut impl Write, caller: Address, places: u32) -> Result<(), Failure> {
    let all = places_of(state, caller)?.saturating_add(places);
    if places == 0 || all > MAX_PLACES {
        return Err(IDisputes::TooManyPlaces { most: MAX_PLACES }.into());
    }
    check_votes(state, caller, all)?;
    let place = Place { account: caller, since: state.block().timestamp.0 };
    for _ in 0..places {
        let index = match FREE.len(state, ())?.checked_sub(1) {
            None => PLACES.push(state, (), &place)?,
            Some(last) => {
                let index = FREE.get(state, (), last)?;
                FREE.swap_remove(state, (), last)?;
                PLACES.replace(state, (), index, &place)?;
                index
            }
        };
        PLACES_OF.push(state, caller, &index)?;
    }
    state.emit(ADDRESS, IDisputes::Enlisted { juror: caller, places: all })
}

/// Takes an account off the list.
///
/// # Errors
/// Those of the state.
pub(super) fn discharge(state: &mut impl Write, account: Address) -> Result<(), Failure> {
    let places = places_of(state, account)?;
    while let Some(last) = PLACES_OF.len(state, account)?.checked_sub(1) {
        let index = PLACES_OF.get(state, account, last)?;
        PLACES_OF.swap_remove(state, account, last)?;
        let position = FREE.push(state, (), &index)?;
        PLACES.replace(state, (), index, &Place::free(position))?;
    }
    if places == 0 {
        return Ok(());
    }
    trim(state, places)?;
    state.emit(ADDRESS, IDisputes::Discharged { juror: account, places })
}

/// Makes the list shorter by so many places at most, as long as nobody has the last.
fn trim(state: &mut impl Write, most: u32) -> Result<(), Failure> {
    for _ in 0..most {
        let Some(last) = PLACES.len(state, ())?.checked_sub(1) else { return Ok(()) };
        let place = PLACES.get(state, (), last)?;
        if !place.account.is_zero() {
            return Ok(());
        }
        PLACES.swap_remove(state, (), last)?;
        let position = place.since;
        if let Some(moved) = FREE.swap_remove(state, (), position)? {
            PLACES.replace(state, (), moved, &Place::free(position))?;
        }
    }
    Ok(())
}
