//! The finalised state, now and in the past.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use fjall::Readable;
use sahara_evm::{Account, ParentState, StateError};

use super::{
    StoreError,
    handle::{Inner, View},
    history,
    tables::{account_key, node_key, number_key, read_hash, storage_key},
};
use crate::trie::{
    self, AccountRecord, NodePlace, NodeSource, StateReader, TrieError, decode_word,
};

/// How many blocks back a contract can ask for a hash.
pub(super) const BLOCK_HASHES: u64 = 256;

/// The state after one finalised block. A snapshot: blocks committed later do not show.
#[derive(Clone, Debug)]
pub struct StateView {
    pub(super) head: HeadState,
    number: u64,
}

/// The state after the block that was the head when the view was taken.
#[derive(Clone, Debug)]
pub(super) struct HeadState {
    pub(super) inner: Arc<Inner>,
    pub(super) view: Arc<View>,
}

/// An account's proof, in the shape of `eth_getProof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountProof {
    /// The block whose state root the proof is against.
    pub number: u64,
    /// That state root.
    pub state_root: B256,
    /// The account asked for.
    pub address: Address,
    /// The account, empty when absent.
    pub account: Account,
    /// The root of its storage trie.
    pub storage_root: B256,
    /// The account trie's nodes, the root's first.
    pub nodes: Vec<Bytes>,
    /// One proof per slot asked for.
    pub storage: Vec<StorageProof>,
}

/// A storage word's proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageProof {
    /// The slot asked for.
    pub slot: U256,
    /// Its word.
    pub value: U256,
    /// The storage trie's nodes, the root's first.
    pub nodes: Vec<Bytes>,
}

impl StateView {
    pub(super) const fn new(head: HeadState, number: u64) -> Self {
        Self { head, number }
    }

    /// The block this is the state after.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    fn is_past(&self) -> bool {
        self.number != self.head.view.head.number
    }

    fn find_account(&self, address: Address) -> Result<Option<Account>, StoreError> {
        let HeadState { inner, view } = &self.head;
        if self.is_past()
            && let Some(past) =
                history::account(&inner.tables, &view.snapshot, address, self.number)?
        {
            return Ok(past);
        }
        Ok(self.head.find_record(address)?.map(|record| record.account))
    }

    fn find_word(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        let HeadState { inner, view } = &self.head;
        let key = || storage_key(&account_key(address), slot);
        if self.is_past()
            && let Some(past) = history::word(&inner.tables, &view.snapshot, &key(), self.number)?
        {
            return Ok(past);
        }
        inner.flat.word(view.head.number, (address, slot), || {
            let row = view.snapshot.get(&inner.tables.storage, key())?;
            row.map_or(Ok(U256::ZERO), |row| Ok(decode_word(&row)?))
        })
    }

    fn find_code(&self, hash: B256) -> Result<Bytes, StoreError> {
        if hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let HeadState { inner, view } = &self.head;
        let code = view.snapshot.get(&inner.tables.code, hash)?;
        let code = code.ok_or_else(|| StoreError::damaged("code", format!("{hash} is missing")))?;
        Ok(Bytes::copy_from_slice(&code))
    }

    fn find_block_hash(&self, number: u64) -> Result<B256, StoreError> {
        if number > self.number || self.number - number >= BLOCK_HASHES {
            return Ok(B256::ZERO);
        }
        let HeadState { inner, view } = &self.head;
        let row = view.snapshot.get(&inner.tables.headers, number_key(number))?;
        let row = row.ok_or_else(|| StoreError::damaged("header", format!("{number} is missing")));
        read_hash("header", row?.get(..32).unwrap_or_default())
    }
}

impl ParentState for StateView {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.find_account(address)?)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self.find_word(address, slot)?)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, StateError> {
        Ok(self.find_code(code_hash)?)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        Ok(self.find_block_hash(number)?)
    }
}

