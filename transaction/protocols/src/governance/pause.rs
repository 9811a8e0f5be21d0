//! Pauses: what leads into protocols stops for a while; what leads out never does.

use super::{
    parameters::settings,
    storage::{GUARDIAN_RESTS, PAUSES},
    words::Pause,
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use sahara_abi::{
    ASSETS, CHANNELS, CONTRIBUTIONS, GOVERNANCE as ADDRESS, IAssets, IChannels, IContributions,
    IGovernance, ILicenses, IMarket, IStaking, IWorkers, LICENSES, MARKET, STAKING, WORKERS,
};

/// What a pause of a protocol stops: new obligations and coin on its way in. Whatever pays, returns,
/// collects, closes or withdraws is not among them, and cannot be added by any proposal.
pub const fn entries(protocol: Address) -> &'static [[u8; 4]] {
    match protocol {
        ASSETS => &[IAssets::registerCall::SELECTOR],
        CHANNELS => &[
            IChannels::fundCall::SELECTOR,
            IChannels::openCall::SELECTOR,
            IChannels::openGrantCall::SELECTOR,
        ],
        WORKERS => {
            &[IWorkers::registerWorkerCall::SELECTOR, IWorkers::registerGatewayCall::SELECTOR]
        }
        LICENSES => &[ILicenses::buyCall::SELECTOR, ILicenses::renewCall::SELECTOR],
        CONTRIBUTIONS => &[IContributions::commitCall::SELECTOR],
        MARKET => &[
            IMarket::listCall::SELECTOR,
            IMarket::buyCall::SELECTOR,
            IMarket::makeOfferCall::SELECTOR,
            IMarket::acceptOfferCall::SELECTOR,
            IMarket::openAuctionCall::SELECTOR,
            IMarket::bidCall::SELECTOR,
        ],
        STAKING => &[
            IStaking::createValidatorCall::SELECTOR,
            IStaking::delegateCall::SELECTOR,
            IStaking::compoundCall::SELECTOR,
        ],
        _ => &[],
    }
}

/// Refuses a call that leads into a paused protocol. Only such calls pay for the look.
///
/// # Errors
/// `EntriesPaused`.
pub(crate) fn check_entry(
    state: &mut impl Read,
    protocol: Address,
    data: &[u8],
) -> Result<(), Failure> {
    if !entries(protocol).iter().any(|selector| data.starts_with(selector)) {
        return Ok(());
    }
    match paused_until(state, protocol)? {
        0 => Ok(()),
        until => Err(IGovernance::EntriesPaused { protocol, until }.into()),
    }
}

/// The first second after a protocol's pause; 0 when it is not paused.
///
/// # Errors
/// Those of the state.
pub fn paused_until(state: &mut impl Read, protocol: Address) -> Result<u64, Failure> {
    let until = PAUSES.get(state, protocol)?.until;
    Ok(if until > state.block().timestamp.0 { until } else { 0 })
}

fn check_protocols(protocols: &[Address]) -> Result<(), Failure> {
    if protocols.is_empty() {
        return Err(IGovernance::NotPausable { protocol: Address::ZERO }.into());
    }
    match protocols.iter().find(|protocol| entries(**protocol).is_empty()) {
        Some(protocol) => Err(IGovernance::NotPausable { protocol: *protocol }.into()),
        None => Ok(()),
    }
}

fn check_power(caller: Address, guardian: Address) -> Result<bool, Failure> {
    let is_vote = caller == ADDRESS;
    if !is_vote && (guardian.is_zero() || caller != guardian) {
        return Err(IGovernance::OnlyGuardian { caller }.into());
    }
    Ok(is_vote)
}

/// Stops the entries of protocols for so many seconds from now on, which for a vote is when it is executed.
/// The guardian can do it once and must rest then; a vote can do it again, which takes its time.
///
/// # Errors
/// `OnlyGuardian`, `NotPausable`, `PauseTooLong`, `GuardianRests`.
pub fn pause(
    state: &mut impl Write,
    caller: Address,
    protocols: &[Address],
    duration: u64,
) -> Result<(), Failure> {
    let settings = settings(state)?;
    let is_vote = check_power(caller, settings.guardian)?;
    check_protocols(protocols)?;
    let now = state.block().timestamp.0;
    let most = u64::from(settings.pause_for);
    if duration == 0 || duration > most {
        return Err(IGovernance::PauseTooLong { duration, most }.into());
    }
    let until = now.saturating_add(duration);
    if !is_vote {
        GUARDIAN_RESTS.update(state, |rests| {
            if *rests > now {
                return Err(IGovernance::GuardianRests { until: *rests }.into());
            }
            *rests = until.saturating_add(settings.pause_rest.into());
            Ok(())
        })?;
    }
    for protocol in protocols {
        PAUSES.set(state, *protocol, &Pause { until })?;
        let event = IGovernance::Paused { protocol: *protocol, until, by: caller };
        state.emit(ADDRESS, event)?;
    }
    Ok(())
}

/// Ends pauses early.
///
/// # Errors
/// `OnlyGuardian`, `NotPausable`.
pub fn unpause(
    state: &mut impl Write,
    caller: Address,
    protocols: &[Address],
) -> Result<(), Failure> {
    check_power(caller, settings(state)?.guardian)?;
    check_protocols(protocols)?;
    for protocol in protocols {
        PAUSES.set(state, *protocol, &Pause::default())?;
        state.emit(ADDRESS, IGovernance::Unpaused { protocol: *protocol, by: caller })?;
    }
    Ok(())
}
