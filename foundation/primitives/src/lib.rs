//! Money, time, identifiers, usage and domain-separated hashes: pure values that every layer shares.
//!
//! No I/O, no clock, no async, no floats. Money is [`Amount`] (base units, 18 decimals), a price is
//! [`Price`] (base units per 1,000,000 tokens), a ratio is [`BasisPoints`]. None of them has `+` or
//! `-`: arithmetic is checked and returns [`Overflow`].
//!
//! # Rounding
//! [`Prices::charge`] rounds up, once per request. [`BasisPoints::of`] rounds down; whoever divides
//! hands the remainder to one named party. Every other division goes through [`Amount::div_floor`].
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic,
        clippy::iter_over_hash_type,
        clippy::as_conversions,
        clippy::integer_division
    )
)]
#![cfg_attr(not(test), warn(unused_crate_dependencies))]

mod amount;
mod bill;
mod hash;
mod ids;
pub mod merkle;
pub mod merkle_sum;
mod receipt;
mod time;
mod usage;
mod usage_log;

pub use amount::{Amount, BasisPoints, InvalidBasisPoints, Overflow, ParseAmountError};
pub use bill::{Bill, FeeRates};
pub use hash::{domain_hash, keccak256};
pub use ids::{AssetId, ChannelId, KeyId, LicenseId, ReceiptSeq};
pub use receipt::{DeterminismClass, Receipt, ReceiptLeaf};
pub use time::{BlockNumber, Milliseconds, Timestamp};
pub use usage::{ParsePriceError, Price, Prices, TokenCount, Usage};
pub use usage_log::{LoggedClaim, UsageLog};

pub use alloy_primitives::{Address, B256, Bytes, U256};

/// EIP-155 id of a local network: `SAHARA` on a phone's keys.
pub const LOCAL_CHAIN_ID: u64 = 724_272;
/// The coin's symbol.
pub const COIN_SYMBOL: &str = "SAHARA";
/// Decimals of the coin: one SAHARA is 10^18 base units.
pub const COIN_DECIMALS: u8 = 18;
