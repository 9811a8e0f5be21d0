//! Disputes: complaints against assets.
//!
//! # Model
//! Who says that an asset is stolen, lies about its lineage or breaks its terms files a complaint with a
//! bond, the hash of the evidence, and what should happen: shares of the asset's future income for others,
//! and whether it is still sold. Its owner may answer. Then jurors are drawn by stake from those who
//! enlisted before; they commit and reveal. Both sides may appeal, then governance may decide.
//!
//! From the filing on *new* income of the asset is held, at most as much as the bond, so that a wrong
//! complaint always pays for what it stopped; once a jury upheld it, all of it. After [`HOLDING`] nothing
//! is held and everything is decided. What was paid before is never touched.
//!
//! # Time
//! Every complaint has the same periods, counted from its filing, so complaints come to their juries in
//! the order in which they were filed, and a block looks at one word to know whether a jury is due.
//!
//! # Cost
//! Assets that nobody complains about pay nothing: one bit of words that a payment reads anyway says
//! whether this protocol is asked.
//!
//! # Invariants (`specs/0019-disputes.md`)
//! - I1 The account's coin is the bonds and the held income of complaints that are not closed.
//! - I2 Before a jury upheld it at most the bond is held, and nothing that comes before the filing or
//!   after its 14 days.
//! - I3 A complaint pays out exactly what it took in, once.
//! - I4 A juror enlisted before the complaint, is no party to it, and is drawn by a later block; a jury has
//!   five jurors or more, none with more than two of its seats.
//! - I5 A ruling has more than half of the jury's seats behind or against it; each speaks once, as it
//!   committed.
//! - I6 Shares are paid from the closing on and never exceed the part.
//! - I7 A dismissed complaint loses its bond.

mod closing;
mod dispatch;
mod filing;
mod income;
mod jury;
mod list;
mod phases;
mod storage;
#[cfg(test)]
mod tests;
mod views;
mod words;

pub(crate) use dispatch::call;
pub(crate) use income::{check_listed, divert, is_listed};
pub use jury::DRAW_GAS;
pub(crate) use jury::turn;
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;

use sahara_primitives::Amount;

/// The least bond of a complaint, an answer and an appeal: 100 SAHARA.
pub const LEAST_BOND: Amount = Amount::from_base_units(alloy_primitives::U256::from_limbs([
    7_766_279_631_452_241_920,
    5,
    0,
    0,
]));

/// What the jury is paid out of the complaint's bond: 21 SAHARA, three a seat.
pub const JURY_FEE: u128 = 21_000_000_000_000_000_000;

/// Bonded coin behind a place on the list of jurors: 1,000 SAHARA. A stake has as many places in one
/// account as in many.
pub const PLACE: u128 = 1_000_000_000_000_000_000_000;

/// The most places of one account.
pub const MAX_PLACES: u32 = 16;

/// Seats of a jury.
pub const JURY: u32 = 7;

/// The most shares that a complaint may ask for.
pub const MAX_SHARES: usize = 8;

const DAY: u64 = 86_400;

/// Seconds after the filing at which the time to answer is over and a jury is drawn.
pub const ANSWER: u64 = 2 * DAY;

/// Seconds after the filing from which no block goes on with a draw that found stale places: jurors need the
/// rest to commit.
pub const DRAWING: u64 = ANSWER + 12 * 3_600;

/// Seconds after the filing at which jurors no longer commit, and reveal.
pub const COMMIT: u64 = 3 * DAY;

/// Seconds after the filing at which the jury's ruling stands.
pub const REVEAL: u64 = 4 * DAY;

/// Seconds after the filing until which sides may appeal.
pub const APPEAL: u64 = 6 * DAY;

/// Seconds after the filing at which nothing more is held and governance's time is over: a proposal
/// that is made on the sixth day needs five to six.
pub const HOLDING: u64 = 14 * DAY;
