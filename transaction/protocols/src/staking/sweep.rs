//! The sweep: at the end of every block a bounded number of delegations is looked at, and credited.

use super::{
    DUST, SWEEP_LOOKS,
    rewards::settle_from,
    storage::{LIST, REWARDS, ROSTERS, SWEEP},
    words::Sweep,
};
use crate::state::{Failure, Write};

/// Looks at the next delegations of the round, if one is under way.
pub(crate) fn sweep(state: &mut impl Write) -> Result<(), Failure> {
    let mut sweep = SWEEP.get(state)?;
    if !sweep.is_running {
        return Ok(());
    }
    for _ in 0..SWEEP_LOOKS {
        if !step(state, &mut sweep)? {
            break;
        }
    }
    SWEEP.update(state, |stored| {
        *stored = sweep;
        Ok(())
    })
}

/// One look; `false` when the round is over and no other begins.
fn step(state: &mut impl Write, sweep: &mut Sweep) -> Result<bool, Failure> {
    if u64::from(sweep.validator) >= LIST.len(state, ())? {
        let again = sweep.is_dirty;
        *sweep = Sweep { is_running: again, ..Sweep::default() };
        return Ok(again);
    }
    let validator = LIST.get(state, (), sweep.validator.into())?;
    let is_waiting = REWARDS.get(state, validator)?.unpaid >= DUST;
    if is_waiting && u64::from(sweep.delegator) < ROSTERS.len(state, validator)? {
        let delegator = ROSTERS.get(state, validator, sweep.delegator.into())?;
        settle_from(state, delegator, validator, DUST)?;
        sweep.delegator = sweep.delegator.saturating_add(1);
    } else {
        sweep.validator = sweep.validator.saturating_add(1);
        sweep.delegator = 0;
    }
    Ok(true)
}
