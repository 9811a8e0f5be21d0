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
//! Any number of complaints about an asset may be open, one of each account: each has its own bond, jury and
//! ruling. They claim the same income, which is held once (`escrow.rs`): the first of them that is upheld gets
//! what it claims, and what nobody claims any more goes back to who earned it.
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
//! - I1 The account's coin is the bonds of complaints that are not closed, and what waits of assets' income.
//! - I2 Before a jury upheld it at most the bond is held, and nothing that comes before the filing or
//!   after its last window.
//! - I3 A complaint pays out exactly what it took in, once.
//! - I4 A juror enlisted before the complaint, is no party to it or to another about the asset, and is drawn by
//!   a later block; a jury has five jurors or more, none with more than two of its seats.
//! - I5 A ruling for or against has more than half of all the jury's seats behind it, whoever is silent; each
//!   speaks once, as it committed.
//! - I6 Shares are paid from the closing on and never exceed the part.
//! - I7 A dismissed complaint loses its bond.
//! - I8 A complaint keeps its windows and its jury's fee whatever is voted, and no vote makes windows, bonds or
//!   fees such that there are no disputes.
//! - I9 Held income names who earned it and the open complaints that claim it. A complaint that is upheld gets
//!   what it would have got alone, less what another that was upheld before it got.
//! - I10 Income that nobody claims any more goes to who owned the asset when it was earned, and after a complaint
//!   that ended open none is held before a ruling for as long as the complaint could have lasted.

mod closing;
mod dispatch;
mod escrow;
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

/// The most shares that a complaint may ask for. Each is a transfer in every payment; where all 64 rows of a
/// table were corrected for as many, and nobody's account existed, a payment still fits a transaction.
pub const MAX_SHARES: usize = 4;

/// Open complaints about an asset that have its income held; further ones are decided all the same. A payment
/// reads eight words for each.
pub const MAX_CLAIMANTS: usize = 8;
