//! Terms on offer.

use super::{
    storage::{OFFERED, OFFERINGS, OFFERS_MADE, PLACES, TERMS},
    terms::{self, Stored},
    views::terms_of,
};
use crate::{
    assets,
    state::{Failure, Read, Write},
    system::parameters,
};
use alloy_primitives::{Address, B256};
use sahara_abi::{
    ILicenses::{self, Pricing, Terms},
    LICENSES as ADDRESS,
};
use sahara_primitives::AssetId;

/// Registers terms, once, and returns their id.
///
/// # Errors
/// `InvalidTerms`.
pub fn register_terms(state: &mut impl Write, terms: Terms) -> Result<B256, Failure> {
    terms::check(&terms, &parameters(state)?)?;
    let id = terms::charged_id(state, &terms)?;
    if TERMS.get(state, id)?.0.is_some() {
        return Ok(id);
    }
    TERMS.set(state, id, &Stored(Some(terms.clone())))?;
    state.emit(ADDRESS, ILicenses::TermsRegistered { terms: id, data: terms })?;
    Ok(id)
}

/// Refuses who does not own the asset.
pub(super) fn check_owner(
    state: &mut impl Read,
    caller: Address,
    asset: AssetId,
) -> Result<assets::Title, Failure> {
    let title = assets::title(state, asset)?;
    if title.owner == caller {
        return Ok(title);
    }
    Err(ILicenses::NotAssetOwner { asset: asset.0, caller, owner: title.owner }.into())
}

/// Offers licences of the caller's asset.
///
/// # Errors
/// `UnknownAsset`, `NotAssetOwner`, `UnknownTerms`, `TermsCarried`, and those of `put`.
pub fn offer(
    state: &mut impl Write,
    caller: Address,
    asset: AssetId,
    id: B256,
) -> Result<(), Failure> {
    let title = check_owner(state, caller, asset)?;
    let terms = terms_of(state, id)?;
    let carried = OFFERINGS.get(state, asset)?.carried;
    if !carried.is_zero() && carried != id {
        return Err(ILicenses::TermsCarried { asset: asset.0, carried }.into());
    }
    put(state, (asset, &title), id, &terms)
}

/// Puts terms on an asset's list.
///
/// # Errors
/// `AlreadyOffered`, `TermsDoNotFit`, `FreeTermsOffered`.
pub(super) fn put(
    state: &mut impl Write,
    (asset, title): (AssetId, &assets::Title),
    id: B256,
    terms: &Terms,
) -> Result<(), Failure> {
    if is_offered(state, asset, id)? {
        return Err(ILicenses::AlreadyOffered { asset: asset.0, terms: id }.into());
    }
    terms::check_fits(asset, title, terms)?;
    if terms.pricing == Pricing::Free {
        OFFERINGS.update(state, asset, |offering| {
            if !offering.free.is_zero() {
                let (asset, terms) = (asset.0, offering.free);
                return Err(ILicenses::FreeTermsOffered { asset, terms }.into());
            }
            offering.free = id;
            Ok(())
        })?;
    }
    let place = OFFERED.push(state, asset, &id)?.saturating_add(1);
    PLACES.set(state, (asset, id), &place)?;
    OFFERS_MADE.update(state, asset, |made| {
        *made = made.saturating_add(1);
        Ok(())
    })?;
    state.emit(ADDRESS, ILicenses::Offered { asset: asset.0, terms: id })
}

/// Ends an offer; what was sold under it stays valid.
///
/// # Errors
/// `UnknownAsset`, `NotAssetOwner`, `NotOffered`, `TermsCarried`.
pub fn withdraw_offer(
    state: &mut impl Write,
    caller: Address,
    asset: AssetId,
    id: B256,
) -> Result<(), Failure> {
    check_owner(state, caller, asset)?;
    let place = PLACES.get(state, (asset, id))?;
    let index = place.checked_sub(1);
    let index = index.ok_or(ILicenses::NotOffered { asset: asset.0, terms: id })?;
    OFFERINGS.update(state, asset, |offering| {
        if offering.carried == id {
            return Err(ILicenses::TermsCarried { asset: asset.0, carried: id }.into());
        }
        if offering.free == id {
            offering.free = B256::ZERO;
        }
        Ok(())
    })?;
    if let Some(moved) = OFFERED.swap_remove(state, asset, index)? {
        PLACES.set(state, (asset, moved), &place)?;
    }
    PLACES.set(state, (asset, id), &0)?;
    state.emit(ADDRESS, ILicenses::OfferWithdrawn { asset: asset.0, terms: id })
}

/// Whether licences are sold under these terms.
///
/// # Errors
/// Those of the state.
pub fn is_offered(state: &mut impl Read, asset: AssetId, id: B256) -> Result<bool, Failure> {
    Ok(PLACES.get(state, (asset, id))? > 0)
}

/// Binds a derivative to the terms of its reciprocal parent: it offers these, for ever, alone.
///
/// # Errors
/// `TermsCarried` when another parent demands others, `TermsDoNotFit`.
pub(super) fn carry(
    state: &mut impl Write,
    (asset, parent): (AssetId, AssetId),
    id: B256,
    terms: &Terms,
) -> Result<(), Failure> {
    let carried = OFFERINGS.get(state, asset)?.carried;
    if carried == id {
        return Ok(());
    }
    if !carried.is_zero() {
        return Err(ILicenses::TermsCarried { asset: asset.0, carried }.into());
    }
    let title = assets::title(state, asset)?;
    put(state, (asset, &title), id, terms)?;
    OFFERINGS.update(state, asset, |offering| {
        offering.carried = id;
        Ok(())
    })?;
    state.emit(ADDRESS, ILicenses::Carried { asset: asset.0, terms: id, parent: parent.0 })
}
