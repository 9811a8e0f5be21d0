//! Calls that leave nothing behind: `eth_call` and access lists, and what gas estimates run. They take the
//! very path a transaction takes, settled earnings included.

use crate::{
    env::BlockEnv,
    machine::{Machine, MachineContext},
    overlay::Overlay,
    refusal::{Circumstances, Refusal},
    rules::Rules,
    sender::recover_authorization,
    state::{Account, ParentState, StateError},
    transition::TransitionError,
};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256, keccak256};
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use revm::{
    context::{TxEnv, either::Either, result::ExecutionResult, result::HaltReason},
    inspector::{Inspector, NoOpInspector},
    state::EvmState,
};
use revm_inspectors::access_list::AccessListInspector;
use std::collections::BTreeMap;

/// The most gas a call may use that asks for none: as much as go-ethereum gives.
pub const CALL_GAS: u64 = 50_000_000;

/// Why a call has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The call cannot be a transaction.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It ran and failed, whatever its gas.
    #[error("{}", .0.failure())]
    Failed(Box<CallOutcome>),
    /// The node cannot go on.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// An override cannot be applied.
    #[error("invalid override: {0}")]
    Override(&'static str),
}

impl From<StateError> for CallError {
    fn from(error: StateError) -> Self {
        Self::Transition(TransitionError::State(error))
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// How.
    pub status: CallStatus,
    /// What it returned, or the data of its revert.
    pub output: Bytes,
    /// Gas used, refunds deducted.
    pub gas_used: u64,
    /// Gas used before refunds.
    pub gas_spent: u64,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// Whether a call succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallStatus {
    /// It did.
    Success,
    /// It reverted; the output says why.
    Reverted,
    /// It ended exceptionally, for this reason, and used all gas.
    Halted(String),
}

impl CallOutcome {
    /// Whether it succeeded.
    pub fn is_success(&self) -> bool {
        self.status == CallStatus::Success
    }

    /// The failure in the words tools look for: `execution reverted: <reason>`, `out of gas`.
    pub fn failure(&self) -> String {
        match &self.status {
            CallStatus::Success => "success".into(),
            CallStatus::Halted(reason) => reason.clone(),
            CallStatus::Reverted => match alloy_sol_types::decode_revert_reason(&self.output) {
                Some(reason) => {
                    let reason = reason.strip_prefix("revert: ").unwrap_or(&reason);
                    let text = format!("execution reverted: {reason}");
                    text.trim_end_matches(": ").to_owned()
                }
                None => "execution reverted".into(),
            },
        }
    }

    pub(crate) fn new(result: ExecutionResult<HaltReason>) -> Self {
        let (gas_used, gas_spent) = (result.tx_gas_used(), result.gas().total_gas_spent());
        let (status, output, logs) = match result {
            ExecutionResult::Success { logs, output, .. } => {
                (CallStatus::Success, output.into_data(), logs)
            }
            ExecutionResult::Revert { logs, output, .. } => (CallStatus::Reverted, output, logs),
            ExecutionResult::Halt { reason, logs, .. } => {
                (CallStatus::Halted(halt_text(&reason)), Bytes::new(), logs)
            }
        };
        Self { status, output, gas_used, gas_spent, logs }
    }
}

fn halt_text(reason: &HaltReason) -> String {
    match reason {
        HaltReason::OutOfGas(_) => "out of gas".into(),
        HaltReason::OpcodeNotFound => "invalid opcode".into(),
        HaltReason::InvalidFEOpcode => "invalid opcode: INVALID".into(),
        HaltReason::InvalidJump => "invalid jump destination".into(),
        HaltReason::StackUnderflow => "stack underflow".into(),
        HaltReason::StackOverflow => "stack limit reached 1024".into(),
        HaltReason::StateChangeDuringStaticCall => "write protection".into(),
        HaltReason::CreateCollision => "contract address collision".into(),
        HaltReason::OutOfFunds => "insufficient balance for transfer".into(),
        other => format!("{other:?}"),
    }
}

/// Runs a call in the block of `env`, on the state before it.
///
/// # Errors
/// See [`CallError`]; a call that runs and fails is an outcome.
pub fn call<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    request: &TransactionRequest,
    overrides: Option<&StateOverride>,
) -> Result<CallOutcome, CallError> {
    let mut session = Session::open(rules, state, env, (request, overrides), NoOpInspector)?;
    let gas = request.gas.unwrap_or(CALL_GAS);
    session.run(gas)
}

