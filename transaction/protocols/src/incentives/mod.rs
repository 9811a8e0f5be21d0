//! Incentives: what the incentive pool's coin is spent on.
//!
//! # Model
//! Coin reaches this protocol from the incentive pool, by a move that `vesting` announced a notice period
//! before, and is *unassigned* then. A proposal opens a *programme*: a budget, a manager, an end. Within
//! the budget the manager approves grants, opens hackathons and rounds of awards; each sets its coin
//! aside at once, so nothing is promised twice. What is not spent goes back to the programme, and, when
//! that is over, to the pool.
//!
//! # Invariants (`specs/0018-incentives.md`)
//! - I1 The account's coin is what is unassigned, left in programmes, and set aside for grants, hackathons
//!   and rounds.
//! - I2 A programme never promises more than its budget.
//! - I3 A milestone, a prize and an award are paid at most once, for what was said when it was opened.
//! - I4 Nobody decides about coin for itself.
//! - I5 An award by usage is at most the protocol fees named with it.
//! - I6 What all rounds by settled usage pay is at most the protocol fees that unrelated payers paid on
//!   channels; no fee is counted twice.

mod awards;
mod dispatch;
mod grants;
mod hackathons;
mod programmes;
mod storage;
#[cfg(test)]
mod tests;
mod usage;
mod usage_words;
mod words;

pub use awards::leaf;
pub(crate) use dispatch::call;
pub(crate) use programmes::receive;
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;

/// Seconds between the opening of a round and its first payment: seven days. A proposal that closes it needs
/// five, so that no manager pays what a vote would have refused.
pub const NOTICE: u64 = 7 * 86_400;

/// Seconds after which a delivery that nobody reviewed is paid: 14 days.
pub const REVIEW: u64 = 14 * 86_400;

/// The longest that a hackathon or a round by usage takes from its opening to its end: 366 days. Nobody ends
/// one before, so a manager could otherwise lock a programme's coin up for ever.
pub const LONGEST: u64 = 366 * 86_400;

/// The most milestones, judges and prizes of one thing.
pub const MOST: usize = 16;

/// The most channels named in one call that counts usage: at about 10,000 gas each.
pub const MOST_SERVED: usize = 64;
