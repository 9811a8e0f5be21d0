//! Coin: the native coin, readable and movable as an ERC-20 with EIP-2612 and EIP-3009.
//!
//! # Model
//! A balance is the account's native balance: `transfer` moves the same coin as a transaction's value,
//! and no second ledger exists. Only allowances and used nonces are stored here. The coin is also
//! an account's gas, so a spender with an allowance can take what its owner needs for gas.
//!
//! # Invariants (`specs/0007-coin.md`)
//! - I1 No call creates or destroys coin.
//! - I2 Coin leaves an account only by its own call, an allowance or its signature.
//! - I3 No protocol account, and not the zero address, receives coin here.
//! - I4 A permit works once, before its deadline, and only with the low-s signature of its owner.
//! - I5 So does an authorization (EIP-3009), within its time; a cancelled one never.

mod authorization;
mod dispatch;
mod rules;
mod storage;
#[cfg(test)]
mod tests;

pub use authorization::{
    Authorization, Signed, authorization_state, cancel_authorization, receive_with_authorization,
    transfer_with_authorization,
};
pub(crate) use dispatch::call;
pub use rules::{
    SignedPermit, allowance, approve, balance_of, domain_separator, nonce_of, permit, transfer,
    transfer_from,
};
pub(crate) use storage::LAYOUT;

use crate::{liabilities::RawSlot, state::Failure};
use alloy_primitives::U256;

/// The coin's full name.
pub const NAME: &str = "Sahara";

/// The coin's account holds nothing for anyone.
#[expect(clippy::unnecessary_wraps, reason = "the table's shape: other protocols read words")]
pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}
