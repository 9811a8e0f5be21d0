//! Accounts and words of the head, kept in memory from block to block.
//!
//! # Model
//! An entry says what stood at a block, and holds from there on: the block that changes it replaces it. So it
//! is right for every view that is not older than the entry, up to the head. A view that is older than an entry
//! asks the database.
//!
//! What a view read enters only while its block is the head: a commit may have changed it since, and what that
//! left here must not be overwritten with what was before.
//!
//! Keys are what users choose, so the tables' hashes are seeded.

use std::hash::Hash;

use alloy_primitives::{Address, U256};
use parking_lot::RwLock;
use quick_cache::sync::Cache;
use sahara_evm::{AccountDiff, StateDiff};

use super::StoreError;
use crate::trie::{AccountRecord, TrieUpdate};

/// About what an account takes here, its place in the table included.
const ACCOUNT_BYTES: u64 = 256;
/// About what a word takes here.
const WORD_BYTES: u64 = 160;

/// A value and the block since which it is known to stand.
type Since<T> = (u64, T);

/// The cache. Zero bytes keep nothing.
#[derive(Debug)]
pub(super) struct FlatCache {
    head: RwLock<u64>,
    accounts: Cache<Address, Since<Option<AccountRecord>>>,
    words: Cache<(Address, U256), Since<U256>>,
}

impl FlatCache {
    /// A cache of about so many bytes over the state after block `head`.
    pub(super) fn new(bytes: u64, head: u64) -> Self {
        let items = |each: u64| usize::try_from(bytes / 2 / each).unwrap_or(usize::MAX);
        Self {
            head: RwLock::new(head),
            accounts: Cache::new(items(ACCOUNT_BYTES)),
            words: Cache::new(items(WORD_BYTES)),
        }
    }

    /// The record of an account in the state after block `at`, read there where it is not known.
    pub(super) fn account(
        &self,
        at: u64,
        address: Address,
        read: impl FnOnce() -> Result<Option<AccountRecord>, StoreError>,
    ) -> Result<Option<AccountRecord>, StoreError> {
        self.find(&self.accounts, at, address, read)
    }

    /// A word of an account's storage in the state after block `at`, read there where it is not known.
    pub(super) fn word(
        &self,
        at: u64,
        place: (Address, U256),
        read: impl FnOnce() -> Result<U256, StoreError>,
    ) -> Result<U256, StoreError> {
        self.find(&self.words, at, place, read)
    }

    fn find<K: Eq + Hash, V: Clone>(
        &self,
        cache: &Cache<K, Since<V>>,
        at: u64,
        key: K,
        read: impl FnOnce() -> Result<V, StoreError>,
    ) -> Result<V, StoreError> {
        if let Some((since, value)) = cache.get(&key)
            && since <= at
        {
            return Ok(value);
        }
        let value = read()?;
        let head = self.head.read();
        if *head == at {
            cache.insert(key, (at, value.clone()));
        }
        Ok(value)
    }

    /// Takes what block `number`, the head from now on, changed. To be called when it is written, before
    /// anybody stands on it.
    pub(super) fn advance(&self, number: u64, diff: &StateDiff, trie: &TrieUpdate) {
        let mut head = self.head.write();
        *head = number;
        let is_emptied = |change: &AccountDiff| {
            change.before.is_some() && (change.is_wiped || change.after.is_none())
        };
        if diff.accounts.values().any(is_emptied) {
            // Which words such an account had is not known here.
            self.words.clear();
        }
        for (address, change) in &diff.accounts {
            let record = change.after.map(|account| {
                let storage_root = trie.storage_roots.get(address).copied();
                storage_root.map(|storage_root| AccountRecord { account, storage_root })
            });
            match record {
                // An update without the root of an account that it leaves in place is refused by the commit.
                Some(None) => drop(self.accounts.remove(address)),
                Some(record) => self.accounts.insert(*address, (number, record)),
                None => self.accounts.insert(*address, (number, None)),
            }
            for (slot, (_, word)) in &change.storage {
                self.words.insert((*address, *slot), (number, *word));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use sahara_evm::Account;

    const ONE: Address = Address::repeat_byte(1);
    const SLOT: U256 = U256::ONE;

    fn record(balance: u64) -> AccountRecord {
        let account = Account { balance: U256::from(balance), ..Account::default() };
        AccountRecord { account, storage_root: B256::repeat_byte(9) }
    }

    /// A block that leaves `ONE` with this balance and this word.
    fn change(balance: u64, word: u64) -> (StateDiff, TrieUpdate) {
        let AccountRecord { account, storage_root } = record(balance);
        let mut change = AccountDiff { after: Some(account), ..AccountDiff::default() };
        change.storage.insert(SLOT, (U256::ZERO, U256::from(word)));
        let diff = StateDiff { accounts: [(ONE, change)].into(), ..StateDiff::default() };
        let trie = TrieUpdate {
            root: B256::ZERO,
            accounts: Default::default(),
            storages: Default::default(),
            storage_roots: [(ONE, storage_root)].into(),
            replaced: Vec::new(),
        };
        (diff, trie)
    }

    fn read_account(
        cache: &FlatCache,
        at: u64,
        stored: Option<AccountRecord>,
    ) -> Option<AccountRecord> {
        cache.account(at, ONE, || Ok(stored)).unwrap_or_default()
    }

    fn read_word(cache: &FlatCache, at: u64, stored: u64) -> u64 {
        cache.word(at, (ONE, SLOT), || Ok(U256::from(stored))).map_or(0, |word| word.to())
    }

    #[test]
    fn i5_what_is_kept_is_never_shown_to_an_older_view() {
        let cache = FlatCache::new(1 << 20, 5);
        assert_eq!(read_account(&cache, 5, Some(record(1))), Some(record(1)), "read");
        assert_eq!(read_account(&cache, 5, None), Some(record(1)), "kept");
        assert_eq!(read_word(&cache, 5, 7), 7);
        let (diff, trie) = change(2, 8);
        cache.advance(6, &diff, &trie);
        assert_eq!(read_account(&cache, 6, None), Some(record(2)));
        assert_eq!(read_word(&cache, 6, 0), 8);
        assert_eq!(read_account(&cache, 5, Some(record(1))), Some(record(1)), "its own snapshot's");
        assert_eq!(read_word(&cache, 5, 7), 7);
        assert_eq!(read_account(&cache, 6, None), Some(record(2)), "and it left nothing behind");
        assert_eq!(read_word(&cache, 6, 0), 8);
    }

    #[test]
    fn i5_a_view_that_was_overtaken_while_it_read_leaves_nothing() {
        let cache = FlatCache::new(1 << 20, 5);
        let (diff, trie) = change(2, 8);
        let read = cache.account(5, ONE, || {
            cache.advance(6, &diff, &trie);
            Ok(Some(record(1)))
        });
        assert_eq!(read.unwrap(), Some(record(1)));
        assert_eq!(read_account(&cache, 6, None), Some(record(2)));
    }

    #[test]
    fn i4_an_account_that_goes_takes_its_words_along() {
        let cache = FlatCache::new(1 << 20, 5);
        assert_eq!(read_word(&cache, 5, 7), 7);
        let gone = AccountDiff { before: Some(Account::default()), ..AccountDiff::default() };
        let diff = StateDiff { accounts: [(ONE, gone)].into(), ..StateDiff::default() };
        let (_, trie) = change(0, 0);
        cache.advance(6, &diff, &trie);
        assert_eq!(read_word(&cache, 6, 0), 0);
        assert_eq!(read_account(&cache, 6, Some(record(1))), None);
    }
}
