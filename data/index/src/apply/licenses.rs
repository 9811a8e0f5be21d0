//! Terms, offers, licences and seats.

use super::{Apply, Payment, Place, Reason, for_sale::Thing, read};
use crate::{
    database::{Read as _, Value, coin, integer, money},
    error::IndexError,
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ILicenses::{self, Terms},
    INCENTIVE_POOL,
    terms::{pricing_name, template_name},
};
use sahara_client::Log;
use sqlx::any::AnyRow;

impl Apply<'_> {
    pub(super) async fn licenses_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(ILicenses::TermsRegistered::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::TermsRegistered>(log) else { return Ok(()) };
                self.terms(event.terms, &event.data).await
            }
            Some(ILicenses::Offered::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::Offered>(log) else { return Ok(()) };
                // A listing of the asset commits to what was on offer when it was made.
                self.end_listings(Thing::asset(integer(event.asset)?)).await?;
                self.offered(event.asset, event.terms, true).await
            }
            Some(ILicenses::OfferWithdrawn::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::OfferWithdrawn>(log) else { return Ok(()) };
                self.offered(event.asset, event.terms, false).await
            }
            Some(ILicenses::Carried::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::Carried>(log) else { return Ok(()) };
                self.offered(event.asset, event.terms, true).await
            }
            Some(ILicenses::Issued::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.issued(place, &event).await
            }
            Some(ILicenses::Sold::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.license_sold(place, &event).await
            }
            _ => self.license_state(log).await,
        }
    }

    /// What becomes of a licence that was issued.
    async fn license_state(&mut self, log: &Log) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(ILicenses::Renewed::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::Renewed>(log) else { return Ok(()) };
                let values = [money(event.expiresAt.into()), money(event.useLimit.into())];
                self.set_license(event.license, "expires_at = $2, use_limit = $3", &values).await
            }
            Some(ILicenses::UsesCounted::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::UsesCounted>(log) else { return Ok(()) };
                self.end_listings(Thing::license(license_id(event.license)?)).await?;
                self.set_license(event.license, "uses = $2", &[money(event.uses.into())]).await
            }
            Some(ILicenses::Revoked::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::Revoked>(log) else { return Ok(()) };
                self.set_license(event.license, "is_revoked = 1", &[]).await
            }
            Some(ILicenses::Transfer::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::Transfer>(log) else { return Ok(()) };
                // A licence that changes hands frees its seats.
                let id = license_id(event.tokenId)?;
                self.sql.run("DELETE FROM seats WHERE license = $1", &[id.into()]).await?;
                self.end_listings(Thing::license(id)).await?;
                self.set_license(event.tokenId, "holder = $2", &[event.to.into()]).await
            }
            Some(ILicenses::SeatAssigned::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::SeatAssigned>(log) else { return Ok(()) };
                let id = license_id(event.license)?;
                self.end_listings(Thing::license(id)).await?;
                let row = [("license", Value::Int(id)), ("account", event.account.into())];
                self.sql.insert_new("seats", &row).await.map(drop)
            }
            Some(ILicenses::SeatFreed::SIGNATURE_HASH) => {
                let Some(event) = read::<ILicenses::SeatFreed>(log) else { return Ok(()) };
                let sql = "DELETE FROM seats WHERE license = $1 AND account = $2";
                let values = [license_id(event.license)?.into(), event.account.into()];
                self.sql.run(sql, &values).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    async fn set_license(
        &mut self,
        license: U256,
        what: &str,
        values: &[Value],
    ) -> Result<(), IndexError> {
        let id = license_id(license)?;
        self.may_sell(Some(Thing::license(id)));
        let mut all = vec![Value::Int(id)];
        all.extend_from_slice(values);
        let sql = format!("UPDATE licenses SET {what} WHERE license = $1");
        self.sql.run(&sql, &all).await.map(drop)
    }

    async fn terms(&mut self, id: B256, terms: &Terms) -> Result<(), IndexError> {
        let row = [
            ("terms", Value::from(id)),
            ("template", template_name(terms).into()),
            ("pricing", pricing_name(terms.pricing).into()),
            ("price", money(terms.price)),
            ("period", i64::from(terms.period).into()),
            ("duration", i64::from(terms.duration).into()),
            ("purposes", i64::from(terms.purposes).into()),
            ("needs_approval", terms.needsApproval.into()),
            ("is_reciprocal", terms.isReciprocal.into()),
            ("needs_attribution", terms.needsAttribution.into()),
            ("is_transferable", terms.isTransferable.into()),
            ("is_revocable", terms.isRevocable.into()),
            ("derivative_royalty", i64::from(terms.derivativeRoyalty).into()),
            ("resale_royalty", i64::from(terms.resaleRoyalty).into()),
            ("use_cap", money(terms.useCap.into())),
            ("seat_cap", i64::from(terms.seatCap).into()),
            ("seat_window", i64::from(terms.seatWindow).into()),
            ("territory", terms.territory.into()),
            ("restrictions", terms.restrictions.into()),
        ];
        self.sql.insert_new("terms", &row).await.map(drop)
    }

    async fn offered(&mut self, asset: u64, terms: B256, is: bool) -> Result<(), IndexError> {
        self.may_sell(Some(Thing::asset(integer(asset)?)));
        let row = [
            ("asset", Value::Int(integer(asset)?)),
            ("terms", terms.into()),
            ("is_offered", is.into()),
        ];
        self.sql.put("license_offers", 2, &row).await
    }

    async fn issued(
        &mut self,
        place: Place<'_>,
        event: &ILicenses::Issued,
    ) -> Result<(), IndexError> {
        let sql = "SELECT pricing, period, duration, use_cap, seat_cap FROM terms WHERE terms = $1";
        let Some(terms) = self.sql.row(sql, &[event.terms.into()]).await? else { return Ok(()) };
        let now = self.data.header.nonce.to::<u64>() / 1_000;
        let bounds = Bounds::first(&terms, event.quantity.into(), now)?;
        let row = [
            ("license", Value::Int(license_id(event.license)?)),
            ("asset", integer(event.asset)?.into()),
            ("terms", event.terms.into()),
            ("holder", event.holder.into()),
            ("seats", integer(bounds.seats)?.into()),
            ("expires_at", money(bounds.expires_at)),
            ("use_limit", money(bounds.use_limit)),
            ("uses", money(0)),
            ("is_revoked", false.into()),
            ("block", self.block.into()),
            ("log_index", place.log_index.into()),
        ];
        self.tally.chain("licenses", 1)?;
        // The token's own `Transfer` may come first or last; the row is the same.
        self.sql.put("licenses", 1, &row).await
    }

    /// The price is divided by the royalties, which say so themselves; here is the fee.
    async fn license_sold(
        &mut self,
        place: Place<'_>,
        event: &ILicenses::Sold,
    ) -> Result<(), IndexError> {
        let (price, fee) = (coin(event.price)?, coin(event.fee)?);
        let sql = "SELECT asset, holder FROM licenses WHERE license = $1";
        let id = license_id(event.license)?;
        let Some(row) = self.sql.row(sql, &[id.into()]).await? else { return Ok(()) };
        let (asset, payer) = (row.number("asset")?, event.payer);
        // Who renews its own licence does not sell it by what it listed before (0012).
        if row.address("holder")? == payer {
            self.end_listings(Thing::license(id)).await?;
        }
        let spent = price.saturating_add(fee);
        self.tally.account(payer, None, Reason::Spent, spent)?;
        self.tally.chain("license_sales", price)?;
        if fee > 0 {
            self.tally.account(INCENTIVE_POOL, None, Reason::ProtocolFee, fee)?;
            self.tally.chain("protocol_fee", fee)?;
            let change = self.tally.asset(asset);
            change.fees = change.fees.saturating_add(fee);
        }
        self.credit_quality(asset, payer, &[], fee).await?;
        let parts = [("license", None, price), ("protocol_fee", Some(INCENTIVE_POOL), fee)];
        for (part, (kind, payee, amount)) in (0..).zip(parts) {
            let (payer, asset) = (Some(payer), Some(asset));
            let payment = Payment { kind, part, payer, payee, asset, amount, ..Payment::default() };
            self.payment(place, payment).await?;
        }
        Ok(())
    }
}

