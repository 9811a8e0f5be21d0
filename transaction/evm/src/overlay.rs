//! The state inside a block: the parent's, with what the block changed so far on top.

use crate::state::{Account, AccountDiff, ParentState, StateDiff, StateError};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use revm::{
    bytecode::Bytecode,
    database_interface::{DBErrorMarker, Database, DatabaseRef},
    state::{Account as JournalAccount, AccountInfo, EvmState},
};
use std::collections::BTreeMap;

/// A failed read of the parent state, as revm wants its errors.
#[derive(Clone, Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct ReadError(#[from] pub(crate) StateError);

impl DBErrorMarker for ReadError {}

/// Parent state and changes. Every word read is kept, so the parent is asked once per block.
#[derive(Clone, Debug)]
pub(crate) struct Overlay<S> {
    parent: S,
    accounts: BTreeMap<Address, Entry>,
    code: BTreeMap<B256, Code>,
    block_hashes: BTreeMap<u64, B256>,
    /// Why the machine could not read the parent: protocols' failures leave it in words of its own.
    unread: Option<StateError>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    before: Option<Account>,
    now: Option<Account>,
    /// Words not in `storage` are zero, whatever the parent holds.
    is_fresh: bool,
    /// Words the account had before the block are gone.
    is_wiped: bool,
    storage: BTreeMap<U256, Word>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Word {
    before: U256,
    now: U256,
}

#[derive(Clone, Debug)]
struct Code {
    bytecode: Bytecode,
    is_new: bool,
}

impl<S: ParentState> Overlay<S> {
    pub(crate) const fn new(parent: S) -> Self {
        Self {
            parent,
            accounts: BTreeMap::new(),
            code: BTreeMap::new(),
            block_hashes: BTreeMap::new(),
            unread: None,
        }
    }

    /// Why the parent could not be read since this was asked last, if it could not.
    pub(crate) const fn take_unread(&mut self) -> Option<StateError> {
        self.unread.take()
    }

    fn noted<T>(&mut self, read: Result<T, StateError>) -> Result<T, StateError> {
        read.inspect_err(|error| self.unread = Some(error.clone()))
    }

    /// The account as it stands now.
    pub(crate) fn account(&mut self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.entry(address)?.now)
    }

    /// The word as it stands now.
    pub(crate) fn word(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        let is_fresh = {
            let entry = self.entry(address)?;
            if let Some(word) = entry.storage.get(&slot) {
                return Ok(word.now);
            }
            entry.is_fresh || entry.before.is_none()
        };
        let value = if is_fresh { U256::ZERO } else { self.parent.storage(address, slot)? };
        let word = Word { before: value, now: value };
        self.entry(address)?.storage.insert(slot, word);
        Ok(value)
    }

    /// Replaces an account, outside of any transaction.
    pub(crate) fn set_account(
        &mut self,
        address: Address,
        account: Account,
    ) -> Result<(), StateError> {
        self.entry(address)?.now = (!account.is_empty()).then_some(account);
        Ok(())
    }

    /// Replaces code, outside of any transaction. The account must name its hash.
    pub(crate) fn set_code(&mut self, code_hash: B256, code: Bytes) {
        self.code.insert(code_hash, Code { bytecode: Bytecode::new_raw(code), is_new: true });
    }

    /// Replaces a word, outside of any transaction.
    pub(crate) fn set_word(
        &mut self,
        address: Address,
        slot: U256,
        value: U256,
    ) -> Result<(), StateError> {
        self.word(address, slot)?;
        self.entry(address)?.storage.entry(slot).or_default().now = value;
        Ok(())
    }

