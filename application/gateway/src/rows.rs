//! What the store holds, row by row.

use crate::{
    error::ApiError,
    rights::Right,
    store::{Store, list},
};
use alloy_primitives::{Address, B256, Bytes};
use sahara_abi::IChannels;
use sahara_compute::{FinishReason, Payment, Terms};
use sahara_primitives::{
    Amount, AssetId, BlockNumber, ChannelId, DeterminismClass, FeeRates, KeyId, Milliseconds,
    Prices, Receipt, ReceiptSeq, Timestamp, Usage, domain_hash,
};
use serde::{Deserialize, Serialize};

/// A key grant and its payer's signature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeyRow {
    pub(crate) grant: IChannels::KeyGrant,
    pub(crate) signature: Bytes,
}

/// What the payer signed to open a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authority {
    /// The gateway asserts charges within caps.
    Grant(KeyRow),
    /// The payer signs each cumulative amount.
    Reservation { reservation: IChannels::Reservation, signature: Bytes },
}

impl Authority {
    pub(crate) const fn payer(&self) -> Address {
        match self {
            Self::Grant(key) => key.grant.payer,
            Self::Reservation { reservation, .. } => reservation.payer,
        }
    }

    pub(crate) const fn valid_until(&self) -> u64 {
        match self {
            Self::Grant(key) => key.grant.validUntil,
            Self::Reservation { reservation, .. } => reservation.validUntil,
        }
    }

    /// Whether the payer allows paying for this asset.
    pub(crate) fn covers(&self, asset: AssetId) -> bool {
        match self {
            Self::Grant(key) => key.grant.assets.is_empty() || key.grant.assets.contains(&asset.0),
            Self::Reservation { .. } => true,
        }
    }

    /// Whose requests they are: ids and retries of one owner never meet another's.
    pub(crate) const fn owner(&self, channel: ChannelId) -> B256 {
        match self {
            Self::Grant(key) => KeyId(key.grant.keyId).0,
            Self::Reservation { .. } => channel.0,
        }
    }
}

/// The payer's newest voucher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Voucher {
    pub(crate) amount: u128,
    pub(crate) signature: Bytes,
}

/// What one worker and asset earned on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Earned {
    pub(crate) asset: AssetId,
    pub(crate) worker: Address,
    pub(crate) for_worker: Amount,
    pub(crate) for_asset: Amount,
}

/// A channel as the gateway keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChannelRow {
    pub(crate) authority: Authority,
    /// Set aside on chain; nothing before it opens.
    pub(crate) deposit: Amount,
    /// Fixed when it opens.
    pub(crate) rates: FeeRates,
    pub(crate) is_open: bool,
    /// The payer wants the rest back, or it is closed: nothing more is served.
    pub(crate) is_closing: bool,
    /// Charged by receipts.
    pub(crate) spent: Amount,
    pub(crate) base: Amount,
    pub(crate) next_seq: ReceiptSeq,
    pub(crate) previous: B256,
    pub(crate) earned: Vec<Earned>,
    pub(crate) voucher: Option<Voucher>,
    /// The last UTC day on which the chain collected, and what.
    pub(crate) day: (u64, Amount),
    /// Receipts before this one are settled.
    pub(crate) settled_seq: ReceiptSeq,
    /// What they come to.
    pub(crate) settled: Amount,
    /// Numbers, the latter exclusive, that this store gave no receipts, after records were lost.
    pub(crate) skipped: Option<(ReceiptSeq, ReceiptSeq)>,
    /// Records were lost: what the chain has paid is asked for before a pair earns again.
    pub(crate) is_adopted: bool,
}

impl ChannelRow {
    /// Receipts that are not settled yet.
    pub(crate) fn unsettled(&self) -> u32 {
        let all = self.next_seq.0.saturating_sub(self.settled_seq.0);
        let skipped = self
            .skipped
            .map_or(0, |(from, to)| to.0.saturating_sub(from.0.max(self.settled_seq.0)));
        all.saturating_sub(skipped)
    }
}

