//! Grants: proposed, approved, delivered, reviewed, paid, milestone by milestone.

use super::{
    MOST, REVIEW,
    programmes::{
        check_payee, find as programme_of, give_back, keep, managed, numbered, pay, set_aside, sum,
        units,
    },
    storage::{GRANTS, MILESTONES},
    words::{Grant, Milestone},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    GOVERNANCE,
    IIncentives::{self, GrantState},
    INCENTIVES as ADDRESS,
};

pub(super) fn find(state: &mut impl Read, number: u64) -> Result<Grant, Failure> {
    let found = numbered(state, &GRANTS, number)?;
    found.ok_or_else(|| IIncentives::UnknownGrant { grant: number }.into())
}

fn state_of(grant: &Grant) -> GrantState {
    GrantState::try_from(grant.state).unwrap_or(GrantState::Ended)
}

fn expect(number: u64, grant: &Grant, expected: GrantState) -> Result<(), Failure> {
    let state = state_of(grant);
    if state == expected {
        return Ok(());
    }
    Err(IIncentives::WrongState { grant: number, state }.into())
}

/// Asks for a grant; nothing is promised yet.
///
/// # Errors
/// `UnknownProgramme`, `ProgrammeOver`, `InvalidPlan`.
pub(super) fn propose(
    state: &mut impl Write,
    caller: Address,
    programme: u64,
    (amounts, due_times): (&[U256], &[u64]),
    proposal: B256,
) -> Result<u64, Failure> {
    check_payee(caller)?;
    let now = state.block().timestamp.0;
    let about = programme_of(state, programme)?;
    if about.is_closed || now >= about.ends_at {
        return Err(IIncentives::ProgrammeOver { programme }.into());
    }
    let count = amounts.len();
    let is_plan = (1..=MOST).contains(&count)
        && due_times.len() == count
        && due_times.is_sorted()
        && due_times.first().is_some_and(|due| *due > now)
        && amounts.iter().all(|amount| !amount.is_zero());
    if !is_plan {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    let total = sum(amounts)?;
    let grant = Grant {
        grantee: caller,
        programme,
        state: u8::from(GrantState::Proposed),
        total,
        milestones: u32::try_from(count).unwrap_or(u32::MAX),
        proposal,
        ..Grant::default()
    };
    let number = GRANTS.push(state, (), &grant)?.saturating_add(1);
    for (index, (amount, due_at)) in (0_u32..).zip(amounts.iter().zip(due_times)) {
        let milestone =
            Milestone { amount: units(*amount)?, due_at: *due_at, evidence: B256::ZERO };
        MILESTONES.set(state, (number, index), &milestone)?;
    }
    let event = IIncentives::GrantProposed {
        grant: number,
        programme,
        grantee: caller,
        total: U256::from(total),
        proposal,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// Sets a grant's coin aside and names who reviews.
///
/// # Errors
/// `UnknownGrant`, `WrongState`, `OnlyManager`, `ProgrammeOver`, `OwnInterest`, `BudgetExceeded`.
pub(super) fn approve(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    reviewer: Address,
) -> Result<(), Failure> {
    let mut grant = find(state, number)?;
    expect(number, &grant, GrantState::Proposed)?;
    let programme = managed(state, caller, grant.programme)?;
    if caller == grant.grantee || reviewer == grant.grantee || reviewer.is_zero() {
        return Err(IIncentives::OwnInterest { account: grant.grantee }.into());
    }
    set_aside(state, grant.programme, programme, grant.total)?;
    grant.left = grant.total;
    grant.reviewer = reviewer;
    grant.state = u8::from(GrantState::Running);
    keep(state, &GRANTS, number, &grant)?;
    state.emit(ADDRESS, IIncentives::GrantApproved { grant: number, reviewer })
}

/// Delivers the next milestone.
///
/// # Errors
/// `UnknownGrant`, `WrongState`, `OnlyGrantee`, `TooLate`.
pub(super) fn deliver(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    evidence: B256,
) -> Result<(), Failure> {
    let mut grant = find(state, number)?;
    expect(number, &grant, GrantState::Running)?;
    if grant.grantee != caller {
        return Err(IIncentives::OnlyGrantee { grant: number, caller }.into());
    }
    if grant.delivered_at > 0 {
        return Err(IIncentives::AwaitsReview { grant: number }.into());
    }
    let (now, place) = (state.block().timestamp.0, grant.paid);
    MILESTONES.update(state, (number, place), |milestone| {
        if now >= milestone.due_at {
            return Err(IIncentives::TooLate { until: milestone.due_at }.into());
        }
        milestone.evidence = evidence;
        Ok(())
    })?;
    grant.delivered_at = now;
    keep(state, &GRANTS, number, &grant)?;
    let event = IIncentives::MilestoneDelivered { grant: number, milestone: place, evidence };
    state.emit(ADDRESS, event)
}

fn delivered(state: &mut impl Read, number: u64) -> Result<Grant, Failure> {
    let grant = find(state, number)?;
    expect(number, &grant, GrantState::Running)?;
    if grant.delivered_at == 0 {
        return Err(IIncentives::NothingDelivered { grant: number }.into());
    }
    Ok(grant)
}

fn pay_next(state: &mut impl Write, number: u64, mut grant: Grant) -> Result<(), Failure> {
    let place = grant.paid;
    let amount = MILESTONES.get(state, (number, place))?.amount;
    let left = grant.left.checked_sub(amount);
    grant.left = left.ok_or_else(|| Failure::Fatal("a grant pays more than it has".into()))?;
    grant.paid = place.saturating_add(1);
    grant.delivered_at = 0;
    if grant.paid == grant.milestones {
        grant.state = u8::from(GrantState::Completed);
    }
    keep(state, &GRANTS, number, &grant)?;
    pay(state, grant.grantee, amount)?;
    let (grantee, amount) = (grant.grantee, U256::from(amount));
    let event = IIncentives::MilestonePaid { grant: number, milestone: place, grantee, amount };
    state.emit(ADDRESS, event)
}

/// Accepts a delivery, which pays it, or sends it back with a reason: it may be delivered again while
/// its time lasts, which a review that came late gives back.
///
/// # Errors
/// `UnknownGrant`, `WrongState`, `NothingDelivered`, `OnlyReviewer`; `TooLate` for sending back what may be
/// paid as not reviewed.
pub(super) fn review(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    is_accepted: bool,
    reason: B256,
) -> Result<(), Failure> {
    let mut grant = delivered(state, number)?;
    if grant.reviewer != caller {
        return Err(IIncentives::OnlyReviewer { grant: number, caller }.into());
    }
    let (milestone, now) = (grant.paid, state.block().timestamp.0);
    let event = IIncentives::MilestoneReviewed {
        grant: number,
        milestone,
        isAccepted: is_accepted,
        reason,
    };
    state.emit(ADDRESS, event)?;
    if is_accepted {
        return pay_next(state, number, grant);
    }
    // Silence until then meant yes.
    let until = grant.delivered_at.saturating_add(REVIEW);
    if now >= until {
        return Err(IIncentives::TooLate { until }.into());
    }
    let waited = now.saturating_sub(grant.delivered_at);
    for place in milestone..grant.milestones {
        MILESTONES.update(state, (number, place), |milestone| {
            milestone.due_at = milestone.due_at.saturating_add(waited);
            Ok(())
        })?;
    }
    grant.delivered_at = 0;
    keep(state, &GRANTS, number, &grant)
}

/// Pays a delivery that nobody reviewed in time.
///
/// # Errors
/// `UnknownGrant`, `WrongState`, `NothingDelivered`, `TooEarly`.
pub(super) fn settle_review(state: &mut impl Write, number: u64) -> Result<(), Failure> {
    let grant = delivered(state, number)?;
    let from = grant.delivered_at.saturating_add(REVIEW);
    if state.block().timestamp.0 < from {
        return Err(IIncentives::TooEarly { from }.into());
    }
    pay_next(state, number, grant)
}

/// Claws back what is unspent.
///
/// # Errors
/// `UnknownGrant`, `WrongState`, `AwaitsReview`, `TooEarly` while the next milestone is not overdue and
/// the caller neither manages the programme nor is governance.
pub(super) fn end(state: &mut impl Write, caller: Address, number: u64) -> Result<(), Failure> {
    let mut grant = find(state, number)?;
    expect(number, &grant, GrantState::Running)?;
    if grant.delivered_at > 0 {
        return Err(IIncentives::AwaitsReview { grant: number }.into());
    }
    let manager = programme_of(state, grant.programme)?.manager;
    let from = MILESTONES.get(state, (number, grant.paid))?.due_at;
    if caller != manager && caller != GOVERNANCE && state.block().timestamp.0 < from {
        return Err(IIncentives::TooEarly { from }.into());
    }
    let returned = std::mem::take(&mut grant.left);
    grant.state = u8::from(GrantState::Ended);
    keep(state, &GRANTS, number, &grant)?;
    give_back(state, grant.programme, returned)?;
    let returned = U256::from(returned);
    state.emit(ADDRESS, IIncentives::GrantEnded { grant: number, returned })
}

pub(super) fn shown(grant: &Grant) -> IIncentives::Grant {
    IIncentives::Grant {
        programme: grant.programme,
        grantee: grant.grantee,
        reviewer: grant.reviewer,
        state: state_of(grant),
        milestones: grant.milestones,
        paid: grant.paid,
        deliveredAt: grant.delivered_at,
        total: U256::from(grant.total),
        left: U256::from(grant.left),
        proposal: grant.proposal,
    }
}
