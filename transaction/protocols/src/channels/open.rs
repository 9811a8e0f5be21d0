//! Opening: from what a payer signed to a channel.

use super::MAX_GRANT_ASSETS;
use super::allowance::Allowance;
use super::deposit::take;
use super::storage::{ALLOWANCES, BALANCES, GRANTED, PROGRESS, REVOKED, TERMS};
use super::views::{check_closable, closing};
use super::words::{Balance, Progress, Terms};
use crate::signature::recover_bytes;
use crate::state::{Failure, Read, Write};
use crate::system::parameters;
use crate::workers;
use alloy_primitives::{Address, B256, U256, aliases::U96};
use sahara_abi::{CHANNELS as ADDRESS, IChannels, signing};
use sahara_primitives::{AssetId, BasisPoints, ChannelId, FeeRates};

/// Gas of an EIP-712 signing hash: domain, type, struct and message, about 24 words in four hashes
/// (4 * 30 + 24 * 6), and what a grant's list adds.
const TYPED_HASH_GAS: u64 = 500;

/// Sets aside a reservation; only its gateway, once.
///
/// # Errors
/// [`IChannels::NotGateway`], [`IChannels::SelfPayment`], [`IChannels::Expired`],
/// [`IChannels::AlreadyOpened`], [`IChannels::InvalidSignature`], [`IChannels::GatewayNotBonded`],
/// [`IChannels::InsufficientDeposit`].
pub fn open(
    state: &mut impl Write,
    caller: Address,
    reservation: &IChannels::Reservation,
    signature: &[u8],
) -> Result<ChannelId, Failure> {
    let IChannels::Reservation { payer, gateway, amount, validUntil: valid_until, .. } =
        *reservation;
    check_parties(caller, payer, gateway)?;
    check_valid(state, valid_until)?;
    state.charge(TYPED_HASH_GAS)?;
    let hash = signing::reservation_channel(state.block().chain_id, reservation);
    let id = ChannelId(hash);
    if !PROGRESS.get(state, id)?.gateway.is_zero() {
        return Err(IChannels::AlreadyOpened { channelId: hash }.into());
    }
    check_signer(state, hash, signature, payer)?;
    let fee = bonded(state, gateway)?;
    take(state, payer, U256::from(amount))?;
    write_terms(state, id, reservation.gateway, payer, fee)?;
    let balance = Balance { deposit: amount.saturating_to(), ..Balance::default() };
    BALANCES.set(state, id, &balance)?;
    opened(state, id, payer, gateway, balance)?;
    Ok(id)
}

/// Sets aside `amount` under a key grant; only its gateway. Again to add to it.
///
/// The payer's signature is checked when the channel is first opened: later calls name the channel
/// by the hash that was signed.
///
/// # Errors
/// Those of [`open`] except `AlreadyOpened`, [`IChannels::TooManyAssets`],
/// [`IChannels::GrantRevoked`], [`IChannels::GrantTotalExceeded`], [`IChannels::ChannelClosed`],
/// [`IChannels::ChannelClosing`].
pub fn open_grant(
    state: &mut impl Write,
    caller: Address,
    grant: &IChannels::KeyGrant,
    signature: &[u8],
    amount: U96,
) -> Result<ChannelId, Failure> {
    check_parties(caller, grant.payer, grant.gateway)?;
    check_valid(state, grant.validUntil)?;
    let id = grant_id(state, grant)?;
    if REVOKED.get(state, id)? > 0 {
        return Err(IChannels::GrantRevoked { grantHash: id.0 }.into());
    }
    let fee = bonded(state, grant.gateway)?;
    let is_new = PROGRESS.get(state, id)?.gateway.is_zero();
    if is_new {
        check_signer(state, id.0, signature, grant.payer)?;
        write_terms(state, id, grant.gateway, grant.payer, fee)?;
        write_grant(state, id, grant)?;
    }
    take(state, grant.payer, U256::from(amount))?;
    let balance = BALANCES.update(state, id, |balance| {
        add_to_deposit(balance, id, grant.maxTotal, amount)?;
        balance.is_grant = true;
        balance.is_restricted = !grant.assets.is_empty();
        Ok(*balance)
    })?;
    if is_new {
        opened(state, id, grant.payer, grant.gateway, balance)?;
    } else {
        state.emit(ADDRESS, IChannels::ToppedUp { channelId: id.0, amount })?;
    }
    Ok(id)
}

