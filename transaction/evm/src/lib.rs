//! revm configured for Sahara: the pure state transition from a parent state and a block to a
//! state diff and receipts.
//!
//! # Model
//! [`execute_block`] verifies a block, [`BlockBuilder`] makes one; the first drives the second, so
//! they cannot differ. Whatever runs, a block's transaction, an `eth_call` or a trace, runs on the
//! same machine with the same handler; [`Rules`] is a value it asks, and Ethereum's own rules are
//! another value, so that Ethereum's tests exercise this code.
//!
//! The caller gives the parent's state as [`ParentState`] and gets a [`StateDiff`]. Nothing here
//! knows a store, a network or a clock.
//!
//! # Invariants
//! Every block's balance changes sum to zero, and every protocol holds what its books say
//! ([`check_supply`]). A refused transaction changes nothing. Nothing depends on the order of a
//! hash map.
//!
//! # Failure
//! A [`Refusal`] is the transaction's fault, a [`TransitionError`] the block's, except
//! [`TransitionError::State`], which is this node's.
//!
//! See `specs/0009-transition.md` for the order of a block, gas and the why.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic,
        clippy::iter_over_hash_type,
        clippy::as_conversions,
        clippy::integer_division
    )
)]
#![cfg_attr(not(test), warn(unused_crate_dependencies))]

mod base_fee;
mod builder;
mod call;
mod env;
mod estimate;
mod ethereum;
mod genesis;
mod handler;
mod machine;
mod native;
mod overlay;
mod predeploys;
mod refusal;
mod rules;
mod sender;
mod simulate;
mod state;
mod supply;
mod system;
mod trace;
mod transition;

pub use base_fee::{STEP, next_base_fee};
pub use builder::{BlockBuilder, admit};
pub use call::{CALL_GAS, CallError, CallOutcome, CallStatus, call, create_access_list};
pub use env::{BlockEnv, EthereumEnv};
pub use estimate::estimate_gas;
pub use genesis::{
    Beneficiary, CLASSES, Class, FeeParameters, GenesisConfig, GenesisError, GrantConfig, Holder,
    VestingConfig, genesis,
};
pub use native::protocol_code;
pub use predeploys::{CREATE2_DEPLOYER, MULTICALL3};
pub use refusal::Refusal;
pub use rules::{BlobSchedule, Fork, Rules, SAHARA_FORK};
pub use sender::{RecoveredTransaction, SenderError, recover, recover_signer, recover_transaction};
pub use simulate::{SimulatedBlock, Simulation};
pub use state::{Account, AccountDiff, ParentState, StateDiff, StateError};
pub use supply::{SupplyError, check_supply};
pub use system::{CREDIT_GAS, SEAT_GAS, SWEEP_GAS, system_gas};
pub use trace::{Replay, TRACE_BYTES, TraceError, trace_block, trace_call, trace_transaction};
pub use transition::{BlockOutcome, Execution, TransitionError, execute_block};
