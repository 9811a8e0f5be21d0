//! Logs and the filters that select them.

use alloy_rpc_types_eth::{Filter, Log};
use sahara_chain::store::{FoundLog, LogFilter};

pub(crate) fn found_log_view(found: FoundLog) -> Log {
    Log {
        inner: found.log,
        block_hash: Some(found.block_hash),
        block_number: Some(found.block_number),
        block_timestamp: Some(found.timestamp),
        transaction_hash: Some(found.transaction_hash),
        transaction_index: Some(found.transaction_index.into()),
        log_index: Some(found.log_index),
        removed: false,
    }
}

/// What a filter selects, its blocks apart.
pub(crate) fn log_filter(filter: &Filter) -> LogFilter {
    LogFilter {
        addresses: filter.address.iter().copied().collect(),
        topics: filter.topics.each_ref().map(|topic| topic.iter().copied().collect()),
    }
}
