//! What random payers, gateways and strangers try with channels.

use super::world::COIN;
use proptest::prelude::*;

pub(super) const HOUR: u64 = 3_600;
pub(super) const DAY: u64 = 86_400;

/// One thing that somebody tries. Numbers choose among what exists.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Fund { payer: usize, amount: u128 },
    Withdraw { payer: usize, amount: u128 },
    Open { channel: usize },
    TopUp { channel: usize, amount: u128 },
    Revoke { channel: usize },
    Claim { channel: usize, lines: Vec<(u64, usize, u128, u128)>, trick: Trick },
    RequestClose { channel: usize, by_payer: bool },
    Close { channel: usize, by: Who },
    Wait { seconds: u64 },
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Payer,
    Gateway,
    Stranger,
}

/// What is wrong with a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trick {
    None,
    MoreThanItsParts,
    LessThanItsParts,
    VoucherTooSmall,
    VoucherForged,
    VoucherMalleable,
    LineForged,
    LineMalleable,
    LineOfAnotherChannel,
    LineOfAnotherChain,
    LineTwice,
    SkipsReceipts,
    RepeatsReceipts,
    AnotherGateway,
}

const TRICKS: [Trick; 13] = [
    Trick::MoreThanItsParts,
    Trick::LessThanItsParts,
    Trick::VoucherTooSmall,
    Trick::VoucherForged,
    Trick::VoucherMalleable,
    Trick::LineForged,
    Trick::LineMalleable,
    Trick::LineOfAnotherChannel,
    Trick::LineOfAnotherChain,
    Trick::LineTwice,
    Trick::SkipsReceipts,
    Trick::RepeatsReceipts,
    Trick::AnotherGateway,
];

/// The number of authorisations that [`super::model::Play`] knows: three reservations and two grants.
pub(super) const CHANNELS_KNOWN: usize = 5;

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![0..40 * COIN, 0u128..1_000];
    let part = || prop_oneof![2 => 0..COIN, 1 => 0u128..100, 1 => Just(0u128)];
    let channel = || 0..CHANNELS_KNOWN;
    let trick = prop_oneof![3 => Just(Trick::None), 1 => proptest::sample::select(&TRICKS[..])];
    let line = (1u64..=2, 0usize..2, part(), part());
    let who = prop_oneof![Just(Who::Payer), Just(Who::Gateway), Just(Who::Stranger)];
    let seconds = prop_oneof![
        4 => Just(1),
        3 => Just(600),
        2 => Just(HOUR),
        1 => Just(DAY / 2),
        1 => Just(DAY),
    ];
    prop_oneof![
        3 => (0usize..2, amount()).prop_map(|(payer, amount)| Step::Fund { payer, amount }),
        2 => (0usize..2, amount()).prop_map(|(payer, amount)| Step::Withdraw { payer, amount }),
        4 => channel().prop_map(|channel| Step::Open { channel }),
        2 => (channel(), amount()).prop_map(|(channel, amount)| Step::TopUp { channel, amount }),
        1 => channel().prop_map(|channel| Step::Revoke { channel }),
        14 => (channel(), prop::collection::vec(line, 1..4), trick)
            .prop_map(|(channel, lines, trick)| Step::Claim { channel, lines, trick }),
        1 => (channel(), any::<bool>())
            .prop_map(|(channel, by_payer)| Step::RequestClose { channel, by_payer }),
        1 => (channel(), who).prop_map(|(channel, by)| Step::Close { channel, by }),
        3 => seconds.prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// A random afternoon.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 20..60)
}
