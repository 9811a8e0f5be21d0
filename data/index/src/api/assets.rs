//! Assets: search, and how lists show them.

use super::{
    Api,
    error::ApiError,
    sales::{TermsQuery, kinds, word},
    shape::{Money, Page, Params, address, limit, number, units},
};
use crate::{
    database::{Read as _, Sql, Value, integer, placeholders},
    error::IndexError,
    search::{Filter, Sort, search},
    words::Question,
};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const MAX_QUESTION: usize = 200;

pub(super) const SUMMARY: &str = "SELECT asset, kind, name, description, tags, creator, owner, account, \
    content_hash, uri, input_price, output_price, derivative_royalty, derivatives, is_sealed, \
    members, units, owner_units, committed, committed_units, registered_at, block, revenue, fees, uses, patrons, quality \
    FROM assets";

/// An asset as lists show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AssetSummary {
    /// Its number.
    asset: u64,
    /// As `model`, `dataset`, `inference_task`.
    kind: String,
    /// From its metadata, where that stands in the URI itself. A stranger's text.
    name: Option<String>,
    /// As the name.
    description: Option<String>,
    /// As the name.
    tags: Vec<String>,
    /// Who registered it.
    creator: String,
    /// Who owns it now.
    owner: String,
    /// What the metadata says the content hashes to.
    content_hash: String,
    /// Where its metadata is.
    uri: String,
    /// For 1,000,000 tokens read.
    input_price: Money,
    /// For 1,000,000 tokens written.
    output_price: Money,
    /// Part of every descendant's income, in basis points.
    derivative_royalty: u64,
    /// `open`, `approval` or `none`.
    derivatives: String,
    /// Whether its members are final; before that it earns nothing.
    is_sealed: bool,
    /// Unix milliseconds.
    registered_at: u64,
    /// What its pool took, of its own use and its descendants'.
    revenue: Money,
    /// Protocol fees of its use.
    fees: Money,
    /// Requests that were paid.
    uses: u64,
    /// Payers that have no part in it.
    patrons: u64,
    /// What those paid in fees, bounded by payer and month: the order of search.
    quality: Money,
}

impl AssetSummary {
    pub(super) fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let tags = row.text("tags")?;
        Ok(Self {
            asset: row.number("asset")?,
            kind: row.text("kind")?,
            name: row.maybe_text("name")?,
            description: row.maybe_text("description")?,
            tags: tags.lines().map(str::to_owned).collect(),
            creator: row.address("creator")?.to_string(),
            owner: row.address("owner")?.to_string(),
            content_hash: row.hash("content_hash")?.to_string(),
            uri: row.text("uri")?,
            input_price: Money::read(row, "input_price")?,
            output_price: Money::read(row, "output_price")?,
            derivative_royalty: row.number("derivative_royalty")?,
            derivatives: row.text("derivatives")?,
            is_sealed: row.flag("is_sealed")?,
            registered_at: row.number("registered_at")?,
            revenue: Money::read(row, "revenue")?,
            fees: Money::read(row, "fees")?,
            uses: row.number("uses")?,
            patrons: row.number("patrons")?,
            quality: Money::read(row, "quality")?,
        })
    }
}

