//! English auctions.

use super::{Thing, listing::head_time};
use crate::{
    cli::Span,
    commands::deed::{Actor, Deed, coins, words as line},
    failure::Failure,
    output::utc,
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{IMarket, MARKET};
use sahara_primitives::{Amount, BasisPoints, Timestamp};
use serde_json::json;

fn base_units(amount: Amount) -> Result<u128> {
    amount.to_u128().ok_or_else(|| Failure::usage(format!("{amount} SAHARA is no price")))
}

/// Opens an auction and lets the market move what is sold.
pub(super) async fn open(
    actor: &Actor<'_>,
    thing: Thing,
    reserve: Amount,
    length: Span,
) -> Result<()> {
    let client = &actor.client;
    let item = client.item(thing.0, base_units(reserve)?).await.map_err(refused)?;
    let too_long = || Failure::usage(format!("--for {length} is too long: expected up to 30d"));
    let ends_at = head_time(client).await?.checked_add(length.0).ok_or_else(too_long)?;
    let preview = vec![
        line("auction", thing.to_string()),
        coins("reserve", reserve),
        line("until", utc(Timestamp(ends_at))),
    ];
    if !actor.agrees(&preview)? {
        return Ok(());
    }
    // The market is asked whether it may move the item when the auction opens.
    client.let_market_move(&actor.key, thing.0).await.map_err(refused)?;
    let call = IMarket::openAuctionCall {
        collection: item.collection,
        tokenId: item.tokenId,
        reserve: item.price,
        endsAt: ends_at,
        state: item.state,
    };
    let deed = Deed { to: MARKET, value: Amount::ZERO, call: &call, preview: Vec::new() };
    let Some(outcome) = actor.agreed().send(deed).await? else { return Ok(()) };
    let opened = outcome.events::<IMarket::AuctionOpened>();
    let auction = opened.first().map(|opened| opened.data.auction).unwrap_or_default();
    let text = format!("auction {auction} of {thing} runs until {}", utc(Timestamp(ends_at)));
    actor.done(&outcome, json!({"auction": auction, "ends_at": ends_at}), &text)
}

/// Bids.
pub(super) async fn bid(actor: &Actor<'_>, auction: u64, price: Option<Amount>) -> Result<()> {
    let client = &actor.client;
    let found = client.call(MARKET, &IMarket::auctionCall { auction }).await.map_err(refused)?;
    let least = client.call(MARKET, &IMarket::leastBidCall { auction }).await.map_err(refused)?;
    let price = price.unwrap_or_else(|| Amount::from_u128(least));
    let points = client.call(MARKET, &IMarket::protocolFeeCall {}).await.map_err(refused)?;
    let fee = BasisPoints::new(points)?.of(price)?;
    let total = price.checked_add(fee)?;
    let thing = Thing::at(found.collection, found.tokenId);
    let preview = vec![
        line("bid for", thing.map(|thing| thing.to_string()).unwrap_or_default()),
        coins("price", price),
        coins("protocol fee", fee),
        coins("to pay, back when somebody bids more", total),
        coins("the least that is bid now", Amount::from_u128(least)),
        line("until", utc(Timestamp(found.endsAt))),
    ];
    let call = IMarket::bidCall { auction, price: base_units(price)? };
    let deed = Deed { to: MARKET, value: total, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let text = format!("{price} SAHARA is the best bid of auction {auction}");
    actor.done(&outcome, json!({"auction": auction, "price": price, "paid": total}), &text)
}

/// Settles an auction that has ended.
pub(super) async fn settle(actor: &Actor<'_>, auction: u64) -> Result<()> {
    let found = actor.client.call(MARKET, &IMarket::auctionCall { auction }).await;
    let found = found.map_err(refused)?;
    let call = IMarket::settleAuctionCall { auction };
    let deed = Deed { to: MARKET, value: Amount::ZERO, call: &call, preview: Vec::new() };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let closed = outcome.events::<IMarket::AuctionClosed>();
    let is_sold = closed.iter().any(|closed| closed.data.isSold);
    let thing = Thing::at(found.collection, found.tokenId);
    let thing = thing.map(|thing| thing.to_string()).unwrap_or_default();
    let text = if is_sold {
        let price = Amount::from_u128(found.price);
        format!("{thing} is sold to {} for {price} SAHARA", found.bidder)
    } else if found.bidder.is_zero() {
        format!("auction {auction} is over, nobody bid")
    } else {
        format!("{thing} could not be moved as it was put up: the bid went back")
    };
    let facts = json!({"auction": auction, "bidder": found.bidder, "is_sold": is_sold});
    actor.done(&outcome, facts, &text)
}
