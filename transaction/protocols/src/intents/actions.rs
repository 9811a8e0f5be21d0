//! What an intent may do: a closed list.
//!
//! On it is what brings an account what it earned, what it may say without paying, and what ends or
//! returns something of its own. Nothing on it hands an asset, a licence or coin to somebody else.

use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use sahara_abi::{
    CHANNELS, CONTRIBUTIONS, DISPUTES, GOVERNANCE, IChannels, IContributions, IDisputes,
    IGovernance, IIncentives, IIntents, IMarket, INCENTIVES, INTENTS, IRoyalties, IStaking,
    IVesting, IWorkers, MARKET, ROYALTIES, STAKING, VESTING, WORKERS,
};

/// A function of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Action {
    /// The protocol's name, as in `sahara abi`.
    pub(super) name: &'static str,
    /// The protocol.
    pub(super) protocol: Address,
    /// The function, as its selector is made of.
    pub(super) signature: &'static str,
    /// The first bytes of its call.
    pub(super) selector: [u8; 4],
}

const fn action<C: SolCall>(name: &'static str, protocol: Address) -> Action {
    Action { name, protocol, signature: C::SIGNATURE, selector: C::SELECTOR }
}

/// Every action.
pub(super) const ACTIONS: &[Action] = &[
    action::<IRoyalties::settleCall>("royalties", ROYALTIES),
    action::<IChannels::withdrawCall>("channels", CHANNELS),
    action::<IChannels::revokeCall>("channels", CHANNELS),
    action::<IChannels::requestCloseCall>("channels", CHANNELS),
    action::<IChannels::closeCall>("channels", CHANNELS),
    action::<IWorkers::unserveCall>("workers", WORKERS),
    action::<IWorkers::leaveCall>("workers", WORKERS),
    action::<IWorkers::withdrawBondCall>("workers", WORKERS),
    action::<IContributions::activateCall>("contributions", CONTRIBUTIONS),
    action::<IMarket::cancelCall>("market", MARKET),
    action::<IMarket::cancelOfferCall>("market", MARKET),
    action::<IMarket::releaseCall>("market", MARKET),
    action::<IStaking::delegateCall>("staking", STAKING),
    action::<IStaking::undelegateCall>("staking", STAKING),
    action::<IStaking::redelegateCall>("staking", STAKING),
    action::<IStaking::withdrawCall>("staking", STAKING),
    action::<IStaking::settleCall>("staking", STAKING),
    action::<IStaking::compoundCall>("staking", STAKING),
    action::<IGovernance::castVoteCall>("governance", GOVERNANCE),
    action::<IGovernance::castVoteWithReasonCall>("governance", GOVERNANCE),
    action::<IGovernance::withdrawDepositCall>("governance", GOVERNANCE),
    action::<IVesting::releaseCall>("vesting", VESTING),
    action::<IVesting::claimCall>("vesting", VESTING),
    action::<IVesting::acceptBeneficiaryCall>("vesting", VESTING),
    action::<IIncentives::deliverCall>("incentives", INCENTIVES),
    action::<IIncentives::settleReviewCall>("incentives", INCENTIVES),
    action::<IIncentives::claimCall>("incentives", INCENTIVES),
    action::<IDisputes::enlistCall>("disputes", DISPUTES),
    action::<IDisputes::dischargeCall>("disputes", DISPUTES),
    action::<IDisputes::commitCall>("disputes", DISPUTES),
    action::<IDisputes::revealCall>("disputes", DISPUTES),
    action::<IDisputes::closeCall>("disputes", DISPUTES),
    action::<IIntents::cancelCall>("intents", INTENTS),
];

impl Action {
    /// As an intent names it.
    pub(super) fn text(&self) -> String {
        format!("{}.{}", self.name, self.signature)
    }
}

/// The action of a name.
pub(super) fn find(text: &str) -> Option<&'static Action> {
    let (name, signature) = text.split_once('.')?;
    ACTIONS.iter().find(|action| action.name == name && action.signature == signature)
}
