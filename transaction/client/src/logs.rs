//! Searching logs, over as many blocks as one likes: a node searches so many at once and answers with so many
//! logs, and a chain outgrows both within days.

use crate::{chain::ChainClient, error::ClientError};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::Log as PlainLog;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;

/// The most blocks asked for at once, half of what our nodes search.
const BLOCKS: u64 = 50_000;
/// EIP-1474: a limit of the node, here on blocks, logs, bytes or time.
const LIMIT_EXCEEDED: i64 = -32_005;

impl ChainClient {
    /// The logs a filter selects, in order. A filter that begins at a numbered block is asked for piece by
    /// piece, smaller pieces where the node says that it is too much.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn logs(&self, filter: &Filter) -> Result<Vec<Log>, ClientError> {
        let Some(first) = filter.get_from_block() else {
            return self.request("eth_getLogs", (filter,)).await;
        };
        let last = match filter.block_option.get_to_block() {
            Some(BlockNumberOrTag::Number(last)) => *last,
            Some(BlockNumberOrTag::Earliest) => 0,
            _ => self.block_number().await?.0,
        };
        let (mut found, mut start, mut width) = (Vec::new(), first, BLOCKS);
        loop {
            let end = last.min(start.saturating_add(width.saturating_sub(1)));
            let part = filter.clone().from_block(start).to_block(end);
            match self.request::<Vec<Log>>("eth_getLogs", (part,)).await {
                Ok(logs) => found.extend(logs),
                Err(ClientError::Rpc(error)) if error.code == LIMIT_EXCEEDED && start < end => {
                    width = end.saturating_sub(start).div_ceil(2);
                    continue;
                }
                Err(error) => return Err(error),
            }
            if end >= last {
                return Ok(found);
            }
            start = end.saturating_add(1);
            width = width.saturating_mul(2).min(BLOCKS);
        }
    }

    /// The logs a filter selects that are this event, decoded, beside where they stand.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn events<E: SolEvent>(
        &self,
        filter: Filter,
    ) -> Result<Vec<(Log, PlainLog<E>)>, ClientError> {
        let logs = self.logs(&filter.event_signature(E::SIGNATURE_HASH)).await?;
        let decoded = logs.into_iter().map(|log| {
            let event = E::decode_log(&log.inner).map_err(|error| ClientError::Decode {
                what: E::SIGNATURE,
                reason: error.to_string(),
            })?;
            Ok((log, event))
        });
        decoded.collect()
    }
}
