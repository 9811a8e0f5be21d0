//! Terms and offers.

use super::town::{ask, child_of, hourly, model, offer, register, remix, send, world};
use crate::{
    Failure,
    licenses::{MAX_PRICE, MAX_SEAT_WINDOW, MAX_SEATS, MIN_PERIOD, templates, terms},
    storage::Value,
};
use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use sahara_abi::{
    IAssets::{self, Derivatives},
    ILicenses::{self, Clause, Pricing, Template, Terms},
    IProtocol,
};

fn refused(clause: Clause, value: u128, expected: u128) -> Result<(), Failure> {
    let (value, expected) = (U256::from(value), U256::from(expected));
    Err(ILicenses::InvalidTerms { clause, value, expected }.into())
}

#[test]
fn every_template_is_valid_and_grants_what_its_name_says() {
    let mut world = world();
    let anyone = world.stranger;
    let mut fill = |template, price, derivative_royalty| {
        let call =
            ILicenses::templateCall { template, price, derivativeRoyalty: derivative_royalty };
        ask(&mut world, anyone, call)
    };
    let open = fill(Template::OpenUse, 0, 500).unwrap();
    assert_eq!((open.pricing, open.purposes, open.isReciprocal), (Pricing::Free, 15, false));
    let private = fill(Template::NonCommercial, 0, 500).unwrap();
    assert_eq!((private.purposes, private.isReciprocal), (7, true));
    let commercial = fill(Template::Commercial, 9, 500).unwrap();
    assert_eq!((commercial.purposes, commercial.price, commercial.derivativeRoyalty), (9, 9, 0));
    assert!(commercial.isTransferable && commercial.resaleRoyalty == 1_000);
    let remix = fill(Template::CommercialRemix, 9, 500).unwrap();
    assert_eq!((remix.purposes, remix.price, remix.derivativeRoyalty), (15, 9, 500));
    assert!(remix.needsAttribution && !remix.isReciprocal);
    for template in [Template::OpenUse, Template::NonCommercial] {
        assert_eq!(fill(template, 1, 0).map(drop), refused(Clause::Price, 1, 0));
    }
    let high = fill(Template::CommercialRemix, 1, 2_001).map(drop);
    assert_eq!(high, refused(Clause::DerivativeRoyalty, 2_001, 2_000));
}

#[test]
fn every_clause_that_contradicts_the_others_is_named() {
    let free = templates::OPEN_USE;
    let sold = remix(1);
    let cases = [
        (Terms { price: 1, ..free.clone() }, Clause::Price, 1, 0),
        (Terms { period: 1, ..free.clone() }, Clause::Period, 1, 0),
        (Terms { duration: 5, ..free.clone() }, Clause::Duration, 5, 0),
        (Terms { useCap: 5, ..free.clone() }, Clause::Uses, 5, 0),
        (Terms { seatCap: 5, ..free.clone() }, Clause::Seats, 5, 0),
        (Terms { seatWindow: 5, ..free.clone() }, Clause::SeatWindow, 5, 0),
        (Terms { isRevocable: true, ..free }, Clause::Revocation, 1, 0),
        (Terms { price: MAX_PRICE + 1, ..sold.clone() }, Clause::Price, MAX_PRICE + 1, MAX_PRICE),
        (Terms { period: 1, ..sold.clone() }, Clause::Period, 1, 0),
        (Terms { period: 3_599, ..hourly(1) }, Clause::Period, 3_599, MIN_PERIOD.into()),
        (Terms { duration: 1, ..hourly(1) }, Clause::Duration, 1, 0),
        (
            Terms { seatCap: MAX_SEATS + 1, ..sold.clone() },
            Clause::Seats,
            u128::from(MAX_SEATS) + 1,
            MAX_SEATS.into(),
        ),
        (
            Terms { seatWindow: MAX_SEAT_WINDOW + 1, ..sold.clone() },
            Clause::SeatWindow,
            u128::from(MAX_SEAT_WINDOW) + 1,
            MAX_SEAT_WINDOW.into(),
        ),
        (Terms { purposes: 0, ..sold.clone() }, Clause::Purposes, 0, 15),
        (Terms { purposes: 0x1f, ..sold.clone() }, Clause::Purposes, 0x1f, 15),
        (Terms { resaleRoyalty: 2_001, ..sold.clone() }, Clause::ResaleRoyalty, 2_001, 2_000),
        (Terms { isTransferable: false, ..sold.clone() }, Clause::ResaleRoyalty, 1_000, 0),
        (
            Terms { derivativeRoyalty: 2_001, ..sold.clone() },
            Clause::DerivativeRoyalty,
            2_001,
            2_000,
        ),
        (Terms { purposes: 1, ..sold.clone() }, Clause::DerivativeRoyalty, 500, 0),
        (
            Terms { purposes: 1, derivativeRoyalty: 0, needsApproval: true, ..sold.clone() },
            Clause::Approval,
            1,
            0,
        ),
        (
            Terms { purposes: 1, derivativeRoyalty: 0, isReciprocal: true, ..sold },
            Clause::Reciprocity,
            1,
            0,
        ),
    ];
    let mut world = world();
    for (data, clause, value, expected) in cases {
        let call = ILicenses::registerTermsCall { data: data.clone() };
        let someone = world.stranger;
        assert_eq!(send(&mut world, someone, call), refused(clause, value, expected), "{clause:?}");
        let call = ILicenses::termsIdCall { data };
        assert_eq!(send(&mut world, someone, call), refused(clause, value, expected), "{clause:?}");
    }
}

