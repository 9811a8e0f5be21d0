//! Proofs that a contribution is in a committed list.

use super::list::List;
use crate::{cli::Which, failure::Failure};
use eyre::{Result, WrapErr};
use sahara_abi::IContributions::Activation;
use sahara_primitives::{
    Address, B256,
    merkle_sum::{Contribution, SumNode, SumProof},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fs, io::Read, path::Path};

/// The most activations in one transaction.
pub(super) const MOST_ACTIVATIONS: usize = 80;

/// One contribution and why it is in the list. Units are texts: they may pass what JSON's numbers hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Proof {
    pub(super) root: B256,
    index: u32,
    contributor: Address,
    units: String,
    siblings: Vec<Sibling>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sibling {
    hash: B256,
    sum: String,
}

/// The proofs of a list's contributions that are asked for.
pub(super) fn of_list(list: &List, which: &Which) -> Result<Vec<Proof>> {
    if which.contributors.is_empty() && which.indices.is_empty() {
        return Err(Failure::usage("say which: --contributor ACCOUNT or --index N"));
    }
    let mut places: BTreeSet<u32> = which.indices.iter().copied().collect();
    let wanted: BTreeSet<Address> = which.contributors.iter().copied().collect();
    let mut found = BTreeSet::new();
    for (place, contribution) in list.contributions.iter().enumerate() {
        if wanted.contains(&contribution.contributor) {
            found.insert(contribution.contributor);
            places.insert(u32::try_from(place)?);
        }
    }
    if let Some(stranger) = wanted.difference(&found).next() {
        return Err(Failure::not_found(format!("{stranger} is not in the list")));
    }
    let root = list.tree.root();
    let proofs = places.into_iter().map(|index| {
        let place = usize::try_from(index)?;
        let both = list.contributions.get(place).zip(list.tree.prove(index));
        let (contribution, proof) = both.ok_or_else(|| {
            let last = root.count.saturating_sub(1);
            Failure::not_found(format!("there is no contribution {index}: expected 0 to {last}"))
        })?;
        let siblings = proof.siblings.iter();
        Ok(Proof {
            root: root.root,
            index,
            contributor: contribution.contributor,
            units: contribution.units.to_string(),
            siblings: siblings.map(|s| Sibling { hash: s.hash, sum: s.sum.to_string() }).collect(),
        })
    });
    proofs.collect()
}

/// Proofs from a file or standard input.
pub(super) fn read(path: &Path) -> Result<Vec<Proof>> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text)?;
    } else {
        text = fs::read_to_string(path)
            .wrap_err_with(|| format!("could not read {}", path.display()))?;
    }
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!(
            "{} holds no proofs, as `sahara contribution prove` prints them: {error}",
            path.display()
        ))
    })
}

impl Proof {
    /// As the chain takes it.
    pub(super) fn activation(&self) -> Result<Activation> {
        let number = |text: &str| {
            let number = text.parse::<u128>();
            number.map_err(|_| Failure::usage(format!("`{text}` is no number of units")))
        };
        let sibling = |one: &Sibling| Ok(SumNode { hash: one.hash, sum: number(&one.sum)? });
        let siblings = self.siblings.iter().map(sibling).collect::<Result<_>>()?;
        let contribution =
            Contribution { contributor: self.contributor, units: number(&self.units)? };
        let proof = SumProof { index: self.index, siblings };
        Ok(sahara_client::activation(&contribution, &proof)?)
    }
}
