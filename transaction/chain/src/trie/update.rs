//! What a block changes in the tries, and where older nodes are read from.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, map::HashMap};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use bytes::Bytes;

use super::{
    TrieError,
    edit::{Edit, Editor, PARALLEL_KEYS},
    node::{Link, Reference},
    seal::Sealer,
};

/// Where stored nodes are read from.
pub trait NodeSource: Sync {
    /// The encoding of the node at `path`, which hashes to `hash`. `owner` is the hashed address
    /// whose storage trie is meant, `None` the account trie.
    ///
    /// # Errors
    /// When there is no such node, or it does not hash to `hash`.
    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError>;
}

/// The source of a trie that begins empty.
#[derive(Clone, Copy, Debug)]
pub struct NoNodes;

impl NodeSource for NoNodes {
    fn node(&self, owner: Option<B256>, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        Err(TrieError::missing(owner, path, hash))
    }
}

/// A node as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// keccak256 of the encoding.
    pub hash: B256,
    /// The node's RLP.
    pub encoding: Bytes,
}

/// Changed rows of one trie by path; `None` removes the row.
pub type Rows = HashMap<Nibbles, Option<Row>>;

/// What a block changes in one account's storage trie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StorageUpdate {
    /// Whether every older row goes first.
    pub is_wiped: bool,
    /// The rows written after that.
    pub rows: Rows,
}

/// What a block changes in all tries. Absolute: applying it twice is applying it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrieUpdate {
    /// The state root after the block.
    pub root: B256,
    /// The account trie's rows.
    pub accounts: Rows,
    /// Changed storage tries, by hashed address.
    pub storages: BTreeMap<B256, StorageUpdate>,
    /// The storage root of every account the block changed and left in place.
    pub storage_roots: BTreeMap<Address, B256>,
    /// The hashes of nodes that stood at changed rows before, but for storage that was wiped: what memory
    /// need not keep.
    pub replaced: Vec<B256>,
}

impl TrieUpdate {
    /// What this update says of a row: `None` nothing, `Some(None)` that it is gone.
    pub fn row(&self, owner: Option<B256>, path: &Nibbles) -> Option<Option<&Row>> {
        match owner {
            None => self.accounts.get(path).map(Option::as_ref),
            Some(owner) => {
                let storage = self.storages.get(&owner)?;
                let row = storage.rows.get(path).map(Option::as_ref);
                if storage.is_wiped { Some(row.flatten()) } else { row }
            }
        }
    }

    /// All changed rows, the account trie's first.
    pub fn rows(&self) -> impl Iterator<Item = (Option<B256>, &Nibbles, Option<&Row>)> {
        let accounts = self.accounts.iter().map(|(path, row)| (None, path, row.as_ref()));
        let storages = self.storages.iter().flat_map(|(owner, storage)| {
            storage.rows.iter().map(|(path, row)| (Some(*owner), path, row.as_ref()))
        });
        accounts.chain(storages)
    }

    /// About how many bytes of memory it holds.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        const ENTRY_BYTES: usize = 128;
        self.rows()
            .map(|(_, _, row)| ENTRY_BYTES + row.map_or(0, |row| row.encoding.len()))
            .sum::<usize>()
            + (self.storages.len() + self.storage_roots.len()) * ENTRY_BYTES
            + size_of_val(self.replaced.as_slice())
    }
}

/// The result of [`keyed_update`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedUpdate {
    /// The trie's root after the changes.
    pub root: B256,
    /// The rows changed.
    pub rows: Rows,
    /// The hashes of the nodes that stood there before.
    pub replaced: Vec<B256>,
}

/// Changes one trie: `changes` are keys of up to 64 nibbles with their new value, `None` removing.
/// `root` is the trie's root before, [`EMPTY_ROOT_HASH`] for none.
///
/// # Errors
/// When a node on the way cannot be read.
pub fn keyed_update(
    source: &impl NodeSource,
    owner: Option<B256>,
    root: B256,
    changes: impl IntoIterator<Item = (Nibbles, Option<Bytes>)>,
) -> Result<KeyedUpdate, TrieError> {
    let mut edits = changes.into_iter().map(|(key, value)| Edit { key, value }).collect::<Vec<_>>();
    edits.sort_unstable_by_key(|edit| edit.key);
    let link = match root {
        EMPTY_ROOT_HASH => Link::Empty,
        root => Link::Stored(Reference::Hash(root)),
    };
    let mut editor = Editor::new(source, owner);
    let mut link = editor.apply(link, 0, &edits)?;
    let mut sealer = Sealer::new(edits.len() >= PARALLEL_KEYS);
    let root = sealer.root(&mut link).unwrap_or(EMPTY_ROOT_HASH);
    let rows = sealer.into_rows(&editor.outdated);
    let replaced = editor.outdated.into_iter().map(|(_, hash)| hash).collect();
    Ok(KeyedUpdate { root, rows, replaced })
}
