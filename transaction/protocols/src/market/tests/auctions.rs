//! English auctions.

use super::stall::{act, ask, asset, entrust, holder, owner, pay, send, state_of};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::tests::town,
    market::{EXTENSION_SECONDS, MAX_AUCTION_SECONDS},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{ASSETS, IAssets, ILicenses, IMarket, INCENTIVE_POOL, LICENSES, MARKET};

fn open(world: &mut World, seller: Actor, asset: u64, seconds: u64) -> Result<u64, Failure> {
    let call = IMarket::openAuctionCall {
        collection: ASSETS,
        tokenId: U256::from(asset),
        reserve: 1_000,
        endsAt: world.now() + seconds,
        state: B256::ZERO,
    };
    ask(world, seller, call)
}

fn bid(world: &mut World, bidder: Actor, auction: u64, price: u128) -> Result<(), Failure> {
    pay(world, bidder, price + price / 100, IMarket::bidCall { auction, price }).map(drop)
}

/// A world with an auction of an hour, from 1,000.
fn stand() -> (World, Actor, [Actor; 2], u64, u64) {
    let mut world = town::world();
    let (seller, bidders) = (world.workers[0], world.payers);
    let asset = asset(&mut world, seller);
    let auction = open(&mut world, seller, asset, 3_600).unwrap();
    (world, seller, bidders, asset, auction)
}

#[test]
fn the_best_bid_wins_and_everyone_else_is_paid_back_at_once() {
    let (mut world, seller, [one, other], asset, auction) = stand();
    let before = [seller, one, other].map(|actor| world.balance(actor.address));
    let low = IMarket::BidTooLow { price: 999, least: 1_000 };
    assert_eq!(bid(&mut world, one, auction, 999), Err(low.into()));
    bid(&mut world, one, auction, 1_000).unwrap();
    let low = IMarket::BidTooLow { price: 1_049, least: 1_050 };
    assert_eq!(bid(&mut world, other, auction, 1_049), Err(low.into()));
    bid(&mut world, other, auction, 1_050).unwrap();
    assert_eq!(world.balance(one.address), before[1], "outbid and paid back in one call");
    assert_eq!(world.balance(MARKET), 1_060);
    let call = IMarket::leastBidCall { auction };
    assert_eq!(ask(&mut world, one, call).unwrap(), 1_102);
    world.wait(3_599);
    let settle = || IMarket::settleAuctionCall { auction };
    let ends_at = world.now() + 1;
    let running = IMarket::AuctionRunning { auction, endsAt: ends_at };
    assert_eq!(send(&mut world, seller, settle()), Err(running.into()));
    world.wait(1);
    let ended = IMarket::NoLongerOnSale { endsAt: ends_at };
    assert_eq!(bid(&mut world, one, auction, 5_000), Err(ended.into()));
    // Anyone settles.
    let anyone = world.stranger;
    send(&mut world, anyone, settle()).unwrap();
    assert_eq!(owner(&mut world, asset), other.address);
    assert_eq!(world.balance(seller.address), before[0] + 1_050);
    assert_eq!(world.balance(other.address), before[2] - 1_060);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (10, 0));
    let gone = IMarket::UnknownAuction { auction };
    assert_eq!(send(&mut world, anyone, settle()), Err(gone.into()));
}

#[test]
fn a_late_bid_moves_the_end() {
    let (mut world, _, [one, other], _, auction) = stand();
    let end = world.now() + 3_600;
    world.wait(3_600 - EXTENSION_SECONDS);
    bid(&mut world, one, auction, 1_000).unwrap();
    let ends_at =
        |world: &mut World| ask(world, one, IMarket::auctionCall { auction }).unwrap().endsAt;
    assert_eq!(ends_at(&mut world), end, "exactly ten minutes before: no need");
    world.wait(1);
    bid(&mut world, other, auction, 2_000).unwrap();
    assert_eq!(ends_at(&mut world), end + 1);
    world.wait(EXTENSION_SECONDS - 1);
    bid(&mut world, one, auction, 3_000).unwrap();
    assert_eq!(ends_at(&mut world), world.now() + EXTENSION_SECONDS);
}

