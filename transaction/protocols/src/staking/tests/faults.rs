//! Slashes: whom they reach, to the second and the unit.

use super::{evidence::report_to, *};

/// Proves whatever its bytes say.
struct Gullible;

impl Votes for Gullible {
    fn fault(&self, _: &[u8; 96], _: B256, evidence: &[u8]) -> Option<Fault> {
        evidence.first().map(|epoch| Fault { epoch: u64::from(*epoch) })
    }
}

pub(super) fn report(world: &mut Undo, validator: Address, evidence: &[u8]) -> Result<(), Failure> {
    let report = |state: &mut Undo| {
        report_to(state, REPORTER, (validator, 0), evidence, &Gullible).map(|()| Bytes::new())
    };
    world.atomically(report).map(drop)
}

#[test]
fn a_double_vote_costs_5_percent_less_a_bounty_and_the_seat_for_good() {
    let mut world = world(2, 1);
    join(&mut world, person(0), operator(0), 3_000 * COIN).unwrap();
    report(&mut world, operator(0), &[0]).unwrap();
    assert_eq!(shown(&mut world, operator(0)).stake, U256::from(3_800 * COIN));
    assert_eq!(held(&mut world, person(0), operator(0)).value, U256::from(2_850 * COIN));
    assert_eq!(world.held(REPORTER), 10 * COIN);
    assert_eq!(world.held(INCENTIVE_POOL), 190 * COIN);
    let again = report(&mut world, operator(0), &[0]);
    assert_eq!(again, Err(IStaking::ValidatorTombstoned { validator: operator(0) }.into()));
    later(&mut world, 1_000_000);
    let unjail = world.call(operator(0), STAKING, 0, &IStaking::unjailCall {}).map(drop);
    assert_eq!(unjail, Err(IStaking::ValidatorTombstoned { validator: operator(0) }.into()));
    let closed: Failure = IStaking::ValidatorClosed { validator: operator(0) }.into();
    assert_eq!(join(&mut world, person(0), operator(0), COIN), Err(closed));
    let next = world.call(REPORTER, STAKING, 0, &IStaking::nextSeatsCall {}).unwrap();
    assert_eq!(next.validators, [operator(1)]);
    check_books(&world.state);
}

#[test]
fn evidence_holds_as_long_as_anything_that_answers_for_it_is_here() {
    let mut world = world(3, 0);
    later(&mut world, DAY);
    next_epoch(&mut world);
    let fault = START + DAY;
    part(&mut world, operator(0), operator(0), 100 * COIN).unwrap();
    assert_eq!(
        report(&mut world, operator(1), &[2]),
        Err(IStaking::UnknownEpoch { epoch: 2 }.into())
    );
    let invalid: Failure = IStaking::InvalidEvidence {}.into();
    assert_eq!(report(&mut world, operator(1), &[]), Err(invalid.clone()));
    assert_eq!(report(&mut world, REPORTER, &[0]), Err(invalid));
    at(&mut world, fault + UNBONDING - 1);
    report(&mut world, operator(0), &[1]).unwrap();
    later(&mut world, 1);
    let expired = fault + UNBONDING;
    let too_old: Failure = IStaking::EvidenceTooOld { faultAt: fault, expiredAt: expired }.into();
    assert_eq!(report(&mut world, operator(1), &[1]), Err(too_old));
    assert_eq!(take(&mut world, operator(0), operator(0)), Ok(95 * COIN));
}

#[test]
fn i5_what_left_before_the_fault_keeps_everything_and_what_left_at_it_does_not() {
    let mut world = world(1, 3);
    for number in 0..3 {
        join(&mut world, person(number), operator(0), 100 * COIN).unwrap();
    }
    let fault = START + 1_000;
    for (number, time) in [(0, fault - 1), (1, fault), (2, fault + 1)] {
        at(&mut world, time);
        part(&mut world, person(number), operator(0), 100 * COIN).unwrap();
    }
    cut(&mut world, operator(0), 500, fault);
    later(&mut world, UNBONDING);
    let paid = [0, 1, 2].map(|number| take(&mut world, person(number), operator(0)).unwrap());
    assert_eq!(paid, [100 * COIN, 95 * COIN, 95 * COIN]);
    assert_eq!(held(&mut world, operator(0), operator(0)).value, U256::from(950 * COIN));
    assert_eq!(world.held(INCENTIVE_POOL), 60 * COIN);
}

#[test]
fn a_slash_that_came_before_is_not_paid_twice() {
    let mut world = world(1, 1);
    join(&mut world, person(0), operator(0), 100 * COIN).unwrap();
    cut(&mut world, operator(0), 500, START);
    part(&mut world, person(0), operator(0), 95 * COIN).unwrap();
    assert_eq!(apply(&mut world, person(0), operator(0)), 0);
    cut(&mut world, operator(0), 100, START);
    assert_eq!(apply(&mut world, person(0), operator(0)), 95 * COIN / 100);
    assert_eq!(apply(&mut world, person(0), operator(0)), 0);
}

