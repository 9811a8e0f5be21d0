//! The keyspaces and their keys. This file is the format.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::Nibbles;
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, Readable, Slice, Snapshot, config::PinningPolicy,
};

use super::StoreError;
use crate::consensus::Evidence;

/// The version of everything written here. A change that older programs would misread counts up.
pub(super) const FORMAT: u64 = 2;

const ACCOUNT_TRIE: u8 = 0;
const STORAGE_TRIE: u8 = 1;

/// Written on every block; large, so that few files are flushed.
const BUSY_MEMTABLE_BYTES: u64 = 32 << 20;
/// All others: with this many keyspaces the default of 64 MiB each would be a gigabyte.
const QUIET_MEMTABLE_BYTES: u64 = 8 << 20;

/// Rows of the meta keyspace.
pub(super) mod meta {
    pub(in crate::store) const FORMAT: &str = "format";
    pub(in crate::store) const CHAIN_ID: &str = "chain id";
    pub(in crate::store) const GENESIS: &str = "genesis";
    pub(in crate::store) const HEAD: &str = "head";
    pub(in crate::store) const OLDEST_STATE: &str = "oldest state";
    pub(in crate::store) const OLDEST_TRIE: &str = "oldest trie";
    /// The first block after the one that a state sync began with.
    pub(in crate::store) const FIRST_BLOCK: &str = "first block";
    /// The first block of the past that was filled in since.
    pub(in crate::store) const FILLED: &str = "filled";
    pub(in crate::store) const SYNC: &str = "sync";
}

/// One handle per keyspace.
#[derive(Clone)]
pub(super) struct Tables {
    /// name -> number or hash
    pub(super) meta: Keyspace,
    /// keccak(address) -> address | account leaf
    pub(super) accounts: Keyspace,
    /// keccak(address) | keccak(slot) -> rlp(word)
    pub(super) storage: Keyspace,
    /// code hash -> code
    pub(super) code: Keyspace,
    /// [`node_key`] -> rlp(node)
    pub(super) nodes: Keyspace,
    /// number -> hash | rlp(header)
    pub(super) headers: Keyspace,
    /// number -> rlp(block)
    pub(super) blocks: Keyspace,
    /// block hash -> number
    pub(super) numbers: Keyspace,
    /// transaction hash -> number | index 4
    pub(super) transactions: Keyspace,
    /// number -> rlp([EIP-2718 receipt, ...])
    pub(super) receipts: Keyspace,
    /// number -> sender 20 each
    pub(super) senders: Keyspace,
    /// number -> finalisation certificate
    pub(super) certificates: Keyspace,
    /// keccak(address) | number -> rlp([nonce, balance, code hash]) before the block, or nothing
    pub(super) account_history: Keyspace,
    /// keccak(address) | keccak(slot) | number -> rlp(word) before the block, or nothing
    pub(super) storage_history: Keyspace,
    /// number -> the history keys the block wrote, see [`super::history::Changes`]
    pub(super) changes: Keyspace,
    /// [`evidence_key`] -> activity as the consensus library encodes it
    pub(super) evidence: Keyspace,
    /// [`node_key`] | ff | number -> rlp(node) before the block, or nothing
    pub(super) node_history: Keyspace,
    /// number -> the keys of the nodes it changed, a byte of length before each
    pub(super) node_changes: Keyspace,
    /// last block of an epoch -> the handover, as it was verified
    pub(super) handovers: Keyspace,
    /// what a state sync has still to do, see [`super::sync`]
    pub(super) sync: Keyspace,
}

impl Tables {
    pub(super) fn open(database: &Database) -> Result<Self, StoreError> {
        let with = |bytes| KeyspaceCreateOptions::default().max_memtable_size(bytes);
        // Files' filters and indexes have to stay at hand: as blocks of the cache, up to a megabyte each, they
        // push one another out, and every read of a large state then reads one again. They take some nine
        // bytes an account.
        let busy = |name: &str| {
            database.keyspace(name, || {
                with(BUSY_MEMTABLE_BYTES)
                    .index_block_pinning_policy(PinningPolicy::all(true))
                    .filter_block_pinning_policy(PinningPolicy::all(true))
            })
        };
        let quiet = |name: &str| database.keyspace(name, || with(QUIET_MEMTABLE_BYTES));
        Ok(Self {
            meta: quiet("meta")?,
            accounts: busy("accounts")?,
            storage: busy("storage")?,
            code: quiet("code")?,
            nodes: busy("nodes")?,
            headers: quiet("headers")?,
            blocks: busy("blocks")?,
            numbers: quiet("numbers")?,
            transactions: quiet("transactions")?,
            receipts: busy("receipts")?,
            senders: quiet("senders")?,
            certificates: quiet("certificates")?,
            account_history: quiet("account history")?,
            storage_history: quiet("storage history")?,
            changes: quiet("changes")?,
            evidence: quiet("evidence")?,
            node_history: quiet("node history")?,
            node_changes: quiet("node changes")?,
            handovers: quiet("handovers")?,
            sync: quiet("sync")?,
        })
    }

