//! Hackathons: works, judges, prizes.

use super::{
    LONGEST, MOST,
    programmes::{
        check_payee, find as programme_of, give_back, keep, managed, numbered, pay, set_aside, sum,
        units,
    },
    storage::{ENTRIES, HACKATHONS, JUDGES, NAMED, PRIZES},
    words::{Hackathon, Judge},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{IIncentives, INCENTIVES as ADDRESS};
use std::{cmp::Reverse, collections::BTreeSet};

/// A hackathon to be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) programme: u64,
    pub(super) judges: Vec<Address>,
    pub(super) prizes: Vec<U256>,
    pub(super) submit_until: u64,
    pub(super) judge_until: u64,
    pub(super) terms: B256,
}

pub(super) fn find(state: &mut impl Read, number: u64) -> Result<Hackathon, Failure> {
    let found = numbered(state, &HACKATHONS, number)?;
    found.ok_or_else(|| IIncentives::UnknownHackathon { hackathon: number }.into())
}

fn is_plan(plan: &Plan, now: u64) -> bool {
    let judges: BTreeSet<_> = plan.judges.iter().collect();
    (1..=MOST).contains(&plan.judges.len())
        && judges.len() == plan.judges.len()
        && (1..=MOST).contains(&plan.prizes.len())
        && plan.prizes.iter().rev().is_sorted()
        && plan.prizes.iter().all(|prize| !prize.is_zero())
        && now < plan.submit_until
        && plan.submit_until < plan.judge_until
        && plan.judge_until <= now.saturating_add(LONGEST)
}

