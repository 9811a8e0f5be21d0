//! A state in memory with an Ethereum root.

#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each test binary uses another part of this module"
)]

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount, root};
use sahara_evm::{Account, ParentState, StateDiff, StateError};
use std::collections::BTreeMap;

/// A whole state.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryState {
    pub(crate) accounts: BTreeMap<Address, Account>,
    pub(crate) storage: BTreeMap<Address, BTreeMap<U256, U256>>,
    pub(crate) code: BTreeMap<B256, Bytes>,
    pub(crate) hashes: BTreeMap<u64, B256>,
}

impl MemoryState {
    pub(crate) fn insert(&mut self, address: Address, nonce: u64, balance: U256, code: Bytes) {
        let code_hash = keccak256(&code);
        if !code.is_empty() {
            self.code.insert(code_hash, code);
        }
        self.accounts.insert(address, Account { nonce, balance, code_hash });
    }

    pub(crate) fn balance(&self, address: Address) -> U256 {
        self.accounts.get(&address).map_or(U256::ZERO, |account| account.balance)
    }

    pub(crate) fn apply(&mut self, diff: &StateDiff) {
        for (address, change) in &diff.accounts {
            assert_eq!(self.accounts.get(address).copied(), change.before, "before of {address}");
            match change.after {
                Some(account) => self.accounts.insert(*address, account),
                None => self.accounts.remove(address),
            };
            if change.is_wiped || change.after.is_none() {
                self.storage.remove(address);
            }
            let words = self.storage.entry(*address).or_default();
            for (slot, (_, after)) in &change.storage {
                if after.is_zero() {
                    words.remove(slot);
                } else {
                    words.insert(*slot, *after);
                }
            }
        }
        self.code.extend(diff.code.iter().map(|(hash, code)| (*hash, code.clone())));
    }

    pub(crate) fn root(&self) -> B256 {
        root::state_root_unhashed(self.accounts.iter().map(|(address, account)| {
            let words = self.storage.get(address);
            let storage_root = words.map_or(EMPTY_ROOT_HASH, |words| {
                root::storage_root_unhashed(
                    words
                        .iter()
                        .filter(|(_, word)| !word.is_zero())
                        .map(|(slot, word)| (B256::from(*slot), *word)),
                )
            });
            let account = TrieAccount {
                nonce: account.nonce,
                balance: account.balance,
                storage_root,
                code_hash: account.code_hash,
            };
            (*address, account)
        }))
    }

    /// All coin there is.
    pub(crate) fn supply(&self) -> U256 {
        self.accounts.values().map(|account| account.balance).sum()
    }
}

impl ParentState for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self
            .storage
            .get(&address)
            .and_then(|words| words.get(&slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, StateError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        self.code.get(&code_hash).cloned().ok_or_else(|| StateError(format!("no code {code_hash}")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        Ok(self.hashes.get(&number).copied().unwrap_or_default())
    }
}
