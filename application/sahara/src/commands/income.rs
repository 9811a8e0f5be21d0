//! What payments for use gave: a payment's one log carries the parts of all its payees.

use crate::refusal::refused;
use alloy_rpc_types_eth::{Filter, Log};
use eyre::Result;
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_client::{ChainClient, ClientError};

/// Every wanted part of every payment so far, with the log it stands in. Payees are no topics, so that all
/// payments are read: the app API answers the same from its tables.
///
/// # Errors
/// When the node does not answer.
pub(crate) async fn parts(
    client: &ChainClient,
    is_wanted: impl Fn(&IRoyalties::Part) -> bool,
) -> Result<Vec<(Log, IRoyalties::Part)>> {
    let head = client.block_number().await.map_err(refused)?.0;
    let mut found = Vec::new();
    let (mut start, mut width) = (0, head.saturating_add(1));
    while start <= head {
        let end = head.min(start.saturating_add(width).saturating_sub(1));
        let filter = Filter::new().address(ROYALTIES).from_block(start).to_block(end);
        match client.events::<IRoyalties::Paid>(filter).await {
            Ok(payments) => {
                for (log, paid) in payments {
                    let parts = paid.data.parts.into_iter().filter(&is_wanted);
                    found.extend(parts.map(|part| (log.clone(), part)));
                }
                start = end.saturating_add(1);
                width = width.saturating_mul(2);
            }
            // A node does not answer with too many logs at once.
            Err(ClientError::Rpc(_)) if width > 1 => width = width.div_ceil(2),
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(found)
}
