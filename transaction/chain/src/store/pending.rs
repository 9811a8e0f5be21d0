//! Blocks that are executed and not final: a tree over the store's head.

use std::{collections::HashMap, sync::Arc};

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_trie::Nibbles;
use parking_lot::RwLock;
use sahara_evm::{Account, AccountDiff, ParentState, StateDiff, StateError};

use super::{
    Committed, ExecutedBlock, StateView, Store, StoreError, commit::receipts_bytes,
    state::BLOCK_HASHES,
};
use crate::trie::{AccountRecord, NodeSource, StateReader, TrieError, TrieUpdate, state_update};

/// Bytes a pending block takes beside what is counted.
const ENTRY_BYTES: usize = 4096;

/// Executed blocks that wait to become final, each with what it changed. Cloning is cheap; all
/// clones are one tree.
#[derive(Clone, Debug)]
pub struct PendingStates {
    store: Store,
    limit: usize,
    tree: Arc<RwLock<Tree>>,
}

#[derive(Debug, Default)]
struct Tree {
    blocks: HashMap<B256, Entry>,
    bytes: usize,
    inserted: u64,
}

#[derive(Debug)]
struct Entry {
    executed: Arc<ExecutedBlock>,
    bytes: usize,
    order: u64,
}

/// The state after a pending block, or after the head.
#[derive(Clone, Debug)]
pub struct PendingState {
    /// The newest block first.
    layers: Vec<(B256, Arc<ExecutedBlock>)>,
    base: StateView,
}

impl PendingStates {
    /// A tree over a store's head that holds about `limit` bytes at most.
    #[must_use]
    pub fn new(store: Store, limit: usize) -> Self {
        Self { store, limit, tree: Arc::default() }
    }

    /// The store below.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The state after a pending block or after the head.
    ///
    /// # Errors
    /// When the block is neither.
    pub fn state_after(&self, hash: B256) -> Result<PendingState, StoreError> {
        let head = |base: &StateView| base.head.view.head.hash;
        look_until_still(|| self.store.state(), head, |base| self.find_state(hash, base))
            .ok_or(StoreError::UnknownBlock(hash))
    }

    fn find_state(&self, hash: B256, base: StateView) -> Option<PendingState> {
        let head = base.head.view.head.hash;
        let tree = self.tree.read();
        let (mut layers, mut next) = (Vec::new(), hash);
        while next != head {
            let entry = tree.blocks.get(&next)?;
            layers.push((next, entry.executed.clone()));
            next = entry.executed.block.header.parent_hash;
        }
        Some(PendingState { layers, base })
    }

    /// The state root after changing the state of a pending block or of the head, with what
    /// changes in the tries. Read the root from [`TrieUpdate::root`].
    ///
    /// # Errors
    /// When the parent is unknown or its state cannot be read.
    pub fn root_after(
        &self,
        parent: B256,
        diff: &StateDiff,
    ) -> Result<(B256, TrieUpdate), StoreError> {
        let update = state_update(&self.state_after(parent)?, diff)?;
        Ok((update.root, update))
    }

    /// A pending block.
    #[must_use]
    pub fn block(&self, hash: B256) -> Option<Arc<ExecutedBlock>> {
        self.tree.read().blocks.get(&hash).map(|entry| entry.executed.clone())
    }

    /// Adds an executed block. When memory is short, the oldest blocks that nothing builds on go;
    /// they can be executed again.
    ///
    /// # Errors
    /// When its parent is unknown, its state root is not its header's, or blocks that others build
    /// on fill the memory.
    pub fn insert(&self, executed: Arc<ExecutedBlock>) -> Result<(), StoreError> {
        let header = &executed.block.header;
        let (hash, parent) = (executed.block.hash(), header.parent_hash);
        if header.state_root != executed.trie.root {
            let (expected, got) = (header.state_root, executed.trie.root);
            return Err(StoreError::WrongStateRoot { number: header.number, expected, got });
        }
        self.state_after(parent)?;
        let bytes = memory_bytes(&executed);
        let mut tree = self.tree.write();
        if tree.blocks.contains_key(&hash) {
            return Ok(());
        }
        while tree.bytes.saturating_add(bytes) > self.limit {
            let held = tree.bytes.saturating_add(bytes);
            let oldest = tree.oldest_leaf(parent);
            let oldest = oldest.ok_or(StoreError::TooManyPending { limit: self.limit, held })?;
            tree.remove(oldest);
        }
        tree.inserted = tree.inserted.saturating_add(1);
        tree.bytes = tree.bytes.saturating_add(bytes);
        let order = tree.inserted;
        tree.blocks.insert(hash, Entry { executed, bytes, order });
        Ok(())
    }

