//! Turns: every seat leads once in each round of them.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256};
use commonware_consensus::{
    simplex::elector::{Config as _, Elector as _},
    types::{Epoch, Round, View},
};
use commonware_utils::ordered::Set;
use sahara_chain::consensus::{Leaders, Schedule};
use sahara_finality::ValidatorKeys;

fn schedule(seats: u8, seed: u8) -> Schedule {
    let key = |index| ValidatorKeys::from_secret(&[index; 32]).unwrap().validator(Address::ZERO);
    let keys = Set::from_iter_dedup((1..=seats).map(|index| key(index).network_key));
    Leaders { seed: B256::repeat_byte(seed) }.build(&keys)
}

/// Who leads at `place` in a round of turns.
fn seat(schedule: &Schedule, seats: u64, cycle: u64, place: u64) -> u32 {
    let view = View::new(cycle * seats + place + 1);
    schedule.elect(Round::new(Epoch::new(3), view), ()).get()
}

#[test]
fn every_seat_leads_once_in_each_round_of_turns() {
    for seats in [1, 2, 3, 4, 7, 40] {
        let schedule = schedule(seats, 3);
        let count = u64::from(seats);
        for cycle in 0..20 {
            let leaders: BTreeSet<_> =
                (0..count).map(|place| seat(&schedule, count, cycle, place)).collect();
            assert_eq!(leaders, (0..u32::from(seats)).collect());
        }
    }
}

#[test]
fn the_order_depends_on_seed_and_round() {
    let order = |seed, cycle| {
        let schedule = schedule(30, seed);
        (0..30).map(|place| seat(&schedule, 30, cycle, place)).collect::<Vec<_>>()
    };
    assert_ne!(order(1, 0), order(2, 0));
    assert_ne!(order(1, 0), order(1, 1));
    assert_eq!(order(1, 1), order(1, 1));
}

#[test]
fn no_seat_is_preferred_for_a_place() {
    let schedule = schedule(8, 5);
    let mut first = BTreeMap::<u32, usize>::new();
    for cycle in 0..4_000 {
        *first.entry(seat(&schedule, 8, cycle, 0)).or_default() += 1;
    }
    // 500 each, with a standard deviation of 21.
    assert!(first.values().all(|count| (400..600).contains(count)), "{first:?}");
}
