//! What can be read of disputes.

use super::{
    escrow,
    phases::find,
    storage::{JURIES, SEATS, SHARES},
};
use crate::state::{Failure, Read};
use alloy_primitives::U256;
use sahara_abi::IDisputes;
use sahara_primitives::AssetId;

/// Everything about a complaint.
pub(super) fn complaint(
    state: &mut impl Read,
    number: u64,
) -> Result<IDisputes::Complaint, Failure> {
    let complaint = find(state, number)?;
    let (phase, phase_ends_at) = complaint.phase(state.block().timestamp.0);
    let held = escrow::claimed_by(state, AssetId(complaint.asset), number)?;
    Ok(IDisputes::Complaint {
        asset: complaint.asset,
        ground: complaint.ground,
        phase,
        ruling: complaint.ruling(),
        isDelisting: complaint.is_delisting,
        complainant: complaint.complainant,
        answerer: complaint.answerer,
        appellant: complaint.appellant,
        filedAt: complaint.filed_at,
        phaseEndsAt: phase_ends_at,
        seats: complaint.seats,
        forIt: complaint.for_it,
        against: complaint.against,
        bond: U256::from(complaint.bond),
        held: U256::from(held),
        answerBond: U256::from(complaint.answer_bond),
        appealBond: U256::from(complaint.appeal_bond),
        evidence: complaint.evidence,
        answer: complaint.answer,
    })
}

/// What a complaint asks for.
pub(super) fn shares_of(
    state: &mut impl Read,
    number: u64,
) -> Result<Vec<IDisputes::Share>, Failure> {
    find(state, number)?;
    (0..SHARES.len(state, number)?)
        .map(|index| Ok(SHARES.get(state, number, index)?.into()))
        .collect()
}

/// Who sits on a jury.
pub(super) fn jury(state: &mut impl Read, number: u64) -> Result<Vec<IDisputes::Juror>, Failure> {
    find(state, number)?;
    let mut jurors = Vec::new();
    for index in 0..JURIES.len(state, number)? {
        let account = JURIES.get(state, number, index)?;
        let seat = SEATS.get(state, (number, account))?;
        jurors.push(IDisputes::Juror {
            account,
            seats: seat.seats,
            hasCommitted: !seat.commitment.is_zero(),
            hasRevealed: seat.has_revealed,
        });
    }
    Ok(jurors)
}
