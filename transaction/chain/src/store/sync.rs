//! A state that is fetched in parts, on its way to become the head.
//!
//! # Model
//! What is still missing are *needs*: subtries known by hash, and code. A subtrie is opened with the
//! nodes that a peer sent, each held against its hash; what is below them becomes needs again. Nodes,
//! flat rows and needs of one answer are one batch, so whatever is killed when, the rows here and the
//! needs together are the whole state. When nothing is needed any more, the flat rows are counted
//! again by other code, and the block becomes the head.
//!
//! # A newer state
//! Peers hold a state for some minutes. When nobody has it any more, the walk begins again at the
//! root of a newer one, over what is here already: a subtrie whose row has the hash wanted is whole
//! and is not fetched, unless a need of a state before stands in it ([`SyncStore::aim`] keeps these
//! places as *unfinished*). Where something else stands, what the newer state has not is removed.
//!
//! # Rows
//! ```text
//! sync   n | place        -> hash wanted
//! sync   c | code hash    ->
//! sync   u | place        ->                 unfinished
//! meta   sync             -> rlp([header, certificate, whether it is not the first])
//! ```

mod clear;
mod foreign;
mod install;
mod needs;

use std::path::Path;

use alloy_consensus::Header;
use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use alloy_rlp::{Decodable as _, RlpDecodable, RlpEncodable};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use fjall::{Database, PersistMode, Readable};
use sahara_finality::decode_header;

use self::{clear::Changed, needs::Needs};
pub use self::{
    install::Base,
    needs::{Need, Place},
};
use super::{
    Genesis, Pivot, Run, StoreError, StoreOptions,
    handle::{begin, open_database, required},
    state::encode_account_row,
    tables::{Tables, join, meta},
};
use crate::trie::{AccountRecord, Opened, RunError, Stub, TrieError, decode_word, open};

/// A store that has no head of its own yet.
pub struct SyncStore {
    database: Database,
    tables: Tables,
    target: Option<Target>,
    needs: Needs,
}

/// The block whose state is fetched.
#[derive(Clone, Debug)]
struct Target {
    pivot: Pivot,
    header: Header,
    hash: B256,
    /// Whether parts of states before are here.
    is_moved: bool,
}

#[derive(RlpEncodable, RlpDecodable)]
struct TargetRow {
    header: alloy_primitives::Bytes,
    certificate: alloy_primitives::Bytes,
    is_moved: bool,
}

/// Why a part was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is not what was asked for: whoever sent it lies.
    #[error("not the part asked for: {0}")]
    Lie(String),
    /// The own disk.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RunError> for TakeError {
    fn from(error: RunError) -> Self {
        Self::Lie(error.to_string())
    }
}

impl From<TrieError> for TakeError {
    fn from(error: TrieError) -> Self {
        Self::Lie(error.to_string())
    }
}

impl From<fjall::Error> for TakeError {
    fn from(error: fjall::Error) -> Self {
        Self::Store(error.into())
    }
}

impl std::fmt::Debug for SyncStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SyncStore")
            .field("target", &self.target.as_ref().map(|target| target.hash))
            .field("needs", &self.needs.len())
            .finish_non_exhaustive()
    }
}

impl SyncStore {
    /// Opens the store in a directory that is empty or in which a state sync is under way. None if
    /// it has a chain of its own, which goes on by replaying.
    ///
    /// # Errors
    /// As [`Store::open`](super::Store::open).
    pub fn open(
        path: impl AsRef<Path>,
        options: StoreOptions,
        genesis: &Genesis,
    ) -> Result<Option<Self>, StoreError> {
        let (database, tables) = open_database(path.as_ref(), options)?;
        begin(&database, &tables, genesis)?;
        let snapshot = database.snapshot();
        let target = match snapshot.get(&tables.meta, meta::SYNC)? {
            Some(row) => Some(Target::decode(&row)?),
            None if required(&tables, &snapshot, meta::HEAD)? > 0 => return Ok(None),
            None => None,
        };
        let needs = Needs::read(&tables, &snapshot)?;
        Ok(Some(Self { database, tables, target, needs }))
    }

