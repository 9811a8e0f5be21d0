//! Programmes: budgets that governance gives, and what comes back.

use super::{
    storage::{PROGRAMMES, UNASSIGNED},
    words::Programme,
};
use crate::{
    dispatch::{is_reserved, require_governance},
    state::{Failure, Read, Write, overflow},
    storage::{List, Value},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{GOVERNANCE, IIncentives, INCENTIVE_POOL, INCENTIVES as ADDRESS};
use sahara_primitives::Amount;

/// Base units as they stand in a word.
pub(super) fn units(amount: U256) -> Result<u128, Failure> {
    let units = u128::try_from(amount).ok().filter(|units| *units < 1 << 96);
    units.ok_or_else(|| IIncentives::InvalidPlan {}.into())
}

/// All of them.
pub(super) fn sum(amounts: &[U256]) -> Result<u128, Failure> {
    let parts = amounts.iter().map(|part| Amount::from_base_units(*part));
    units(Amount::sum(parts).map_err(overflow)?.base_units())
}

/// The item with a number, if there is one.
pub(super) fn numbered<V: Value>(
    state: &mut impl Read,
    list: &List<(), V>,
    number: u64,
) -> Result<Option<V>, Failure> {
    let Some(index) = number.checked_sub(1) else { return Ok(None) };
    if index >= list.len(state, ())? {
        return Ok(None);
    }
    list.get(state, (), index).map(Some)
}

/// Writes the item with a number back.
pub(super) fn keep<V: Value>(
    state: &mut impl Write,
    list: &List<(), V>,
    number: u64,
    value: &V,
) -> Result<(), Failure> {
    list.replace(state, (), number.saturating_sub(1), value)
}

/// Coin of the pool arrived by an announced move.
pub(crate) fn receive(state: &mut impl Write, amount: Amount) -> Result<(), Failure> {
    UNASSIGNED.update(state, |coin| {
        let more = Amount::from_base_units(*coin).checked_add(amount).map_err(overflow)?;
        *coin = more.base_units();
        Ok(())
    })?;
    state.emit(ADDRESS, IIncentives::Received { amount: amount.base_units() })
}

pub(super) fn find(state: &mut impl Read, number: u64) -> Result<Programme, Failure> {
    let found = numbered(state, &PROGRAMMES, number)?;
    found.ok_or_else(|| IIncentives::UnknownProgramme { programme: number }.into())
}

/// Gives a programme its budget.
///
/// # Errors
/// `OnlyGovernance`, `InvalidPlan`, `BudgetExceeded`.
pub(super) fn open(
    state: &mut impl Write,
    caller: Address,
    programme: Programme,
) -> Result<u64, Failure> {
    require_governance(caller)?;
    let Programme { manager, budget, ends_at, terms, .. } = programme;
    let now = state.block().timestamp.0;
    if manager.is_zero() || is_reserved(manager) || budget == 0 || ends_at <= now {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    UNASSIGNED.update(state, |coin| {
        let (amount, left) = (U256::from(budget), *coin);
        let rest = left.checked_sub(amount);
        *coin = rest.ok_or(IIncentives::BudgetExceeded { amount, left })?;
        Ok(())
    })?;
    let number = PROGRAMMES.push(state, (), &Programme { left: budget, ..programme })?;
    let number = number.saturating_add(1);
    let budget = U256::from(budget);
    let event =
        IIncentives::ProgrammeOpened { programme: number, manager, budget, endsAt: ends_at, terms };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// Ends a programme and returns what is not promised.
///
/// # Errors
/// `UnknownProgramme`, `ProgrammeOver`, `TooEarly`.
pub(super) fn close(state: &mut impl Write, caller: Address, number: u64) -> Result<(), Failure> {
    let mut programme = find(state, number)?;
    if programme.is_closed {
        return Err(IIncentives::ProgrammeOver { programme: number }.into());
    }
    if caller != GOVERNANCE && state.block().timestamp.0 < programme.ends_at {
        return Err(IIncentives::TooEarly { from: programme.ends_at }.into());
    }
    let returned = std::mem::take(&mut programme.left);
    programme.is_closed = true;
    keep(state, &PROGRAMMES, number, &programme)?;
    state.move_coin(ADDRESS, INCENTIVE_POOL, Amount::from_u128(returned))?;
    let returned = U256::from(returned);
    state.emit(ADDRESS, IIncentives::ProgrammeClosed { programme: number, returned })
}

/// The programme that runs, and that the caller manages.
pub(super) fn managed(
    state: &mut impl Read,
    caller: Address,
    number: u64,
) -> Result<Programme, Failure> {
    let programme = find(state, number)?;
    if programme.manager != caller {
        return Err(IIncentives::OnlyManager { programme: number, caller }.into());
    }
    if programme.is_closed || state.block().timestamp.0 >= programme.ends_at {
        return Err(IIncentives::ProgrammeOver { programme: number }.into());
    }
    Ok(programme)
}

/// Sets coin of a programme aside; who sets it aside keeps it in its own word.
pub(super) fn set_aside(
    state: &mut impl Write,
    number: u64,
    mut programme: Programme,
    amount: u128,
) -> Result<(), Failure> {
    let (asked, left) = (U256::from(amount), U256::from(programme.left));
    let rest = programme.left.checked_sub(amount);
    programme.left = rest.ok_or(IIncentives::BudgetExceeded { amount: asked, left })?;
    keep(state, &PROGRAMMES, number, &programme)
}

/// Gives back what was set aside: to the programme, or, when that is over, to the pool.
pub(super) fn give_back(state: &mut impl Write, number: u64, amount: u128) -> Result<(), Failure> {
    let mut programme = find(state, number)?;
    if programme.is_closed {
        return state.move_coin(ADDRESS, INCENTIVE_POOL, Amount::from_u128(amount));
    }
    programme.left = programme.left.saturating_add(amount);
    keep(state, &PROGRAMMES, number, &programme)
}

/// Pays what was set aside.
pub(super) fn pay(state: &mut impl Write, to: Address, amount: u128) -> Result<(), Failure> {
    state.move_coin(ADDRESS, to, Amount::from_u128(amount))
}

/// Whom coin may go to.
pub(super) fn check_payee(account: Address) -> Result<(), Failure> {
    if account.is_zero() || is_reserved(account) {
        return Err(IIncentives::OwnInterest { account }.into());
    }
    Ok(())
}

pub(super) fn shown(programme: &Programme) -> IIncentives::Programme {
    let Programme { manager, ends_at, is_closed, left, budget, terms } = *programme;
    IIncentives::Programme {
        manager,
        endsAt: ends_at,
        isClosed: is_closed,
        budget: U256::from(budget),
        left: U256::from(left),
        terms,
    }
}

/// A programme to be.
pub(super) const fn planned(
    manager: Address,
    budget: u128,
    ends_at: u64,
    terms: B256,
) -> Programme {
    Programme { manager, ends_at, is_closed: false, left: 0, budget, terms }
}