    /// Makes a pending block final: commits it to the store and forgets every block that does not
    /// build on it. A block that is final already is left as it is.
    ///
    /// # Errors
    /// When the block is neither pending nor final, or [`Store::commit`] refuses it.
    pub fn finalize(
        &self,
        hash: B256,
        certificate: Option<&[u8]>,
    ) -> Result<Committed, StoreError> {
        let committed = match self.block(hash) {
            Some(executed) => self.store.commit(&executed, certificate)?,
            None if self.store.block_number(hash)?.is_some() => Committed::Before,
            None => return Err(StoreError::UnknownBlock(hash)),
        };
        let head = self.store.head();
        self.tree.write().keep_above(head.hash);
        Ok(committed)
    }

    /// The number of pending blocks, and about how many bytes they hold.
    #[must_use]
    pub fn usage(&self) -> (usize, usize) {
        let tree = self.tree.read();
        (tree.blocks.len(), tree.bytes)
    }
}

impl Tree {
    /// The block inserted first among those nothing builds on, `except` one.
    fn oldest_leaf(&self, except: B256) -> Option<B256> {
        let is_parent = |hash: &B256| {
            self.blocks.values().any(|entry| entry.executed.block.header.parent_hash == *hash)
        };
        let leaves = self.blocks.iter().filter(|(hash, _)| **hash != except && !is_parent(hash));
        leaves.min_by_key(|(_, entry)| entry.order).map(|(hash, _)| *hash)
    }

    fn remove(&mut self, hash: B256) {
        if let Some(entry) = self.blocks.remove(&hash) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    /// Forgets every block that does not build on `head`, and `head` itself.
    fn keep_above(&mut self, head: B256) {
        let gone = self.blocks.keys().filter(|hash| !self.builds_on(**hash, head));
        let gone = gone.copied().collect::<Vec<_>>();
        gone.into_iter().for_each(|hash| self.remove(hash));
    }

    fn builds_on(&self, hash: B256, head: B256) -> bool {
        let mut next = self.blocks.get(&hash);
        while let Some(entry) = next {
            let parent = entry.executed.block.header.parent_hash;
            if parent == head {
                return true;
            }
            next = self.blocks.get(&parent);
        }
        false
    }
}

impl PendingState {
    /// The newest change of an account above the store.
    fn change(&self, address: Address) -> Option<&AccountDiff> {
        self.layers.iter().find_map(|(_, layer)| layer.diff.accounts.get(&address))
    }

