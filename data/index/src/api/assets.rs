//! Assets: search, one asset, and who made it.

use super::{
    Api,
    error::ApiError,
    licenses::{TERMS, TermsView},
    sales::{TermsQuery, kinds, word},
    shape::{Money, Page, Params, address, limit, number, units},
};
use crate::{
    database::{Read as _, Sql, Value, integer, placeholders},
    error::IndexError,
    search::{Filter, Sort, search},
    words::Question,
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

const MAX_QUESTION: usize = 200;
/// The most rows of a list inside an answer; longer ones have their own path.
const MAX_INSIDE: i64 = 100;

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

/// An asset and its surroundings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AssetDetail {
    #[serde(flatten)]
    summary: AssetSummary,
    /// Its own account (ERC-6551).
    account: String,
    /// The block that registered it.
    block: u64,
    /// Members and their units; with none, the owner alone earns.
    members: u64,
    /// Units of all members, the owner's seat included once it is sealed.
    units: String,
    /// Units that go with ownership, where the registering call says so.
    owner_units: Option<String>,
    /// Contributors that the owner committed to by a root; those who are activated are members.
    committed: u64,
    /// Their units, activated or not.
    committed_units: String,
    /// Terms on which licences are offered.
    offers: Vec<TermsView>,
    /// What it was made from.
    parents: Vec<Edge>,
    /// What was made from it, the newest 100.
    children: Vec<Edge>,
    /// Everything it stems from, nearest first, at most 256.
    ancestors: Vec<Ancestor>,
    /// How many assets stem from it.
    descendants: u64,
    /// The largest 100 members.
    contributors: Vec<Contributor>,
    /// Who was credited from its pool, the largest 100.
    payees: Vec<Payee>,
    /// Who serves it, at most 100.
    workers: Vec<WorkerOffer>,
}

/// A neighbour in the lineage.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Edge {
    asset: u64,
    name: Option<String>,
    kind: String,
    /// As `TRAINED_ON`.
    relation: String,
}

/// An ancestor and its part.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Ancestor {
    asset: u64,
    name: Option<String>,
    kind: String,
    /// Edges on the shortest way.
    distance: u64,
    /// Part of this asset's income, in basis points.
    share: u64,
}

/// A holder of units.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Contributor {
    account: String,
    units: String,
}

/// Who was credited how much.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Payee {
    account: String,
    amount: Money,
}

/// A worker's offer.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct WorkerOffer {
    worker: String,
    /// A stranger's text.
    endpoint: Option<String>,
    input_price: Money,
    output_price: Money,
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

/// One asset: lineage, contributors, who was paid, who serves it.
#[utoipa::path(get, path = "/assets/{asset}", tag = "assets",
    params(("asset" = u64, Path, description = "its number")),
    responses((status = 200, body = AssetDetail), (status = 404, body = super::error::ErrorBody)))]
