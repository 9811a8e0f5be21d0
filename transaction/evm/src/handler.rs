//! The life of one transaction, where Sahara's differs from Ethereum's: earnings are settled
//! before it, its whole fee goes to [`FEES`], and what it would destroy is recovered.

use crate::{
    machine::{Inner, MachineContext, MachineError},
    native::Ledger,
    overlay::Overlay,
    rules::Rules,
    state::{Account, ParentState, StateError},
    supply,
};
use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::SolEvent as _;
use revm::{
    Database as _,
    context::{
        ContextTr as _, JournalTr as _, Transaction as _,
        result::{ExecutionResult, HaltReason, InvalidTransaction, ResultGas},
    },
    context_interface::{Block as _, journaled_state::account::JournaledAccountTr as _},
    handler::{EvmTr as _, FrameResult, Handler, post_execution, pre_execution},
    inspector::{Inspector, InspectorHandler},
    interpreter::{InitialAndFloorGas, interpreter::EthInterpreter},
};
use sahara_abi::{FEES, INCENTIVE_POOL, ISystem, SYSTEM};
use sahara_protocols::Failure;
use std::marker::PhantomData;

pub(crate) struct SettlingHandler<S, I> {
    rules: Rules,
    marker: PhantomData<(S, I)>,
}

impl<S: ParentState, I> SettlingHandler<S, I> {
    pub(crate) const fn new(rules: Rules) -> Self {
        Self { rules, marker: PhantomData }
    }
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> SettlingHandler<S, I> {
    /// Checks what does not depend on the state, then settles the sender's earnings and returns
    /// its account. The caller discards the changes.
    pub(crate) fn admit(&self, evm: &mut Inner<S, I>) -> Result<Account, MachineError> {
        self.validate_env(evm)?;
        let gas = self.validate_initial_tx_gas(evm)?;
        if self.rules.is_native() {
            settle_earnings(&mut evm.ctx, gas.initial_total_gas())?;
        }
        let sender = evm.ctx.tx.caller();
        let load = evm.ctx.journaled_state.load_account_with_code(sender)?;
        let info = &load.data.info;
        let code = info.code.as_ref();
        if code.is_some_and(|code| !code.is_empty() && !code.is_eip7702()) {
            return Err(InvalidTransaction::RejectCallerWithCode.into());
        }
        Ok(Account { nonce: info.nonce, balance: info.balance, code_hash: info.code_hash })
    }
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> Handler for SettlingHandler<S, I> {
    type Evm = Inner<S, I>;
    type Error = MachineError;
    type HaltReason = HaltReason;

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Inner<S, I>,
        gas: &mut InitialAndFloorGas,
    ) -> Result<(), MachineError> {
        if self.rules.is_native() {
            check_nonce_and_code(&mut evm.ctx)?;
            let cost = settle_earnings(&mut evm.ctx, gas.initial_total_gas())?;
            gas.set_initial_regular_gas(gas.initial_regular_gas().saturating_add(cost));
        }
        pre_execution::validate_against_state_and_deduct_caller(evm.ctx())
    }

    fn reward_beneficiary(
        &self,
        evm: &mut Inner<S, I>,
        result: &mut FrameResult,
    ) -> Result<(), MachineError> {
        if !self.rules.is_native() {
            return Ok(post_execution::reward_beneficiary(evm.ctx(), result.gas())?);
        }
        let context = &mut evm.ctx;
        let price = context.tx.effective_gas_price(u128::from(context.block.basefee()));
        let fee = U256::from(price).saturating_mul(U256::from(result.gas().used()));
        if !fee.is_zero() {
            context.journaled_state.load_account_mut(FEES)?.incr_balance(fee);
        }
        Ok(())
    }

    fn execution_result(
        &mut self,
        evm: &mut Inner<S, I>,
        result: FrameResult,
        gas: ResultGas,
    ) -> Result<ExecutionResult<HaltReason>, MachineError> {
        revm::context_interface::context::take_error::<MachineError, _>(evm.ctx().error())?;
        if self.rules.is_native() {
            recover_losses(&mut evm.ctx)?;
        }
        let outcome = post_execution::output(evm.ctx(), result, gas);
        evm.ctx.journaled_state.commit_tx();
        revm::context_interface::LocalContextTr::clear(evm.ctx().local_mut());
        evm.frame_stack().clear();
        Ok(outcome)
    }
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> InspectorHandler for SettlingHandler<S, I> {
    type IT = EthInterpreter;
}

/// First what makes the transaction not this account's next, so that a settlement is never tried
/// for it.
fn check_nonce_and_code<S: ParentState>(
    context: &mut MachineContext<S>,
) -> Result<(), MachineError> {
    let (_, tx, cfg, journal, _, _) = context.all_mut();
    let caller = journal.load_account_with_code_mut(tx.caller())?.data;
    let info = &caller.account().info;
    Ok(pre_execution::validate_account_nonce_and_code_with_components(info, tx, cfg)?)
}

/// Credits the sender with what some of its pools owe it, so that what is earned can be spent in
/// this very transaction, and returns the gas to charge.
///
/// The look-up is free: a sender without pools pays nothing. When the gas does not suffice, no
/// pool is settled and what was tried is charged: the transaction goes on with what it has left.
fn settle_earnings<S: ParentState>(
    context: &mut MachineContext<S>,
    intrinsic: u64,
) -> Result<u64, MachineError> {
    let sender = context.tx.caller();
    let budget = context.tx.gas_limit().saturating_sub(intrinsic);
    let checkpoint = context.journaled_state.checkpoint();
    let mut ledger = Ledger::new(context, budget, false).with_free_lookup();
    let outcome = sahara_protocols::before_transaction(&mut ledger, sender);
    let cost = budget.saturating_sub(ledger.gas_left());
    match outcome {
        Ok(()) => context.journaled_state.checkpoint_commit(),
        Err(Failure::OutOfGas | Failure::CallsOut | Failure::Revert(_)) => {
            context.journaled_state.checkpoint_revert(checkpoint);
        }
        Err(Failure::Fatal(reason)) => {
            return Err(MachineError::Custom(format!("settling earnings: {reason}")));
        }
        Err(Failure::Store(reason)) => {
            return Err(MachineError::Database(StateError(reason).into()));
        }
    }
    Ok(cost)
}

/// Sends to the incentive pool what the transaction destroyed by `SELFDESTRUCT`, and what it left
/// at a protocol's address without the protocol knowing.
fn recover_losses<S: ParentState>(context: &mut MachineContext<S>) -> Result<(), MachineError> {
    let destroyed = destroyed(context)?;
    let mut misplaced = U256::ZERO;
    for protocol in sahara_abi::PROTOCOLS {
        let surplus = surplus(context, protocol.address)?;
        if !surplus.is_zero() {
            let journal = &mut context.journaled_state;
            if let Some(error) = journal.transfer(protocol.address, INCENTIVE_POOL, surplus)? {
                return Err(MachineError::Custom(format!("recovering {surplus}: {error:?}")));
            }
            misplaced = misplaced.saturating_add(surplus);
        }
    }
    if !destroyed.is_zero() {
        context.journaled_state.load_account_mut(INCENTIVE_POOL)?.incr_balance(destroyed);
    }
    let amount = destroyed.saturating_add(misplaced);
    if !amount.is_zero() {
        let data = ISystem::Recovered { amount }.encode_log_data();
        context.journaled_state.log(Log { address: SYSTEM, data });
    }
    Ok(())
}

/// How much [`check_books`] may look at: accounts and protocols' words of the journal.
pub(crate) fn books<S: ParentState>(context: &MachineContext<S>) -> usize {
    let state = &context.journaled_state.inner.state;
    let protocols = sahara_abi::PROTOCOLS.iter();
    let words = protocols.filter_map(|protocol| state.get(&protocol.address));
    words.fold(state.len(), |sum, account| sum.saturating_add(account.storage.len()))
}

/// Refuses what the transaction did so far when it made coin or when a protocol holds less than it owes.
///
/// # Errors
/// [`MachineError::Custom`]; otherwise when the state cannot be read.
pub(crate) fn check_books<S: ParentState>(
    context: &mut MachineContext<S>,
) -> Result<(), MachineError> {
    destroyed(context)?;
    sahara_abi::PROTOCOLS
        .iter()
        .try_for_each(|protocol| surplus(context, protocol.address).map(drop))
}

/// All balances before less all balances after, over what the transaction touched.
fn destroyed<S: ParentState>(context: &mut MachineContext<S>) -> Result<U256, MachineError> {
    let (mut before, mut after) = (U256::ZERO, U256::ZERO);
    let (state, database) = split(context);
    for (address, balance) in state {
        before = before.wrapping_add(balance_before(database, address)?);
        after = after.wrapping_add(balance);
    }
    match before.checked_sub(after) {
        Some(lost) => Ok(lost),
        None => Err(MachineError::Custom(format!(
            "supply law: a transaction created {} base units",
            after.wrapping_sub(before)
        ))),
    }
}

/// The touched accounts' balances as they will be, and the state before the transaction.
fn split<S: ParentState>(
    context: &mut MachineContext<S>,
) -> (Vec<(Address, U256)>, &mut Overlay<S>) {
    let journal = &mut context.journaled_state;
    let touched = journal.inner.state.iter().filter(|(_, account)| account.is_touched());
    let balances = touched
        .map(|(address, account)| {
            let is_gone = account.is_selfdestructed();
            (*address, if is_gone { U256::ZERO } else { account.info.balance })
        })
        .collect();
    (balances, &mut journal.database)
}

fn balance_before<S: ParentState>(
    database: &mut Overlay<S>,
    address: Address,
) -> Result<U256, MachineError> {
    Ok(database.basic(address)?.map_or(U256::ZERO, |info| info.balance))
}

/// What a protocol holds beyond what its own books say it received in this transaction.
fn surplus<S: ParentState>(
    context: &mut MachineContext<S>,
    protocol: Address,
) -> Result<U256, MachineError> {
    let journal = &mut context.journaled_state;
    let Some(account) = journal.inner.state.get(&protocol).filter(|found| found.is_touched())
    else {
        return Ok(U256::ZERO);
    };
    let after = account.info.balance;
    let words = account
        .changed_storage_slots()
        .map(|(slot, word)| (*slot, (word.original_value(), word.present_value())))
        .collect();
    let before = balance_before(&mut journal.database, protocol)?;
    supply::surplus(protocol, (before, after), &words)
        .map_err(|error| MachineError::Custom(error.to_string()))
}
