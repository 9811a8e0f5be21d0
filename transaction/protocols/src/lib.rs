//! The native protocols' rules: coin, assets, royalties, channels, workers; knows no EVM.
//!
//! # Model
//! A rule is a function of a state and plain arguments. State is an argument, never ambient: a view
//! receives [`Read`] and cannot write, a rule that changes something receives [`Write`]. The EVM's
//! adaptor implements both over its journal, [`MemoryState`] over maps, for tests.
//!
//! [`call`] is the door: it decodes the call's data, refuses what the interface does not allow and
//! runs one rule. What happens without a call — the settlement before a transaction, the fees and the
//! sweep at the end of a block — stands in [`before_transaction`] and `ISystem.endBlock`.
//!
//! # Invariants
//! - Every coin has a place: a protocol's native balance is exactly what it owes, word by word
//!   recomputable with [`liabilities_change`] and [`liabilities_total`].
//! - A rule that fails changes nothing: the caller of [`call`] rolls back.
//!
//! # Storage
//! See [`Region`]: a slot says which map it belongs to, so a raw diff can be read without preimages.
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

pub mod assets;
pub mod channels;
pub mod coin;
pub mod contributions;
mod dispatch;
pub mod disputes;
mod erc721;
pub mod governance;
pub mod incentives;
pub mod intents;
mod liabilities;
pub mod licenses;
pub mod market;
pub mod memory;
pub mod royalties;
mod signature;
pub mod staking;
mod state;
mod storage;
mod system;
#[cfg(test)]
pub(crate) mod undo;
pub mod validators;
pub mod vesting;
pub mod workers;

pub use dispatch::{Call, call, is_protocol, layout, protocols};
pub use liabilities::{RawSlot, liabilities_change, liabilities_total};
pub use memory::MemoryState;
pub use royalties::before_transaction;
pub use state::{BlockContext, Cost, Failure, Read, Write};
pub use storage::Region;
pub use system::{
    FeeParts, GasParameters, Parameters, end_block, found_gas_parameters, found_parameters,
    gas_parameters_slot, parameters,
};

/// All coin there is, for ever: 10,000,000,000 SAHARA in base units.
pub const GENESIS_SUPPLY: sahara_primitives::Amount =
    sahara_primitives::Amount::from_base_units(alloy_primitives::U256::from_limbs([
        0x3e25_0261_1000_0000,
        0x204f_ce5e,
        0,
        0,
    ]));
