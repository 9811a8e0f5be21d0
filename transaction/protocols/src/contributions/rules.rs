//! One function per function of `IContributions`.

use super::MAX_ACTIVATIONS;
use crate::{
    assets,
    royalties::{self, ENROLLED},
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256, aliases::U96};
use sahara_abi::{CONTRIBUTIONS, IAssets, IContributions};
use sahara_primitives::{
    AssetId,
    merkle_sum::{Contribution, SumProof, SumRoot},
};

/// Bits of an index in a token's id.
const INDEX_BITS: usize = 32;

/// The token of a contribution: `asset << 32 | index`.
pub fn token_of(asset: AssetId, index: u32) -> U256 {
    U256::from(asset.0).wrapping_shl(INDEX_BITS) | U256::from(index)
}

/// The asset and index of a token's id.
fn parts_of(token: U256) -> Option<(AssetId, u32)> {
    let asset = u64::try_from(token.wrapping_shr(INDEX_BITS)).ok()?;
    let index = u32::try_from(token & U256::from(u32::MAX)).ok()?;
    Some((AssetId(asset), index))
}

/// Commits an open asset to its contributors, once; only its owner.
///
/// # Errors
/// `NotOwner`, `AlreadySealed`, `AlreadyCommitted`, `InvalidCommitment`.
pub fn commit(
    state: &mut impl Write,
    caller: Address,
    asset: AssetId,
    root: &SumRoot,
) -> Result<(), Failure> {
    assets::require_open(state, caller, asset)?;
    royalties::commit(state, asset, root.root, root.units, root.count)?;
    let SumRoot { root, units, count } = *root;
    let event = IContributions::Committed { asset: asset.0, root, units: to_u96(units), count };
    state.emit(CONTRIBUTIONS, event)
}

fn to_u96(units: u128) -> U96 {
    U96::try_from(units).unwrap_or(U96::MAX)
}

/// Makes contributors members of a sealed asset and pays what they earned so far; returns how many
/// were not active before. Anyone may do this for anyone.
///
/// # Errors
/// `UnknownAsset`, `NotSealed`, `NotCommitted`, `TooManyActivations`, `InvalidProof`,
/// `InvalidContribution`, `OverAllocated`.
pub fn activate(
    state: &mut impl Write,
    asset: AssetId,
    activations: &[(Contribution, SumProof)],
) -> Result<u32, Failure> {
    if activations.len() > MAX_ACTIVATIONS {
        let (activations, most) = (U256::from(activations.len()), U256::from(MAX_ACTIVATIONS));
        return Err(IContributions::TooManyActivations { activations, most }.into());
    }
    if !assets::title(state, asset)?.is_sealed {
        return Err(IAssets::NotSealed { asset: asset.0 }.into());
    }
    if royalties::commitment(state, asset)?.units == 0 {
        return Err(IContributions::NotCommitted { asset: asset.0 }.into());
    }
    let mut fresh = 0_u32;
    for (leaf, proof) in activations {
        if !royalties::activate(state, asset, leaf, proof)? {
            continue;
        }
        fresh = fresh.saturating_add(1);
        let (contributor, units) = (leaf.contributor, to_u96(leaf.units));
        let event =
            IContributions::Activated { asset: asset.0, contributor, index: proof.index, units };
        state.emit(CONTRIBUTIONS, event)?;
        log_token(state, asset, proof.index, contributor)?;
    }
    Ok(fresh)
}

/// Says that a contribution is there, and for ever with its contributor.
pub(crate) fn log_token(
    state: &mut impl Write,
    asset: AssetId,
    index: u32,
    contributor: Address,
) -> Result<(), Failure> {
    let token = token_of(asset, index);
    let from = Address::ZERO;
    let minted = IContributions::Transfer { from, to: contributor, tokenId: token };
    state.emit(CONTRIBUTIONS, minted)?;
    state.emit(CONTRIBUTIONS, IContributions::Locked { tokenId: token })
}

/// What an asset committed to.
///
/// # Errors
/// `UnknownAsset`.
pub fn commitment(
    state: &mut impl Read,
    asset: AssetId,
) -> Result<IContributions::Commitment, Failure> {
    assets::title(state, asset)?;
    let found = royalties::commitment(state, asset)?;
    Ok(IContributions::Commitment {
        root: B256::from(found.root),
        units: to_u96(found.units),
        count: found.count,
        activatedUnits: to_u96(found.activated_units),
        activated: found.activated,
    })
}

/// Whether a leaf was activated.
///
/// # Errors
/// Those of the state.
pub fn is_activated(state: &mut impl Read, asset: AssetId, index: u32) -> Result<bool, Failure> {
    Ok(royalties::leaf(state, asset, index)?.units > 0)
}

/// A contribution by its token.
///
/// # Errors
/// `ERC721NonexistentToken`, also for a leaf that was not activated.
pub fn contribution(
    state: &mut impl Read,
    token: U256,
) -> Result<IContributions::Contribution, Failure> {
    let unknown = || IContributions::ERC721NonexistentToken { tokenId: token };
    let (asset, index) = parts_of(token).ok_or_else(unknown)?;
    let found = if index & ENROLLED == 0 {
        let leaf = royalties::leaf(state, asset, index)?;
        let contribution = Contribution { contributor: leaf.contributor, units: leaf.units };
        (leaf.units > 0).then_some(contribution)
    } else {
        royalties::enrolled(state, asset, index & !ENROLLED)?
    };
    let Contribution { contributor, units } = found.ok_or_else(unknown)?;
    Ok(IContributions::Contribution { asset: asset.0, index, contributor, units: to_u96(units) })
}

/// Contributions of an account.
///
/// # Errors
/// `ERC721InvalidOwner` for the zero address.
pub fn balance_of(state: &mut impl Read, owner: Address) -> Result<u32, Failure> {
    if owner.is_zero() {
        return Err(IContributions::ERC721InvalidOwner { owner }.into());
    }
    royalties::contributions_of(state, owner)
}
