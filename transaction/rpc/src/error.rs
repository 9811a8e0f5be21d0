//! Why a request fails: the code and the words, beside each other.

use alloy_primitives::{B256, Bytes};
use jsonrpsee::types::{ErrorObjectOwned, error::INVALID_PARAMS_CODE};
use sahara_chain::{pool::PoolError, store::StoreError};
use sahara_evm::{
    CallError, CallOutcome, CallStatus, Refusal, StateError, TraceError, TransitionError,
};
use tracing::error;

/// go-ethereum's code for most refusals; ethers and viem look at the words.
const SERVER_ERROR: i32 = -32_000;
/// EIP-1474: the resource asked for is not there.
const NOT_FOUND: i32 = -32_001;
/// EIP-1474: the method exists, but not with these arguments.
const NOT_SUPPORTED: i32 = -32_004;
/// EIP-1474: a limit of the node.
pub(crate) const LIMIT_EXCEEDED: i32 = -32_005;
/// EIP-4444: history that this node has not.
const PRUNED: i32 = 4_444;
/// JSON-RPC: the node's own fault.
const INTERNAL: i32 = -32_603;
/// Reverts, as go-ethereum numbers them; the data is the revert data.
const REVERTED: i32 = 3;
/// EIP-7966: accepted, but not in a block in time; the data is the hash.
const NO_RECEIPT_YET: i32 = 4;

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Parameters(String),
    #[error("header not found")]
    UnknownBlock,
    #[error("transaction not found")]
    UnknownTransaction,
    #[error("filter not found")]
    UnknownFilter,
    #[error(
        "the state of block {number} is not kept any more, the oldest is that of block {oldest}"
    )]
    OldState { number: u64, oldest: u64 },
    #[error("block {number} is not kept here, the first is {first}")]
    OldBlock { number: u64, first: u64 },
    #[error(
        "block {number} is not here yet: older blocks are being fetched, and are here from {first} on"
    )]
    BlockNotYet { number: u64, first: u64 },
    #[error(
        "the state trie of block {number} is not kept here, the oldest is that of block {oldest}: ask a node with --history window=N or archive"
    )]
    OldTrie { number: u64, oldest: u64 },
    #[error("{0}")]
    NotSupported(&'static str),
    #[error("{0}")]
    Limit(String),
    #[error("{}", .0.failure())]
    Call(Box<CallOutcome>),
    #[error("{0}")]
    Refused(String),
    /// `eth_simulateV1` has codes of its own.
    #[error("{text}")]
    Simulation { code: i32, text: String },
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error("the transaction is in the pool but was not final within {milliseconds} ms")]
    NoReceiptYet { hash: B256, milliseconds: u64 },
    /// The words go to the log, not out.
    #[error("internal error")]
    Internal(String),
}

impl Failure {
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }

    /// A refusal with the code that the simulation's specification gives it.
    pub(crate) fn from_simulation(error: CallError) -> Self {
        let CallError::Refused(refusal) = error else { return error.into() };
        let code = match refusal {
            Refusal::NonceTooLow { .. } => -38_010,
            Refusal::NonceTooHigh { .. } => -38_011,
            Refusal::FeeTooLow { .. } => -38_012,
            Refusal::IntrinsicGas { .. } => -38_013,
            Refusal::InsufficientFunds { .. } => -38_014,
            Refusal::BlockGasLimit { .. } => -38_015,
            Refusal::NonceMax => INTERNAL,
            _ => SERVER_ERROR,
        };
        Self::Simulation { code, text: format!("err: {refusal}") }
    }

    const fn code(&self) -> i32 {
        match self {
            Self::Parameters(_) => INVALID_PARAMS_CODE,
            Self::UnknownBlock | Self::UnknownTransaction | Self::UnknownFilter => NOT_FOUND,
            Self::OldBlock { .. } | Self::BlockNotYet { .. } => PRUNED,
            Self::NotSupported(_) | Self::OldState { .. } | Self::OldTrie { .. } => NOT_SUPPORTED,
            Self::Limit(_) => LIMIT_EXCEEDED,
            Self::Call(outcome) => match outcome.status {
                CallStatus::Reverted => REVERTED,
                CallStatus::Success | CallStatus::Halted(_) => SERVER_ERROR,
            },
            Self::Refused(_) | Self::Pool(_) => SERVER_ERROR,
            Self::Simulation { code, .. } => *code,
            Self::NoReceiptYet { .. } => NO_RECEIPT_YET,
            Self::Internal(_) => INTERNAL,
        }
    }

    fn data(&self) -> Option<Bytes> {
        match self {
            Self::Call(outcome) if outcome.status == CallStatus::Reverted => {
                Some(outcome.output.clone())
            }
            Self::NoReceiptYet { hash, .. } => Some(Bytes::copy_from_slice(hash.as_slice())),
            _ => None,
        }
    }
}

impl From<Failure> for ErrorObjectOwned {
    fn from(failure: Failure) -> Self {
        if let Failure::Internal(reason) = &failure {
            error!(reason, "a request failed");
        }
        if let Failure::Pool(PoolError::State(reason)) = &failure {
            error!(reason, "the pool could not read an account");
            return Self::owned(INTERNAL, "internal error", None::<()>);
        }
        Self::owned(failure.code(), failure.to_string(), failure.data())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooManyLogs(limit) => Self::Limit(format!(
                "query returned more than {limit} results, ask for a smaller block range"
            )),
            StoreError::LogsTooLarge(limit) => Self::Limit(format!(
                "query returned more than {limit} bytes, ask for a smaller block range"
            )),
            StoreError::LogsTooLate(limit) => Self::Limit(format!(
                "query took longer than {} s, ask for a smaller block range",
                limit.as_secs()
            )),
            StoreError::OldBlock { number, first } => Self::OldBlock { number, first },
            StoreError::NotYet { number, first } => Self::BlockNotYet { number, first },
            StoreError::OldTrie { number, oldest } => Self::OldTrie { number, oldest },
            other => Self::internal(other),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::internal(error)
    }
}

impl From<TransitionError> for Failure {
    fn from(error: TransitionError) -> Self {
        Self::internal(error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => Self::Refused(refusal.to_string()),
            CallError::Failed(outcome) => Self::Call(outcome),
            CallError::Transition(error) => error.into(),
            CallError::Override(reason) => Self::Parameters(format!("invalid override: {reason}")),
        }
    }
}

impl From<TraceError> for Failure {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Tracer(reason) => Self::Parameters(format!("tracer: {reason}")),
            TraceError::Transition(error) => error.into(),
            TraceError::Call(error) => error.into(),
            TraceError::NoTransaction { .. } => Self::UnknownTransaction,
            TraceError::TooLarge => Self::Limit(error.to_string()),
        }
    }
}
