//! Making a block final: everything it brings, in one atomic and durable batch.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::Encodable;
use fjall::{Guard, OwnedWriteBatch, PersistMode, Readable, Snapshot};
use sahara_evm::StateDiff;
use sahara_finality::{Block, TxReceipt};

use super::{
    Store, StoreError,
    handle::{Inner, RecentBlock, View, read_head},
    history, node_history,
    state::encode_account_row,
    tables::{
        Tables, account_key, join, meta, node_key, number_key, read_storage_key, storage_key,
        storage_nodes_prefix,
    },
};
use crate::trie::{AccountRecord, TrieUpdate, encode_word};

/// How many blocks' history one commit removes at most, so that a smaller window is reached
/// little by little and no block waits long.
const PRUNED_PER_COMMIT: u64 = 8;

/// A block with everything its execution brought.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    /// The block.
    pub block: Arc<Block>,
    /// Its receipts, one per transaction.
    pub receipts: Arc<Vec<TxReceipt>>,
    /// Who sent each transaction.
    pub senders: Vec<Address>,
    /// What it changed in the state.
    pub diff: StateDiff,
    /// What it changed in the tries.
    pub trie: TrieUpdate,
}

/// What came of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// The block is the new head.
    New,
    /// It was final before; nothing was written.
    Before,
}

/// A block to be written, borrowed.
pub(super) struct CommitInput<'a> {
    pub(super) hash: B256,
    pub(super) block: &'a Block,
    pub(super) encoded: Vec<u8>,
    pub(super) receipts: &'a [TxReceipt],
    pub(super) senders: &'a [Address],
    pub(super) diff: &'a StateDiff,
    pub(super) trie: &'a TrieUpdate,
}

/// A block and what it brought, but for the state it left; borrowed.
pub(super) struct Body<'a> {
    pub(super) hash: B256,
    pub(super) block: &'a Block,
    pub(super) encoded: &'a [u8],
    pub(super) receipts: &'a [TxReceipt],
    pub(super) senders: &'a [Address],
}

impl Store {
    /// Makes a block the head. When this returns, the block is on disk; when it fails, nothing of
    /// it is. A block that is final already is left as it is.
    ///
    /// # Errors
    /// When a block between is missing, the parent is not the head, another block is final at this
    /// number, the parts do not belong together, or the disk fails.
    pub fn commit(
        &self,
        executed: &ExecutedBlock,
        certificate: Option<&[u8]>,
    ) -> Result<Committed, StoreError> {
        let inner = &self.inner;
        let _writer = inner.writer.lock();
        let view = inner.view();
        let hash = executed.block.hash();
        if is_final(inner, &view, executed, hash)? {
            return Ok(Committed::Before);
        }
        check(&view, executed)?;
        let (tables, number) = (&inner.tables, executed.block.header.number);
        let mut batch = inner.database.batch().durability(Some(PersistMode::SyncAll));
        history::write(tables, &view.snapshot, (number, &executed.diff), &mut batch)?;
        if inner.options.history.keeps_tries() {
            node_history::write(tables, &view.snapshot, (number, &executed.trie), &mut batch)?;
        }
        prune(inner, &view, number, &mut batch)?;
        let input = CommitInput {
            hash,
            block: &executed.block,
            encoded: executed.block.encoded(),
            receipts: &executed.receipts,
            senders: &executed.senders,
            diff: &executed.diff,
            trie: &executed.trie,
        };
        let block_bytes = input.encoded.len();
        write_block(tables, &view.snapshot, &input, &mut batch)?;
        if let Some(certificate) = certificate {
            batch.insert(&tables.certificates, number_key(number), certificate);
        }
        batch.commit()?;
        keep(inner, executed, block_bytes);
        inner.flat.advance(number, &executed.diff, &executed.trie);
        inner.publish()?;
        Ok(Committed::New)
    }
}

fn is_final(
    inner: &Inner,
    view: &View,
    executed: &ExecutedBlock,
    hash: B256,
) -> Result<bool, StoreError> {
    let number = executed.block.header.number;
    if number > view.head.number {
        return Ok(false);
    }
    let stored = read_head(&inner.tables, &view.snapshot, number)?
        .ok_or_else(|| StoreError::damaged("header", format!("{number} is missing")))?;
    if stored.hash == hash {
        Ok(true)
    } else {
        Err(StoreError::AlreadyFinal { number, expected: stored.hash, got: hash })
    }
}

