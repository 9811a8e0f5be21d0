//! Workers and gateways: who computes and who sells, with bonds, offers and prices.
//!
//! Channels ask this module two questions: [`gateway_terms`] (may it be opened to, at which fee?)
//! and [`may_earn`] (may this worker be paid for this asset?). See `specs/0008-workers.md`.
//!
//! # Invariants
//! - I1 The protocol's balance is the sum of the bonds, after every call.
//! - I2 A bond leaves once, to whom posted it, not before its notice ended.
//! - I3 An asset's list holds exactly the workers that serve it, each once.
//! - I4 Nobody but the account itself changes its record or its offers.
//! - I5 A worker whose notice has begun serves nothing.

mod dispatch;
mod rules;
mod storage;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use dispatch::call;
pub use rules::{
    gateway, gateway_terms, leave, may_earn, offer, register_gateway, register_worker, serve,
    unserve, withdraw_bond, worker, workers_of,
};
pub(crate) use storage::{LAYOUT, liability};

use sahara_primitives::{Amount, Price};

/// The least bond of a worker or gateway: what an identity costs.
pub const MINIMUM_BOND: Amount = Amount::from_base_units(alloy_primitives::U256::from_limbs([
    // 1,000 * 10^18 = 54 * 2^64 + 3,875,820,019,684,212,736
    3_875_820_019_684_212_736,
    54,
    0,
    0,
]));

/// The highest price: 2^80 base units (1.2 million SAHARA) per 1,000,000 tokens.
///
/// A receipt counts at most 2^32 tokens each way, so a party's charge is at most
/// `2 * 2^32 * 2^80 / 10^6 < 2^94`, worker and asset together less than 2^95, and with fees of at most 20 %
/// the total still fits the 96 bits of a channel's deposit.
pub const MAX_PRICE: Price = Price(1 << 80);

/// Seconds between `leave` and the bond's return, and for which work done before `unserve` stays
/// payable: a day, time enough for a gateway that was down to collect for its workers.
pub const NOTICE_SECONDS: u64 = 86_400;

/// The longest endpoint in bytes; a URL of 253 characters of host name is the longest there is.
pub const MAX_ENDPOINT_BYTES: usize = 256;
