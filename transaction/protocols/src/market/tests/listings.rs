//! Listings that sell.

use super::stall::{
    LISTING_FEE, ask, asset, buy, entrust, holder, item, licensed, listing, owner, pay, sale, send,
    sign,
};
use crate::{
    channels::tests::world::{Actor, World},
    licenses::tests::town,
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolEvent, SolStruct};
use sahara_abi::{
    ASSETS, IAssets,
    IMarket::{self, Item, Listing},
    INCENTIVE_POOL, LICENSES, MARKET, signing,
};
use sahara_primitives::LOCAL_CHAIN_ID;

#[test]
fn a_signed_listing_costs_its_seller_nothing_and_pays_in_the_call() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let listing = sale(&mut world, seller, asset, 10_001);
    let before = [seller, buyer].map(|actor| world.balance(actor.address));
    // More than needed comes back at once.
    buy(&mut world, buyer, 20_000, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(owner(&mut world, asset), buyer.address);
    // Nobody stands behind this asset but its seller, so its royalty is the seller's too.
    assert_eq!(world.balance(seller.address), before[0] + 10_001);
    assert_eq!(world.balance(buyer.address), before[1] - 10_101);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (100, 0));
}

#[test]
fn a_price_of_one_unit_is_paid_whole_and_raises_no_fee() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let listing = sale(&mut world, seller, asset, 1);
    let before = [seller, buyer].map(|actor| world.balance(actor.address));
    buy(&mut world, buyer, 1, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(owner(&mut world, asset), buyer.address);
    assert_eq!(world.balance(seller.address), before[0] + 1);
    assert_eq!(world.balance(buyer.address), before[1] - 1);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (0, 0));
}

#[test]
fn a_published_listing_needs_no_signature_and_has_a_fee() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let listing = sale(&mut world, seller, asset, 1_000);
    let call = IMarket::listCall { data: listing.clone() };
    let id = pay(&mut world, seller, LISTING_FEE, call).unwrap();
    assert_eq!(ask(&mut world, buyer, IMarket::isListedCall { listing: id }), Ok(true));
    let call = IMarket::listingHashCall { data: listing.clone() };
    assert_eq!(ask(&mut world, buyer, call), Ok(id));
    let domain = signing::market_domain(LOCAL_CHAIN_ID);
    assert_eq!(listing.eip712_signing_hash(&domain), id);
    assert_eq!(world.balance(INCENTIVE_POOL), LISTING_FEE);
    let call = IMarket::quoteCall { data: listing.clone() };
    let quote = ask(&mut world, buyer, call).unwrap();
    assert_eq!((quote.price, quote.fee), (U256::from(1_000), U256::from(10)));
    buy(&mut world, buyer, 1_010, &listing, Bytes::new()).unwrap();
    assert_eq!(owner(&mut world, asset), buyer.address);
}

#[test]
fn a_hash_of_many_items_is_paid_by_the_item() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let mut listing = sale(&mut world, seller, asset, 1_000);
    let first = listing.items[0].clone();
    let mut gas_of = |items: usize| {
        listing.items = vec![first.clone(); items];
        let before = world.state.count.gas;
        ask(&mut world, buyer, IMarket::listingHashCall { data: listing.clone() }).unwrap();
        world.state.count.gas - before
    };
    let one = gas_of(1);
    assert!(one >= 1_000, "{one} gas");
    assert_eq!(gas_of(1_001), one + 400_000);
}

#[test]
fn a_resale_pays_ancestors_and_members_their_part() {
    let mut world = town::world();
    let ([seller, buyer], creator, member) = (world.payers, world.creator, world.stranger);
    entrust(&mut world, seller);
    let parent = town::register(&mut world, creator, town::model()).unwrap();
    let units = |units: u64| alloy_primitives::aliases::U96::from(units);
    let members = vec![IAssets::Member { account: member.address, units: units(1) }];
    let child = IAssets::Registration { members, ownerUnits: units(3), ..town::child_of(parent) };
    let child = town::register(&mut world, seller, child).unwrap();
    let before = [seller, creator].map(|actor| world.balance(actor.address));
    let listing = sale(&mut world, seller, child, 100_000);
    let call = IMarket::partsCall {
        collection: ASSETS,
        tokenId: U256::from(child),
        price: U256::from(100_000),
        referral: 0,
    };
    let parts = ask(&mut world, buyer, call).unwrap();
    assert_eq!((parts.seller, parts.royalty), (U256::from(95_000), U256::from(5_000)));
    buy(&mut world, buyer, 101_000, &listing, sign(seller, &listing)).unwrap();
    // Of the royalty of 5,000 the parent has 5 %, the member a quarter of the rest, and the seller,
    // who held the owner's units while the money came, three quarters.
    assert_eq!(world.balance(creator.address), before[1] + 250);
    assert_eq!(world.balance(seller.address), before[0] + 95_000 + 3_562);
    let earned = crate::royalties::earned(&mut world.state, member.address).unwrap();
    assert_eq!(earned.to_u128(), Some(1_187));
}

