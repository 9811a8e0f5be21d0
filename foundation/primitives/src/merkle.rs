//! A binary Merkle tree over leaf hashes, with the index and the number of leaves in every check.
//!
//! Leaves and inner nodes have domains of their own, the root commits to the number of leaves, a
//! level of odd length carries its last node up unchanged, and a proof must be consumed wholly.

use crate::domain_hash;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

const LEAF: &str = "sahara/merkle/leaf/1";
const NODE: &str = "sahara/merkle/node/1";
const ROOT: &str = "sahara/merkle/root/1";

/// Why a leaf is in the tree: its place and the siblings from the bottom up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerkleProof {
    /// Place of the leaf, from 0.
    pub index: u64,
    /// Number of leaves of the tree.
    pub leaves: u64,
    /// Siblings, bottom first; levels without a sibling have none.
    pub siblings: Vec<B256>,
}

fn leaf(hash: &B256) -> B256 {
    domain_hash(LEAF, &[hash.as_slice()])
}

fn node(left: &B256, right: &B256) -> B256 {
    domain_hash(NODE, &[left.as_slice(), right.as_slice()])
}

fn seal(top: &B256, leaves: u64) -> B256 {
    domain_hash(ROOT, &[&leaves.to_be_bytes(), top.as_slice()])
}

fn parents(level: &[B256]) -> Vec<B256> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            [single, ..] => *single,
            [] => B256::ZERO,
        })
        .collect()
}

/// The root over leaf hashes in order; of no leaves it is the root over nothing, never zero.
pub fn root(leaves: &[B256]) -> B256 {
    let mut level: Vec<B256> = leaves.iter().map(leaf).collect();
    while level.len() > 1 {
        level = parents(&level);
    }
    seal(
        &level.first().copied().unwrap_or_default(),
        u64::try_from(leaves.len()).unwrap_or(u64::MAX),
    )
}

/// The proof for the leaf at `index`, or `None` beyond the last.
pub fn prove(leaves: &[B256], index: usize) -> Option<MerkleProof> {
    leaves.get(index)?;
    let mut level: Vec<B256> = leaves.iter().map(leaf).collect();
    let (mut place, mut siblings) = (index, Vec::new());
    while level.len() > 1 {
        siblings.extend(level.get(place ^ 1).copied());
        level = parents(&level);
        place >>= 1;
    }
    Some(MerkleProof {
        index: u64::try_from(index).ok()?,
        leaves: u64::try_from(leaves.len()).ok()?,
        siblings,
    })
}

impl MerkleProof {
    /// Whether `hash` is the leaf at [`Self::index`] of the tree with this root.
    pub fn verify(&self, root: B256, hash: B256) -> bool {
        if self.index >= self.leaves {
            return false;
        }
        let (mut place, mut width, mut top) = (self.index, self.leaves, leaf(&hash));
        let mut siblings = self.siblings.iter();
        while width > 1 {
            if place ^ 1 < width {
                let Some(sibling) = siblings.next() else { return false };
                top = if place & 1 == 0 { node(&top, sibling) } else { node(sibling, &top) };
            }
            place >>= 1;
            width = width.div_ceil(2);
        }
        siblings.next().is_none() && seal(&top, self.leaves) == root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<B256> {
        (0..count).map(|i| domain_hash("test", &[&i.to_be_bytes()])).collect()
    }

    proptest! {
        #[test]
        fn every_leaf_is_proven_at_its_place_and_nowhere_else(count in 1u64..70, seed in any::<u64>()) {
            let leaves = leaves(count);
            let root = root(&leaves);
            let index = usize::try_from(seed % count).unwrap();
            let proof = prove(&leaves, index).unwrap();
            prop_assert!(proof.verify(root, leaves[index]));
            for wrong in 0..count + 2 {
                let moved = MerkleProof { index: wrong, ..proof.clone() };
                prop_assert_eq!(moved.verify(root, leaves[index]), wrong == proof.index);
            }
            let mut longer = proof.clone();
            longer.siblings.push(B256::ZERO);
            prop_assert!(!longer.verify(root, leaves[index]));
            let wider = MerkleProof { leaves: count + 1, ..proof };
            prop_assert!(!wider.verify(root, leaves[index]));
        }
    }
}
