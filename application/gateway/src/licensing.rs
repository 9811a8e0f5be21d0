//! [`Licensing`]: the terms that an asset's owner offers, as clients are shown them.

use crate::chain::{Chain, ChainError};
use alloy_primitives::{B256, U256};
use sahara_abi::{
    DISPUTES, IDisputes,
    ILicenses::{self, Missing, Pricing, Terms},
    LICENSES, purpose,
    terms::pricing_name,
};
use sahara_primitives::{Amount, AssetId};
use serde_json::{Value, json};

/// Terms of an asset that are read; an owner may offer more, and clients find them on chain.
const MOST_OFFERS: u64 = 32;

/// Whether an asset needs a right, and which terms grant one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Licensing {
    /// Whether every use needs a right: from the first terms that were offered on, and of an asset that lost a
    /// dispute.
    pub(crate) needs_right: bool,
    /// What is sold now, or given.
    pub(crate) offers: Vec<Offered>,
}

/// Terms on offer, and what one of what they count costs.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    id: B256,
    terms: Terms,
    price: Amount,
    fee: Amount,
}

impl Chain {
    /// The terms on offer for an asset.
    pub(crate) async fn licensing(&self, asset: AssetId) -> Result<Licensing, ChainError> {
        let standing = IDisputes::standingCall { asset: asset.0 };
        if self.call(DISPUTES, standing).await?.isDelisted {
            // Nothing of it is sold any more, nor given; licences that were bought before stay.
            return Ok(Licensing { needs_right: true, offers: Vec::new() });
        }
        let asked = ILicenses::licensingCall { asset: asset.0 };
        if !self.call(LICENSES, asked).await?.isLicensed {
            return Ok(Licensing::default());
        }
        let (start, count) = (U256::ZERO, U256::from(MOST_OFFERS));
        let offers = ILicenses::offersOfCall { asset: asset.0, start, count };
        let mut offered = Vec::new();
        for id in self.call(LICENSES, offers).await?.terms {
            let terms = self.call(LICENSES, ILicenses::termsCall { terms: id }).await?;
            // A purchase counts single tokens; the price is for a million.
            let is_by_token = terms.pricing == Pricing::PerMillionTokens;
            let quantity = if is_by_token { 1_000_000 } else { 1 };
            let quote = self.call(LICENSES, ILicenses::quoteCall { terms: id, quantity }).await?;
            let [price, fee] = [quote.price, quote.fee].map(Amount::from_base_units);
            offered.push(Offered { id, terms, price, fee });
        }
        offered.sort_by_key(|one| (one.price, one.id));
        Ok(Licensing { needs_right: true, offers: offered })
    }
}

impl Licensing {
    /// As `/v1/models` and refusals show it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "is_required": self.needs_right && !self.offers.iter().any(Offered::is_free),
            "terms": self.offers.iter().map(Offered::json).collect::<Vec<_>>(),
        })
    }

    /// The cheapest terms that grant a purpose, in words.
    pub(crate) fn cheapest(&self, purpose: u8) -> Option<String> {
        let grants = |one: &&Offered| purpose & !one.terms.purposes == 0;
        self.offers.iter().find(grants).map(|one| {
            format!("{} SAHARA (and a fee of {}) for {}", one.price, one.fee, unit(&one.terms))
        })
    }
}

impl Offered {
    /// Free terms bind without a licence.
    fn is_free(&self) -> bool {
        self.terms.pricing == Pricing::Free
    }

    fn json(&self) -> Value {
        let terms = &self.terms;
        json!({
            "id": self.id,
            "pricing": pricing_name(terms.pricing),
            "unit": unit(terms),
            "price": self.price.to_string(),
            "price_base_units": self.price.base_units().to_string(),
            "fee_base_units": self.fee.base_units().to_string(),
            "grants": purpose::names(terms.purposes),
            "covers_asset_price": !self.is_free(),
            "period_seconds": terms.period,
            "duration_seconds": terms.duration,
            "use_cap": terms.useCap,
            "seat_cap": terms.seatCap,
            "seat_window_seconds": terms.seatWindow,
            "needs_attribution": terms.needsAttribution,
            "is_revocable": terms.isRevocable,
            "is_transferable": terms.isTransferable,
            "territory": terms.territory,
            "restrictions": terms.restrictions,
        })
    }
}

/// What one price pays for.
fn unit(terms: &Terms) -> String {
    match terms.pricing {
        Pricing::Free | Pricing::__Invalid => "any use, without a licence".into(),
        Pricing::Fixed => "one licence".into(),
        Pricing::PerUse => "one request".into(),
        Pricing::PerMillionTokens => "1,000,000 tokens, read and written".into(),
        Pricing::PerSeat => "one seat".into(),
        Pricing::Subscription => format!("{} seconds", terms.period),
    }
}

/// What is missing, for programs and for people.
pub(crate) const fn missing(missing: Missing) -> (&'static str, &'static str) {
    match missing {
        Missing::Uses => ("uses", "every use of its licence is counted"),
        Missing::Expired => ("expired", "its licence has expired"),
        Missing::Revoked => ("revoked", "its licence was revoked by the asset's owner"),
        Missing::Purpose => ("purpose", "no licence of it grants this purpose"),
        Missing::Approval => ("approval", "the asset's owner has not approved it"),
        Missing::Derivatives => ("derivatives", "the asset never allows derivatives"),
        Missing::Listing => {
            ("listing", "the asset lost a dispute, only licences bought before still grant it")
        }
        Missing::License | Missing::Nothing | Missing::__Invalid => {
            ("license", "it has no seat in a licence for the asset")
        }
    }
}
