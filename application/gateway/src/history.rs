//! What an account asked here and paid: for its own eyes, after it has shown who it is.

use crate::{
    error::ApiError,
    gateway::Gateway,
    rows::{ReceiptRow, RequestRow, receipt_id},
    store::get,
};
use alloy_primitives::Address;
use sahara_primitives::{AssetId, ChannelId, Milliseconds, ReceiptSeq, TokenCount};
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

/// The requests of one channel, from the newest on.
struct Line {
    rows: Box<dyn Iterator<Item = fjall::Guard>>,
    settled: ReceiptSeq,
    first: Option<Used>,
}

impl Gateway {
    /// The last requests of all channels that `payer` pays, the newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn requests_of(&self, payer: Address) -> Result<Vec<Used>, ApiError> {
        let mut lines = Vec::new();
        for account in self.accounts_of(payer) {
            let mut line = Line {
                rows: Box::new(self.store().receipts.prefix(account.channel.0.as_slice()).rev()),
                settled: account.row().settled_seq,
                first: None,
            };
            line.first = self.next(&mut line)?;
            lines.push(line);
        }
        let mut newest = Vec::new();
        while newest.len() < MOST {
            // A channel's receipts come one after another, so the newest of all is some line's first.
            let line = lines.iter_mut().filter(|line| line.first.is_some());
            let line = line.max_by_key(|line| line.first.as_ref().map(|used| used.created));
            let Some(line) = line else { break };
            newest.extend(line.first.take());
            line.first = self.next(line)?;
        }
        newest.sort_by_key(|used| std::cmp::Reverse(used.created));
        Ok(newest)
    }

    /// The next older request of a channel that was not purged.
    fn next(&self, line: &mut Line) -> Result<Option<Used>, ApiError> {
        // Requests are purged by their age: behind so many there is none.
        for guard in line.rows.by_ref().take(MOST) {
            let value = guard.value().map_err(ApiError::internal)?;
            let row: ReceiptRow = serde_json::from_slice(&value).map_err(ApiError::internal)?;
            let used = self.used(&row, row.receipt.seq < line.settled)?;
            if used.is_some() {
                return Ok(used);
            }
        }
        Ok(None)
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