#[test]
fn a_licence_is_resold_with_what_its_terms_ask() {
    let mut world = town::world();
    let ([seller, buyer], creator) = (world.payers, world.creator);
    let license = licensed(&mut world, creator, seller);
    let item = item(&mut world, LICENSES, license, 1_000);
    let listing = listing(&world, seller, item);
    let before = [seller, creator].map(|actor| world.balance(actor.address));
    buy(&mut world, buyer, 1_010, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(holder(&mut world, license), buyer.address);
    assert_eq!(world.balance(creator.address), before[1] + 100, "10 % of a resale");
    assert_eq!(world.balance(seller.address), before[0] + 900);
}

#[test]
fn a_falling_price_falls_in_a_straight_line_rounded_up() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let mut dutch = sale(&mut world, seller, asset, 1_000);
    dutch.items[0].endPrice = 1;
    dutch.endsAt = dutch.startsAt + 300;
    let call = || IMarket::quoteCall { data: dutch.clone() };
    for (wait, price) in [(0, 1_000), (1, 997), (1, 994), (1, 991), (97, 667), (199, 5)] {
        world.wait(wait);
        let quote = ask(&mut world, buyer, call()).unwrap();
        assert_eq!(quote.price, U256::from(price));
    }
    // The coin sent is the bound: what is asked now is 5, and the price of a second later is not his.
    let refused = IMarket::PriceTooHigh { asked: U256::from(5), sent: U256::from(4) };
    let signature = sign(seller, &dutch);
    assert_eq!(buy(&mut world, buyer, 4, &dutch, signature.clone()), Err(refused.into()));
    let before = world.balance(buyer.address);
    buy(&mut world, buyer, 1_000, &dutch, signature).unwrap();
    assert_eq!(world.balance(buyer.address), before - 5);
}

#[test]
fn a_bundle_sells_everything_or_nothing() {
    let mut world = town::world();
    let ([seller, buyer], creator) = (world.payers, world.creator);
    let assets = [asset(&mut world, seller), asset(&mut world, seller)];
    let license = licensed(&mut world, creator, seller);
    let all = |world: &mut World| {
        let items =
            [(ASSETS, assets[0], 100), (ASSETS, assets[1], 200), (LICENSES, license.to(), 300)];
        let items: Vec<Item> = items
            .into_iter()
            .map(|(collection, id, price)| item(world, collection, U256::from(id), price))
            .collect();
        Listing { items, ..sale(world, seller, assets[0], 0) }
    };
    let bundle = all(&mut world);
    let signature = sign(seller, &bundle);
    // One of them is gone: nothing is sold.
    let (from, to) = (seller.address, world.stranger.address);
    let call = IAssets::transferFromCall { from, to, tokenId: U256::from(assets[1]) };
    world.call(seller, ASSETS, call).unwrap();
    assert!(buy(&mut world, buyer, 606, &bundle, signature.clone()).is_err());
    assert_eq!(owner(&mut world, assets[0]), seller.address);
    let call = IAssets::transferFromCall { from: to, to: from, tokenId: U256::from(assets[1]) };
    world.call(world.stranger, ASSETS, call).unwrap();
    // It came back, and what was signed before is void.
    assert!(buy(&mut world, buyer, 606, &bundle, signature).is_err());
    let bundle = all(&mut world);
    let signature = sign(seller, &bundle);
    let refused = IMarket::PriceTooHigh { asked: U256::from(606), sent: U256::from(605) };
    let short = buy(&mut world, buyer, 605, &bundle, signature.clone());
    assert_eq!(short, Err(refused.into()));
    buy(&mut world, buyer, 606, &bundle, signature).unwrap();
    for asset in assets {
        assert_eq!(owner(&mut world, asset), buyer.address);
    }
    assert_eq!(holder(&mut world, license), buyer.address);
    let sold: Vec<_> = world
        .state
        .logs
        .iter()
        .filter_map(|log| IMarket::Sold::decode_log(log).ok())
        .map(|sold| sold.price.to::<u64>())
        .collect();
    assert_eq!(sold, [100, 200, 300]);
}

