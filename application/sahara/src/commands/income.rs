//! What payments for use gave: a payment's one log carries the parts of all its payees.

use crate::refusal::refused;
use alloy_rpc_types_eth::{Filter, Log};
use eyre::Result;
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_client::ChainClient;

/// Every wanted part of every payment so far, with the log it stands in. Payees are no topics, so that all
/// payments are read: the app API answers the same from its tables.
///
/// # Errors
/// When the node does not answer.
pub(crate) async fn parts(
    client: &ChainClient,
    is_wanted: impl Fn(&IRoyalties::Part) -> bool,
) -> Result<Vec<(Log, IRoyalties::Part)>> {
    let filter = Filter::new().address(ROYALTIES).from_block(0);
    let payments = client.events::<IRoyalties::Paid>(filter).await.map_err(refused)?;
    let mut found = Vec::new();
    for (log, paid) in payments {
        let parts = paid.data.parts.into_iter().filter(&is_wanted);
        found.extend(parts.map(|part| (log.clone(), part)));
    }
    Ok(found)
}
