//! A Merkle-sum tree over contributions: one root says who contributed and how much there is in all.
//!
//! A node is a hash and the sum below it, and a parent's hash covers both children's hashes and sums.
//! Whoever verifies a leaf adds up the way to the top, so all leaves that can ever be shown together
//! have at most the declared total: an over-allocated tree has leaves that nobody can prove. Leaves,
//! nodes and the root have domains of their own, the root commits to the number of leaves and to the
//! total, a level of odd length carries its last node up unchanged, and a proof must be consumed wholly.

use crate::domain_hash;
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

const LEAF: &str = "sahara/contribution/leaf/1";
const NODE: &str = "sahara/contribution/node/1";
const ROOT: &str = "sahara/contribution/root/1";

/// Sums stay below this: 96 bits, as units on chain.
const BOUND: u128 = 1 << 96;

/// What one contributor holds of an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contribution {
    /// Who contributed.
    pub contributor: Address,
    /// How many units; more than none.
    pub units: u128,
}

/// A node: the hash of what is below it, and the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumNode {
    /// Hash.
    pub hash: B256,
    /// Units of all leaves below.
    pub sum: u128,
}

/// What is committed of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumRoot {
    /// Commits to everything, total and number included.
    pub root: B256,
    /// Units of all leaves.
    pub units: u128,
    /// Number of leaves.
    pub count: u32,
}

/// Why a list of contributions makes no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidContributions {
    /// Nothing to commit to.
    #[error("a tree of contributions needs at least one")]
    Empty,
    /// A leaf without units or without contributor could never be activated.
    #[error("contribution {0} needs a contributor and at least one unit")]
    Nothing(usize),
    /// More leaves than indices.
    #[error("a tree of contributions has room for {MOST_LEAVES}")]
    TooMany,
    /// The units pass 96 bits.
    #[error("the contributions' units exceed 96 bits")]
    TooManyUnits,
}

/// The most leaves of a tree: 16,777,216.
pub const MOST_LEAVES: u32 = 1 << 24;

/// A whole tree, for whoever builds it: about 100 bytes a contribution.
#[derive(Clone, Debug)]
pub struct SumTree {
    levels: Vec<Vec<SumNode>>,
    root: SumRoot,
}

/// Why a contribution is in a tree: its place and the siblings from the bottom up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumProof {
    /// Place of the leaf, from 0.
    pub index: u32,
    /// Siblings, bottom first; levels without a sibling have none.
    pub siblings: Vec<SumNode>,
}

impl SumNode {
    /// The node of a leaf.
    pub fn leaf(index: u32, leaf: &Contribution) -> Self {
        let (contributor, units) = (leaf.contributor.as_slice(), leaf.units.to_be_bytes());
        let hash = domain_hash(LEAF, &[&index.to_be_bytes(), contributor, &units]);
        Self { hash, sum: leaf.units }
    }

    /// The node above two; `None` when their sum is out of bounds.
    pub fn above(left: &Self, right: &Self) -> Option<Self> {
        let sum = left.sum.checked_add(right.sum).filter(|sum| *sum < BOUND)?;
        let (left_sum, right_sum) = (left.sum.to_be_bytes(), right.sum.to_be_bytes());
        let parts = [left.hash.as_slice(), &left_sum, right.hash.as_slice(), &right_sum];
        Some(Self { hash: domain_hash(NODE, &parts), sum })
    }

    /// What is committed of a tree with this node at its top.
    pub fn root(&self, count: u32) -> SumRoot {
        let (leaves, sum) = (count.to_be_bytes(), self.sum.to_be_bytes());
        let root = domain_hash(ROOT, &[&leaves, &sum, self.hash.as_slice()]);
        SumRoot { root, units: self.sum, count }
    }
}

