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
mod seal;
mod state;
mod update;

pub use cache::NodeCache;
pub use proof::{Proof, prove};
pub(crate) use state::{decode_word, encode_word};
pub use state::{AccountRecord, StateReader, genesis_update, state_update};
pub use update::{KeyedUpdate, NodeSource, NoNodes, Row, Rows, StorageUpdate, TrieUpdate, keyed_update};

use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// Why a trie could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// A node that its parent names is not there.
    #[error("trie node {path:?} of {} is missing, expected hash {hash}", trie_name(.owner))]
    Missing {
        /// The account whose storage it is, hashed; `None` for the account trie.
        owner: Option<B256>,
        /// Where the node should stand.
        path: Nibbles,
        /// What its parent says it hashes to.
        hash: B256,
    },
    /// A stored node is not what its parent says.
    #[error("trie node {path:?} of {} is damaged, expected hash {expected}, got {found}", trie_name(.owner))]
    Damaged {
        /// The account whose storage it is, hashed; `None` for the account trie.
        owner: Option<B256>,
        /// Where the node stands.
        path: Nibbles,
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

fn trie_name(owner: &Option<B256>) -> String {
    owner.map_or_else(|| "the account trie".into(), |owner| format!("the storage trie {owner}"))
}
