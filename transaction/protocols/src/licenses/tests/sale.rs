//! Buying and renewing.

use super::town::{
    ask, buy, can, child_of, hourly, license, model, offer, pay, register, remix, renew, send,
    total, world,
};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::{MAX_EXPIRY, purpose::INFERENCE},
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    FEES, IAssets,
    ILicenses::{self, Missing, Pricing, Purchase, Terms},
    INCENTIVE_POOL, IProtocol, IRoyalties, LICENSES, ROYALTIES,
};

/// A world with one asset under these terms: the world, its asset and the terms' id.
fn sold(data: &Terms) -> (World, u64, B256) {
    let mut world = world();
    let owner = world.creator;
    let asset = register(&mut world, owner, model()).unwrap();
    let id = offer(&mut world, owner, asset, data);
    (world, asset, id)
}

fn purchase(asset: u64, terms: B256, holder: Address) -> Purchase {
    Purchase { asset, terms, quantity: 1, holder, user: Address::ZERO }
}

#[test]
fn a_sale_pays_the_owner_and_the_incentive_pool_in_the_call() {
    let (mut world, asset, id) = sold(&remix(10_001));
    let (buyer, owner) = (world.payers[0], world.creator);
    let before = (world.balance(buyer.address), world.balance(owner.address));
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    assert_eq!(world.balance(buyer.address), before.0 - 10_101);
    assert_eq!(world.balance(owner.address), before.1 + 10_001);
    assert_eq!(world.balance(INCENTIVE_POOL), 100, "1 % rounded down");
    let shown = license(&mut world, number);
    assert_eq!((shown.asset, shown.terms, shown.holder), (asset, id, buyer.address));
    assert_eq!((shown.expiresAt, shown.useLimit, shown.seats, shown.seatsTaken), (0, 0, 1, 1));
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Ok(1));
}

#[test]
fn a_price_is_divided_among_the_ancestors_to_the_unit() {
    let mut world = world();
    let owners = [world.creator, world.payers[0], world.workers[0]];
    let mut assets = vec![register(&mut world, owners[0], model()).unwrap()];
    for owner in &owners[1..] {
        let child = child_of(assets[assets.len() - 1]);
        assets.push(register(&mut world, *owner, child).unwrap());
    }
    let id = offer(&mut world, owners[2], assets[2], &remix(999));
    let before = owners.map(|owner| world.balance(owner.address));
    let buyer = world.stranger;
    buy(&mut world, buyer, assets[2], id, 1).unwrap();
    let got: Vec<_> =
        owners.iter().zip(before).map(|(owner, had)| world.balance(owner.address) - had).collect();
    // 5 % of 999 to each ancestor, rounded down; the rest stays.
    assert_eq!(got, [49, 49, 901]);
    assert_eq!(world.balance(INCENTIVE_POOL), 9);
}

#[test]
fn every_payment_but_the_exact_one_is_refused() {
    let (mut world, asset, id) = sold(&remix(1_000));
    let buyer = world.payers[0];
    let call = || ILicenses::buyCall { purchase: purchase(asset, id, buyer.address) };
    for sent in [0, 1_000, 1_009, 1_011] {
        let refused =
            ILicenses::WrongPayment { sent: U256::from(sent), expected: U256::from(1_010) };
        assert_eq!(pay(&mut world, buyer, sent, call()), Err(refused.into()));
    }
    pay(&mut world, buyer, 1_010, call()).unwrap();
}

