//! Part of a trie as a stranger sends it: nodes in the order of their rows, each held against the
//! hash that its parent names.
//!
//! Rows stand in the order of the trie: a node before what is below it, children from left to
//! right. So a *run*, the rows from some node on, can be read from disk in one go, and whoever knows
//! the first node's hash can check every one of them, however early the run ends: what is left is
//! named by hash again.

use alloy_primitives::{B256, keccak256};
use alloy_trie::Nibbles;
use bytes::Bytes;

use super::{
    TrieError,
    node::{Link, Reference},
};

/// The nibbles of a key.
const KEY_NIBBLES: usize = 64;

/// A subtrie that is known by its hash and not here yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// The nibbles of the keys below it.
    pub path: Nibbles,
    /// What its first node hashes to.
    pub hash: B256,
}

/// What a run brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The nodes, by path.
    pub nodes: Vec<(Nibbles, Bytes)>,
    /// Whole keys and what stands under them, from left to right.
    pub leaves: Vec<(B256, Bytes)>,
    /// What is below and was not sent, from left to right.
    pub rest: Vec<Stub>,
}

/// Why nodes are not a run of the trie they are said to be of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// Without a node nothing is proven.
    #[error("a run has at least one node")]
    Empty,
    /// Another node than the one named.
    #[error("the node at {path:?} hashes to {found}, expected {expected}")]
    Other {
        /// Where it should stand.
        path: Nibbles,
        /// What its parent says.
        expected: B256,
        /// What it hashes to.
        found: B256,
    },
    /// More nodes than there are below.
    #[error("nodes follow upon the end of the subtrie")]
    Endless,
    /// Not a node, or no node of a trie of hashed keys.
    #[error(transparent)]
    Trie(#[from] TrieError),
}

/// Opens `stub` with the nodes of a run: the first is its own, each further one that of the leftmost
/// subtrie that was named and is not open yet.
///
/// # Errors
/// When a node is not the one named, or there are none, or too many.
pub fn open(stub: Stub, run: impl IntoIterator<Item = Bytes>) -> Result<Opened, RunError> {
    let mut opened = Opened::default();
    // The leftmost last.
    let mut waiting = vec![stub];
    for node in run {
        let Stub { path, hash } = waiting.pop().ok_or(RunError::Endless)?;
        let found = keccak256(&node);
        if found != hash {
            return Err(RunError::Other { path, expected: hash, found });
        }
        let mut below = Vec::new();
        expand(&path, &node, &mut opened.leaves, &mut below)?;
        waiting.extend(below.into_iter().rev());
        opened.nodes.push((path, node));
    }
    if opened.nodes.is_empty() {
        return Err(RunError::Empty);
    }
    waiting.reverse();
    opened.rest = waiting;
    Ok(opened)
}

/// The keys that end in the node at `path`, those inside of it included.
///
/// # Errors
/// When it is no node.
pub fn keys_of(path: &Nibbles, node: &Bytes) -> Result<Vec<B256>, TrieError> {
    let (mut leaves, mut below) = (Vec::new(), Vec::new());
    expand(path, node, &mut leaves, &mut below)?;
    Ok(leaves.into_iter().map(|(key, _)| key).collect())
}

/// Divides a node into what ends in it and what is below.
fn expand(
    path: &Nibbles,
    node: &Bytes,
    leaves: &mut Vec<(B256, Bytes)>,
    below: &mut Vec<Stub>,
) -> Result<(), TrieError> {
    // The reference only matters to who changes the trie.
    match Link::decode(node, Reference::Hash(B256::ZERO))? {
        Link::Leaf(leaf) => {
            leaves.push((whole_key(path, &leaf.path)?, leaf.value));
            Ok(())
        }
        Link::Extension(extension) => {
            if path.len() + extension.path.len() >= KEY_NIBBLES {
                return Err(TrieError::Malformed("an extension longer than a key"));
            }
            let child = extension.child.unchanged();
            let child = child.ok_or(TrieError::Malformed("an extension leads nowhere"))?;
            descend(path.join(&extension.path), &child, leaves, below)
        }
        Link::Branch(branch) => {
            if branch.value.is_some() || path.len() >= KEY_NIBBLES {
                return Err(TrieError::Malformed("a branch where a key ends"));
            }
            for (nibble, child) in (0_u8..).zip(&branch.children) {
                if let Some(child) = child.unchanged() {
                    let mut place = *path;
                    place.push(nibble);
                    descend(place, &child, leaves, below)?;
                }
            }
            Ok(())
        }
        Link::Empty | Link::Stored(_) => Err(TrieError::Malformed("not a node")),
    }
}

fn descend(
    path: Nibbles,
    child: &Reference,
    leaves: &mut Vec<(B256, Bytes)>,
    below: &mut Vec<Stub>,
) -> Result<(), TrieError> {
    match child {
        Reference::Hash(hash) => {
            below.push(Stub { path, hash: *hash });
            Ok(())
        }
        // Each is shorter than the one around it.
        Reference::Inline(inline) => {
            expand(&path, &Bytes::copy_from_slice(inline.as_slice()), leaves, below)
        }
    }
}

fn whole_key(path: &Nibbles, rest: &Nibbles) -> Result<B256, TrieError> {
    if path.len() + rest.len() != KEY_NIBBLES {
        return Err(TrieError::Malformed("a key that is not 32 bytes"));
    }
    let mut key = B256::ZERO;
    path.join(rest).pack_to(key.as_mut_slice());
    Ok(key)
}
