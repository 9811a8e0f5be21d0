//! What accounts and words were before each recent block.
//!
//! Every block writes, for each key it changes, the old value under `key | number`. The value of a
//! key after block `n` is then the old value written by the first block after `n` that changed it,
//! or the present value if none did: one seek, however long ago `n` is. A row with the list of
//! keys lets the rows be found again when they leave the window.

use std::{collections::BTreeMap, ops::RangeInclusive};

use alloy_primitives::{Address, B256, U256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use fjall::{Guard, Keyspace, OwnedWriteBatch, Readable, Slice, Snapshot};
use sahara_evm::{Account, AccountDiff, StateDiff};

use super::{
    StoreError,
    tables::{Tables, account_key, join, number_key, read_storage_key, storage_key},
};
use crate::trie::{decode_word, encode_word};

/// The hashed keys a block changed.
#[derive(Default)]
pub(super) struct Changes {
    accounts: Vec<[u8; 32]>,
    words: Vec<[u8; 64]>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct OldAccount {
    nonce: u64,
    balance: U256,
    code_hash: B256,
}

impl Changes {
    /// The encoding: how many accounts, their keys, then the words' keys.
    fn encoded(&self) -> Vec<u8> {
        let count = u64::try_from(self.accounts.len()).unwrap_or(u64::MAX);
        let mut out = count.to_be_bytes().to_vec();
        self.accounts.iter().for_each(|key| out.extend_from_slice(key));
        self.words.iter().for_each(|key| out.extend_from_slice(key));
        out
    }

    fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let parse = || {
            let (count, rest) = row.split_first_chunk::<8>()?;
            let bytes = usize::try_from(u64::from_be_bytes(*count)).ok()?.checked_mul(32)?;
            let (accounts, words) = rest.split_at_checked(bytes)?;
            let (accounts, no_rest) = accounts.as_chunks::<32>();
            let (words, rest) = words.as_chunks::<64>();
            (no_rest.is_empty() && rest.is_empty())
                .then(|| Self { accounts: accounts.to_vec(), words: words.to_vec() })
        };
        parse().ok_or_else(|| StoreError::damaged("list of changes", "lengths do not add up"))
    }
}

/// Adds to a block's batch what the changed keys were before it.
pub(super) fn write(
    tables: &Tables,
    snapshot: &Snapshot,
    (number, diff): (u64, &StateDiff),
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    let number = number_key(number);
    for (address, change) in &diff.accounts {
        let key = account_key(*address);
        let old = change.before.map(encode_account).unwrap_or_default();
        batch.insert(&tables.account_history, join::<32, 8, 40>(&key, &number), old);
        changes.accounts.push(key);
        for (key, old) in old_words(tables, snapshot, &key, change)? {
            batch.insert(&tables.storage_history, join::<64, 8, 72>(&key, &number), old);
            changes.words.push(key);
        }
    }
    batch.insert(&tables.changes, number, changes.encoded());
    Ok(())
}

/// The words of an account that a block changed, as they were before it.
fn old_words(
    tables: &Tables,
    snapshot: &Snapshot,
    account: &[u8; 32],
    change: &AccountDiff,
) -> Result<BTreeMap<[u8; 64], Slice>, StoreError> {
    let named = change.storage.iter().map(|(slot, (before, _))| {
        let old = encode_word(*before).unwrap_or_default();
        (storage_key(account, *slot), Slice::from(&*old))
    });
    let mut words = named.collect::<BTreeMap<_, _>>();
    // A wiped account also loses words the diff does not name.
    if change.before.is_some() && (change.is_wiped || change.after.is_none()) {
        for row in snapshot.prefix(&tables.storage, account) {
            let (key, old) = row.into_inner()?;
            words.insert(read_storage_key(&key)?, old);
        }
    }
    Ok(words)
}

/// Removes the rows that blocks of a range wrote.
pub(super) fn prune(
    tables: &Tables,
    snapshot: &Snapshot,
    blocks: RangeInclusive<u64>,
    batch: &mut OwnedWriteBatch,
) -> Result<(), StoreError> {
    for number in blocks.map(number_key) {
        let Some(row) = snapshot.get(&tables.changes, number)? else { continue };
        let changes = Changes::decode(&row)?;
        for key in &changes.accounts {
            batch.remove(&tables.account_history, join::<32, 8, 40>(key, &number));
        }
        for key in &changes.words {
            batch.remove(&tables.storage_history, join::<64, 8, 72>(key, &number));
        }
        batch.remove(&tables.changes, number);
    }
    Ok(())
}

/// The account after block `number`, if a later one changed it.
#[expect(clippy::option_option, reason = "unchanged and absent are different answers")]
pub(super) fn account(
    tables: &Tables,
    snapshot: &Snapshot,
    address: Address,
    number: u64,
) -> Result<Option<Option<Account>>, StoreError> {
    let key = account_key(address);
    let Some(old) = first_after::<32, 40>(&tables.account_history, snapshot, &key, number)? else {
        return Ok(None);
    };
    if old.is_empty() {
        return Ok(Some(None));
    }
    let OldAccount { nonce, balance, code_hash } = OldAccount::decode(&mut &*old)
        .map_err(|error| StoreError::damaged("account history", error))?;
    Ok(Some(Some(Account { nonce, balance, code_hash })))
}

/// The word after block `number`, if a later one changed it.
pub(super) fn word(
    tables: &Tables,
    snapshot: &Snapshot,
    key: &[u8; 64],
    number: u64,
) -> Result<Option<U256>, StoreError> {
    let Some(old) = first_after::<64, 72>(&tables.storage_history, snapshot, key, number)? else {
        return Ok(None);
    };
    Ok(Some(if old.is_empty() { U256::ZERO } else { decode_word(&old)? }))
}

fn first_after<const K: usize, const N: usize>(
    keyspace: &Keyspace,
    snapshot: &Snapshot,
    key: &[u8; K],
    number: u64,
) -> Result<Option<Slice>, StoreError> {
    let from: [u8; N] = join(key, &number_key(number.saturating_add(1)));
    let to: [u8; N] = join(key, &number_key(u64::MAX));
    Ok(snapshot.range(keyspace, from..=to).next().map(Guard::value).transpose()?)
}

fn encode_account(account: Account) -> Vec<u8> {
    let Account { nonce, balance, code_hash } = account;
    alloy_rlp::encode(OldAccount { nonce, balance, code_hash })
}