#[test]
fn what_is_not_offered_is_not_sold() {
    let (mut world, asset, id) = sold(&remix(0));
    let (buyer, owner) = (world.payers[0], world.creator);
    let refused = ILicenses::NotOffered { asset: 1, terms: id };
    assert_eq!(buy(&mut world, buyer, 1, id, 1), Err(refused.into()));
    let refused = IAssets::UnknownAsset { asset: 99 };
    assert_eq!(buy(&mut world, buyer, 99, id, 1), Err(refused.into()));
    let unknown = B256::repeat_byte(9);
    let refused = ILicenses::UnknownTerms { terms: unknown };
    assert_eq!(buy(&mut world, buyer, asset, unknown, 1), Err(refused.into()));
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: id }).unwrap();
    let refused = ILicenses::NotOffered { asset, terms: id };
    assert_eq!(buy(&mut world, buyer, asset, id, 1), Err(refused.into()));
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Ok(number.to()), "sold is sold");
    let other = world.payers[1].address;
    assert_eq!(can(&mut world, other, asset, INFERENCE), Err(Missing::License));
}

#[test]
fn an_asset_that_does_not_earn_yet_is_not_sold() {
    let mut world = world();
    let (owner, buyer) = (world.creator, world.payers[0]);
    let open = IAssets::Registration { isOpen: true, ..model() };
    let asset = register(&mut world, owner, open).unwrap();
    for price in [0, 100] {
        let id = offer(&mut world, owner, asset, &remix(price));
        let refused = IAssets::NotSealed { asset };
        assert_eq!(buy(&mut world, buyer, asset, id, 1), Err(refused.into()));
    }
}

#[test]
fn nobody_holds_a_licence_whom_it_could_not_serve() {
    let (mut world, asset, id) = sold(&remix(0));
    let buyer = world.payers[0];
    for receiver in [Address::ZERO, LICENSES, ROYALTIES, FEES] {
        let refused: Failure = ILicenses::ERC721InvalidReceiver { receiver }.into();
        let call = ILicenses::buyCall { purchase: purchase(asset, id, receiver) };
        assert_eq!(send(&mut world, buyer, call), Err(refused.clone()));
        if !receiver.is_zero() {
            let user = receiver;
            let purchase = Purchase { user, ..purchase(asset, id, buyer.address) };
            let call = ILicenses::buyCall { purchase };
            assert_eq!(send(&mut world, buyer, call), Err(refused));
        }
    }
}

#[test]
fn each_pricing_counts_what_it_names() {
    let cases = [
        (Terms { pricing: Pricing::Fixed, ..remix(100) }, 1, 100),
        (Terms { pricing: Pricing::Fixed, duration: 60, ..remix(100) }, 3, 300),
        (Terms { pricing: Pricing::PerUse, ..remix(100) }, 7, 700),
        (Terms { pricing: Pricing::PerMillionTokens, ..remix(100) }, 1, 1),
        (Terms { pricing: Pricing::PerMillionTokens, ..remix(100) }, 1_000_001, 101),
        (Terms { pricing: Pricing::PerSeat, ..remix(100) }, 5, 500),
        (Terms { pricing: Pricing::Subscription, ..hourly(100) }, 2, 200),
    ];
    for (data, quantity, price) in cases {
        let (mut world, asset, id) = sold(&data);
        assert_eq!(total(&mut world, id, quantity), price + price / 100, "{data:?}");
        let (buyer, now) = (world.payers[0], world.now());
        let number = buy(&mut world, buyer, asset, id, quantity).unwrap();
        let shown = license(&mut world, number);
        let uses = matches!(data.pricing, Pricing::PerUse | Pricing::PerMillionTokens);
        assert_eq!(shown.useLimit, if uses { quantity.into() } else { 0 });
        let seats = if data.pricing == Pricing::PerSeat { quantity } else { 1 };
        assert_eq!(u32::from(shown.seats), seats);
        let length = u64::from(quantity) * u64::from(data.period.max(data.duration));
        assert_eq!(shown.expiresAt, if length > 0 { now + length } else { 0 });
    }
}

