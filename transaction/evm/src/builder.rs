//! A block in the making, one transaction after another.

use crate::{
    env::{BlockEnv, transaction_env},
    ethereum,
    machine::Machine,
    overlay::Overlay,
    refusal::{Circumstances, Refusal},
    rules::Rules,
    sender::RecoveredTransaction,
    state::{Account, ParentState, StateError},
    supply::check_supply,
    system,
    transition::{BlockOutcome, Execution, TransitionError},
};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use revm::{
    context::result::{ExecutionResult, HaltReason, Output},
    inspector::NoOpInspector,
};
use sahara_abi::GOVERNANCE;
use sahara_finality::{
    EthereumTransaction, SYSTEM_TYPE, SystemTransaction, TxReceipt, block_bloom,
};
use sahara_protocols::governance;

/// Executes a block's transactions as they are chosen. What [`crate::execute_block`] does with a
/// finished block goes through here too, so that proposing and verifying cannot differ.
pub struct BlockBuilder<S: ParentState> {
    machine: Machine<S, NoOpInspector>,
    rules: Rules,
    env: BlockEnv,
    receipts: Vec<TxReceipt>,
    executions: Vec<Execution>,
    gas_used: u64,
    blob_gas_used: u64,
}

impl<S: ParentState> std::fmt::Debug for BlockBuilder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockBuilder")
            .field("env", &self.env)
            .field("transactions", &self.receipts.len())
            .field("gas_used", &self.gas_used)
            .finish_non_exhaustive()
    }
}

impl<S: ParentState> BlockBuilder<S> {
    /// Opens a block on top of `parent`.
    ///
    /// # Errors
    /// [`TransitionError::State`] and [`TransitionError::Fatal`].
    pub fn new(rules: Rules, parent: S, env: BlockEnv) -> Result<Self, TransitionError> {
        let mut machine = Machine::new(rules, Overlay::new(parent), &env, NoOpInspector);
        if rules.is_native() {
            check_version(&mut machine, &rules, &env)?;
        }
        system::open_block(&mut machine, &rules, &env)?;
        Ok(Self {
            machine,
            rules,
            env,
            receipts: Vec::new(),
            executions: Vec::new(),
            gas_used: 0,
            blob_gas_used: 0,
        })
    }

    /// Executes a transaction and takes it into the block, or says why it cannot stand here, in
    /// which case nothing changed.
    ///
    /// # Errors
    /// [`TransitionError::State`] and [`TransitionError::Fatal`]: the block cannot go on.
    pub fn try_transaction(
        &mut self,
        transaction: &RecoveredTransaction,
    ) -> Result<Result<&TxReceipt, Refusal>, TransitionError> {
        let (inner, sender) = (transaction.inner(), transaction.signer());
        if let Err(refusal) = self.check(inner) {
            return Ok(Err(refusal));
        }
        let env = transaction_env(inner, sender);
        let result = match self.machine.run(env)? {
            Ok(result) => result,
            Err(error) => {
                let about = circumstances(&self.rules, &self.env, inner);
                return Ok(Err(Refusal::from_revm(&error, &about)));
            }
        };
        self.machine.commit()?;
        let blob_gas = inner.blob_gas_used().unwrap_or_default();
        self.blob_gas_used = self.blob_gas_used.saturating_add(blob_gas);
        let price = inner.effective_gas_price(Some(self.env.base_fee));
        let receipt = self.record(result, inner.tx_type().into(), price);
        Ok(Ok(receipt))
    }

    /// Gas that transactions may still ask for.
    pub fn gas_left(&self) -> u64 {
        self.user_gas_limit().saturating_sub(self.gas_used)
    }

    /// Gas used so far.
    pub const fn gas_used(&self) -> u64 {
        self.gas_used
    }

    /// An account as it stands now, for the proposer's bookkeeping.
    ///
    /// # Errors
    /// When the parent state cannot be read.
    pub fn account(&mut self, address: Address) -> Result<Account, StateError> {
        Ok(self.machine.state().account(address)?.unwrap_or_default())
    }

