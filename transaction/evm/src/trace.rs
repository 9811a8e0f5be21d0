//! What happened inside: blocks, transactions and calls run again under an inspector, as
//! `debug_trace*` shows them.

mod budget;

use self::budget::Budget;
pub use self::budget::TRACE_BYTES;
use crate::{
    call::{CALL_GAS, CallError, Session},
    env::{BlockEnv, transaction_env},
    machine::Machine,
    overlay::Overlay,
    refusal::Refusal,
    rules::Rules,
    sender::RecoveredTransaction,
    state::ParentState,
    system,
    transition::TransitionError,
};
use alloy_primitives::B256;
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverride};
use alloy_rpc_types_trace::geth::{GethDebugTracingOptions, GethTrace};
use revm::context::result::{ExecutionResult, HaltReason, ResultAndState};
use revm_inspectors::tracing::{DebugInspector, TransactionContext};
use sahara_abi::SYSTEM_CALLER;
use sahara_finality::SystemTransaction;

/// Why there is no trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The tracer is not known, or its options are wrong.
    #[error("tracer: {0}")]
    Tracer(String),
    /// The block does not execute.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The call does not execute.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The block has no transaction at this position.
    #[error("transaction {index} not found, the block has {count}")]
    NoTransaction {
        /// The position asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The trace would hold more than [`TRACE_BYTES`].
    #[error(
        "the trace is larger than {} MiB: ask for less of it (disableStack, disableStorage, no memory, one transaction), or for the callTracer",
        TRACE_BYTES >> 20
    )]
    TooLarge,
}

/// A block to be run again: what [`crate::execute_block`] was given, and its hash.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// Its surroundings.
    pub env: &'a BlockEnv,
    /// Its signed transactions.
    pub transactions: &'a [RecoveredTransaction],
    /// Its system transaction.
    pub system: Option<&'a SystemTransaction>,
    /// Its hash.
    pub hash: B256,
}

impl Replay<'_> {
    /// Transactions of both kinds.
    pub fn count(&self) -> usize {
        self.transactions.len().saturating_add(usize::from(self.system.is_some()))
    }
}

/// Traces every transaction of a block, the system transaction last.
///
/// # Errors
/// See [`TraceError`].
pub fn trace_block<S: ParentState>(
    rules: Rules,
    parent: S,
    block: Replay<'_>,
    options: &GethDebugTracingOptions,
) -> Result<Vec<(B256, GethTrace)>, TraceError> {
    let mut tracer = Tracer::open(rules, parent, block, options)?;
    (0..block.count()).map(|index| tracer.trace(index)).collect()
}

/// Traces one transaction of a block.
///
/// # Errors
/// See [`TraceError`].
pub fn trace_transaction<S: ParentState>(
    rules: Rules,
    parent: S,
    block: Replay<'_>,
    index: usize,
    options: &GethDebugTracingOptions,
) -> Result<GethTrace, TraceError> {
    let count = block.count();
    if index >= count {
        return Err(TraceError::NoTransaction { index, count });
    }
    let mut tracer = Tracer::open(rules, parent, block, options)?;
    for earlier in block.transactions.iter().take(index) {
        tracer.skip(earlier)?;
    }
    tracer.trace(index).map(|(_, trace)| trace)
}

/// Traces a call that leaves nothing behind.
///
/// # Errors
/// See [`TraceError`].
pub fn trace_call<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    call: (&TransactionRequest, Option<&StateOverride>),
    options: &GethDebugTracingOptions,
) -> Result<GethTrace, TraceError> {
    let inspector = inspector(options)?;
    let mut session = Session::open(rules, state, env, call, inspector)?;
    let result = session.inspect(call.0.gas.unwrap_or(CALL_GAS).min(CALL_GAS))?;
    finish(&mut session.machine, result, TransactionContext::default())
}

/// The tracer, and what bounds it.
type Inspectors = (Budget, DebugInspector);

struct Tracer<'a, S: ParentState> {
    machine: Machine<S, Inspectors>,
    block: Replay<'a>,
}

impl<'a, S: ParentState> Tracer<'a, S> {
    fn open(
        rules: Rules,
        parent: S,
        block: Replay<'a>,
        options: &GethDebugTracingOptions,
    ) -> Result<Self, TraceError> {
        let inspector = inspector(options)?;
        let mut machine = Machine::new(rules, Overlay::new(parent), block.env, inspector);
        system::open_block(&mut machine, &rules, block.env)?;
        Ok(Self { machine, block })
    }

    fn skip(&mut self, transaction: &RecoveredTransaction) -> Result<(), TraceError> {
        let env = transaction_env(transaction.inner(), transaction.signer());
        self.machine.run(env)?.map_err(|error| invalid(&error))?;
        self.machine.commit()?;
        Ok(())
    }

    fn trace(&mut self, index: usize) -> Result<(B256, GethTrace), TraceError> {
        self.machine.inner.inspector.1.fuse().map_err(tracer)?;
        let (hash, result) = self.inspect(index)?;
        let about = TransactionContext {
            block_hash: Some(self.block.hash),
            tx_hash: Some(hash),
            tx_index: Some(index),
        };
        Ok((hash, finish(&mut self.machine, result, about)?))
    }

    fn inspect(&mut self, index: usize) -> Result<(B256, ExecutionResult<HaltReason>), TraceError> {
        if let Some(transaction) = self.block.transactions.get(index) {
            let env = transaction_env(transaction.inner(), transaction.signer());
            let result = self.machine.inspect(env)?.map_err(|error| invalid(&error))?;
            return Ok((*transaction.inner().tx_hash(), result));
        }
        let Some(system) = self.block.system else {
            let count = self.block.count();
            return Err(TraceError::NoTransaction { index, count });
        };
        let (data, gas) = (system.input.clone(), system.gas_limit);
        let result = self.machine.inspect_system(SYSTEM_CALLER, system.to, data, gas)?;
        Ok((system.hash(), result))
    }
}

/// Asks the inspector for its trace and makes the changes part of the state.
fn finish<S: ParentState>(
    machine: &mut Machine<S, Inspectors>,
    result: ExecutionResult<HaltReason>,
    about: TransactionContext,
) -> Result<GethTrace, TraceError> {
    let state = machine.take_changes();
    let outcome = ResultAndState::new(result, state);
    let inner = &mut machine.inner;
    let (budget, inspector) = &mut inner.inspector;
    if budget.is_spent() {
        return Err(TraceError::TooLarge);
    }
    let trace = inspector
        .get_result(
            Some(about),
            &inner.ctx.tx,
            &inner.ctx.block,
            &outcome,
            &mut inner.ctx.journaled_state.database,
        )
        .map_err(tracer)?;
    machine.state().commit(outcome.state).map_err(TransitionError::State)?;
    Ok(trace)
}

fn inspector(options: &GethDebugTracingOptions) -> Result<Inspectors, TraceError> {
    Ok((Budget::new(options), DebugInspector::new(options.clone()).map_err(tracer)?))
}

fn tracer(error: impl std::fmt::Display) -> TraceError {
    TraceError::Tracer(error.to_string())
}

fn invalid(error: &revm::context::result::InvalidTransaction) -> TransitionError {
    TransitionError::Transaction { index: 0, refusal: Refusal::Other(error.to_string()) }
}
