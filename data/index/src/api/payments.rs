//! Payments: coin that protocols moved, and why.

use super::{
    Api,
    assets::asset_id,
    error::ApiError,
    shape::{List, Money, Page, Paging, Params, address, hash, number},
};
use crate::{
    database::{Read as _, Sql, Value},
    error::IndexError,
};
use alloy_primitives::Address;
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

pub(super) const ORDER: &[&str] = &["block", "log_index", "part"];
/// What is shown of payments.
pub(super) const SHOW: &str = "SELECT p.block, p.log_index, p.part, p.kind, p.payer, p.payee, p.asset, \
    p.source, p.channel, p.amount, b.time, t.hash FROM {page} \
    JOIN payments p ON p.block = page.block AND p.log_index = page.log_index AND p.part = page.part \
    JOIN blocks b ON b.number = p.block \
    JOIN transactions t ON t.block = p.block AND t.position = p.position";

const KINDS: &[&str] = &[
    "deposit",
    "withdrawal",
    "charge",
    "work",
    "use",
    "part",
    "royalty",
    "license",
    "sale",
    "referral",
    "held",
    "correction",
    "jury",
    "protocol_fee",
    "gateway_fee",
];

/// Coin that a protocol moved.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Payment {
    /// `deposit` and `withdrawal` of a payer's balance; `charge`, all that a claim took; and where it
    /// went: `work` to a worker, `use` of an asset, its `part`s by pool, `royalty` to an account,
    /// `license` that was bought, `sale` on the market
    /// (after royalty and referral), `referral`; income that is `held` while a complaint is decided, that a `correction`
    /// gave to others, what a `jury` was paid;
    /// `protocol_fee`, `gateway_fee`.
    pub(super) kind: String,
    /// Who paid.
    pub(super) payer: Option<String>,
    /// Who got it.
    pub(super) payee: Option<String>,
    /// The asset, or the pool.
    pub(super) asset: Option<u64>,
    /// Of a part: the asset that was used.
    pub(super) source: Option<u64>,
    /// The channel that paid.
    pub(super) channel: Option<String>,
    /// How much.
    pub(super) amount: Money,
    /// Its block.
    pub(super) block: u64,
    /// Its place in the block.
    pub(super) log_index: u64,
    /// The transaction's hash.
    pub(super) transaction: String,
    /// Unix milliseconds.
    pub(super) time: u64,
}

impl Payment {
    pub(super) fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let account = |column| -> Result<Option<String>, IndexError> {
            Ok(row.maybe_address(column)?.as_ref().map(Address::to_string))
        };
        let asset = |column| -> Result<Option<u64>, IndexError> {
            Ok(row.maybe_int(column)?.and_then(|id| u64::try_from(id).ok()))
        };
        Ok(Self {
            kind: row.text("kind")?,
            payer: account("payer")?,
            payee: account("payee")?,
            asset: asset("asset")?,
            source: asset("source")?,
            channel: row.maybe_hash("channel")?.map(|channel| channel.to_string()),
            amount: Money::read(row, "amount")?,
            block: row.number("block")?,
            log_index: row.number("log_index")?,
            transaction: row.hash("hash")?.to_string(),
            time: row.number("time")?,
        })
    }
}

/// Which payments.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PaymentQuery {
    /// Paid by this account.
    pub(super) payer: Option<String>,
    /// Paid to this account.
    pub(super) payee: Option<String>,
    /// For this asset.
    pub(super) asset: Option<String>,
    /// By this channel.
    pub(super) channel: Option<String>,
    /// Of this kind.
    pub(super) kind: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

impl PaymentQuery {
    pub(super) fn list(&self) -> Result<List, ApiError> {
        let mut all = Vec::new();
        let mut values = Vec::new();
        let mut add = |column: &str, value: Value| {
            values.push(value);
            all.push(format!("x.{column} = ${}", values.len()));
        };
        for (name, account) in [("payer", &self.payer), ("payee", &self.payee)] {
            if let Some(account) = account {
                add(name, address(name, account)?.into());
            }
        }
        if let Some(asset) = &self.asset {
            add("asset", number("asset", asset_id(asset)?)?);
        }
        if let Some(channel) = &self.channel {
            add("channel", hash("channel", channel)?.into());
        }
        if let Some(kind) = &self.kind {
            let kind = KINDS.iter().find(|known| *known == kind);
            let expected = || ApiError::invalid("kind", format!("expected {}", KINDS.join(", ")));
            add("kind", Value::from(*kind.ok_or_else(expected)?));
        }
        let conditions = if all.is_empty() { "x.block >= 0".into() } else { all.join(" AND ") };
        let name = format!("payments {conditions} {values:?}");
        let keys = format!("payments x WHERE {conditions}");
        Ok(List { name, keys, values, order: ORDER, either: &[], show: SHOW })
    }
}

/// Payments, newest first.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PaymentQuery),
    responses((status = 200, body = Page<Payment>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn payments(
    State(api): State<Api>,
    Params(query): Params<PaymentQuery>,
) -> Result<Json<Page<Payment>>, ApiError> {
    let list = query.list()?;
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let mut connection = api.database().acquire().await?;
    Ok(Json(list.page(&mut Sql(&mut connection), &paging, Payment::read).await?))
}