/// Checks that the block is the next one and its parts belong together.
fn check(view: &View, executed: &ExecutedBlock) -> Result<(), StoreError> {
    let header = &executed.block.header;
    let (number, expected) = (header.number, view.head.number.saturating_add(1));
    if number != expected {
        return Err(StoreError::Gap { expected, got: number });
    }
    if header.parent_hash != view.head.hash {
        let (expected, got) = (view.head.hash, header.parent_hash);
        return Err(StoreError::WrongParent { number, expected, got });
    }
    if header.state_root != executed.trie.root {
        let (expected, got) = (header.state_root, executed.trie.root);
        return Err(StoreError::WrongStateRoot { number, expected, got });
    }
    let transactions = executed.block.transactions.len();
    for (what, got) in [("receipts", executed.receipts.len()), ("senders", executed.senders.len())]
    {
        if got != transactions {
            return Err(StoreError::WrongCount { number, transactions, what, got });
        }
    }
    Ok(())
}

fn prune(
    inner: &Inner,
    view: &View,
    number: u64,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let tables = &inner.tables;
    let wanted = number.saturating_sub(inner.options.history.blocks().max(1));
    if let Some(leaving) = leaving(view.oldest_state, wanted) {
        batch.insert(&tables.meta, meta::OLDEST_STATE, number_key(*leaving.end()));
        history::prune(tables, &view.snapshot, leaving, batch)?;
    }
    // Without past tries, the head's is the oldest.
    if !inner.options.history.keeps_tries() {
        batch.insert(&tables.meta, meta::OLDEST_TRIE, number_key(number));
    } else if let Some(leaving) = leaving(view.oldest_trie, wanted) {
        batch.insert(&tables.meta, meta::OLDEST_TRIE, number_key(*leaving.end()));
        node_history::prune(tables, &view.snapshot, leaving, batch)?;
    }
    Ok(())
}

/// The blocks whose history leaves next, when the oldest state is `oldest` and `wanted` is to be.
fn leaving(oldest: u64, wanted: u64) -> Option<RangeInclusive<u64>> {
    let first = oldest.saturating_add(1);
    let last = wanted.min(oldest.saturating_add(PRUNED_PER_COMMIT));
    (first <= last).then_some(first..=last)
}

/// Adds a block and the state it leaves to a batch, and makes it the head.
pub(super) fn write_block(
    tables: &Tables,
    snapshot: &Snapshot,
    input: &CommitInput<'_>,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let CommitInput { hash, block, encoded, receipts, senders, .. } = input;
    let body = Body { hash: *hash, block, encoded, receipts, senders };
    write_body(tables, &body, batch);
    batch.insert(&tables.meta, meta::HEAD, number_key(block.header.number));
    write_state(tables, snapshot, input, batch)?;
    write_nodes(tables, snapshot, input.trie, batch)
}

/// Adds a block and what it brought, but for the state it left.
pub(super) fn write_body(tables: &Tables, body: &Body<'_>, batch: &mut OwnedWriteBatch) {
    let header = &body.block.header;
    let key = number_key(header.number);
    let mut header_row = body.hash.to_vec();
    header.encode(&mut header_row);
    batch.insert(&tables.headers, key, header_row);
    batch.insert(&tables.blocks, key, body.encoded);
    batch.insert(&tables.numbers, body.hash.0, key);
    for (index, transaction) in (0_u32..).zip(&body.block.transactions) {
        let place: [u8; 12] = join(&key, &index.to_be_bytes());
        batch.insert(&tables.transactions, transaction.hash().0, place);
    }
    batch.insert(&tables.receipts, key, encode_receipts(body.receipts));
    let senders = body.senders.iter().flat_map(|sender| sender.0.0).collect::<Vec<_>>();
    batch.insert(&tables.senders, key, senders);
}

