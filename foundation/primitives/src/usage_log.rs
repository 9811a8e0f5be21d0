//! [`UsageLog`]: what an asset was used for through one gateway in one period, as one hash.
//!
//! ```text
//! receipts -> receiptsRoot of a claim -> leaf of the log -> claims root -> root = the log asset's content hash
//! ```

use crate::{AssetId, ChannelId, ReceiptSeq, Timestamp, domain_hash, merkle};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// What a log covers: everything that one gateway settled for one asset in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UsageLog {
    /// EIP-155 id of the chain that settled it.
    pub chain_id: u64,
    /// Who sold.
    pub gateway: Address,
    /// What was used.
    pub asset: AssetId,
    /// The period's first second.
    pub from: Timestamp,
    /// The second after its last.
    pub to: Timestamp,
}

/// A claim as a log names it: which receipts, and their root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LoggedClaim {
    /// The channel that paid.
    pub channel: ChannelId,
    /// Its first receipt.
    pub from: ReceiptSeq,
    /// The one after its last.
    pub to: ReceiptSeq,
    /// Root over its receipts.
    pub receipts_root: B256,
}

impl LoggedClaim {
    /// Domain of the leaf.
    pub const DOMAIN: &'static str = "sahara/usage-log/claim/1";

    /// The claim's leaf.
    pub fn hash(&self) -> B256 {
        domain_hash(
            Self::DOMAIN,
            &[
                self.channel.0.as_slice(),
                &self.from.0.to_be_bytes(),
                &self.to.0.to_be_bytes(),
                self.receipts_root.as_slice(),
            ],
        )
    }
}

impl UsageLog {
    /// Domain of the root.
    pub const DOMAIN: &'static str = "sahara/usage-log/1";

    /// The content hash of the log's asset: over what it covers, and the root of its claims' leaves.
    pub fn root(&self, claims_root: B256) -> B256 {
        domain_hash(
            Self::DOMAIN,
            &[
                &self.chain_id.to_be_bytes(),
                self.gateway.as_slice(),
                &self.asset.0.to_be_bytes(),
                &self.from.0.to_be_bytes(),
                &self.to.0.to_be_bytes(),
                claims_root.as_slice(),
            ],
        )
    }

    /// The root of a log of these claims, in the chain's order.
    pub fn root_of(&self, claims: &[LoggedClaim]) -> B256 {
        let leaves: Vec<_> = claims.iter().map(LoggedClaim::hash).collect();
        self.root(merkle::root(&leaves))
    }

    /// Whether something settled at this time belongs to the period.
    pub fn covers(&self, settled: Timestamp) -> bool {
        self.from <= settled && settled < self.to
    }
}

impl Timestamp {
    /// The period of so many seconds, counted from 1970, to which a time belongs: its first second,
    /// and the one after its last. A length of 0 counts as 1.
    pub fn period(self, seconds: u64) -> (Self, Self) {
        let seconds = seconds.max(1);
        let into = self.0.checked_rem(seconds).unwrap_or_default();
        let from = Self(self.0.saturating_sub(into));
        (from, from.saturating_add(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log() -> UsageLog {
        UsageLog {
            chain_id: 1,
            gateway: Address::repeat_byte(1),
            asset: AssetId(2),
            from: Timestamp(100),
            to: Timestamp(200),
        }
    }

    fn claim(seed: u8) -> LoggedClaim {
        let from = ReceiptSeq(u32::from(seed));
        LoggedClaim {
            channel: ChannelId(B256::repeat_byte(seed)),
            from,
            to: ReceiptSeq(from.0 + 1),
            receipts_root: B256::repeat_byte(!seed),
        }
    }

    proptest! {
        /// I1: the root commits to what is covered, to every claim and to their order.
        #[test]
        fn i1_another_log_has_another_root(seeds in proptest::collection::vec(any::<u8>(), 1..8), at in any::<prop::sample::Index>(), other in any::<u8>()) {
            let claims: Vec<_> = seeds.iter().map(|seed| claim(*seed)).collect();
            let root = log().root_of(&claims);
            let place = at.index(claims.len());
            let mut changed = claims.clone();
            changed[place] = claim(other);
            prop_assert_eq!(log().root_of(&changed) == root, seeds[place] == other);
            prop_assert_ne!(log().root_of(&claims[..place]), root);
            for moved in [
                UsageLog { chain_id: 2, ..log() },
                UsageLog { gateway: Address::ZERO, ..log() },
                UsageLog { asset: AssetId(3), ..log() },
                UsageLog { from: Timestamp(99), ..log() },
                UsageLog { to: Timestamp(201), ..log() },
            ] {
                prop_assert_ne!(moved.root_of(&claims), root);
            }
        }

        /// I2: periods divide time without gap or overlap.
        #[test]
        fn i2_every_moment_is_in_one_period(at in 0..u64::MAX / 2, seconds in 1..1_000_000_u64) {
            let (from, to) = Timestamp(at).period(seconds);
            prop_assert!(from.0 <= at && at < to.0);
            prop_assert_eq!(to.0 - from.0, seconds);
            prop_assert_eq!(from.0 % seconds, 0);
            prop_assert_eq!(Timestamp(to.0).period(seconds).0, to);
        }
    }
}