impl SumTree {
    /// The tree over contributions in order.
    ///
    /// # Errors
    /// See [`InvalidContributions`].
    pub fn new(contributions: &[Contribution]) -> Result<Self, InvalidContributions> {
        let count = u32::try_from(contributions.len()).ok().filter(|count| *count <= MOST_LEAVES);
        let count = count.ok_or(InvalidContributions::TooMany)?;
        let is_nothing = |c: &Contribution| c.units == 0 || c.contributor.is_zero();
        if let Some(index) = contributions.iter().position(is_nothing) {
            return Err(InvalidContributions::Nothing(index));
        }
        let mut level: Vec<_> =
            (0..count).zip(contributions).map(|(index, c)| SumNode::leaf(index, c)).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => SumNode::above(left, right),
                single => single.first().copied(),
            });
            let above = above.collect::<Option<Vec<_>>>();
            let above = above.ok_or(InvalidContributions::TooManyUnits)?;
            levels.push(std::mem::replace(&mut level, above));
        }
        let top = *level.first().ok_or(InvalidContributions::Empty)?;
        if top.sum >= BOUND {
            return Err(InvalidContributions::TooManyUnits);
        }
        levels.push(level);
        Ok(Self { levels, root: top.root(count) })
    }

    /// What to commit to.
    pub const fn root(&self) -> SumRoot {
        self.root
    }

    /// The proof for the contribution at `index`, or `None` beyond the last.
    pub fn prove(&self, index: u32) -> Option<SumProof> {
        if index >= self.root.count {
            return None;
        }
        let mut place = usize::try_from(index).ok()?;
        let mut siblings = Vec::new();
        for level in &self.levels {
            siblings.extend(level.get(place ^ 1).copied());
            place >>= 1;
        }
        Some(SumProof { index, siblings })
    }
}

