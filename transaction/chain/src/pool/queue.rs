//! One sender's transactions, by nonce.

use super::{entry::PooledTransaction, settings::Spendable};
use alloy_primitives::U256;
use std::{collections::BTreeMap, sync::Arc};

/// A transaction and when it arrived.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) transaction: Arc<PooledTransaction>,
    pub(super) arrival: u64,
    /// The head's time when it arrived.
    pub(super) arrived_at: u64,
}

/// How much the pool would miss a queue; the least is evicted first. Queues that cannot run come
/// before all others, then the lowest price, then the latest arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Worth {
    is_contiguous: bool,
    price: (u128, u128),
    earlier: std::cmp::Reverse<u64>,
}

/// The lowest max fee of a queue's entries, and when the last of them arrived. Below the base fee the entry at
/// the queue's end cannot run, whatever it pays itself: it waits for the one that pays the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reach {
    pub(super) max_fee: u128,
    earlier: std::cmp::Reverse<u64>,
}

/// Where a queue stands in both orders of eviction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) reach: Reach,
    pub(super) worth: Worth,
}

/// The transactions of one sender.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) account: Spendable,
    entries: BTreeMap<u64, Entry>,
    cost: U256,
    bytes: usize,
    /// The lowest price and max fee of all entries and the latest arrival; kept so that adding needs no walk.
    lowest: (u128, u128),
    lowest_fee: u128,
    latest: u64,
}

impl Queue {
    pub(super) const fn new(account: Spendable) -> Self {
        Self {
            account,
            entries: BTreeMap::new(),
            cost: U256::ZERO,
            bytes: 0,
            lowest: (u128::MAX, u128::MAX),
            lowest_fee: u128::MAX,
            latest: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) const fn cost(&self) -> U256 {
        self.cost
    }

    pub(super) fn find(&self, nonce: u64) -> Option<&Entry> {
        self.entries.get(&nonce)
    }

    /// Whether more than so many wait from this nonce on.
    pub(super) fn has_more_than(&self, count: usize, nonce: u64) -> bool {
        self.entries.range(nonce..).nth(count).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(nonce, entry)| (*nonce, entry))
    }

    /// The entries that continue the account's nonce without a gap.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.iter()
            .zip(self.account.nonce..)
            .take_while(|((nonce, _), expected)| nonce == expected)
            .map(|((_, entry), _)| entry)
    }

    /// The nonce after the last pending entry.
    pub(super) fn next_nonce(&self) -> u64 {
        let pending = u64::try_from(self.pending_count()).unwrap_or(u64::MAX);
        self.account.nonce.saturating_add(pending)
    }

    pub(super) fn pending_count(&self) -> usize {
        if self.is_contiguous() { self.len() } else { self.pending().count() }
    }

    pub(super) fn standing(&self) -> Standing {
        let earlier = std::cmp::Reverse(self.latest);
        Standing {
            reach: Reach { max_fee: self.lowest_fee, earlier },
            worth: Worth { is_contiguous: self.is_contiguous(), price: self.lowest, earlier },
        }
    }

    /// Adds an entry, returning the one it replaces.
    pub(super) fn insert(&mut self, nonce: u64, entry: Entry) -> Option<Entry> {
        self.cost = self.cost.saturating_add(entry.transaction.cost());
        self.bytes = self.bytes.saturating_add(entry.transaction.length());
        let (tip, fee) = entry.transaction.price();
        self.lowest = self.lowest.min((tip, fee));
        self.lowest_fee = self.lowest_fee.min(fee);
        self.latest = self.latest.max(entry.arrival);
        let replaced = self.entries.insert(nonce, entry);
        if let Some(old) = &replaced {
            self.forget(&old.transaction);
        }
        replaced
    }

    /// Adds an entry that was here before; none has its nonce now.
    pub(super) fn put_back(&mut self, nonce: u64, entry: Entry) {
        self.insert(nonce, entry);
        self.measure();
    }

    /// Takes the entry with the highest nonce.
    pub(super) fn pop_last(&mut self) -> Option<Entry> {
        let (_, entry) = self.entries.pop_last()?;
        self.forget(&entry.transaction);
        Some(entry)
    }

    /// Takes what `account` has used up or can no longer pay.
    pub(super) fn revalidate(&mut self, account: Spendable) -> Vec<Entry> {
        self.account = account;
        let mut removed = Vec::new();
        while let Some(first) = self.entries.first_entry() {
            if *first.key() >= account.nonce {
                break;
            }
            removed.push(first.remove());
        }
        for entry in &removed {
            self.cost = self.cost.saturating_sub(entry.transaction.cost());
            self.bytes = self.bytes.saturating_sub(entry.transaction.length());
        }
        while !self.is_empty() && (self.cost > account.balance || account.has_code) {
            removed.extend(self.pop_last());
        }
        self.measure();
        removed
    }

    /// Takes what arrived at `time` or before. What stood behind it waits for its nonce again.
    pub(super) fn expire(&mut self, time: u64) -> Vec<Entry> {
        let old = self.entries.iter().filter(|(_, entry)| entry.arrived_at <= time);
        let nonces: Vec<u64> = old.map(|(nonce, _)| *nonce).collect();
        let removed = nonces.iter().filter_map(|nonce| self.remove(*nonce)).collect();
        self.measure();
        removed
    }

    /// Takes one entry.
    pub(super) fn remove(&mut self, nonce: u64) -> Option<Entry> {
        let entry = self.entries.remove(&nonce)?;
        self.forget(&entry.transaction);
        Some(entry)
    }

    /// When the entry that waits longest arrived.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.entries.values().map(|entry| entry.arrived_at).min()
    }

    fn is_contiguous(&self) -> bool {
        let (Some((first, _)), Some((last, _))) =
            (self.entries.first_key_value(), self.entries.last_key_value())
        else {
            return true;
        };
        let span = last.saturating_sub(*first).saturating_add(1);
        *first == self.account.nonce && u64::try_from(self.len()) == Ok(span)
    }

    fn forget(&mut self, transaction: &PooledTransaction) {
        self.cost = self.cost.saturating_sub(transaction.cost());
        self.bytes = self.bytes.saturating_sub(transaction.length());
        let (tip, fee) = transaction.price();
        if (tip, fee) <= self.lowest || fee <= self.lowest_fee {
            self.measure();
        }
    }

    fn measure(&mut self) {
        (self.lowest, self.lowest_fee, self.latest) = ((u128::MAX, u128::MAX), u128::MAX, 0);
        for entry in self.entries.values() {
            let (tip, fee) = entry.transaction.price();
            self.lowest = self.lowest.min((tip, fee));
            self.lowest_fee = self.lowest_fee.min(fee);
            self.latest = self.latest.max(entry.arrival);
        }
    }
}
