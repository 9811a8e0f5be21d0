//! What is asked and offered for an asset, and what it was sold for.

use super::{
    Api,
    assets::asset_id,
    error::ApiError,
    shape::{Money, number},
};
use crate::{
    database::{Read as _, Sql},
    error::IndexError,
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

/// The most rows of each list.
const MAX_ROWS: i64 = 100;

/// The market of one asset's ownership.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Market {
    /// Published listings that are neither sold nor cancelled; whether one can be bought at this
    /// moment, its times and the chain say. Signed listings that were not published are not here.
    listings: Vec<Listing>,
    /// Offers that wait for the owner, the highest first.
    offers: Vec<MarketOffer>,
    /// Auctions, the newest first.
    auctions: Vec<AuctionView>,
    /// Sales, the newest first.
    sales: Vec<Sale>,
}

/// A published listing.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Listing {
    listing: String,
    seller: String,
    /// The only account that may buy.
    buyer: Option<String>,
    /// Unix seconds.
    starts_at: String,
    /// Unix seconds.
    ends_at: String,
    /// Of everything in it, at its start.
    price: Money,
    /// At its end: lower in a Dutch auction.
    end_price: Money,
    /// How many things are sold together.
    items: u64,
}

/// What somebody would pay.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct MarketOffer {
    offer: u64,
    bidder: String,
    price: Money,
    /// Unix seconds.
    ends_at: String,
}

/// An English auction.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct AuctionView {
    auction: u64,
    seller: String,
    reserve: Money,
    /// The highest bid.
    price: Option<Money>,
    bidder: Option<String>,
    /// Unix seconds.
    ends_at: String,
    /// `open`, `sold` or `closed`.
    status: String,
}

/// A sale that was paid out.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Sale {
    block: u64,
    seller: String,
    buyer: String,
    price: Money,
    /// To those who made it possible.
    royalty: Money,
    /// To whoever brought the buyer.
    referral: Money,
}

/// What is asked and offered for an asset, and its sales.
#[utoipa::path(get, path = "/assets/{asset}/market", tag = "assets",
    params(("asset" = u64, Path, description = "its number")),
    responses((status = 200, body = Market), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn market(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Market>, ApiError> {
    let token = [number("asset", asset_id(&id)?)?, MAX_ROWS.into()];
    let listings = "SELECT l.listing, l.seller, l.buyer, l.starts_at, l.ends_at, l.price, l.end_price, \
        (SELECT COUNT(*) FROM listing_items o WHERE o.listing = l.listing) AS items \
        FROM listing_items i JOIN listings l ON l.listing = i.listing \
        WHERE i.collection = 'asset' AND i.token = $1 AND l.is_open = 1 \
        ORDER BY l.price, l.listing LIMIT $2";
    let offers = "SELECT offer, bidder, price, ends_at FROM market_offers \
        WHERE collection = 'asset' AND token = $1 AND status = 'open' \
        ORDER BY price DESC, offer LIMIT $2";
    let auctions = "SELECT auction, seller, reserve, price, bidder, ends_at, status FROM auctions \
        WHERE collection = 'asset' AND token = $1 ORDER BY auction DESC LIMIT $2";
    let sales = "SELECT block, seller, buyer, price, royalty, referral FROM sales \
        WHERE collection = 'asset' AND token = $1 ORDER BY block DESC, log_index DESC LIMIT $2";
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    Ok(Json(Market {
        listings: each(&sql.rows(listings, &token).await?, listing)?,
        offers: each(&sql.rows(offers, &token).await?, offer)?,
        auctions: each(&sql.rows(auctions, &token).await?, auction)?,
        sales: each(&sql.rows(sales, &token).await?, sale)?,
    }))
}

fn each<T>(
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T, IndexError>,
) -> Result<Vec<T>, IndexError> {
    rows.iter().map(read).collect()
}

fn listing(row: &AnyRow) -> Result<Listing, IndexError> {
    Ok(Listing {
        listing: row.hash("listing")?.to_string(),
        seller: row.address("seller")?.to_string(),
        buyer: row.maybe_address("buyer")?.map(|buyer| buyer.to_string()),
        starts_at: row.money("starts_at")?.to_string(),
        ends_at: row.money("ends_at")?.to_string(),
        price: Money::read(row, "price")?,
        end_price: Money::read(row, "end_price")?,
        items: row.number("items")?,
    })
}

fn offer(row: &AnyRow) -> Result<MarketOffer, IndexError> {
    Ok(MarketOffer {
        offer: row.number("offer")?,
        bidder: row.address("bidder")?.to_string(),
        price: Money::read(row, "price")?,
        ends_at: row.money("ends_at")?.to_string(),
    })
}

fn auction(row: &AnyRow) -> Result<AuctionView, IndexError> {
    let price = row.maybe_text("price")?.map(|_| Money::read(row, "price"));
    Ok(AuctionView {
        auction: row.number("auction")?,
        seller: row.address("seller")?.to_string(),
        reserve: Money::read(row, "reserve")?,
        price: price.transpose()?,
        bidder: row.maybe_address("bidder")?.map(|bidder| bidder.to_string()),
        ends_at: row.money("ends_at")?.to_string(),
        status: row.text("status")?,
    })
}

fn sale(row: &AnyRow) -> Result<Sale, IndexError> {
    Ok(Sale {
        block: row.number("block")?,
        seller: row.address("seller")?.to_string(),
        buyer: row.address("buyer")?.to_string(),
        price: Money::read(row, "price")?,
        royalty: Money::read(row, "royalty")?,
        referral: Money::read(row, "referral")?,
    })
}
