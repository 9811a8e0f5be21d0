//! Decoded call → rule.

use super::{
    CLOSE_DELAY_SECONDS, channel, claim_and_count, claim_batch, close, deposit_of, earning, fund,
    grant_use, open, open_grant, request_close, revoke, withdraw,
};
use crate::dispatch::Call;
use crate::state::{Failure, Write};
use crate::system::parameters;
use alloy_primitives::Bytes;
use sahara_abi::IChannels::{self, IChannelsCalls as Function};
use sahara_abi::signing;
use sahara_primitives::{Amount, AssetId, ChannelId};

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode::<Function>()? {
        Function::fund(f) => {
            call.payable(f, |f| fund(state, caller, f.payer, value).map(Into::into))
        }
        Function::withdraw(f) => call.change(f, |f| {
            withdraw(state, caller, Amount::from_base_units(f.amount)).map(Into::into)
        }),
        Function::open(f) => {
            call.change(f, |f| open(state, caller, &f.reservation, &f.signature).map(|id| id.0))
        }
        Function::openGrant(f) => call.change(f, |f| {
            open_grant(state, caller, &f.grant, &f.signature, f.amount).map(|id| id.0)
        }),
        Function::revoke(f) => call.change(f, |f| revoke(state, caller, &f.grant).map(Into::into)),
        Function::claimBatch(f) => {
            call.change(f, |f| claim_batch(state, caller, &f.claims).map(Into::into))
        }
        Function::claimAndCount(f) => {
            call.change(f, |f| claim_and_count(state, caller, &f.claims, &f.uses).map(Into::into))
        }
        Function::requestClose(f) => {
            call.change(f, |f| request_close(state, caller, ChannelId(f.channelId)).map(Into::into))
        }
        Function::close(f) => {
            call.change(f, |f| close(state, caller, ChannelId(f.channelId)).map(Into::into))
        }
        Function::depositOf(f) => {
            call.view(f, |f| deposit_of(state, f.payer).map(Amount::base_units))
        }
        Function::channel(f) => call.view(f, |f| channel(state, ChannelId(f.channelId))),
        Function::grantUse(f) => call.view(f, |f| grant_use(state, ChannelId(f.channelId))),
        Function::earning(f) => call.view(f, |f| {
            let id = ChannelId(f.channelId);
            let (worker, asset) = earning(state, id, AssetId(f.asset), f.worker)?;
            Ok(IChannels::earningReturn {
                cumulativeWorker: worker.base_units().saturating_to(),
                cumulativeAsset: asset.base_units().saturating_to(),
            })
        }),
        Function::DOMAIN_SEPARATOR(f) => {
            call.view(f, |_| Ok(signing::channels_domain(state.block().chain_id).separator()))
        }
        Function::closeDelay(f) => call.view(f, |_| Ok(CLOSE_DELAY_SECONDS)),
        Function::protocolFee(f) => call.view(f, |_| Ok(parameters(state)?.protocol_fee.points())),
    }
}
