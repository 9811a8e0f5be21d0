//! What is listed, offered, auctioned and sold.

use crate::{
    ask::Ask,
    economy::{CUSTOMER, Economy, REMIXER, STRANGER, address, coins},
    node::key,
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use sahara_abi::{ASSETS, IAssets, IMarket, MARKET};
use sahara_primitives::{Address, Amount, B256};

on_both!(listings_offers_auctions_and_sales_are_shown);

const LATE: u64 = 4_000_000_000;

async fn send<C: SolCall>(economy: &Economy, sender: u32, to: Address, value: U256, call: &C) {
    let value = Amount::from_base_units(value);
    economy.node.client.send(&key(sender), to, value, call).await.unwrap();
}

async fn view<C: SolCall>(economy: &Economy, call: C) -> C::Return {
    economy.node.client.call(MARKET, &call).await.unwrap()
}

/// The remixer's asset for 50 SAHARA.
fn listing(state: B256, nonce: u64) -> IMarket::Listing {
    let price = coins(50).to_u128().unwrap();
    let (collection, token) = (ASSETS, U256::from(3));
    let item = IMarket::Item { collection, tokenId: token, price, endPrice: price, state };
    IMarket::Listing {
        seller: address(REMIXER),
        buyer: Address::ZERO,
        startsAt: 0,
        endsAt: LATE,
        referral: 0,
        refundSeconds: 0,
        nonce,
        items: vec![item],
    }
}

async fn listings_offers_auctions_and_sales_are_shown(kind: Kind) {
    let economy = Economy::start().await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let ask = Ask(index.router());
    let (collection, token) = (ASSETS, U256::from(3));
    let state = view(&economy, IMarket::stateOfCall { collection, tokenId: token }).await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    send(&economy, REMIXER, ASSETS, U256::ZERO, &approve).await;
    let fee = view(&economy, IMarket::listingFeeCall {}).await;
    for nonce in [1, 2] {
        let data = listing(state, nonce);
        send(&economy, REMIXER, MARKET, fee, &IMarket::listCall { data }).await;
    }
    send(&economy, REMIXER, MARKET, U256::ZERO, &IMarket::cancelCall { nonce: 2 }).await;
    let price = coins(40).to_u128().unwrap();
    let bps = U256::from(view(&economy, IMarket::protocolFeeCall {}).await);
    let make = IMarket::makeOfferCall { collection, tokenId: token, price, endsAt: LATE, state };
    let paid = U256::from(price) + U256::from(price) * bps / U256::from(10_000);
    send(&economy, STRANGER, MARKET, paid, &make).await;
    index.catch_up().await.unwrap();
    let market = ask.get("/assets/3/market").await;
    assert_eq!(market["listings"].as_array().unwrap().len(), 1, "the other is cancelled");
    assert_eq!(market["listings"][0]["price"]["amount"], "50");
    assert_eq!(market["offers"][0]["price"]["amount"], "40");

    let data = listing(state, 1);
    let quote = view(&economy, IMarket::quoteCall { data: data.clone() }).await;
    let buy = IMarket::buyCall {
        data,
        signature: Vec::new().into(),
        recipient: address(CUSTOMER),
        referrer: Address::ZERO,
    };
    send(&economy, CUSTOMER, MARKET, quote.price + quote.fee, &buy).await;
    index.catch_up().await.unwrap();
    let market = ask.get("/assets/3/market").await;
    assert_eq!(market["listings"].as_array().unwrap().len(), 0);
    assert_eq!(market["sales"][0]["buyer"], address(CUSTOMER).to_string());
    assert_eq!(market["sales"][0]["price"]["amount"], "50");
    assert_eq!(ask.get("/assets/3").await["owner"], address(CUSTOMER).to_string());
    let seller = ask.get(&format!("/accounts/{}", address(REMIXER))).await;
    let sale = seller["totals"].as_array().unwrap().iter().find(|total| total["reason"] == "sale");
    let royalty = market["sales"][0]["royalty"]["base_units"].as_str().unwrap();
    let royalty: U256 = royalty.parse().unwrap();
    let income = coins(50).base_units() - royalty;
    assert_eq!(sale.unwrap()["amount"]["base_units"], income.to_string());
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}
