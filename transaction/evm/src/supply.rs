//! The supply law: coin moves, it is neither made nor destroyed, and every protocol holds exactly
//! what it owes.

use crate::state::{AccountDiff, StateDiff};
use alloy_primitives::{Address, U256};
use sahara_abi::FEES;
use sahara_protocols::{Failure, liabilities_change};
use std::collections::BTreeMap;

/// Changed words of one account, `slot -> (before, after)`.
pub(crate) type Words = BTreeMap<U256, (U256, U256)>;

/// How a block breaks the supply law.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// The balance changes do not cancel out.
    #[error("supply law: balances rise by {gained} and fall by {lost} base units, expected equal")]
    Total {
        /// Sum of all increases.
        gained: U256,
        /// Sum of all decreases.
        lost: U256,
    },
    /// A protocol holds something else than it owes.
    #[error("supply law: protocol {protocol} holds {balance} base units, its books say {expected}")]
    Protocol {
        /// The protocol.
        protocol: Address,
        /// Its balance after the block.
        balance: U256,
        /// Its balance before, plus what its books took in, less what they gave.
        expected: U256,
    },
    /// Fees were left undistributed.
    #[error("supply law: {0} base units of fees were left at the end of the block, expected none")]
    FeesLeft(U256),
    /// A protocol's books cannot be read.
    #[error("supply law: {0}")]
    Books(String),
}

/// Checks what a block changed.
///
/// # Errors
/// See [`SupplyError`].
pub fn check_supply(diff: &StateDiff) -> Result<(), SupplyError> {
    let (mut gained, mut lost) = (U256::ZERO, U256::ZERO);
    for (address, account) in &diff.accounts {
        let (before, after) = balances(account);
        gained = add(gained, after.saturating_sub(before))?;
        lost = add(lost, before.saturating_sub(after))?;
        if sahara_protocols::is_protocol(*address) {
            let expected = expected_balance(*address, before, &account.storage)?;
            if after != expected {
                return Err(SupplyError::Protocol { protocol: *address, balance: after, expected });
            }
        } else if *address == FEES && !after.is_zero() {
            return Err(SupplyError::FeesLeft(after));
        }
    }
    if gained == lost { Ok(()) } else { Err(SupplyError::Total { gained, lost }) }
}

/// What a protocol holds beyond what its books say.
///
/// # Errors
/// When it holds less.
pub(crate) fn surplus(
    protocol: Address,
    (before, after): (U256, U256),
    words: &Words,
) -> Result<U256, SupplyError> {
    let expected = expected_balance(protocol, before, words)?;
    after.checked_sub(expected).ok_or(SupplyError::Protocol { protocol, balance: after, expected })
}

fn expected_balance(protocol: Address, before: U256, words: &Words) -> Result<U256, SupplyError> {
    let changes = words.iter().map(|(slot, (before, after))| (*slot, *before, *after));
    let (increase, decrease) = liabilities_change(protocol, changes).map_err(books)?;
    before
        .checked_add(increase)
        .and_then(|sum| sum.checked_sub(decrease))
        .ok_or_else(|| SupplyError::Books(format!("{protocol} gave more than it ever took in")))
}

fn books(failure: Failure) -> SupplyError {
    match failure {
        Failure::Fatal(reason) | Failure::Store(reason) => SupplyError::Books(reason),
        other @ (Failure::Revert(_) | Failure::CallsOut | Failure::OutOfGas) => {
            SupplyError::Books(format!("{other:?}"))
        }
    }
}

fn balances(account: &AccountDiff) -> (U256, U256) {
    let balance = |state: &Option<crate::state::Account>| state.map_or(U256::ZERO, |a| a.balance);
    (balance(&account.before), balance(&account.after))
}

fn add(sum: U256, part: U256) -> Result<U256, SupplyError> {
    sum.checked_add(part).ok_or_else(|| SupplyError::Books("balances exceed 256 bits".into()))
}
