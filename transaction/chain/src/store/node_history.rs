//! What trie nodes were before each recent block, so that the tries of the past can be read.
//!
//! As for values: a block writes the old node under `place | ff | number`, and the node after block
//! `n` is the old one written by the first block after `n` that changed it, or the present one. A
//! place is not a fixed number of bytes; `ff` is no nibble, so the rows of one place stand together.

use std::ops::RangeInclusive;

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use fjall::{Guard, OwnedWriteBatch, Readable, Slice, Snapshot};
use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    StoreError,
    state::HeadState,
    tables::{Tables, node_key, number_key, storage_nodes_prefix},
};
use crate::trie::{NodeSource, TrieError, TrieUpdate};

/// Ends a place; nibbles are smaller.
const END: u8 = 0xff;

/// The tries after a block of the past.
#[derive(Debug)]
pub(super) struct PastTrie {
    pub(super) head: HeadState,
    pub(super) number: u64,
}

impl NodeSource for PastTrie {
    fn node(
        &self,
        owner: Option<B256>,
        path: &Nibbles,
        hash: B256,
    ) -> Result<bytes::Bytes, TrieError> {
        let HeadState { inner, view } = &self.head;
        if let Some(encoding) = inner.nodes.find(&hash) {
            return Ok(encoding);
        }
        let place = node_key(owner, path);
        let old = first_after(&inner.tables, &view.snapshot, &place, self.number)?;
        match old {
            Some(row) if row.is_empty() => Err(TrieError::missing(owner, path, hash)),
            Some(row) => Ok(inner.keep_node((owner, path), hash, &row)?),
            None => self.head.node(owner, path, hash),
        }
    }
}

fn first_after(
    tables: &Tables,
    snapshot: &Snapshot,
    place: &[u8],
    number: u64,
) -> Result<Option<Slice>, StoreError> {
    let from = history_key(place, number.saturating_add(1));
    let to = history_key(place, u64::MAX);
    let first = snapshot.range(&tables.node_history, from..=to).next();
    Ok(first.map(Guard::value).transpose()?)
}

fn history_key(place: &[u8], number: u64) -> Vec<u8> {
    [place, &[END], &number_key(number)].concat()
}

/// Adds to a block's batch what the changed nodes were before it.
pub(super) fn write(
    tables: &Tables,
    snapshot: &Snapshot,
    (number, trie): (u64, &TrieUpdate),
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let mut old = BTreeMap::<Slice, Slice>::new();
    for (owner, storage) in &trie.storages {
        if storage.is_wiped {
            for row in snapshot.prefix(&tables.nodes, storage_nodes_prefix(*owner)) {
                let (place, node) = row.into_inner()?;
                old.insert(place, node);
            }
        }
    }
    for (owner, path, _) in trie.rows() {
        let place = node_key(owner, path);
        if let Entry::Vacant(vacant) = old.entry(place) {
            let node = snapshot.get(&tables.nodes, vacant.key())?;
            vacant.insert(node.unwrap_or_else(|| Slice::from(&[][..])));
        }
    }
    let mut places = Vec::new();
    for (place, node) in old {
        places.push(u8::try_from(place.len()).unwrap_or(u8::MAX));
        places.extend_from_slice(&place);
        batch.insert(&tables.node_history, history_key(&place, number), node);
    }
    batch.insert(&tables.node_changes, number_key(number), places);
    Ok(())
}

/// Removes the rows that blocks of a range wrote.
pub(super) fn prune(
    tables: &Tables,
    snapshot: &Snapshot,
    blocks: RangeInclusive<u64>,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    for number in blocks {
        let key = number_key(number);
        let Some(row) = snapshot.get(&tables.node_changes, key)? else { continue };
        let mut rest: &[u8] = &row;
        while let Some((length, after)) = rest.split_first() {
            let parts = after.split_at_checked(usize::from(*length));
            let (place, after) = parts.ok_or_else(|| {
                StoreError::damaged("list of changed nodes", "lengths do not add up")
            })?;
            batch.remove(&tables.node_history, history_key(place, number));
            rest = after;
        }
        batch.remove(&tables.node_changes, key);
    }
    Ok(())
}
