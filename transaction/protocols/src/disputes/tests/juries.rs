//! Who is drawn, and what jurors say.

use super::*;
use std::collections::BTreeMap;

#[test]
fn i4_parties_and_who_came_later_are_never_drawn() {
    for round in 0..30 {
        let mut world = world(3);
        world.state.block.number += round * 1_000;
        let asset = asset(&mut world, &[], false);
        let complaint = file(&mut world, asset, 100 * COIN).unwrap();
        // She would fill the list, in the second of the filing and after it.
        let join = IStaking::delegateCall { validator: VALIDATOR };
        world.call(PAYER, STAKING, 50_000 * COIN, &join).unwrap();
        ask(&mut world, PAYER, &IDisputes::enlistCall { places: MAX_PLACES }).unwrap();
        until(&mut world, complaint, ANSWER);
        let jurors = jury(&mut world, complaint);
        let seats: u32 = jurors.iter().map(|juror| juror.seats).sum();
        assert_eq!(seats, JURY);
        let may_sit: Vec<_> = (0..3).map(juror).collect();
        assert!(jurors.iter().all(|juror| may_sit.contains(&juror.account)));
    }
}

#[test]
fn i4_a_place_that_was_left_and_taken_again_does_not_count() {
    let mut world = world(2);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    for number in 0..2 {
        ask(&mut world, juror(number), &IDisputes::dischargeCall {}).unwrap();
        ask(&mut world, juror(number), &IDisputes::enlistCall { places: 1 }).unwrap();
    }
    until(&mut world, complaint, ANSWER);
    assert!(jury(&mut world, complaint).is_empty());
    assert_eq!(shown(&mut world, complaint).seats, 0);
    until(&mut world, complaint, APPEAL);
    let before = world.held(VICTIM);
    close(&mut world, complaint).unwrap();
    assert_eq!(world.held(VICTIM) - before, 100 * COIN, "nobody judged, nobody pays");
}

#[test]
fn i4_whose_stake_left_loses_its_places() {
    let mut world = world(2);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    let amount = U256::from(COIN);
    let leave = IStaking::undelegateCall { validator: VALIDATOR, amount };
    world.call(juror(0), STAKING, 0, &leave).unwrap();
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    assert_eq!((jurors.len(), jurors[0].account), (1, juror(1)));
    let places = IDisputes::placesOfCall { juror: juror(0) };
    assert_eq!(ask(&mut world, PAYER, &places), Ok(0));
}

#[test]
fn seats_are_drawn_by_places() {
    // One with nine places among nine with one each: about half of all seats.
    let mut world = world(9);
    let join = IStaking::delegateCall { validator: VALIDATOR };
    world.call(juror(0), STAKING, 8_000 * COIN, &join).unwrap();
    ask(&mut world, juror(0), &IDisputes::enlistCall { places: 8 }).unwrap();
    pass(&mut world, 1);
    let mut drawn = BTreeMap::<Address, u32>::new();
    let rounds = 200;
    let assets: Vec<_> = (0..rounds).map(|_| asset(&mut world, &[], false)).collect();
    for asset in assets {
        file(&mut world, asset, 100 * COIN).unwrap();
    }
    pass(&mut world, ANSWER);
    for complaint in 1..=rounds {
        // One jury a block, in the order of filing.
        let jurors = jury(&mut world, complaint);
        assert!(!jurors.is_empty(), "complaint {complaint}");
        for juror in jurors {
            *drawn.entry(juror.account).or_default() += juror.seats;
        }
        pass(&mut world, 1);
    }
    let all = u32::try_from(rounds).unwrap() * JURY;
    assert_eq!(drawn.values().sum::<u32>(), all);
    // 9 of 17: 741 of 1,400; six standard deviations are 112.
    let large = drawn[&juror(0)];
    assert!(large.abs_diff(all * 9 / 17) < 112, "{large}");
}

#[test]
fn i5_a_juror_says_once_what_it_committed_to() {
    let mut world = world(9);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    until(&mut world, complaint, ANSWER);
    let first = jury(&mut world, complaint)[0].account;
    let nobody: Failure = IDisputes::OnlyJuror { complaint, caller: PAYER }.into();
    assert_eq!(promise(&mut world, complaint, PAYER, true), Err(nobody));
    promise(&mut world, complaint, first, true).unwrap();
    promise(&mut world, complaint, first, false).unwrap();
    let early = IDisputes::WrongPhase { complaint, phase: Phase::Committing };
    assert_eq!(reveal(&mut world, complaint, first, false), Err(early.into()));
    until(&mut world, complaint, COMMIT);
    let wrong: Failure = IDisputes::WrongReveal { complaint, juror: first }.into();
    assert_eq!(reveal(&mut world, complaint, first, true), Err(wrong.clone()));
    let second = jury(&mut world, complaint)[1].account;
    assert!(reveal(&mut world, complaint, second, true).is_err(), "it committed to nothing");
    reveal(&mut world, complaint, first, false).unwrap();
    assert_eq!(reveal(&mut world, complaint, first, false), Err(wrong));
    let late = IDisputes::WrongPhase { complaint, phase: Phase::Revealing };
    assert_eq!(promise(&mut world, complaint, second, true), Err(late.into()));
    let shown = shown(&mut world, complaint);
    assert_eq!((shown.forIt, shown.ruling), (0, Ruling::Open));
    assert!(shown.against > 0);
}

#[test]
fn a_commitment_is_of_one_juror_one_complaint_and_one_word() {
    let mut world = world(1);
    let mut seen = std::collections::BTreeSet::new();
    for (complaint, who, is_upheld) in
        [(1, juror(0), true), (2, juror(0), true), (1, juror(1), true), (1, juror(0), false)]
    {
        let call =
            IDisputes::commitmentOfCall { complaint, juror: who, isUpheld: is_upheld, salt: SALT };
        assert!(seen.insert(ask(&mut world, PAYER, &call).unwrap()));
    }
}

#[test]
fn a_place_needs_its_own_coin() {
    let mut world = world(1);
    let few = |votes: u128, needed: u128| {
        Failure::from(IDisputes::TooFewVotes {
            votes: U256::from(votes * COIN),
            needed: U256::from(needed * COIN),
        })
    };
    let one = IDisputes::enlistCall { places: 1 };
    assert_eq!(ask(&mut world, juror(0), &one).map(drop), Err(few(1_000, 2_000)));
    assert_eq!(ask(&mut world, PAYER, &one).map(drop), Err(few(0, 1_000)));
    let many: Failure = IDisputes::TooManyPlaces { most: MAX_PLACES }.into();
    let too_many = IDisputes::enlistCall { places: MAX_PLACES };
    assert_eq!(ask(&mut world, juror(0), &too_many).map(drop), Err(many.clone()));
    assert_eq!(ask(&mut world, PAYER, &IDisputes::enlistCall { places: 0 }).map(drop), Err(many));
}
