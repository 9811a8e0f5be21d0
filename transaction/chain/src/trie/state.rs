//! From a state diff to the state root.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use bytes::Bytes;
use rayon::prelude::*;
use sahara_evm::{Account, AccountDiff, StateDiff};

use super::{KeyedUpdate, NoNodes, NodeSource, StorageUpdate, TrieError, TrieUpdate, keyed_update};

/// From so many accounts on, waking other threads costs less than they do.
const PARALLEL_ACCOUNTS: usize = 64;

/// An account as the trie holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRecord {
    /// Nonce, balance and code.
    pub account: Account,
    /// The root of its storage trie.
    pub storage_root: B256,
}

impl AccountRecord {
    /// The account leaf: `rlp([nonce, balance, storage root, code hash])`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        let Account { nonce, balance, code_hash } = self.account;
        alloy_rlp::encode(TrieAccount::new(nonce, balance, self.storage_root, code_hash))
    }

    /// Reads what [`Self::encoded`] wrote.
    ///
    /// # Errors
    /// When the bytes are not one account leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, TrieError> {
        let mut rest = bytes;
        let TrieAccount { nonce, balance, storage_root, code_hash, .. } =
            TrieAccount::decode(&mut rest)
                .map_err(|_| TrieError::Malformed("not an account leaf"))?;
        if !rest.is_empty() {
            return Err(TrieError::Malformed("bytes after an account leaf"));
        }
        Ok(Self { account: Account { nonce, balance, code_hash }, storage_root })
    }
}

/// A state whose tries can be changed: the one a block builds on.
pub trait StateReader: NodeSource {
    /// The root of the account trie.
    fn state_root(&self) -> B256;

    /// The account with its storage root, `None` when absent.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn record(&self, address: Address) -> Result<Option<AccountRecord>, TrieError>;
}

/// The state before genesis.
struct EmptyState;

impl NodeSource for EmptyState {
    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        NoNodes.node(owner, path, hash)
    }
}

impl StateReader for EmptyState {
    fn state_root(&self) -> B256 {
        EMPTY_ROOT_HASH
    }

    fn record(&self, _address: Address) -> Result<Option<AccountRecord>, TrieError> {
        Ok(None)
    }
}

/// The tries of a state that begins with `diff`; its root is genesis' state root.
///
/// # Errors
/// Never for lack of stored nodes, since there are none to read.
pub fn genesis_update(diff: &StateDiff) -> Result<TrieUpdate, TrieError> {
    state_update(&EmptyState, diff)
}

/// What `diff` changes in the tries of `parent`.
///
/// # Errors
/// When the parent state cannot be read.
pub fn state_update(parent: &impl StateReader, diff: &StateDiff) -> Result<TrieUpdate, TrieError> {
    let change = |(address, change): (&Address, &AccountDiff)| {
        AccountChange::compute(parent, *address, change)
    };
    let changes: Vec<_> = if diff.accounts.len() < PARALLEL_ACCOUNTS {
        diff.accounts.iter().map(change).collect::<Result<_, _>>()?
    } else {
        diff.accounts.par_iter().map(change).collect::<Result<_, _>>()?
    };
    let mut storages = BTreeMap::new();
    let mut storage_roots = BTreeMap::new();
    let mut edits = Vec::with_capacity(changes.len());
    let mut replaced = Vec::new();
    for change in changes {
        replaced.extend(change.replaced);
        if let Some(storage) = change.storage {
            storages.insert(change.key, storage);
        }
        if let Some(root) = change.storage_root {
            storage_roots.insert(change.address, root);
        }
        edits.push((Nibbles::unpack(change.key), change.leaf));
    }
    let accounts = keyed_update(parent, None, parent.state_root(), edits)?;
    let KeyedUpdate { root, rows: accounts, replaced: of_accounts } = accounts;
    replaced.extend(of_accounts);
    Ok(TrieUpdate { root, accounts, storages, storage_roots, replaced })
}

struct AccountChange {
    address: Address,
    key: B256,
    leaf: Option<Bytes>,
    storage: Option<StorageUpdate>,
    storage_root: Option<B256>,
    replaced: Vec<B256>,
}

impl AccountChange {
    fn compute(
        parent: &impl StateReader,
        address: Address,
        change: &AccountDiff,
    ) -> Result<Self, TrieError> {
        let key = keccak256(address);
        let old_root = match change.before {
            None => EMPTY_ROOT_HASH,
            Some(_) => parent.record(address)?.map_or(EMPTY_ROOT_HASH, |old| old.storage_root),
        };
        let is_wiped = change.is_wiped || change.after.is_none();
        let mut storage = StorageUpdate {
            is_wiped: is_wiped && old_root != EMPTY_ROOT_HASH,
            ..StorageUpdate::default()
        };
        let mut storage_root = if is_wiped { EMPTY_ROOT_HASH } else { old_root };
        let Some(account) = change.after else {
            let storage = storage.is_wiped.then_some(storage);
            let (leaf, storage_root, replaced) = (None, None, Vec::new());
            return Ok(Self { address, key, leaf, storage, storage_root, replaced });
        };
        let mut replaced = Vec::new();
        if !change.storage.is_empty() {
            let words = change.storage.iter().map(|(slot, (_, word))| {
                (Nibbles::unpack(keccak256(slot.to_be_bytes::<32>())), encode_word(*word))
            });
            let update = keyed_update(parent, Some(key), storage_root, words)?;
            storage.rows = update.rows;
            storage_root = update.root;
            replaced = update.replaced;
        }
        let leaf = AccountRecord { account, storage_root }.encoded();
        let has_changes = storage.is_wiped || !storage.rows.is_empty();
        Ok(Self {
            address,
            key,
            leaf: Some(leaf.into()),
            storage: has_changes.then_some(storage),
            storage_root: Some(storage_root),
            replaced,
        })
    }
}

/// A storage leaf, `None` for zero, which is not stored.
pub(crate) fn encode_word(word: U256) -> Option<Bytes> {
    (!word.is_zero()).then(|| alloy_rlp::encode(word).into())
}

/// Reads what [`encode_word`] wrote.
pub(crate) fn decode_word(bytes: &[u8]) -> Result<U256, TrieError> {
    alloy_rlp::decode_exact(bytes).map_err(|_| TrieError::Malformed("not a storage word"))
}
