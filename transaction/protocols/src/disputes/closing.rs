//! The end of a complaint: who gets what, and what holds from then on.

use super::{
    escrow,
    filing::mark,
    list::discharge,
    phases::{find, keep},
    storage::{JURIES, SEATS, SHARES, STANDINGS},
    words::Complaint,
};
use crate::{
    assets,
    dispatch::require_governance,
    state::{Failure, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{
    DISPUTES as ADDRESS,
    IDisputes::{self, Phase, Ruling},
    INCENTIVE_POOL,
};
use sahara_primitives::{Amount, AssetId};

/// Pays what the ruling says and makes it hold.
///
/// # Errors
/// `UnknownComplaint`, `WrongPhase`.
pub(super) fn close(state: &mut impl Write, number: u64) -> Result<(), Failure> {
    let complaint = find(state, number)?;
    complaint.expect(number, state.block().timestamp.0, Phase::Closable)?;
    let (asset, ruling) = (AssetId(complaint.asset), complaint.ruling());
    let closed =
        Complaint { is_closed: true, bond: 0, answer_bond: 0, appeal_bond: 0, ..complaint };
    keep(state, number, &closed)?;
    settle_standing(state, number, &complaint)?;
    let paid = pay_jury(state, number, &complaint)?;
    let bond = complaint.bond.saturating_sub(paid);
    let complainant = complaint.complainant;
    match ruling {
        Ruling::Upheld => {
            pay(state, complainant, bond.saturating_add(complaint.answer_bond))?;
        }
        Ruling::Dismissed => {
            // Half is whose the asset was; were it all, complaining about oneself would cost nothing.
            let half = bond.div_euclid(2);
            pay(state, complaint.owner, half)?;
            pay(state, INCENTIVE_POOL, bond.saturating_sub(half))?;
        }
        Ruling::Open | Ruling::__Invalid => pay(state, complainant, bond)?,
    }
    if ruling != Ruling::Upheld {
        pay(state, complaint.answerer, complaint.answer_bond)?;
    }
    let winner = (ruling == Ruling::Upheld).then_some(complainant);
    let held = U256::from(escrow::settle(state, (asset, number), winner)?);
    let is_turned = complaint.decision.is_some() && complaint.verdict() != ruling;
    let to = if is_turned { complaint.appellant } else { INCENTIVE_POOL };
    pay(state, to, complaint.appeal_bond)?;
    state.emit(ADDRESS, IDisputes::Closed { complaint: number, asset: asset.0, ruling, held })
}

fn pay(state: &mut impl Write, to: Address, amount: u128) -> Result<(), Failure> {
    if amount == 0 { Ok(()) } else { state.move_coin(ADDRESS, to, Amount::from_u128(amount)) }
}

/// What holds for the asset from now on. Of upheld complaints with shares the one that was filed last holds: its
/// complainant and its jury knew of the others.
fn settle_standing(
    state: &mut impl Write,
    number: u64,
    complaint: &Complaint,
) -> Result<(), Failure> {
    let (asset, now) = (AssetId(complaint.asset), state.block().timestamp.0);
    let ruling = complaint.ruling();
    let is_upheld = ruling == Ruling::Upheld;
    let has_shares = SHARES.len(state, number)? > 0;
    let standing = STANDINGS.update(state, asset, |standing| {
        standing.open = standing.open.saturating_sub(1);
        if is_upheld && has_shares {
            standing.corrected = standing.corrected.max(number);
        }
        if ruling == Ruling::Open {
            let until = now.saturating_add(complaint.windows.end());
            standing.spared_until = standing.spared_until.max(until);
        }
        standing.is_delisted |= is_upheld && complaint.is_delisting;
        Ok(*standing)
    })?;
    mark(state, asset, standing.is_marked())?;
    if !is_upheld {
        return Ok(());
    }
    assets::count_corrected(state, asset)?;
    let (complaint, is_delisted) = (standing.corrected, standing.is_delisted);
    state.emit(ADDRESS, IDisputes::Corrected { asset: asset.0, complaint, isDelisted: is_delisted })
}

/// Pays jurors who spoke, by seats; takes off the list who did not. Returns what was paid.
fn pay_jury(state: &mut impl Write, number: u64, complaint: &Complaint) -> Result<u128, Failure> {
    let spoken = u128::from(complaint.for_it.saturating_add(complaint.against));
    let seat_fee = complaint.seat_fee;
    let mut paid = 0_u128;
    for index in 0..JURIES.len(state, number)? {
        let juror = JURIES.get(state, number, index)?;
        let seat = SEATS.get(state, (number, juror))?;
        if !seat.has_revealed {
            discharge(state, juror)?;
            continue;
        }
        let fee = seat_fee.saturating_mul(seat.seats.into());
        paid = paid.saturating_add(fee);
        pay(state, juror, fee)?;
        let amount = U256::from(fee);
        state.emit(ADDRESS, IDisputes::JurorPaid { complaint: number, juror, amount })?;
    }
    if paid > seat_fee.saturating_mul(spoken) {
        return Err(Failure::Fatal("a jury was paid more than it spoke".into()));
    }
    Ok(paid)
}

/// By a proposal: takes back what an upheld complaint changed, for the future.
///
/// # Errors
/// `OnlyGovernance`, `UnknownAsset`.
pub(super) fn restore(
    state: &mut impl Write,
    caller: Address,
    asset: AssetId,
) -> Result<(), Failure> {
    require_governance(caller)?;
    let standing = STANDINGS.update(state, asset, |standing| {
        (standing.corrected, standing.is_delisted) = (0, false);
        Ok(*standing)
    })?;
    mark(state, asset, standing.is_marked())?;
    let event = IDisputes::Corrected { asset: asset.0, complaint: 0, isDelisted: false };
    state.emit(ADDRESS, event)
}
