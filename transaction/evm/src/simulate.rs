//! Blocks that are only thought of (`eth_simulateV1`): calls one after another, each seeing what
//! those before it did, in as many blocks as one likes.
//!
//! The block's end is left out: fees wait in their account, nothing is swept. What a caller wants to
//! know is what its calls do.

use crate::{
    call::{CALL_GAS, CallError, CallOutcome, apply, transaction_env},
    env::BlockEnv,
    machine::Machine,
    overlay::Overlay,
    refusal::{Circumstances, Refusal},
    rules::Rules,
    state::ParentState,
    system,
};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverride};
use revm::context::TxEnv;
use revm_inspectors::transfer::TransferInspector;

/// A state on which simulated blocks follow each other.
#[derive(Debug)]
pub struct Simulation<S> {
    rules: Rules,
    state: Overlay<S>,
    /// Gas that all calls together may still use.
    gas_left: u64,
}

/// What one simulated block does.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedBlock<'a> {
    /// Changed before the first call.
    pub overrides: Option<&'a StateOverride>,
    /// In this order.
    pub calls: &'a [TransactionRequest],
    /// Whether nonces, fees and senders are checked as in a real block.
    pub is_validated: bool,
    /// Whether moved coin is shown as logs of `0xeeee…`.
    pub traces_transfers: bool,
}

impl<S: ParentState> Simulation<S> {
    /// Begins on a state.
    #[must_use]
    pub const fn new(rules: Rules, state: S) -> Self {
        Self { rules, state: Overlay::new(state), gas_left: CALL_GAS }
    }

    /// Runs a block. With the outcomes comes each call as it ran, its nonce and gas filled in.
    ///
    /// # Errors
    /// See [`CallError`]; a call that runs and fails is an outcome.
    pub fn block(
        mut self,
        env: &BlockEnv,
        block: SimulatedBlock<'_>,
    ) -> Result<(Self, Vec<(TransactionRequest, CallOutcome)>), CallError> {
        if let Some(overrides) = block.overrides {
            apply(&mut self.state, overrides)?;
        }
        let inspector = TransferInspector::new(false).with_logs(true);
        let mut machine = Machine::new(self.rules, self.state, env, inspector);
        system::open_block(&mut machine, &self.rules, env)?;
        let cfg = &mut machine.inner.ctx.cfg;
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        cfg.disable_nonce_check = !block.is_validated;
        cfg.disable_eip3607 = !block.is_validated;
        cfg.disable_base_fee = !block.is_validated;
        let mut room = env.gas_limit;
        let mut outcomes = Vec::new();
        for request in block.calls {
            let mut request = request.clone();
            let account = machine.state().account(request.from.unwrap_or_default())?;
            let nonce = *request.nonce.get_or_insert(account.unwrap_or_default().nonce);
            let asked = request.gas.unwrap_or(room);
            if asked > room {
                return Err(Refusal::BlockGasLimit { gas_limit: asked, available: room }.into());
            }
            let gas_limit = asked.min(self.gas_left);
            request.gas = Some(gas_limit);
            let prepared = transaction_env(&self.rules, &request, nonce)?;
            let about = circumstances(&self.rules, &prepared, env);
            let ran = if block.traces_transfers {
                machine.inspect(prepared)?
            } else {
                machine.run(prepared)?
            };
            let result = ran.map_err(|invalid| Refusal::from_revm(&invalid, &about))?;
            machine.commit()?;
            let outcome = CallOutcome::new(result);
            room = room.saturating_sub(outcome.gas_used);
            self.gas_left = self.gas_left.saturating_sub(outcome.gas_used);
            outcomes.push((request, outcome));
        }
        let state = machine.into_state();
        Ok((Self { rules: self.rules, state, gas_left: self.gas_left }, outcomes))
    }

    /// Lets the blocks to come know the hash of one that was run.
    pub fn seal(&mut self, number: u64, hash: B256) {
        self.state.set_block_hash(number, hash);
    }
}

const fn circumstances(rules: &Rules, transaction: &TxEnv, env: &BlockEnv) -> Circumstances {
    Circumstances {
        chain_id: rules.chain_id(),
        tx_chain_id: transaction.chain_id,
        max_fee: transaction.gas_price,
        base_fee: env.base_fee,
        gas_limit: transaction.gas_limit,
        block_gas_limit: env.gas_limit,
    }
}
