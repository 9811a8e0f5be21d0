//! Counting the whole state again, trusting no sum kept on the way.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{HashBuilder, Nibbles};
use fjall::{Readable, Snapshot};

use super::{
    Head, Store, StoreError,
    state::decode_account_row,
    tables::{Tables, read_hash},
};
use crate::trie::AccountRecord;

/// What [`Store::recount`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recount {
    /// The block counted after.
    pub head: Head,
    /// The sum of all balances.
    pub total: U256,
    /// How many accounts there are.
    pub accounts: u64,
    /// How many storage words there are.
    pub words: u64,
    /// The state root, built from the flat rows with another trie than the one that is updated
    /// block by block. Equal to the header's, or the state is damaged.
    pub root: B256,
}

impl Store {
    /// Walks every account and word of the head's state: sums the balances and builds the state
    /// root from nothing. Memory does not grow with the state.
    ///
    /// # Errors
    /// When the store cannot be read, the balances pass 256 bits, or an address or code is not what
    /// its hash says: the root would not tell.
    pub fn recount(&self) -> Result<Recount, StoreError> {
        let state = self.head_state();
        let count = count(&state.inner.tables, &state.view.snapshot)?;
        let Count { total, accounts, words, root } = count;
        let head = state.view.head.as_ref().clone();
        Ok(Recount { head, total, accounts, words, root })
    }

    /// Every account of the head's state, in the order of hashed addresses.
    pub fn accounts(
        &self,
    ) -> impl Iterator<Item = Result<(Address, AccountRecord), StoreError>> + use<> {
        let state = self.head_state();
        let rows = state.view.snapshot.iter(&state.inner.tables.accounts);
        rows.map(|row| decode_account_row(&row.value()?))
    }
}

/// What the flat rows add up to.
pub(super) struct Count {
    pub(super) total: U256,
    pub(super) accounts: u64,
    pub(super) words: u64,
    pub(super) root: B256,
}

/// Walks the flat rows, and all code.
pub(super) fn count(tables: &Tables, snapshot: &Snapshot) -> Result<Count, StoreError> {
    check_code(tables, snapshot)?;
    let mut builder = HashBuilder::default();
    let (mut total, mut accounts, mut words) = (U256::ZERO, 0_u64, 0_u64);
    for row in snapshot.iter(&tables.accounts) {
        let (key, row) = row.into_inner()?;
        let (address, mut record) = decode_account_row(&row)?;
        if keccak256(address).as_slice() != &*key {
            return Err(StoreError::damaged(
                "account",
                format!("{address} is not where it belongs"),
            ));
        }
        total = total
            .checked_add(record.account.balance)
            .ok_or_else(|| StoreError::damaged("balance", "the sum passes 256 bits"))?;
        accounts = accounts.saturating_add(1);
        let code = record.account.code_hash;
        if code != KECCAK256_EMPTY && !snapshot.contains_key(&tables.code, code)? {
            return Err(StoreError::damaged("code", format!("{code} is missing")));
        }
        let count;
        (record.storage_root, count) = storage_root(tables, snapshot, &key)?;
        words = words.saturating_add(count);
        builder.add_leaf(hashed(&key, "account key")?, &record.encoded());
    }
    Ok(Count { total, accounts, words, root: builder.root() })
}

/// No account's leaf changes with the bytes of its code.
fn check_code(tables: &Tables, snapshot: &Snapshot) -> Result<(), StoreError> {
    for row in snapshot.iter(&tables.code) {
        let (hash, code) = row.into_inner()?;
        let hash = read_hash("code", &hash)?;
        if keccak256(&code) != hash {
            return Err(StoreError::damaged("code", format!("{hash} is the hash of other code")));
        }
    }
    Ok(())
}

fn storage_root(
    tables: &Tables,
    snapshot: &Snapshot,
    account: &[u8],
) -> Result<(B256, u64), StoreError> {
    let (mut builder, mut count) = (HashBuilder::default(), 0_u64);
    for row in snapshot.prefix(&tables.storage, account) {
        let (key, word) = row.into_inner()?;
        builder.add_leaf(hashed(key.get(32..).unwrap_or_default(), "storage key")?, &word);
        count = count.saturating_add(1);
    }
    Ok((builder.root(), count))
}

fn hashed(key: &[u8], what: &'static str) -> Result<Nibbles, StoreError> {
    let key = B256::try_from(key).map_err(|_| StoreError::damaged(what, "expected 32 bytes"))?;
    Ok(Nibbles::unpack(key))
}