    fn find_word(&self, address: Address, slot: U256) -> Option<U256> {
        for (_, layer) in &self.layers {
            let Some(change) = layer.diff.accounts.get(&address) else { continue };
            if let Some((_, word)) = change.storage.get(&slot) {
                return Some(*word);
            }
            if change.is_wiped || change.after.is_none() {
                return Some(U256::ZERO);
            }
        }
        None
    }
}

impl ParentState for PendingState {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        match self.change(address) {
            Some(change) => Ok(change.after),
            None => self.base.account(address),
        }
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.find_word(address, slot).map_or_else(|| self.base.storage(address, slot), Ok)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, StateError> {
        let code = self.layers.iter().find_map(|(_, layer)| layer.diff.code.get(&code_hash));
        code.map_or_else(|| self.base.code(code_hash), |code| Ok(code.clone()))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        let newest = self.layers.first().map(|(_, layer)| layer.block.header.number);
        if newest.is_some_and(|newest| number > newest || newest - number >= BLOCK_HASHES) {
            return Ok(B256::ZERO);
        }
        let layer = self.layers.iter().find(|(_, layer)| layer.block.header.number == number);
        layer.map_or_else(|| self.base.block_hash(number), |(hash, _)| Ok(*hash))
    }
}

impl NodeSource for PendingState {
    fn node(
        &self,
        owner: Option<B256>,
        path: &Nibbles,
        hash: B256,
    ) -> Result<bytes::Bytes, TrieError> {
        for (_, layer) in &self.layers {
            match layer.trie.row(owner, path) {
                None => {}
                Some(Some(row)) if row.hash == hash => return Ok(row.encoding.clone()),
                Some(_) => return Err(TrieError::missing(owner, path, hash)),
            }
        }
        self.base.head.node(owner, path, hash)
    }
}

impl StateReader for PendingState {
    fn state_root(&self) -> B256 {
        self.layers
            .first()
            .map_or_else(|| self.base.head.state_root(), |(_, layer)| layer.trie.root)
    }

    fn record(&self, address: Address) -> Result<Option<AccountRecord>, TrieError> {
        for (_, layer) in &self.layers {
            let Some(change) = layer.diff.accounts.get(&address) else { continue };
            let Some(account) = change.after else { return Ok(None) };
            let root = layer.trie.storage_roots.get(&address).copied();
            let storage_root =
                root.ok_or(TrieError::Malformed("a trie update lacks a changed account"))?;
            return Ok(Some(AccountRecord { account, storage_root }));
        }
        self.base.head.record(address)
    }
}

/// Looks from one view of the store after another, until it finds or the store stood still while it
/// looked: a commit between taking the view and looking moves the oldest layers into the store, and
/// a busy node commits more than once meanwhile.
fn look_until_still<V, K: PartialEq, T>(
    view: impl Fn() -> V,
    head: impl Fn(&V) -> K,
    look: impl Fn(V) -> Option<T>,
) -> Option<T> {
    let mut base = view();
    loop {
        let seen = head(&base);
        if let Some(found) = look(base) {
            return Some(found);
        }
        base = view();
        if head(&base) == seen {
            return None;
        }
    }
}

fn memory_bytes(executed: &ExecutedBlock) -> usize {
    const ACCOUNT_BYTES: usize = 256;
    const WORD_BYTES: usize = 128;
    let accounts = executed.diff.accounts.values();
    let state: usize = accounts.map(|a| ACCOUNT_BYTES + a.storage.len() * WORD_BYTES).sum();
    let code: usize = executed.diff.code.values().map(|code| code.len()).sum();
    let logs = receipts_bytes(&executed.receipts);
    let transactions = sahara_finality::transactions_length(&executed.block.transactions) * 2;
    ENTRY_BYTES + state + code + logs + transactions + executed.trie.memory_bytes()
}

#[cfg(test)]
mod tests {
    use super::look_until_still;
    use std::cell::Cell;

    /// A store whose head moves with each look, up to `last`.
    fn look(last: u32, wanted: u32) -> (Option<u32>, u32) {
        let (head, looks) = (Cell::new(0), Cell::new(0));
        let found = look_until_still(
            || head.get(),
            |base| *base,
            |base| {
                looks.set(looks.get() + 1);
                head.set((base + 1).min(last));
                (base == wanted).then_some(base)
            },
        );
        (found, looks.get())
    }

    #[test]
    fn a_block_is_found_however_often_the_head_moves_meanwhile() {
        assert_eq!(look(9, 0), (Some(0), 1));
        assert_eq!(look(9, 7), (Some(7), 8));
    }

    #[test]
    fn a_block_that_is_nowhere_is_looked_for_until_the_head_stands_still() {
        assert_eq!(look(0, 3), (None, 1));
        assert_eq!(look(2, 3), (None, 3));
    }
}
