//! What the two sides do: complain, answer, appeal.

use super::{
    MAX_SHARES,
    parameters::parameters,
    phases::{find, keep},
    storage::{CLAIMANTS, COMPLAINTS, LAST, PLACES, SHARES, STANDINGS},
    words::{Complaint, Share},
};
use crate::{
    assets,
    dispatch::{is_reserved, require_governance},
    royalties,
    state::{Failure, Read, Write},
    storage::Value,
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    DISPUTES as ADDRESS, IAssets,
    IDisputes::{self, Ground, Phase},
    IProtocol,
};
use sahara_primitives::{Amount, AssetId};

/// A complaint to be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) asset: AssetId,
    pub(super) ground: Ground,
    pub(super) evidence: B256,
    pub(super) is_delisting: bool,
    pub(super) shares: Vec<IDisputes::Share>,
}

/// A bond as it stands in a word.
fn bond(value: Amount, least: u128) -> Result<u128, Failure> {
    let units = value.to_u128().filter(|units| *units < 1 << 90 && *units >= least);
    let (bond, least) = (value.base_units(), U256::from(least));
    units.ok_or_else(|| IDisputes::BondTooSmall { bond, least }.into())
}

/// The least bond of an answer and an appeal: what is asked now, and never more than the complainant put in.
fn least_bond(state: &mut impl Read, complaint: &Complaint) -> Result<u128, Failure> {
    Ok(parameters(state)?.least_bond.min(complaint.bond))
}

/// Seconds until the jury of the last complaint is due.
fn last_due(state: &mut impl Read) -> Result<u64, Failure> {
    let Some(last) = COMPLAINTS.len(state, ())?.checked_sub(1) else { return Ok(0) };
    let last = COMPLAINTS.get(state, (), last)?;
    let due = last.filed_at.saturating_add(last.windows.answer);
    Ok(due.saturating_sub(state.block().timestamp.0))
}

/// Marks the asset where payments look, or no longer.
pub(super) fn mark(state: &mut impl Write, asset: AssetId, is_marked: bool) -> Result<(), Failure> {
    if assets::title(state, asset)?.has_members {
        royalties::mark(state, asset, is_marked)
    } else {
        assets::mark(state, asset, is_marked)
    }
}

fn check_shares(shares: &[IDisputes::Share]) -> Result<(), Failure> {
    let sum = shares.iter().fold(0_u32, |sum, part| sum.saturating_add(part.share.into()));
    let is_payee = |part: &IDisputes::Share| {
        part.share > 0 && !part.account.is_zero() && !is_reserved(part.account)
    };
    if shares.len() > MAX_SHARES || sum > 10_000 || !shares.iter().all(is_payee) {
        return Err(IDisputes::InvalidShares {}.into());
    }
    Ok(())
}

/// Refuses who has a complaint about the asset that is open: a second one has nothing to add.
fn refuse_second(state: &mut impl Read, caller: Address, asset: AssetId) -> Result<(), Failure> {
    let complaint = LAST.get(state, (asset, caller))?;
    if complaint == 0 || find(state, complaint)?.is_closed {
        return Ok(());
    }
    Err(IDisputes::AlreadyDisputed { asset: asset.0, complaint }.into())
}

/// Notes a new complaint with its asset; it has income held if there is a place.
fn open(state: &mut impl Write, number: u64, complaint: &Complaint) -> Result<(), Failure> {
    let asset = AssetId(complaint.asset);
    LAST.set(state, (asset, complaint.complainant), &number)?;
    CLAIMANTS.update(state, asset, |claimants| {
        claimants.replace(0, number);
        Ok(())
    })?;
    STANDINGS.update(state, asset, |standing| {
        standing.open = standing.open.saturating_add(1);
        Ok(())
    })?;
    mark(state, asset, true)
}