impl HeadState {
    fn find_record(&self, address: Address) -> Result<Option<AccountRecord>, StoreError> {
        self.inner.flat.account(self.view.head.number, address, || {
            let row = self.view.snapshot.get(&self.inner.tables.accounts, account_key(address))?;
            row.map(|row| Ok(decode_account_row(&row)?.1)).transpose()
        })
    }

    fn read_node(
        &self,
        owner: Option<B256>,
        path: &Nibbles,
        hash: B256,
    ) -> Result<bytes::Bytes, StoreError> {
        let missing = TrieError::missing(owner, path, hash);
        let key = node_key(owner, path);
        let row = self.view.snapshot.get(&self.inner.tables.nodes, key)?.ok_or(missing)?;
        self.inner.keep_node((owner, path), hash, &row)
    }
}

impl Inner {
    /// Checks a row and keeps it in memory.
    pub(super) fn keep_node(
        &self,
        (owner, path): (Option<B256>, &Nibbles),
        hash: B256,
        row: &[u8],
    ) -> Result<bytes::Bytes, StoreError> {
        let found = keccak256(row);
        if found != hash {
            let place = Box::new(NodePlace { owner, path: *path });
            return Err(TrieError::Damaged { place, expected: hash, found }.into());
        }
        Ok(self.nodes.keep(hash, row))
    }
}

/// Proves an account and words of it against the state root of a block.
pub(super) fn prove(
    trie: &impl NodeSource,
    (number, state_root): (u64, B256),
    address: Address,
    slots: &[U256],
) -> Result<AccountProof, StoreError> {
    let key = keccak256(address);
    let account_proof = trie::prove(trie, None, state_root, &Nibbles::unpack(key))?;
    let record = match &account_proof.value {
        Some(leaf) => AccountRecord::decode(leaf)?,
        None => AccountRecord { account: Account::default(), storage_root: EMPTY_ROOT_HASH },
    };
    let storage = slots.iter().map(|slot| {
        let path = Nibbles::unpack(keccak256(slot.to_be_bytes::<32>()));
        let proof = trie::prove(trie, Some(key), record.storage_root, &path)?;
        let value = proof.value.as_deref().map(decode_word).transpose()?.unwrap_or_default();
        Ok(StorageProof { slot: *slot, value, nodes: to_alloy(proof.nodes) })
    });
    Ok(AccountProof {
        number,
        state_root,
        address,
        account: record.account,
        storage_root: record.storage_root,
        storage: storage.collect::<Result<_, StoreError>>()?,
        nodes: to_alloy(account_proof.nodes),
    })
}

impl NodeSource for HeadState {
    fn node(
        &self,
        owner: Option<B256>,
        path: &Nibbles,
        hash: B256,
    ) -> Result<bytes::Bytes, TrieError> {
        match self.inner.nodes.find(&hash) {
            Some(encoding) => Ok(encoding),
            None => Ok(self.read_node(owner, path, hash)?),
        }
    }
}

impl StateReader for HeadState {
    fn state_root(&self) -> B256 {
        self.view.head.header.state_root
    }

    fn record(&self, address: Address) -> Result<Option<AccountRecord>, TrieError> {
        Ok(self.find_record(address)?)
    }
}

/// A row of the flat accounts: address and leaf.
pub(super) fn encode_account_row(address: Address, record: &AccountRecord) -> Vec<u8> {
    let mut row = address.to_vec();
    row.extend_from_slice(&record.encoded());
    row
}

/// Reads what [`encode_account_row`] wrote.
pub(super) fn decode_account_row(row: &[u8]) -> Result<(Address, AccountRecord), StoreError> {
    let Some((address, leaf)) = row.split_first_chunk::<20>() else {
        return Err(StoreError::damaged("account", "shorter than an address"));
    };
    Ok((Address::from(address), AccountRecord::decode(leaf)?))
}

fn to_alloy(nodes: Vec<bytes::Bytes>) -> Vec<Bytes> {
    nodes.into_iter().map(Bytes::from).collect()
}
