//! Staking: who makes blocks, who stands behind them, and what a fault costs.
//!
//! # Model
//! A delegation is shares of its validator's stake ([`shares`]): a slash lowers the stake and is done,
//! whatever the number of delegators. Stake that left within the unbonding period still answers for
//! older faults; a slash is one entry in its validator's list, and an unbonding or a redelegation
//! applies the entries it has not seen whenever it is touched, by anyone, and in any case before it
//! is paid or moved. So no slash ever walks through delegators, and none is escaped.
//!
//! Rewards are divided by an accumulator per share and arrive without a claim: when a delegation is
//! touched, in the sweep at the end of blocks, and whenever anyone calls `settle`.
//!
//! Epochs are those of consensus. In the last block but one of each, who has seats in the next is
//! decided by stake ([`seats`]); a validator fills as many as it has keys.
//!
//! # Invariants (`specs/0015-staking.md`)
//! - I1 The account's coin is all stake, all rewards not yet paid and all coin on its way out.
//! - I2 `unpaid * 2^128 == sum(s_a * (acc - snap_a) + frac_a) + rem` for every validator.
//! - I3 The shares of a validator's delegations add up to its shares; without shares no stake.
//! - I4 Nobody gains by joining, leaving, splitting or ordering: what one takes out is at most what one
//!   put in, less slashes, plus rewards.
//! - I5 A slash reaches exactly what was bonded at the fault: stake that left before the fault keeps
//!   everything, stake that left at or after it loses the same ratio as stake that stayed.
//! - I6 A slash and a reward write the same number of words whatever the number of delegators.
//! - I7 Nothing leaves before its time, to the second, nor twice.
//! - I8 Splitting a stake gains no seat.
//! - I9 Past votes never change, and the votes of all are at most all stake.
//!
//! # Rounding
//! Against who claims, see [`shares`]. A slash of stake is rounded down, of stake that left up; both go
//! to the incentive pool less the reporter's bounty.

mod candidates;
mod delegation;
mod dispatch;
mod epoch;
mod evidence;
mod parameters;
mod position;
mod presence;
mod reach;
mod rewards;
mod seat_key;
pub mod seats;
pub mod shares;
mod slashing;
mod storage;
mod sweep;
#[cfg(test)]
mod tests;
mod unbonding;
mod validators;
mod views;
mod votes;
mod words;

pub use delegation::{delegate, redelegate, undelegate};
pub(crate) use dispatch::call;
pub use epoch::{Founder, found, turn};
pub(crate) use epoch::{epoch_length, epoch_start};
pub use evidence::{Fault, Votes};
pub use parameters::Parameters;
pub use presence::participation;
pub use rewards::{commission_of, compound, reward, settle};
pub use seat_key::Place;
pub use slashing::{double_sign, unjail};
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;
pub(crate) use sweep::sweep;
pub use unbonding::{apply_slashes, withdraw};
pub use validators::{KeyBytes, add_seat_key, create, edit, leave, move_seat};
pub(crate) use votes::{backed, is_tombstoned, past_delegation};
pub use votes::{past_stake, past_total, past_votes, votes};

use sahara_primitives::Amount;

/// The least a validator puts in itself: what a candidate costs, 1,000 SAHARA.
pub const LEAST_STAKE: Amount = crate::workers::MINIMUM_BOND;

/// The most validators that stand at once: the turn of an epoch reads each of them, at 8,500 gas, and so
/// does who takes the place of the least, at 4,300.
pub const MAX_VALIDATORS: u64 = 512;

/// The most seats of an epoch: its turn writes each of them, at 22,500 gas.
pub const MAX_SEATS: u16 = 256;

/// The most seat keys of a validator: all seats there can be.
pub const MAX_SEAT_KEYS: u32 = 256;

/// Unbondings of one delegator from one validator, and redelegations to it, under way at once.
pub const MAX_ENTRIES: u32 = 7;

/// Validators that one account stands or stood behind within the voting history.
pub const MAX_DELEGATIONS: u64 = 32;

/// Seconds for which a past delegation keeps its place, so that votes about that time can be counted:
/// 60 days, four times the longest proposal.
pub const HISTORY: u64 = 60 * 86_400;

/// Seconds between changes of a commission.
pub const COMMISSION_PERIOD: u64 = 86_400;

/// Delegations looked at by one block's sweep, at up to 100,000 gas.
pub const SWEEP_LOOKS: u32 = 32;

/// Old faults applied by one touch.
pub const SLASHES_AT_ONCE: u32 = 64;

/// The least that is credited without being asked for: 0.000001 SAHARA, as in royalties.
pub const DUST: u128 = 1_000_000_000_000;