/// What the first sale of a licence grants, as the protocol computes it (spec 0011).
struct Bounds {
    seats: u64,
    /// Seconds; 0: it does not expire.
    expires_at: u128,
    use_limit: u128,
}

impl Bounds {
    fn first(terms: &AnyRow, quantity: u64, now: u64) -> Result<Self, IndexError> {
        let pricing = terms.text("pricing")?;
        let sells_uses = matches!(pricing.as_str(), "per_use" | "per_million_tokens");
        let is_per_seat = pricing == "per_seat";
        let turns = if is_per_seat || sells_uses { 1 } else { quantity };
        let length = terms.number("period")?.max(terms.number("duration")?);
        let length = u128::from(length).saturating_mul(turns.into());
        let use_limit = if sells_uses {
            quantity.into()
        } else {
            terms.money("use_cap")?.saturating_mul(turns.into())
        };
        let seats = if is_per_seat { quantity } else { terms.number("seat_cap")?.max(1) };
        let expires_at = if length > 0 { length.saturating_add(now.into()) } else { 0 };
        Ok(Self { seats, expires_at, use_limit })
    }
}

fn license_id(id: U256) -> Result<i64, IndexError> {
    i64::try_from(id).map_err(|_| IndexError::malformed("a licence's number", &id))
}
