//! The free deposit.

use super::storage::FREE;
use crate::dispatch::is_reserved;
use crate::state::{Failure, Write};
use alloy_primitives::{Address, U256};
use sahara_abi::{CHANNELS as ADDRESS, IChannels, IProtocol};
use sahara_primitives::Amount;

/// Adds `amount`, sent with the call by `from`, to the free deposit of `payer`.
///
/// # Errors
/// [`IChannels::InvalidPayer`] for the zero address and protocols, which never withdraw.
pub fn fund(
    state: &mut impl Write,
    from: Address,
    payer: Address,
    amount: Amount,
) -> Result<(), Failure> {
    if payer.is_zero() || is_reserved(payer) {
        return Err(IChannels::InvalidPayer { payer }.into());
    }
    give(state, payer, amount.base_units())?;
    state.emit(ADDRESS, IChannels::Funded { payer, from, amount: amount.base_units() })
}

/// Returns `amount` of the caller's free deposit.
///
/// # Errors
/// [`IChannels::InsufficientDeposit`].
pub fn withdraw(state: &mut impl Write, payer: Address, amount: Amount) -> Result<(), Failure> {
    take(state, payer, amount.base_units())?;
    state.move_coin(ADDRESS, payer, amount)?;
    state.emit(ADDRESS, IChannels::Withdrawn { payer, amount: amount.base_units() })
}

/// Moves coin of the protocol into a free deposit.
pub(super) fn give(state: &mut impl Write, payer: Address, amount: U256) -> Result<(), Failure> {
    FREE.update(state, payer, |free| {
        *free = free.checked_add(amount).ok_or(IProtocol::Overflow {})?;
        Ok(())
    })
}

/// Moves coin out of a free deposit.
pub(super) fn take(state: &mut impl Write, payer: Address, needed: U256) -> Result<(), Failure> {
    FREE.update(state, payer, |free| {
        *free = free.checked_sub(needed).ok_or(IChannels::InsufficientDeposit {
            payer,
            free: *free,
            needed,
        })?;
        Ok(())
    })
}