#[test]
fn nothing_is_sold_twice_in_one_bundle() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let mut twice = sale(&mut world, seller, asset, 100);
    twice.items.push(twice.items[0].clone());
    let refused = IMarket::NotMovable {
        collection: ASSETS,
        tokenId: U256::from(asset),
        seller: seller.address,
    };
    let signature = sign(seller, &twice);
    assert_eq!(buy(&mut world, buyer, 202, &twice, signature), Err(refused.into()));
}

#[test]
fn whoever_brought_the_buyer_is_paid_what_the_listing_says() {
    let mut world = town::world();
    let ([seller, buyer], friend) = (world.payers, world.stranger);
    let asset = asset(&mut world, seller);
    let listing = Listing { referral: 1_000, ..sale(&mut world, seller, asset, 999) };
    let before = [seller, friend].map(|actor| world.balance(actor.address));
    let call = IMarket::buyCall {
        data: listing.clone(),
        signature: sign(seller, &listing),
        recipient: buyer.address,
        referrer: friend.address,
    };
    pay(&mut world, buyer, 1_008, call).unwrap();
    assert_eq!(world.balance(friend.address), before[1] + 99);
    assert_eq!(world.balance(seller.address), before[0] + 900);
    // Without one the part stays with the seller.
    let (asset, before) = (self::asset(&mut world, seller), world.balance(seller.address));
    let listing = Listing { nonce: 2, referral: 1_000, ..sale(&mut world, seller, asset, 999) };
    buy(&mut world, buyer, 1_008, &listing, sign(seller, &listing)).unwrap();
    assert_eq!(world.balance(seller.address), before + 999);
}

#[test]
fn one_may_buy_for_another() {
    let mut world = town::world();
    let [seller, buyer] = world.payers;
    let asset = asset(&mut world, seller);
    let listing = sale(&mut world, seller, asset, 0);
    let call = IMarket::buyCall {
        data: listing.clone(),
        signature: sign(seller, &listing),
        recipient: world.stranger.address,
        referrer: Address::ZERO,
    };
    pay(&mut world, buyer, 0, call).unwrap();
    assert_eq!(owner(&mut world, asset), world.stranger.address);
}

/// Sells an asset at a price from one to the other.
fn trade(world: &mut World, pair: [Actor; 2], asset: u64, nonce: u64) {
    let listing = Listing { nonce, ..sale(world, pair[0], asset, 1_000_000) };
    buy(world, pair[1], 1_010_000, &listing, sign(pair[0], &listing)).unwrap();
}

#[test]
fn trading_with_oneself_only_costs() {
    let mut world = town::world();
    let [one, other] = world.payers;
    let asset = asset(&mut world, one);
    entrust(&mut world, other);
    let before = world.balance(one.address) + world.balance(other.address);
    for nonce in 0..3 {
        trade(&mut world, [one, other], asset, nonce);
        trade(&mut world, [other, one], asset, nonce);
    }
    let after = world.balance(one.address) + world.balance(other.address);
    assert_eq!(after, before - 60_000, "1 % each time, and nothing comes back");
    // The same account on both sides.
    trade(&mut world, [one, one], asset, 9);
    assert_eq!(world.balance(one.address) + world.balance(other.address), after - 10_000);
    assert_eq!(owner(&mut world, asset), one.address);
}

#[test]
fn parameters_stand_where_anyone_can_read_them() {
    let mut world = town::world();
    let anyone = world.stranger;
    let fee = ask(&mut world, anyone, IMarket::listingFeeCall {}).unwrap();
    assert_eq!(fee, U256::from(LISTING_FEE));
    assert_eq!(ask(&mut world, anyone, IMarket::protocolFeeCall {}).unwrap(), 100);
    let domain = ask(&mut world, anyone, IMarket::DOMAIN_SEPARATORCall {}).unwrap();
    assert_eq!(domain, signing::market_domain(LOCAL_CHAIN_ID).separator());
    let call = IMarket::nonceFloorCall { seller: anyone.address };
    assert_eq!(ask(&mut world, anyone, call).unwrap(), 0);
    send(&mut world, anyone, IMarket::cancelCall { nonce: 5 }).unwrap();
    let call = IMarket::isNonceSpentCall { seller: anyone.address, nonce: 5 };
    assert!(ask(&mut world, anyone, call).unwrap());
}