#[test]
fn a_pricing_that_does_not_exist_is_refused() {
    let mut world = world();
    let data = Terms { pricing: Pricing::__Invalid, ..remix(1) };
    let someone = world.stranger;
    let answer = send(&mut world, someone, ILicenses::registerTermsCall { data });
    assert_eq!(answer, Err(IProtocol::InvalidCall {}.into()));
    assert_eq!(
        terms::check(
            &Terms { pricing: Pricing::__Invalid, ..remix(1) },
            &crate::Parameters::DEFAULT
        ),
        Err(IProtocol::InvalidCall {}.into())
    );
}

#[test]
fn terms_are_registered_once_and_by_anyone() {
    let mut world = world();
    let (one, other) = (world.stranger, world.payers[0]);
    let call = || ILicenses::registerTermsCall { data: remix(7) };
    let unknown = ILicenses::termsCall { terms: terms::id(&remix(7)) };
    let missing = ILicenses::UnknownTerms { terms: terms::id(&remix(7)) };
    assert_eq!(send(&mut world, one, unknown), Err(missing.into()));
    let logs = world.state.logs.len();
    let id = ask(&mut world, one, call()).unwrap();
    assert_eq!(world.state.logs.len(), logs + 1);
    let before = world.state.words.clone();
    assert_eq!(ask(&mut world, other, call()).unwrap(), id);
    assert_eq!(world.state.words, before, "the second registration changes nothing");
    assert_eq!(world.state.logs.len(), logs + 1);
    assert_eq!(ask(&mut world, one, ILicenses::termsCall { terms: id }).unwrap(), remix(7));
    assert_eq!(ask(&mut world, one, ILicenses::termsIdCall { data: remix(7) }).unwrap(), id);
}

#[test]
fn only_an_assets_owner_offers_and_withdraws() {
    let mut world = world();
    let (owner, stranger) = (world.creator, world.stranger);
    let asset = register(&mut world, owner, model()).unwrap();
    let id = ask(&mut world, owner, ILicenses::registerTermsCall { data: remix(1) }).unwrap();
    let refused: Failure =
        ILicenses::NotAssetOwner { asset, caller: stranger.address, owner: owner.address }.into();
    let call = || ILicenses::offerCall { asset, terms: id };
    assert_eq!(send(&mut world, stranger, call()), Err(refused.clone()));
    send(&mut world, owner, call()).unwrap();
    let again: Failure = ILicenses::AlreadyOffered { asset, terms: id }.into();
    assert_eq!(send(&mut world, owner, call()), Err(again));
    let withdraw = || ILicenses::withdrawOfferCall { asset, terms: id };
    assert_eq!(send(&mut world, stranger, withdraw()), Err(refused));
    send(&mut world, owner, withdraw()).unwrap();
    let gone: Failure = ILicenses::NotOffered { asset, terms: id }.into();
    assert_eq!(send(&mut world, owner, withdraw()), Err(gone));
    send(&mut world, owner, call()).unwrap();
}

