//! Decoded call → rule.

use super::{
    actions::{ACTIONS, Action},
    budgets,
    relaying::{self, Brought},
    storage::USED,
};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::Bytes;
use alloy_sol_types::SolCall;
use sahara_abi::{
    IIntents::{self, IIntentsCalls as Function},
    signing::intents_domain,
};

/// Gas for writing all actions out: three dozen texts, some 5 us.
const ACTIONS_GAS: u64 = 2_000;

/// The call's data without bytes that nobody reads, which are not repaid.
fn proper<'a, C: SolCall>(call: &Call<'a>, decoded: &C) -> &'a [u8] {
    let length = decoded.abi_encoded_size().saturating_add(4);
    call.data.get(..length).unwrap_or(call.data)
}

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match call.decode::<Function>()? {
        Function::relay(f) => call.change(f, |f| {
            let data = proper(call, &f);
            let brought =
                Brought { intent: &f.intent, signature: &f.signature, sponsor: None, data };
            let done = relaying::relay(state, caller, &brought)?;
            Ok(IIntents::relayReturn { fee: done.fee.base_units(), result: done.result })
        }),
        Function::relaySponsored(f) => call.change(f, |f| {
            let data = proper(call, &f);
            let sponsor = Some(f.sponsor);
            let brought = Brought { intent: &f.intent, signature: &f.signature, sponsor, data };
            let done = relaying::relay(state, caller, &brought)?;
            Ok(IIntents::relaySponsoredReturn {
                fee: done.fee.base_units(),
                sponsored: done.sponsored.base_units(),
                result: done.result,
            })
        }),
        Function::cancel(f) => {
            call.change(f, |f| relaying::cancel(state, caller, f.nonce).map(Into::into))
        }
        Function::sponsor(f) => call.payable(f, |f| {
            let limits = (f.perIntent, f.perDay);
            budgets::sponsor(state, (caller, f.relayer), call.value, limits).map(Into::into)
        }),
        Function::withdrawBudget(f) => call
            .change(f, |f| budgets::withdraw(state, (caller, f.relayer), f.amount).map(Into::into)),
        Function::isUsed(f) => call.view(f, |f| relaying::is_used(state, f.account, f.nonce)),
        Function::nonceBitmap(f) => call.view(f, |f| USED.get(state, (f.account, f.word.into()))),
        Function::budget(f) => call.view(f, |f| budgets::shown(state, (f.sponsor, f.relayer))),
        Function::intentHash(f) => call.view(f, |f| relaying::hash(state, &f.intent)),
        Function::actions(f) => call.view(f, |_| {
            state.charge(ACTIONS_GAS)?;
            Ok(ACTIONS.iter().map(Action::text).collect())
        }),
        Function::DOMAIN_SEPARATOR(f) => {
            call.view(f, |_| Ok(intents_domain(state.block().chain_id).separator()))
        }
    }
}
