//! The whole chain in numbers, operators, and the search box for everything.

use super::{
    Api,
    assets::{AssetSummary, asset_id, question, summaries},
    error::ApiError,
    shape::{Money, Page, Params, limit},
};
use crate::{
    apply,
    database::{Read as _, Sql, Value},
    error::IndexError,
    index::identity,
    search::{Filter, search},
};
use alloy_primitives::{Address, B256};
use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

/// The most rows of figures by period.
const MAX_ROWS: i64 = 2_000;
/// Assets in an answer of the search box.
const MAX_FOUND: usize = 10;

/// The chain and how far the index has read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Stats {
    chain_id: u64,
    /// Hash of block 0.
    genesis: String,
    /// The last block in the index.
    head: Option<u64>,
    /// Its time, Unix milliseconds.
    time: Option<u64>,
    /// Figures of all time, or by period.
    figures: Vec<Figure>,
}

/// One figure of one period.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Figure {
    /// `all`, a month as `2026-11`, or a day as `2026-11-22`; UTC.
    period: String,
    /// Counts: `blocks`, `transactions`, `gas`, `assets`, `edges`, `channels`, `requests`. Coin in base
    /// units: `deposited`, `charged`, `paid` for use of assets, `work` of workers, `royalties`,
    /// `protocol_fee`, `gateway_fee`, `gas_fees`.
    measure: String,
    value: String,
}

/// How figures are cut.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsQuery {
    /// `day`, `month` or `all`.
    #[param(default = "all")]
    by: Option<String>,
    /// Of one asset: `revenue`, `paid`, `fees` (base units) and `uses`.
    asset: Option<String>,
}

/// Figures of the chain, or of one asset; by period, newest first, at most 2,000.
#[utoipa::path(get, path = "/stats", tag = "chain", params(StatsQuery),
    responses((status = 200, body = Stats), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn stats(
    State(api): State<Api>,
    Params(query): Params<StatsQuery>,
) -> Result<Json<Stats>, ApiError> {
    let length = match query.by.as_deref() {
        None | Some("all") => 3,
        Some("month") => 7,
        Some("day") => 10,
        Some(_) => return Err(ApiError::invalid("by", "expected day, month or all")),
    };
    let (table, condition, mut values) = match &query.asset {
        Some(asset) => {
            let id = i64::try_from(asset_id(asset)?).unwrap_or(i64::MAX);
            ("asset_periods", " AND asset = $3", vec![Value::Int(id)])
        }
        None => ("chain_periods", "", Vec::new()),
    };
    values.splice(0..0, [Value::Int(length), MAX_ROWS.into()]);
    let text = format!(
        "SELECT period, measure, amount FROM {table} WHERE LENGTH(period) = $1{condition} \
         ORDER BY period DESC, measure LIMIT $2"
    );
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let (chain_id, genesis) = identity(&mut sql).await?;
    let head = apply::head(&mut sql).await?.map(|head| head.number);
    let time = sql.row("SELECT time FROM blocks ORDER BY number DESC LIMIT 1", &[]).await?;
    let figures = sql.rows(&text, &values).await?;
    let figures = figures.iter().map(figure).collect::<Result<_, _>>()?;
    let time = time.map(|row| row.number("time")).transpose()?;
    Ok(Json(Stats { chain_id, genesis: genesis.to_string(), head, time, figures }))
}

fn figure(row: &AnyRow) -> Result<Figure, IndexError> {
    let value = row.money("amount")?.to_string();
    Ok(Figure { period: row.text("period")?, measure: row.text("measure")?, value })
}

/// A worker or gateway.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Operator {
    account: String,
    /// `worker` or `gateway`.
    role: String,
    /// A stranger's text.
    endpoint: String,
    bond: Money,
    /// Basis points, of a gateway.
    fee: Option<u64>,
    /// Unix seconds.
    leaving_at: Option<u64>,
    /// Assets that it serves.
    offers: u64,
}

/// Which operators.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OperatorQuery {
    /// `worker` or `gateway`.
    role: Option<String>,
    /// Accounts after this one, in their order.
    after: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// Workers or gateways that have not left, by address.
