//! Everything for sale, by what it is, what it allows, and what it costs.

use super::{
    Api,
    assets::{asset_id, is_kind, question},
    error::ApiError,
    licenses::{PURPOSES, TERMS, TermsView},
    shape::{Money, Page, Params, address, limit, number, units},
};
use crate::{
    cursor::Cursor,
    database::{Dialect, Read as _, Sql, Value},
    error::IndexError,
    sales::{SaleFilter, SaleSort},
    search::{Moment, SearchError, TermsFilter},
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

const MAX_KINDS: usize = 16;

/// Something that can be bought.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SaleView {
    /// `license`: a new licence from the asset's owner; `listing`; `auction`.
    way: String,
    /// What one gets: `asset` (its ownership and future income) or `license`.
    what: &'static str,
    /// The asset that it is about.
    asset: u64,
    /// Its kind, as `model`.
    kind: String,
    /// Its name; a stranger's text.
    name: Option<String>,
    /// The licence that changes hands, where it exists already.
    license: Option<u64>,
    /// Of a licence.
    terms: Option<TermsView>,
    seller: String,
    /// Of this item alone: of a licence, for what its terms say; of an auction, the best bid or the
    /// reserve. Fees come on top.
    price: Money,
    /// Where the price falls, its end.
    end_price: Option<Money>,
    /// How many things are sold together, with their own prices.
    items: u64,
    /// Of a published listing.
    listing: Option<String>,
    /// Of an auction.
    auction: Option<u64>,
    /// Unix seconds; absent: as long as it is offered.
    ends_at: Option<String>,
    /// The block since which it stands so.
    since: u64,
    /// What the asset's pool took.
    revenue: Money,
    /// Requests that the asset was paid for.
    uses: u64,
    /// What strangers paid in fees for using the asset; see `/assets`.
    quality: Money,
}

impl SaleView {
    fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let (way, thing) = (row.text("way")?, row.text("thing")?);
        let is_license = way == "license" || thing == "license";
        let has_terms = row.maybe_hash("terms")?.is_some();
        let ends_at = row.money("ends_at")?;
        let ends = row.maybe_text("end_price")?.map(|_| Money::read(row, "end_price"));
        let price = Money::read(row, "asked")?;
        let auction = row.maybe_int("auction")?.and_then(|auction| u64::try_from(auction).ok());
        Ok(Self {
            what: if is_license { "license" } else { "asset" },
            asset: row.number("asset")?,
            kind: row.text("kind")?,
            name: row.maybe_text("name")?,
            license: (thing == "license").then(|| row.number("token")).transpose()?,
            terms: has_terms.then(|| TermsView::read(row)).transpose()?,
            seller: row.address("seller")?.to_string(),
            end_price: ends.transpose()?.filter(|end| *end != price),
            price,
            items: row.number("items")?.max(1),
            listing: row.maybe_hash("listing")?.map(|listing| listing.to_string()),
            auction,
            ends_at: (ends_at < u64::MAX.into()).then(|| ends_at.to_string()),
            since: row.number("since")?,
            revenue: Money::read(row, "revenue")?,
            uses: row.number("uses")?,
            quality: Money::read(row, "quality")?,
            way,
        })
    }
}

/// Which terms.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TermsQuery {
    /// The template that the licence's terms are made from: `open_use`, `non_commercial`, `commercial`,
    /// `commercial_remix`, or `custom`.
    template: Option<String>,
    /// `free`, `fixed`, `per_use`, `per_million_tokens`, `per_seat` or `subscription`.
    pricing: Option<String>,
    /// What one licence must grant, all of it: `inference`, `training`, `derivative`, `commercial`,
    /// separated by commas.
    purposes: Option<String>,
    /// The least price of a licence in SAHARA, for what its pricing says.
    min_license_price: Option<String>,
    /// The most.
    max_license_price: Option<String>,
}

impl TermsQuery {
    pub(super) fn filter(&self) -> Result<TermsFilter, ApiError> {
        let templates = ["open_use", "non_commercial", "commercial", "commercial_remix", "custom"];
        let pricings =
            ["free", "fixed", "per_use", "per_million_tokens", "per_seat", "subscription"];
        let mut purposes = 0;
        let asked = self.purposes.as_deref().unwrap_or_default().split(',').map(str::trim);
        for name in asked.filter(|name| !name.is_empty()) {
            let place = PURPOSES.iter().position(|known| *known == name);
            let place = place.and_then(|place| u32::try_from(place).ok());
            let expected = || ApiError::invalid("purposes", one_of(&PURPOSES));
            purposes |= 1_u8.checked_shl(place.ok_or_else(expected)?).unwrap_or_default();
        }
        let (least, most) = (self.min_license_price.as_deref(), self.max_license_price.as_deref());
        Ok(TermsFilter {
            template: word("template", self.template.as_deref(), &templates)?,
            pricing: word("pricing", self.pricing.as_deref(), &pricings)?,
            purposes,
            least_price: units("min_license_price", least)?,
            most_price: units("max_license_price", most)?,
        })
    }
}

/// One of the words that are known.
pub(super) fn word(
    param: &'static str,
    asked: Option<&str>,
    known: &[&'static str],
) -> Result<Option<&'static str>, ApiError> {
    let Some(asked) = asked else { return Ok(None) };
    let found = known.iter().find(|known| **known == asked);
    found.copied().map(Some).ok_or_else(|| ApiError::invalid(param, one_of(known)))
}

fn one_of(known: &[&str]) -> String {
    format!("expected {}", known.join(", "))
}

