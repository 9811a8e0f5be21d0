//! Disputes: complaints against assets.
//!
//! # Model
//! Who says that an asset is stolen, lies about its lineage or breaks its terms files a complaint with a
//! bond, the hash of the evidence, and what should happen: shares of the asset's future income for others,
//! and whether it is still sold. Its owner may answer. Then jurors are drawn by stake from those who
//! enlisted before; they commit and reveal. Both sides may appeal, then governance may decide.
//!
//! From the filing on *new* income of the asset is held, at most as much as the bond, so that a wrong
//! complaint always pays for what it stopped; once a jury upheld it, all of it. After its last window nothing
//! is held and everything is decided. What was paid before is never touched.
//!
//! # Time
//! A complaint keeps the [`Windows`] with which it was filed. Its time to answer never ends before an earlier
//! one's, so complaints come to their juries in the order in which they were filed, and a block looks at one
//! complaint to know whether a jury is due.
//!
//! # Cost
//! Assets that nobody complains about pay nothing: one bit of words that a payment reads anyway says
//! whether this protocol is asked.
//!
//! # Invariants (`specs/0019-disputes.md`)
//! - I1 The account's coin is the bonds and the held income of complaints that are not closed.
//! - I2 Before a jury upheld it at most the bond is held, and nothing that comes before the filing or
//!   after its last window.
//! - I3 A complaint pays out exactly what it took in, once.
//! - I4 A juror enlisted before the complaint, is no party to it, and is drawn by a later block; a jury has
//!   five jurors or more, none with more than two of its seats.
//! - I5 A ruling has more than half of the jury's seats behind or against it; each speaks once, as it
//!   committed.
//! - I6 Shares are paid from the closing on and never exceed the part.
//! - I7 A dismissed complaint loses its bond.
//! - I8 A complaint keeps its windows and its jury's fee whatever is voted, and no vote makes windows, bonds or
//!   fees such that there are no disputes.

mod closing;
mod dispatch;
mod filing;
mod income;
mod jury;
mod list;
mod parameters;
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
pub use parameters::{Parameters, ParametersError, Windows, found};
pub(crate) use storage::LAYOUT;
pub(crate) use storage::liability;

/// The most places of one account.
pub const MAX_PLACES: u32 = 16;

/// Seats of a jury.
pub const JURY: u32 = 7;

/// The most shares that a complaint may ask for.
pub const MAX_SHARES: usize = 8;
