//! The Ethereum Merkle-Patricia trie over stored nodes: roots, updates, proofs.
//!
//! # Model
//! A node is stored under its *path*, the nibbles of the keys below it, not under its hash. A
//! changed node overwrites its old version, so nothing has to be collected later. A row is the
//! node's RLP with the hashes of its children inside, so hashing a changed path reads nothing
//! beside it. Nodes shorter than a hash live in their parent and have no row.
//!
//! Every reader knows the hash of the node it wants, from the parent or from the header, and a
//! [`NodeSource`] hands out only what has that hash. Caches are keyed by hash and so never stale;
//! a damaged row, or one from another block, is an error and never a wrong root.
//!
//! A block's changes are one [`TrieUpdate`]; updates of unfinalised blocks are layered over the
//! store and written when their block is final.
//!
//! # Invariants
//! `specs/0002-state.md` numbers them.
//!
//! # Format
//! ```text
//! account trie   00 | nibbles...                        -> rlp(node)
//! storage trie   01 | keccak(address) 32 | nibbles...   -> rlp(node)
//! account leaf   rlp([nonce, balance, storage root, code hash])
//! storage leaf   rlp(word)
//! ```

mod cache;
mod edit;
mod node;
mod proof;
mod run;
mod seal;
mod state;
mod update;

pub use cache::NodeCache;
pub use proof::{Proof, prove};
pub use run::{Opened, RunError, Stub, keys_of, open};
pub use state::{AccountRecord, StateReader, genesis_update, state_update};
pub(crate) use state::{decode_word, encode_word};
pub use update::{
    KeyedUpdate, NoNodes, NodeSource, Row, Rows, StorageUpdate, TrieUpdate, keyed_update,
};

use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// Why a trie could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// A node that its parent names is not there.
    #[error("trie node {place} is missing, expected hash {expected}")]
    Missing {
        /// Where it should stand.
        place: Box<NodePlace>,
        /// What its parent says it hashes to.
        expected: B256,
    },
    /// A stored node is not what its parent says.
    #[error("trie node {place} is damaged, expected hash {expected}, got {found}")]
    Damaged {
        /// Where it stands.
        place: Box<NodePlace>,
        /// What its parent says it hashes to.
        expected: B256,
        /// What it hashes to.
        found: B256,
    },
    /// A node is not encoded as the Yellow Paper says.
    #[error("malformed trie node: {0}")]
    Malformed(&'static str),
    /// The store below could not be read.
    #[error("the store could not be read: {0}")]
    Storage(String),
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// The account whose storage trie is meant, hashed; `None` for the account trie.
    pub owner: Option<B256>,
    /// The nibbles of the keys below it.
    pub path: Nibbles,
}

impl TrieError {
    /// The error for a node that is not there.
    #[must_use]
    pub fn missing(owner: Option<B256>, path: &Nibbles, expected: B256) -> Self {
        Self::Missing { place: Box::new(NodePlace { owner, path: *path }), expected }
    }
}

impl std::fmt::Display for NodePlace {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.owner {
            None => write!(formatter, "{:?} of the account trie", self.path),
            Some(owner) => write!(formatter, "{:?} of the storage trie {owner}", self.path),
        }
    }
}
