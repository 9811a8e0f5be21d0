//! The accounts of a local network: those of the public test mnemonic, by role.

use alloy_primitives::Address;
use sahara_client::{KeyError, SigningKey, TEST_MNEMONIC};
use std::sync::LazyLock;

/// Accounts that hold the sale and liquidity classes, as other local chains have them.
pub(crate) const COUNT: u32 = 10;

/// Further accounts of the mnemonic, after [`COUNT`]: the operators of a local network's validators.
/// They begin with their stake and nothing else, so that what they hold is what they earned.
pub(crate) fn operator(index: u16) -> Result<Address, KeyError> {
    Ok(key(COUNT.saturating_add(index.into()))?.address())
}

/// What each account is for; the others are free.
pub(crate) const ROLES: [(&str, u32); 6] = [
    ("payer", 0),
    ("dataset_creator", 1),
    ("model_creator", 2),
    ("agent_creator", 3),
    ("worker", 4),
    ("gateway", 5),
];

/// The key of an account.
pub(crate) fn key(index: u32) -> Result<SigningKey, KeyError> {
    SigningKey::from_mnemonic(TEST_MNEMONIC, index)
}

/// The key of a role; the payer's for a role there is not.
pub(crate) fn key_of(role: &str) -> Result<SigningKey, KeyError> {
    let index = ROLES.iter().find(|(name, _)| *name == role).map_or(0, |(_, index)| *index);
    key(index)
}

/// The public accounts.
pub(crate) fn accounts() -> &'static [Address] {
    static ACCOUNTS: LazyLock<Vec<Address>> = LazyLock::new(|| {
        (0..COUNT).filter_map(|index| key(index).ok()).map(|key| key.address()).collect()
    });
    &ACCOUNTS
}
