//! Inclusion and exclusion proofs, as `eth_getProof` gives them.

use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use bytes::Bytes;

use super::{
    NodeSource, TrieError,
    node::{Link, Reference},
};

/// The nodes from the root towards a key, and what stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// Encodings, the root's first; nodes inside their parent are not repeated.
    pub nodes: Vec<Bytes>,
    /// The value; `None` when the nodes prove that the key is absent.
    pub value: Option<Bytes>,
}

/// Proves what the trie with this root holds under `key`.
///
/// # Errors
/// When a node on the way cannot be read.
pub fn prove(
    source: &impl NodeSource,
    owner: Option<B256>,
    root: B256,
    key: &Nibbles,
) -> Result<Proof, TrieError> {
    let mut proof = Proof::default();
    if root == EMPTY_ROOT_HASH {
        return Ok(proof);
    }
    let mut reference = Reference::Hash(root);
    let mut depth = 0;
    loop {
        let encoding = match &reference {
            Reference::Hash(hash) => {
                let encoding = source.node(owner, &key.slice(..depth), *hash)?;
                proof.nodes.push(encoding.clone());
                encoding
            }
            Reference::Inline(inline) => Bytes::copy_from_slice(inline.as_slice()),
        };
        let rest = key.slice(depth..);
        let child = match Link::decode(&encoding, reference)? {
            Link::Leaf(leaf) => {
                proof.value = (leaf.path == rest).then_some(leaf.value);
                return Ok(proof);
            }
            Link::Extension(extension) if rest.starts_with(&extension.path) => {
                depth += extension.path.len();
                extension.child
            }
            Link::Branch(mut branch) => {
                let Some(nibble) = rest.first() else {
                    proof.value = branch.value;
                    return Ok(proof);
                };
                depth += 1;
                branch.children.get_mut(usize::from(nibble)).map(std::mem::take).unwrap_or_default()
            }
            Link::Extension(_) | Link::Empty | Link::Stored(_) => return Ok(proof),
        };
        let Some(next) = child.unchanged() else { return Ok(proof) };
        reference = next;
    }
}
