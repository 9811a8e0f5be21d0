//! Governance: proposals, votes, what they decide; pauses and upgrades.
//!
//! # Model
//! `OpenZeppelin`'s Governor, native. A proposal is calls; what it is about ([`kinds`]) follows from them,
//! and with it the rules it goes by. Its proposer puts a deposit behind it. Votes are bonded coin as it
//! was before the epoch in which voting begins: a validator speaks for all behind it, except for those
//! who speak themselves, before or after it ([`voting`]). What is accepted waits for a time and is then
//! executed by anyone, or by the chain at the end of a block ([`executing`]), as calls from the
//! protocol's own address. Calls to protocols are made here; calls to contracts by the code that stands
//! at the address.
//!
//! # Invariants (`specs/0016-governance.md`)
//! - I1 No coin votes twice: all votes of a proposal are at most all coin bonded when it is counted.
//! - I2 A verdict is exact: a proposal is decided as its votes say in whole base units.
//! - I3 The account's coin is all deposits, free and behind proposals; each deposit goes back, or,
//!   vetoed, to the incentive pool, once.
//! - I4 A proposal's state only goes forward.
//! - I5 Nothing is executed but what was accepted, after its time, once.
//! - I6 Coin bonded after the epoch's beginning, unbonding, unvested or undistributed votes nothing.
//! - I7 No proposal makes governance propose, vote or execute.
//! - I8 A pause ends by itself, stops entries only, and its guardian rests.
//! - I9 From an upgrade's height on no node without it makes or takes a block.

mod agenda;
mod counting;
mod dispatch;
mod executing;
mod kinds;
mod parameters;
mod pause;
mod proposals;
mod proposing;
mod storage;
#[cfg(test)]
mod tests;
mod upgrade;
mod views;
mod voting;
mod words;

pub use counting::{IN_FAVOUR, VETO, Verdict};
pub(crate) use dispatch::call;
pub(crate) use executing::turn;
pub use executing::{BOOKS_GAS, EXECUTION_GAS, execute, queue};
pub use kinds::Action;
pub use parameters::{KINDS, Rules, Settings, found, quick};
pub(crate) use pause::check_entry;
pub use pause::{entries, pause, paused_until, unpause};
pub use proposals::Content;
pub use proposing::{MAX_ACTIONS, cancel, deposit_for, propose, withdraw_deposit};
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;
pub use upgrade::{MOST_NOTICE, PROTOCOL_VERSION, needed_version, scheduled_upgrade, upgrade_slot};
pub use voting::{Vote, cast, cast_signed};