impl SumProof {
    /// Whether `contribution` is the leaf at [`Self::index`] of the tree with this root.
    pub fn verify(&self, root: &SumRoot, contribution: &Contribution) -> bool {
        if self.index >= root.count || contribution.units >= BOUND {
            return false;
        }
        let mut top = SumNode::leaf(self.index, contribution);
        let (mut place, mut width) = (self.index, root.count);
        let mut siblings = self.siblings.iter();
        while width > 1 {
            if place ^ 1 < width {
                let Some(sibling) = siblings.next() else { return false };
                let pair = if place & 1 == 0 { (&top, sibling) } else { (sibling, &top) };
                let Some(above) = SumNode::above(pair.0, pair.1) else { return false };
                top = above;
            }
            place >>= 1;
            width = width.div_ceil(2);
        }
        siblings.next().is_none() && top.root(root.count) == *root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn contributions(units: &[u128]) -> Vec<Contribution> {
        let contributor = |n: usize| Address::left_padding_from(&(n + 1).to_be_bytes());
        let whole = units.iter().enumerate();
        whole
            .map(|(n, units)| Contribution { contributor: contributor(n), units: *units })
            .collect()
    }

    #[test]
    fn what_can_never_be_activated_makes_no_tree() {
        let build =
            |units: &[u128]| SumTree::new(&contributions(units)).map(|tree| tree.root().units);
        assert_eq!(build(&[]), Err(InvalidContributions::Empty));
        assert_eq!(build(&[1, 0, 2]), Err(InvalidContributions::Nothing(1)));
        assert_eq!(build(&[BOUND]), Err(InvalidContributions::TooManyUnits));
        assert_eq!(build(&[BOUND - 1, 1]), Err(InvalidContributions::TooManyUnits));
        assert_eq!(build(&[u128::MAX, u128::MAX]), Err(InvalidContributions::TooManyUnits));
        assert_eq!(build(&[BOUND - 2, 1]), Ok(BOUND - 1));
        assert_eq!(build(&[7]), Ok(7));
    }

    #[test]
    fn a_node_is_no_leaf_and_a_leaf_no_root() {
        let tree = SumTree::new(&contributions(&[1, 2, 3])).unwrap();
        let one = SumTree::new(&contributions(&[1])).unwrap();
        let hashes: Vec<_> = tree.levels.iter().flatten().map(|node| node.hash).collect();
        assert!(!hashes.contains(&tree.root().root));
        assert_ne!(one.levels[0][0].hash, one.root().root);
    }

    #[test]
    fn the_encoding_stays() {
        let root = SumTree::new(&contributions(&[1, 2, 3])).unwrap().root();
        let expected = "0x68bf4c73f79df52963c04942ce2744a0779f3e0b35cf688601abc6c1bfce31b9";
        assert_eq!(root.root.to_string(), expected);
        assert_eq!((root.units, root.count), (6, 3));
    }

    /// A tree whose builder lies about one node's sum.
    fn forged(units: &[u128], level: usize, place: usize, sum: u128) -> Option<SumTree> {
        let mut tree = SumTree::new(&contributions(units)).ok()?;
        tree.levels.get_mut(level)?.get_mut(place)?.sum = sum;
        for above in level + 1..tree.levels.len() {
            let pairs: Vec<_> = tree.levels[above - 1].chunks(2).map(<[_]>::to_vec).collect();
            tree.levels[above] = pairs
                .iter()
                .map(|pair| match &pair[..] {
                    [left, right] => SumNode::above(left, right),
                    single => single.first().copied(),
                })
                .collect::<Option<_>>()?;
        }
        let top = *tree.levels.last()?.first()?;
        let count = u32::try_from(units.len()).ok()?;
        tree.root = top.root(count);
        Some(tree)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_contribution_is_proven_at_its_place_and_nowhere_else(
            units in proptest::collection::vec(1u128..1 << 80, 1..70), seed in any::<u32>(),
        ) {
            let all = contributions(&units);
            let tree = SumTree::new(&all).unwrap();
            let root = tree.root();
            prop_assert_eq!(root.units, units.iter().sum::<u128>());
            let index = seed % root.count;
            let contribution = all[usize::try_from(index).unwrap()];
            let proof = tree.prove(index).unwrap();
            prop_assert!(proof.verify(&root, &contribution));
            prop_assert!(tree.prove(root.count).is_none());
            for wrong in 0..root.count + 2 {
                let moved = SumProof { index: wrong, ..proof.clone() };
                prop_assert_eq!(moved.verify(&root, &contribution), wrong == index);
            }
            let more = Contribution { units: contribution.units + 1, ..contribution };
            prop_assert!(!proof.verify(&root, &more));
            let other = Contribution { contributor: Address::repeat_byte(9), ..contribution };
            prop_assert!(!proof.verify(&root, &other));
            let richer = SumRoot { units: root.units + 1, ..root };
            let wider = SumRoot { count: root.count + 1, ..root };
            prop_assert!(!proof.verify(&richer, &contribution));
            prop_assert!(!proof.verify(&wider, &contribution));
            let mut longer = proof.clone();
            longer.siblings.push(SumNode { hash: B256::ZERO, sum: 0 });
            prop_assert!(!longer.verify(&root, &contribution));
            if let Some(sibling) = proof.siblings.first() {
                let mut lying = proof.clone();
                lying.siblings[0] = SumNode { sum: sibling.sum + 1, ..*sibling };
                prop_assert!(!lying.verify(&root, &contribution));
            }
        }

        #[test]
        fn whatever_a_builder_forges_provable_units_stay_within_the_total(
            units in proptest::collection::vec(1u128..1_000, 1..20),
            level in 0usize..5, place in 0usize..20, sum in 0u128..3_000,
        ) {
            let all = contributions(&units);
            let Some(tree) = forged(&units, level, place, sum) else { return Ok(()) };
            let provable: u128 = (0..tree.root.count).zip(&all)
                .filter(|(index, c)| tree.prove(*index).unwrap().verify(&tree.root, c))
                .map(|(_, c)| c.units).sum();
            prop_assert!(provable <= tree.root.units);
        }
    }
}
