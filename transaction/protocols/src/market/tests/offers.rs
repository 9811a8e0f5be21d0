//! Offers.

use super::stall::{act, ask, asset, owner, pay, send};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::tests::town,
};
use alloy_primitives::{B256, U256};
use sahara_abi::{ASSETS, IAssets, IMarket, INCENTIVE_POOL, MARKET};

/// A world with an asset of the first payer, which does not trust the market.
fn stand() -> (World, [Actor; 2], u64) {
    let mut world = town::world();
    let pair = world.payers;
    let asset = asset(&mut world, pair[0]);
    let call = IAssets::setApprovalForAllCall { operator: MARKET, approved: false };
    world.call(pair[0], ASSETS, call).unwrap();
    (world, pair, asset)
}

fn make(
    world: &mut World,
    bidder: Actor,
    asset: u64,
    price: u128,
    value: u128,
) -> Result<u64, Failure> {
    let (token_id, ends_at) = (U256::from(asset), world.now() + 100);
    let call = IMarket::makeOfferCall {
        collection: ASSETS,
        tokenId: token_id,
        price,
        endsAt: ends_at,
        state: B256::ZERO,
    };
    pay(world, bidder, value, call)
}

#[test]
fn an_owner_who_accepts_is_paid_in_the_call() {
    let (mut world, [seller, bidder], asset) = stand();
    let before = [seller, bidder].map(|actor| world.balance(actor.address));
    let offer = make(&mut world, bidder, asset, 1_000, 1_010).unwrap();
    assert_eq!(world.balance(MARKET), 1_010);
    let shown = ask(&mut world, seller, IMarket::offerCall { offer }).unwrap();
    assert_eq!((shown.bidder, shown.price, shown.fee), (bidder.address, 1_000, 10));
    assert_eq!((shown.collection, shown.tokenId), (ASSETS, U256::from(asset)));
    // The owner calls, so it need not trust the market with anything.
    send(&mut world, seller, IMarket::acceptOfferCall { offer }).unwrap();
    assert_eq!(owner(&mut world, asset), bidder.address);
    assert_eq!(world.balance(seller.address), before[0] + 1_000);
    assert_eq!(world.balance(bidder.address), before[1] - 1_010);
    assert_eq!((world.balance(INCENTIVE_POOL), world.balance(MARKET)), (10, 0));
    let gone: Failure = IMarket::UnknownOffer { offer }.into();
    for answer in [
        send(&mut world, seller, IMarket::acceptOfferCall { offer }),
        send(&mut world, bidder, IMarket::cancelOfferCall { offer }),
        send(&mut world, bidder, IMarket::offerCall { offer }),
    ] {
        assert_eq!(answer, Err(gone.clone()));
    }
}

#[test]
fn a_bidder_has_its_coin_back_at_any_time_and_anyone_returns_it_after_the_end() {
    let (mut world, [_, bidder], asset) = stand();
    let before = world.balance(bidder.address);
    let offer = make(&mut world, bidder, asset, 1_000, 1_010).unwrap();
    let anyone = world.stranger;
    let cancel = |offer| IMarket::cancelOfferCall { offer };
    let not_his: Failure =
        IMarket::NotBidder { caller: anyone.address, bidder: bidder.address }.into();
    assert_eq!(send(&mut world, anyone, cancel(offer)), Err(not_his.clone()));
    send(&mut world, bidder, cancel(offer)).unwrap();
    assert_eq!(world.balance(bidder.address), before);
    let offer = make(&mut world, bidder, asset, 1_000, 1_010).unwrap();
    world.wait(99);
    assert_eq!(send(&mut world, anyone, cancel(offer)), Err(not_his));
    world.wait(1);
    send(&mut world, anyone, cancel(offer)).unwrap();
    assert_eq!(world.balance(bidder.address), before);
}

#[test]
fn an_offer_ends_to_the_second() {
    let (mut world, [seller, bidder], asset) = stand();
    let offer = make(&mut world, bidder, asset, 1_000, 1_010).unwrap();
    let ends_at = world.now() + 100;
    let mut late = world.clone();
    late.wait(100);
    let ended = IMarket::NoLongerOnSale { endsAt: ends_at };
    let accept = || IMarket::acceptOfferCall { offer };
    assert_eq!(send(&mut late, seller, accept()), Err(ended.into()));
    world.wait(99);
    send(&mut world, seller, accept()).unwrap();
}

#[test]
fn an_offer_is_refused_where_it_could_not_be_kept() {
    let (mut world, [seller, bidder], asset) = stand();
    for value in [0, 1_000, 1_009, 1_011] {
        let wrong = IMarket::WrongPayment { sent: U256::from(value), expected: U256::from(1_010) };
        assert_eq!(make(&mut world, bidder, asset, 1_000, value), Err(wrong.into()));
    }
    let missing = IAssets::ERC721NonexistentToken { tokenId: U256::from(99) };
    assert_eq!(make(&mut world, bidder, 99, 1_000, 1_010), Err(missing.into()));
    let (now, token_id) = (world.now(), U256::from(asset));
    let call = IMarket::makeOfferCall {
        collection: ASSETS,
        tokenId: token_id,
        price: 0,
        endsAt: now,
        state: B256::ZERO,
    };
    let past = IMarket::WrongPeriod { startsAt: now, endsAt: now, now_: now };
    assert_eq!(ask(&mut world, bidder, call), Err(past.into()));
    let offer = make(&mut world, bidder, asset, 1_000, 1_010).unwrap();
    let accept = || IMarket::acceptOfferCall { offer };
    let thief = world.stranger;
    let not_his =
        IMarket::NotMovable { collection: ASSETS, tokenId: token_id, seller: thief.address };
    assert_eq!(send(&mut world, thief, accept()), Err(not_his.into()));
    act(&mut world, asset);
    let (state, expected) = (B256::from(U256::ONE), B256::ZERO);
    let drained = IMarket::StateChanged { collection: ASSETS, tokenId: token_id, state, expected };
    assert_eq!(send(&mut world, seller, accept()), Err(drained.into()));
}
