//! One asset, and who made it.

use super::{
    Api,
    assets::{AssetSummary, SUMMARY, asset_id},
    error::ApiError,
    licenses::{TERMS, TermsView},
    shape::{Money, number},
};
use crate::{
    database::{Read as _, Sql, Value, integer},
    error::IndexError,
};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

/// The most rows of a list inside an answer; longer ones have their own path.
const MAX_INSIDE: i64 = 100;

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
struct Contributor {
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
