//! Validators: who proposes and votes in which epoch, in the state, so that its root commits to them.
//!
//! Consensus asks [`validators_of`] which set an epoch has; the last header of each epoch repeats the
//! answer for those without state. Where staking does not decide, a set is replaced by a change that more
//! than two thirds of the current seats signed with their consensus keys ([`change`]). Where block 0
//! has staking validators, staking decides instead ([`elect`]); nothing else needs to know.
//!
//! # Why here and not in the blocks' seals
//! A message in a seal would be the choice of one leader, the last of an epoch, who could leave it
//! out. As a transaction any block of the epoch can take it; it pays gas, fails with a reason, is seen
//! in logs, and a node that begins from a snapshot has the sets with the state.
//!
//! # Invariants
//! - V1 A set, once the epoch before it has begun its last block, never changes.
//! - V2 Only a quorum of an epoch's set, or staking, replaces it, once, for the next epoch.
//! - V3 Every epoch has a set, and sets of the past stay readable.

mod dispatch;
mod rules;
mod storage;

pub(crate) use dispatch::call;
pub use rules::{Founding, change, epoch_length, found, origin, starts, validators_of};
pub(crate) use rules::{closes_after_next, elect, epoch};
pub(crate) use storage::{LAYOUT, liability};

/// Gas for the pairings of one signed change, about a millisecond.
pub(crate) const CHANGE_GAS: u64 = 400_000;

/// Gas for a byte of a set: its proofs of possession are checked, about a millisecond for the 220
/// bytes of a seat. A change among 100 seats costs about 80 million gas.
pub(crate) const SET_BYTE_GAS: u64 = 1_800;
