//! Reverts, with the names of the interfaces' custom errors.

use alloy_primitives::Bytes;
use alloy_sol_types::{GenericContractError, SolError, SolInterface};
use sahara_abi::{
    IAssets, IChannels, ICoin, IContributions, IDisputes, IGovernance, IIncentives, IIntents,
    ILicenses, IMarket, IProtocol, IRoyalties, IStaking, ISystem, IValidators, IVesting, IWorkers,
};
use std::fmt::Debug;

/// A call was refused by the contract or protocol called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("execution reverted: {text}")]
pub struct Revert {
    /// The name of the custom error; `Error` for a reason given as text, empty when unknown.
    pub name: String,
    /// Name and arguments for people, as `UnknownAsset { asset: 7 }`.
    pub text: String,
    /// The data returned.
    pub data: Bytes,
}

impl Revert {
    /// Reads revert data.
    #[must_use]
    pub fn from_data(data: Bytes) -> Self {
        let (name, text) = describe(&data).unwrap_or_else(|| {
            let text = if data.is_empty() { "no reason given".into() } else { data.to_string() };
            (String::new(), text)
        });
        Self { name, text, data }
    }

    /// The typed error, if it is this one.
    #[must_use]
    pub fn decode<E: SolError>(&self) -> Option<E> {
        E::abi_decode(&self.data).ok()
    }

    /// Whether it is this error.
    #[must_use]
    pub fn is<E: SolError>(&self) -> bool {
        self.data.starts_with(&E::SELECTOR)
    }
}

fn describe(data: &[u8]) -> Option<(String, String)> {
    if let Ok(reason) = alloy_sol_types::Revert::abi_decode(data) {
        return Some(("Error".into(), reason.reason().to_owned()));
    }
    type_text::<IProtocol::IProtocolErrors>(data)
        .or_else(|| type_text::<ICoin::ICoinErrors>(data))
        .or_else(|| type_text::<IAssets::IAssetsErrors>(data))
        .or_else(|| type_text::<IRoyalties::IRoyaltiesErrors>(data))
        .or_else(|| type_text::<IChannels::IChannelsErrors>(data))
        .or_else(|| type_text::<IWorkers::IWorkersErrors>(data))
        .or_else(|| type_text::<ISystem::ISystemErrors>(data))
        .or_else(|| type_text::<ILicenses::ILicensesErrors>(data))
        .or_else(|| type_text::<IContributions::IContributionsErrors>(data))
        .or_else(|| type_text::<IMarket::IMarketErrors>(data))
        .or_else(|| type_text::<IStaking::IStakingErrors>(data))
        .or_else(|| type_text::<IVesting::IVestingErrors>(data))
        .or_else(|| type_text::<IGovernance::IGovernanceErrors>(data))
        .or_else(|| type_text::<IIncentives::IIncentivesErrors>(data))
        .or_else(|| type_text::<IIntents::IIntentsErrors>(data))
        .or_else(|| type_text::<IDisputes::IDisputesErrors>(data))
        .or_else(|| type_text::<IValidators::IValidatorsErrors>(data))
        .or_else(|| {
            let panic = GenericContractError::abi_decode(data).ok()?;
            Some(("Panic".into(), panic.to_string()))
        })
}

/// An interface's errors are an enum of structs of the same name: `UnknownAsset(UnknownAsset { ..
/// })` in debug form, of which the inner part is for people.
fn type_text<E: SolInterface + Debug>(data: &[u8]) -> Option<(String, String)> {
    let debug = format!("{:?}", E::abi_decode(data).ok()?);
    let (name, rest) = debug.split_once('(')?;
    let inner = rest.strip_suffix(')').unwrap_or(rest);
    Some((name.to_owned(), inner.to_owned()))
}
