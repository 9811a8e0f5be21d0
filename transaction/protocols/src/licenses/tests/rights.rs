//! `canUse`, and derivatives that are linked or refused.

use super::town::{
    ask, buy, can, child_of, hourly, license, model, offer, register, remix, send, world,
};
use crate::licenses::{
    purpose::{ALL, COMMERCIAL, DERIVATIVE, INFERENCE, TRAINING},
    templates,
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS,
    IAssets::{self, Derivatives, Edge, Kind, Relation},
    ILicenses::{self, Missing, Pricing, Terms},
};

#[test]
fn an_asset_without_terms_follows_its_policy() {
    let mut world = world();
    let (owner, someone) = (world.creator, world.stranger.address);
    let mut with = |derivatives| {
        let asset = IAssets::Registration { derivatives, ..model() };
        register(&mut world, owner, asset).unwrap()
    };
    let [open, approval, closed] =
        [Derivatives::Open, Derivatives::Approval, Derivatives::None].map(&mut with);
    for asset in [open, approval, closed] {
        for purpose in [INFERENCE, TRAINING, COMMERCIAL, INFERENCE | TRAINING | COMMERCIAL] {
            assert_eq!(can(&mut world, someone, asset, purpose), Ok(0));
        }
        assert_eq!(can(&mut world, owner.address, asset, ALL & !DERIVATIVE), Ok(0));
    }
    for asset in [open, approval] {
        assert_eq!(can(&mut world, owner.address, asset, ALL), Ok(0), "its owner may");
    }
    assert_eq!(can(&mut world, owner.address, closed, ALL), Err(Missing::Derivatives));
    assert_eq!(can(&mut world, someone, open, DERIVATIVE), Ok(0));
    assert_eq!(can(&mut world, someone, approval, DERIVATIVE), Err(Missing::Approval));
    assert_eq!(can(&mut world, someone, closed, DERIVATIVE), Err(Missing::Derivatives));
    let call =
        IAssets::approveDerivativeCall { parent: approval, creator: someone, isApproved: true };
    world.call(owner, ASSETS, call).unwrap();
    assert_eq!(can(&mut world, someone, approval, DERIVATIVE | INFERENCE), Ok(0));
}

#[test]
fn a_purpose_without_meaning_is_refused() {
    let mut world = world();
    let someone = world.stranger;
    for purpose in [0, 16, 255] {
        let call = ILicenses::canUseCall { account: someone.address, asset: 1, purpose };
        let refused = ILicenses::UnknownPurpose { purpose, known: ALL };
        assert_eq!(send(&mut world, someone, call), Err(refused.into()));
    }
    let call = ILicenses::canUseCall { account: someone.address, asset: 9, purpose: 1 };
    assert_eq!(send(&mut world, someone, call), Err(IAssets::UnknownAsset { asset: 9 }.into()));
}

#[test]
fn one_licence_must_grant_the_whole_purpose() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let commercial = offer(&mut world, owner, asset, &templates::COMMERCIAL_USE);
    let training = Terms { purposes: TRAINING, ..templates::COMMERCIAL_USE };
    let training = offer(&mut world, owner, asset, &training);
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Err(Missing::License));
    buy(&mut world, buyer, asset, commercial, 1).unwrap();
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE | COMMERCIAL), Ok(1));
    assert_eq!(can(&mut world, buyer.address, asset, TRAINING), Err(Missing::Purpose));
    buy(&mut world, buyer, asset, training, 1).unwrap();
    assert_eq!(can(&mut world, buyer.address, asset, TRAINING), Ok(2));
    let both = TRAINING | COMMERCIAL;
    assert_eq!(can(&mut world, buyer.address, asset, both), Err(Missing::Purpose));
}

#[test]
fn free_terms_need_no_licence_while_they_are_offered() {
    let mut world = world();
    let (owner, someone) = (world.creator, world.stranger);
    let asset = register(&mut world, owner, model()).unwrap();
    let free = Terms { derivativeRoyalty: 500, ..templates::NON_COMMERCIAL };
    let id = offer(&mut world, owner, asset, &free);
    assert_eq!(can(&mut world, someone.address, asset, INFERENCE | TRAINING), Ok(0));
    assert_eq!(can(&mut world, someone.address, asset, COMMERCIAL), Err(Missing::Purpose));
    // Whoever wants to keep the right takes a licence; it costs nothing.
    let keeper = world.payers[0];
    let number = buy(&mut world, keeper, asset, id, 1).unwrap();
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: id }).unwrap();
    assert_eq!(can(&mut world, someone.address, asset, INFERENCE), Err(Missing::License));
    assert_eq!(can(&mut world, keeper.address, asset, INFERENCE), Ok(number.to()));
}