/// What of all that is for sale.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SaleQuery {
    /// Words; every one must begin a word of the asset's name, tags, description or URI.
    q: Option<String>,
    /// What one gets: `asset` or `license`.
    what: Option<String>,
    /// `license` (new ones), `listing` or `auction`.
    way: Option<String>,
    /// Kinds of assets, separated by commas.
    kind: Option<String>,
    /// The asset that it is about.
    asset: Option<String>,
    /// Who sells.
    seller: Option<String>,
    /// The least price in SAHARA.
    min_price: Option<String>,
    /// The most price in SAHARA.
    max_price: Option<String>,
    /// The asset's least requests.
    min_uses: Option<u64>,
    /// The asset's least revenue in SAHARA.
    min_revenue: Option<String>,
    /// Only what stems from this asset.
    descends_from: Option<u64>,
    /// Only what this asset stems from.
    ancestor_of: Option<u64>,
    /// The order.
    #[param(inline)]
    sort: Option<SaleSort>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next` of the page before. Pages continue as of the block of the first one, for an hour.
    cursor: Option<String>,
}

impl SaleQuery {
    fn filter(&self, terms: &TermsQuery) -> Result<SaleFilter, ApiError> {
        let what = word("what", self.what.as_deref(), &["asset", "license"])?;
        for (name, id) in [
            ("min_uses", self.min_uses),
            ("descends_from", self.descends_from),
            ("ancestor_of", self.ancestor_of),
        ] {
            id.map(|id| number(name, id)).transpose()?;
        }
        Ok(SaleFilter {
            question: question(self.q.as_deref())?,
            is_license: what.map(|what| what == "license"),
            way: word("way", self.way.as_deref(), &["license", "listing", "auction"])?,
            kinds: kinds(self.kind.as_deref())?,
            asset: self.asset.as_deref().map(asset_id).transpose()?,
            seller: self.seller.as_deref().map(|text| address("seller", text)).transpose()?,
            least_price: units("min_price", self.min_price.as_deref())?,
            most_price: units("max_price", self.max_price.as_deref())?,
            terms: terms.filter()?,
            descends_from: self.descends_from,
            is_ancestor_of: self.ancestor_of,
            least_uses: self.min_uses,
            least_revenue: units("min_revenue", self.min_revenue.as_deref())?,
            sort: self.sort.unwrap_or_default(),
        })
    }
}

/// Kinds of a query.
pub(super) fn kinds(text: Option<&str>) -> Result<Vec<String>, ApiError> {
    let kinds = text.unwrap_or_default().split(',').map(str::trim);
    let kinds: Vec<_> = kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    if kinds.len() > MAX_KINDS || kinds.iter().any(|kind| !is_kind(kind)) {
        return Err(ApiError::invalid("kind", "expected kinds as model,dataset"));
    }
    Ok(kinds)
}

/// Everything that can be bought now: new licences, and what is listed or auctioned. Listings that
/// were only signed, or that name their buyer, are not here; of one thing the 16 cheapest are.
#[utoipa::path(get, path = "/market", tag = "assets", params(SaleQuery, TermsQuery),
    responses((status = 200, body = Page<SaleView>), (status = 400, body = super::error::ErrorBody),
        (status = 410, description = "the cursor is too old", body = super::error::ErrorBody)))]
pub(super) async fn sales(
    State(api): State<Api>,
    Params(query): Params<SaleQuery>,
    Params(terms): Params<TermsQuery>,
) -> Result<Json<Page<SaleView>>, ApiError> {
    let filter = query.filter(&terms)?;
    let limit = limit(query.limit)?;
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let name = filter.name();
    let cursor = query.cursor.as_deref().map(|text| Cursor::read(text, &name)).transpose()?;
    let Some(moment) = Moment::of(&mut sql, cursor.as_ref()).await? else {
        return Ok(Json(Page { data: Vec::new(), next: None }));
    };
    let page = (cursor.as_ref(), limit.saturating_add(1));
    let (text, values) = statement(api.database().dialect(), &filter, moment, page)?;
    let rows = sql.rows(&text, &values).await?;
    let data = rows.iter().take(limit).map(SaleView::read).collect::<Result<_, _>>()?;
    let last = limit.checked_sub(1).and_then(|last| rows.get(last)).filter(|_| rows.len() > limit);
    let next = last.map(|row| filter.place(moment, row).map(|place| place.write(&name)));
    Ok(Json(Page { data, next: next.transpose()? }))
}

/// The query of a page with everything that is shown of its rows.
pub(crate) fn statement(
    dialect: Dialect,
    filter: &SaleFilter,
    moment: Moment,
    page: (Option<&Cursor>, usize),
) -> Result<(String, Vec<Value>), SearchError> {
    let (keys, order) = filter.page(dialect, moment, page)?;
    let ranked = if filter.sort == SaleSort::Newest { "" } else { "page.ranked, " };
    // The item's own price under another name: terms have one too.
    let text = format!(
        "SELECT {ranked}x.since, x.place, x.way, x.thing, x.token, x.asset, x.kind, x.listing, x.auction, x.seller, \
         x.price AS asked, x.ends_at, a.name, a.revenue, a.uses, a.quality, {TERMS}, \
         (SELECT COUNT(*) FROM listing_items o WHERE o.listing = x.listing) AS items, \
         (SELECT i.end_price FROM listing_items i WHERE i.listing = x.listing AND i.collection = x.thing \
          AND i.token = x.token LIMIT 1) AS end_price \
         FROM ({}) AS page JOIN for_sale x ON x.since = page.since AND x.place = page.place \
         JOIN assets a ON a.asset = x.asset LEFT JOIN terms t ON t.terms = x.terms ORDER BY {}",
        keys.sql, order
    );
    Ok((text, keys.values))
}
