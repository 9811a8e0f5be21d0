//! The transaction pool: what waits to enter a block.
//!
//! # Model
//! A transaction is decoded, its sender recovered and its fixed rules checked once, before the lock
//! is taken ([`PooledTransaction`]). Then it enters its sender's queue, ordered by nonce. The head
//! of the queue that continues the account's nonce without a gap is *pending*, the rest is
//! *queued*. [`Pool::best`] merges the pending heads by effective tip, earlier arrivals first.
//!
//! The pool reads the chain through [`Accounts`]: nonce, spendable coin (what is earned and not yet
//! credited included, because it is credited before the sender's transaction runs), code. After
//! each finalised block [`Pool::on_finalized`] reads the changed senders again and drops what has
//! waited for longer than [`PoolSettings::lifetime_seconds`] of block time. Nothing else removes a
//! transaction but replacement, eviction and, should one break the node's rules, [`Pool::banish`].
//!
//! # Invariants
//! - P1 Two transactions in the pool never share sender and nonce.
//! - P2 Count, bytes, and count and bytes of each sender stay within [`PoolSettings`].
//! - P3 [`Pool::best`] yields a sender's transactions by nonce, without a gap, from the account's.
//! - P4 A sender's transactions together cost at most what the sender can spend.
//! - P5 Eviction takes from the end of a queue, so it never opens a gap.
//! - P6 After a block nothing is left that arrived [`PoolSettings::lifetime_seconds`] before it, give
//!   or take a minute.
//! - P7 A full pool makes room for what can pay the base fee of the next block as long as it holds what
//!   cannot, whatever that promises to pay.
//! - P8 A sender that delegates to code (EIP-7702), or that a waiting transaction lets by an authorisation whose
//!   nonce has not passed, gets its next one in and none behind it: whoever moves its coin voids at most one,
//!   that was as good as in a block, and what waited before.
//!
//! # Failure and recovery
//! The pool is memory only: after a restart it is empty and senders submit again.

mod best;
mod entry;
mod error;
mod handle;
mod intrinsic;
mod queue;
mod settings;
mod state;
#[cfg(test)]
mod tests;

pub use best::Best;
pub use entry::{Origin, PooledTransaction};
pub use error::PoolError;
pub use handle::Pool;
pub use intrinsic::{floor_gas, intrinsic_gas};
pub use settings::{Accounts, Head, PoolSettings, SenderContent, Spendable, Status};
