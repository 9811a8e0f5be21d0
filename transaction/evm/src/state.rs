//! The state as a transition sees it: what it reads from its parent and what it leaves behind.
//!
//! Plain Ethereum types only, so that the node can store a [`StateDiff`] without knowing the
//! machine that produced it.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use std::collections::BTreeMap;

/// An account without its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Base units held.
    pub balance: U256,
    /// keccak256 of the code; [`KECCAK256_EMPTY`] without code.
    pub code_hash: B256,
}

impl Account {
    /// Whether EIP-161 removes the account from the trie: no nonce, no coin, no code.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK256_EMPTY
    }
}

impl Default for Account {
    fn default() -> Self {
        Self { nonce: 0, balance: U256::ZERO, code_hash: KECCAK256_EMPTY }
    }
}

/// Why the parent state could not be read: a broken disk, never an absent account.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the parent state could not be read: {0}")]
pub struct StateError(pub String);

/// The state after the parent block.
pub trait ParentState {
    /// The account, or `None` when the trie has none.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn account(&self, address: Address) -> Result<Option<Account>, StateError>;

    /// A storage word; zero when it was never written.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError>;

    /// The code with this hash.
    ///
    /// # Errors
    /// When the store cannot be read or has no such code.
    fn code(&self, code_hash: B256) -> Result<Bytes, StateError>;

    /// The hash of one of the last 256 blocks, zero for any other.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn block_hash(&self, number: u64) -> Result<B256, StateError>;
}

impl<S: ParentState + ?Sized> ParentState for &S {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        (**self).account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        (**self).storage(address, slot)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, StateError> {
        (**self).code(code_hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        (**self).block_hash(number)
    }
}

/// What a block did to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountDiff {
    /// The account before the block; `None` when there was none.
    pub before: Option<Account>,
    /// The account after the block; `None` when it was removed.
    pub after: Option<Account>,
    /// Whether every storage word the account had before the block is gone. The words in
    /// [`Self::storage`] were written after that.
    pub is_wiped: bool,
    /// Changed words, `slot -> (before, after)`; zero means absent.
    pub storage: BTreeMap<U256, (U256, U256)>,
}

/// Everything a block changed, in key order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateDiff {
    /// Changed accounts.
    pub accounts: BTreeMap<Address, AccountDiff>,
    /// Code deployed by the block, by hash.
    pub code: BTreeMap<B256, Bytes>,
}
