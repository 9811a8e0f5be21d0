//! The market: ownership of assets, and licences, sold and resold.
//!
//! # Model
//! What is for sale stays with its seller, who lets the market move it. A *listing* is a price for one or
//! more items; it is known by its EIP-712 hash, published on chain or signed. It sells once, as a whole. A
//! Dutch auction is a listing whose price falls. An *offer* and a bid in an English *auction* wait here
//! with their coin. Every sale is divided in its own call: royalty, referral, the rest to the seller, the
//! fee on top to the incentive pool; only a licence sold with a right to return it waits until that ends.
//!
//! An item commits to a state (see [`item::state_of`]), so that an asset's own account cannot be
//! drained, nor a licence used up, between the listing and the sale. See `specs/0012-market.md`.
//!
//! # Invariants
//! - I1 The protocol's balance is the sum of offers, bids and returnable sales, after every call.
//! - I2 The parts of a price add up to it, and the fee is on top.
//! - I3 A buyer never pays more than it sent with the call, and for exactly what was listed.
//! - I4 A listing sells once at most; a nonce that was used or cancelled sells nothing.
//! - I5 Nobody but the owner, or whom it signed, listed or opened an auction for, loses an item.
//! - I6 Coin that waits leaves once: to the sale, or back to whom it came from; nobody can block it.
//!
//! # Rounding
//! Fee, royalty and referral are rounded down, the seller takes the remainder. A falling price is
//! rounded up.

mod auctions;
mod dispatch;
mod escrow;
mod item;
mod listing;
mod offers;
mod returns;
mod storage;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use dispatch::call;
pub(crate) use storage::{LAYOUT, liability};

use sahara_primitives::BasisPoints;

/// The most items of a listing: each is moved and divided, up to 64 ancestors.
pub const MAX_ITEMS: usize = 16;

/// The longest time for returning a licence: 30 days.
pub const MAX_REFUND_SECONDS: u32 = 30 * 86_400;

/// The longest auction: 30 days.
pub const MAX_AUCTION_SECONDS: u64 = 30 * 86_400;

/// A bid in the last ten minutes moves the end to ten minutes after it; in an auction that was to run
/// shorter than that, a bid at any time moves it to that auction's run after it.
pub const EXTENSION_SECONDS: u64 = 600;

/// A bid is at least 5 % above the last.
pub const MIN_RAISE: BasisPoints = BasisPoints::constant(500);

/// The highest price: 2^96 base units, more than all coin. Price and fee then fit a word's halves.
pub const MAX_PRICE: u128 = 1 << 96;