/// The addresses and slots a call touches, and its outcome with that list.
///
/// # Errors
/// See [`CallError`].
pub fn create_access_list<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    request: &TransactionRequest,
    overrides: Option<&StateOverride>,
) -> Result<(AccessList, CallOutcome), CallError> {
    let given = request.access_list.clone().unwrap_or_default();
    let inspector = AccessListInspector::new(given);
    let gas = request.gas.unwrap_or(CALL_GAS);
    let mut session = Session::open(rules, state, env, (request, overrides), inspector)?;
    session.inspect(gas)?;
    let found = std::mem::take(&mut session.machine.inner.inspector).into_access_list();
    session.transaction.access_list = found.clone();
    session.transaction.tx_type = session.transaction.tx_type.max(1);
    let outcome = session.run(gas)?;
    Ok((found, outcome))
}

/// A machine with a call loaded, to be run as often as one likes.
pub(crate) struct Session<S: ParentState, I> {
    pub(crate) machine: Machine<S, I>,
    pub(crate) transaction: TxEnv,
    about: Circumstances,
}

impl<S: ParentState, I: Inspector<MachineContext<S>>> Session<S, I> {
    pub(crate) fn open(
        rules: Rules,
        state: S,
        env: &BlockEnv,
        (request, overrides): (&TransactionRequest, Option<&StateOverride>),
        inspector: I,
    ) -> Result<Self, CallError> {
        let mut overlay = Overlay::new(state);
        if let Some(overrides) = overrides {
            apply(&mut overlay, overrides)?;
        }
        let from = request.from.unwrap_or_default();
        let nonce = overlay.account(from)?.unwrap_or_default().nonce;
        let transaction = transaction_env(&rules, request, nonce)?;
        let about = Circumstances {
            chain_id: rules.chain_id(),
            tx_chain_id: transaction.chain_id,
            max_fee: transaction.gas_price,
            base_fee: env.base_fee,
            gas_limit: transaction.gas_limit,
            block_gas_limit: env.gas_limit,
        };
        let mut machine = Machine::new(rules, overlay, env, inspector);
        let cfg = &mut machine.inner.ctx.cfg;
        cfg.disable_nonce_check = true;
        cfg.disable_eip3607 = true;
        cfg.disable_block_gas_limit = true;
        cfg.disable_base_fee = transaction.gas_price == 0;
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        Ok(Self { machine, transaction, about })
    }

    pub(crate) fn run(&mut self, gas: u64) -> Result<CallOutcome, CallError> {
        let transaction = TxEnv { gas_limit: gas, ..self.transaction.clone() };
        let ran = self.machine.run(transaction)?;
        drop(self.machine.take_changes());
        match ran {
            Ok(result) => Ok(CallOutcome::new(result)),
            Err(invalid) => Err(self.refused(gas, &invalid)),
        }
    }

    /// Every account and word that the call looks at; nothing of it stays.
    pub(crate) fn touched(&mut self, gas: u64) -> Result<EvmState, CallError> {
        let transaction = TxEnv { gas_limit: gas, ..self.transaction.clone() };
        let ran = self.machine.run(transaction)?;
        let touched = self.machine.take_changes();
        ran.map(|_| touched).map_err(|invalid| self.refused(gas, &invalid))
    }

    /// As [`Self::run`], but what it changed stays in the journal.
    pub(crate) fn inspect(&mut self, gas: u64) -> Result<ExecutionResult<HaltReason>, CallError> {
        let transaction = TxEnv { gas_limit: gas, ..self.transaction.clone() };
        self.machine.inspect(transaction)?.map_err(|invalid| self.refused(gas, &invalid))
    }

    fn refused(
        &self,
        gas_limit: u64,
        invalid: &revm::context::result::InvalidTransaction,
    ) -> CallError {
        let about = Circumstances { gas_limit, ..self.about };
        Refusal::from_revm(invalid, &about).into()
    }

