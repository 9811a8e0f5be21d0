//! Searching the logs of finalised blocks.

use std::ops::RangeInclusive;

use alloy_primitives::{Address, B256, Bloom, BloomInput, Log};

use super::{
    Store, StoreError,
    handle::{Inner, View, read_head},
    past::absent,
};

/// Which logs are meant. Empty lists mean any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Contracts, one of which emitted the log.
    pub addresses: Vec<Address>,
    /// Per position the topics, one of which stands there.
    pub topics: [Vec<B256>; 4],
}

/// A log and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundLog {
    /// The log.
    pub log: Log,
    /// Its block's number.
    pub block_number: u64,
    /// Its block's hash.
    pub block_hash: B256,
    /// Its block's time, in seconds.
    pub timestamp: u64,
    /// Its transaction's hash.
    pub transaction_hash: B256,
    /// Its transaction's position in the block.
    pub transaction_index: u32,
    /// Its position among the block's logs.
    pub log_index: u64,
}

impl LogFilter {
    /// Whether the log is meant.
    #[must_use]
    pub fn matches(&self, log: &Log) -> bool {
        let is_address = self.addresses.is_empty() || self.addresses.contains(&log.address);
        is_address
            && self.topics.iter().enumerate().all(|(position, wanted)| {
                let topic = log.topics().get(position);
                wanted.is_empty() || topic.is_some_and(|topic| wanted.contains(topic))
            })
    }

    /// Whether a block with this bloom filter may hold a log that is meant.
    #[must_use]
    pub fn may_match(&self, bloom: &Bloom) -> bool {
        let any = |mut inputs: Box<dyn Iterator<Item = &[u8]> + '_>| {
            inputs.any(|input| bloom.contains_input(BloomInput::Raw(input)))
        };
        let is_address = self.addresses.is_empty()
            || any(Box::new(self.addresses.iter().map(|address| address.as_slice())));
        is_address
            && self.topics.iter().all(|wanted| {
                wanted.is_empty() || any(Box::new(wanted.iter().map(|topic| topic.as_slice())))
            })
    }
}

impl Store {
    /// The logs of a range of finalised blocks, in order. What is beyond the head is left out.
    ///
    /// # Errors
    /// When more than `limit` match, [`StoreError::OldBlock`] or [`StoreError::NotYet`] when the range
    /// begins before what is here, or the store cannot be read.
    pub fn logs(
        &self,
        blocks: RangeInclusive<u64>,
        filter: &LogFilter,
        limit: usize,
    ) -> Result<Vec<FoundLog>, StoreError> {
        let view = self.inner.view();
        let mut found = Vec::new();
        if *blocks.start() < view.first_block {
            return Err(absent(&self.inner, &view, *blocks.start()));
        }
        for number in *blocks.start()..=(*blocks.end()).min(view.head.number) {
            search_block(&self.inner, &view, (number, filter), &mut found)?;
            if found.len() > limit {
                return Err(StoreError::TooManyLogs(limit));
            }
        }
        Ok(found)
    }
}

fn search_block(
    inner: &Inner,
    view: &View,
    (number, filter): (u64, &LogFilter),
    found: &mut Vec<FoundLog>,
) -> Result<(), StoreError> {
    let Some(head) = read_head(&inner.tables, &view.snapshot, number)? else { return Ok(()) };
    if !filter.may_match(&head.header.logs_bloom) {
        return Ok(());
    }
    let Some(recent) = inner.recent_block(view, number)? else { return Ok(()) };
    let mut log_index = 0_u64..;
    let transactions = recent.block.transactions.iter().zip(recent.receipts.iter());
    for (transaction_index, (transaction, receipt)) in (0_u32..).zip(transactions) {
        for (log, log_index) in receipt.logs.iter().zip(&mut log_index) {
            if filter.matches(log) {
                found.push(FoundLog {
                    log: log.clone(),
                    block_number: number,
                    block_hash: head.hash,
                    timestamp: head.header.timestamp,
                    transaction_hash: transaction.hash(),
                    transaction_index,
                    log_index,
                });
            }
        }
    }
    Ok(())
}
