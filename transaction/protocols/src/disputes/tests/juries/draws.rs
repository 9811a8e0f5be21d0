//! How a jury is drawn, place by place; and what part of the list makes how much of a jury.

use super::*;
use alloy_primitives::keccak256;
use alloy_sol_types::SolValue;
use std::collections::BTreeSet;

/// Accounts with so many places each, one after the other: first the attacker's, then everyone else's.
struct List {
    world: Undo,
    places: Vec<Address>,
    attackers: BTreeSet<Address>,
}

fn list(attackers: (usize, u32), others: (usize, u32)) -> (List, u64) {
    let mut world = world(0);
    let mut places = vec![OWNER, VICTIM];
    let rows = std::iter::repeat_n(attackers.1, attackers.0);
    let rows = rows.chain(std::iter::repeat_n(others.1, others.0));
    for (number, count) in rows.enumerate() {
        let who = juror(number);
        world.state.fund(who, Amount::from_u128(100_000 * COIN));
        let join = IStaking::delegateCall { validator: VALIDATOR };
        world.call(who, STAKING, u128::from(count) * 1_000 * COIN, &join).unwrap();
        ask(&mut world, who, &IDisputes::enlistCall { places: count }).unwrap();
        places.extend((0..count).map(|_| who));
    }
    pass(&mut world, 1);
    let asset = asset(&mut world, &[], false);
    let complaint = file(&mut world, asset, 100 * COIN).unwrap();
    let attackers = (0..attackers.0).map(juror).collect();
    (List { world, places, attackers }, complaint)
}

/// The chain's draw in a block of this randomness.
fn drawn(list: &mut List, number: u64, randomness: u64) -> Vec<Address> {
    list.world.state.block.randomness = B256::from(U256::from(randomness));
    let complaint = storage::COMPLAINTS.get(&mut list.world, (), number - 1).unwrap();
    match jury::candidates(&mut list.world, number, &complaint).unwrap() {
        jury::Draw::Jury(jurors) => jurors,
        jury::Draw::Nobody | jury::Draw::Cleaned => Vec::new(),
    }
}

/// The draw as the spec says it, from a plain list.
fn by_hand(list: &List, number: u64, randomness: u64) -> Vec<Address> {
    let seed = keccak256((B256::from(U256::from(randomness)), number).abi_encode());
    let mut seats: Vec<Address> = Vec::new();
    for look in 0..512_u64 {
        let word = U256::from_be_bytes(keccak256((seed, look).abi_encode()).0);
        let place: usize = (word % U256::from(list.places.len())).to();
        let who = list.places[place];
        let own = seats.iter().filter(|one| **one == who).count();
        let second = seats.len() - seats.iter().collect::<BTreeSet<_>>().len();
        let may_sit = who != OWNER && who != VICTIM;
        if may_sit && seats.len() < 7 && (own == 0 || own == 1 && second < 2) {
            seats.push(who);
        }
    }
    let jurors = seats.iter().collect::<BTreeSet<_>>().len();
    if jurors < 5 { Vec::new() } else { seats }
}

#[test]
fn i4_a_draw_is_what_the_spec_says_place_by_place() {
    for (attackers, others) in
        [((12, 1), (36, 1)), ((20, 1), (5, 16)), ((3, 16), (3, 2)), ((1, 16), (3, 16))]
    {
        let (mut list, complaint) = list(attackers, others);
        for randomness in 0..500 {
            let expected = by_hand(&list, complaint, randomness);
            assert_eq!(drawn(&mut list, complaint, randomness), expected, "{randomness}");
        }
    }
}

/// Accounts of one side and the places of each.
#[derive(Clone, Copy)]
struct Side {
    accounts: f64,
    places: f64,
}

/// Exactly how likely the first side has more than half of seven seats: by who is seated next, in
/// proportion to the places of those who may be. `seated` counts accounts and second seats of both sides.
fn captured(sides: [Side; 2], seated: [(f64, f64); 2]) -> f64 {
    let [first, second] = seated.map(|(accounts, seconds)| accounts + seconds);
    if first + second >= 7.0 {
        return if first >= 4.0 { 1.0 } else { 0.0 };
    }
    let has_second = seated[0].1 + seated[1].1 < 2.0;
    let (mut sum, mut all) = (0.0, 0.0);
    for side in 0..2 {
        let (accounts, seconds) = seated[side];
        let Side { accounts: known, places } = sides[side];
        let again = if has_second { (accounts - seconds) * places } else { 0.0 };
        for (weight, step) in [((known - accounts) * places, (1.0, 0.0)), (again, (0.0, 1.0))] {
            if weight > 0.0 {
                let mut next = seated;
                next[side] = (accounts + step.0, seconds + step.1);
                sum += weight * captured(sides, next);
                all += weight;
            }
        }
    }
    sum / all
}

/// What part of the places, in many accounts of a place each, makes how likely a jury of one's own, in
/// hundredths of a percent: beside as many small accounts, and beside five with sixteen places each.
#[test]
fn a_part_of_the_places_makes_the_majority_that_the_spec_says() {
    let parts = [5, 10, 20, 25, 33, 40, 50];
    let likely = |part: u32, others: Side| {
        let all = others.accounts * others.places * f64::from(part) / f64::from(100 - part);
        let attackers = Side { accounts: all * 1e6, places: 1e-6 };
        let points = captured([attackers, others], [(0.0, 0.0); 2]) * 10_000.0;
        format!("{points:.0}")
    };
    let among_many = parts.map(|part| likely(part, Side { accounts: 1e9, places: 1.0 }));
    assert_eq!(among_many, ["2", "27", "333", "706", "1682", "2898", "5000"]);
    let beside_five = parts.map(|part| likely(part, Side { accounts: 5.0, places: 16.0 }));
    assert_eq!(beside_five, ["2", "32", "378", "788", "1835", "3103", "5231"]);
}

#[test]
fn juries_are_captured_as_often_as_they_should_be() {
    const DRAWS: u32 = 3_000;
    for (attackers, others) in [((12, 1), (36, 1)), ((20, 1), (5, 16))] {
        let (mut list, complaint) = list(attackers, others);
        let mut captured_ones = 0.0;
        for randomness in 0..DRAWS {
            let jurors = drawn(&mut list, complaint, u64::from(randomness) + 10_000);
            let own = jurors.iter().filter(|one| list.attackers.contains(*one)).count();
            captured_ones += if own >= 4 { 1.0 } else { 0.0 };
        }
        let side = |(accounts, places): (usize, u32)| Side {
            accounts: f64::from(u32::try_from(accounts).unwrap()),
            places: f64::from(places),
        };
        let likely = captured([side(attackers), side(others)], [(0.0, 0.0); 2]);
        let expected = likely * f64::from(DRAWS);
        let spread = (expected * (1.0 - likely)).sqrt();
        assert!((captured_ones - expected).abs() < 4.0 * spread, "{captured_ones}, not {expected}");
    }
}