/// Complains about an asset; returns the complaint's number.
///
/// # Errors
/// `UnknownAsset`, `NotSealed`, `InvalidComplainant`, `BondTooSmall`, `InvalidShares`, `AlreadyDisputed`.
pub(super) fn file(
    state: &mut impl Write,
    caller: Address,
    value: Amount,
    plan: &Plan,
) -> Result<u64, Failure> {
    let Plan { asset, ground, evidence, is_delisting, ref shares } = *plan;
    if ground == Ground::__Invalid {
        return Err(IProtocol::InvalidCall {}.into());
    }
    let title = assets::title(state, asset)?;
    if !title.is_sealed {
        return Err(IAssets::NotSealed { asset: asset.0 }.into());
    }
    if is_reserved(caller) || caller == title.owner {
        return Err(IDisputes::InvalidComplainant { account: caller }.into());
    }
    refuse_second(state, caller, asset)?;
    let rules = parameters(state)?;
    let bond = bond(value, rules.least_bond)?;
    check_shares(shares)?;
    let mut complaint = Complaint::unpack(&Default::default())?;
    (complaint.complainant, complaint.asset, complaint.ground) = (caller, asset.0, ground);
    (complaint.is_delisting, complaint.evidence) = (is_delisting, evidence);
    (complaint.bond, complaint.filed_at) = (bond, state.block().timestamp.0);
    complaint.places = PLACES.len(state, ())?;
    complaint.owner = title.owner;
    complaint.windows = rules.windows.behind(last_due(state)?);
    complaint.seat_fee = rules.seat_fee;
    let number = COMPLAINTS.push(state, (), &complaint)?.saturating_add(1);
    open(state, number, &complaint)?;
    for part in shares {
        SHARES.push(state, number, &Share { account: part.account, share: part.share })?;
    }
    let event = IDisputes::Filed {
        complaint: number,
        asset: asset.0,
        complainant: caller,
        ground,
        bond: value.base_units(),
        evidence,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

fn owner(state: &mut impl Read, complaint: &Complaint) -> Result<Address, Failure> {
    Ok(assets::title(state, AssetId(complaint.asset))?.owner)
}

/// The owner answers, once.
///
/// # Errors
/// `UnknownComplaint`, `WrongPhase`, `OnlyOwner`, `AlreadyAnswered`, `BondTooSmall`.
pub(super) fn answer(
    state: &mut impl Write,
    caller: Address,
    value: Amount,
    number: u64,
    evidence: B256,
) -> Result<(), Failure> {
    let mut complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Answering)?;
    if caller != owner(state, &complaint)? {
        return Err(IDisputes::OnlyOwner { asset: complaint.asset, caller }.into());
    }
    if !complaint.answerer.is_zero() {
        return Err(IDisputes::AlreadyAnswered { complaint: number }.into());
    }
    complaint.answer_bond = bond(value, least_bond(state, &complaint)?)?;
    (complaint.answerer, complaint.answer) = (caller, evidence);
    keep(state, number, &complaint)?;
    let bond = value.base_units();
    let event = IDisputes::Answered { complaint: number, answerer: caller, bond, evidence };
    state.emit(ADDRESS, event)
}

/// A side asks governance.
///
/// # Errors
/// `UnknownComplaint`, `WrongPhase`, `OnlyParty`, `BondTooSmall`.
pub(super) fn appeal(
    state: &mut impl Write,
    caller: Address,
    value: Amount,
    number: u64,
    reason: B256,
) -> Result<(), Failure> {
    let mut complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Appealable)?;
    if caller != complaint.complainant && caller != owner(state, &complaint)? {
        return Err(IDisputes::OnlyParty { complaint: number, caller }.into());
    }
    complaint.appeal_bond = bond(value, least_bond(state, &complaint)?)?;
    complaint.appellant = caller;
    keep(state, number, &complaint)?;
    let bond = value.base_units();
    let event = IDisputes::Appealed { complaint: number, appellant: caller, bond, reason };
    state.emit(ADDRESS, event)
}

/// Governance decides an appeal.
///
/// # Errors
/// `OnlyGovernance`, `UnknownComplaint`, `WrongPhase`.
pub(super) fn decide(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    is_upheld: bool,
) -> Result<(), Failure> {
    require_governance(caller)?;
    let mut complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Appealed)?;
    complaint.decision = Some(is_upheld);
    keep(state, number, &complaint)?;
    state.emit(ADDRESS, IDisputes::Decided { complaint: number, isUpheld: is_upheld })
}