/// The channel of a grant, whose list must be short enough to be hashed for a known price.
pub(super) fn grant_id(
    state: &mut impl Read,
    grant: &IChannels::KeyGrant,
) -> Result<ChannelId, Failure> {
    if grant.assets.len() > MAX_GRANT_ASSETS {
        let (assets, most) = (U256::from(grant.assets.len()), U256::from(MAX_GRANT_ASSETS));
        return Err(IChannels::TooManyAssets { assets, most }.into());
    }
    state.charge(TYPED_HASH_GAS)?;
    Ok(ChannelId(signing::grant_channel(state.block().chain_id, grant)))
}

/// Refuses a signature of `hash` that is not the one that `expected` made.
pub(super) fn check_signer(
    state: &mut impl Read,
    hash: B256,
    signature: &[u8],
    expected: Address,
) -> Result<(), Failure> {
    if recover_bytes(state, hash, signature)? == Some(expected) {
        Ok(())
    } else {
        Err(IChannels::InvalidSignature { expected }.into())
    }
}

/// The fee of a gateway whose bond stands.
pub(super) fn bonded(state: &mut impl Read, gateway: Address) -> Result<BasisPoints, Failure> {
    workers::gateway_terms(state, gateway)?
        .ok_or_else(|| IChannels::GatewayNotBonded { gateway }.into())
}

fn check_parties(caller: Address, payer: Address, gateway: Address) -> Result<(), Failure> {
    if caller != gateway {
        return Err(IChannels::NotGateway { caller, gateway }.into());
    }
    if payer == gateway {
        return Err(IChannels::SelfPayment { account: payer }.into());
    }
    Ok(())
}

fn check_valid(state: &impl Read, valid_until: u64) -> Result<(), Failure> {
    let timestamp = state.block().timestamp.0;
    if timestamp > valid_until {
        return Err(IChannels::Expired { validUntil: valid_until, timestamp }.into());
    }
    Ok(())
}

fn add_to_deposit(
    balance: &mut Balance,
    id: ChannelId,
    max_total: U96,
    amount: U96,
) -> Result<(), Failure> {
    check_closable(balance, id)?;
    if balance.close_requested_at > 0 {
        return Err(closing(balance, id));
    }
    let total = U256::from(balance.deposit).saturating_add(U256::from(amount));
    let max_total = U256::from(max_total);
    if total > max_total {
        return Err(IChannels::GrantTotalExceeded { total, maxTotal: max_total }.into());
    }
    balance.deposit = total.saturating_to();
    Ok(())
}

fn write_terms(
    state: &mut impl Write,
    id: ChannelId,
    gateway: Address,
    payer: Address,
    fee: BasisPoints,
) -> Result<(), Failure> {
    let rates = FeeRates { protocol: parameters(state)?.protocol_fee, gateway: fee };
    let opened_at = state.block().timestamp.0;
    PROGRESS.set(state, id, &Progress { base: 0, gateway })?;
    TERMS.set(state, id, &Terms { payer, rates, opened_at })
}

fn write_grant(
    state: &mut impl Write,
    id: ChannelId,
    grant: &IChannels::KeyGrant,
) -> Result<(), Failure> {
    let allowance = Allowance::new(grant.maxPerDay.saturating_to(), grant.validUntil);
    ALLOWANCES.set(state, id, &allowance)?;
    for asset in &grant.assets {
        GRANTED.set(state, (id, AssetId(*asset)), &true)?;
    }
    Ok(())
}

fn opened(
    state: &mut impl Write,
    id: ChannelId,
    payer: Address,
    gateway: Address,
    balance: Balance,
) -> Result<(), Failure> {
    let (amount, is_grant) = (U96::saturating_from(balance.deposit), balance.is_grant);
    let event = IChannels::Opened { channelId: id.0, payer, gateway, amount, isGrant: is_grant };
    state.emit(ADDRESS, event)
}
