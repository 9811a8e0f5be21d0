//! revm configured for Sahara: the pure state transition from a parent state and a block to a
//! state diff and receipts.
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

mod base_fee;
mod builder;
mod call;
mod env;
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
mod state;
mod supply;
mod system;
mod trace;
mod transition;

pub use base_fee::{STEP, next_base_fee};
pub use builder::{BlockBuilder, admit};
pub use call::{
    CALL_GAS, CallError, CallOutcome, CallStatus, call, create_access_list, estimate_gas,
};
pub use env::{BlockEnv, EthereumEnv};
pub use genesis::{
    Beneficiary, CLASSES, Class, FeeParameters, GenesisConfig, GenesisError, Holder, genesis,
};
pub use native::PROTOCOL_CODE;
pub use predeploys::{CREATE2_DEPLOYER, MULTICALL3};
pub use refusal::Refusal;
pub use rules::{BlobSchedule, Fork, Rules, SAHARA_FORK};
pub use sender::{RecoveredTransaction, SenderError, recover, recover_signer, recover_transaction};
pub use state::{Account, AccountDiff, ParentState, StateDiff, StateError};
pub use supply::{SupplyError, check_supply};
pub use system::{SEAT_GAS, SWEEP_GAS, system_gas};
pub use trace::{Replay, TraceError, trace_block, trace_call, trace_transaction};
pub use transition::{BlockOutcome, Execution, TransitionError, execute_block};