pub(super) async fn asset(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<AssetDetail>, ApiError> {
    let id = asset_id(&id)?;
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let row = sql.row(&format!("{SUMMARY} WHERE asset = $1"), &[number("asset", id)?]).await?;
    let row = row.ok_or_else(|| ApiError::not_found(format!("there is no asset {id}")))?;
    Ok(Json(detail(&mut sql, id, &row).await?))
}

pub(super) fn asset_id(text: &str) -> Result<u64, ApiError> {
    let id = text.parse::<u64>().ok().filter(|id| i64::try_from(*id).is_ok());
    id.ok_or_else(|| ApiError::invalid("asset", "expected the number of an asset"))
}

async fn detail(sql: &mut Sql<'_>, id: u64, row: &AnyRow) -> Result<AssetDetail, IndexError> {
    let key = [Value::Int(integer(id)?)];
    let several = [Value::Int(integer(id)?), MAX_INSIDE.into()];
    let parents = "SELECT a.asset, a.name, a.kind, e.relation FROM edges e \
        JOIN assets a ON a.asset = e.parent WHERE e.asset = $1 ORDER BY e.parent LIMIT $2";
    let children = "SELECT a.asset, a.name, a.kind, e.relation FROM edges e \
        JOIN assets a ON a.asset = e.asset WHERE e.parent = $1 ORDER BY e.asset DESC LIMIT $2";
    let ancestors = "SELECT a.asset, a.name, a.kind, l.distance, l.share FROM ancestors l \
        JOIN assets a ON a.asset = l.ancestor WHERE l.asset = $1 ORDER BY l.distance, l.ancestor";
    let descendants = "SELECT COUNT(*) AS number FROM ancestors WHERE ancestor = $1";
    let contributors = "SELECT account, units FROM members WHERE asset = $1 \
        ORDER BY units DESC, account DESC LIMIT $2";
    let payees = "SELECT account, amount FROM statements WHERE asset = $1 AND period = 'all' \
        AND reason = 'royalty' ORDER BY amount DESC, account DESC LIMIT $2";
    let workers = "SELECT o.worker, o.input_price, o.output_price, p.endpoint FROM offers o \
        LEFT JOIN operators p ON p.account = o.worker AND p.role = 'worker' \
        WHERE o.asset = $1 AND o.is_served = 1 ORDER BY o.worker LIMIT $2";
    let offers = format!(
        "SELECT {TERMS} FROM license_offers o JOIN terms t ON t.terms = o.terms \
         WHERE o.asset = $1 AND o.is_offered = 1 ORDER BY o.terms LIMIT $2"
    );
    let count = sql.row(descendants, &key).await?;
    let owner_units = row.maybe_text("owner_units")?;
    let owner_units = owner_units.map(|_| row.money("owner_units")).transpose()?;
    let owner_units = owner_units.map(|units| units.to_string());
    Ok(AssetDetail {
        summary: AssetSummary::read(row)?,
        account: row.address("account")?.to_string(),
        block: row.number("block")?,
        members: row.number("members")?,
        units: row.money("units")?.to_string(),
        owner_units,
        committed: row.number("committed")?,
        committed_units: row.money("committed_units")?.to_string(),
        offers: each(&sql.rows(&offers, &several).await?, TermsView::read)?,
        parents: each(&sql.rows(parents, &several).await?, edge)?,
        children: each(&sql.rows(children, &several).await?, edge)?,
        ancestors: each(&sql.rows(ancestors, &key).await?, ancestor)?,
        descendants: count.map_or(Ok(0), |row| row.number("number"))?,
        contributors: each(&sql.rows(contributors, &several).await?, contributor)?,
        payees: each(&sql.rows(payees, &several).await?, payee)?,
        workers: each(&sql.rows(workers, &several).await?, offer)?,
    })
}

fn each<T>(
    rows: &[AnyRow],
    read: impl Fn(&AnyRow) -> Result<T, IndexError>,
) -> Result<Vec<T>, IndexError> {
    rows.iter().map(read).collect()
}

fn edge(row: &AnyRow) -> Result<Edge, IndexError> {
    Ok(Edge {
        asset: row.number("asset")?,
        name: row.maybe_text("name")?,
        kind: row.text("kind")?,
        relation: row.text("relation")?,
    })
}

fn ancestor(row: &AnyRow) -> Result<Ancestor, IndexError> {
    Ok(Ancestor {
        asset: row.number("asset")?,
        name: row.maybe_text("name")?,
        kind: row.text("kind")?,
        distance: row.number("distance")?,
        share: row.number("share")?,
    })
}

fn contributor(row: &AnyRow) -> Result<Contributor, IndexError> {
    let account = row.address("account")?.to_string();
    Ok(Contributor { account, units: row.money("units")?.to_string() })
}

fn payee(row: &AnyRow) -> Result<Payee, IndexError> {
    let account = row.address("account")?.to_string();
    Ok(Payee { account, amount: Money::read(row, "amount")? })
}

fn offer(row: &AnyRow) -> Result<WorkerOffer, IndexError> {
    Ok(WorkerOffer {
        worker: row.address("worker")?.to_string(),
        endpoint: row.maybe_text("endpoint")?,
        input_price: Money::read(row, "input_price")?,
        output_price: Money::read(row, "output_price")?,
    })
}
