//! Closing and revoking: how a payer gets back what was not collected.

use super::deposit::give;
use super::open::grant_id;
use super::storage::{ALLOWANCES, BALANCES, PROGRESS, REVOKED, TERMS};
use super::views::{check_closable, closable_at, closing, known};
use super::words::Balance;
use crate::state::{Failure, Write};
use alloy_primitives::{Address, U256, aliases::U96};
use sahara_abi::{CHANNELS as ADDRESS, IChannels, IProtocol};
use sahara_primitives::ChannelId;

/// The payer asks for the rest.
///
/// # Errors
/// [`IChannels::UnknownChannel`], [`IChannels::NotPayer`], [`IChannels::ChannelClosed`],
/// [`IChannels::ChannelClosing`].
pub fn request_close(
    state: &mut impl Write,
    caller: Address,
    id: ChannelId,
) -> Result<(), Failure> {
    known(state, id)?;
    let payer = TERMS.get(state, id)?.payer;
    if caller != payer {
        return Err(IChannels::NotPayer { caller, payer }.into());
    }
    begin(state, id)
}

/// Returns to the payer's free deposit what was not collected: the gateway at once, anyone after the
/// delay.
///
/// # Errors
/// [`IChannels::UnknownChannel`], [`IChannels::ChannelClosed`], [`IChannels::CloseNotRequested`],
/// [`IChannels::TooEarly`].
pub fn close(state: &mut impl Write, caller: Address, id: ChannelId) -> Result<(), Failure> {
    let gateway = known(state, id)?.gateway;
    let timestamp = state.block().timestamp.0;
    let returned = BALANCES.update(state, id, |balance| {
        check_closable(balance, id)?;
        if caller != gateway {
            check_delay(balance, id, timestamp)?;
        }
        let returned = balance.held();
        balance.deposit = balance.settled;
        balance.is_closed = true;
        Ok(returned)
    })?;
    let payer = TERMS.get(state, id)?.payer;
    give(state, payer, U256::from(returned))?;
    let returned = U96::saturating_from(returned);
    state.emit(ADDRESS, IChannels::Closed { channelId: id.0, returned })
}

/// Ends a key grant at once and, when it is open, begins to close its channel; only its payer.
///
/// # Errors
/// [`IChannels::NotPayer`], [`IChannels::TooManyAssets`], [`IChannels::GrantRevoked`].
pub fn revoke(
    state: &mut impl Write,
    caller: Address,
    grant: &IChannels::KeyGrant,
) -> Result<(), Failure> {
    let payer = grant.payer;
    if caller != payer {
        return Err(IChannels::NotPayer { caller, payer }.into());
    }
    let id = grant_id(state, grant)?;
    let now = state.block().timestamp;
    REVOKED.update(state, id, |revoked_at| {
        if *revoked_at > 0 {
            return Err(IChannels::GrantRevoked { grantHash: id.0 }.into());
        }
        *revoked_at = now.0.max(1);
        Ok(())
    })?;
    state.emit(ADDRESS, IChannels::Revoked { payer, grantHash: id.0 })?;
    if PROGRESS.get(state, id)?.gateway.is_zero() {
        return Ok(());
    }
    ALLOWANCES.update(state, id, |allowance| {
        allowance.end(now);
        Ok(())
    })?;
    let balance = BALANCES.get(state, id)?;
    if balance.is_closed || balance.close_requested_at > 0 {
        return Ok(());
    }
    begin(state, id)
}

/// Starts the delay, once.
fn begin(state: &mut impl Write, id: ChannelId) -> Result<(), Failure> {
    let now = u32::try_from(state.block().timestamp.0).map_err(|_| IProtocol::Overflow {})?;
    let closable_at = BALANCES.update(state, id, |balance| {
        check_closable(balance, id)?;
        if balance.close_requested_at > 0 {
            return Err(closing(balance, id));
        }
        balance.close_requested_at = now.max(1);
        Ok(closable_at(balance))
    })?;
    state.emit(ADDRESS, IChannels::CloseRequested { channelId: id.0, closableAt: closable_at })
}

fn check_delay(balance: &Balance, id: ChannelId, timestamp: u64) -> Result<(), Failure> {
    if balance.close_requested_at == 0 {
        return Err(IChannels::CloseNotRequested { channelId: id.0 }.into());
    }
    let closable_at = closable_at(balance);
    if timestamp < closable_at {
        return Err(IChannels::TooEarly { closableAt: closable_at, timestamp }.into());
    }
    Ok(())
}