#[test]
fn the_nearest_miss_is_named() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let ended = Terms { isRevocable: true, ..hourly(1) };
    let id = offer(&mut world, owner, asset, &ended);
    let first = buy(&mut world, buyer, asset, id, 1).unwrap();
    let call = ILicenses::revokeCall { license: first, reason: B256::ZERO };
    send(&mut world, owner, call).unwrap();
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Err(Missing::Revoked));
    buy(&mut world, buyer, asset, id, 1).unwrap();
    world.wait(3_600);
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Err(Missing::Expired));
    let one = Terms { pricing: Pricing::PerUse, needsApproval: true, ..remix(1) };
    let id = offer(&mut world, owner, asset, &one);
    let third = buy(&mut world, buyer, asset, id, 1).unwrap();
    assert_eq!(can(&mut world, buyer.address, asset, DERIVATIVE), Err(Missing::Approval));
    let call = ILicenses::countUsesCall { license: third, account: buyer.address, count: 1 };
    send(&mut world, buyer, call).unwrap();
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Err(Missing::Uses));
}

#[test]
fn a_derivative_without_the_right_is_refused_and_told_why() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &templates::COMMERCIAL_USE);
    let refused = |missing| ILicenses::RightMissing {
        asset,
        account: deriver.address,
        purpose: DERIVATIVE,
        missing,
    };
    let count = ask(&mut world, owner, ILicenses::licenseCountCall {}).unwrap();
    let answer = register(&mut world, deriver, child_of(asset));
    assert_eq!(answer, Err(refused(Missing::License).into()));
    buy(&mut world, deriver, asset, id, 1).unwrap();
    let answer = register(&mut world, deriver, child_of(asset));
    assert_eq!(answer, Err(refused(Missing::Purpose).into()));
    assert_eq!(ask(&mut world, owner, ILicenses::licenseCountCall {}).unwrap(), count + 1);

    let approved = Terms { needsApproval: true, ..remix(5) };
    let id = offer(&mut world, owner, asset, &approved);
    let number = buy(&mut world, deriver, asset, id, 1).unwrap();
    let answer = register(&mut world, deriver, child_of(asset));
    assert_eq!(answer, Err(refused(Missing::Approval).into()));
    let creator = deriver.address;
    let call = IAssets::approveDerivativeCall { parent: asset, creator, isApproved: true };
    world.call(owner, ASSETS, call).unwrap();
    let child = register(&mut world, deriver, child_of(asset)).unwrap();
    assert_eq!(license(&mut world, number).uses, 1, "linking is a use");
    let derived = world.state.logs.iter().find_map(|log| ILicenses::Derived::decode_log(log).ok());
    let derived = derived.unwrap();
    assert_eq!((derived.license, derived.parent, derived.asset), (number, asset, child));
    assert_eq!(derived.terms, id);
}

#[test]
fn training_on_a_dataset_asks_for_training() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let dataset = IAssets::Registration { kind: Kind::Dataset, ..model() };
    let parent = register(&mut world, owner, dataset).unwrap();
    let derive_only = Terms { purposes: DERIVATIVE, ..remix(1) };
    let id = offer(&mut world, owner, parent, &derive_only);
    buy(&mut world, deriver, parent, id, 1).unwrap();
    let edges = vec![Edge { parent, relation: Relation::TrainedOn }];
    let trained = IAssets::Registration { edges, ..model() };
    let refused = ILicenses::RightMissing {
        asset: parent,
        account: deriver.address,
        purpose: DERIVATIVE | TRAINING,
        missing: Missing::Purpose,
    };
    assert_eq!(register(&mut world, deriver, trained.clone()), Err(refused.into()));
    let both = Terms { purposes: DERIVATIVE | TRAINING, ..remix(1) };
    let id = offer(&mut world, owner, parent, &both);
    buy(&mut world, deriver, parent, id, 1).unwrap();
    register(&mut world, deriver, trained).unwrap();
}

#[test]
fn every_derivative_takes_one_use() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let twice = Terms { pricing: Pricing::PerUse, ..remix(1) };
    let id = offer(&mut world, owner, asset, &twice);
    buy(&mut world, deriver, asset, id, 2).unwrap();
    for _ in 0..2 {
        register(&mut world, deriver, child_of(asset)).unwrap();
    }
    let refused = ILicenses::RightMissing {
        asset,
        account: deriver.address,
        purpose: DERIVATIVE,
        missing: Missing::Uses,
    };
    assert_eq!(register(&mut world, deriver, child_of(asset)), Err(refused.into()));
}