#[test]
fn what_cannot_be_offered_is_named() {
    let mut world = world();
    let owner = world.creator;
    let unknown = B256::repeat_byte(1);
    let call = ILicenses::offerCall { asset: 1, terms: unknown };
    let refused = ILicenses::UnknownTerms { terms: unknown };
    assert_eq!(send(&mut world, owner, call), Err(refused.into()));
    let call = ILicenses::offerCall { asset: 99, terms: unknown };
    assert_eq!(send(&mut world, owner, call), Err(IAssets::UnknownAsset { asset: 99 }.into()));
    // Asset 1 asks nothing of derivatives, these terms promise 5 %.
    let id = ask(&mut world, owner, ILicenses::registerTermsCall { data: remix(1) }).unwrap();
    let refused = ILicenses::TermsDoNotFit {
        asset: 1,
        clause: Clause::DerivativeRoyalty,
        value: U256::from(500),
        expected: U256::ZERO,
    };
    let call = ILicenses::offerCall { asset: 1, terms: id };
    assert_eq!(send(&mut world, owner, call), Err(refused.into()));
    // An asset that never allows derivatives has no terms that do.
    let closed = IAssets::Registration { derivatives: Derivatives::None, ..model() };
    let closed = register(&mut world, owner, closed).unwrap();
    let refused = ILicenses::TermsDoNotFit {
        asset: closed,
        clause: Clause::Purposes,
        value: U256::from(15),
        expected: U256::from(11),
    };
    let call = ILicenses::offerCall { asset: closed, terms: id };
    assert_eq!(send(&mut world, owner, call), Err(refused.into()));
    offer(&mut world, owner, closed, &templates::COMMERCIAL_USE);
}

#[test]
fn free_terms_are_offered_one_at_a_time() {
    let mut world = world();
    let owner = world.creator;
    let asset = register(&mut world, owner, model()).unwrap();
    let open = Terms { derivativeRoyalty: 500, ..templates::OPEN_USE };
    let first = offer(&mut world, owner, asset, &open);
    let data = Terms { derivativeRoyalty: 500, ..templates::NON_COMMERCIAL };
    let second = ask(&mut world, owner, ILicenses::registerTermsCall { data }).unwrap();
    let refused = ILicenses::FreeTermsOffered { asset, terms: first };
    let call = || ILicenses::offerCall { asset, terms: second };
    assert_eq!(send(&mut world, owner, call()), Err(refused.into()));
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: first }).unwrap();
    send(&mut world, owner, call()).unwrap();
    let answer = ask(&mut world, owner, ILicenses::licensingCall { asset }).unwrap();
    assert_eq!((answer.isLicensed, answer.free, answer.carried), (true, second, B256::ZERO));
}

#[test]
fn the_list_of_offers_is_read_page_by_page_and_survives_withdrawals() {
    let mut world = world();
    let owner = world.creator;
    let asset = register(&mut world, owner, model()).unwrap();
    let ids: Vec<_> = (1..=4).map(|price| offer(&mut world, owner, asset, &remix(price))).collect();
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: ids[0] }).unwrap();
    let mut page = |start: u64, count: u64| {
        let (start, count) = (U256::from(start), U256::from(count));
        let call = ILicenses::offersOfCall { asset, start, count };
        let page = ask(&mut world, owner, call).unwrap();
        assert_eq!(page.total, U256::from(3));
        page.terms
    };
    assert_eq!(page(0, 9), [ids[3], ids[1], ids[2]]);
    assert_eq!(page(1, 1), [ids[1]]);
    assert!(page(3, 1).is_empty());
}