#[test]
fn a_quantity_that_a_pricing_does_not_have_is_refused() {
    let cases = [
        (remix(1), 1),
        (Terms { pricing: Pricing::PerSeat, ..remix(1) }, 10_000),
        (Terms { pricing: Pricing::PerSeat, seatCap: 4, ..remix(1) }, 4),
        (Terms { pricing: Pricing::PerUse, useCap: 9, ..remix(1) }, 9),
        (Terms { pricing: Pricing::PerMillionTokens, useCap: 5, ..remix(1) }, 5),
    ];
    for (data, most) in cases {
        let (mut world, asset, id) = sold(&data);
        let buyer = world.payers[0];
        for quantity in [0, most + 1] {
            let refused = ILicenses::WrongQuantity { quantity, least: 1, most: most.into() };
            assert_eq!(buy(&mut world, buyer, asset, id, quantity), Err(refused.into()));
        }
        buy(&mut world, buyer, asset, id, most).unwrap();
    }
}

#[test]
fn a_subscription_lasts_to_the_second_and_is_renewed_from_its_end() {
    let (mut world, asset, id) = sold(&hourly(100));
    let (buyer, stranger) = (world.payers[0], world.stranger);
    let start = world.now();
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    world.wait(3_599);
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Ok(1));
    world.wait(1);
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Err(Missing::Expired));
    // At the very second of its end a period begins anew, and anyone may pay for it.
    renew(&mut world, stranger, number, 2).unwrap();
    assert_eq!(license(&mut world, number).expiresAt, start + 3 * 3_600);
    assert_eq!(can(&mut world, buyer.address, asset, INFERENCE), Ok(1));
    // Early renewal loses nothing.
    world.wait(10);
    renew(&mut world, buyer, number, 1).unwrap();
    assert_eq!(license(&mut world, number).expiresAt, start + 4 * 3_600);
    // Late renewal pays for no time that has passed.
    world.wait(10 * 3_600);
    renew(&mut world, buyer, number, 1).unwrap();
    assert_eq!(license(&mut world, number).expiresAt, world.now() + 3_600);
}

#[test]
fn caps_are_renewed_with_what_was_paid() {
    let hundred = Terms { useCap: 100, ..hourly(1) };
    let (mut world, asset, id) = sold(&hundred);
    let buyer = world.payers[0];
    let number = buy(&mut world, buyer, asset, id, 2).unwrap();
    assert_eq!(license(&mut world, number).useLimit, 200);
    renew(&mut world, buyer, number, 1).unwrap();
    assert_eq!(license(&mut world, number).useLimit, 300);

    let ten = Terms { pricing: Pricing::PerUse, useCap: 10, ..remix(1) };
    let (mut world, asset, id) = sold(&ten);
    let number = buy(&mut world, buyer, asset, id, 7).unwrap();
    let refused = ILicenses::WrongQuantity { quantity: 4, least: 1, most: 3 };
    assert_eq!(renew(&mut world, buyer, number, 4), Err(refused.into()));
    renew(&mut world, buyer, number, 3).unwrap();
    assert_eq!(license(&mut world, number).useLimit, 10);
}

#[test]
fn every_seat_is_paid_for_again() {
    let seats = Terms { pricing: Pricing::PerSeat, duration: 100, ..remix(10) };
    let (mut world, asset, id) = sold(&seats);
    let buyer = world.payers[0];
    let start = world.now();
    let number = buy(&mut world, buyer, asset, id, 3).unwrap();
    assert_eq!(license(&mut world, number).expiresAt, start + 100);
    let call = ILicenses::renewalQuoteCall { license: number, quantity: 2 };
    assert_eq!(ask(&mut world, buyer, call).unwrap().price, U256::from(60));
    renew(&mut world, buyer, number, 2).unwrap();
    assert_eq!(license(&mut world, number).expiresAt, start + 300);
    assert_eq!(license(&mut world, number).seats, 3);
}

fn renewal_refused(world: &mut World, payer: Actor, number: U256, error: impl Into<Failure>) {
    assert_eq!(renew(world, payer, number, 1), Err(error.into()));
}

