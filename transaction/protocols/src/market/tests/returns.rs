//! Licences sold with a right to return them.

use super::stall::{ask, buy, entrust, holder, item, licensed, listing, pay, send, sign};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::tests::town,
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolError;
use sahara_abi::{
    ILicenses::{self, Terms},
    IMarket::{self, Listing},
    INCENTIVE_POOL, LICENSES, MARKET,
};

/// A licence sold for 1,000 that can be returned for a day: world, seller, buyer, licence, sale.
fn sold() -> (World, [Actor; 2], U256, u64) {
    sold_under(&town::remix(0), Address::ZERO)
}

/// The same under terms without price, the seat given to `user` before the sale, in its second.
fn sold_under(terms: &Terms, user: Address) -> (World, [Actor; 2], U256, u64) {
    let mut world = town::world();
    let ([seller, buyer], creator) = (world.payers, world.creator);
    entrust(&mut world, seller);
    let asset = town::register(&mut world, creator, town::model()).unwrap();
    let terms = town::offer(&mut world, creator, asset, terms);
    let holder = seller.address;
    let purchase = ILicenses::Purchase { asset, terms, quantity: 1, holder, user };
    let license = town::ask(&mut world, seller, ILicenses::buyCall { purchase }).unwrap();
    let item = item(&mut world, LICENSES, license, 1_000);
    let listing = Listing { refundSeconds: 86_400, referral: 500, ..listing(&world, seller, item) };
    let call = IMarket::buyCall {
        data: listing.clone(),
        signature: sign(seller, &listing),
        recipient: buyer.address,
        referrer: world.stranger.address,
    };
    let sale = pay(&mut world, buyer, 1_500, call).unwrap();
    (world, [seller, buyer], license, sale)
}

#[test]
fn an_unused_licence_is_returned_for_everything_that_was_paid() {
    let (mut world, [seller, buyer], license, sale) = sold();
    assert_eq!(holder(&mut world, license), buyer.address);
    let had = 10_000 * crate::channels::tests::world::COIN;
    assert_eq!((world.balance(buyer.address), world.balance(MARKET)), (had - 1_010, 1_010));
    let shown = ask(&mut world, seller, IMarket::heldSaleCall { sale }).unwrap();
    assert_eq!((shown.license, shown.price, shown.fee), (license, 1_000, 10));
    let give_back = || IMarket::returnLicenseCall { sale };
    let not_his = IMarket::NotBidder { caller: seller.address, bidder: buyer.address };
    assert_eq!(send(&mut world, seller, give_back()), Err(not_his.into()));
    world.wait(86_399);
    send(&mut world, buyer, give_back()).unwrap();
    assert_eq!(holder(&mut world, license), seller.address);
    assert_eq!(world.balance(buyer.address), had);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (0, 0));
    let gone = IMarket::UnknownSale { sale };
    assert_eq!(send(&mut world, buyer, give_back()), Err(gone.clone().into()));
    assert_eq!(send(&mut world, buyer, IMarket::releaseCall { sale }), Err(gone.into()));
}

#[test]
fn what_was_not_returned_in_time_is_paid_out() {
    let (mut world, [seller, buyer], license, sale) = sold();
    let (creator, friend, anyone) = (world.creator, world.stranger, world.workers[0]);
    let before = [seller, creator, friend].map(|actor| world.balance(actor.address));
    let until = world.now() + 86_400;
    world.wait(86_399);
    let early = IMarket::ReturnOpen { sale, until };
    assert_eq!(send(&mut world, anyone, IMarket::releaseCall { sale }), Err(early.into()));
    world.wait(1);
    let late = IMarket::ReturnOver { sale, until };
    let give_back = IMarket::returnLicenseCall { sale };
    assert_eq!(send(&mut world, buyer, give_back), Err(late.into()));
    send(&mut world, anyone, IMarket::releaseCall { sale }).unwrap();
    let got: Vec<_> = [seller, creator, friend]
        .iter()
        .zip(before)
        .map(|(actor, had)| world.balance(actor.address) - had)
        .collect();
    assert_eq!(got, [850, 100, 50]);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (10, 0));
    assert_eq!(holder(&mut world, license), buyer.address);
}

#[test]
fn what_was_used_or_passed_on_is_not_returned() {
    let (world, [_, buyer], license, sale) = sold();
    let give_back = || IMarket::returnLicenseCall { sale };
    let mut used = world.clone();
    used.wait(5);
    let call = ILicenses::assignSeatCall { license, account: buyer.address };
    town::send(&mut used, buyer, call).unwrap();
    assert!(send(&mut used, buyer, give_back()).is_err());
    used.wait(86_400);
    send(&mut used, buyer, IMarket::releaseCall { sale }).unwrap();

    let mut passed = world;
    let (from, to) = (buyer.address, passed.stranger.address);
    let call = ILicenses::transferFromCall { from, to, tokenId: license };
    town::send(&mut passed, buyer, call).unwrap();
    let not_his = IMarket::NotMovable { collection: LICENSES, tokenId: license, seller: from };
    assert_eq!(send(&mut passed, buyer, give_back()), Err(not_his.into()));
    passed.wait(86_400);
    send(&mut passed, buyer, IMarket::releaseCall { sale }).unwrap();
}