#[test]
fn a_child_carries_reciprocal_terms_for_ever() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let asset = register(&mut world, owner, model()).unwrap();
    let carried = Terms { derivativeRoyalty: 500, ..templates::NON_COMMERCIAL };
    let id = offer(&mut world, owner, asset, &carried);
    let child = register(&mut world, deriver, child_of(asset)).unwrap();
    let answer = ask(&mut world, deriver, ILicenses::licensingCall { asset: child }).unwrap();
    assert_eq!((answer.isLicensed, answer.free, answer.carried), (true, id, id));
    let refused: Failure = ILicenses::TermsCarried { asset: child, carried: id }.into();
    let call = ILicenses::withdrawOfferCall { asset: child, terms: id };
    assert_eq!(send(&mut world, deriver, call), Err(refused.clone()));
    let other = ask(&mut world, owner, ILicenses::registerTermsCall { data: remix(1) }).unwrap();
    let call = ILicenses::offerCall { asset: child, terms: other };
    assert_eq!(send(&mut world, deriver, call), Err(refused));
    // The owner of the parent is bound to nothing.
    let own = register(&mut world, owner, child_of(asset)).unwrap();
    let answer = ask(&mut world, owner, ILicenses::licensingCall { asset: own }).unwrap();
    assert!(!answer.isLicensed);
    // And so is the grandchild.
    let other = world.payers[1];
    let grandchild = register(&mut world, other, child_of(child)).unwrap();
    let call = ILicenses::licensingCall { asset: grandchild };
    assert_eq!(ask(&mut world, owner, call).unwrap().carried, id);
}

#[test]
fn a_child_that_cannot_carry_its_parents_terms_is_refused() {
    let mut world = world();
    let (owner, deriver) = (world.creator, world.payers[0]);
    let parents = [1, 2].map(|_| register(&mut world, owner, model()).unwrap());
    let free = Terms { derivativeRoyalty: 500, ..templates::NON_COMMERCIAL };
    let id = offer(&mut world, owner, parents[0], &free);
    let cheaper = IAssets::Registration { derivativeRoyalty: 499, ..child_of(parents[0]) };
    let refused = ILicenses::TermsDoNotFit {
        asset: parents[1] + 1,
        clause: Clause::DerivativeRoyalty,
        value: U256::from(500),
        expected: U256::from(499),
    };
    assert_eq!(register(&mut world, deriver, cheaper), Err(refused.into()));
    // Two parents with different reciprocal terms have no common child.
    let elsewhere = Terms { territory: B256::repeat_byte(1), ..free };
    offer(&mut world, owner, parents[1], &elsewhere);
    let relation = IAssets::Relation::FinetunedFrom;
    let edges = parents.map(|parent| IAssets::Edge { parent, relation }).to_vec();
    let both = IAssets::Registration { edges, ..model() };
    let refused = ILicenses::TermsCarried { asset: parents[1] + 1, carried: id };
    assert_eq!(register(&mut world, deriver, both), Err(refused.into()));
}

prop_compose! {
    fn any_terms()(
        pricing in 0..6_u8, price in 0..=MAX_PRICE, times in any::<(u32, u32, u32)>(),
        purposes in any::<u8>(), flags in any::<[bool; 5]>(), shares in any::<(u16, u16)>(),
        caps in any::<(u64, u16)>(), texts in any::<([u8; 32], [u8; 32])>(),
    ) -> Terms {
        Terms {
            pricing: Pricing::try_from(pricing).unwrap(), price,
            period: times.0, duration: times.1, seatWindow: times.2, purposes,
            needsApproval: flags[0], isReciprocal: flags[1], needsAttribution: flags[2],
            isTransferable: flags[3], isRevocable: flags[4],
            derivativeRoyalty: shares.0, resaleRoyalty: shares.1,
            useCap: caps.0, seatCap: caps.1,
            territory: B256::from(texts.0), restrictions: B256::from(texts.1),
        }
    }
}

proptest! {
    #[test]
    fn i1_words_keep_terms_and_the_id_is_their_hash(one in any_terms(), other in any_terms()) {
        let words = terms::Stored(Some(one.clone())).pack().unwrap();
        prop_assert_eq!(terms::Stored::unpack(&words).unwrap().0, Some(one.clone()));
        prop_assert_eq!(terms::id(&one) == terms::id(&other), one == other);
        let near = Terms { restrictions: other.restrictions, ..one };
        prop_assert_eq!(terms::id(&one) == terms::id(&near), one == near);
    }
}
