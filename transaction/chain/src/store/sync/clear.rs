//! What one answer changes in the state that is here, and what of an older state has to go.

use std::{collections::BTreeMap, ops::Bound};

use alloy_primitives::{B256, keccak256};
use bytes::Bytes;
use fjall::{Database, Guard, Keyspace, OwnedWriteBatch, Readable, Snapshot};

use super::{
    bounds,
    needs::{Change, Needs, Place},
};
use crate::{
    store::{
        StoreError,
        tables::{Tables, storage_nodes_prefix},
    },
    trie::Opened,
};

/// Follows upon every nibble.
const AFTER_NIBBLES: u8 = 16;

/// Rows by key; none removes. A batch must not name a key twice, so they are gathered first.
type Edits = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The changed rows of the state.
#[derive(Debug, Default)]
pub(super) struct Rows {
    nodes: Edits,
    accounts: Edits,
    storage: Edits,
}

/// Gathers what one answer changes.
pub(super) struct Changed<'a> {
    tables: &'a Tables,
    snapshot: &'a Snapshot,
    needs: &'a Needs,
    rows: Rows,
    change: Change,
}

impl<'a> Changed<'a> {
    pub(super) fn new(tables: &'a Tables, snapshot: &'a Snapshot, needs: &'a Needs) -> Self {
        Self { tables, snapshot, needs, rows: Rows::default(), change: Change::default() }
    }

    /// The need at a place is met; what remains below is needed from now on.
    pub(super) fn satisfied(&mut self, place: &Place, opened: &Opened) {
        self.change.satisfied.push(place.key());
        let rest = opened.rest.iter().map(|stub| Place { owner: place.owner, path: stub.path });
        let rest = rest.map(|place| place.key()).collect::<Vec<_>>();
        let is_left = |key: &Vec<u8>| rest.iter().any(|below| key.starts_with(below));
        let finished = self.needs.unfinished_below(place).filter(|key| !is_left(key));
        self.change.finished.extend(finished.cloned());
    }

    pub(super) fn node(&mut self, place: &Place, node: &[u8]) {
        self.rows.nodes.insert(place.key(), Some(node.to_vec()));
    }

    pub(super) fn account(&mut self, key: B256, row: Vec<u8>) {
        self.rows.accounts.insert(key.to_vec(), Some(row));
    }

    pub(super) fn word(&mut self, key: [u8; 64], word: &Bytes) {
        self.rows.storage.insert(key.to_vec(), Some(word.to_vec()));
    }

    /// Needs a subtrie, unless `heals` and it is here.
    pub(super) fn need(&mut self, place: Place, hash: B256, heals: bool) -> Result<(), StoreError> {
        let key = place.key();
        if heals && !self.needs.is_unfinished(&place) {
            let row = self.snapshot.get(&self.tables.nodes, &key)?;
            if row.is_some_and(|row| keccak256(&row) == hash) {
                return Ok(());
            }
        }
        self.change.needed.insert(key, (place, hash));
        Ok(())
    }

    pub(super) fn need_code(&mut self, hash: B256) -> Result<(), StoreError> {
        if !self.snapshot.contains_key(&self.tables.code, hash)? {
            self.change.codes.insert(hash);
        }
        Ok(())
    }

    /// Removes what stands at and below a place, except below what `opened` names and the keys that
    /// end in it.
    pub(super) fn clear(&mut self, place: &Place, opened: &Opened) -> Result<(), StoreError> {
        self.clear_nodes(place, opened)?;
        for key in self.keys_to_clear(place, opened)? {
            match place.owner {
                None => {
                    self.clear_storage(key)?;
                    self.rows.accounts.insert(key.to_vec(), None);
                }
                Some(owner) => {
                    self.rows.storage.insert([owner.0, key.0].concat(), None);
                }
            }
        }
        Ok(())
    }

    /// Removes the storage of an account.
    pub(super) fn clear_storage(&mut self, account: B256) -> Result<(), StoreError> {
        let (tables, snapshot) = (self.tables, self.snapshot);
        for row in snapshot.prefix(&tables.storage, account) {
            self.rows.storage.insert(row.key()?.to_vec(), None);
        }
        for row in snapshot.prefix(&tables.nodes, storage_nodes_prefix(account)) {
            self.rows.nodes.insert(row.key()?.to_vec(), None);
        }
        let root = Place::root(Some(account));
        let all = self.needs.unfinished_below(&root).cloned();
        self.change.finished.extend(all);
        Ok(())
    }

