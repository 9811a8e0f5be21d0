//! Royalties: what is paid for using an asset is divided among those who made it possible.
//!
//! # Model
//! A payment is cut into exact parts: one per ancestor, the rest for the asset (see
//! [`crate::assets::lineage`]). Each part is one deposit into a pool. Where the owner alone earns, the
//! deposit is the owner's coin at once and nothing is stored. Otherwise members hold units, which are
//! final before the first deposit; so what a member is due is a function of one number, everything ever
//! deposited (see [`pool`]), and a deposit writes one word whatever the number of members.
//!
//! Members are enrolled by name, or committed to by the root of a Merkle-sum tree and activated later
//! (see [`crate::contributions`]): their units count from the seal on.
//!
//! What is earned arrives in three ways: members are credited before their own transactions
//! ([`before_transaction`]), by the sweep at the end of a block, and whenever anyone calls `settle`.
//!
//! # Invariants (`specs/0003-royalties.md`)
//! - I1 `deposited * 2^128 == paid * 2^128 + sum(units_a * acc - paid_a * 2^128) + rem` for every pool,
//!   after every operation.
//! - I2 The parts of a payment add up to it.
//! - I3 A payment touches at most [`MAX_ANCESTORS`] + 1 pools and writes one word for each that has
//!   members, whatever their number.
//! - I4 The account's coin is the sum of `deposited - paid` over all pools.
//! - I5 `earned` is what `settle` pays, at any time.
//!
//! # Rounding
//! A part is rounded down, the asset's own pool takes the remainder; a member's due is rounded down and
//! what is left of a base unit waits in the pool for the next deposit.

mod accounts;
mod commitment;
mod dispatch;
mod members;
mod payment;
pub mod pool;
mod queue;
mod recount;
mod settlement;
mod storage;
mod sweep;
#[cfg(test)]
mod tests;
mod views;

pub(crate) use commitment::{
    activate, commit, commitment, contributions_of, due_for, enrolled, leaf,
};
pub(crate) use dispatch::call;
pub use members::Share;
pub(crate) use members::{ENROLLED, close, enroll, found, move_seat};
pub use payment::pay_from;
pub(crate) use payment::{give_back, mark};
pub(crate) use recount::check_pools;
pub(crate) use recount::liability;
pub use sahara_abi::{MAX_ANCESTORS, MAX_MEMBERS};
pub use settlement::{before_transaction, settle};
pub(crate) use storage::LAYOUT;
pub(crate) use sweep::sweep;
pub use views::{earned, earned_in, paid_to, units_of};

use sahara_primitives::Amount;

/// The most pools settled before a transaction: 16 credits cost its sender about 100,000 gas.
pub const POOLS_BEFORE_TRANSACTION: u32 = 16;

/// Looks in a row that find nothing, after which no more pools are looked at before a transaction: whoever
/// enrols an account in many pools without income, which it cannot leave, makes its transactions dearer by
/// 4,000 gas and not by 14,000. The next transaction goes on where this one stopped.
pub const FRUITLESS_LOOKS: u32 = 4;

/// The most members looked at by one block's sweep, and so the most credits.
pub const SWEEP: u32 = 256;

/// Members looked at before the next pool has its turn: a large pool does not hold up small ones.
pub const SWEEP_TURN: u32 = 16;

/// The most pools settled by one call.
pub const MAX_SETTLED_POOLS: usize = 64;

/// The least that is credited without being asked for: 0.000001 SAHARA. A credit costs about 6,000
/// gas, so at 1 gwei half a dozen times that; `settle` pays any amount.
pub const DUST: Amount =
    Amount::from_base_units(alloy_primitives::U256::from_limbs([1_000_000_000_000, 0, 0, 0]));
