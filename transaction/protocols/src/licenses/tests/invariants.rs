//! The invariants of `specs/0011-licenses.md` over random afternoons. That rules and model agree on
//! every refusal, every licence and every right (I3, I5, I6) is checked after each step while playing.

use super::{
    model::{Play, Step, number, steps},
    town::{ask, license},
};
use alloy_primitives::U256;
use alloy_sol_types::SolEvent;
use proptest::prelude::*;
use sahara_abi::{ILicenses, INCENTIVE_POOL, IRoyalties, LICENSES, ROYALTIES};
use std::collections::BTreeMap;

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn i2_a_price_is_divided_whole_and_nothing_stays(steps in steps()) {
        let play = Play::of(&steps);
        prop_assert_eq!(play.world.balance(LICENSES), 0);
        prop_assert_eq!(play.world.balance(INCENTIVE_POOL), play.fees);
        let (mut prices, mut fees, mut parts) = (U256::ZERO, U256::ZERO, U256::ZERO);
        for log in &play.world.state.logs {
            if let Ok(sold) = ILicenses::Sold::decode_log(log) {
                prices += sold.price;
                fees += sold.fee;
            } else if log.address == ROYALTIES && let Ok(paid) = IRoyalties::Paid::decode_log(log) {
                parts += paid.parts.iter().map(|part| part.amount).sum::<U256>();
            }
        }
        prop_assert_eq!(prices, parts);
        prop_assert_eq!(fees, U256::from(play.fees));
    }

    #[test]
    fn i3_a_right_is_what_the_model_says(steps in steps()) {
        Play::of(&steps);
    }

    #[test]
    fn i4_every_licence_has_one_holder_and_balances_count_them(steps in steps()) {
        let mut play = Play::of(&steps);
        for actor in 0..4 {
            let held = play.entries.iter().filter(|entry| entry.holder == actor).count();
            let owner = play.address(actor);
            let call = ILicenses::balanceOfCall { owner };
            let anyone = play.world.stranger;
            prop_assert_eq!(ask(&mut play.world, anyone, call).unwrap(), U256::from(held));
        }
    }

    #[test]
    fn i5_seats_are_not_passed_on_within_their_window(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            let before = play.entries.clone();
            let now = play.world.now();
            play.step(step);
            for (old, new) in before.iter().zip(&play.entries) {
                prop_assert!(new.sitting.len() <= new.seats);
                for (account, until) in &old.sitting {
                    prop_assert!(new.sitting.contains_key(account) || now >= *until);
                }
            }
        }
    }

    #[test]
    fn i6_uses_never_pass_their_limit(steps in steps()) {
        let mut play = Play::of(&steps);
        for index in 0..play.entries.len() {
            let shown = license(&mut play.world, number(index));
            prop_assert!(shown.useLimit == 0 || shown.uses <= shown.useLimit);
        }
    }

    #[test]
    fn i7_only_terms_that_allow_it_end_early(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            let before: Vec<_> = (0..play.entries.len())
                .map(|index| license(&mut play.world, number(index))).collect();
            play.step(step);
            for (index, old) in before.into_iter().enumerate() {
                let new = license(&mut play.world, number(index));
                prop_assert_eq!((new.asset, new.terms), (old.asset, old.terms));
                prop_assert!(new.expiresAt >= old.expiresAt && new.useLimit >= old.useLimit);
                if new.isRevoked != old.isRevoked {
                    let is_revocation = matches!(step, Step::Revoke { .. });
                    prop_assert!(is_revocation);
                    let call = ILicenses::termsCall { terms: new.terms };
                    let anyone = play.world.stranger;
                    prop_assert!(ask(&mut play.world, anyone, call).unwrap().isRevocable);
                }
            }
        }
    }

    #[test]
    fn i8_children_carry_what_their_parents_demand(steps in steps()) {
        let mut play = Play::of(&steps);
        let anyone = play.world.stranger;
        for (child, terms) in play.children.clone() {
            let call = ILicenses::licensingCall { asset: child };
            let shown = ask(&mut play.world, anyone, call).unwrap();
            prop_assert_eq!(shown.isLicensed, terms.is_some());
            prop_assert_eq!(!shown.carried.is_zero(), terms.is_some());
            if terms.is_some() {
                let call = ILicenses::isOfferedCall { asset: child, terms: shown.carried };
                prop_assert!(ask(&mut play.world, anyone, call).unwrap());
            }
        }
    }
}

#[test]
fn random_afternoons_exercise_every_rule() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut carried = 0;
    for _ in 0..30 {
        let play = Play::of(&steps().new_tree(&mut runner).unwrap().current());
        for (name, times) in play.seen {
            *seen.entry(name).or_default() += times;
        }
        carried += play.children.iter().filter(|(_, terms)| terms.is_some()).count();
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
    assert!(seen["buy"] > 20 && seen["transfer"] > 2, "{seen:?}");
    assert!(carried > 2, "{carried} children carry terms; {seen:?}");
}
