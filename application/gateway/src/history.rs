//! What an account asked here and paid: for its own eyes, after it has shown who it is.

use crate::{
    error::ApiError,
    gateway::Gateway,
    rows::{ReceiptRow, RequestRow, receipt_id},
    store::get,
};
use alloy_primitives::Address;
use sahara_primitives::{AssetId, ChannelId, Milliseconds, TokenCount};
use serde::Serialize;

/// The most requests that are told at once.
const MOST: usize = 200;

/// One request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Its receipt's id.
    pub receipt: String,
    /// The channel that paid: one for each key and payer.
    pub channel: ChannelId,
    /// When it came.
    pub created: Milliseconds,
    /// When its answer ended.
    pub ended: Option<Milliseconds>,
    /// The name that was asked for.
    pub model: String,
    /// The asset that was used.
    pub asset: AssetId,
    /// Who computed.
    pub worker: Address,
    /// Tokens read.
    pub prompt_tokens: TokenCount,
    /// Tokens written.
    pub completion_tokens: TokenCount,
    /// What it cost, in SAHARA.
    pub cost: String,
    /// Whether the claim is final.
    pub is_settled: bool,
}

impl Gateway {
    /// The last requests of all channels that `payer` pays, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn requests_of(&self, payer: Address) -> Result<Vec<Used>, ApiError> {
        let mut all = Vec::new();
        for account in self.all_accounts() {
            let row = account.row();
            if row.authority.payer() != payer {
                continue;
            }
            let newest = self.store().receipts.prefix(account.channel.0.as_slice()).rev();
            for guard in newest.take(MOST) {
                let value = guard.value().map_err(ApiError::internal)?;
                let receipt: ReceiptRow =
                    serde_json::from_slice(&value).map_err(ApiError::internal)?;
                let is_settled = receipt.receipt.seq < row.settled_seq;
                all.extend(self.used(&receipt, is_settled)?);
            }
        }
        all.sort_by_key(|used| std::cmp::Reverse(used.created));
        all.truncate(MOST);
        Ok(all)
    }

    /// None when the request itself was purged.
    fn used(&self, row: &ReceiptRow, is_settled: bool) -> Result<Option<Used>, ApiError> {
        let request = get::<RequestRow>(&self.store().requests, row.request.as_slice())?;
        let receipt = &row.receipt;
        let cost = receipt.bill.total().map_err(ApiError::internal)?;
        Ok(request.map(|request| Used {
            receipt: receipt_id(receipt.channel, receipt.seq),
            channel: receipt.channel,
            created: request.created,
            ended: request.outcome.map(|outcome| outcome.ended),
            model: request.model,
            asset: receipt.asset,
            worker: receipt.worker,
            prompt_tokens: receipt.usage.prompt_tokens,
            completion_tokens: receipt.usage.completion_tokens,
            cost: cost.to_string(),
            is_settled,
        }))
    }
}
