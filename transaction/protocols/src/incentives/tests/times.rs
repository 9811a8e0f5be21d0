//! Every window of a programme, to the second.

use super::*;

fn at(world: &mut Undo, time: u64) {
    world.state.block.timestamp = Timestamp(time);
}

fn refuses<C: SolCall>(world: &mut Undo, who: Address, call: &C, error: impl Into<Failure>) {
    assert_eq!(ask(world, who, call).map(drop), Err(error.into()));
}

fn allows<C: SolCall>(world: &mut Undo, who: Address, call: &C) {
    ask(world, who, call).unwrap();
    check_books(world);
}

/// A grant of one milestone, due after 30 days.
fn running(world: &mut Undo) -> u64 {
    let number = ask(world, person(0), &grant(1, &[100], &[30], START)).unwrap();
    let approve = IIncentives::approveGrantCall { grant: number, reviewer: REVIEWER };
    allows(world, MANAGER, &approve);
    number
}

#[test]
fn a_delivery_is_taken_until_the_second_before_it_is_due() {
    let due = START + 30 * DAY;
    let mut world = world();
    let grant = running(&mut world);
    let call = IIncentives::deliverCall { grant, evidence: B256::ZERO };
    at(&mut world, due);
    refuses(&mut world, person(0), &call, IIncentives::TooLate { until: due });
    at(&mut world, due - 1);
    allows(&mut world, person(0), &call);
}

#[test]
fn silence_pays_after_fourteen_days_to_the_second() {
    let mut world = world();
    let grant = running(&mut world);
    at(&mut world, START + 7);
    allows(&mut world, person(0), &IIncentives::deliverCall { grant, evidence: B256::ZERO });
    let (call, from) = (IIncentives::settleReviewCall { grant }, START + 7 + REVIEW);
    at(&mut world, from - 1);
    refuses(&mut world, person(5), &call, IIncentives::TooEarly { from });
    at(&mut world, from);
    allows(&mut world, person(5), &call);
    assert_eq!(world.held(person(0)), 100 * COIN);
}

#[test]
fn anyone_ends_a_grant_from_the_second_at_which_it_is_overdue() {
    let due = START + 30 * DAY;
    let mut world = world();
    let grant = running(&mut world);
    let call = IIncentives::endGrantCall { grant };
    at(&mut world, due - 1);
    refuses(&mut world, person(5), &call, IIncentives::TooEarly { from: due });
    at(&mut world, due);
    allows(&mut world, person(5), &call);
    assert_eq!(left(&mut world, 1), 1_000);
}

#[test]
fn works_and_judgements_have_their_times() {
    let (submit, judge) = (START + 10 * DAY, START + 12 * DAY);
    let mut world = world();
    let open = IIncentives::openHackathonCall {
        programme: 1,
        judges: vec![person(8), person(9)],
        prizes: coins(&[10]),
        submitUntil: submit,
        judgeUntil: judge,
        terms: B256::ZERO,
    };
    let hackathon = ask(&mut world, MANAGER, &open).unwrap();
    let enter = IIncentives::submitCall { hackathon, work: B256::ZERO };
    let say = IIncentives::judgeCall { hackathon, ranking: vec![person(1)] };
    at(&mut world, submit - 1);
    refuses(&mut world, person(8), &say, IIncentives::TooEarly { from: submit });
    allows(&mut world, person(1), &enter);
    at(&mut world, submit);
    refuses(&mut world, person(2), &enter, IIncentives::TooLate { until: submit });
    allows(&mut world, person(8), &say);
    let finish = IIncentives::finishCall { hackathon };
    at(&mut world, judge - 1);
    refuses(&mut world, person(5), &finish, IIncentives::TooEarly { from: judge });
    at(&mut world, judge);
    refuses(&mut world, person(9), &say, IIncentives::TooLate { until: judge });
    allows(&mut world, person(5), &finish);
    assert_eq!(world.held(person(1)), 10 * COIN);
}

#[test]
fn a_programme_spends_until_the_second_before_its_end_and_closes_from_it_on() {
    let end = START + 365 * DAY;
    let mut world = world();
    let close = IIncentives::closeProgrammeCall { programme: 1 };
    at(&mut world, end - 1);
    refuses(&mut world, person(5), &close, IIncentives::TooEarly { from: end });
    allows(&mut world, person(0), &grant(1, &[1], &[30], end));
    at(&mut world, end);
    let late = grant(1, &[1], &[30], end);
    refuses(&mut world, person(0), &late, IIncentives::ProgrammeOver { programme: 1 });
    let approve = IIncentives::approveGrantCall { grant: 1, reviewer: REVIEWER };
    refuses(&mut world, MANAGER, &approve, IIncentives::ProgrammeOver { programme: 1 });
    allows(&mut world, person(5), &close);
}

#[test]
fn a_round_pays_until_the_second_before_it_closes() {
    let closes = START + 30 * DAY;
    let mut world = world();
    let award = Award {
        index: 0,
        account: person(1),
        asset: 0,
        fees: U256::ZERO,
        amount: U256::from(5 * COIN),
    };
    let leaf = IIncentives::awardLeafCall { round: 1, award: award.clone() };
    let open = IIncentives::openRoundCall {
        programme: 1,
        root: ask(&mut world, person(5), &leaf).unwrap(),
        total: U256::from(9 * COIN),
        closesAt: closes,
        isByUsage: false,
        terms: B256::ZERO,
    };
    allows(&mut world, MANAGER, &open);
    let claim = IIncentives::claimCall { round: 1, award, proof: Vec::new() };
    let close = IIncentives::closeRoundCall { round: 1 };
    at(&mut world, closes);
    refuses(&mut world, person(5), &claim, IIncentives::TooLate { until: closes });
    at(&mut world, closes - 1);
    refuses(&mut world, person(5), &close, IIncentives::TooEarly { from: closes });
    allows(&mut world, person(5), &claim);
    at(&mut world, closes);
    allows(&mut world, person(5), &close);
    assert_eq!((world.held(person(1)) / COIN, left(&mut world, 1)), (5, 995));
}

#[test]
fn no_coin_is_locked_up_for_longer_than_a_year() {
    let mut world = world();
    let hackathon = |judge_until| IIncentives::openHackathonCall {
        programme: 1,
        judges: vec![person(8)],
        prizes: coins(&[10]),
        submitUntil: START + 10 * DAY,
        judgeUntil: judge_until,
        terms: B256::ZERO,
    };
    let round = |closes_at| IIncentives::openUsageRoundCall {
        programme: 1,
        total: U256::from(10 * COIN),
        countUntil: START + 10 * DAY,
        closesAt: closes_at,
        terms: B256::ZERO,
    };
    let last = START + LONGEST;
    for late in [last + 1, u64::MAX] {
        refuses(&mut world, MANAGER, &hackathon(late), IIncentives::InvalidPlan {});
        refuses(&mut world, MANAGER, &round(late), IIncentives::InvalidPlan {});
    }
    allows(&mut world, MANAGER, &hackathon(last));
    allows(&mut world, MANAGER, &round(last));
    // Nobody judged and nobody counted: all of it is back in the programme.
    at(&mut world, last);
    allows(&mut world, person(5), &IIncentives::finishCall { hackathon: 1 });
    allows(&mut world, person(5), &IIncentives::closeUsageRoundCall { round: 1 });
    assert_eq!(left(&mut world, 1), 1_000);
}
