//! Searching the logs of finalised blocks.

use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256, Bloom, Log, keccak256};

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

    /// What a block's bloom filter has to show, computed once for many blocks.
    #[must_use]
    pub fn blooms(&self) -> LogBlooms {
        LogBlooms {
            addresses: self.addresses.iter().map(|one| Bits::of(one.as_slice())).collect(),
            topics: self
                .topics
                .each_ref()
                .map(|wanted| wanted.iter().map(|one| Bits::of(one.as_slice())).collect()),
        }
    }
}

/// A filter as bits of blooms, to pass over blocks that hold nothing that is meant.
#[derive(Clone, Debug)]
pub struct LogBlooms {
    addresses: Vec<Bits>,
    topics: [Vec<Bits>; 4],
}

impl LogBlooms {
    /// Whether a block with this bloom filter may hold a log that is meant.
    #[must_use]
    pub fn may_match(&self, block: &Bloom) -> bool {
        let any =
            |wanted: &Vec<Bits>| wanted.is_empty() || wanted.iter().any(|one| one.are_in(block));
        any(&self.addresses) && self.topics.iter().all(any)
    }
}

/// The three bits that a value sets in a bloom filter, counted from its end: subscriptions keep thousands of
/// them, and a filter of 2,048 bits each would be 42 times as much.
#[derive(Clone, Copy, Debug)]
struct Bits([u16; 3]);

impl Bits {
    fn of(value: &[u8]) -> Self {
        let [a, b, c, d, e, f, ..] = keccak256(value).0;
        Self([[a, b], [c, d], [e, f]].map(|pair| u16::from_be_bytes(pair) & 0x7ff))
    }

    fn are_in(self, block: &Bloom) -> bool {
        self.0.into_iter().all(|bit| {
            let byte = block.data().iter().nth_back(usize::from(bit / 8));
            byte.is_some_and(|byte| byte & (1_u8 << (bit % 8)) != 0)
        })
    }
}

/// How much one search may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Logs found.
    pub logs: usize,
    /// Bytes of what they say.
    pub bytes: usize,
    /// Time taken.
    pub time: Duration,
}

impl Default for LogLimits {
    /// About 20 MiB of JSON without data, no more than 64 with it, and no longer than a client waits.
    fn default() -> Self {
        Self { logs: 20_000, bytes: 16 << 20, time: Duration::from_secs(10) }
    }
}

impl Store {
    /// The logs of a range of finalised blocks, in order. What is beyond the head is left out.
    ///
    /// # Errors
    /// When what is found passes `limits`, [`StoreError::OldBlock`] or [`StoreError::NotYet`] when the range
    /// begins before what is here, or the store cannot be read.
    pub fn logs(
        &self,
        blocks: RangeInclusive<u64>,
        filter: &LogFilter,
        limits: LogLimits,
    ) -> Result<Vec<FoundLog>, StoreError> {
        let view = self.inner.view();
        let blocks = here(&self.inner, &view, &blocks)?;
        let mut search = Search::new(filter, limits);
        for number in blocks {
            search.is_in_time()?;
            search.block(&self.inner, &view, number)?;
        }
        Ok(search.found)
    }

    /// As [`Self::logs`], of as many blocks from the first on as keep within `limits`; and the block after them,
    /// with which to go on. The first block has the time it takes, so that whoever goes on gets to the end.
    ///
    /// # Errors
    /// When what is found in the first block passes `limits` by itself; else as [`Self::logs`].
    pub fn first_logs(
        &self,
        blocks: RangeInclusive<u64>,
        filter: &LogFilter,
        limits: LogLimits,
    ) -> Result<(Vec<FoundLog>, u64), StoreError> {
        let view = self.inner.view();
        let blocks = here(&self.inner, &view, &blocks)?;
        let (first, after) = (*blocks.start(), blocks.end().saturating_add(1));
        let mut search = Search::new(filter, limits);
        for number in blocks {
            let before = search.found.len();
            let in_time = if number == first { Ok(()) } else { search.is_in_time() };
            match in_time.and_then(|()| search.block(&self.inner, &view, number)) {
                Err(
                    StoreError::TooManyLogs(_)
                    | StoreError::LogsTooLarge(_)
                    | StoreError::LogsTooLate(_),
                ) if number > first => {
                    search.found.truncate(before);
                    return Ok((search.found, number));
                }
                searched => searched?,
            }
        }
        Ok((search.found, after))
    }
}