#[test]
fn what_cannot_be_renewed_is_named() {
    let (mut world, asset, id) = sold(&remix(5));
    let (buyer, owner) = (world.payers[0], world.creator);
    let unknown = U256::from(77);
    let refused = ILicenses::ERC721NonexistentToken { tokenId: unknown };
    renewal_refused(&mut world, buyer, unknown, refused);
    let endless = buy(&mut world, buyer, asset, id, 1).unwrap();
    renewal_refused(&mut world, buyer, endless, ILicenses::NotRenewable { license: endless });

    let revocable = Terms { isRevocable: true, ..hourly(5) };
    let id = offer(&mut world, owner, asset, &revocable);
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    let refused = ILicenses::WrongQuantity { quantity: 0, least: 1, most: u32::MAX.into() };
    assert_eq!(renew(&mut world, buyer, number, 0), Err(refused.into()));
    for (sent, quantity) in [(4, 1), (5, 2), (11, 2)] {
        let expected = U256::from(5 * quantity);
        let refused = ILicenses::WrongPayment { sent: U256::from(sent), expected };
        let call = ILicenses::renewCall { license: number, quantity };
        assert_eq!(pay(&mut world, buyer, sent, call).map(drop), Err(refused.into()));
    }
    send(&mut world, owner, ILicenses::withdrawOfferCall { asset, terms: id }).unwrap();
    renewal_refused(&mut world, buyer, number, ILicenses::NotOffered { asset, terms: id });
    send(&mut world, owner, ILicenses::offerCall { asset, terms: id }).unwrap();
    let call = ILicenses::revokeCall { license: number, reason: B256::ZERO };
    send(&mut world, owner, call).unwrap();
    renewal_refused(&mut world, buyer, number, ILicenses::LicenseRevoked { license: number });

    let id = offer(
        &mut world,
        owner,
        asset,
        &Terms { pricing: Pricing::PerUse, duration: 50, ..remix(1) },
    );
    let number = buy(&mut world, buyer, asset, id, 1).unwrap();
    let end = world.now() + 50;
    world.wait(49);
    renew(&mut world, buyer, number, 1).unwrap();
    world.wait(1);
    let refused = ILicenses::LicenseExpired { license: number, expiresAt: end };
    renewal_refused(&mut world, buyer, number, refused);
}

#[test]
fn a_licence_does_not_outlive_the_clock() {
    let (mut world, asset, id) = sold(&Terms { period: u32::MAX, ..hourly(0) });
    let buyer = world.payers[0];
    let refused: Failure = IProtocol::Overflow {}.into();
    assert_eq!(buy(&mut world, buyer, asset, id, u32::MAX), Err(refused.clone()));
    let most = (MAX_EXPIRY - world.now()) / u64::from(u32::MAX);
    let most = u32::try_from(most).unwrap();
    assert_eq!(buy(&mut world, buyer, asset, id, most + 1), Err(refused.clone()));
    let number = buy(&mut world, buyer, asset, id, most).unwrap();
    assert_eq!(renew(&mut world, buyer, number, 1), Err(refused));
}

#[test]
fn a_sale_is_told_in_events() {
    let (mut world, asset, id) = sold(&hourly(200));
    let (buyer, holder) = (world.payers[0], world.payers[1].address);
    let from = world.state.logs.len();
    let purchase = Purchase { quantity: 2, user: holder, ..purchase(asset, id, holder) };
    pay(&mut world, buyer, 404, ILicenses::buyCall { purchase }).unwrap();
    let logs = &world.state.logs[from..];
    let issued = logs.iter().find_map(|log| ILicenses::Issued::decode_log(log).ok()).unwrap();
    assert_eq!((issued.license, issued.asset, issued.holder), (U256::from(1), asset, holder));
    assert_eq!((issued.terms, issued.quantity), (id, 2));
    let sold = logs.iter().find_map(|log| ILicenses::Sold::decode_log(log).ok()).unwrap();
    assert_eq!((sold.payer, sold.price, sold.fee), (buyer.address, U256::from(400), U256::from(4)));
    let paid = logs.iter().find_map(|log| IRoyalties::Paid::decode_log(log).ok()).unwrap();
    assert_eq!((paid.asset, paid.payer, paid.amount), (asset, buyer.address, U256::from(400)));
}
