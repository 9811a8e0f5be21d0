//! Buying from listings.

use super::listing::{self, division, names, standing};
use crate::{
    cli::{BuyListing, Span},
    commands::deed::{Actor, Deed, coins, words as line},
    failure::Failure,
    output::{Format, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{IMarket, MARKET};
use sahara_client::ChainClient;
use sahara_primitives::{Amount, Bytes, Timestamp};
use serde_json::json;

/// Buys what a listing sells.
pub(super) async fn buy(buy: &BuyListing, session: &Session, format: Format) -> Result<()> {
    let actor = Actor::new(session, &buy.signer, Some(&buy.consent), format).await?;
    let client = &actor.client;
    let (data, signature) = match (&buy.file, buy.listing) {
        (Some(file), _) => listing::read(client, file).await?,
        (None, Some(hash)) => (listing::published(client, hash).await?, Bytes::new()),
        (None, None) => return Err(Failure::usage("expected a file, or --listing HASH")),
    };
    let quote = client.listing_quote(&data).await.map_err(refused)?;
    let total = quote.total().map_err(refused)?;
    let (seller, royalty, referral) = division(client, &data).await?;
    let recipient = buy.recipient.unwrap_or_else(|| actor.address());
    let mut preview = vec![
        line("buy", names(&data)),
        line("from", data.seller.to_string()),
        line("for", recipient.to_string()),
        line("standing", standing(client, &data).await?),
        coins("price", quote.price),
        coins("protocol fee", quote.fee),
        coins("to pay at most", total),
        coins("of the first price the seller gets", seller),
        coins("royalty", royalty),
        coins("referral", referral),
    ];
    if data.refundSeconds != 0 {
        let span = Span(u64::from(data.refundSeconds)).to_string();
        preview.push(line("can be returned unused for", span));
    }
    let referrer = buy.referrer.unwrap_or_default();
    let call = IMarket::buyCall { data: data.clone(), signature, recipient, referrer };
    let deed = Deed { to: MARKET, value: total, call: &call, preview };
    let Some(outcome) = actor.send(deed).await? else { return Ok(()) };
    let fees = outcome.events::<IMarket::FeePaid>();
    let fee = fees.first().map(|paid| Amount::from_base_units(paid.data.fee));
    let held = outcome.events::<IMarket::Held>();
    let held = held.first().map(|held| &held.data);
    // A falling price was lower in the block: what the events say was paid.
    let sold = outcome.events::<IMarket::Sold>();
    let price = sold.iter().map(|sold| Amount::from_base_units(sold.data.price));
    let price = if held.is_some() { quote.price } else { Amount::sum(price)? };
    let paid = price.checked_add(fee.unwrap_or(quote.fee))?;
    let facts = json!({
        "bought": names(&data), "recipient": recipient, "price": price, "paid": paid,
        "sale": held.map(|held| held.sale), "returnable_until": held.map(|held| held.until),
    });
    let mut text = format!("{} is bought for {paid} SAHARA", names(&data));
    if let Some(held) = held {
        let until = utc(Timestamp(held.until));
        text.push_str(&format!(
            "\nunused, it can be returned until {until}: `sahara market return {}`",
            held.sale
        ));
    }
    actor.done(&outcome, facts, &text)
}

/// A sale that waits.
pub(super) async fn held(client: &ChainClient, sale: u64) -> Result<IMarket::Return> {
    client.call(MARKET, &IMarket::heldSaleCall { sale }).await.map_err(refused)
}
