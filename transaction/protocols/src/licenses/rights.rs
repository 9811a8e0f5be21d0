//! Who may do what, and what is missing.

use super::{
    offers::carry,
    purpose::{ALL, DERIVATIVE, TRAINING},
    seats::spend,
    storage::{LICENSES, OFFERINGS, OFFERS_MADE, SEATINGS, SEATS},
    views::terms_of,
    words::License,
};
use crate::{
    assets::{self, Edge, registration::is_record, relations::rule},
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    IAssets::{Derivatives, Relation},
    ILicenses::{self, Missing, Terms},
    LICENSES as ADDRESS,
};
use sahara_primitives::{AssetId, Timestamp};

/// A right that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The licence that grants it; 0: none is needed.
    pub license: u64,
    /// The terms that grant it; `None` for an owner and for an asset without terms.
    pub terms: Option<B256>,
}

impl Right {
    const UNBOUND: Self = Self { license: 0, terms: None };
}

/// Whether terms were ever offered for an asset: then using it needs a right.
///
/// # Errors
/// Those of the state.
pub fn is_licensed(state: &mut impl Read, asset: AssetId) -> Result<bool, Failure> {
    Ok(offers_made(state, asset)? > 0)
}

/// How often terms were offered for an asset. Whoever buys it commits to that: nobody sells an asset and,
/// before it is paid for, licences of it to friends.
///
/// # Errors
/// Those of the state.
pub(crate) fn offers_made(state: &mut impl Read, asset: AssetId) -> Result<u64, Failure> {
    OFFERS_MADE.get(state, asset)
}

/// The right of `account` to use `asset` for `purpose`, or what is missing. Of several the first that
/// binds a derivative to nothing is taken.
///
/// # Errors
/// `UnknownAsset`, `UnknownPurpose`.
pub fn can_use(
    state: &mut impl Read,
    account: Address,
    asset: AssetId,
    purpose: u8,
) -> Result<Result<Right, Missing>, Failure> {
    if purpose == 0 || purpose & !ALL != 0 {
        return Err(ILicenses::UnknownPurpose { purpose, known: ALL }.into());
    }
    let title = assets::title(state, asset)?;
    let derives = purpose & DERIVATIVE != 0;
    if derives && title.derivatives == Derivatives::None {
        return Ok(Err(Missing::Derivatives)); // its owner included, for ever
    }
    if title.owner == account {
        return Ok(Ok(Right::UNBOUND));
    }
    let is_approved = derives && assets::is_deriver(state, asset, title.owner, account)?;
    let is_listed = crate::disputes::is_listed(state, asset)?;
    if !is_licensed(state, asset)? {
        if !is_listed {
            return Ok(Err(Missing::Listing));
        }
        let needs_approval = derives && title.derivatives != Derivatives::Open && !is_approved;
        return Ok(if needs_approval { Err(Missing::Approval) } else { Ok(Right::UNBOUND) });
    }
    let asked = Asked { purpose, is_approved };
    let mut best: Option<(Right, bool)> = None;
    let mut nearest = Missing::License;
    for number in SEATINGS.get(state, (account, asset))?.0 {
        match licensed(state, (account, number), asked)? {
            Ok(found) if best.is_none_or(|(_, is_bound)| is_bound && !found.1) => {
                best = Some(found);
            }
            Ok(_) => {}
            Err(missing) => nearest = nearer(nearest, missing),
        }
    }
    if let Some((right, false)) = best {
        return Ok(Ok(right));
    }
    if !is_listed {
        return Ok(best.map(|(right, _)| right).ok_or(nearer(nearest, Missing::Listing)));
    }
    let free = OFFERINGS.get(state, asset)?.free;
    if !free.is_zero() {
        let terms = terms_of(state, free)?;
        match asked.purpose_under(&terms).and_then(|()| asked.approval_under(&terms)) {
            Ok(()) if best.is_none() || !terms.isReciprocal => {
                return Ok(Ok(Right { license: 0, terms: Some(free) }));
            }
            Ok(()) => {}
            Err(missing) => nearest = nearer(nearest, missing),
        }
    }
    Ok(best.map(|(right, _)| right).ok_or(nearest))
}

fn nearer(one: Missing, other: Missing) -> Missing {
    if u8::from(other) > u8::from(one) { other } else { one }
}

