//! Who takes part, and what missing too much costs.

use super::{
    slashing::{jail, slash},
    storage::{PARAMETERS, PRESENCE, VALIDATORS},
    words::Presence,
};
use crate::state::{Failure, Write};
use alloy_primitives::Address;
use sahara_abi::{IStaking, SYSTEM_CALLER};

/// Counts the last block's presence. Who missed more than allowed of a full window is slashed for
/// what is bonded now, jailed, and starts a new window. Names that are no validators, or are in jail,
/// are passed over.
///
/// # Errors
/// `OnlySystemCaller`.
pub fn participation(
    state: &mut impl Write,
    caller: Address,
    present: &[Address],
    missed: &[Address],
) -> Result<(), Failure> {
    if caller != SYSTEM_CALLER {
        return Err(IStaking::OnlySystemCaller { caller }.into());
    }
    let present = present.iter().map(|validator| (*validator, false));
    let missed = missed.iter().map(|validator| (*validator, true));
    for (validator, is_missed) in present.chain(missed) {
        count(state, validator, is_missed)?;
    }
    Ok(())
}

fn count(state: &mut impl Write, validator: Address, is_missed: bool) -> Result<(), Failure> {
    let record = VALIDATORS.get(state, validator)?;
    if !record.is_registered || record.is_jailed {
        return Ok(());
    }
    let parameters = PARAMETERS.get(state)?;
    let window = parameters.window;
    let mut presence = PRESENCE.get(state, validator)?;
    // A governed change of the window may have left the place beyond it.
    let place = presence.place.checked_rem(window).unwrap_or_default();
    let bit = 1_u128.checked_shl(place.into()).unwrap_or_default();
    presence.missed = if is_missed { presence.missed | bit } else { presence.missed & !bit };
    presence.place = place.saturating_add(1);
    presence.seen = presence.seen.saturating_add(1).min(window);
    let inside = match window {
        128.. => u128::MAX,
        _ => 1_u128.checked_shl(window.into()).unwrap_or_default().saturating_sub(1),
    };
    presence.missed &= inside;
    let absences = presence.missed.count_ones();
    let is_down = presence.seen >= window && absences > u32::from(parameters.max_missed);
    if is_down {
        presence = Presence::default();
    }
    PRESENCE.replace(state, validator, &presence)?;
    if !is_down {
        return Ok(());
    }
    let now = state.block().timestamp.0;
    slash(state, validator, parameters.downtime_slash, now, None)?;
    jail(state, validator, now.saturating_add(parameters.jail.into()))
}