    /// All keyspaces by name.
    pub(super) const fn all(&self) -> [(&'static str, &Keyspace); 20] {
        [
            ("meta", &self.meta),
            ("accounts", &self.accounts),
            ("storage", &self.storage),
            ("code", &self.code),
            ("nodes", &self.nodes),
            ("headers", &self.headers),
            ("blocks", &self.blocks),
            ("numbers", &self.numbers),
            ("transactions", &self.transactions),
            ("receipts", &self.receipts),
            ("senders", &self.senders),
            ("certificates", &self.certificates),
            ("account_history", &self.account_history),
            ("storage_history", &self.storage_history),
            ("changes", &self.changes),
            ("evidence", &self.evidence),
            ("node_history", &self.node_history),
            ("node_changes", &self.node_changes),
            ("handovers", &self.handovers),
            ("sync", &self.sync),
        ]
    }

    /// A number in the meta keyspace.
    pub(super) fn meta_number(
        &self,
        snapshot: &Snapshot,
        name: &'static str,
    ) -> Result<Option<u64>, StoreError> {
        snapshot.get(&self.meta, name)?.map(|row| read_number(name, &row)).transpose()
    }
}

/// The key of a trie node.
pub(super) fn node_key(owner: Option<B256>, path: &Nibbles) -> Slice {
    // One byte a nibble: the order of rows is then the order of the trie, and a path's length
    // needs no place of its own.
    let mut key = [0; 1 + 32 + 64];
    let mut length = 0;
    let mut push = |byte| {
        if let Some(slot) = key.get_mut(length) {
            *slot = byte;
            length += 1;
        }
    };
    match owner {
        None => push(ACCOUNT_TRIE),
        Some(owner) => {
            push(STORAGE_TRIE);
            owner.iter().copied().for_each(&mut push);
        }
    }
    path.iter().for_each(&mut push);
    Slice::from(key.get(..length).unwrap_or_default())
}

/// What the keys of a storage trie's nodes begin with.
pub(super) fn storage_nodes_prefix(owner: B256) -> Slice {
    node_key(Some(owner), &Nibbles::new())
}

pub(super) fn account_key(address: Address) -> [u8; 32] {
    keccak256(address).0
}

/// The key of a word of an account.
pub(super) fn storage_key(account: &[u8; 32], slot: U256) -> [u8; 64] {
    join(account, &keccak256(slot.to_be_bytes::<32>()).0)
}

/// Reads what [`storage_key`] made.
pub(super) fn read_storage_key(key: &[u8]) -> Result<[u8; 64], StoreError> {
    key.try_into().map_err(|_| StoreError::damaged("storage key", "expected 64 bytes"))
}

/// Puts two halves of a key together; `N` is their length together.
pub(super) fn join<const A: usize, const B: usize, const N: usize>(
    first: &[u8; A],
    second: &[u8; B],
) -> [u8; N] {
    const { assert!(A + B == N, "a key is as long as its parts") };
    let mut key = [0; N];
    for (slot, byte) in key.iter_mut().zip(first.iter().chain(second)) {
        *slot = *byte;
    }
    key
}

pub(super) const fn number_key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// Epoch, signer, view, fault: a seat's evidence stands together.
pub(super) fn evidence_key(evidence: &Evidence) -> [u8; 21] {
    let mut key = [0; 21];
    let seat = evidence_seat(evidence.epoch, evidence.signer);
    let bytes = seat.into_iter().chain(evidence.view.to_be_bytes()).chain([evidence.fault.byte()]);
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    key
}

/// What the evidence of one seat begins with.
pub(super) fn evidence_seat(epoch: u64, signer: u32) -> [u8; 12] {
    let mut key = [0; 12];
    let bytes = epoch.to_be_bytes().into_iter().chain(signer.to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    key
}

pub(super) fn read_number(what: &'static str, row: &[u8]) -> Result<u64, StoreError> {
    row.try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::damaged(what, "expected 8 bytes"))
}

pub(super) fn read_hash(what: &'static str, row: &[u8]) -> Result<B256, StoreError> {
    B256::try_from(row).map_err(|_| StoreError::damaged(what, "expected 32 bytes"))
}
