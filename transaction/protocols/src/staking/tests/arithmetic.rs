//! Shares and seats: no state.

use super::{
    seats::{Candidate, apportion, seats},
    shares::Bond,
};
use proptest::prelude::*;

#[test]
fn seats_follow_stake() {
    assert_eq!(seats(&[60, 30, 10], 100), [60, 30, 10]);
    assert_eq!(seats(&[53, 24, 23], 7), [4, 2, 1]);
    assert_eq!(seats(&[100, 0], 3), [3, 0]);
    assert_eq!(seats(&[], 3), Vec::<u32>::new());
    assert_eq!(seats(&[0], 3), [0]);
}

#[test]
fn a_candidate_fills_as_many_seats_as_it_has_keys() {
    let candidate = |stake, keys| Candidate { stake, keys };
    assert_eq!(apportion(&[candidate(90, 2), candidate(10, 9)], 10), [2, 8]);
    assert_eq!(apportion(&[candidate(90, 2), candidate(10, 1)], 10), [2, 1]);
    assert_eq!(apportion(&[candidate(90, 0), candidate(10, 9)], 1), [0, 1]);
}

/// The definition, seat by seat with fractions.
fn naive_seats(stakes: &[u128], n: u32) -> Vec<u32> {
    let mut won = vec![0_u32; stakes.len()];
    for _ in 0..n {
        let mut best: Option<usize> = None;
        for index in (0..stakes.len()).filter(|index| stakes[*index] > 0) {
            let better = best.is_none_or(|best| {
                let mine = stakes[index] * u128::from(won[best] + 1);
                let its = stakes[best] * u128::from(won[index] + 1);
                mine > its || (mine == its && stakes[index] > stakes[best])
            });
            best = if better { Some(index) } else { best };
        }
        if let Some(best) = best {
            won[best] += 1;
        }
    }
    won
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn i8_splitting_a_stake_gains_no_seat(
        others in proptest::collection::vec(1u128..40, 0..8),
        parts in proptest::collection::vec(1u128..30, 2..5),
        large in any::<bool>(),
        place in 0usize..8,
        n in 1u32..40,
    ) {
        let scale = if large { 1 << 88 } else { 1 };
        let scaled = |stakes: &[u128]| stakes.iter().map(|s| s * scale).collect::<Vec<_>>();
        let (others, parts) = (scaled(&others), scaled(&parts));
        let place = place.min(others.len());
        let whole: Vec<_> = [&others[..place], &[parts.iter().sum()], &others[place..]].concat();
        let split: Vec<_> = [&others[..place], &parts, &others[place..]].concat();
        let won = seats(&whole, n);
        prop_assert_eq!(won.iter().sum::<u32>(), n);
        prop_assert_eq!(&won, &naive_seats(&whole, n));
        let together: u32 = seats(&split, n)[place..place + parts.len()].iter().sum();
        prop_assert!(together <= won[place], "{together} seats in parts, {} in one", won[place]);
        // Nor does it help to put the parts where ties are decided first.
        let first: Vec<_> = [&parts[..], &others[..]].concat();
        let together: u32 = seats(&first, n)[..parts.len()].iter().sum();
        let one: Vec<_> = [&others[..], &[parts.iter().sum()]].concat();
        prop_assert!(together <= seats(&one, n)[others.len()] || others.contains(&parts.iter().sum()));
    }

    /// Whatever the others do without rewards and slashes, nobody's part ever shrinks but by what it
    /// takes, and nobody takes more than its part.
    #[test]
    fn i4_joining_and_leaving_in_any_order_gains_nothing(
        start in 1u128..1 << 60,
        slashes in proptest::collection::vec(1u16..5_000, 0..6),
        moves in proptest::collection::vec((0usize..3, any::<bool>(), 0u128..1 << 62), 1..60),
    ) {
        let mut bond = Bond::default();
        let mut own = [bond.join(start).unwrap(), 0, 0];
        for points in slashes {
            let cut = bond.slash(points);
            prop_assert!(bond.stake > 0 || cut == 0);
        }
        for (who, is_joining, amount) in moves {
            let before = bond;
            let worth = own.map(|shares| bond.value(shares));
            if is_joining {
                match bond.join(amount) {
                    Some(bought) => own[who] += bought,
                    None => bond = before,
                }
                prop_assert!(bond.value(own[who]) <= worth[who] + amount);
            } else {
                match bond.leave(amount, own[who]) {
                    Some((sold, paid)) => {
                        own[who] -= sold;
                        // Only the last one out may find what rounding left.
                        prop_assert!(bond.shares == 0 || bond.value(own[who]) + paid <= worth[who]);
                    }
                    None => bond = before,
                }
            }
            for other in (0..3).filter(|other| *other != who) {
                prop_assert!(bond.value(own[other]) >= worth[other]);
            }
            prop_assert_eq!(own.iter().sum::<u128>(), bond.shares);
            prop_assert!(bond.shares > 0 || bond.stake == 0);
        }
        let values: u128 = own.iter().map(|shares| bond.value(*shares)).sum();
        prop_assert!(values <= bond.stake);
    }

    /// What one joins with is never worth more a moment later.
    #[test]
    fn i4_a_joiner_never_takes_from_who_was_there(
        first in 1u128..1 << 90, points in 0u16..5_000, amount in 1u128..1 << 90,
    ) {
        let mut bond = Bond::default();
        let own = bond.join(first).unwrap();
        let cut = bond.slash(points);
            prop_assert!(bond.stake > 0 || cut == 0);
        let before = bond.value(own);
        if let Some(bought) = bond.join(amount) {
            prop_assert!(bond.value(bought) <= amount);
            prop_assert!(bond.value(own) >= before);
            let (_, paid) = bond.leave(bond.value(bought), bought).unwrap_or((0, 0));
            prop_assert!(paid <= amount);
            prop_assert!(bond.value(own) >= before);
        }
    }
}
