//! Listings, offers, auctions and sales.

use super::{Apply, Payment, Place, Reason, for_sale::Thing, read};
use crate::{
    database::{Read as _, Value, coin, integer, money},
    error::IndexError,
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{ASSETS, IMarket, INCENTIVE_POOL, LICENSES};
use sahara_client::Log;

impl Apply<'_> {
    pub(super) async fn market_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IMarket::Listed::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::Listed>(log) else { return Ok(()) };
                self.listed(place, &event).await
            }
            Some(IMarket::NonceUsed::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::NonceUsed>(log) else { return Ok(()) };
                let values = [event.seller.into(), money(event.nonce.into())];
                self.close_listings("seller = $1 AND nonce = $2", &values).await
            }
            Some(IMarket::NonceFloorRaised::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::NonceFloorRaised>(log) else { return Ok(()) };
                let values = [event.seller.into(), money(event.floor.into())];
                self.close_listings("seller = $1 AND nonce < $2", &values).await
            }
            Some(IMarket::Sold::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.market_sold(place, &event).await
            }
            Some(IMarket::FeePaid::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::FeePaid>(log) else { return Ok(()) };
                self.market_fee(place, &event).await
            }
            Some(IMarket::Referred::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::Referred>(log) else { return Ok(()) };
                let (payee, amount) = (Some(event.referrer), coin(event.amount)?);
                self.tally.account(event.referrer, None, Reason::Referral, amount)?;
                let payment = Payment { kind: "referral", payee, amount, ..Payment::default() };
                self.payment(place, payment).await
            }
            _ => self.bids_log(log).await,
        }
    }

    async fn close_listings(&mut self, which: &str, values: &[Value]) -> Result<(), IndexError> {
        let items = format!(
            "SELECT collection, token FROM listing_items WHERE listing IN \
             (SELECT listing FROM listings WHERE {which} AND is_open = 1)"
        );
        for row in self.sql.rows(&items, values).await? {
            self.may_sell(Thing::of(&row.text("collection")?, row.int("token")?));
        }
        let close = format!("UPDATE listings SET is_open = 0 WHERE {which} AND is_open = 1");
        self.sql.run(&close, values).await.map(drop)
    }

    /// Ends what was listed of a thing that changed hands, was used or given rights to: listings commit to the
    /// state it was in before, so that they sell nothing should it come back.
    pub(super) async fn end_listings(&mut self, thing: Thing) -> Result<(), IndexError> {
        let sql = "SELECT l.listing FROM listing_items i JOIN listings l ON l.listing = i.listing \
            WHERE i.collection = $1 AND i.token = $2 AND l.is_open = 1";
        let values = [thing.name().into(), thing.token.into()];
        for row in self.sql.rows(sql, &values).await? {
            self.close_listings("listing = $1", &[row.hash("listing")?.into()]).await?;
        }
        Ok(())
    }

    /// Ends what an asset's own account listed and offered to pay: it was the word of who owned the asset until
    /// now. What accounts below it listed and offered stays shown; the chain refuses it.
    pub(super) async fn end_words_of(&mut self, asset: i64) -> Result<(), IndexError> {
        let seller = "seller = (SELECT account FROM assets WHERE asset = $1)";
        self.close_listings(seller, &[asset.into()]).await?;
        let offers = "UPDATE market_offers SET status = 'closed' WHERE status = 'open' \
            AND bidder = (SELECT account FROM assets WHERE asset = $1)";
        self.sql.run(offers, &[asset.into()]).await.map(drop)
    }

    /// Offers and auctions.
    async fn bids_log(&mut self, log: &Log) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IMarket::Offered::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::Offered>(log) else { return Ok(()) };
                let row = [
                    ("offer", Value::Int(integer(event.offer)?)),
                    ("bidder", event.bidder.into()),
                    ("collection", collection_name(event.collection).into()),
                    ("token", token(event.tokenId).into()),
                    ("price", money(event.price)),
                    ("ends_at", money(event.endsAt.into())),
                    ("status", "open".into()),
                ];
                self.sql.insert("market_offers", &row).await
            }
            Some(IMarket::OfferClosed::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::OfferClosed>(log) else { return Ok(()) };
                let status = if event.isAccepted { "accepted" } else { "closed" };
                let sql = "UPDATE market_offers SET status = $2 WHERE offer = $1";
                self.sql.run(sql, &[integer(event.offer)?.into(), status.into()]).await.map(drop)
            }
            Some(IMarket::AuctionOpened::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::AuctionOpened>(log) else { return Ok(()) };
                self.may_sell(Thing::of(collection_name(event.collection), token(event.tokenId)));
                let row = [
                    ("auction", Value::Int(integer(event.auction)?)),
                    ("seller", event.seller.into()),
                    ("collection", collection_name(event.collection).into()),
                    ("token", token(event.tokenId).into()),
                    ("reserve", money(event.reserve)),
                    ("ends_at", money(event.endsAt.into())),
                    ("status", "open".into()),
                ];
                self.sql.insert("auctions", &row).await
            }
            Some(IMarket::Bid::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::Bid>(log) else { return Ok(()) };
                let sql = "UPDATE auctions SET bidder = $2, price = $3, ends_at = $4 \
                    WHERE auction = $1";
                let values = [
                    Value::Int(integer(event.auction)?),
                    event.bidder.into(),
                    money(event.price),
                    money(event.endsAt.into()),
                ];
                self.sql.run(sql, &values).await?;
                self.auction_changed(event.auction).await
            }
            Some(IMarket::AuctionClosed::SIGNATURE_HASH) => {
                let Some(event) = read::<IMarket::AuctionClosed>(log) else { return Ok(()) };
                let status = if event.isSold { "sold" } else { "closed" };
                let sql = "UPDATE auctions SET status = $2 WHERE auction = $1";
                let values = [integer(event.auction)?.into(), status.into()];
                self.sql.run(sql, &values).await?;
                self.auction_changed(event.auction).await
            }
            _ => Ok(()),
        }
    }

    async fn auction_changed(&mut self, auction: u64) -> Result<(), IndexError> {
        let sql = "SELECT collection, token FROM auctions WHERE auction = $1";
        let row = self.sql.row(sql, &[integer(auction)?.into()]).await?;
        let Some(row) = row else { return Ok(()) };
        self.may_sell(Thing::of(&row.text("collection")?, row.int("token")?));
        Ok(())
    }

    async fn listed(
        &mut self,
        place: Place<'_>,
        event: &IMarket::Listed,
    ) -> Result<(), IndexError> {
        let listing = &event.data;
        let sum = |price: fn(&IMarket::Item) -> u128| {
            listing.items.iter().fold(0_u128, |sum, item| sum.saturating_add(price(item)))
        };
        let row = [
            ("listing", Value::from(event.listing)),
            ("seller", event.seller.into()),
            ("buyer", Some(listing.buyer).filter(|buyer| !buyer.is_zero()).into()),
            ("starts_at", money(listing.startsAt.into())),
            ("ends_at", money(listing.endsAt.into())),
            ("nonce", money(listing.nonce.into())),
            ("referral", i64::from(listing.referral).into()),
            ("refund_seconds", i64::from(listing.refundSeconds).into()),
            ("price", money(sum(|item| item.price))),
            ("end_price", money(sum(|item| item.endPrice))),
            ("is_open", true.into()),
            ("block", self.block.into()),
            ("log_index", place.log_index.into()),
        ];
        self.sql.put("listings", 1, &row).await?;
        for (place, item) in (0_i64..).zip(&listing.items) {
            let row = [
                ("listing", Value::from(event.listing)),
                ("place", place.into()),
                ("collection", collection_name(item.collection).into()),
                ("token", token(item.tokenId).into()),
                ("price", money(item.price)),
                ("end_price", money(item.endPrice)),
            ];
            self.sql.put("listing_items", 2, &row).await?;
            self.may_sell(Thing::of(collection_name(item.collection), token(item.tokenId)));
        }
        Ok(())
    }

    /// A sale that was paid out. The royalty is divided by the royalties, which say so themselves.
    async fn market_sold(
        &mut self,
        place: Place<'_>,
        event: &IMarket::Sold,
    ) -> Result<(), IndexError> {
        let (price, royalty) = (coin(event.price)?, coin(event.royalty)?);
        let referral = coin(event.referral)?;
        let income = price.saturating_sub(royalty).saturating_sub(referral);
        let collection = collection_name(event.collection);
        let row = [
            ("block", Value::Int(self.block)),
            ("log_index", place.log_index.into()),
            ("collection", collection.into()),
            ("token", token(event.tokenId).into()),
            ("seller", event.seller.into()),
            ("buyer", event.buyer.into()),
            ("price", money(price)),
            ("royalty", money(royalty)),
            ("referral", money(referral)),
        ];
        self.sql.insert("sales", &row).await?;
        self.tally.account(event.seller, None, Reason::Sale, income)?;
        self.tally.account(event.buyer, None, Reason::Spent, price)?;
        self.tally.chain("sales", price)?;
        let asset = u64::try_from(event.tokenId).ok().filter(|_| collection == "asset");
        let payment = Payment {
            kind: "sale",
            payer: Some(event.buyer),
            payee: Some(event.seller),
            asset,
            amount: income,
            ..Payment::default()
        };
        self.payment(place, payment).await
    }

    async fn market_fee(
        &mut self,
        place: Place<'_>,
        event: &IMarket::FeePaid,
    ) -> Result<(), IndexError> {
        let amount = coin(event.fee)?;
        if amount == 0 {
            return Ok(());
        }
        self.tally.account(event.payer, None, Reason::Spent, amount)?;
        self.tally.account(INCENTIVE_POOL, None, Reason::ProtocolFee, amount)?;
        self.tally.chain("protocol_fee", amount)?;
        let (payer, payee) = (Some(event.payer), Some(INCENTIVE_POOL));
        let kind = "protocol_fee";
        self.payment(place, Payment { kind, payer, payee, amount, ..Payment::default() }).await
    }
}

const fn collection_name(collection: Address) -> &'static str {
    match collection {
        ASSETS => "asset",
        LICENSES => "license",
        _ => "other",
    }
}

/// Nothing of ours has a number beyond 2^63.
fn token(id: U256) -> i64 {
    i64::try_from(id).unwrap_or(-1)
}
