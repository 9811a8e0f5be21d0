//! What is on sale.

use super::{
    Thing,
    listing::{names, standing},
};
use crate::{
    output::{Format, table, utc},
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{IMarket, MARKET};
use sahara_client::{ChainClient, ClientError, Filter};
use sahara_primitives::{Address, Amount, B256, Timestamp};
use serde::Serialize;

/// Everything on sale.
#[derive(Serialize)]
struct Shown {
    listings: Vec<Listed>,
    auctions: Vec<Auction>,
    offers: Vec<Offer>,
    returnable: Vec<Sale>,
}

#[derive(Serialize)]
struct Listed {
    listing: B256,
    seller: Address,
    things: String,
    price: Amount,
    fee: Amount,
    ends_at: u64,
    referral: u16,
    refund_seconds: u32,
    standing: &'static str,
}

#[derive(Serialize)]
struct Auction {
    auction: u64,
    seller: Address,
    thing: String,
    least_bid: Amount,
    bidder: Option<Address>,
    ends_at: u64,
}

#[derive(Serialize)]
struct Offer {
    offer: u64,
    bidder: Address,
    thing: String,
    price: Amount,
    ends_at: u64,
}

#[derive(Serialize)]
struct Sale {
    sale: u64,
    buyer: Address,
    seller: Address,
    license: u64,
    price: Amount,
    until: u64,
}

fn all() -> Filter {
    Filter::new().address(MARKET).from_block(0)
}

/// What is gone answers with an error of its own: not on sale any more.
fn still<T>(answer: Result<T, ClientError>) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::Reverted(_)) => Ok(None),
        Err(error) => Err(refused(error)),
    }
}

/// Shows what is on sale, or of one thing.
pub(super) async fn show(client: &ChainClient, only: Option<Thing>, format: Format) -> Result<()> {
    let is_wanted =
        |name: &str| only.is_none_or(|only| name.split(" + ").any(|part| part == only.to_string()));
    let mut listings = listings(client).await?;
    listings.retain(|one| is_wanted(&one.things));
    let mut auctions = auctions(client).await?;
    auctions.retain(|one| is_wanted(&one.thing));
    let mut offers = offers(client).await?;
    offers.retain(|one| is_wanted(&one.thing));
    let mut returnable = returnable(client).await?;
    returnable.retain(|one| is_wanted(&format!("license:{}", one.license)));
    format.print(&Shown { listings, auctions, offers, returnable }, text)
}

async fn listings(client: &ChainClient) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for (_, event) in client.events::<IMarket::Listed>(all()).await.map_err(refused)? {
        let data = &event.data.data;
        let standing = standing(client, data).await?;
        if standing == "sold or taken back" || standing == "ended" {
            continue;
        }
        let quote = client.listing_quote(data).await.map_err(refused)?;
        found.push(Listed {
            listing: event.data.listing,
            seller: data.seller,
            things: names(data),
            price: quote.price,
            fee: quote.fee,
            ends_at: data.endsAt,
            referral: data.referral,
            refund_seconds: data.refundSeconds,
            standing,
        });
    }
    Ok(found)
}

async fn auctions(client: &ChainClient) -> Result<Vec<Auction>> {
    let mut found = Vec::new();
    for (_, event) in client.events::<IMarket::AuctionOpened>(all()).await.map_err(refused)? {
        let auction = event.data.auction;
        let one = client.call(MARKET, &IMarket::auctionCall { auction }).await;
        let Some(one) = still(one)? else { continue };
        let least = client.call(MARKET, &IMarket::leastBidCall { auction }).await;
        found.push(Auction {
            auction,
            seller: one.seller,
            thing: name(one.collection, one.tokenId),
            least_bid: Amount::from_u128(still(least)?.unwrap_or(one.price)),
            bidder: Some(one.bidder).filter(|bidder| !bidder.is_zero()),
            ends_at: one.endsAt,
        });
    }
    Ok(found)
}

async fn offers(client: &ChainClient) -> Result<Vec<Offer>> {
    let mut found = Vec::new();
    for (_, event) in client.events::<IMarket::Offered>(all()).await.map_err(refused)? {
        let offer = event.data.offer;
        let one = client.call(MARKET, &IMarket::offerCall { offer }).await;
        let Some(one) = still(one)? else { continue };
        found.push(Offer {
            offer,
            bidder: one.bidder,
            thing: name(one.collection, one.tokenId),
            price: Amount::from_u128(one.price),
            ends_at: one.endsAt,
        });
    }
    Ok(found)
}

async fn returnable(client: &ChainClient) -> Result<Vec<Sale>> {
    let mut found = Vec::new();
    for (_, event) in client.events::<IMarket::Held>(all()).await.map_err(refused)? {
        let sale = event.data.sale;
        let one = client.call(MARKET, &IMarket::heldSaleCall { sale }).await;
        let Some(one) = still(one)? else { continue };
        found.push(Sale {
            sale,
            buyer: one.buyer,
            seller: one.seller,
            license: one.license.saturating_to(),
            price: Amount::from_u128(one.price),
            until: one.until,
        });
    }
    Ok(found)
}

fn name(collection: Address, token: alloy_primitives::U256) -> String {
    Thing::at(collection, token).map(|thing| thing.to_string()).unwrap_or_default()
}

fn section(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let mut all = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    all.extend(rows);
    Some(format!("{title}\n{}", table(&all)))
}

fn text(shown: &Shown) -> String {
    let until = |at: u64| utc(Timestamp(at));
    let listings = shown.listings.iter().map(|one| {
        vec![
            one.things.clone(),
            one.price.to_string(),
            one.fee.to_string(),
            until(one.ends_at),
            one.standing.to_owned(),
            one.listing.to_string(),
        ]
    });
    let auctions = shown.auctions.iter().map(|one| {
        let bidder = one.bidder.map_or_else(|| String::from("nobody yet"), |b| b.to_string());
        vec![
            one.auction.to_string(),
            one.thing.clone(),
            one.least_bid.to_string(),
            until(one.ends_at),
            bidder,
        ]
    });
    let offers = shown.offers.iter().map(|one| {
        vec![
            one.offer.to_string(),
            one.thing.clone(),
            one.price.to_string(),
            until(one.ends_at),
            one.bidder.to_string(),
        ]
    });
    let sales = shown.returnable.iter().map(|one| {
        let (sale, license) = (one.sale.to_string(), format!("license:{}", one.license));
        vec![sale, license, one.price.to_string(), until(one.until), one.buyer.to_string()]
    });
    let sections = [
        section(
            "Listings, prices in SAHARA before the fee",
            &["THINGS", "PRICE NOW", "FEE", "UNTIL", "STANDING", "LISTING"],
            listings.collect(),
        ),
        section(
            "Auctions",
            &["ID", "THING", "LEAST BID", "UNTIL", "BEST BIDDER"],
            auctions.collect(),
        ),
        section("Offers that wait", &["ID", "THING", "PRICE", "UNTIL", "BY"], offers.collect()),
        section(
            "Sales that can be returned",
            &["SALE", "THING", "PRICE", "UNTIL", "BUYER"],
            sales.collect(),
        ),
    ];
    let sections: Vec<_> = sections.into_iter().flatten().collect();
    if sections.is_empty() {
        return String::from("nothing is on sale: `sahara market list` puts something up");
    }
    sections.join("\n\n")
}