    /// A storage word as it stands now.
    ///
    /// # Errors
    /// When the parent state cannot be read.
    pub fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.machine.state().word(address, slot)
    }

    /// Closes the block with its system transaction, if there is anything to do, and checks the
    /// supply law.
    ///
    /// # Errors
    /// See [`TransitionError`].
    pub fn finish(mut self) -> Result<BlockOutcome, TransitionError> {
        let system_transaction = self.run_system_transaction()?;
        if !self.rules.is_native() {
            ethereum::close_block(&mut self.machine, &self.rules, &self.env)?;
        }
        let diff = self.machine.into_state().into_diff();
        if self.rules.is_native() {
            check_supply(&diff)?;
        }
        let logs_bloom = block_bloom(&self.receipts);
        Ok(BlockOutcome {
            diff,
            receipts: self.receipts,
            executions: self.executions,
            gas_used: self.gas_used,
            blob_gas_used: self.blob_gas_used,
            logs_bloom,
            system_transaction,
        })
    }

    fn run_system_transaction(&mut self) -> Result<Option<SystemTransaction>, TransitionError> {
        if !self.rules.is_native() {
            return Ok(None);
        }
        let transaction = system::transaction(&self.rules, &self.env);
        let Some(result) = system::run(&mut self.machine, &transaction)? else {
            return Ok(None);
        };
        self.record(result, SYSTEM_TYPE, 0);
        Ok(Some(transaction))
    }

    fn check(&self, transaction: &EthereumTransaction) -> Result<(), Refusal> {
        if self.rules.is_native() && transaction.is_eip4844() {
            return Err(Refusal::Blob);
        }
        let (gas_limit, available) = (transaction.gas_limit(), self.gas_left());
        if gas_limit > available {
            return Err(Refusal::BlockGasLimit { gas_limit, available });
        }
        Ok(())
    }

    /// The rest is kept for the system transaction.
    fn user_gas_limit(&self) -> u64 {
        let kept = if self.rules.is_native() { system::system_gas(&self.env) } else { 0 };
        self.env.gas_limit.saturating_sub(kept)
    }

    fn record(
        &mut self,
        result: ExecutionResult<HaltReason>,
        type_byte: u8,
        effective_gas_price: u128,
    ) -> &TxReceipt {
        let gas_used = result.tx_gas_used();
        let status = result.is_success();
        self.gas_used = self.gas_used.saturating_add(gas_used);
        let (contract_address, logs) = match result {
            ExecutionResult::Success { output: Output::Create(_, address), logs, .. } => {
                (address, logs)
            }
            ExecutionResult::Success { logs, .. }
            | ExecutionResult::Revert { logs, .. }
            | ExecutionResult::Halt { logs, .. } => (None, logs),
        };
        self.executions.push(Execution { gas_used, effective_gas_price, contract_address });
        let cumulative_gas_used = self.gas_used;
        let receipt = TxReceipt { type_byte, status, cumulative_gas_used, logs: logs.into() };
        let index = self.receipts.len();
        self.receipts.push(receipt);
        #[expect(clippy::indexing_slicing, reason = "the receipt was just pushed at this index")]
        &self.receipts[index]
    }
}

/// The guard of upgrades: no block is made or taken by rules that are no longer the chain's.
fn check_version<S: ParentState>(
    machine: &mut Machine<S, NoOpInspector>,
    rules: &Rules,
    env: &BlockEnv,
) -> Result<(), TransitionError> {
    let word = machine.state().word(GOVERNANCE, governance::upgrade_slot())?;
    let needed = governance::needed_version(word, env.number);
    let needed = needed.map_err(|failure| TransitionError::Fatal(format!("{failure:?}")))?;
    if needed > rules.version() {
        let (height, supported) = (env.number, rules.version());
        return Err(TransitionError::Upgrade { height, needed, supported });
    }
    Ok(())
}

fn circumstances(
    rules: &Rules,
    env: &BlockEnv,
    transaction: &EthereumTransaction,
) -> Circumstances {
    Circumstances {
        chain_id: rules.chain_id(),
        tx_chain_id: transaction.chain_id(),
        max_fee: transaction.max_fee_per_gas(),
        base_fee: env.base_fee,
        gas_limit: transaction.gas_limit(),
        block_gas_limit: env.gas_limit,
    }
}

/// What a transaction's sender can spend when it would begin, earnings included, and the nonce it
/// must use: for the pool, which decides about nonce, coin and price itself.
///
/// # Errors
/// The inner error says what is wrong with the transaction whatever the state becomes, but for a base
/// fee above what it offers.
pub fn admit<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    transaction: &RecoveredTransaction,
) -> Result<Result<Account, Refusal>, TransitionError> {
    let (inner, sender) = (transaction.inner(), transaction.signer());
    if rules.is_native() && inner.is_eip4844() {
        return Ok(Err(Refusal::Blob));
    }
    let mut machine = Machine::new(rules, Overlay::new(state), env, NoOpInspector);
    let admitted = machine.admit(transaction_env(inner, sender))?;
    Ok(admitted.map_err(|error| Refusal::from_revm(&error, &circumstances(&rules, env, inner))))
}
