//! What is asked and bid for: renewals of licences, offers that wait with their coin, auctions.

use crate::{ChainClient, ClientError, Quote, SigningKey, Thing, TxOutcome, economy::logged};
use alloy_primitives::U256;
use sahara_abi::{ILicenses, IMarket, LICENSES, MARKET};
use sahara_primitives::{Amount, BasisPoints, Timestamp};

const fn undecoded(what: &'static str, reason: String) -> ClientError {
    ClientError::Decode { what, reason }
}

fn price_of(amount: Amount) -> Result<u128, ClientError> {
    amount.to_u128().ok_or_else(|| undecoded("price", format!("{amount} SAHARA are no price")))
}

impl ChainClient {
    /// What more of a licence costs now: periods, durations or uses, as its pricing counts.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn renewal_quote(&self, license: U256, quantity: u32) -> Result<Quote, ClientError> {
        let quote = ILicenses::renewalQuoteCall { license, quantity };
        let quote = self.call(LICENSES, &quote).await?;
        Ok(Quote::of((quote.price, quote.fee)))
    }

    /// Pays for more of a licence, whoever holds it, for exactly what it costs.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn renew_license(
        &self,
        key: &SigningKey,
        license: U256,
        quantity: u32,
    ) -> Result<TxOutcome, ClientError> {
        let quote = self.renewal_quote(license, quantity).await?;
        let call = ILicenses::renewCall { license, quantity };
        self.send(key, LICENSES, quote.total()?, &call).await
    }

    /// What waits on chain with an offer or a bid of a price: it, and the market's fee on top.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn bid_quote(&self, price: Amount) -> Result<Quote, ClientError> {
        let points = self.call(MARKET, &IMarket::protocolFeeCall {}).await?;
        let fee = BasisPoints::new(points)
            .map_err(|error| undecoded("protocolFee", error.to_string()))?;
        let fee = fee.of(price).map_err(|error| undecoded("price", error.to_string()))?;
        Ok(Quote { price, fee })
    }

    /// Offers a price for a thing as it stands now, whether it is for sale or not; the coin waits until the
    /// time is over. Returns the offer's number.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn make_offer(
        &self,
        key: &SigningKey,
        thing: Thing,
        price: Amount,
        ends_at: Timestamp,
    ) -> Result<(u64, TxOutcome), ClientError> {
        let item = self.item(thing, price_of(price)?).await?;
        let call = IMarket::makeOfferCall {
            collection: item.collection,
            tokenId: item.tokenId,
            price: item.price,
            endsAt: ends_at.0,
            state: item.state,
        };
        let total = self.bid_quote(price).await?.total()?;
        let outcome = self.send(key, MARKET, total, &call).await?;
        Ok((logged::<IMarket::Offered>(&outcome)?.offer, outcome))
    }

    /// Sells to whom made an offer, which needs no leave for the market.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn accept_offer(
        &self,
        key: &SigningKey,
        offer: u64,
    ) -> Result<TxOutcome, ClientError> {
        self.send(key, MARKET, Amount::ZERO, &IMarket::acceptOfferCall { offer }).await
    }

    /// Takes an offer of the key's account back with its coin.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn cancel_offer(
        &self,
        key: &SigningKey,
        offer: u64,
    ) -> Result<TxOutcome, ClientError> {
        self.send(key, MARKET, Amount::ZERO, &IMarket::cancelOfferCall { offer }).await
    }

    /// Puts a thing up as it stands now; [`Self::let_market_move`] comes before. Returns the auction's number.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn open_auction(
        &self,
        key: &SigningKey,
        thing: Thing,
        reserve: Amount,
        ends_at: Timestamp,
    ) -> Result<(u64, TxOutcome), ClientError> {
        let item = self.item(thing, price_of(reserve)?).await?;
        let call = IMarket::openAuctionCall {
            collection: item.collection,
            tokenId: item.tokenId,
            reserve: item.price,
            endsAt: ends_at.0,
            state: item.state,
        };
        let outcome = self.send(key, MARKET, Amount::ZERO, &call).await?;
        Ok((logged::<IMarket::AuctionOpened>(&outcome)?.auction, outcome))
    }

    /// Bids the least that is possible, and returns what it was; whoever is outbid is paid back at once.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn bid_least(
        &self,
        key: &SigningKey,
        auction: u64,
    ) -> Result<(Amount, TxOutcome), ClientError> {
        let price = self.call(MARKET, &IMarket::leastBidCall { auction }).await?;
        let quote = self.bid_quote(Amount::from_u128(price)).await?;
        let call = IMarket::bidCall { auction, price };
        Ok((quote.price, self.send(key, MARKET, quote.total()?, &call).await?))
    }
}