/// A request and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RequestRow {
    pub(crate) chain_id: u64,
    pub(crate) channel: ChannelId,
    /// The attempt at the worker; a new one if an earlier came to nothing.
    pub(crate) job: B256,
    pub(crate) terms: Terms,
    /// Under which right the asset is used.
    pub(crate) right: Right,
    pub(crate) worker: Address,
    pub(crate) model_root: B256,
    pub(crate) class: DeterminismClass,
    /// The model's name as asked, and what the answer says of itself.
    pub(crate) model: String,
    /// When it was asked for.
    pub(crate) created: Milliseconds,
    pub(crate) is_stream: bool,
    /// Whether the client named it: only then can it ask for it again after a minute.
    pub(crate) is_named: bool,
    /// None while it is reserved or runs.
    pub(crate) outcome: Option<Outcome>,
}

impl RequestRow {
    /// What is charged for the asset: nothing where a licence's price covers it.
    pub(crate) fn asset_prices(&self) -> Prices {
        self.right.asset_prices(self.terms.asset_prices)
    }

    /// What tells its body from others: see [`fingerprint`].
    pub(crate) fn fingerprint(&self) -> B256 {
        fingerprint(self.terms.body_hash, self.terms.purpose)
    }
}

/// One body asked for two purposes is two requests.
pub(crate) fn fingerprint(body_hash: B256, purpose: u8) -> B256 {
    domain_hash("sahara/body/1", &[body_hash.as_slice(), &[purpose]])
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) ended: Milliseconds,
    pub(crate) seq: ReceiptSeq,
    pub(crate) charged: Amount,
    pub(crate) usage: Usage,
    /// Why the answer ended; none when client or worker left before its end.
    pub(crate) finish: Option<FinishReason>,
}

/// The answer of a request, stored encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredAnswer {
    pub(crate) tokens: Vec<String>,
}

/// The last request of an owner with one body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TwinRow {
    pub(crate) id: B256,
}

/// A receipt and who signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReceiptRow {
    pub(crate) receipt: Receipt,
    /// What it counts on its licence.
    pub(crate) uses: u64,
    pub(crate) request: B256,
    pub(crate) job: B256,
    pub(crate) gateway_signature: Bytes,
    pub(crate) worker: WorkerSignatures,
}

/// The worker's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WorkerSignatures {
    pub(crate) receipt: Bytes,
    pub(crate) earning: Bytes,
}

/// A settled claim of one channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClaimRow {
    pub(crate) from: ReceiptSeq,
    pub(crate) to: ReceiptSeq,
    pub(crate) transaction: B256,
    pub(crate) block: BlockNumber,
    /// Of its block.
    pub(crate) settled: Timestamp,
    /// Place of `Collected` among the transaction's logs.
    pub(crate) log_index: u64,
    pub(crate) payments: Vec<Payment>,
}

/// The key of a receipt or claim: in order within a channel.
pub(crate) fn seq_key(channel: ChannelId, seq: ReceiptSeq) -> Vec<u8> {
    [channel.0.as_slice(), &seq.0.to_be_bytes()].concat()
}

/// The key of a request's twins.
pub(crate) fn twin_key(owner: B256, body_hash: B256) -> Vec<u8> {
    [owner.as_slice(), body_hash.as_slice()].concat()
}

/// A receipt's name: the channel's first 16 bytes, and its place.
pub(crate) fn receipt_id(channel: ChannelId, seq: ReceiptSeq) -> String {
    let prefix = channel.0.get(..16).unwrap_or_default();
    format!("rcpt_{}_{}", alloy_primitives::hex::encode(prefix), seq.0)
}

/// Reads a receipt's name: the channel's first bytes, and its place.
pub(crate) fn parse_receipt_id(id: &str) -> Option<(Vec<u8>, ReceiptSeq)> {
    let (prefix, seq) = id.strip_prefix("rcpt_")?.split_once('_')?;
    let prefix = alloy_primitives::hex::decode(prefix).ok().filter(|bytes| bytes.len() == 16)?;
    Some((prefix, ReceiptSeq(seq.parse().ok()?)))
}

/// All channels.
pub(crate) fn list_channel(store: &Store) -> Result<Vec<(ChannelId, ChannelRow)>, ApiError> {
    let rows = list::<ChannelRow>(&store.channels, &[])?;
    let id = |key: Vec<u8>| B256::try_from(key.as_slice()).map(ChannelId).ok();
    Ok(rows.into_iter().filter_map(|(key, row)| Some((id(key)?, row))).collect())
}