#[utoipa::path(get, path = "/operators", tag = "operators", params(OperatorQuery),
    responses((status = 200, body = Page<Operator>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn operators(
    State(api): State<Api>,
    Params(query): Params<OperatorQuery>,
) -> Result<Json<Page<Operator>>, ApiError> {
    let role = match query.role.as_deref() {
        None | Some("worker") => "worker",
        Some("gateway") => "gateway",
        Some(_) => return Err(ApiError::invalid("role", "expected worker or gateway")),
    };
    let after = query.after.as_deref().map(|text| super::shape::address("after", text));
    let after = after.transpose()?.map_or_else(Vec::new, |account| account.to_vec());
    let limit = limit(query.limit)?;
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let text = "SELECT account, role, endpoint, bond, fee, leaving_at, \
        (SELECT COUNT(*) FROM offers o WHERE o.worker = p.account AND o.is_served = 1) AS offers \
        FROM operators p WHERE role = $1 AND account > $2 AND has_left = 0 ORDER BY account LIMIT $3";
    let mut connection = api.database().acquire().await?;
    let rows = Sql(&mut connection).rows(text, &[role.into(), after.into(), most.into()]).await?;
    let data: Vec<_> = rows.iter().map(operator).collect::<Result<_, _>>()?;
    let next =
        data.last().filter(|_| data.len() == limit).map(|last: &Operator| last.account.clone());
    Ok(Json(Page { data, next }))
}

fn operator(row: &AnyRow) -> Result<Operator, IndexError> {
    let number = |column| -> Result<Option<u64>, IndexError> {
        Ok(row.maybe_int(column)?.and_then(|number| u64::try_from(number).ok()))
    };
    Ok(Operator {
        account: row.address("account")?.to_string(),
        role: row.text("role")?,
        endpoint: row.text("endpoint")?,
        bond: Money::read(row, "bond")?,
        fee: number("fee")?,
        leaving_at: number("leaving_at")?,
        offers: row.number("offers")?,
    })
}

/// What somebody typed into the search box.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FindQuery {
    /// A number, a hash, an address or words.
    q: String,
}

/// What it may mean, the likeliest first.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub(super) struct FoundAnything {
    /// Things that it names exactly.
    exact: Vec<Thing>,
    /// Assets that it describes.
    assets: Vec<AssetSummary>,
}

/// One thing, and its path in this API.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Thing {
    /// `block`, `transaction`, `account`, `asset` or `channel`.
    kind: &'static str,
    id: String,
    path: String,
}

impl Thing {
    fn new(kind: &'static str, id: &impl ToString, path: &str) -> Self {
        let id = id.to_string();
        Self { kind, path: format!("{path}{id}"), id }
    }
}

/// The search box for everything: block numbers, hashes, addresses, asset numbers and names.
#[utoipa::path(get, path = "/search", tag = "chain", params(FindQuery),
    responses((status = 200, body = FoundAnything), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn find(
    State(api): State<Api>,
    Params(query): Params<FindQuery>,
) -> Result<Json<FoundAnything>, ApiError> {
    let text = query.q.trim();
    let question = question(Some(text))?;
    let mut found = FoundAnything::default();
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let hash = text.parse::<B256>().ok().filter(|_| text.len() == 66);
    let account = text.parse::<Address>().ok().filter(|_| text.len() == 42);
    if let Some(hash) = hash {
        found.exact = by_hash(&mut sql, hash).await?;
        let same = "SELECT asset FROM assets WHERE content_hash = $1 ORDER BY asset DESC LIMIT 10";
        let ids = sql.rows(same, &[hash.into()]).await?;
        let ids = ids.iter().map(|row| row.number("asset")).collect::<Result<Vec<_>, _>>()?;
        found.assets = summaries(&mut sql, &ids).await?;
    } else if let Some(account) = account {
        found.exact.push(Thing::new("account", &account, "/accounts/"));
    } else {
        if let Some(number) = text.parse::<i64>().ok().filter(|number| *number >= 0) {
            found.exact = by_number(&mut sql, number).await?;
        }
        drop(connection);
        let filter = Filter { question, ..Filter::default() };
        let ids = search(api.database(), &filter, None, MAX_FOUND).await?.assets;
        let mut connection = api.database().acquire().await?;
        found.assets = summaries(&mut Sql(&mut connection), &ids).await?;
    }
    Ok(Json(found))
}

async fn by_hash(sql: &mut Sql<'_>, hash: B256) -> Result<Vec<Thing>, IndexError> {
    let places = [
        ("transaction", "SELECT 1 AS one FROM transactions WHERE hash = $1", "/transactions/"),
        ("block", "SELECT 1 AS one FROM blocks WHERE hash = $1", "/blocks/"),
        ("channel", "SELECT 1 AS one FROM channels WHERE channel = $1", "/payments?channel="),
    ];
    let mut things = Vec::new();
    for (kind, query, path) in places {
        if sql.row(query, &[hash.into()]).await?.is_some() {
            things.push(Thing::new(kind, &hash, path));
        }
    }
    Ok(things)
}

async fn by_number(sql: &mut Sql<'_>, number: i64) -> Result<Vec<Thing>, IndexError> {
    let places = [
        ("asset", "SELECT 1 AS one FROM assets WHERE asset = $1", "/assets/"),
        ("block", "SELECT 1 AS one FROM blocks WHERE number = $1", "/blocks/"),
    ];
    let mut things = Vec::new();
    for (kind, query, path) in places {
        if sql.row(query, &[number.into()]).await?.is_some() {
            things.push(Thing::new(kind, &number, path));
        }
    }
    Ok(things)
}
