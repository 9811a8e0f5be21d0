//! Why the store refuses or fails.

use std::path::PathBuf;

use alloy_primitives::B256;
use sahara_evm::StateError;

use crate::trie::TrieError;

/// Why the store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process, or another store of this one, has the directory open.
    #[error("{0} is in use by another process, expected to be its only user")]
    InUse(PathBuf),
    /// The directory belongs to another chain.
    #[error("the data directory holds chain id {found}, expected {expected}")]
    WrongChain {
        /// The chain id asked for.
        expected: u64,
        /// The chain id stored.
        found: u64,
    },
    /// The directory began with another block 0.
    #[error("the data directory holds genesis {found}, expected {expected}")]
    WrongGenesis {
        /// The genesis hash asked for.
        expected: B256,
        /// The genesis hash stored.
        found: B256,
    },
    /// The directory was written by a later version.
    #[error("the data directory has format {found}, expected at most {supported}")]
    NewerFormat {
        /// The newest format this program reads.
        supported: u64,
        /// The format stored.
        found: u64,
    },
    /// A state sync was begun here and is not done.
    #[error(
        "a state sync is under way in the data directory, expected it to be ended with `--sync state`"
    )]
    Syncing,
    /// A block from before the first that is kept.
    #[error("block {number} is not kept here, the first is {first}")]
    OldBlock {
        /// The block asked for.
        number: u64,
        /// The first block kept.
        first: u64,
    },
    /// A block of the past that is still to be fetched.
    #[error(
        "block {number} is not here yet: older blocks are being fetched, and are here from {first} on"
    )]
    NotYet {
        /// The block asked for.
        number: u64,
        /// The first block that is here.
        first: u64,
    },
    /// A trie from before the oldest that is kept.
    #[error(
        "the state trie of block {number} is not kept here, the oldest is that of block {oldest}"
    )]
    OldTrie {
        /// The block asked for.
        number: u64,
        /// The oldest that can be proven against.
        oldest: u64,
    },
    /// A block was left out.
    #[error("expected block {expected} to be committed next, got {got}")]
    Gap {
        /// The number after the head.
        expected: u64,
        /// The number given.
        got: u64,
    },
    /// The block builds on another one than the head.
    #[error("block {number} builds on {got}, expected its parent to be the head {expected}")]
    WrongParent {
        /// The block's number.
        number: u64,
        /// The head's hash.
        expected: B256,
        /// The parent hash in its header.
        got: B256,
    },
    /// Another block is final at this number.
    #[error("block {number} is final as {expected}, got {got}")]
    AlreadyFinal {
        /// The number.
        number: u64,
        /// The hash committed earlier.
        expected: B256,
        /// The hash given now.
        got: B256,
    },
    /// The state does not have the root in the header.
    #[error("block {number} has state root {expected} in its header, its state has {got}")]
    WrongStateRoot {
        /// The block's number.
        number: u64,
        /// The header's root.
        expected: B256,
        /// The root computed.
        got: B256,
    },
    /// Receipts or senders do not match the transactions one to one.
    #[error("block {number} has {transactions} transactions, expected as many {what}, got {got}")]
    WrongCount {
        /// The block's number.
        number: u64,
        /// How many transactions it has.
        transactions: usize,
        /// What there should be as many of.
        what: &'static str,
        /// How many there are.
        got: usize,
    },
    /// A block that is neither pending nor the head.
    #[error("block {0} is neither pending nor the head, expected its parent to be executed first")]
    UnknownBlock(B256),
    /// Unfinalised blocks take more memory than they may.
    #[error("unfinalised blocks hold {held} bytes, expected at most {limit}")]
    TooManyPending {
        /// The bound.
        limit: usize,
        /// What they would hold.
        held: usize,
    },
    /// A log query matches too much.
    #[error("more than {0} logs match, expected a narrower range or filter")]
    TooManyLogs(usize),
    /// What matches a log query says too much.
    #[error("the logs that match hold more than {0} bytes, expected a narrower range or filter")]
    LogsTooLarge(usize),
    /// A log query takes too long.
    #[error("the search for logs took longer than {0:?}, expected a narrower range or filter")]
    LogsTooLate(std::time::Duration),
    /// A row is not what was written.
    #[error("the stored {what} is damaged: {reason}")]
    Damaged {
        /// Which row.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The state trie could not be read.
    #[error(transparent)]
    Trie(#[from] TrieError),
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] fjall::Error),
    /// The directory could not be made.
    #[error("the data directory could not be made: {0}")]
    Directory(#[from] std::io::Error),
}

impl StoreError {
    #[expect(clippy::needless_pass_by_value, reason = "callers pass errors and text as they come")]
    pub(super) fn damaged(what: &'static str, reason: impl ToString) -> Self {
        Self::Damaged { what, reason: reason.to_string() }
    }
}

impl From<StoreError> for StateError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<StoreError> for TrieError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Trie(error) => error,
            other => Self::Storage(other.to_string()),
        }
    }
}