fn write_state(
    tables: &Tables,
    snapshot: &Snapshot,
    input: &CommitInput<'_>,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    for (hash, code) in &input.diff.code {
        batch.insert(&tables.code, hash.0, code.as_ref());
    }
    for (address, change) in &input.diff.accounts {
        let key = account_key(*address);
        let words = change
            .storage
            .iter()
            .map(|(slot, (_, word))| (storage_key(&key, *slot), encode_word(*word)));
        let words = words.collect::<BTreeMap<_, _>>();
        if change.before.is_some() && (change.is_wiped || change.after.is_none()) {
            for row in snapshot.prefix(&tables.storage, key).map(Guard::key) {
                let row = read_storage_key(&row?)?;
                // A batch must not name a key twice: its writes have no order.
                if !words.contains_key(&row) {
                    batch.remove(&tables.storage, row);
                }
            }
        }
        for (key, word) in words {
            match word {
                Some(word) => batch.insert(&tables.storage, key, &*word),
                None => batch.remove(&tables.storage, key),
            }
        }
        let Some(account) = change.after else {
            batch.remove(&tables.accounts, key);
            continue;
        };
        let Some(storage_root) = input.trie.storage_roots.get(address).copied() else {
            return Err(StoreError::damaged("trie update", format!("it lacks {address}")));
        };
        let record = AccountRecord { account, storage_root };
        batch.insert(&tables.accounts, key, encode_account_row(*address, &record));
    }
    Ok(())
}

fn write_nodes(
    tables: &Tables,
    snapshot: &Snapshot,
    trie: &TrieUpdate,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    for (owner, storage) in trie.storages.iter().filter(|(_, storage)| storage.is_wiped) {
        let kept = storage.rows.keys().map(|path| node_key(Some(*owner), path));
        let kept = kept.collect::<BTreeSet<_>>();
        let keys = snapshot.prefix(&tables.nodes, storage_nodes_prefix(*owner)).map(Guard::key);
        for key in keys {
            let key = key?;
            if !kept.contains(&key) {
                batch.remove(&tables.nodes, key);
            }
        }
    }
    for (owner, path, row) in trie.rows() {
        let key = node_key(owner, path);
        match row {
            Some(row) => batch.insert(&tables.nodes, key, &*row.encoding),
            None => batch.remove(&tables.nodes, key),
        }
    }
    Ok(())
}

/// Keeps in memory what will soon be asked for.
fn keep(inner: &Inner, executed: &ExecutedBlock, block_bytes: usize) {
    // What was replaced would only push out what is not; a view that still stands on it reads it again.
    executed.trie.replaced.iter().for_each(|hash| inner.nodes.forget(hash));
    for (_, _, row) in executed.trie.rows() {
        if let Some(row) = row {
            inner.nodes.keep(row.hash, &row.encoding);
        }
    }
    let recent = RecentBlock::new(&executed.block, &executed.receipts, block_bytes);
    inner.recent.insert(executed.block.header.number, recent);
}

impl RecentBlock {
    pub(super) fn new(
        block: &Arc<Block>,
        receipts: &Arc<Vec<TxReceipt>>,
        block_bytes: usize,
    ) -> Self {
        let bytes = block_bytes.saturating_mul(2).saturating_add(receipts_bytes(receipts));
        let entries = block.transactions.len().saturating_add(1).saturating_mul(RECENT_ENTRY_BYTES);
        let bytes = u64::try_from(bytes.saturating_add(entries)).unwrap_or(u64::MAX);
        Self { block: block.clone(), receipts: receipts.clone(), bytes }
    }
}

/// About what receipts take in memory. A log that says nothing costs 375 gas and a place all the same: a
/// block has room for a million of them.
pub(super) fn receipts_bytes(receipts: &[TxReceipt]) -> usize {
    const LOG_BYTES: usize = 256;
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs);
    logs.map(|log| LOG_BYTES.saturating_add(log.data.data.len())).sum()
}

/// About what a decoded transaction with its receipt takes beside its bytes.
const RECENT_ENTRY_BYTES: usize = 512;

fn encode_receipts(receipts: &[TxReceipt]) -> Vec<u8> {
    let encoded = receipts.iter().map(|receipt| Bytes::from(receipt.encoded_2718()));
    alloy_rlp::encode(encoded.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::receipts_bytes;
    use alloy_primitives::{Address, Log};
    use sahara_finality::TxReceipt;

    #[test]
    fn logs_that_say_nothing_weigh_what_they_take() {
        let empty = Log::new_unchecked(Address::ZERO, Vec::new(), Default::default());
        let receipt = TxReceipt {
            type_byte: 2,
            status: true,
            cumulative_gas_used: 21_000,
            logs: vec![empty; 1_000].into(),
        };
        let least = 1_000 * size_of::<Log>();
        assert!(
            receipts_bytes(&[receipt]) >= least,
            "a cache bounded by weight would hold any number"
        );
    }
}
