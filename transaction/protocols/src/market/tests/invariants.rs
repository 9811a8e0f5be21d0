//! The invariants of `specs/0012-market.md` over random afternoons. That rules and model agree on every
//! refusal, coin and owner is checked after each step while playing.

use super::model::{Play, Step, Waiting, steps};
use alloy_primitives::U256;
use alloy_sol_types::SolEvent;
use proptest::prelude::*;
use sahara_abi::{IMarket, INCENTIVE_POOL};
use std::collections::BTreeMap;

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn i1_the_balance_is_what_waits(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            play.step(step);
            prop_assert_eq!(play.balance(), play.held());
        }
    }

    #[test]
    fn i2_fees_are_on_top_and_parts_add_up(steps in steps()) {
        let play = Play::of(&steps);
        let mut fees = U256::ZERO;
        for log in &play.world.state.logs {
            if let Ok(paid) = IMarket::FeePaid::decode_log(log) {
                fees += paid.fee;
            } else if let Ok(sold) = IMarket::Sold::decode_log(log) {
                prop_assert!(sold.royalty + sold.referral <= sold.price);
            }
        }
        prop_assert_eq!(fees, U256::from(play.world.balance(INCENTIVE_POOL)));
    }

    #[test]
    fn i3_no_buyer_pays_more_than_it_sent(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            let before = play.actors.map(|actor| play.world.balance(actor.address));
            let logs = play.world.state.logs.len();
            play.step(step);
            let Step::Buy { by, .. } = step else { continue };
            let paid = before[*by].saturating_sub(play.world.balance(play.actors[*by].address));
            let asked: U256 = play.world.state.logs[logs..]
                .iter()
                .filter_map(|log| IMarket::Sold::decode_log(log).ok())
                .map(|sold| sold.price + sold.price / U256::from(100))
                .sum();
            let held: U256 = play.world.state.logs[logs..]
                .iter()
                .filter_map(|log| IMarket::Held::decode_log(log).ok())
                .map(|held| match &play.waiting[&held.sale] {
                    Waiting::Sale { price, .. } => U256::from(price + price / 100),
                    _ => U256::ZERO,
                })
                .sum();
            prop_assert!(U256::from(paid) <= asked + held);
        }
    }

    #[test]
    fn i4_a_listing_sells_once(steps in steps()) {
        let play = Play::of(&steps);
        prop_assert!(play.sheets.iter().all(|sheet| sheet.sales <= 1));
    }

    #[test]
    fn i5_nobody_loses_an_item_without_a_word(steps in steps()) {
        let mut play = Play::new();
        for step in &steps {
            let (before, waiting) = (play.owners, play.waiting.clone());
            let sales: Vec<_> = play.sheets.iter().map(|sheet| sheet.sales).collect();
            play.step(step);
            for (was, is) in before.into_iter().zip(play.owners) {
                let has_spoken = was == is || match step {
                    Step::Buy { .. } => play
                        .sheets
                        .iter()
                        .zip(&sales)
                        .any(|(sheet, sales)| sheet.seller == was && sheet.sales > *sales),
                    Step::Accept { by, .. } | Step::Give { by, .. } | Step::Return { by, .. } => {
                        *by == was || *by > 3
                    }
                    Step::Settle { .. } => waiting.values().any(|what| match what {
                        Waiting::Auction { seller, .. } => *seller == was,
                        _ => false,
                    }),
                    _ => false,
                };
                prop_assert!(has_spoken, "{step:?}");
            }
        }
    }

    #[test]
    fn i6_everything_that_waits_finds_its_way_out(steps in steps()) {
        let mut play = Play::of(&steps);
        play.step(&Step::Wait { seconds: 100_000 });
        for _ in 0..play.waiting.len() {
            // Strangers can do it; nobody can stand in the way.
            let step = match play.waiting.values().next() {
                Some(Waiting::Offer { .. }) => Step::CancelOffer { by: 3, number: 0 },
                Some(Waiting::Auction { .. }) => Step::Settle { by: 3, number: 0 },
                Some(Waiting::Sale { .. }) => Step::Release { by: 3, number: 0 },
                None => break,
            };
            play.step(&step);
        }
        prop_assert!(play.waiting.is_empty());
        prop_assert_eq!(play.balance(), 0);
    }
}

#[test]
fn random_afternoons_exercise_every_rule() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..50 {
        let play = Play::of(&steps().new_tree(&mut runner).unwrap().current());
        for (name, times) in play.seen {
            *seen.entry(name).or_default() += times;
        }
    }
    let names = [
        "publish",
        "buy",
        "cancel",
        "raise",
        "offer",
        "cancel offer",
        "accept",
        "open",
        "bid",
        "cancel auction",
        "settle",
        "settle with a sale",
        "settle with the bid given back",
        "return",
        "release",
        "give",
        "act",
        "take",
        "renew",
        "wait",
    ];
    for name in names {
        assert!(seen.contains_key(name), "{name} never happened: {seen:?}");
    }
    assert!(seen["buy"] > 20 && seen["bid"] > 20, "{seen:?}");
}