    pub(crate) fn succeeds(&mut self, gas: u64) -> Result<bool, CallError> {
        match self.run(gas) {
            Ok(outcome) => Ok(outcome.is_success()),
            Err(CallError::Refused(Refusal::IntrinsicGas { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The gas the sender's coin pays for, when the call names a price.
    pub(crate) fn affordable_gas(&mut self) -> Result<u64, CallError> {
        let price = U256::from(self.transaction.gas_price);
        let caller = self.transaction.caller;
        let held = self.machine.state().account(caller)?.unwrap_or_default().balance;
        let free = held.saturating_sub(self.transaction.value);
        Ok(free.checked_div(price).map_or(u64::MAX, |gas| gas.saturating_to()))
    }
}

pub(crate) fn transaction_env(
    rules: &Rules,
    request: &TransactionRequest,
    nonce: u64,
) -> Result<TxEnv, CallError> {
    if request.blob_versioned_hashes.is_some() && rules.is_native() {
        return Err(Refusal::Blob.into());
    }
    let authorizations = request.authorization_list.as_deref().unwrap_or_default();
    let max_fee = request.max_fee_per_gas.or(request.gas_price);
    let is_dynamic =
        request.max_fee_per_gas.is_some() || request.max_priority_fee_per_gas.is_some();
    let tx_type = match () {
        () if !authorizations.is_empty() => 4,
        () if request.blob_versioned_hashes.is_some() => 3,
        () if is_dynamic => 2,
        () => u8::from(request.access_list.is_some()),
    };
    let tip = request.max_priority_fee_per_gas;
    Ok(TxEnv {
        tx_type,
        caller: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(CALL_GAS),
        gas_price: max_fee.or(tip).unwrap_or_default(),
        kind: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        data: request.input.input().cloned().unwrap_or_default(),
        nonce: request.nonce.unwrap_or(nonce),
        chain_id: Some(request.chain_id.unwrap_or_else(|| rules.chain_id())),
        access_list: request.access_list.clone().unwrap_or_default(),
        gas_priority_fee: (tx_type >= 2).then(|| tip.unwrap_or_default()),
        blob_hashes: request.blob_versioned_hashes.clone().unwrap_or_default(),
        max_fee_per_blob_gas: request.max_fee_per_blob_gas.unwrap_or_default(),
        authorization_list: authorizations
            .iter()
            .map(|signed| Either::Right(recover_authorization(signed)))
            .collect(),
    })
}

impl BlockEnv {
    /// With what an `eth_call` overrides.
    #[must_use]
    pub fn with_overrides(mut self, overrides: &BlockOverrides) -> Self {
        self.number = overrides.number.map_or(self.number, |number| number.saturating_to());
        self.timestamp = overrides.time.unwrap_or(self.timestamp);
        self.gas_limit = overrides.gas_limit.unwrap_or(self.gas_limit);
        self.beneficiary = overrides.coinbase.unwrap_or(self.beneficiary);
        self.prevrandao = overrides.random.unwrap_or(self.prevrandao);
        self.base_fee = overrides.base_fee.map_or(self.base_fee, |fee| fee.saturating_to());
        self
    }
}

pub(crate) fn apply<S: ParentState>(
    overlay: &mut Overlay<S>,
    overrides: &StateOverride,
) -> Result<(), CallError> {
    let sorted: BTreeMap<&Address, &AccountOverride> = overrides.iter().collect();
    for (address, change) in sorted {
        apply_account(overlay, *address, change)?;
    }
    Ok(())
}

fn apply_account<S: ParentState>(
    overlay: &mut Overlay<S>,
    address: Address,
    change: &AccountOverride,
) -> Result<(), CallError> {
    if change.move_precompile_to.is_some() {
        return Err(CallError::Override("precompiles cannot be moved"));
    }
    let mut account = overlay.account(address)?.unwrap_or_default();
    account.nonce = change.nonce.unwrap_or(account.nonce);
    account.balance = change.balance.unwrap_or(account.balance);
    if let Some(code) = &change.code {
        account.code_hash = keccak256(code);
        overlay.set_code(account.code_hash, code.clone());
    }
    overlay.set_account(address, Account { ..account })?;
    if change.state.is_some() && change.state_diff.is_some() {
        return Err(CallError::Override("expected state or stateDiff, got both"));
    }
    if change.state.is_some() {
        overlay.clear_storage(address)?;
    }
    let words = change.state.iter().chain(change.state_diff.iter()).flatten();
    let sorted: BTreeMap<&B256, &B256> = words.collect();
    for (slot, word) in sorted {
        overlay.set_word(address, U256::from_be_bytes(slot.0), U256::from_be_bytes(word.0))?;
    }
    Ok(())
}