    /// Reads anew what is needed, and of which state: where taking a part or another target panicked,
    /// memory may say something else than the disk, on which either is whole or not at all.
    ///
    /// # Errors
    /// When a row is damaged, or the disk fails.
    pub fn reread(&mut self) -> Result<(), StoreError> {
        let snapshot = self.database.snapshot();
        let target = snapshot.get(&self.tables.meta, meta::SYNC)?;
        let target = target.map(|row| Target::decode(&row)).transpose()?;
        (self.needs, self.target) = (Needs::read(&self.tables, &snapshot)?, target);
        Ok(())
    }

    /// Whether a state sync is under way here already.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.target.is_some()
    }

    /// The header whose state is fetched, and its hash.
    #[must_use]
    pub fn target(&self) -> Option<(&Header, B256)> {
        self.target.as_ref().map(|target| (&target.header, target.hash))
    }

    /// The certificate of the header whose state is fetched.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.target.as_ref().map(|target| target.pivot.certificate.as_ref())
    }

    /// Fetches the state of `pivot` from now on. It was verified.
    ///
    /// # Errors
    /// When its header is none, or the disk fails.
    pub fn aim(&mut self, pivot: Pivot) -> Result<(), StoreError> {
        let is_moved = self.target.is_some();
        let target = Target::new(pivot, is_moved)?;
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        if !is_moved {
            // The state of genesis: its code stays, being what its hash says.
            let snapshot = self.database.snapshot();
            for keyspace in [&self.tables.accounts, &self.tables.storage, &self.tables.nodes] {
                for row in snapshot.iter(keyspace) {
                    batch.remove(keyspace, row.key()?);
                }
            }
        }
        let root = target.header.state_root;
        let root = (root != EMPTY_ROOT_HASH).then_some((Place::root(None), root));
        self.needs.begin_again(root, &self.tables, &mut batch);
        batch.insert(&self.tables.meta, meta::SYNC, target.encoded());
        batch.commit()?;
        self.target = Some(target);
        Ok(())
    }

    /// Subtries that are needed, at most `limit` of those that `is_free`.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn places(
        &self,
        limit: usize,
        is_free: impl Fn(&Place) -> bool,
    ) -> Result<Vec<Need>, StoreError> {
        let heals = self.target.as_ref().is_some_and(|target| target.is_moved);
        let free = self.needs.places().filter(|(place, _)| is_free(place)).take(limit);
        let need = |(place, hash): (Place, B256)| {
            let is_deep = !heals || clear::is_vacant(&self.tables, &self.database, &place)?;
            Ok(Need { place, hash, is_deep })
        };
        free.map(need).collect()
    }

    /// Code that is needed, at most `limit` of what `is_free`.
    #[must_use]
    pub fn codes(&self, limit: usize, is_free: impl Fn(&B256) -> bool) -> Vec<B256> {
        self.needs.codes().filter(is_free).take(limit).collect()
    }

    /// How many subtries and pieces of code are known to be needed.
    #[must_use]
    pub fn open_needs(&self) -> usize {
        self.needs.len()
    }

    /// Whether nothing is needed any more.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.target.is_some() && self.needs.len() == 0
    }

    /// Whether a subtrie is still needed.
    #[must_use]
    pub fn wants(&self, need: &Need) -> bool {
        self.needs.wanted(&need.place) == Some(need.hash)
    }

    /// Takes the nodes that a peer sent for a subtrie.
    ///
    /// # Errors
    /// [`TakeError::Lie`] when they are not its nodes; then nothing is written.
    pub fn take(&mut self, need: &Need, run: &Run) -> Result<(), TakeError> {
        let Need { place, hash, is_deep } = need;
        if self.needs.wanted(place) != Some(*hash) {
            return Err(StoreError::damaged("need", "a part was taken that is not needed").into());
        }
        let nodes = run.nodes.iter().map(|node| node.0.clone());
        let opened = open(Stub { path: place.path, hash: *hash }, nodes)?;
        if !is_deep && opened.nodes.len() > 1 {
            return Err(TakeError::Lie("more than the one node asked for".into()));
        }
        let snapshot = self.database.snapshot();
        let mut changed = Changed::new(&self.tables, &snapshot, &self.needs);
        if !is_deep {
            changed.clear(place, &opened)?;
        }
        changed.satisfied(place, &opened);
        for (path, node) in &opened.nodes {
            changed.node(&Place { owner: place.owner, path: *path }, node);
        }
        let heals = self.target.as_ref().is_some_and(|target| target.is_moved);
        match place.owner {
            None => take_accounts(&mut changed, &opened, run, heals)?,
            Some(owner) => take_words(&mut changed, owner, &opened, run)?,
        }
        for Stub { path, hash } in opened.rest {
            changed.need(Place { owner: place.owner, path }, hash, heals)?;
        }
        let (rows, needs) = changed.done();
        let mut batch = self.database.batch();
        rows.write(&self.tables, &mut batch);
        needs.write(&self.tables, &mut batch);
        batch.commit()?;
        self.needs.apply(needs);
        Ok(())
    }

    /// Takes code that a peer sent.
    ///
    /// # Errors
    /// [`TakeError::Lie`] when it is not the code asked for; then nothing is written.
    pub fn take_code(&mut self, hash: B256, code: &[u8]) -> Result<(), TakeError> {
        if keccak256(code) != hash {
            return Err(TakeError::Lie(format!("code that does not hash to {hash}")));
        }
        let mut batch = self.database.batch();
        batch.insert(&self.tables.code, hash.0, code);
        self.needs.drop_code(hash, &self.tables, &mut batch);
        Ok(batch.commit()?)
    }
}

