//! The order in which a proposer takes transactions.

use super::{entry::PooledTransaction, handle::Pool, queue::Entry};
use alloy_primitives::B256;
use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Arc,
};

/// Iterates over executable transactions: highest effective tip first, then earliest arrival; each
/// sender's by nonce. It holds no lock between steps and does not remove what it yields.
#[derive(Debug)]
pub struct Best {
    pool: Pool,
    base_fee: u64,
    gas_limit: u64,
    heads: BinaryHeap<Candidate>,
    last: Option<Arc<PooledTransaction>>,
}

#[derive(Debug)]
struct Candidate {
    tip: u128,
    entry: Entry,
}

impl Best {
    pub(super) fn new(pool: Pool, base_fee: u64, gas_limit: u64, heads: Vec<Entry>) -> Self {
        let mut best = Self { pool, base_fee, gas_limit, heads: BinaryHeap::new(), last: None };
        best.heads = heads.into_iter().filter_map(|entry| best.candidate(entry)).collect();
        best
    }

    /// Leaves out the rest of the sender whose transaction was yielded last: it did not fit, or did
    /// not run.
    pub fn skip_sender(&mut self) {
        self.last = None;
    }

    fn candidate(&self, entry: Entry) -> Option<Candidate> {
        if entry.transaction.gas_limit() > self.gas_limit {
            return None;
        }
        let tip = entry.transaction.effective_tip(self.base_fee)?;
        Some(Candidate { tip, entry })
    }
}

impl Iterator for Best {
    type Item = Arc<PooledTransaction>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(last) = self.last.take() {
            let next = self.pool.after(&last.sender(), last.nonce());
            self.heads.extend(next.and_then(|entry| self.candidate(entry)));
        }
        let Candidate { entry, .. } = self.heads.pop()?;
        self.last = Some(Arc::clone(&entry.transaction));
        Some(entry.transaction)
    }
}

impl Candidate {
    /// Arrivals are unique within a pool; the hash keeps the order total whatever happens.
    fn rank(&self) -> (u128, Reverse<u64>, B256) {
        (self.tip, Reverse(self.entry.arrival), self.entry.transaction.hash())
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}