#[test]
fn in_a_short_auction_a_bid_leaves_as_long_as_it_was_to_run() {
    let (mut world, seller, [one, other], asset, auction) = stand();
    world.wait(3_600);
    send(&mut world, seller, IMarket::settleAuctionCall { auction }).unwrap();
    let short = open(&mut world, seller, asset, 20).unwrap();
    world.wait(19);
    for (bidder, price) in [(one, 1_000), (other, 2_000)] {
        bid(&mut world, bidder, short, price).unwrap();
        let shown = ask(&mut world, one, IMarket::auctionCall { auction: short }).unwrap();
        assert_eq!(shown.endsAt, world.now() + 20);
        world.wait(19);
    }
    world.wait(1);
    send(&mut world, one, IMarket::settleAuctionCall { auction: short }).unwrap();
    assert_eq!(owner(&mut world, asset), other.address);
}

#[test]
fn a_bid_is_paid_exactly() {
    let (mut world, _, [one, _], _, auction) = stand();
    for sent in [0, 1_000, 1_009, 1_011] {
        let wrong = IMarket::WrongPayment { sent: U256::from(sent), expected: U256::from(1_010) };
        let call = IMarket::bidCall { auction, price: 1_000 };
        assert_eq!(pay(&mut world, one, sent, call).map(drop), Err(wrong.into()));
    }
    let unknown = IMarket::UnknownAuction { auction: 99 };
    assert_eq!(bid(&mut world, one, 99, 1_000), Err(unknown.into()));
}

#[test]
fn one_may_raise_its_own_bid() {
    let (mut world, _, [one, _], _, auction) = stand();
    let before = world.balance(one.address);
    bid(&mut world, one, auction, 1_000).unwrap();
    bid(&mut world, one, auction, 2_000).unwrap();
    assert_eq!(world.balance(one.address), before - 2_020);
}

#[test]
fn an_auction_is_cancelled_by_its_seller_before_the_first_bid() {
    let (mut world, seller, [one, _], asset, auction) = stand();
    let cancel = |auction| IMarket::cancelAuctionCall { auction };
    let not_his = IMarket::NotSeller { caller: one.address, seller: seller.address };
    assert_eq!(send(&mut world, one, cancel(auction)), Err(not_his.into()));
    let second = open(&mut world, seller, asset, 3_600).unwrap();
    bid(&mut world, one, auction, 1_000).unwrap();
    let has_bid = IMarket::AuctionHasBid { auction, bidder: one.address };
    assert_eq!(send(&mut world, seller, cancel(auction)), Err(has_bid.into()));
    send(&mut world, seller, cancel(second)).unwrap();
    let unknown = IMarket::UnknownAuction { auction: second };
    assert_eq!(bid(&mut world, one, second, 1_000), Err(unknown.into()));
}

#[test]
fn an_auction_without_bids_just_ends() {
    let (mut world, seller, _, asset, auction) = stand();
    world.wait(3_600);
    send(&mut world, seller, IMarket::settleAuctionCall { auction }).unwrap();
    assert_eq!(owner(&mut world, asset), seller.address);
}

/// Spoils an auction and settles it: the bid goes back, whoever calls.
fn spoiled(spoil: impl Fn(&mut World, Actor, u64)) {
    let (mut world, seller, [one, _], asset, auction) = stand();
    let before = world.balance(one.address);
    bid(&mut world, one, auction, 1_000).unwrap();
    spoil(&mut world, seller, asset);
    let owned = owner(&mut world, asset);
    world.wait(3_600);
    send(&mut world, one, IMarket::settleAuctionCall { auction }).unwrap();
    assert_eq!(world.balance(one.address), before);
    assert_eq!(owner(&mut world, asset), owned);
    assert_eq!((world.balance(MARKET), world.balance(INCENTIVE_POOL)), (0, 0));
}

