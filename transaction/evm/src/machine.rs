//! revm put together: one machine for blocks, calls and traces.

use crate::{
    env::BlockEnv,
    handler::SettlingHandler,
    native::Precompiles,
    overlay::{Overlay, ReadError},
    rules::Rules,
    state::{Account, ParentState, StateError},
    transition::TransitionError,
};
use alloy_primitives::{Address, Bytes, TxKind};
use revm::{
    Context, Journal,
    context::{
        BlockEnv as MachineBlock, CfgEnv, Evm, JournalTr as _, TxEnv,
        result::{EVMError, ExecutionResult, HaltReason, InvalidTransaction},
    },
    handler::{EthFrame, Handler as _, instructions::EthInstructions},
    inspector::{Inspector, InspectorHandler as _, NoOpInspector},
    interpreter::interpreter::EthInterpreter,
    state::EvmState,
};

/// Everything a running transaction sees.
pub(crate) type MachineContext<S> =
    Context<MachineBlock, TxEnv, CfgEnv, Overlay<S>, Journal<Overlay<S>>, ()>;

pub(crate) type Inner<S, I> = Evm<
    MachineContext<S>,
    I,
    EthInstructions<EthInterpreter, MachineContext<S>>,
    Precompiles,
    EthFrame<EthInterpreter>,
>;

pub(crate) type MachineError = EVMError<ReadError>;

/// A transaction that ran, or the reason it did not.
pub(crate) type Ran = Result<ExecutionResult<HaltReason>, InvalidTransaction>;

/// A machine in a block, running transactions one after another.
pub(crate) struct Machine<S: ParentState, I = NoOpInspector> {
    pub(crate) inner: Inner<S, I>,
    rules: Rules,
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> Machine<S, I> {
    pub(crate) fn new(rules: Rules, state: Overlay<S>, env: &BlockEnv, inspector: I) -> Self {
        let context = MachineContext::new(state, rules.fork())
            .with_cfg(rules.configuration())
            .with_block(env.to_machine(&rules));
        let instructions = EthInstructions::new_mainnet_with_spec(rules.fork());
        let precompiles = Precompiles::new(rules.fork(), rules.is_native());
        let inner = Evm::new_with_inspector(context, inspector, instructions, precompiles);
        Self { inner, rules }
    }

    /// Runs a transaction; what it changed stays in the journal until [`Self::commit`] or
    /// [`Self::take_changes`].
    pub(crate) fn run(&mut self, transaction: TxEnv) -> Result<Ran, TransitionError> {
        self.inner.ctx.tx = transaction;
        let ran = SettlingHandler::new(self.rules).run(&mut self.inner);
        let ran = self.settle(ran)?;
        Ok(self.forget_refused(ran))
    }

    /// As [`Self::run`], showing every step to the inspector.
    pub(crate) fn inspect(&mut self, transaction: TxEnv) -> Result<Ran, TransitionError> {
        self.inner.ctx.tx = transaction;
        let ran = SettlingHandler::new(self.rules).inspect_run(&mut self.inner);
        let ran = self.settle(ran)?;
        Ok(self.forget_refused(ran))
    }

    /// What ended a run fatally because the state could not be read is this node's fault and nobody else's,
    /// whatever the words in which it came through the protocols.
    fn settle<T>(
        &mut self,
        result: Result<T, MachineError>,
    ) -> Result<Result<T, InvalidTransaction>, TransitionError> {
        match (settled(result), self.state().take_unread()) {
            (Err(TransitionError::Fatal(_)), Some(error)) => Err(TransitionError::State(error)),
            (settled, _) => settled,
        }
    }

    /// A proposer tries transactions that its verifiers never see: nothing they loaded may stay.
    fn forget_refused(&mut self, ran: Ran) -> Ran {
        if ran.is_err() {
            drop(self.take_changes());
        }
        ran
    }

    /// What the sender has when the transaction would begin, if nothing but nonce, coin and price
    /// could be wrong with it. Changes nothing.
    pub(crate) fn admit(
        &mut self,
        transaction: TxEnv,
    ) -> Result<Result<Account, InvalidTransaction>, TransitionError> {
        self.inner.ctx.tx = transaction;
        let admitted = SettlingHandler::new(self.rules).admit(&mut self.inner);
        let admitted = self.settle(admitted);
        self.inner.ctx.journaled_state.discard_tx();
        drop(self.take_changes());
        admitted
    }

    /// Calls `to` without nonce, fee or signature.
    pub(crate) fn run_system(
        &mut self,
        caller: Address,
        to: Address,
        data: Bytes,
        gas_limit: u64,
    ) -> Result<ExecutionResult<HaltReason>, TransitionError> {
        self.prepare_system(caller, to, data, gas_limit)?;
        let ran = SettlingHandler::new(self.rules).run_system_call(&mut self.inner);
        let ran = self.settle(ran)?;
        ran.map_err(|error| TransitionError::Fatal(error.to_string()))
    }

    /// As [`Self::run_system`], showing every step to the inspector.
    pub(crate) fn inspect_system(
        &mut self,
        caller: Address,
        to: Address,
        data: Bytes,
        gas_limit: u64,
    ) -> Result<ExecutionResult<HaltReason>, TransitionError> {
        self.prepare_system(caller, to, data, gas_limit)?;
        let ran = SettlingHandler::new(self.rules).inspect_run_system_call(&mut self.inner);
        let ran = self.settle(ran)?;
        ran.map_err(|error| TransitionError::Fatal(error.to_string()))
    }

    fn prepare_system(
        &mut self,
        caller: Address,
        to: Address,
        data: Bytes,
        gas_limit: u64,
    ) -> Result<(), TransitionError> {
        // The frame expects its caller in the journal.
        self.inner
            .ctx
            .journaled_state
            .load_account(caller)
            .map_err(|error| TransitionError::State(error.0))?;
        let kind = TxKind::Call(to);
        self.inner.ctx.tx =
            TxEnv { caller, kind, data, gas_limit, gas_price: 0, ..TxEnv::default() };
        Ok(())
    }

    /// What the last transaction changed, not yet part of the state.
    pub(crate) fn take_changes(&mut self) -> EvmState {
        self.inner.ctx.journaled_state.finalize()
    }

    /// Makes the last transaction's changes part of the state.
    pub(crate) fn commit(&mut self) -> Result<(), TransitionError> {
        let changes = self.take_changes();
        Ok(self.state().commit(changes)?)
    }

    /// The state between transactions.
    pub(crate) const fn state(&mut self) -> &mut Overlay<S> {
        &mut self.inner.ctx.journaled_state.database
    }

    pub(crate) fn into_state(self) -> Overlay<S> {
        self.inner.ctx.journaled_state.database
    }
}

fn settled<T>(
    result: Result<T, MachineError>,
) -> Result<Result<T, InvalidTransaction>, TransitionError> {
    match result {
        Ok(ran) => Ok(Ok(ran)),
        Err(EVMError::Transaction(invalid)) => Ok(Err(invalid)),
        Err(EVMError::Database(error)) => Err(TransitionError::State(error.0)),
        Err(error) => Err(TransitionError::Fatal(error.to_string())),
    }
}

impl From<StateError> for TransitionError {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
