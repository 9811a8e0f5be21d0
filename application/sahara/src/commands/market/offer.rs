//! Offers of a price.

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
use sahara_primitives::{Amount, BasisPoints, Timestamp, U256};
use serde_json::json;

/// Offers a price.
pub(super) async fn make(
    actor: &Actor<'_>,
    thing: Thing,
    price: Amount,
    length: Span,
) -> Result<()> {
    let client = &actor.client;
    let no_price = || Failure::usage(format!("{price} SAHARA is no price"));
    let item =
        client.item(thing.0, price.to_u128().ok_or_else(no_price)?).await.map_err(refused)?;
    let points = client.call(MARKET, &IMarket::protocolFeeCall {}).await.map_err(refused)?;
    let fee = BasisPoints::new(points)?.of(price)?;
    let total = price.checked_add(fee)?;
    let too_long = || Failure::usage(format!("--for {length} is too long"));
    let ends_at = head_time(client).await?.checked_add(length.0).ok_or_else(too_long)?;
    let preview = vec![
        line("offer for", thing.to_string()),
        coins("price", price),
        coins("protocol fee", fee),
        coins("to wait on chain", total),
        line("until", utc(Timestamp(ends_at))),
    ];
    let call = IMarket::makeOfferCall {
        collection: item.collection,
        tokenId: item.tokenId,
        price: item.price,
        endsAt: ends_at,
        state: item.state,
    };
    let deed = Deed { to: MARKET, value: total, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let offered = outcome.events::<IMarket::Offered>();
    let offer = offered.first().map(|offered| offered.data.offer).unwrap_or_default();
    let facts = json!({"offer": offer, "price": price, "paid": total, "ends_at": ends_at});
    actor.done(&outcome, facts, &format!("offer {offer}: {price} SAHARA for {thing}"))
}

/// Sells to whom made an offer.
pub(super) async fn accept(actor: &Actor<'_>, offer: u64) -> Result<()> {
    let client = &actor.client;
    let found = client.call(MARKET, &IMarket::offerCall { offer }).await.map_err(refused)?;
    let parts = IMarket::partsCall {
        collection: found.collection,
        tokenId: found.tokenId,
        price: U256::from(found.price),
        referral: 0,
    };
    let parts = client.call(MARKET, &parts).await.map_err(refused)?;
    let thing = Thing::at(found.collection, found.tokenId);
    let thing = thing.map(|thing| thing.to_string()).unwrap_or_default();
    let preview = vec![
        line("sell", thing.clone()),
        line("to", found.bidder.to_string()),
        coins("price", Amount::from_u128(found.price)),
        coins("for you", Amount::from_base_units(parts.seller)),
        coins("royalty", Amount::from_base_units(parts.royalty)),
    ];
    let call = IMarket::acceptOfferCall { offer };
    let deed = Deed { to: MARKET, value: Amount::ZERO, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let received = Amount::from_base_units(parts.seller);
    let facts = json!({"offer": offer, "sold": thing, "received": received});
    actor.done(&outcome, facts, &format!("{thing} is sold: {received} SAHARA for you"))
}
