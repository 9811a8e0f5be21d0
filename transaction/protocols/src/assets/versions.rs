//! Versions: a new version is a new asset, and versions stand in a line.
//!
//! Only the owner of the latest version adds one, whatever that version's policy for derivatives is. A
//! version pays its predecessors like any descendant: otherwise publishing again would shake off those
//! who contributed.

use super::{
    record::Title,
    storage::{LINES, VERSIONS},
    views::title,
};
use crate::{
    state::{Failure, Read, Write},
    storage::{MAX_PAGE, Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::IAssets;
use sahara_primitives::AssetId;

/// `first: 64 | number: 64`; of a first version both are 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Version {
    first: u64,
    number: u64,
}

impl Value for Version {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(64, self.first.into()).number(64, self.number.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self { first: fields.number(64)?, number: fields.number(64)? })
    }
}

/// Where an asset stands in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The first version.
    pub first: AssetId,
    /// From 1.
    pub number: u64,
    /// The latest version.
    pub latest: AssetId,
}

/// The asset's place in its line of versions.
///
/// # Errors
/// `UnknownAsset`.
pub fn version_of(state: &mut impl Read, id: AssetId) -> Result<Standing, Failure> {
    title(state, id)?;
    let version = VERSIONS.get(state, id)?;
    let (first, number) = match version.first {
        0 => (id, 1),
        first => (AssetId(first), version.number),
    };
    let latest = match LINES.len(state, first)?.checked_sub(1) {
        None => first,
        Some(last) => LINES.get(state, first, last)?,
    };
    Ok(Standing { first, number, latest })
}

/// The line of versions of an asset, oldest first: at most `count` from `start`, and the number of all.
///
/// # Errors
/// `UnknownAsset`.
pub fn history(
    state: &mut impl Read,
    id: AssetId,
    start: U256,
    count: U256,
) -> Result<(Vec<u64>, u64), Failure> {
    let Standing { first, .. } = version_of(state, id)?;
    // The first version stands before the list of its successors.
    let has_first = start.is_zero() && !count.is_zero();
    let less = |number: U256| if has_first { number.saturating_sub(U256::ONE) } else { number };
    let most = less(count.min(U256::from(MAX_PAGE)));
    let (later, successors) = LINES.page(state, first, start.saturating_sub(U256::ONE), most)?;
    let versions = has_first.then_some(first.0).into_iter();
    let versions = versions.chain(later.into_iter().map(|id| id.0)).collect();
    Ok((versions, successors.saturating_add(1)))
}

/// Whether `creator` may add a version after `parent`: it owns it, and it is the latest.
pub(super) fn check(
    state: &mut impl Read,
    creator: Address,
    parent: AssetId,
    Title { owner, .. }: &Title,
) -> Result<(), Failure> {
    if *owner != creator {
        let (asset, caller, owner) = (parent.0, creator, *owner);
        return Err(IAssets::NotOwner { asset, caller, owner }.into());
    }
    let Standing { latest, .. } = version_of(state, parent)?;
    if latest != parent {
        return Err(IAssets::NotLatestVersion { parent: parent.0, latest: latest.0 }.into());
    }
    Ok(())
}

/// Adds `id` after `parent`.
pub(super) fn add(state: &mut impl Write, parent: AssetId, id: AssetId) -> Result<(), Failure> {
    let Standing { first, number, .. } = version_of(state, parent)?;
    let number = number.saturating_add(1);
    VERSIONS.set(state, id, &Version { first: first.0, number })?;
    LINES.push(state, first, &id)?;
    Ok(())
}
