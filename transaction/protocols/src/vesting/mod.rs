//! Vesting: which coin of the token's classes comes free when, and moves that are announced.
//!
//! # Model
//! The coin of a class lies in the account without key that genesis gave it, its *pool*, where every
//! tool can see it. This protocol alone moves it, and holds none itself. A [`Schedule`](words::Schedule)
//! binds a part of a pool: so much, for this beneficiary, on this [`Curve`].
//!
//! - The community's and the incentive pool's schedules come free where they lie.
//! - The team's, the investors' and the airdrop's are *held*: grants and claims are cut from them,
//!   each with its own schedule on the class's curve.
//!
//! What has come free in a pool, and coin of the team's beneficiaries, leaves by an announced move
//! only: announce, wait for the notice period, execute within the window, or cancel.
//!
//! # Invariants (`specs/0014-vesting.md`)
//! - I1 A pool holds at least what its schedules still bind.
//! - I2 What is released of a schedule is at most what its curve says, to the second and the unit, and
//!   all of it at the end.
//! - I3 The schedules of a class add up to the class, whatever is granted, claimed or revoked.
//! - I4 Nothing leaves a pool but by a release to a beneficiary or a move that was announced a notice
//!   period before.
//! - I5 An airdrop index is claimed at most once, before the close, for what its leaf says.
//!
//! # Rounding
//! A curve's value is rounded down; the end releases the remainder.

mod airdrop;
mod calendar;
mod curve;
mod dispatch;
mod genesis;
mod grants;
mod moves;
mod rules;
mod storage;
#[cfg(test)]
mod tests;
mod views;
mod words;

pub use airdrop::{Claim, claim, close_airdrop, leaf, publish_airdrop};
pub use calendar::add_months;
pub use curve::Curve;
pub(crate) use dispatch::call;
pub use genesis::{Plan, PlanError, PlannedGrant, found};
pub use grants::{Grant, grant, revoke};
pub use moves::{announce, announce_from_pool, cancel, execute};
pub use rules::{
    accept_authority, accept_beneficiary, offer_authority, offer_beneficiary, release,
};
pub(crate) use storage::LAYOUT;
pub use views::{locked_in, releasable, unlocked_in, unlocks, vested_at};

use crate::{liabilities::RawSlot, state::Failure};
use alloy_primitives::U256;

/// The longest delay of a grant: 2^32 - 1 seconds, 136 years.
pub const MAX_DELAY: u64 = 0xffff_ffff;

/// The protocol's account holds nothing: what it governs lies in the pools.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}