#[test]
fn a_right_that_binds_to_nothing_comes_first() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let bound = Terms { isReciprocal: true, ..remix(1) };
    let ids = [bound, remix(2)].map(|data| offer(&mut world, owner, asset, &data));
    buy(&mut world, deriver, asset, ids[0], 1).unwrap();
    assert_eq!(can(&mut world, deriver.address, asset, DERIVATIVE), Ok(1));
    buy(&mut world, deriver, asset, ids[1], 1).unwrap();
    assert_eq!(can(&mut world, deriver.address, asset, DERIVATIVE), Ok(2));
    assert_eq!(can(&mut world, deriver.address, asset, INFERENCE), Ok(1));
    let child = register(&mut world, deriver, child_of(asset)).unwrap();
    let answer = ask(&mut world, owner, ILicenses::licensingCall { asset: child }).unwrap();
    assert!(answer.carried.is_zero());
    // Free terms that bind to nothing come before a licence that binds.
    let other = world.payers[1];
    buy(&mut world, other, asset, ids[0], 1).unwrap();
    let open = Terms { derivativeRoyalty: 500, ..templates::OPEN_USE };
    offer(&mut world, owner, asset, &open);
    assert_eq!(can(&mut world, other.address, asset, DERIVATIVE), Ok(0));
}

#[test]
fn a_sold_asset_keeps_its_offers_and_changes_its_master() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &remix(1_000));
    let call = IAssets::transferFromCall {
        from: owner.address,
        to: buyer.address,
        tokenId: U256::from(asset),
    };
    world.call(owner, ASSETS, call).unwrap();
    let before = world.balance(buyer.address);
    let user = world.payers[1];
    buy(&mut world, user, asset, id, 1).unwrap();
    assert_eq!(world.balance(buyer.address), before + 1_000);
    let call = || ILicenses::withdrawOfferCall { asset, terms: id };
    assert!(send(&mut world, owner, call()).is_err());
    send(&mut world, buyer, call()).unwrap();
    assert_eq!(can(&mut world, owner.address, asset, INFERENCE), Err(Missing::License));
}

/// A registration with one edge.
fn edged(parent: u64, relation: Relation, kind: Kind) -> IAssets::Registration {
    IAssets::Registration { kind, edges: vec![Edge { parent, relation }], ..model() }
}

#[test]
fn a_statement_needs_no_licence() {
    let mut world = world();
    let (owner, other) = (world.creator, world.payers[0]);
    let dataset = IAssets::Registration { kind: Kind::Dataset, ..model() };
    let dataset = register(&mut world, owner, dataset).unwrap();
    offer(&mut world, owner, dataset, &remix(1));
    let judged = edged(dataset, Relation::EvaluatedOn, Kind::Model);
    register(&mut world, other, judged).unwrap();
    let trained = edged(dataset, Relation::TrainedOn, Kind::Model);
    assert!(register(&mut world, other, trained).is_err());
}

#[test]
fn a_version_needs_no_licence_and_carries_what_its_predecessor_carries() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, &remix(1));
    let next = register(&mut world, owner, edged(asset, Relation::VersionOf, Kind::Model)).unwrap();
    let shown = ask(&mut world, owner, ILicenses::licensingCall { asset: next }).unwrap();
    assert!(!shown.isLicensed, "what is offered is each version's own business");

    let bound = Terms { isReciprocal: true, ..remix(2) };
    let bound = offer(&mut world, owner, asset, &bound);
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: id }).unwrap();
    buy(&mut world, deriver, asset, bound, 1).unwrap();
    let child = register(&mut world, deriver, child_of(asset)).unwrap();
    for relation in [Relation::VersionOf, Relation::FinetunedFrom] {
        let own = register(&mut world, deriver, edged(child, relation, Kind::Model)).unwrap();
        let shown = ask(&mut world, owner, ILicenses::licensingCall { asset: own }).unwrap();
        assert_eq!(shown.carried, bound, "no way out by {relation:?}");
    }
}

#[test]
fn what_never_has_derivatives_has_none_by_its_owner_either() {
    let mut world = world();
    let owner = world.creator;
    let closed = IAssets::Registration { derivatives: Derivatives::None, ..model() };
    let closed = register(&mut world, owner, closed).unwrap();
    offer(&mut world, owner, closed, &templates::COMMERCIAL_USE);
    let refused = ILicenses::RightMissing {
        asset: closed,
        account: owner.address,
        purpose: DERIVATIVE,
        missing: Missing::Derivatives,
    };
    assert_eq!(register(&mut world, owner, child_of(closed)), Err(refused.into()));
}