#[test]
fn an_old_fault_reaches_what_went_over() {
    let mut world = world(2, 2);
    let [source, to] = [operator(0), operator(1)];
    for number in 0..2 {
        join(&mut world, person(number), source, 100 * COIN).unwrap();
    }
    at(&mut world, START + 999);
    over(&mut world, person(0), [source, to], 100 * COIN).unwrap();
    at(&mut world, START + 1_000);
    over(&mut world, person(1), [source, to], 100 * COIN).unwrap();
    cut(&mut world, source, 500, START + 1_000);
    assert_eq!(apply(&mut world, person(0), to), 0);
    assert_eq!(apply(&mut world, person(1), to), 5 * COIN);
    assert_eq!(held(&mut world, person(1), to).value, U256::from(95 * COIN));
    // A later fault of the same validator, about a time before both left.
    cut(&mut world, source, 100, START);
    at(&mut world, START + 1_000 + UNBONDING);
    part(&mut world, person(0), to, 99 * COIN).unwrap();
    assert_eq!(held(&mut world, person(0), to).shares, U256::ZERO, "paid before it moved");
    check_books(&world.state);
}

#[test]
fn many_old_faults_are_applied_in_several_calls() {
    let mut world = world(1, 1);
    join(&mut world, person(0), operator(0), 100 * COIN).unwrap();
    part(&mut world, person(0), operator(0), 100 * COIN).unwrap();
    for _ in 0..100 {
        cut(&mut world, operator(0), 10, START);
    }
    later(&mut world, UNBONDING);
    let (delegator, validator) = (person(0), operator(0));
    let pending: Failure = IStaking::SlashesPending { delegator, validator }.into();
    assert_eq!(take(&mut world, delegator, validator), Err(pending));
    let first = apply(&mut world, delegator, validator);
    let paid = take(&mut world, delegator, validator).unwrap();
    let mut left = 100 * COIN;
    for _ in 0..100 {
        left -= (left * 10).div_ceil(10_000);
    }
    assert!(first > 0 && paid == left, "{paid} of {left}");
}

pub(super) fn count(
    world: &mut Undo,
    present: &[Address],
    missed: &[Address],
) -> Result<(), Failure> {
    let (present, missed) = (present.to_vec(), missed.to_vec());
    let call = IStaking::participationCall { present, missed };
    world.call(SYSTEM_CALLER, STAKING, 0, &call).map(drop)
}

#[test]
fn downtime_costs_1_percent_when_more_than_half_of_a_full_window_is_missed() {
    let mut world = world(2, 0);
    let [down, up] = [operator(0), operator(1)];
    for block in 0..99 {
        // 50 absences of the first 99, then one more or none.
        let (present, missed) = if block < 50 { ([up], [down]) } else { ([down], [up]) };
        count(&mut world, &present, &missed).unwrap();
    }
    count(&mut world, &[down, up], &[]).unwrap();
    assert!(!shown(&mut world, down).isJailed, "50 of 100 may be missed");
    // The oldest of the window were absences: one in, one out.
    count(&mut world, &[up], &[down]).unwrap();
    assert!(!shown(&mut world, down).isJailed);
    for _ in 0..49 {
        count(&mut world, &[down], &[up]).unwrap();
    }
    assert!(!shown(&mut world, down).isJailed);
    assert!(shown(&mut world, up).isJailed, "51 of the last 100");
    let (until, stake) = (START + 600, shown(&mut world, up).stake);
    assert_eq!(stake, U256::from(990 * COIN));
    let unjail = IStaking::unjailCall {};
    at(&mut world, until - 1);
    let early: Failure = IStaking::JailedUntil { validator: up, until }.into();
    assert_eq!(world.call(up, STAKING, 0, &unjail).map(drop), Err(early));
    at(&mut world, until);
    world.call(up, STAKING, 0, &unjail).unwrap();
    let free: Failure = IStaking::NotJailed { validator: up }.into();
    assert_eq!(world.call(up, STAKING, 0, &unjail).map(drop), Err(free));
    count(&mut world, &[down], &[up]).unwrap();
    assert!(!shown(&mut world, up).isJailed, "a new window");
    let call = IStaking::participationCall { present: vec![], missed: vec![up] };
    let refused: Failure = IStaking::OnlySystemCaller { caller: down }.into();
    assert_eq!(world.call(down, STAKING, 0, &call).map(drop), Err(refused));
}

#[test]
fn bytes_that_prove_nothing_slash_nobody() {
    let mut world = world(1, 0);
    for evidence in [vec![], vec![7], vec![0; 300], vec![9; 1_000]] {
        let call = IStaking::reportDoubleSignCall {
            validator: operator(0),
            key: 0,
            evidence: evidence.into(),
        };
        let invalid: Failure = IStaking::InvalidEvidence {}.into();
        assert_eq!(world.call(REPORTER, STAKING, 0, &call).map(drop), Err(invalid));
    }
}
