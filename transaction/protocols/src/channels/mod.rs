//! Channels: a payer's deposit, what gateways may take of it, and who is paid when they do.
//!
//! # Model
//! A payer's coin is either *free* or *set aside* in a channel with one gateway. A channel is opened
//! by what the payer signed once: a reservation, whose charges the payer signs one by one as
//! vouchers, or a key grant, whose charges the gateway asserts within caps. Its id is the hash of
//! what was signed. A claim moves a channel's `settled` forward to a signed or capped cumulative
//! amount and pays, in that call, everyone whom its lines name and prove.
//!
//! # Invariants
//! - I1 The protocol's balance is free deposits plus what channels hold, after every call.
//! - I2 The parts of a claim add up to what it takes from the channel.
//! - I3 Nothing is paid twice, whatever is sent again.
//! - I4 A withdrawal never touches what is set aside.
//! - I5 `settled <= deposit`, and never more than vouchers or caps allow.
//! - I6 A closed channel never changes, and its id never opens again.
//! - I7 Receipts are claimed in order, without gaps.
//! - I8 A refused call changes nothing.
//!
//! # Rounding
//! None here: parts come signed, fees are `primitives::Bill`'s.
//!
//! See `specs/0005-channels.md` for the threat model and the decisions.

mod allowance;
mod claim;
mod close;
mod deposit;
mod dispatch;
mod open;
mod storage;
#[cfg(test)]
pub(crate) mod tests;
mod views;
mod words;

pub use claim::{claim_and_count, claim_batch};
pub use close::{close, request_close, revoke};
pub use deposit::{fund, withdraw};
pub(crate) use dispatch::call;
pub use open::{open, open_grant};
pub(crate) use storage::{LAYOUT, liability};
pub(crate) use views::{ServedUse, served};
pub use views::{channel, deposit_of, earning, grant_use};

/// Seconds between `requestClose` and `close`: many times what a claim takes (a second), so that a
/// gateway that restarts or waits out a full block still collects.
pub const CLOSE_DELAY_SECONDS: u64 = 3_600;

/// Seconds after the end or revocation of a key grant in which work done before can be collected.
/// The same hour as [`CLOSE_DELAY_SECONDS`], which a lying gateway would have anyway.
pub const CLAIM_GRACE_SECONDS: u64 = 3_600;

/// The most lines of a claim: at about 3,000 gas of recovery and 10,000 of state a line, one claim
/// stays below a million gas.
pub const MAX_LINES: usize = 64;

/// The most assets that a key grant lists: each is a word written when it opens.
pub const MAX_GRANT_ASSETS: usize = 32;