    fn clear_nodes(&mut self, place: &Place, opened: &Opened) -> Result<(), StoreError> {
        let after = |key: &[u8]| [key, &[AFTER_NIBBLES]].concat();
        let mut from = place.key();
        let end = after(&from);
        for stub in &opened.rest {
            let kept = Place { owner: place.owner, path: stub.path }.key();
            let next = after(&kept);
            self.remove_nodes(from, kept)?;
            from = next;
        }
        self.remove_nodes(from, end)
    }

    fn remove_nodes(&mut self, from: Vec<u8>, to: Vec<u8>) -> Result<(), StoreError> {
        if from < to {
            for row in self.snapshot.range(&self.tables.nodes, from..to) {
                self.rows.nodes.insert(row.key()?.to_vec(), None);
            }
        }
        Ok(())
    }

    /// The keys below a place that are neither below what `opened` names nor end in it.
    fn keys_to_clear(&self, place: &Place, opened: &Opened) -> Result<Vec<B256>, StoreError> {
        let (first, last) = bounds(&place.path);
        let mut ranges = Vec::new();
        let mut from = Bound::Included(first);
        for stub in &opened.rest {
            let (kept_first, kept_last) = bounds(&stub.path);
            ranges.push((from, Bound::Excluded(kept_first)));
            from = Bound::Excluded(kept_last);
        }
        ranges.push((from, Bound::Included(last)));
        let mut keys = Vec::new();
        for (from, to) in ranges {
            keys.extend(keys_in(self.tables, self.snapshot, place.owner, (from, to))?);
        }
        keys.retain(|key| opened.leaves.iter().all(|(kept, _)| kept != key));
        Ok(keys)
    }

    /// The rows and needs to write.
    pub(super) fn done(self) -> (Rows, Change) {
        (self.rows, self.change)
    }
}

impl Rows {
    pub(super) fn write(self, tables: &Tables, batch: &mut OwnedWriteBatch) {
        let parts = [
            (&tables.nodes, self.nodes),
            (&tables.accounts, self.accounts),
            (&tables.storage, self.storage),
        ];
        for (keyspace, edits) in parts {
            for (key, row) in edits {
                match row {
                    Some(row) => batch.insert(keyspace, key, row),
                    None => batch.remove(keyspace, key),
                }
            }
        }
    }
}

/// Whether nothing stands at or below a place.
pub(super) fn is_vacant(
    tables: &Tables,
    database: &Database,
    place: &Place,
) -> Result<bool, StoreError> {
    let snapshot = database.snapshot();
    if snapshot.prefix(&tables.nodes, place.key()).next().is_some() {
        return Ok(false);
    }
    let (first, last) = bounds(&place.path);
    let range = (Bound::Included(first), Bound::Included(last));
    Ok(flat(tables, &snapshot, place.owner, range).next().is_none())
}

type Keys = (Bound<[u8; 32]>, Bound<[u8; 32]>);

fn keys_in(
    tables: &Tables,
    snapshot: &Snapshot,
    owner: Option<B256>,
    range: Keys,
) -> Result<Vec<B256>, StoreError> {
    let rows = flat(tables, snapshot, owner, range).map(|row| {
        let key = row.key()?;
        let key = key.last_chunk::<32>().map(B256::from);
        key.ok_or_else(|| StoreError::damaged("key", "expected 32 bytes"))
    });
    rows.collect()
}

/// The flat rows of a trie in a range of keys.
fn flat(
    tables: &Tables,
    snapshot: &Snapshot,
    owner: Option<B256>,
    (from, to): Keys,
) -> impl Iterator<Item = Guard> + use<> {
    let whole = |key: [u8; 32]| match owner {
        None => key.to_vec(),
        Some(owner) => [owner.0, key].concat(),
    };
    let keyspace: &Keyspace = if owner.is_none() { &tables.accounts } else { &tables.storage };
    let (from, to) = (from.map(whole), to.map(whole));
    // A range that ends before it begins is empty, and no range to the database.
    let is_range = match (&from, &to) {
        (Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from < to,
        (Bound::Included(from), Bound::Excluded(to)) => from < to,
        _ => true,
    };
    is_range.then(|| snapshot.range(keyspace, (from, to))).into_iter().flatten()
}
