//! revm configured for Sahara: the pure state transition from a parent state and a block to a
//! state diff and receipts.
#![forbid(unsafe_code)]

mod state;

pub use state::{Account, AccountDiff, ParentState, StateDiff, StateError};