/// What to search for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AssetQuery {
    /// Words; every one must begin a word of name, tags, description or URI.
    q: Option<String>,
    /// Kinds, separated by commas.
    kind: Option<String>,
    /// Its owner.
    owner: Option<String>,
    /// The least price in SAHARA, of the larger of its two.
    min_price: Option<String>,
    /// The most price in SAHARA.
    max_price: Option<String>,
    /// The least requests.
    min_uses: Option<u64>,
    /// The least revenue in SAHARA.
    min_revenue: Option<String>,
    /// Only what stems from this asset.
    descends_from: Option<u64>,
    /// Only what this asset stems from.
    ancestor_of: Option<u64>,
    /// Its policy on derivatives: `open`, `approval` or `none`. What a licence allows is another
    /// question: `purposes`.
    derivatives: Option<String>,
    /// Only what is listed or auctioned now, ownership and all.
    for_sale: Option<bool>,
    /// The order; with words, inside each class of match.
    #[param(inline)]
    sort: Option<Sort>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next` of the page before. Pages continue as of the block of the first one, for an hour.
    cursor: Option<String>,
}

impl AssetQuery {
    fn filter(&self, terms: &TermsQuery) -> Result<Filter, ApiError> {
        for (name, id) in [("descends_from", self.descends_from), ("ancestor_of", self.ancestor_of)]
        {
            id.map(|id| number(name, id)).transpose()?;
        }
        self.min_uses.map(|uses| number("min_uses", uses)).transpose()?;
        Ok(Filter {
            question: question(self.q.as_deref())?,
            kinds: kinds(self.kind.as_deref())?,
            owner: self.owner.as_deref().map(|text| address("owner", text)).transpose()?,
            least_price: units("min_price", self.min_price.as_deref())?,
            most_price: units("max_price", self.max_price.as_deref())?,
            least_uses: self.min_uses,
            least_revenue: units("min_revenue", self.min_revenue.as_deref())?,
            descends_from: self.descends_from,
            is_ancestor_of: self.ancestor_of,
            derivatives: word(
                "derivatives",
                self.derivatives.as_deref(),
                &["open", "approval", "none"],
            )?,
            terms: terms.filter()?,
            is_for_sale: self.for_sale.unwrap_or_default(),
            sort: self.sort.unwrap_or_default(),
        })
    }
}

pub(super) fn is_kind(kind: &str) -> bool {
    kind.len() <= 32 && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// The words of a question; without any, everything.
pub(super) fn question(text: Option<&str>) -> Result<Option<Question>, ApiError> {
    let text = text.unwrap_or_default();
    if text.chars().count() > MAX_QUESTION {
        let expected = format!("expected at most {MAX_QUESTION} characters");
        return Err(ApiError::invalid("q", expected));
    }
    let question = Question::new(text);
    if question.is_none() && !text.trim().is_empty() {
        return Err(ApiError::invalid("q", "expected at least one letter or digit"));
    }
    Ok(question)
}

/// Searches assets, ranked. Of terms, those count on which the asset offers licences.
#[utoipa::path(get, path = "/assets", tag = "assets", params(AssetQuery, TermsQuery),
    responses((status = 200, body = Page<AssetSummary>), (status = 400, body = super::error::ErrorBody),
        (status = 410, description = "the cursor is too old", body = super::error::ErrorBody)))]
pub(super) async fn assets(
    State(api): State<Api>,
    Params(query): Params<AssetQuery>,
    Params(terms): Params<TermsQuery>,
) -> Result<Json<Page<AssetSummary>>, ApiError> {
    let filter = query.filter(&terms)?;
    let limit = limit(query.limit)?;
    let found = search(api.database(), &filter, query.cursor.as_deref(), limit).await?;
    let data = summaries(&mut Sql(&mut *api.database().acquire().await?), &found.assets).await?;
    Ok(Json(Page { data, next: found.next }))
}

/// The assets of a list of ids, in its order.
pub(super) async fn summaries(
    sql: &mut Sql<'_>,
    ids: &[u64],
) -> Result<Vec<AssetSummary>, IndexError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("{SUMMARY} WHERE asset IN ({})", placeholders(1, ids.len()));
    let values =
        ids.iter().map(|id| integer(*id).map(Value::Int)).collect::<Result<Vec<_>, _>>()?;
    let mut found = BTreeMap::new();
    for row in sql.rows(&text, &values).await? {
        let summary = AssetSummary::read(&row)?;
        found.insert(summary.asset, summary);
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

pub(super) fn asset_id(text: &str) -> Result<u64, ApiError> {
    let id = text.parse::<u64>().ok().filter(|id| i64::try_from(*id).is_ok());
    id.ok_or_else(|| ApiError::invalid("asset", "expected the number of an asset"))
}