#[test]
fn a_seller_who_cannot_deliver_keeps_nobodys_coin() {
    spoiled(|world, seller, asset| {
        let (from, to, token) = (seller.address, world.stranger.address, U256::from(asset));
        let call = IAssets::transferFromCall { from, to, tokenId: token };
        world.call(seller, ASSETS, call).unwrap();
    });
    spoiled(|world, seller, _| {
        let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: false };
        world.call(seller, ASSETS, call).unwrap();
    });
    spoiled(|world, _, asset| act(world, asset));
}

/// An auction of a licence of two hours without price: world, seller, bidders, licence, auction.
fn lease() -> (World, Actor, [Actor; 2], U256, u64) {
    let mut world = town::world();
    let (seller, creator, bidders) = (world.workers[0], world.creator, world.payers);
    entrust(&mut world, seller);
    let asset = town::register(&mut world, creator, town::model()).unwrap();
    let terms = town::offer(&mut world, creator, asset, &town::hourly(0));
    let (holder, user) = (seller.address, Address::ZERO);
    let purchase = ILicenses::Purchase { asset, terms, quantity: 2, holder, user };
    let license = town::ask(&mut world, seller, ILicenses::buyCall { purchase }).unwrap();
    let call = IMarket::openAuctionCall {
        collection: LICENSES,
        tokenId: license,
        reserve: 1_000,
        endsAt: world.now() + 3_600,
        state: state_of(&mut world, LICENSES, license),
    };
    let auction = ask(&mut world, seller, call).unwrap();
    (world, seller, bidders, license, auction)
}

#[test]
fn nobody_spoils_an_auction_by_renewing_its_licence() {
    let (mut world, _, [one, other], license, auction) = lease();
    bid(&mut world, one, auction, 1_000).unwrap();
    // Who lost pays the cheapest renewal there is, here none.
    town::renew(&mut world, other, license, 1).unwrap();
    world.wait(3_600);
    send(&mut world, other, IMarket::settleAuctionCall { auction }).unwrap();
    assert_eq!(holder(&mut world, license), one.address);
}

#[test]
fn a_licence_that_was_used_since_is_not_the_one_that_was_put_up() {
    let (mut world, seller, [one, _], license, auction) = lease();
    let before = world.balance(one.address);
    bid(&mut world, one, auction, 1_000).unwrap();
    world.wait(1);
    let call = ILicenses::assignSeatCall { license, account: seller.address };
    town::send(&mut world, seller, call).unwrap();
    world.wait(3_600);
    send(&mut world, one, IMarket::settleAuctionCall { auction }).unwrap();
    assert_eq!(holder(&mut world, license), seller.address);
    assert_eq!(world.balance(one.address), before);
}

#[test]
fn what_cannot_be_delivered_is_not_put_up() {
    let (mut world, seller, [one, _], asset, _) = stand();
    let now = world.now();
    for seconds in [0, MAX_AUCTION_SECONDS + 1] {
        let ends_at = now + seconds;
        let wrong = IMarket::WrongPeriod { startsAt: now, endsAt: ends_at, now_: now };
        assert_eq!(open(&mut world, seller, asset, seconds), Err(wrong.into()));
    }
    let token_id = U256::from(asset);
    let not_his =
        IMarket::NotMovable { collection: ASSETS, tokenId: token_id, seller: one.address };
    assert_eq!(open(&mut world, one, asset, 60), Err(not_his.into()));
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: false };
    world.call(seller, ASSETS, call).unwrap();
    let not_trusted = IAssets::ERC721InsufficientApproval { operator: MARKET, tokenId: token_id };
    assert_eq!(open(&mut world, seller, asset, 60), Err(not_trusted.into()));
    let collection = Address::repeat_byte(7);
    let call = IMarket::openAuctionCall {
        collection,
        tokenId: token_id,
        reserve: 0,
        endsAt: now + 1,
        state: B256::ZERO,
    };
    let unknown = IMarket::UnknownCollection { collection };
    assert_eq!(ask(&mut world, seller, call), Err(unknown.into()));
}
