//! Time on chain.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Seconds since the Unix epoch, as a block header states them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Whole days since the Unix epoch (UTC); the day of a daily cap.
    pub fn day(self) -> u64 {
        self.0.checked_div(86_400).unwrap_or_default()
    }

    /// This time plus a number of seconds, at most the end of time.
    #[must_use]
    pub const fn saturating_add(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// Milliseconds since the Unix epoch, as a block header's `nonce` states them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Milliseconds(pub u64);

impl Milliseconds {
    /// The second it lies in.
    pub fn timestamp(self) -> Timestamp {
        Timestamp(self.0.checked_div(1000).unwrap_or_default())
    }
}

/// Height of a block; genesis is 0.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BlockNumber(pub u64);

impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