impl Target {
    fn new(pivot: Pivot, is_moved: bool) -> Result<Self, StoreError> {
        let header = decode_header(&pivot.header)
            .map_err(|error| StoreError::damaged("header of a state sync", error))?;
        let hash = keccak256(&pivot.header);
        Ok(Self { pivot, header, hash, is_moved })
    }

    fn encoded(&self) -> Vec<u8> {
        let Pivot { header, certificate } = self.pivot.clone();
        alloy_rlp::encode(TargetRow { header, certificate, is_moved: self.is_moved })
    }

    fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let TargetRow { header, certificate, is_moved } = TargetRow::decode(&mut &*row)
            .map_err(|error| StoreError::damaged("target of a state sync", error))?;
        Self::new(Pivot { header, certificate }, is_moved)
    }
}

/// Accounts with what belongs to them.
fn take_accounts(
    changed: &mut Changed<'_>,
    opened: &Opened,
    run: &Run,
    heals: bool,
) -> Result<(), TakeError> {
    if run.addresses.len() != opened.leaves.len() {
        let (accounts, addresses) = (opened.leaves.len(), run.addresses.len());
        return Err(TakeError::Lie(format!("{addresses} addresses of {accounts} accounts")));
    }
    for ((key, leaf), address) in opened.leaves.iter().zip(&run.addresses) {
        if keccak256(address) != *key {
            return Err(TakeError::Lie(format!("{address} is not the address of account {key}")));
        }
        let record = AccountRecord::decode(leaf)?;
        changed.account(*key, encode_account_row(*address, &record));
        if record.storage_root != EMPTY_ROOT_HASH {
            changed.need(Place::root(Some(*key)), record.storage_root, heals)?;
        } else if heals {
            changed.clear_storage(*key)?;
        }
        if record.account.code_hash != KECCAK256_EMPTY {
            changed.need_code(record.account.code_hash)?;
        }
    }
    Ok(())
}

fn take_words(
    changed: &mut Changed<'_>,
    owner: B256,
    opened: &Opened,
    run: &Run,
) -> Result<(), TakeError> {
    if !run.addresses.is_empty() {
        return Err(TakeError::Lie("addresses with the nodes of a storage trie".into()));
    }
    for (key, word) in &opened.leaves {
        decode_word(word)?;
        changed.word(join::<32, 32, 64>(&owner.0, &key.0), word);
    }
    Ok(())
}

/// The first and the last key below a path.
fn bounds(path: &Nibbles) -> ([u8; 32], [u8; 32]) {
    let mut first = [0; 32];
    path.pack_to(&mut first);
    let mut last = first;
    for (index, byte) in last.iter_mut().enumerate() {
        if index * 2 >= path.len() {
            *byte = 0xff;
        } else if index * 2 + 1 >= path.len() {
            *byte |= 0x0f;
        }
    }
    (first, last)
}
