//! Sponsors' budgets.

use super::{
    storage::{BUDGETS, SPONSOR_NAMES},
    words::Budget,
};
use crate::{
    assets,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256, aliases::U96};
use sahara_abi::{IIntents, INTENTS as ADDRESS, IProtocol};
use sahara_primitives::Amount;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// A budget's key: sponsor and relayer.
pub(super) type Between = (Address, Address);

/// Adds coin to a budget and sets its limits.
///
/// # Errors
/// Those of the state.
pub(super) fn sponsor(
    state: &mut impl Write,
    between: Between,
    value: Amount,
    (per_intent, per_day): (U96, U96),
) -> Result<(), Failure> {
    let units = value.to_u128().ok_or(IProtocol::Overflow {})?;
    let name = assets::giver(state, between.0)?;
    if name != between.0 {
        SPONSOR_NAMES.set(state, between, &name)?;
    }
    let budget = BUDGETS.update(state, between, |budget| {
        // All coin there is fits into 96 bits.
        budget.left = budget.left.saturating_add(units);
        (budget.per_intent, budget.per_day) = (per_intent.to(), per_day.to());
        Ok(*budget)
    })?;
    say(state, between, &budget)
}

/// Returns coin of a budget to its sponsor.
///
/// # Errors
/// `BudgetExceeded`.
pub(super) fn withdraw(
    state: &mut impl Write,
    between: Between,
    amount: U256,
) -> Result<(), Failure> {
    BUDGETS.update(state, between, |budget| {
        let left = U256::from(budget.left);
        let rest = left.checked_sub(amount).ok_or(IIntents::BudgetExceeded { amount, left })?;
        budget.left = rest.to();
        Ok(())
    })?;
    state.move_coin(ADDRESS, between.0, Amount::from_base_units(amount))?;
    let budget = standing(state, between)?;
    say(state, between, &budget)
}

fn say(state: &mut impl Write, between: Between, budget: &Budget) -> Result<(), Failure> {
    let event = IIntents::BudgetSet {
        sponsor: between.0,
        relayer: between.1,
        left: U256::from(budget.left),
        perIntent: U96::from(budget.per_intent),
        perDay: U96::from(budget.per_day),
    };
    state.emit(ADDRESS, event)
}

/// A budget with the limits that hold. Its coin is the sponsor's whoever owns it; but what an asset's own account
/// let a relayer have of it was its owner's word, and not the next one's.
fn standing(state: &mut impl Read, between: Between) -> Result<Budget, Failure> {
    let budget = BUDGETS.get(state, between)?;
    let name = assets::giver(state, between.0)?;
    if name == between.0 || name == SPONSOR_NAMES.get(state, between)? {
        return Ok(budget);
    }
    Ok(Budget { per_intent: 0, per_day: 0, ..budget })
}

/// A budget as it stands today.
pub(super) fn find(state: &mut impl Read, between: Between) -> Result<(Budget, u64), Failure> {
    let day = state.block().timestamp.0.checked_div(DAY).unwrap_or_default();
    Ok((standing(state, between)?, day))
}

/// Pays the relayer out of a budget, as far as it goes; returns what was paid.
///
/// # Errors
/// Those of the state.
pub(super) fn draw(
    state: &mut impl Write,
    between: Between,
    (budget, day): (Budget, u64),
    wanted: U256,
) -> Result<Amount, Failure> {
    let paid = u128::try_from(wanted).unwrap_or(u128::MAX).min(budget.room(day));
    if paid == 0 {
        return Ok(Amount::ZERO);
    }
    let drawn = Budget {
        left: budget.left.saturating_sub(paid),
        spent: budget.spent_on(day).saturating_add(paid),
        day,
        ..budget
    };
    BUDGETS.replace(state, between, &drawn)?;
    // Who buys an asset whose account is the sponsor is told that so much has left.
    assets::count_taken(state, between.1, between.0)?;
    let amount = Amount::from_u128(paid);
    state.move_coin(ADDRESS, between.1, amount)?;
    Ok(amount)
}

/// What can be read of a budget.
pub(super) fn shown(state: &mut impl Read, between: Between) -> Result<IIntents::Budget, Failure> {
    let (budget, day) = find(state, between)?;
    Ok(IIntents::Budget {
        left: U256::from(budget.left),
        perIntent: U96::from(budget.per_intent),
        perDay: U96::from(budget.per_day),
        spentToday: U256::from(budget.spent_on(day)),
    })
}