/// Opens a hackathon and sets its prizes aside, the first the largest.
///
/// # Errors
/// `UnknownProgramme`, `OnlyManager`, `ProgrammeOver`, `InvalidPlan`, `BudgetExceeded`.
pub(super) fn open(state: &mut impl Write, caller: Address, plan: &Plan) -> Result<u64, Failure> {
    let programme = managed(state, caller, plan.programme)?;
    if !is_plan(plan, state.block().timestamp.0) {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    let total = sum(&plan.prizes)?;
    set_aside(state, plan.programme, programme, total)?;
    let hackathon = Hackathon {
        programme: plan.programme,
        submit_until: plan.submit_until,
        judge_until: plan.judge_until,
        prizes: u32::try_from(plan.prizes.len()).unwrap_or(u32::MAX),
        judges: u32::try_from(plan.judges.len()).unwrap_or(u32::MAX),
        left: total,
        terms: plan.terms,
        ..Hackathon::default()
    };
    let number = HACKATHONS.push(state, (), &hackathon)?.saturating_add(1);
    for (place, prize) in (0_u32..).zip(&plan.prizes) {
        PRIZES.set(state, (number, place), prize)?;
    }
    for judge in &plan.judges {
        JUDGES.set(state, (number, *judge), &Judge { is_judge: true, has_judged: false })?;
    }
    let event = IIncentives::HackathonOpened {
        hackathon: number,
        programme: plan.programme,
        prizes: U256::from(total),
        submitUntil: plan.submit_until,
        judgeUntil: plan.judge_until,
        terms: plan.terms,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// Enters a work; its event commits to it.
///
/// # Errors
/// `UnknownHackathon`, `TooLate`, `OwnInterest` for judges and the manager, who named them, `AlreadySubmitted`.
pub(super) fn submit(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    work: B256,
) -> Result<(), Failure> {
    let mut hackathon = find(state, number)?;
    if state.block().timestamp.0 >= hackathon.submit_until {
        return Err(IIncentives::TooLate { until: hackathon.submit_until }.into());
    }
    check_payee(caller)?;
    let manager = programme_of(state, hackathon.programme)?.manager;
    if caller == manager || JUDGES.get(state, (number, caller))?.is_judge {
        return Err(IIncentives::OwnInterest { account: caller }.into());
    }
    hackathon.entries = hackathon.entries.saturating_add(1);
    let place = hackathon.entries;
    ENTRIES.update(state, (number, caller), |entry| {
        if entry.place > 0 {
            return Err(IIncentives::AlreadySubmitted { account: caller }.into());
        }
        entry.place = place;
        Ok(())
    })?;
    keep(state, &HACKATHONS, number, &hackathon)?;
    state.emit(ADDRESS, IIncentives::Submitted { hackathon: number, entrant: caller, work })
}

/// Gives points to the best works, best first, once.
///
/// # Errors
/// `UnknownHackathon`, `OnlyJudge`, `TooEarly`, `TooLate`, `InvalidPlan` for more names than prizes or one
/// twice, `NotAnEntrant`.
pub(super) fn judge(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    ranking: Vec<Address>,
) -> Result<(), Failure> {
    let mut hackathon = find(state, number)?;
    let now = state.block().timestamp.0;
    let judge = JUDGES.get(state, (number, caller))?;
    if !judge.is_judge || judge.has_judged {
        return Err(IIncentives::OnlyJudge { hackathon: number, caller }.into());
    }
    if now < hackathon.submit_until {
        return Err(IIncentives::TooEarly { from: hackathon.submit_until }.into());
    }
    if now >= hackathon.judge_until {
        return Err(IIncentives::TooLate { until: hackathon.judge_until }.into());
    }
    let names: BTreeSet<_> = ranking.iter().collect();
    let most = usize::try_from(hackathon.prizes).unwrap_or(MOST);
    if names.len() != ranking.len() || ranking.len() > most {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    for (place, entrant) in (0_u64..).zip(&ranking) {
        let points = u64::from(hackathon.prizes).saturating_sub(place);
        let mut entry = ENTRIES.get(state, (number, *entrant))?;
        if entry.place == 0 {
            return Err(IIncentives::NotAnEntrant { account: *entrant }.into());
        }
        if entry.points == 0 {
            NAMED.push(state, number, entrant)?;
        }
        entry.points = entry.points.saturating_add(points);
        ENTRIES.replace(state, (number, *entrant), &entry)?;
    }
    JUDGES.replace(state, (number, caller), &Judge { is_judge: true, has_judged: true })?;
    hackathon.judged = hackathon.judged.saturating_add(1);
    keep(state, &HACKATHONS, number, &hackathon)?;
    state.emit(ADDRESS, IIncentives::Judged { hackathon: number, judge: caller, ranking })
}

/// Entrants with points, the best first: more points, then the earlier work.
fn ranked(state: &mut impl Read, number: u64) -> Result<Vec<Address>, Failure> {
    let mut found = Vec::new();
    for index in 0..NAMED.len(state, number)? {
        let entrant = NAMED.get(state, number, index)?;
        let entry = ENTRIES.get(state, (number, entrant))?;
        found.push((Reverse(entry.points), entry.place, entrant));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, _, entrant)| entrant).collect())
}

/// Pays the prizes; what nobody won goes back.
///
/// # Errors
/// `UnknownHackathon`, `AlreadyFinished`, `TooEarly` while judges may judge.
pub(super) fn finish(state: &mut impl Write, number: u64) -> Result<(), Failure> {
    let mut hackathon = find(state, number)?;
    if hackathon.is_finished {
        return Err(IIncentives::AlreadyFinished { hackathon: number }.into());
    }
    let is_judged = hackathon.judged == hackathon.judges;
    if !is_judged && state.block().timestamp.0 < hackathon.judge_until {
        return Err(IIncentives::TooEarly { from: hackathon.judge_until }.into());
    }
    hackathon.is_finished = true;
    let mut left = std::mem::take(&mut hackathon.left);
    keep(state, &HACKATHONS, number, &hackathon)?;
    for (place, winner) in (0..hackathon.prizes).zip(ranked(state, number)?) {
        let prize = units(PRIZES.get(state, (number, place))?)?;
        let rest = left.checked_sub(prize);
        left = rest.ok_or_else(|| Failure::Fatal("prizes exceed what was set aside".into()))?;
        pay(state, winner, prize)?;
        let amount = U256::from(prize);
        let event = IIncentives::PrizePaid { hackathon: number, winner, place, amount };
        state.emit(ADDRESS, event)?;
    }
    give_back(state, hackathon.programme, left)?;
    let returned = U256::from(left);
    state.emit(ADDRESS, IIncentives::HackathonFinished { hackathon: number, returned })
}

pub(super) fn shown(hackathon: &Hackathon) -> IIncentives::Hackathon {
    IIncentives::Hackathon {
        programme: hackathon.programme,
        submitUntil: hackathon.submit_until,
        judgeUntil: hackathon.judge_until,
        prizes: hackathon.prizes,
        judges: hackathon.judges,
        judged: hackathon.judged,
        entries: u32::try_from(hackathon.entries).unwrap_or(u32::MAX),
        isFinished: hackathon.is_finished,
        left: U256::from(hackathon.left),
        terms: hackathon.terms,
    }
}
