//! What could be bought, kept as of every recent block, like standings.
//!
//! Whatever may change what is for sale of a thing (an asset or a licence, by its number) names the
//! thing; at the block's end its rows are computed again from the other tables, and those that
//! differ end. So no order of events within a block, and no way of them, is forgotten.

use super::{Apply, KEPT_BLOCKS};
use crate::{
    database::{Read as _, Value, money},
    error::IndexError,
};
use alloy_primitives::{Address, B256};
use sqlx::any::AnyRow;
use std::collections::BTreeSet;

/// The end of a row that has none yet.
const FOREVER: i64 = i64::MAX;
/// The most listings of one thing that are shown, the cheapest: each costs its seller gas only once, but
/// is looked at whenever the thing changes.
const MOST_LISTINGS: i64 = 16;

/// What can be owned: an asset, or a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thing {
    pub(super) is_license: bool,
    pub(super) token: i64,
}

impl Thing {
    /// By the market's name of its collection; none for what is not ours.
    pub(super) fn of(collection: &str, token: i64) -> Option<Self> {
        let is_license = match collection {
            "asset" => false,
            "license" => true,
            _ => return None,
        };
        (token >= 0).then_some(Self { is_license, token })
    }

    pub(super) const fn asset(token: i64) -> Self {
        Self { is_license: false, token }
    }

    pub(super) const fn license(token: i64) -> Self {
        Self { is_license: true, token }
    }

    pub(super) const fn name(self) -> &'static str {
        if self.is_license { "license" } else { "asset" }
    }
}

/// One way to buy a thing, or a new licence of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sale {
    way: String,
    terms: Option<B256>,
    listing: Option<B256>,
    auction: Option<i64>,
    seller: Address,
    price: u128,
    starts_at: u128,
    ends_at: u128,
}

/// Who owns a thing, and what it is about.
struct Subject {
    owner: Address,
    asset: i64,
    kind: String,
    /// Of a licence.
    terms: Option<B256>,
}

