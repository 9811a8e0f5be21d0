//! What is missing, in memory and on disk.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use fjall::{OwnedWriteBatch, Readable, Snapshot};

use super::bounds;
use crate::store::{
    StoreError,
    tables::{Tables, node_key, read_hash},
};

const PLACE: u8 = b'n';
const CODE: u8 = b'c';
const UNFINISHED: u8 = b'u';
/// What [`node_key`] begins with.
const ACCOUNT_TRIE: u8 = 0;
const STORAGE_TRIE: u8 = 1;

/// Where a subtrie stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The account whose storage trie is meant, hashed; `None` for the account trie.
    pub owner: Option<B256>,
    /// The nibbles of the keys below it.
    pub path: Nibbles,
}

impl Place {
    /// Where a trie begins.
    #[must_use]
    pub const fn root(owner: Option<B256>) -> Self {
        Self { owner, path: Nibbles::new() }
    }

    /// The key of its row.
    pub(super) fn key(&self) -> Vec<u8> {
        node_key(self.owner, &self.path).to_vec()
    }

    fn parse(key: &[u8]) -> Option<Self> {
        let (owner, path) = match key.split_first()? {
            (&ACCOUNT_TRIE, path) => (None, path),
            (&STORAGE_TRIE, rest) => {
                let (owner, path) = rest.split_first_chunk::<32>()?;
                (Some(B256::from(owner)), path)
            }
            _ => return None,
        };
        let is_path = path.len() <= 64 && path.iter().all(|nibble| *nibble < 16);
        is_path.then(|| Self { owner, path: Nibbles::from_nibbles(path) })
    }
}

/// A subtrie that is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Where it stands.
    pub place: Place,
    /// What its first node hashes to.
    pub hash: B256,
    /// Whether nothing of it is here, so that as much of it is wanted as fits into an answer;
    /// otherwise its first node alone, since most of what is below may be here.
    pub is_deep: bool,
}

/// All that is needed.
#[derive(Debug, Default)]
pub(in crate::store) struct Needs {
    places: BTreeMap<Vec<u8>, (Place, B256)>,
    codes: BTreeSet<B256>,
    /// Places below which something of an older state is missing.
    unfinished: BTreeSet<Vec<u8>>,
}

/// What one answer changes.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) satisfied: Vec<Vec<u8>>,
    pub(super) needed: BTreeMap<Vec<u8>, (Place, B256)>,
    pub(super) codes: BTreeSet<B256>,
    /// No longer unfinished.
    pub(super) finished: BTreeSet<Vec<u8>>,
}

impl Needs {
    pub(super) fn read(tables: &Tables, snapshot: &Snapshot) -> Result<Self, StoreError> {
        let damaged = || StoreError::damaged("need", "expected a place or a hash");
        let mut needs = Self::default();
        for row in snapshot.iter(&tables.sync) {
            let (key, value) = row.into_inner()?;
            let (kind, key) = key.split_first().ok_or_else(damaged)?;
            match *kind {
                PLACE => {
                    let place = Place::parse(key).ok_or_else(damaged)?;
                    needs.places.insert(key.to_vec(), (place, read_hash("need", &value)?));
                }
                CODE => {
                    needs.codes.insert(read_hash("need", key)?);
                }
                UNFINISHED => {
                    needs.unfinished.insert(key.to_vec());
                }
                _ => return Err(damaged()),
            }
        }
        Ok(needs)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len().saturating_add(self.codes.len())
    }

    /// Storage before accounts, and the rightmost first: what is left of an answer is met again
    /// before anything new, so that the needs stay few.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, B256)> {
        self.places.values().rev().copied()
    }

    pub(super) fn codes(&self) -> impl Iterator<Item = B256> {
        self.codes.iter().copied()
    }

    pub(super) fn wanted(&self, place: &Place) -> Option<B256> {
        self.places.get(&place.key()).map(|(_, hash)| *hash)
    }

    /// Whether something of an older state is missing at or below a place; below an account, that is
    /// also its storage.
    pub(super) fn is_unfinished(&self, place: &Place) -> bool {
        if self.unfinished_below(place).next().is_some() {
            return true;
        }
        if place.owner.is_some() {
            return false;
        }
        let (first, last) = bounds(&place.path);
        let first = [&[STORAGE_TRIE], first.as_slice()].concat();
        let last = [&[STORAGE_TRIE], last.as_slice(), &[u8::MAX]].concat();
        self.unfinished.range(first..last).next().is_some()
    }

    pub(super) fn unfinished_below(
        &self,
        place: &Place,
    ) -> impl Iterator<Item = &Vec<u8>> + use<'_> {
        let key = place.key();
        self.unfinished.range(key.clone()..).take_while(move |one| one.starts_with(&key))
    }

    /// The walk begins again at another root; what was needed becomes unfinished.
    pub(super) fn begin_again(
        &mut self,
        root: Option<(Place, B256)>,
        tables: &Tables,
        batch: &mut OwnedWriteBatch,
    ) {
        let root = root.map(|(place, hash)| (place.key(), (place, hash)));
        for key in std::mem::take(&mut self.places).into_keys() {
            if root.as_ref().is_none_or(|(root, _)| *root != key) {
                batch.remove(&tables.sync, row_key(PLACE, &key));
            }
            batch.insert(&tables.sync, row_key(UNFINISHED, &key), []);
            self.unfinished.insert(key);
        }
        if let Some((key, (place, hash))) = root {
            batch.insert(&tables.sync, row_key(PLACE, &key), hash.0);
            self.places.insert(key, (place, hash));
        }
    }

    pub(super) fn drop_code(&mut self, hash: B256, tables: &Tables, batch: &mut OwnedWriteBatch) {
        batch.remove(&tables.sync, row_key(CODE, hash.as_slice()));
        self.codes.remove(&hash);
    }

    pub(super) fn apply(&mut self, change: Change) {
        for key in change.satisfied {
            self.places.remove(&key);
        }
        self.places.extend(change.needed);
        self.codes.extend(change.codes);
        for key in change.finished {
            self.unfinished.remove(&key);
        }
    }
}

impl Change {
    pub(super) fn write(&self, tables: &Tables, batch: &mut OwnedWriteBatch) {
        for key in self.satisfied.iter().filter(|key| !self.needed.contains_key(*key)) {
            batch.remove(&tables.sync, row_key(PLACE, key));
        }
        for (key, (_, hash)) in &self.needed {
            batch.insert(&tables.sync, row_key(PLACE, key), hash.0);
        }
        for hash in &self.codes {
            batch.insert(&tables.sync, row_key(CODE, hash.as_slice()), []);
        }
        for key in &self.finished {
            batch.remove(&tables.sync, row_key(UNFINISHED, key));
        }
    }
}

fn row_key(kind: u8, key: &[u8]) -> Vec<u8> {
    [&[kind], key].concat()
}
