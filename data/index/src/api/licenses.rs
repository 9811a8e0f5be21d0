//! Licences: who holds which, and on what terms.

use super::{
    Api,
    assets::asset_id,
    error::ApiError,
    shape::{List, Money, Page, Paging, Params, address, number},
};
use crate::{
    database::{Read as _, Sql, Value},
    error::IndexError,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

/// What is granted, by bit.
pub(super) const PURPOSES: [&str; 4] = ["inference", "training", "derivative", "commercial"];

const CLAUSES: [&str; 5] =
    ["needs_approval", "is_reciprocal", "needs_attribution", "is_transferable", "is_revocable"];

macro_rules! terms {
    () => {
        "t.terms, t.template, t.pricing, t.price, t.period, t.duration, t.purposes, \
    t.needs_approval, t.is_reciprocal, t.needs_attribution, t.is_transferable, t.is_revocable, \
    t.derivative_royalty, t.resale_royalty, t.use_cap, t.seat_cap, t.seat_window, t.territory, \
    t.restrictions"
    };
}

/// The columns of terms `t`.
pub(super) const TERMS: &str = terms!();
const SHOW: &str = concat!(
    "SELECT l.license, l.asset, l.holder, l.seats, l.expires_at, l.use_limit, l.uses, \
     l.is_revoked, l.block, ",
    terms!(),
    " FROM {page} JOIN licenses l ON l.license = page.license JOIN terms t ON t.terms = l.terms"
);

/// Terms that never change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TermsView {
    /// Their hash.
    terms: String,
    /// `open_use`, `non_commercial`, `commercial`, `commercial_remix`, or `custom`.
    template: String,
    /// `free`, `fixed`, `per_use`, `per_million_tokens`, `per_seat` or `subscription`.
    pricing: String,
    /// For what `pricing` says; the protocol fee comes on top.
    price: Money,
    /// Seconds of one period of a subscription.
    period: u64,
    /// Seconds from the sale to the end; 0: no end.
    duration: u64,
    /// Of `inference`, `training`, `derivative`, `commercial`.
    purposes: Vec<&'static str>,
    /// Of `needs_approval`, `is_reciprocal`, `needs_attribution`, `is_transferable`, `is_revocable`.
    clauses: Vec<&'static str>,
    /// Basis points.
    derivative_royalty: u64,
    /// Basis points.
    resale_royalty: u64,
    /// 0: no cap.
    use_cap: String,
    seat_cap: u64,
    /// Seconds.
    seat_window: u64,
    /// Hash of a text; zero: everywhere.
    territory: String,
    /// Hash of a text; zero: none.
    restrictions: String,
}

impl TermsView {
    pub(super) fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let granted = row.number("purposes")?;
        let purposes = (0..).zip(PURPOSES).filter(|(bit, _)| granted >> bit & 1 == 1);
        let mut clauses = Vec::new();
        for clause in CLAUSES {
            if row.flag(clause)? {
                clauses.push(clause);
            }
        }
        Ok(Self {
            terms: row.hash("terms")?.to_string(),
            template: row.text("template")?,
            pricing: row.text("pricing")?,
            price: Money::read(row, "price")?,
            period: row.number("period")?,
            duration: row.number("duration")?,
            purposes: purposes.map(|(_, name)| name).collect(),
            clauses,
            derivative_royalty: row.number("derivative_royalty")?,
            resale_royalty: row.number("resale_royalty")?,
            use_cap: row.money("use_cap")?.to_string(),
            seat_cap: row.number("seat_cap")?,
            seat_window: row.number("seat_window")?,
            territory: row.hash("territory")?.to_string(),
            restrictions: row.hash("restrictions")?.to_string(),
        })
    }
}

/// A licence that was sold or given.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LicenseView {
    license: u64,
    asset: u64,
    holder: String,
    seats: u64,
    /// Unix seconds; 0: it does not expire.
    expires_at: String,
    /// 0: no limit.
    use_limit: String,
    /// As the chain has counted them.
    uses: String,
    is_revoked: bool,
    /// The block of its sale.
    block: u64,
    terms: TermsView,
}

impl LicenseView {
    fn read(row: &AnyRow) -> Result<Self, IndexError> {
        Ok(Self {
            license: row.number("license")?,
            asset: row.number("asset")?,
            holder: row.address("holder")?.to_string(),
            seats: row.number("seats")?,
            expires_at: row.money("expires_at")?.to_string(),
            use_limit: row.money("use_limit")?.to_string(),
            uses: row.money("uses")?.to_string(),
            is_revoked: row.flag("is_revoked")?,
            block: row.number("block")?,
            terms: TermsView::read(row)?,
        })
    }
}

/// Which licences.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LicenseQuery {
    /// Held by this account.
    pub(super) holder: Option<String>,
    /// In which this account has a seat.
    pub(super) seat: Option<String>,
    /// Of this asset.
    pub(super) asset: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

impl LicenseQuery {
    pub(super) fn list(&self) -> Result<List, ApiError> {
        let asked = (self.holder.as_deref(), self.seat.as_deref(), self.asset.as_deref());
        let (keys, value) = match asked {
            (Some(holder), None, None) => {
                ("licenses x WHERE x.holder = $1", address("holder", holder)?.into())
            }
            (None, Some(seat), None) => {
                ("seats x WHERE x.account = $1", address("seat", seat)?.into())
            }
            (None, None, Some(asset)) => {
                ("licenses x WHERE x.asset = $1", number("asset", asset_id(asset)?)?)
            }
            (None, None, None) => ("licenses x WHERE x.license >= $1", Value::Int(0)),
            _ => return Err(ApiError::invalid("holder", "expected one of holder, seat and asset")),
        };
        Ok(List {
            name: format!("{keys} {value:?}"),
            keys: keys.to_owned(),
            values: vec![value],
            order: &["license"],
            either: &[],
            show: SHOW,
        })
    }
}

/// Licences, newest first.
#[utoipa::path(get, path = "/licenses", tag = "assets", params(LicenseQuery),
    responses((status = 200, body = Page<LicenseView>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn licenses(
    State(api): State<Api>,
    Params(query): Params<LicenseQuery>,
) -> Result<Json<Page<LicenseView>>, ApiError> {
    let list = query.list()?;
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let mut connection = api.database().acquire().await?;
    Ok(Json(list.page(&mut Sql(&mut connection), &paging, LicenseView::read).await?))
}
