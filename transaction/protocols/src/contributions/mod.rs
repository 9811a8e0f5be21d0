//! Contributions: each part of an asset's making as a token that cannot be moved (ERC-5192).
//!
//! # Model
//! A contributor is enrolled by name while an asset is open, or stands as a leaf in a committed
//! Merkle-sum tree and is activated later, by anyone, once. What is stored of both stands with the
//! pools (see [`crate::royalties`]); this protocol is the door to the second way, and the face that
//! wallets know.
//!
//! # Invariants (`specs/0003-royalties.md`)
//! - I6 A leaf is activated at most once, and activated units never exceed the committed ones.
//! - I7 What a contribution is due does not depend on when it is activated.
//! - I8 A contribution is never moved.

mod dispatch;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use dispatch::call;
pub(crate) use rules::log_token;
pub use rules::{activate, balance_of, commit, commitment, contribution, is_activated, token_of};

use crate::{liabilities::RawSlot, state::Failure, storage::Region};
use alloy_primitives::U256;

/// The most activations of one call: at 194,000 gas each among a million, what fits a transaction.
pub const MAX_ACTIVATIONS: usize = 80;

/// The name of the collection.
pub const NAME: &str = "Sahara Contributions";

/// The symbol of the collection.
pub const SYMBOL: &str = "SAHARA-CONTRIBUTION";

/// Contributions stand with the pools.
pub(crate) const LAYOUT: &[Region] = &[];

/// The account holds nothing for anyone.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}
