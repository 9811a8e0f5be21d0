//! What every block does by itself: gas fees to validators.

use super::{Apply, Place, Reason, read};
use crate::{database::coin, error::IndexError};
use alloy_primitives::Address;
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{INCENTIVE_POOL, ISystem, SYSTEM};
use sahara_client::Log;
use std::collections::BTreeMap;

impl Apply<'_> {
    pub(super) fn system_log(&mut self, place: Place<'_>, log: &Log) -> Result<(), IndexError> {
        let topic = log.inner.data.topics().first().copied();
        if topic != Some(ISystem::FeesDistributed::SIGNATURE_HASH) {
            return Ok(());
        }
        let Some(event) = read::<ISystem::FeesDistributed>(log) else { return Ok(()) };
        self.tally.chain("gas_fees", coin(event.total)?)?;
        let incentive = coin(event.incentivePool)?;
        if incentive > 0 {
            self.tally.account(INCENTIVE_POOL, None, Reason::ProtocolFee, incentive)?;
        }
        let transaction = place.transaction;
        if transaction.to != Some(SYSTEM) {
            return Ok(());
        }
        let Ok(call) = ISystem::endBlockCall::abi_decode(&transaction.input) else { return Ok(()) };
        for (validator, amount) in seats(&call, coin(event.validators)?) {
            self.tally.account(validator, None, Reason::Validation, amount)?;
        }
        Ok(())
    }
}

/// One equal part a seat, the remainder to the leader, as the protocol divides.
fn seats(call: &ISystem::endBlockCall, total: u128) -> BTreeMap<Address, u128> {
    let number = u128::try_from(call.recipients.len()).unwrap_or(u128::MAX);
    let seat = total.checked_div(number).unwrap_or_default();
    let mut parts = BTreeMap::<_, u128>::new();
    let mut rest = total;
    for recipient in &call.recipients {
        let part = parts.entry(*recipient).or_default();
        *part = part.saturating_add(seat);
        rest = rest.saturating_sub(seat);
    }
    let leader = parts.entry(call.leader).or_default();
    *leader = leader.saturating_add(rest);
    parts.retain(|_, amount| *amount > 0);
    parts
}