impl Apply<'_> {
    /// A thing of which something else may be for sale from this block on.
    pub(super) fn may_sell(&mut self, thing: Option<Thing>) {
        self.things.extend(thing);
    }

    pub(super) async fn for_sale(&mut self) -> Result<(), IndexError> {
        let mut place = 0_i64;
        for thing in std::mem::take(&mut self.things) {
            self.sales_of(thing, &mut place).await?;
        }
        let ended = self.block.saturating_sub(KEPT_BLOCKS);
        self.sql.run("DELETE FROM for_sale WHERE until <= $1", &[ended.into()]).await.map(drop)
    }

    async fn sales_of(&mut self, thing: Thing, place: &mut i64) -> Result<(), IndexError> {
        let Some(subject) = self.subject(thing).await? else { return Ok(()) };
        let mut wanted = self.listings_of(thing, &subject).await?;
        wanted.extend(self.auctions_of(thing, &subject).await?);
        if !thing.is_license {
            wanted.extend(self.licenses_of(thing, &subject).await?);
        }
        let mut held = BTreeSet::new();
        let sql = "SELECT since, place, way, terms, listing, auction, seller, price, starts_at, ends_at \
            FROM for_sale WHERE token = $1 AND thing = $2 AND until = $3";
        let values = [thing.token.into(), thing.name().into(), FOREVER.into()];
        for row in self.sql.rows(sql, &values).await? {
            let sale = Sale::read(&row)?;
            if wanted.contains(&sale) {
                held.insert(sale);
                continue;
            }
            let sql = "UPDATE for_sale SET until = $1 WHERE since = $2 AND place = $3";
            let values = [self.block.into(), row.int("since")?.into(), row.int("place")?.into()];
            self.sql.run(sql, &values).await?;
        }
        for sale in wanted.difference(&held) {
            self.sql.insert("for_sale", &self.row(thing, &subject, sale, *place)).await?;
            *place = place.saturating_add(1);
        }
        Ok(())
    }

    fn row(
        &self,
        thing: Thing,
        subject: &Subject,
        sale: &Sale,
        place: i64,
    ) -> Vec<(&'static str, Value)> {
        let mut row = vec![
            ("since", Value::Int(self.block)),
            ("place", place.into()),
            ("until", FOREVER.into()),
            ("way", sale.way.as_str().into()),
            ("thing", thing.name().into()),
            ("token", thing.token.into()),
            ("asset", subject.asset.into()),
            ("kind", subject.kind.as_str().into()),
            ("terms", sale.terms.or(subject.terms).into()),
            ("listing", sale.listing.into()),
            ("seller", sale.seller.into()),
            ("price", money(sale.price)),
            ("starts_at", money(sale.starts_at)),
            ("ends_at", money(sale.ends_at)),
        ];
        if let Some(auction) = sale.auction {
            row.push(("auction", auction.into()));
        }
        row
    }

    async fn subject(&mut self, thing: Thing) -> Result<Option<Subject>, IndexError> {
        let sql = if thing.is_license {
            "SELECT l.holder AS owner, l.asset, l.terms, l.is_revoked, a.kind \
             FROM licenses l JOIN assets a ON a.asset = l.asset WHERE l.license = $1"
        } else {
            "SELECT owner, asset, kind FROM assets WHERE asset = $1"
        };
        let Some(row) = self.sql.row(sql, &[thing.token.into()]).await? else { return Ok(None) };
        let terms = if thing.is_license { Some(row.hash("terms")?) } else { None };
        // A revoked licence is nobody's to sell.
        let is_revoked = thing.is_license && row.flag("is_revoked")?;
        let owner = if is_revoked { Address::ZERO } else { row.address("owner")? };
        Ok(Some(Subject { owner, asset: row.int("asset")?, kind: row.text("kind")?, terms }))
    }

    /// Listings for everybody, by who owns the thing now.
    async fn listings_of(
        &mut self,
        thing: Thing,
        subject: &Subject,
    ) -> Result<BTreeSet<Sale>, IndexError> {
        let sql = "SELECT l.listing, l.starts_at, l.ends_at, i.price \
            FROM listing_items i JOIN listings l ON l.listing = i.listing \
            WHERE i.collection = $1 AND i.token = $2 AND l.is_open = 1 AND l.seller = $3 AND l.buyer IS NULL \
            ORDER BY i.price, l.listing LIMIT $4";
        let owner = subject.owner;
        let values = [thing.name().into(), thing.token.into(), owner.into(), MOST_LISTINGS.into()];
        let rows = self.sql.rows(sql, &values).await?;
        let sale = |row: &AnyRow| {
            Ok(Sale {
                way: "listing".into(),
                terms: subject.terms,
                listing: Some(row.hash("listing")?),
                auction: None,
                seller: owner,
                price: row.money("price")?,
                starts_at: row.money("starts_at")?,
                ends_at: row.money("ends_at")?,
            })
        };
        rows.iter().map(sale).collect()
    }

    /// Auctions whose item can still go to the best bid; their price is that bid, or the reserve.
    async fn auctions_of(
        &mut self,
        thing: Thing,
        subject: &Subject,
    ) -> Result<BTreeSet<Sale>, IndexError> {
        let sql = "SELECT auction, reserve, price, ends_at FROM auctions \
            WHERE collection = $1 AND token = $2 AND status = 'open' AND seller = $3";
        let values = [thing.name().into(), thing.token.into(), subject.owner.into()];
        let rows = self.sql.rows(sql, &values).await?;
        let sale = |row: &AnyRow| {
            let has_bid = row.maybe_text("price")?.is_some();
            Ok(Sale {
                way: "auction".into(),
                terms: subject.terms,
                listing: None,
                auction: Some(row.int("auction")?),
                seller: subject.owner,
                price: row.money(if has_bid { "price" } else { "reserve" })?,
                starts_at: 0,
                ends_at: row.money("ends_at")?,
            })
        };
        rows.iter().map(sale).collect()
    }

    /// New licences of an asset.
    async fn licenses_of(
        &mut self,
        thing: Thing,
        subject: &Subject,
    ) -> Result<BTreeSet<Sale>, IndexError> {
        let sql = "SELECT o.terms, t.price FROM license_offers o JOIN terms t ON t.terms = o.terms \
            WHERE o.asset = $1 AND o.is_offered = 1";
        let rows = self.sql.rows(sql, &[thing.token.into()]).await?;
        let sale = |row: &AnyRow| {
            Ok(Sale {
                way: "license".into(),
                terms: Some(row.hash("terms")?),
                listing: None,
                auction: None,
                seller: subject.owner,
                price: row.money("price")?,
                starts_at: 0,
                ends_at: u64::MAX.into(),
            })
        };
        rows.iter().map(sale).collect()
    }
}

impl Sale {
    fn read(row: &AnyRow) -> Result<Self, IndexError> {
        Ok(Self {
            way: row.text("way")?,
            terms: row.maybe_hash("terms")?,
            listing: row.maybe_hash("listing")?,
            auction: row.maybe_int("auction")?,
            seller: row.address("seller")?,
            price: row.money("price")?,
            starts_at: row.money("starts_at")?,
            ends_at: row.money("ends_at")?,
        })
    }
}
