//! What can be read, and the checks that several rules begin with.

use super::CLOSE_DELAY_SECONDS;
use super::storage::{ALLOWANCES, BALANCES, EARNINGS, FREE, PROGRESS, REVOKED, TERMS};
use super::words::{Balance, Progress};
use crate::state::{Failure, Read, overflow};
use alloy_primitives::{
    Address,
    aliases::{U24, U96},
};
use sahara_abi::IChannels;
use sahara_primitives::{Amount, AssetId, ChannelId};

/// The free deposit of a payer.
///
/// # Errors
/// Those of the state.
pub fn deposit_of(state: &mut impl Read, payer: Address) -> Result<Amount, Failure> {
    FREE.get(state, payer).map(Amount::from_base_units)
}

/// A channel, open or closed.
///
/// # Errors
/// [`IChannels::UnknownChannel`].
pub fn channel(state: &mut impl Read, id: ChannelId) -> Result<IChannels::Channel, Failure> {
    let Progress { base, gateway } = known(state, id)?;
    let terms = TERMS.get(state, id)?;
    let balance = BALANCES.get(state, id)?;
    Ok(IChannels::Channel {
        payer: terms.payer,
        gateway,
        settled: U96::saturating_from(balance.settled),
        deposit: U96::saturating_from(balance.deposit),
        base: U96::saturating_from(base),
        seq: U24::saturating_from(balance.seq),
        closeRequestedAt: balance.close_requested_at,
        isClosed: balance.is_closed,
        isGrant: balance.is_grant,
        protocolFee: terms.rates.protocol.points(),
        gatewayFee: terms.rates.gateway.points(),
    })
}

/// What was used of a key grant, in all and today; zeros before it opens.
///
/// # Errors
/// Those of the state.
pub fn grant_use(state: &mut impl Read, id: ChannelId) -> Result<IChannels::GrantUse, Failure> {
    let now = state.block().timestamp;
    let today = ALLOWANCES.get(state, id)?.used_today(now);
    Ok(IChannels::GrantUse {
        total: U96::saturating_from(BALANCES.get(state, id)?.settled),
        today: U96::saturating_from(today),
        day: now.day(),
        isRevoked: REVOKED.get(state, id)? > 0,
    })
}

/// What the worker and the asset earned on the channel so far.
///
/// # Errors
/// Those of the state.
pub fn earning(
    state: &mut impl Read,
    id: ChannelId,
    asset: AssetId,
    worker: Address,
) -> Result<(Amount, Amount), Failure> {
    let earning = EARNINGS.get(state, (id, asset, worker))?;
    Ok((Amount::from_u128(earning.worker), Amount::from_u128(earning.asset)))
}

/// What a worker served of an asset on a channel, for who counts what it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServedUse {
    /// Who paid.
    pub(crate) payer: Address,
    /// The protocol fees on it, rounded down: all lines of a channel together are at most what it paid.
    pub(crate) fees: u128,
}

/// What a worker served of an asset on a channel.
///
/// # Errors
/// [`IChannels::UnknownChannel`].
pub(crate) fn served(
    state: &mut impl Read,
    id: ChannelId,
    asset: AssetId,
    worker: Address,
) -> Result<ServedUse, Failure> {
    known(state, id)?;
    let terms = TERMS.get(state, id)?;
    let earning = EARNINGS.get(state, (id, asset, worker))?;
    let base = Amount::from_u128(earning.worker).checked_add(Amount::from_u128(earning.asset));
    let fees = terms.rates.protocol.of(base.map_err(overflow)?).map_err(overflow)?;
    Ok(ServedUse { payer: terms.payer, fees: fees.to_u128().unwrap_or_default() })
}

/// The progress of a channel that was opened.
pub(super) fn known(state: &mut impl Read, id: ChannelId) -> Result<Progress, Failure> {
    let progress = PROGRESS.get(state, id)?;
    if progress.gateway.is_zero() {
        return Err(IChannels::UnknownChannel { channelId: id.0 }.into());
    }
    Ok(progress)
}

/// Refuses a closed channel.
pub(super) fn check_closable(balance: &Balance, id: ChannelId) -> Result<(), Failure> {
    if balance.is_closed {
        return Err(IChannels::ChannelClosed { channelId: id.0 }.into());
    }
    Ok(())
}

/// When anyone may close a channel that its payer asked to close.
pub(super) fn closable_at(balance: &Balance) -> u64 {
    u64::from(balance.close_requested_at).saturating_add(CLOSE_DELAY_SECONDS)
}

/// The refusal of a channel that its payer asked to close.
pub(super) fn closing(balance: &Balance, id: ChannelId) -> Failure {
    IChannels::ChannelClosing { channelId: id.0, closableAt: closable_at(balance) }.into()
}
