//! What can be read of assets.

use super::{
    accounts::giver,
    lineage::{Row, flatten, split, total_share},
    record::{Edge, Title},
    registration::lines,
    storage::{ANCESTORS, CONTENTS, COUNT, CREATORS, DERIVERS, EDGES, METADATA, PRICES, TITLES},
};
use crate::state::{Failure, Read};
use crate::system::parameters;
use alloy_primitives::Address;
use sahara_abi::IAssets;
use sahara_primitives::{Amount, AssetId, BasisPoints, Prices};

/// What a payment needs to know of an asset.
///
/// # Errors
/// `UnknownAsset`.
pub fn title(state: &mut impl Read, id: AssetId) -> Result<Title, Failure> {
    let title = TITLES.get(state, id)?;
    if title.owner.is_zero() {
        return Err(IAssets::UnknownAsset { asset: id.0 }.into());
    }
    Ok(title)
}

/// Whether the asset is registered.
///
/// # Errors
/// Those of the state.
pub fn exists(state: &mut impl Read, id: AssetId) -> Result<bool, Failure> {
    Ok(!TITLES.get(state, id)?.owner.is_zero())
}

/// Assets registered so far.
///
/// # Errors
/// Those of the state.
pub fn count(state: &mut impl Read) -> Result<u64, Failure> {
    COUNT.get(state)
}

/// What the owner asks.
///
/// # Errors
/// `UnknownAsset`.
pub fn prices(state: &mut impl Read, id: AssetId) -> Result<Prices, Failure> {
    title(state, id)?;
    Ok(PRICES.get(state, id)?.0)
}

/// The asset's parents.
///
/// # Errors
/// `UnknownAsset`.
pub fn edges(state: &mut impl Read, id: AssetId) -> Result<Vec<Edge>, Failure> {
    title(state, id)?;
    Edge::decode(&EDGES.get(state, id)?)
}

/// The asset's table: who takes part in its income, in order of ids. Empty for an unknown asset.
///
/// # Errors
/// Those of the state.
pub fn ancestors(state: &mut impl Read, id: AssetId) -> Result<Vec<Row>, Failure> {
    Row::decode(&ANCESTORS.get(state, id)?)
}

/// Whether the owner lets `creator` derive.
pub(crate) fn is_deriver(
    state: &mut impl Read,
    parent: AssetId,
    owner: Address,
    creator: Address,
) -> Result<bool, Failure> {
    let name = giver(state, owner)?;
    DERIVERS.get(state, (parent, name, creator))
}

/// Where the metadata is.
pub(crate) fn metadata(state: &mut impl Read, id: AssetId) -> Result<String, Failure> {
    title(state, id)?;
    METADATA.string(state, id)
}

/// Everything about an asset.
pub(super) fn asset(state: &mut impl Read, id: AssetId) -> Result<IAssets::Asset, Failure> {
    let title = title(state, id)?;
    let prices = PRICES.get(state, id)?.0;
    Ok(IAssets::Asset {
        kind: title.kind,
        creator: CREATORS.get(state, id)?,
        contentHash: CONTENTS.get(state, id)?,
        metadataURI: METADATA.string(state, id)?,
        inputPrice: prices.input.0,
        outputPrice: prices.output.0,
        derivativeRoyalty: title.derivative_royalty.points(),
        derivatives: title.derivatives,
        registeredAt: title.registered_at,
        isSealed: title.is_sealed,
    })
}

/// Who would get what of `amount` if an asset with these edges were registered (its own part first,
/// under asset 0), and the room left for descendants. Kinds and policies are not looked at.
///
/// # Errors
/// As registering, for parents and caps.
pub fn preview(
    state: &mut impl Read,
    edges: &[Edge],
    derivative_royalty: BasisPoints,
    amount: Amount,
) -> Result<(Vec<IAssets::Part>, u16), Failure> {
    let most = parameters(state)?.max_lineage_royalty;
    let lines = lines(state, edges, None)?;
    let rows = flatten(state, &lines, most)?;
    let (parts, own) = split(&rows, amount)?;
    let taken = total_share(&rows);
    let share = BasisPoints::ONE.points().saturating_sub(taken);
    let mut answer = vec![IAssets::Part { asset: 0, share, amount: own.base_units() }];
    answer.extend(parts.into_iter().map(|(row, part)| IAssets::Part {
        asset: row.asset.0,
        share: row.share.points(),
        amount: part.base_units(),
    }));
    let room = most.points().saturating_sub(taken);
    Ok((answer, room.saturating_sub(derivative_royalty.points())))
}