    /// What `BLOCKHASH` answers for a block that is only simulated.
    pub(crate) fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// Forgets all storage of an account, outside of any transaction.
    pub(crate) fn clear_storage(&mut self, address: Address) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        entry.storage.clear();
        entry.is_fresh = true;
        Ok(())
    }

    /// Adds coin, outside of any transaction: old rules' rewards and withdrawals.
    pub(crate) fn credit(&mut self, address: Address, amount: U256) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        let mut account = entry.now.unwrap_or_default();
        account.balance = account.balance.saturating_add(amount);
        entry.now = Some(account);
        Ok(())
    }

    /// Takes over what a transaction left in the journal.
    pub(crate) fn commit(&mut self, state: EvmState) -> Result<(), StateError> {
        let sorted: BTreeMap<Address, JournalAccount> = state.into_iter().collect();
        for (address, account) in sorted {
            if account.is_touched() {
                self.commit_account(address, &account)?;
            }
        }
        Ok(())
    }

    /// Whether committing `changes` would leave everything as it is.
    pub(crate) fn is_same_after(&mut self, changes: &EvmState) -> Result<bool, StateError> {
        let touched: BTreeMap<&Address, &JournalAccount> =
            changes.iter().filter(|(_, account)| account.is_touched()).collect();
        for (address, account) in touched {
            let now = self.account(*address)?.unwrap_or_default();
            let is_same = !account.is_selfdestructed() && from_info(&account.info) == now;
            if !is_same || account.changed_storage_slots().next().is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn commit_account(
        &mut self,
        address: Address,
        account: &JournalAccount,
    ) -> Result<(), StateError> {
        if let Some(bytecode) = &account.info.code
            && account.info.code_hash != KECCAK256_EMPTY
        {
            self.remember_code(account.info.code_hash, bytecode, account.is_created());
        }
        let entry = self.entry(address)?;
        if account.is_selfdestructed() {
            entry.storage.clear();
            entry.is_fresh = true;
            entry.is_wiped = entry.before.is_some();
            entry.now = None;
            return Ok(());
        }
        if account.is_created() {
            entry.storage.clear();
            entry.is_fresh = true;
        } else if account.is_empty() {
            entry.storage.clear();
            entry.now = None;
            return Ok(());
        }
        entry.now = Some(from_info(&account.info));
        let changed: BTreeMap<U256, U256> = account
            .changed_storage_slots()
            .map(|(slot, word)| (*slot, word.present_value))
            .collect();
        for (slot, value) in changed {
            entry.storage.entry(slot).or_default().now = value;
        }
        Ok(())
    }

    fn remember_code(&mut self, code_hash: B256, bytecode: &Bytecode, is_created: bool) {
        let is_delegation = bytecode.is_eip7702();
        let code = self
            .code
            .entry(code_hash)
            .or_insert_with(|| Code { bytecode: bytecode.clone(), is_new: false });
        code.is_new |= is_created || is_delegation;
    }

    /// Everything that changed since the parent block.
    pub(crate) fn into_diff(self) -> StateDiff {
        let mut diff = StateDiff::default();
        for (address, entry) in self.accounts {
            let storage: BTreeMap<U256, (U256, U256)> = entry
                .storage
                .into_iter()
                .filter(|(_, word)| word.before != word.now)
                .map(|(slot, word)| (slot, (word.before, word.now)))
                .collect();
            let is_same = entry.before == entry.now && !entry.is_wiped && storage.is_empty();
            if !is_same {
                let (before, after, is_wiped) = (entry.before, entry.now, entry.is_wiped);
                diff.accounts.insert(address, AccountDiff { before, after, is_wiped, storage });
            }
        }
        let deployed = self.code.into_iter().filter(|(_, code)| code.is_new);
        diff.code = deployed.map(|(hash, code)| (hash, code.bytecode.original_bytes())).collect();
        diff
    }

    fn entry(&mut self, address: Address) -> Result<&mut Entry, StateError> {
        use std::collections::btree_map::Entry as Slot;
        match self.accounts.entry(address) {
            Slot::Occupied(found) => Ok(found.into_mut()),
            Slot::Vacant(empty) => {
                let before = self.parent.account(address)?;
                Ok(empty.insert(Entry { before, now: before, ..Entry::default() }))
            }
        }
    }
}

impl<S: ParentState> Database for Overlay<S> {
    type Error = ReadError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, ReadError> {
        let account = self.account(address);
        Ok(self.noted(account)?.map(to_info))
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, ReadError> {
        if let Some(code) = self.code.get(&code_hash) {
            return Ok(code.bytecode.clone());
        }
        let code = self.parent.code(code_hash).and_then(|code| decode(code_hash, code));
        let bytecode = self.noted(code)?;
        self.code.insert(code_hash, Code { bytecode: bytecode.clone(), is_new: false });
        Ok(bytecode)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, ReadError> {
        let word = self.word(address, slot);
        Ok(self.noted(word)?)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, ReadError> {
        if let Some(hash) = self.block_hashes.get(&number) {
            return Ok(*hash);
        }
        let hash = self.parent.block_hash(number);
        let hash = self.noted(hash)?;
        self.block_hashes.insert(number, hash);
        Ok(hash)
    }
}

/// The same without remembering: inspectors look at the state before their transaction.
impl<S: ParentState> DatabaseRef for Overlay<S> {
    type Error = ReadError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, ReadError> {
        let account = match self.accounts.get(&address) {
            Some(entry) => entry.now,
            None => self.parent.account(address)?,
        };
        Ok(account.map(to_info))
    }

    fn code_by_hash_ref(&self, code_hash: B256) -> Result<Bytecode, ReadError> {
        match self.code.get(&code_hash) {
            Some(code) => Ok(code.bytecode.clone()),
            None => Ok(decode(code_hash, self.parent.code(code_hash)?)?),
        }
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        match self.accounts.get(&address) {
            Some(entry) => match entry.storage.get(&slot) {
                Some(word) => Ok(word.now),
                None if entry.is_fresh => Ok(U256::ZERO),
                None => Ok(self.parent.storage(address, slot)?),
            },
            None => Ok(self.parent.storage(address, slot)?),
        }
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, ReadError> {
        Ok(self.parent.block_hash(number)?)
    }
}

fn decode(code_hash: B256, raw: Bytes) -> Result<Bytecode, StateError> {
    Bytecode::new_raw_checked(raw)
        .map_err(|error| StateError(format!("code {code_hash} is malformed: {error}")))
}

fn to_info(account: Account) -> AccountInfo {
    AccountInfo {
        balance: account.balance,
        nonce: account.nonce,
        code_hash: account.code_hash,
        code: None,
        ..AccountInfo::default()
    }
}

const fn from_info(info: &AccountInfo) -> Account {
    Account { nonce: info.nonce, balance: info.balance, code_hash: info.code_hash }
}
