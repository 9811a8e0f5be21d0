//! Who is drawn, and what jurors say.

mod draws;

use super::*;
use std::collections::BTreeMap;

#[test]
fn i4_parties_and_who_came_later_are_never_drawn() {
    for round in 0..30 {
        let mut world = world(5);
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
        let may_sit: Vec<_> = (0..5).map(juror).collect();
        assert!(jurors.iter().all(|juror| may_sit.contains(&juror.account) && juror.seats <= 2));
        assert_eq!(jurors.len(), 5);
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

/// An account with so many places, all of its stake behind one validator.
fn seated(world: &mut Undo, who: Address, places: u32) {
    world.state.fund(who, Amount::from_u128(100_000 * COIN));
    let join = IStaking::delegateCall { validator: VALIDATOR };
    world.call(who, STAKING, u128::from(places) * 1_000 * COIN, &join).unwrap();
    ask(world, who, &IDisputes::enlistCall { places }).unwrap();
}

fn unseat(world: &mut Undo, who: Address) {
    let amount = U256::from(COIN);
    let leave = IStaking::undelegateCall { validator: VALIDATOR, amount };
    world.call(who, STAKING, 0, &leave).unwrap();
}

#[test]
fn i4_whose_stake_left_loses_its_places() {
    let mut world = world(6);
    // Most of all places, so that it is looked at.
    seated(&mut world, juror(0), 15);
    pass(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    unseat(&mut world, juror(0));
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    assert_eq!(jurors.len(), 5);
    assert!(jurors.iter().all(|one| one.account != juror(0)));
    let places = IDisputes::placesOfCall { juror: juror(0) };
    assert_eq!(ask(&mut world, PAYER, &places), Ok(0));
}

#[test]
fn i4_no_jury_has_fewer_than_five_jurors() {
    for (jurors, sits) in [(1, false), (4, false), (5, true)] {
        let mut world = world(0);
        for who in [OWNER, VICTIM] {
            ask(&mut world, who, &IDisputes::dischargeCall {}).unwrap();
        }
        for number in 0..jurors {
            seated(&mut world, juror(number), MAX_PLACES);
        }
        pass(&mut world, 1);
        let asset = asset(&mut world, &[], false);
        let complaint = file(&mut world, asset, 100 * COIN).unwrap();
        until(&mut world, complaint, ANSWER);
        let drawn = jury(&mut world, complaint);
        assert_eq!(drawn.len(), if sits { 5 } else { 0 });
        assert!(drawn.iter().all(|one| one.seats <= 2));
        until(&mut world, complaint, APPEAL);
        let before = world.held(VICTIM);
        close(&mut world, complaint).unwrap();
        assert_eq!(events::<IDisputes::Closed>(&world)[0].ruling, Ruling::Open);
        assert_eq!(world.held(VICTIM) - before, 100 * COIN, "nobody judged, nobody pays");
    }
}

#[test]
fn i4_a_list_behind_which_too_little_stands_is_no_jury_and_governance_decides() {
    for (beyond, sits) in [(0, true), (1, false)] {
        let mut world = world(5);
        // Seven places, the parties' with them, stand for seven million.
        let join = IStaking::delegateCall { validator: VALIDATOR };
        let more = (7_000_000 - 107_000 + beyond) * COIN;
        world.call(VALIDATOR, STAKING, more, &join).unwrap();
        pass(&mut world, 1);
        let asset = asset(&mut world, &[], false);
        let complaint = file(&mut world, asset, 100 * COIN).unwrap();
        // What is bonded later changes nothing.
        world.call(VALIDATOR, STAKING, 1_000_000 * COIN, &join).unwrap();
        until(&mut world, complaint, ANSWER);
        assert_eq!(jury(&mut world, complaint).is_empty(), !sits);
        if sits {
            continue;
        }
        until(&mut world, complaint, REVEAL);
        assert_eq!(shown(&mut world, complaint).ruling, Ruling::Open);
        let appeal = IDisputes::appealCall { complaint, reason: B256::repeat_byte(4) };
        world.call(VICTIM, DISPUTES, 100 * COIN, &appeal).unwrap();
        let decide = IDisputes::decideCall { complaint, isUpheld: true };
        ask(&mut world, GOVERNANCE, &decide).unwrap();
        close(&mut world, complaint).unwrap();
        assert_eq!(events::<IDisputes::Closed>(&world)[0].ruling, Ruling::Upheld);
        check_books(&world);
    }
}

#[test]
fn i4_stale_places_put_a_jury_off_by_blocks_and_do_not_end_it() {
    let mut world = world(0);
    let honest: Vec<_> = (0..5).map(juror).collect();
    let stale: Vec<_> = (0..40).map(|number| juror(60 + number)).collect();
    for who in honest.iter().chain(&stale) {
        seated(&mut world, *who, MAX_PLACES);
    }
    pass(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    for who in &stale {
        unseat(&mut world, *who);
    }
    until(&mut world, complaint, ANSWER);
    let mut blocks = 0;
    while jury(&mut world, complaint).is_empty() {
        assert!(blocks < 8, "forty are gone after seven blocks of six each");
        pass(&mut world, 1);
        blocks += 1;
    }
    assert!(blocks > 0, "one block takes six of them off the list");
    let jurors = jury(&mut world, complaint);
    assert!(jurors.len() == 5 && jurors.iter().all(|one| honest.contains(&one.account)));
}

#[test]
fn i4_a_draw_that_finds_only_stale_places_ends_after_half_a_day() {
    for (offset, goes_on) in [(ANSWER, true), (DRAWING, false)] {
        let mut world = world(0);
        let stale: Vec<_> = (0..8).map(juror).collect();
        for who in &stale {
            seated(&mut world, *who, MAX_PLACES);
        }
        pass(&mut world, 1);
        let asset = asset(&mut world, &[], false);
        let complaint = file(&mut world, asset, 100 * COIN).unwrap();
        for who in &stale {
            unseat(&mut world, *who);
        }
        until(&mut world, complaint, offset);
        assert_eq!(events::<IDisputes::Discharged>(&world).len(), 6);
        pass(&mut world, 1);
        assert_eq!(events::<IDisputes::Discharged>(&world).is_empty(), !goes_on);
        assert!(jury(&mut world, complaint).is_empty());
    }
}

#[test]
fn places_at_the_end_that_nobody_has_are_taken_off_the_list() {
    let mut world = world(0);
    let places = |world: &mut Undo| ask(world, PAYER, &IDisputes::countsCall {}).unwrap().places;
    for number in 0..4 {
        seated(&mut world, juror(number), MAX_PLACES);
    }
    assert_eq!(places(&mut world), 2 + 4 * 16);
    let mut expected = Vec::new();
    // Those in the middle are free first; the last then takes them off as well, as far as it reaches.
    for number in [1, 3, 0, 2] {
        ask(&mut world, juror(number), &IDisputes::dischargeCall {}).unwrap();
        expected.push(places(&mut world));
        if number == 3 {
            // A free place is taken before the list becomes longer.
            ask(&mut world, juror(2), &IDisputes::dischargeCall {}).unwrap();
            ask(&mut world, juror(2), &IDisputes::enlistCall { places: 16 }).unwrap();
        }
    }
    assert_eq!((expected[0], expected[1]), (66, 50));
    for number in 0..4 {
        seated(&mut world, juror(number), MAX_PLACES);
        let of = IDisputes::placesOfCall { juror: juror(number) };
        assert_eq!(ask(&mut world, PAYER, &of), Ok(16));
    }
    assert_eq!(places(&mut world), 2 + 4 * 16, "every place is somebody's");
}

#[test]
fn i4_who_owned_the_asset_at_the_filing_is_a_party_for_ever() {
    let mut world = world(5);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    let call = IAssets::transferFromCall { from: OWNER, to: PAYER, tokenId: U256::from(asset) };
    world.call(OWNER, ASSETS, 0, &call).unwrap();
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    assert!(jurors.len() == 5 && jurors.iter().all(|one| one.account != OWNER));
}

#[test]
fn seats_are_drawn_by_places_and_no_more_than_two_of_one_juror() {
    // One with nine places among nine with one each.
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
        assert!(jurors.len() >= 5, "complaint {complaint}");
        for juror in jurors {
            assert!(juror.seats <= 2);
            *drawn.entry(juror.account).or_default() += juror.seats;
        }
        pass(&mut world, 1);
    }
    let all = u32::try_from(rounds).unwrap() * JURY;
    assert_eq!(drawn.values().sum::<u32>(), all);
    // Nine of 17 places: two seats of nearly every jury; the rest is the others' alike.
    let large = drawn[&juror(0)];
    assert!((370..=400).contains(&large), "{large}");
    let others = (all - large) / 8;
    // Six standard deviations of 200 draws of a share of five eighths.
    for number in 1..9 {
        let seats = drawn[&juror(number)];
        assert!(seats.abs_diff(others) < 60, "{seats} of {others}");
    }
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

/// What each juror does, in every combination: nothing, say yes, say no.
fn all_said(jurors: usize) -> impl Iterator<Item = Vec<Option<bool>>> {
    let count = 3_usize.pow(u32::try_from(jurors).unwrap());
    (0..count).map(move |number| {
        let word = |juror| [None, Some(true), Some(false)][number / 3_usize.pow(juror) % 3];
        (0..u32::try_from(jurors).unwrap()).map(word).collect()
    })
}

#[test]
fn i5_a_ruling_has_more_than_half_of_all_seats_behind_it_whoever_is_silent() {
    let mut world = world(5);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    until(&mut world, complaint, ANSWER);
    let jurors = jury(&mut world, complaint);
    let committing = world.state.clone();
    let mut counted = BTreeMap::<&str, u32>::new();
    for said in all_said(jurors.len()) {
        world.state = committing.clone();
        let spoken: Vec<_> =
            jurors.iter().zip(&said).filter_map(|(one, said)| Some((one, (*said)?))).collect();
        for (one, is_upheld) in &spoken {
            promise(&mut world, complaint, one.account, *is_upheld).unwrap();
        }
        until(&mut world, complaint, COMMIT);
        for (one, is_upheld) in &spoken {
            reveal(&mut world, complaint, one.account, *is_upheld).unwrap();
        }
        until(&mut world, complaint, REVEAL);
        let side = |wanted: bool| -> u32 {
            spoken.iter().filter(|(_, said)| *said == wanted).map(|(one, _)| one.seats).sum()
        };
        let (expected, what) = match (side(true), side(false)) {
            (4.., _) => (Ruling::Upheld, "upheld"),
            (_, 4..) => (Ruling::Dismissed, "dismissed"),
            // More than the others are not enough where seats are silent.
            (3, 0..=2) | (0..=2, 3) => (Ruling::Open, "the larger of two small sides"),
            _ => (Ruling::Open, "open"),
        };
        assert_eq!(shown(&mut world, complaint).ruling, expected, "{said:?}");
        *counted.entry(what).or_default() += 1;
    }
    assert_eq!(counted.len(), 4, "{counted:?}");
    assert_eq!(counted["upheld"], counted["dismissed"]);
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