#[test]
fn a_renewal_by_the_seller_does_not_undo_the_right_to_return() {
    let (mut world, [seller, buyer], license, sale) = sold_under(&town::hourly(0), Address::ZERO);
    let had = 10_000 * crate::channels::tests::world::COIN;
    assert_eq!(world.balance(buyer.address), had - 1_010);
    // Anybody may renew anybody's licence, here for nothing: its end is another one now.
    town::renew(&mut world, seller, license, 1).unwrap();
    send(&mut world, buyer, IMarket::returnLicenseCall { sale }).unwrap();
    assert_eq!(holder(&mut world, license), seller.address);
    assert_eq!((world.balance(buyer.address), world.balance(MARKET)), (had, 0));
}

#[test]
fn a_seat_taken_in_the_second_of_the_sale_is_a_use() {
    let seller = town::world().payers[0].address;
    let (mut world, [_, buyer], license, sale) = sold_under(&town::remix(0), seller);
    // Without a use window the licence's own word stays as it was: its last window ended in this second.
    let call = ILicenses::assignSeatCall { license, account: buyer.address };
    town::send(&mut world, buyer, call).unwrap();
    match send(&mut world, buyer, IMarket::returnLicenseCall { sale }) {
        Err(Failure::Revert(data)) => {
            assert!(data.starts_with(&IMarket::StateChanged::SELECTOR), "{data}");
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// A world in which the asset's owner has revoked the licence that was sold.
fn revoked(prepare: impl FnOnce(&mut World, [Actor; 2], U256)) -> (World, [Actor; 2], U256, u64) {
    let terms = Terms { isRevocable: true, ..town::remix(0) };
    let (mut world, pair, license, sale) = sold_under(&terms, Address::ZERO);
    prepare(&mut world, pair, license);
    let call = ILicenses::revokeCall { license, reason: B256::repeat_byte(3) };
    let owner = world.creator;
    town::send(&mut world, owner, call).unwrap();
    (world, pair, license, sale)
}

#[test]
fn a_revocation_does_not_undo_the_right_to_return() {
    let (mut world, [_, buyer], license, sale) = revoked(|_, _, _| ());
    let had = 10_000 * crate::channels::tests::world::COIN;
    assert_eq!(world.balance(buyer.address), had - 1_010);
    send(&mut world, buyer, IMarket::returnLicenseCall { sale }).unwrap();
    assert_eq!((world.balance(buyer.address), world.balance(MARKET)), (had, 0));
    assert_eq!(holder(&mut world, license), buyer.address, "what was revoked moves no more");
    let gone = IMarket::UnknownSale { sale };
    assert_eq!(send(&mut world, buyer, IMarket::returnLicenseCall { sale }), Err(gone.into()));
}

#[test]
fn what_was_used_or_passed_on_before_it_was_revoked_is_not_returned() {
    let uses: [fn(&mut World, Actor, U256); 2] = [
        |world, buyer, license| {
            let call = ILicenses::assignSeatCall { license, account: buyer.address };
            town::send(world, buyer, call).unwrap();
        },
        |world, buyer, license| {
            let (from, to) = (buyer.address, world.stranger.address);
            let call = ILicenses::transferFromCall { from, to, tokenId: license };
            town::send(world, buyer, call).unwrap();
        },
    ];
    for used in uses {
        let (mut world, [_, buyer], _, sale) =
            revoked(|world, [_, buyer], license| used(world, buyer, license));
        match send(&mut world, buyer, IMarket::returnLicenseCall { sale }) {
            Err(Failure::Revert(data)) => {
                assert!(data.starts_with(&IMarket::StateChanged::SELECTOR), "{data}");
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
        world.wait(86_400);
        send(&mut world, buyer, IMarket::releaseCall { sale }).unwrap();
    }
}

#[test]
fn a_price_that_waits_needs_no_more_than_the_buyer_sent() {
    let mut world = town::world();
    let ([seller, buyer], creator) = (world.payers, world.creator);
    let license = licensed(&mut world, creator, seller);
    let item = item(&mut world, LICENSES, license, 1_000);
    let listing = Listing { refundSeconds: 60, ..listing(&world, seller, item) };
    let refused = IMarket::PriceTooHigh { asked: U256::from(1_010), sent: U256::from(1_009) };
    let short = buy(&mut world, buyer, 1_009, &listing, sign(seller, &listing));
    assert_eq!(short, Err(refused.into()));
}
