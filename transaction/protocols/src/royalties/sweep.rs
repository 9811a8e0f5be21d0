//! The sweep: at the end of every block a bounded number of waiting members are credited.
//!
//! Pools wait in a queue and have their members looked at in turns; after its last member a pool
//! leaves the queue, or goes round again if something was deposited meanwhile.

use super::{
    DUST, SWEEP, SWEEP_TURN,
    pool::Accumulator,
    queue::Queue,
    settlement::{overpaid, pay_out},
    storage::{FLOWS, Flow, MEMBERS, ROSTERS, SEATS, TERMS, Terms},
};
use crate::{
    assets,
    state::{Failure, Write},
};
use sahara_primitives::AssetId;

/// Credits at most [`SWEEP`] waiting members.
pub(crate) fn sweep(state: &mut impl Write) -> Result<(), Failure> {
    let mut queue = Queue::read(state)?;
    let mut left = SWEEP;
    let mut is_changed = false;
    while left > 0 {
        let Some(asset) = queue.pop(state)? else { break };
        is_changed = true;
        let mut flow = FLOWS.get(state, asset)?;
        let (seen, is_waiting) = turn(state, asset, &mut flow, left.min(SWEEP_TURN))?;
        flow.is_queued = is_waiting && queue.push(state, asset)?;
        FLOWS.set(state, asset, &flow)?;
        left = left.saturating_sub(seen.max(1));
    }
    if is_changed { queue.write(state) } else { Ok(()) }
}

/// Looks at the next members of a pool, at most `most`. Returns how many, and whether the pool goes
/// on waiting.
fn turn(
    state: &mut impl Write,
    asset: AssetId,
    flow: &mut Flow,
    most: u32,
) -> Result<(u32, bool), Failure> {
    let terms = TERMS.get(state, asset)?;
    let has_seat = SEATS.get(state, asset)?.units > 0;
    let holders = terms.members.saturating_add(u32::from(has_seat));
    let start = flow.cursor;
    let end = start.saturating_add(most).min(holders);
    let accumulator = Accumulator::after(flow.deposited, terms.units);
    for index in start..end {
        let paid = credit(state, asset, &terms, accumulator, index)?;
        flow.paid = flow.paid.checked_add(paid).ok_or_else(overpaid)?;
    }
    let seen = end.saturating_sub(start);
    if end < holders {
        flow.cursor = end;
        return Ok((seen, true));
    }
    let goes_round = flow.is_dirty && flow.waiting() >= DUST.to_u128().unwrap_or(u128::MAX);
    *flow = Flow { cursor: 0, is_dirty: false, ..*flow };
    Ok((seen, goes_round))
}

/// Credits the holder at a position, the seat's after the last member; returns what it was paid.
fn credit(
    state: &mut impl Write,
    asset: AssetId,
    terms: &Terms,
    accumulator: Accumulator,
    index: u32,
) -> Result<u128, Failure> {
    let least = DUST.to_u128().unwrap_or(u128::MAX);
    if index < terms.members {
        let account = ROSTERS.get(state, (asset, index))?;
        let mut member = MEMBERS.get(state, (asset, account))?;
        let owed = accumulator.owed(member.units, member.paid).ok_or_else(overpaid)?;
        if owed < least {
            return Ok(0);
        }
        member.paid = member.paid.checked_add(owed).ok_or_else(overpaid)?;
        MEMBERS.set(state, (asset, account), &member)?;
        pay_out(state, asset, account, owed)?;
        return Ok(owed);
    }
    let mut seat = SEATS.get(state, asset)?;
    let owed = accumulator.owed(seat.units, seat.paid).ok_or_else(overpaid)?;
    if owed < least {
        return Ok(0);
    }
    let owner = assets::title(state, asset)?.owner;
    seat.paid = seat.paid.checked_add(owed).ok_or_else(overpaid)?;
    SEATS.set(state, asset, &seat)?;
    pay_out(state, asset, owner, owed)?;
    Ok(owed)
}
