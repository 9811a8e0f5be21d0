//! What a proposal is about: it follows from what it calls, and the strictest of its calls decides.

use crate::dispatch::is_protocol;
use alloy_primitives::Address;
use alloy_sol_types::SolCall;
use sahara_abi::{
    COIN, DISPUTES, GOVERNANCE, IDisputes,
    IGovernance::{self, Kind},
    INCENTIVES, INTENTS, IStaking, ISystem, IVesting, STAKING, SYSTEM, VESTING,
};

/// A call that a proposal makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Whom.
    pub target: Address,
    /// With what.
    pub data: Vec<u8>,
}

fn has<C: SolCall>(data: &[u8]) -> bool {
    data.starts_with(&C::SELECTOR)
}

impl Action {
    /// Nothing is called: the proposal only says something.
    pub(super) fn is_text(&self) -> bool {
        self.target.is_zero() && self.data.is_empty()
    }

    /// Whether the protocol's own code must make the call.
    pub(super) fn calls_contract(&self) -> bool {
        !is_protocol(self.target) && !self.is_text()
    }

    /// What it is about; `None` for what no proposal may do: to make governance do what people do
    /// (propose, vote, execute), by an intent neither, to move its coin, which is others' deposits, or to take
    /// the system's part.
    pub(super) fn kind(&self) -> Option<Kind> {
        let data = self.data.as_slice();
        if self.is_text() {
            return Some(Kind::Text);
        }
        match self.target {
            GOVERNANCE => of_governance(data),
            COIN => None,
            SYSTEM if has::<ISystem::endBlockCall>(data) => None,
            INTENTS => None,
            SYSTEM => Some(Kind::Parameter),
            STAKING if has::<IStaking::setParametersCall>(data) => Some(Kind::Parameter),
            DISPUTES if has::<IDisputes::setParametersCall>(data) => Some(Kind::Parameter),
            VESTING if has::<IVesting::offerAuthorityCall>(data) => Some(Kind::Upgrade),
            VESTING | INCENTIVES | DISPUTES => Some(Kind::Treasury),
            _ => Some(Kind::Upgrade),
        }
    }
}

fn of_governance(data: &[u8]) -> Option<Kind> {
    let is_rule = has::<IGovernance::setRulesCall>(data)
        || has::<IGovernance::setSettingsCall>(data)
        || has::<IGovernance::scheduleUpgradeCall>(data)
        || has::<IGovernance::cancelUpgradeCall>(data);
    if is_rule {
        return Some(Kind::Upgrade);
    }
    let is_pause = has::<IGovernance::pauseCall>(data) || has::<IGovernance::unpauseCall>(data);
    is_pause.then_some(Kind::Emergency)
}
