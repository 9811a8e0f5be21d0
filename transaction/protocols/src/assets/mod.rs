//! Assets: datasets, models, agents and what else is made and used, with owners, prices and a lineage that never changes.
//!
//! # Model
//! Ids only grow and an edge points to a smaller one, so the graph has no cycle and needs no walk:
//! when an asset is registered, its parents' tables of ancestors are united into its own, per
//! ancestor the larger share. See [`lineage`] for the arithmetic and `specs/0004-assets.md` for the
//! why. Ownership is ERC-721; what must call a receiver is the protocol's own code (see
//! `transaction/evm/contracts`), which comes back as [`transfer_for`].
//!
//! # Invariants
//! - I1 An edge points to an older, sealed asset, and neither edges nor shares ever change.
//! - I2 An asset has at most [`MAX_PARENTS`] parents and [`MAX_ANCESTORS`] ancestors, whose shares are
//!   at most the governed cap; what passes a cap is refused, never scaled down.
//! - I3 An ancestor's share is the largest over all paths.
//! - I4 Every asset has exactly one owner; `balanceOf` counts them.
//! - I5 A transfer first pays what the past earned, and moves the rest.
//! - I6 Nothing owns itself: owners of owners end with somebody who is no asset's account.
//! - I7 An edge stands exactly where the table of relations allows it.
//! - I8 Nobody but the registry's own code moves an asset for another operator.
//! - I9 What an asset's own account allowed ends when the asset, or one above it, changes hands.

mod accounts;
mod dispatch;
pub mod lineage;
mod ownership;
mod record;
pub(crate) mod registration;
pub mod relations;
mod storage;
#[cfg(test)]
mod tests;
mod versions;
mod views;

pub use accounts::{MAX_NESTING, account_of, asset_of};
pub(crate) use accounts::{count_corrected, count_taken, giver, taken_of};
pub(crate) use dispatch::call;
pub use lineage::Row;
pub use ownership::{
    approve, balance_of, owner_of, set_approval_for_all, transfer_for, transfer_from,
};
pub(crate) use ownership::{check_transfer, mark, transfers_of};
pub use record::{Edge, Title};
pub(crate) use registration::require_open;
pub use registration::{Registration, add_members, approve_derivative, register, seal, set_prices};
pub use sahara_abi::{MAX_ANCESTORS, MAX_PARENTS};
pub(crate) use storage::LAYOUT;
pub use versions::{Standing, history, version_of};
pub use views::{ancestors, count, edges, exists, preview, prices, title};
pub(crate) use views::{is_deriver, metadata};

use crate::{liabilities::RawSlot, state::Failure};
use alloy_primitives::U256;

/// The longest metadata URI in bytes; an IPFS URI takes about 70.
pub const MAX_METADATA: usize = 2_048;

/// The highest price: 1 SAHARA per token, in base units per 1,000,000 tokens. Charges then fit a
/// channel's 96 bits for 79 billion tokens.
pub const MAX_PRICE: u128 = 1_000_000_000_000_000_000_000_000;

/// The name of the collection.
pub const NAME: &str = "Sahara Assets";

/// The symbol of the collection.
pub const SYMBOL: &str = "SAHARA-ASSET";

/// The registry's account holds nothing for anyone.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}
