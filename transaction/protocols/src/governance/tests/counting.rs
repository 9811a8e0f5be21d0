//! Counting against fractions, and the agenda against a sorted map.

use super::{
    super::{agenda, counting::quorum, words::Tally},
    *,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn rules() -> Rules {
    Rules::default_of(Kind::Parameter)
}

/// Compares `a / b` with `points / 10,000` in wide numbers.
fn compare(a: u128, points: u16, b: u128) -> std::cmp::Ordering {
    (U256::from(a) * U256::from(10_000)).cmp(&(U256::from(b) * U256::from(points)))
}

proptest! {
    #[test]
    fn i2_a_verdict_is_exact(
        votes in any::<[u128; 4]>().prop_map(|votes| votes.map(|part| part >> 36)),
        close in 0_u8..4,
        nudge in 0_u128..3,
        all in 1_u128..1 << 93,
    ) {
        let mut votes = votes;
        // At the border as often as anywhere.
        let [against, _, _, vetoed] = votes;
        match close {
            0 => votes = [0, (quorum(all, 3_340) + nudge).saturating_sub(1), 0, 0],
            1 => votes[1] = (against + vetoed + nudge).saturating_sub(1),
            2 => votes = [against, 2 * against, 0, (against * 3 * 334 / 666 + nudge).saturating_sub(1)],
            _ => {}
        }
        let tally = Tally { votes, all, counted_at: 1 };
        let [against, in_favour, abstained, vetoed] = votes;
        let cast = against + in_favour + abstained + vetoed;
        let expected = if cast == 0 || compare(cast, 3_340, all).is_lt() {
            Verdict::NoQuorum
        } else if compare(vetoed, 3_340, cast).is_gt() {
            Verdict::Vetoed
        } else if compare(in_favour, 5_000, against + in_favour + vetoed).is_gt() {
            Verdict::Passed
        } else {
            Verdict::Rejected
        };
        prop_assert_eq!(tally.verdict(&rules()), expected);
    }

    #[test]
    fn the_agenda_gives_the_earliest_first(steps in proptest::collection::vec((any::<bool>(), 0_u64..50), 1..120)) {
        let (mut world, mut model) = (Undo::default(), BTreeSet::new());
        for (number, (is_push, time)) in (0_u64..).zip(steps) {
            if is_push {
                agenda::push(&mut world, time, number).unwrap();
                model.insert((time, number));
            } else {
                let first = model.first().copied();
                let due = agenda::due(&mut world, time).unwrap();
                prop_assert_eq!(due, first.filter(|(at, _)| *at <= time).map(|(_, number)| number));
                if due.is_some() {
                    agenda::pop(&mut world).unwrap();
                    model.pop_first();
                }
            }
        }
    }
}

#[test]
fn the_quorum_is_the_least_number_that_reaches_it() {
    for all in [1, 2, 3, 2_994, 2_995, 10_000, 10_001, (1 << 93) - 1] {
        let needed = quorum(all, 3_340);
        let with =
            |votes: u128| Tally { votes: [0, votes, 0, 0], all, counted_at: 1 }.verdict(&rules());
        assert_eq!(with(needed), Verdict::Passed, "{all}");
        assert_eq!(with(needed - 1), Verdict::NoQuorum, "{all}");
    }
}

#[test]
fn vetoes_without_a_quorum_take_no_deposit() {
    let tally = Tally { votes: [0, 0, 0, 33], all: 100, counted_at: 1 };
    assert_eq!(tally.verdict(&rules()), Verdict::NoQuorum);
    let tally = Tally { votes: [0, 0, 0, 34], all: 100, counted_at: 1 };
    assert_eq!(tally.verdict(&rules()), Verdict::Vetoed);
}

#[test]
fn defaults_are_valid_and_the_strictest_wins() {
    for kind in KINDS {
        assert!(Rules::default_of(kind).is_valid(), "{kind:?}");
    }
    let mixed = Rules::default_of(Kind::Emergency).stricter(Rules::default_of(Kind::Treasury));
    let (period, timelock) = (u32::try_from(2 * DAY).unwrap(), u32::try_from(2 * DAY).unwrap());
    assert_eq!((mixed.period, mixed.timelock, mixed.threshold), (period, timelock, 6_670));
    assert_eq!(mixed.deposit, 10_000 * COIN);
    let quick = quick(5, STRANGER);
    let mut world = Undo::default();
    world.atomically(|state| found(state, &quick).map(|()| Bytes::new())).unwrap();
    let rules = ask(&mut world, &IGovernance::rulesOfCall { kind: Kind::Upgrade });
    assert_eq!((rules.delay, rules.period, rules.timelock), (5, 20, 5));
}