/// What is asked of terms.
#[derive(Clone, Copy, Debug)]
struct Asked {
    purpose: u8,
    is_approved: bool,
}

impl Asked {
    const fn purpose_under(self, terms: &Terms) -> Result<(), Missing> {
        if self.purpose & !terms.purposes == 0 { Ok(()) } else { Err(Missing::Purpose) }
    }

    const fn approval_under(self, terms: &Terms) -> Result<(), Missing> {
        let is_needed = self.purpose & DERIVATIVE != 0 && terms.needsApproval;
        if is_needed && !self.is_approved { Err(Missing::Approval) } else { Ok(()) }
    }
}

/// The right under one licence, and whether it binds a derivative to its terms.
fn licensed(
    state: &mut impl Read,
    (account, number): (Address, u64),
    asked: Asked,
) -> Result<Result<(Right, bool), Missing>, Failure> {
    let license = LICENSES.get(state, number)?;
    if !SEATS.get(state, (number, account))?.is_valid(&license) {
        return Ok(Err(Missing::License));
    }
    let terms = terms_of(state, license.terms)?;
    let right = Right { license: number, terms: Some(license.terms) };
    let is_bound = terms.isReciprocal && asked.purpose & DERIVATIVE != 0;
    let verdict = asked
        .purpose_under(&terms)
        .and_then(|()| standing(&license, state.block().timestamp))
        .and_then(|()| asked.approval_under(&terms));
    Ok(verdict.map(|()| (right, is_bound)))
}

const fn standing(license: &License, now: Timestamp) -> Result<(), Missing> {
    if license.is_revoked {
        return Err(Missing::Revoked);
    }
    if license.is_expired(now) {
        return Err(Missing::Expired);
    }
    if license.uses_left() == 0 { Err(Missing::Uses) } else { Ok(()) }
}

/// What an edge asks of its parent: a derivative, and training if it says so.
fn purpose_of(edge: &Edge) -> u8 {
    if edge.relation == Relation::TrainedOn { DERIVATIVE | TRAINING } else { DERIVATIVE }
}

/// Refuses a derivative of licensed parents without the right to it, counts one use of each licence,
/// and binds the child to reciprocal terms. Parents without terms are left to their policy, and edges
/// that carry no income are statements that need no leave, as are a gateway's records of use.
///
/// # Errors
/// `RightMissing` with what is missing; `TermsCarried` when parents demand different terms;
/// `TermsDoNotFit` when the child does not keep what it must carry.
pub fn link(
    state: &mut impl Write,
    creator: Address,
    child: AssetId,
    edges: &[Edge],
) -> Result<(), Failure> {
    for edge in edges {
        let parent = edge.parent;
        let is_statement = !rule(edge.relation).is_some_and(|rule| rule.carries_income)
            || is_record(state, edge.relation, creator)?;
        if is_statement || !is_licensed(state, parent)? {
            continue;
        }
        // What an asset carries is carried on by its owner and its next versions as well.
        let carried = OFFERINGS.get(state, parent)?.carried;
        if !carried.is_zero() {
            let terms = terms_of(state, carried)?;
            carry(state, (child, parent), carried, &terms)?;
        }
        if edge.relation != Relation::VersionOf {
            derive(state, creator, (child, parent), purpose_of(edge))?;
        }
    }
    Ok(())
}

/// Uses the creator's right to a derivative of one licensed parent.
fn derive(
    state: &mut impl Write,
    creator: Address,
    (child, parent): (AssetId, AssetId),
    purpose: u8,
) -> Result<(), Failure> {
    let right = can_use(state, creator, parent, purpose)?.map_err(|missing| {
        let (asset, account) = (parent.0, creator);
        ILicenses::RightMissing { asset, account, purpose, missing }
    })?;
    let Some(id) = right.terms else { return Ok(()) };
    if right.license > 0 {
        let license = LICENSES.get(state, right.license)?;
        spend(state, (right.license, license), creator, 1)?;
    }
    let (license, asset) = (U256::from(right.license), child.0);
    state.emit(ADDRESS, ILicenses::Derived { license, parent: parent.0, asset, terms: id })?;
    let terms = terms_of(state, id)?;
    if terms.isReciprocal { carry(state, (child, parent), id, &terms) } else { Ok(()) }
}
