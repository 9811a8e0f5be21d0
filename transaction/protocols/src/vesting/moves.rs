//! Announced moves: of what is free in a pool, and of the team's coin.

use super::{
    rules::{check_authority, check_owner, due, pay, schedule},
    storage::{MOVES, SETTINGS},
    views::unlocked_in,
    words::{Fate, Move, POOLS, pool_number},
};
use crate::{
    assets,
    dispatch::is_reserved,
    erc721::beginning_of,
    incentives,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{INCENTIVE_POOL, INCENTIVES, IVesting, VESTING as ADDRESS};
use sahara_primitives::Amount;

/// Announces a move from the caller's schedule that needs notice; returns the move's number.
///
/// # Errors
/// `UnknownSchedule`, `OnlyBeneficiary`, `NothingToRelease` for a schedule that is released without
/// notice, `InvalidMove` for a receiver that cannot receive or more than the schedule still binds.
pub fn announce(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    to: Address,
    amount: Amount,
) -> Result<u64, Failure> {
    let schedule = schedule(state, number)?;
    check_owner(&schedule, number, caller)?;
    if !schedule.needs_notice {
        return Err(IVesting::NothingToRelease { schedule: number }.into());
    }
    if amount > Amount::from_u128(schedule.total.saturating_sub(schedule.released)) {
        return Err(IVesting::InvalidMove { to, amount: amount.base_units() }.into());
    }
    let mark = beginning_of(assets::giver(state, caller)?);
    let planned = Move { to, schedule: number, pool: schedule.pool, mark, ..Move::default() };
    file(state, planned, amount)
}

/// The authority announces a move of what has come free in a pool; returns the move's number.
///
/// # Errors
/// `OnlyAuthority`, `NotAPool`, `InvalidMove`.
pub fn announce_from_pool(
    state: &mut impl Write,
    caller: Address,
    from: Address,
    to: Address,
    amount: Amount,
) -> Result<u64, Failure> {
    check_authority(state, caller)?;
    let pool = pool_number(from).ok_or(IVesting::NotAPool { account: from })?;
    file(state, Move { to, pool, ..Move::default() }, amount)
}

fn file(state: &mut impl Write, planned: Move, amount: Amount) -> Result<u64, Failure> {
    let (to, from) = (planned.to, account(&planned));
    let invalid = IVesting::InvalidMove { to, amount: amount.base_units() };
    // The incentive pool's programmes are the one protocol that books what arrives.
    let is_closed = is_reserved(to) && (to, from) != (INCENTIVES, INCENTIVE_POOL);
    if to.is_zero() || is_closed || to == from || amount.is_zero() {
        return Err(invalid.into());
    }
    let units = amount.to_u128().filter(|units| *units < 1 << 96).ok_or(invalid)?;
    let (now, settings) = (state.block().timestamp, SETTINGS.get(state)?);
    let executable_at = now.saturating_add(settings.notice).0;
    let planned = Move { amount: units, executable_at, ..planned };
    let id = MOVES.push(state, (), &planned)?.saturating_add(1);
    let event = IVesting::MoveAnnounced {
        id,
        from,
        to,
        amount: amount.base_units(),
        schedule: planned.schedule,
        executableAt: executable_at,
        expiresAt: executable_at.saturating_add(settings.window),
    };
    state.emit(ADDRESS, event)?;
    Ok(id)
}

pub(super) fn account(planned: &Move) -> Address {
    POOLS.get(usize::from(planned.pool)).copied().unwrap_or_default()
}

/// The move with a number.
pub(super) fn find(state: &mut impl Read, id: u64) -> Result<Move, Failure> {
    let index = id.checked_sub(1).ok_or(IVesting::UnknownMove { id })?;
    if index >= MOVES.len(state, ())? {
        return Err(IVesting::UnknownMove { id }.into());
    }
    MOVES.get(state, (), index)
}

/// Whether a move is still the word of whom it takes from: of a schedule its beneficiary's, and where that is
/// an asset's own account, of the owner whom it had then. The authority's is whoever's has it.
fn is_meant(state: &mut impl Read, planned: &Move) -> Result<bool, Failure> {
    if planned.schedule == 0 {
        return Ok(true);
    }
    let beneficiary = schedule(state, planned.schedule)?.beneficiary;
    Ok(planned.mark == beginning_of(assets::giver(state, beneficiary)?))
}

fn pending(state: &mut impl Read, id: u64) -> Result<Move, Failure> {
    let planned = find(state, id)?;
    if planned.fate != Fate::Announced || !is_meant(state, &planned)? {
        return Err(IVesting::MoveNotPending { id }.into());
    }
    Ok(planned)
}

fn settle(state: &mut impl Write, id: u64, planned: Move, fate: Fate) -> Result<(), Failure> {
    MOVES.replace(state, (), id.saturating_sub(1), &Move { fate, ..planned })
}

/// Executes an announced move within its window.
///
/// # Errors
/// `UnknownMove`, `MoveNotPending`, also where its schedule has another beneficiary or the beneficiary another
/// owner since, `MoveTooEarly`, `MoveExpired`, `InsufficientUnlocked`.
pub fn execute(state: &mut impl Write, id: u64) -> Result<(), Failure> {
    let planned = pending(state, id)?;
    let (now, window) = (state.block().timestamp.0, SETTINGS.get(state)?.window);
    let expires = planned.executable_at.saturating_add(window);
    if now < planned.executable_at {
        return Err(IVesting::MoveTooEarly { id, executableAt: planned.executable_at }.into());
    }
    if now >= expires {
        return Err(IVesting::MoveExpired { id, expiresAt: expires }.into());
    }
    settle(state, id, planned, Fate::Executed)?;
    let (from, to, amount) = (account(&planned), planned.to, Amount::from_u128(planned.amount));
    let enough = |unlocked: U256| -> Result<(), Failure> {
        let amount = amount.base_units();
        if amount > unlocked {
            return Err(IVesting::InsufficientUnlocked { amount, unlocked }.into());
        }
        Ok(())
    };
    if planned.schedule == 0 {
        enough(unlocked_in(state, from)?.base_units())?;
        state.move_coin(from, to, amount)?;
    } else {
        let schedule = schedule(state, planned.schedule)?;
        enough(U256::from(due(state, &schedule)?))?;
        pay(state, planned.schedule, schedule, to, planned.amount)?;
        // Who buys an asset whose account has the schedule is told that so much has left.
        assets::count_taken(state, to, schedule.beneficiary)?;
    }
    if to == INCENTIVES {
        incentives::receive(state, amount)?;
    }
    state.emit(ADDRESS, IVesting::MoveExecuted { id, from, to, amount: amount.base_units() })
}

/// Cancels an announced move, on behalf of who could announce it now.
///
/// # Errors
/// `UnknownMove`, `MoveNotPending`, `OnlyAuthority`, `OnlyBeneficiary`.
pub fn cancel(state: &mut impl Write, caller: Address, id: u64) -> Result<(), Failure> {
    let planned = pending(state, id)?;
    if planned.schedule == 0 {
        check_authority(state, caller)?;
    } else {
        let schedule = schedule(state, planned.schedule)?;
        check_owner(&schedule, planned.schedule, caller)?;
    }
    settle(state, id, planned, Fate::Cancelled)?;
    state.emit(ADDRESS, IVesting::MoveCancelled { id })
}

/// As a view shows it.
pub(super) fn shown(state: &mut impl Read, id: u64) -> Result<IVesting::Move, Failure> {
    let planned = find(state, id)?;
    let is_meant = is_meant(state, &planned)?;
    let settings = SETTINGS.get(state)?;
    Ok(IVesting::Move {
        schedule: planned.schedule,
        state: match planned.fate {
            Fate::Announced if is_meant => IVesting::MoveState::Announced,
            Fate::Executed => IVesting::MoveState::Executed,
            Fate::Announced | Fate::Cancelled => IVesting::MoveState::Cancelled,
        },
        from: account(&planned),
        to: planned.to,
        amount: U256::from(planned.amount),
        announcedAt: planned.executable_at.saturating_sub(settings.notice),
        executableAt: planned.executable_at,
        expiresAt: planned.executable_at.saturating_add(settings.window),
    })
}
