//! The invariants of `specs/0005-channels.md` over random afternoons. That the rules agree with the
//! model after every step, and that the laws hold after every call, is checked while playing.

use super::{
    model::{Play, Signed},
    steps::{Step, steps},
};
use crate::Call;
use alloy_sol_types::{SolEvent, SolEventInterface};
use proptest::prelude::*;
use sahara_abi::{CHANNELS, IChannels};
use sahara_primitives::Amount;
use std::collections::BTreeMap;

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn i1_the_balance_is_what_payers_and_channels_hold(steps in steps()) {
        let play = Play::of(&steps);
        let held: u128 = play.tabs.values().map(|tab| tab.deposit - tab.settled).sum();
        prop_assert_eq!(play.world.balance(CHANNELS), play.free.iter().sum::<u128>() + held);
    }

    #[test]
    fn i2_the_parts_of_a_claim_add_up_to_what_it_takes(steps in steps()) {
        let play = Play::of(&steps);
        let (mut parts, mut taken) = (Amount::ZERO, Amount::ZERO);
        let mut add = |units| {
            parts = parts.checked_add(Amount::from_base_units(units)).unwrap();
        };
        for log in play.world.state.logs.iter().filter(|log| log.address == CHANNELS) {
            if let Ok(earned) = IChannels::Earned::decode_log(log) {
                add(earned.workerAmount);
                add(earned.assetAmount);
            } else if let Ok(fees) = IChannels::FeesPaid::decode_log(log) {
                add(fees.protocolFee);
                add(fees.gatewayFee);
            } else if let Ok(collected) = IChannels::Collected::decode_log(log) {
                taken = taken.checked_add(Amount::from_u128(collected.amount.to())).unwrap();
            }
        }
        prop_assert_eq!(parts, taken);
        let settled: u128 = play.tabs.values().map(|tab| tab.settled).sum();
        prop_assert_eq!(taken, Amount::from_u128(settled));
    }

    #[test]
    fn i3_nothing_that_was_accepted_is_accepted_again(steps in steps()) {
        let mut play = Play::of(&steps);
        for (from, data) in std::mem::take(&mut play.once) {
            let call = Call {
                caller: from.address,
                value: Amount::ZERO,
                data: &data,
                is_static: false,
            };
            prop_assert!(play.world.state.call(CHANNELS, call).is_err());
        }
    }

    #[test]
    fn i4_only_its_payers_word_lowers_a_free_deposit(steps in steps()) {
        let mut play = Play::of(&[]);
        for step in &steps {
            let before = play.free;
            play.step(step);
            let lowered: Vec<usize> = (0..2).filter(|p| play.free[*p] < before[*p]).collect();
            let allowed = match step {
                Step::Withdraw { payer, .. } => Some(*payer),
                Step::Open { channel } | Step::TopUp { channel, .. } => Some(play.payer(*channel)),
                _ => None,
            };
            prop_assert!(lowered.iter().all(|payer| Some(*payer) == allowed));
        }
    }

    #[test]
    fn i5_vouchers_caps_and_deposits_bound_what_is_collected(steps in steps()) {
        let play = Play::of(&steps);
        for (channel, tab) in &play.tabs {
            prop_assert!(tab.settled <= tab.deposit);
            match &play.signed[*channel] {
                Signed::Reservation(reservation) => {
                    prop_assert!(tab.settled <= tab.largest_voucher);
                    prop_assert!(tab.settled <= reservation.amount.to());
                }
                Signed::Grant(grant) => {
                    prop_assert!(tab.settled <= grant.maxTotal.to());
                    prop_assert!(tab.by_day.values().all(|used| *used <= grant.maxPerDay.to()));
                    prop_assert_eq!(tab.by_day.values().sum::<u128>(), tab.settled);
                }
            }
        }
    }

    #[test]
    fn i6_a_closed_channel_never_changes_and_never_reopens(steps in steps(), more in steps()) {
        let mut play = Play::of(&steps);
        let closed = play.closed.clone();
        more.iter().for_each(|step| play.step(step));
        for (channel, before) in closed {
            let id = play.id(channel);
            prop_assert_eq!(play.world.channel(id).unwrap(), before);
        }
    }

    #[test]
    fn i7_receipts_are_collected_without_gaps(steps in steps()) {
        let play = Play::of(&steps);
        let mut next = BTreeMap::new();
        for log in play.world.state.logs.iter().filter(|log| log.address == CHANNELS) {
            let Ok(collected) = IChannels::Collected::decode_log(log) else { continue };
            let next = next.entry(collected.channelId).or_insert(0u32);
            prop_assert_eq!(collected.seqFrom.to::<u32>(), *next);
            prop_assert!(collected.seqTo > collected.seqFrom);
            *next = collected.seqTo.to();
        }
    }
}

#[test]
fn random_afternoons_exercise_every_rule() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..20 {
        let play = Play::of(&steps().new_tree(&mut runner).unwrap().current());
        for log in play.world.state.logs.iter().filter(|log| log.address == CHANNELS) {
            let event = IChannels::IChannelsEvents::decode_log(log).unwrap();
            let name = match event.data {
                IChannels::IChannelsEvents::Funded(_) => "funded",
                IChannels::IChannelsEvents::Withdrawn(_) => "withdrawn",
                IChannels::IChannelsEvents::Opened(_) => "opened",
                IChannels::IChannelsEvents::ToppedUp(_) => "topped up",
                IChannels::IChannelsEvents::Collected(_) => "collected",
                IChannels::IChannelsEvents::Earned(_) => "earned",
                IChannels::IChannelsEvents::FeesPaid(_) => "fees paid",
                IChannels::IChannelsEvents::CloseRequested(_) => "close requested",
                IChannels::IChannelsEvents::Closed(_) => "closed",
                IChannels::IChannelsEvents::Revoked(_) => "revoked",
            };
            *seen.entry(name).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
    assert!(seen["collected"] > 20, "{seen:?}");
}
