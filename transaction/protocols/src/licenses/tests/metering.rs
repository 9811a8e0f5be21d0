//! Uses that are counted together with the claim that pays for them.

use super::town::{ask, buy, can, license, model, offer, pay, register, remix, send, world};
use crate::{
    Failure,
    channels::tests::world::{COIN, World},
    licenses::{METER_NOTICE, purpose::INFERENCE},
};
use alloy_primitives::{Address, B256, U256};
use proptest::prelude::*;
use sahara_abi::{
    ASSETS, CHANNELS, IAssets, IChannels,
    ILicenses::{self, Missing, Pricing, Terms},
};

/// A payer with a channel and a licence of five uses of another asset, which its gateway may count.
pub(super) fn metered() -> (World, B256, u64, U256) {
    let mut world = world();
    let (owner, payer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let uses = Terms { pricing: Pricing::PerUse, isRevocable: true, ..remix(10) };
    let terms = offer(&mut world, owner, asset, &uses);
    let number = buy(&mut world, payer, asset, terms, 5).unwrap();
    world.fund(payer, 100 * COIN);
    let id = world.open(&world.reservation(1, 10 * COIN)).unwrap();
    let meter = world.channel(id).unwrap().gateway;
    send(&mut world, payer, ILicenses::setMeterCall { meter, isAllowed: true }).unwrap();
    (world, id, asset, number)
}

/// The channel's claim number `turn`, from 1, with uses of a licence.
fn collect(world: &mut World, id: B256, turn: u128, uses: &[(U256, u64)]) -> Result<(), Failure> {
    let line = world.line(id, 1, 0, (turn * COIN / 10, 0));
    let claims = vec![world.claim(id, vec![line])];
    let used = |(license, count): &(U256, u64)| IChannels::Use {
        channelId: id,
        license: *license,
        count: *count,
    };
    let uses = uses.iter().map(used).collect();
    let gateway = world.channel(id).unwrap().gateway;
    let gateway = world.actor(gateway);
    world.call(gateway, CHANNELS, IChannels::claimAndCountCall { claims, uses }).map(drop)
}

#[test]
fn a_claim_counts_what_its_receipts_used() {
    let (mut world, id, asset, number) = metered();
    let payer = world.payers[0].address;
    collect(&mut world, id, 1, &[(number, 3)]).unwrap();
    assert_eq!(license(&mut world, number).uses, 3);
    assert_eq!(can(&mut world, payer, asset, INFERENCE), Ok(number.to()));
    collect(&mut world, id, 2, &[(number, 2)]).unwrap();
    assert_eq!(can(&mut world, payer, asset, INFERENCE), Err(Missing::Uses));
}

#[test]
fn a_claim_that_is_repeated_counts_nothing() {
    let (mut world, id, _, number) = metered();
    let line = world.line(id, 1, 0, (COIN, 0));
    let claims = vec![world.claim(id, vec![line])];
    let uses = vec![IChannels::Use { channelId: id, license: number, count: 1 }];
    let gateway = world.channel(id).unwrap().gateway;
    let gateway = world.actor(gateway);
    let call = IChannels::claimAndCountCall { claims, uses };
    world.call(gateway, CHANNELS, call.clone()).unwrap();
    assert!(world.call(gateway, CHANNELS, call).is_err());
    assert_eq!(license(&mut world, number).uses, 1);
}

#[test]
fn what_cannot_be_counted_is_paid_all_the_same() {
    let (mut world, id, _, number) = metered();
    let (payer, owner) = (world.payers[0], world.creator);
    let meter = world.channel(id).unwrap().gateway;
    let allow = |is_allowed| ILicenses::setMeterCall { meter, isAllowed: is_allowed };
    send(&mut world, payer, allow(false)).unwrap();
    world.wait(METER_NOTICE.into());
    collect(&mut world, id, 1, &[(number, 1)]).unwrap();
    assert_eq!(license(&mut world, number).uses, 0, "counted without the holder's leave");
    send(&mut world, payer, allow(true)).unwrap();
    collect(&mut world, id, 2, &[(number, 4), (number, 4), (U256::MAX, 1), (U256::from(77), 1)])
        .unwrap();
    assert_eq!(license(&mut world, number).uses, 5, "as much as was left");
    pay(&mut world, owner, 0, ILicenses::revokeCall { license: number, reason: B256::ZERO })
        .unwrap();
    collect(&mut world, id, 3, &[(number, 1)]).unwrap();
    assert_eq!(world.channel(id).unwrap().seq.to::<u32>(), 3);
}

#[test]
fn a_gateway_that_was_withdrawn_counts_what_it_has_served() {
    let (mut world, id, _, number) = metered();
    let payer = world.payers[0];
    let gateway = world.channel(id).unwrap().gateway;
    let meter = world.actor(gateway);
    // Withdrawn when the claim comes, and named again after it: what was used meanwhile is counted.
    let allow = |is_allowed| ILicenses::setMeterCall { meter: gateway, isAllowed: is_allowed };
    send(&mut world, payer, allow(false)).unwrap();
    let call = ILicenses::isMeterCall { holder: payer.address, meter: gateway };
    assert_eq!(ask(&mut world, payer, call), Ok(false), "it serves no more");
    let (account, caller) = (payer.address, gateway);
    let call = ILicenses::countUsesCall { license: number, account, count: 1 };
    let refused = ILicenses::NotMeter { license: number, caller };
    assert_eq!(send(&mut world, meter, call), Err(refused.into()), "without a claim");
    world.wait(u64::from(METER_NOTICE) - 1);
    collect(&mut world, id, 1, &[(number, 2)]).unwrap();
    assert_eq!(license(&mut world, number).uses, 2);
    world.wait(1);
    collect(&mut world, id, 2, &[(number, 2)]).unwrap();
    assert_eq!(license(&mut world, number).uses, 2, "the notice is over");
}

#[test]
fn giving_up_a_seat_undoes_no_use() {
    let (mut world, id, asset, number) = metered();
    let payer = world.payers[0];
    let free = ILicenses::freeSeatCall { license: number, account: payer.address };
    send(&mut world, payer, free).unwrap();
    assert_eq!(can(&mut world, payer.address, asset, INFERENCE), Err(Missing::License));
    collect(&mut world, id, 1, &[(number, 3)]).unwrap();
    let shown = license(&mut world, number);
    assert_eq!((shown.uses, shown.seatsTaken), (3, 0), "counted, and not seated by it");
    // And the licence, of which more may have been served, is not passed on before the notice ends.
    let until = world.now() + u64::from(METER_NOTICE);
    let (from, to) = (payer.address, world.payers[1].address);
    let pass = || ILicenses::transferFromCall { from, to, tokenId: number };
    let refused = ILicenses::SeatInUse { license: number, account: from, until };
    assert_eq!(send(&mut world, payer, pass()), Err(refused.into()));
    world.wait(METER_NOTICE.into());
    collect(&mut world, id, 2, &[(number, 1)]).unwrap();
    assert_eq!(license(&mut world, number).uses, 3, "the notice is over");
    send(&mut world, payer, pass()).unwrap();
}

#[test]
fn what_a_gateway_may_still_count_is_not_passed_on() {
    let (mut world, id, _, number) = metered();
    let payer = world.payers[0];
    let (from, to) = (payer.address, world.payers[1].address);
    let pass = || ILicenses::transferFromCall { from, to, tokenId: number };
    let refused = |until| -> Failure {
        ILicenses::SeatInUse { license: number, account: from, until }.into()
    };
    assert_eq!(send(&mut world, payer, pass()), Err(refused(u64::MAX)));
    let meter = world.channel(id).unwrap().gateway;
    send(&mut world, payer, ILicenses::setMeterCall { meter, isAllowed: false }).unwrap();
    let until = world.now() + u64::from(METER_NOTICE);
    assert_eq!(send(&mut world, payer, pass()), Err(refused(until)));
    collect(&mut world, id, 1, &[(number, 4)]).unwrap();
    world.wait(METER_NOTICE.into());
    send(&mut world, payer, pass()).unwrap();
    assert_eq!(license(&mut world, number).uses, 4, "its next holder has one left");
}

#[test]
fn a_licence_that_nobody_used_is_passed_on_whatever_gateways_its_holder_names() {
    let (mut world, _, asset, _) = metered();
    let [payer, friend] = world.payers;
    let terms = license(&mut world, U256::ONE).terms;
    let (holder, user) = (payer.address, Address::ZERO);
    let purchase = ILicenses::Purchase { asset, terms, quantity: 1, holder, user };
    let value = ask(&mut world, payer, ILicenses::quoteCall { terms, quantity: 1 }).unwrap();
    let value = (value.price + value.fee).to();
    let number = pay(&mut world, payer, value, ILicenses::buyCall { purchase }).unwrap();
    let (from, to) = (payer.address, friend.address);
    let call = ILicenses::transferFromCall { from, to, tokenId: number };
    send(&mut world, payer, call).unwrap();
}

#[test]
fn uses_belong_to_a_claim() {
    let (mut world, id, _, number) = metered();
    let gateway = world.channel(id).unwrap().gateway;
    let gateway = world.actor(gateway);
    let uses = vec![IChannels::Use { channelId: id, license: number, count: 1 }];
    let call = IChannels::claimAndCountCall { claims: vec![], uses };
    let refused = IChannels::NotClaimed { channelId: id };
    assert_eq!(world.call(gateway, CHANNELS, call).map(drop), Err(refused.into()));
    // A gateway that is no meter of the holder counts nothing of a stranger's licence.
    assert_eq!(license(&mut world, number).uses, 0);
}

proptest! {
    /// Whatever gateways say, uses never pass their limit, and a claim is never refused for them.
    #[test]
    fn i6_claims_never_count_past_the_limit(counts in proptest::collection::vec(0..4_u64, 1..6)) {
        let (mut world, id, _, number) = metered();
        let mut expected = 0;
        for (turn, count) in counts.into_iter().enumerate() {
            collect(&mut world, id, u128::try_from(turn + 1).unwrap(), &[(number, count)]).unwrap();
            expected = (expected + count).min(5);
            prop_assert_eq!(license(&mut world, number).uses, expected);
        }
    }
}

/// A usage log of an asset, as a gateway registers it.
fn record_of(parent: u64) -> IAssets::Registration {
    let relation = IAssets::Relation::Records;
    IAssets::Registration {
        kind: IAssets::Kind::UsageLog,
        edges: vec![IAssets::Edge { parent, relation }],
        ..model()
    }
}

#[test]
fn l6_a_bonded_gateway_records_use_without_leave_and_nobody_else_does() {
    let mut world = world();
    let (owner, stranger) = (world.creator, world.stranger);
    let derivatives = IAssets::Derivatives::None;
    let closed =
        register(&mut world, owner, IAssets::Registration { derivatives, ..model() }).unwrap();
    let licensed = register(&mut world, owner, model()).unwrap();
    offer(&mut world, owner, licensed, &remix(10));
    for parent in [closed, licensed] {
        let gateway = world.gateways[1];
        let log = register(&mut world, gateway, record_of(parent)).unwrap();
        // It pays what it records, as any descendant.
        let ancestors = world.call(stranger, ASSETS, IAssets::ancestorsCall { asset: log });
        assert_eq!(ancestors.unwrap(), vec![IAssets::Ancestor { asset: parent, share: 500 }]);
        assert!(register(&mut world, stranger, record_of(parent)).is_err());
        // A bond is leave for records only.
        let relation = IAssets::Relation::FinetunedFrom;
        let edges = vec![IAssets::Edge { parent, relation }];
        let derived = IAssets::Registration { edges, ..model() };
        assert!(register(&mut world, gateway, derived).is_err());
    }
}
