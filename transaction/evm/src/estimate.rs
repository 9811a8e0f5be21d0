//! Gas estimates.

use crate::{
    call::{CALL_GAS, CallError, Session},
    env::BlockEnv,
    machine::MachineContext,
    native::Ledger,
    refusal::Refusal,
    rules::Rules,
    state::ParentState,
    transition::TransitionError,
};
use alloy_primitives::U256;
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverride};
use revm::inspector::{Inspector, NoOpInspector};
use sahara_protocols::royalties;

/// EIP-7825: the most gas a transaction may ask for.
const TRANSACTION_GAS: u64 = 1 << 24;

/// Gas that settling one pool takes at most, of which the sender is member and owner: eight words read, three
/// changed, a credit and a log.
const SETTLED_POOL_GAS: u64 = 35_000;

/// The least gas limit with which the call succeeds, to within 1.5 %; and room for what its sender may
/// earn before it runs, which is settled first, in its gas. What is not used is not paid.
///
/// # Errors
/// [`CallError::Failed`] when it fails with all the gas it may have.
pub fn estimate_gas<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    request: &TransactionRequest,
    overrides: Option<&StateOverride>,
) -> Result<u64, CallError> {
    let mut session = Session::open(rules, state, env, (request, overrides), NoOpInspector)?;
    let block = env.gas_limit.saturating_sub(crate::system_gas(env));
    let asked = request.gas.unwrap_or(TRANSACTION_GAS).min(TRANSACTION_GAS);
    let most = asked.min(block.max(21_000)).min(session.affordable_gas()?);
    let least = session.least_gas(most)?;
    let room = if rules.is_native() { session.room_for_earnings()? } else { 0 };
    Ok(least.saturating_add(room).min(most))
}

/// Within 1.5 % of each other.
const fn is_close(low: u64, high: u64) -> bool {
    high.saturating_sub(low).saturating_mul(200) < high.saturating_mul(3)
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> Session<S, I> {
    /// The least gas limit up to `high` with which the call succeeds, to within 1.5 %.
    fn least_gas(&mut self, mut high: u64) -> Result<u64, CallError> {
        let first = self.run(high)?;
        if !first.is_success() {
            return Err(CallError::Failed(Box::new(first)));
        }
        if self.succeeds(first.gas_used)? {
            return Ok(first.gas_used);
        }
        let mut low = first.gas_used;
        while high.saturating_sub(low) > 1 && !is_close(low, high) {
            let middle = low.midpoint(high);
            if self.succeeds(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high)
    }

    /// Gas for pools of the sender of which nothing waits now. A plain transfer needs none: where its gas
    /// does not suffice nothing is settled, and it goes on.
    fn room_for_earnings(&mut self) -> Result<u64, CallError> {
        if self.transaction.data.is_empty() && self.transaction.kind.is_call() {
            return Ok(0);
        }
        let sender = self.transaction.caller;
        let mut ledger = Ledger::new(&mut self.machine.inner.ctx, CALL_GAS, true);
        let pools = royalties::settled_before(&mut ledger, sender);
        drop(self.machine.take_changes());
        let pools = pools.map_err(|failure| TransitionError::Fatal(format!("{failure:?}")))?;
        Ok(SETTLED_POOL_GAS.saturating_mul(pools.into()))
    }

    fn succeeds(&mut self, gas: u64) -> Result<bool, CallError> {
        match self.run(gas) {
            Ok(outcome) => Ok(outcome.is_success()),
            Err(CallError::Refused(Refusal::IntrinsicGas { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The gas the sender's coin pays for, when the call names a price.
    fn affordable_gas(&mut self) -> Result<u64, CallError> {
        let price = U256::from(self.transaction.gas_price);
        let caller = self.transaction.caller;
        let held = self.machine.state().account(caller)?.unwrap_or_default().balance;
        let free = held.saturating_sub(self.transaction.value);
        Ok(free.checked_div(price).map_or(u64::MAX, |gas| gas.saturating_to()))
    }
}
