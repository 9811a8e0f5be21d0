//! Identifiers: numbers and hashes that must not be mixed up.

use alloy_primitives::{B256, U256};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A registered asset. Ids only grow, and start at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AssetId(pub u64);

impl From<AssetId> for U256 {
    fn from(id: AssetId) -> Self {
        Self::from(id.0)
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for AssetId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim_start_matches('#').parse().map(Self)
    }
}

/// A licence: the right to use an asset. Ids start at 1; none is needed where it is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct LicenseId(pub u64);

impl LicenseId {
    /// No licence: its user owns the asset, or the asset is open, or its terms are free.
    pub const NONE: Self = Self(0);
}

impl From<LicenseId> for U256 {
    fn from(id: LicenseId) -> Self {
        Self::from(id.0)
    }
}

impl fmt::Display for LicenseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub B256);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

hash_id! {
    /// A payment channel: the hash of the authorisation that opened it.
    ChannelId
}
hash_id! {
    /// An API key as the chain knows it: the hash of its secret.
    KeyId
}

/// Position of a receipt in its channel, from 0. 24 bits on chain.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ReceiptSeq(pub u32);

impl ReceiptSeq {
    /// The last position a channel has room for.
    pub const MAX: Self = Self(0x00ff_ffff);

    /// The next position, or `None` when the channel is full.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self).filter(|seq| *seq <= Self::MAX)
    }
}