/// What of a range there is; all of it has to be if it is not beyond the head.
fn here(
    inner: &Inner,
    view: &View,
    blocks: &RangeInclusive<u64>,
) -> Result<RangeInclusive<u64>, StoreError> {
    if *blocks.start() < view.first_block {
        return Err(absent(inner, view, *blocks.start()));
    }
    Ok(*blocks.start()..=(*blocks.end()).min(view.head.number))
}

struct Search<'a> {
    filter: &'a LogFilter,
    blooms: LogBlooms,
    limits: LogLimits,
    began: Instant,
    /// Of the logs found.
    bytes: usize,
    found: Vec<FoundLog>,
}

impl<'a> Search<'a> {
    fn new(filter: &'a LogFilter, limits: LogLimits) -> Self {
        let (blooms, began) = (filter.blooms(), Instant::now());
        Self { filter, blooms, limits, began, bytes: 0, found: Vec::new() }
    }

    fn is_in_time(&self) -> Result<(), StoreError> {
        if self.began.elapsed() >= self.limits.time {
            return Err(StoreError::LogsTooLate(self.limits.time));
        }
        Ok(())
    }

    fn block(&mut self, inner: &Inner, view: &View, number: u64) -> Result<(), StoreError> {
        let Some(head) = read_head(&inner.tables, &view.snapshot, number)? else { return Ok(()) };
        if !self.blooms.may_match(&head.header.logs_bloom) {
            return Ok(());
        }
        let Some(recent) = inner.recent_block(view, number)? else { return Ok(()) };
        let mut log_index = 0_u64..;
        let transactions = recent.block.transactions.iter().zip(recent.receipts.iter());
        for (transaction_index, (transaction, receipt)) in (0_u32..).zip(transactions) {
            for (log, log_index) in receipt.logs.iter().zip(&mut log_index) {
                if self.filter.matches(log) {
                    self.add(FoundLog {
                        log: log.clone(),
                        block_number: number,
                        block_hash: head.hash,
                        timestamp: head.header.timestamp,
                        transaction_hash: transaction.hash(),
                        transaction_index,
                        log_index,
                    })?;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, log: FoundLog) -> Result<(), StoreError> {
        self.bytes = self.bytes.saturating_add(log.log.data.data.len());
        if self.bytes > self.limits.bytes {
            return Err(StoreError::LogsTooLarge(self.limits.bytes));
        }
        if self.found.len() >= self.limits.logs {
            return Err(StoreError::TooManyLogs(self.limits.logs));
        }
        self.found.push(log);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;
    use alloy_primitives::{Bloom, BloomInput, U256};

    #[test]
    fn a_value_is_in_a_bloom_filter_where_its_bits_are() {
        let mut bloom = Bloom::ZERO;
        let values = |from: u64, to: u64| (from..to).map(|one| U256::from(one).to_be_bytes::<32>());
        for value in values(0, 300) {
            bloom.accrue(BloomInput::Raw(&value));
            assert!(Bits::of(&value).are_in(&bloom));
            assert!(!Bits::of(&value).are_in(&Bloom::ZERO));
        }
        // Of others some seem to be in it, and the same ones.
        let seem = |value: &[u8; 32]| bloom.contains_input(BloomInput::Raw(value));
        assert!(values(300, 3_000).all(|value| Bits::of(&value).are_in(&bloom) == seem(&value)));
        let count = values(300, 3_000).filter(seem).count();
        assert!((1..2_700).contains(&count), "{count}");
    }
}
