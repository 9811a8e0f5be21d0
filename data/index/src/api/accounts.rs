//! Accounts: who they are, what they earned and spent, and why.

use super::{
    Api,
    error::ApiError,
    payments::{ORDER, Payment, SHOW},
    shape::{List, Money, Page, Paging, Params, address},
};
use crate::{
    database::{Read as _, Sql, Value, integer},
    error::IndexError,
};
use alloy_primitives::Address;
use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

/// The most rows of an account's earnings by period.
const MAX_ROWS: i64 = 1_000;

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct AccountView {
    account: String,
    /// The first block that names it; absent for one that none does.
    first_block: Option<u64>,
    /// The last block that names it.
    last_block: Option<u64>,
    /// Transactions in which it takes part.
    transactions: u64,
    /// Assets that it owns.
    assets: u64,
    /// The asset whose own account this is.
    asset: Option<u64>,
    /// Everything earned and spent, by reason.
    totals: Vec<Total>,
    /// `worker` or `gateway`, with its bond.
    roles: Vec<Role>,
}

/// A sum over all assets and all time.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Total {
    /// `royalty`, `worker`, `gateway_fee`, `protocol_fee`, `validation`, `sale`, `referral`, `correction`, `jury` or `spent`.
    reason: String,
    amount: Money,
    entries: u64,
}

/// What an account does for others.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Role {
    role: String,
    /// A stranger's text.
    endpoint: String,
    bond: Money,
    /// Basis points, of a gateway.
    fee: Option<u64>,
    /// Unix seconds.
    leaving_at: Option<u64>,
    has_left: bool,
}

/// A sum of one period and asset.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Earning {
    /// A day as `2026-11-22`, a month as `2026-11`, or `all`; UTC.
    period: String,
    /// Absent: over all assets.
    asset: Option<u64>,
    /// `royalty`, `worker`, `gateway_fee`, `protocol_fee`, `validation`, `sale`, `referral`, `correction`, `jury` or `spent`.
    reason: String,
    amount: Money,
    entries: u64,
}

/// One account.
#[utoipa::path(get, path = "/accounts/{address}", tag = "accounts",
    params(("address" = String, Path, description = "the account")),
    responses((status = 200, body = AccountView), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn account(
    State(api): State<Api>,
    Path(text): Path<String>,
) -> Result<Json<AccountView>, ApiError> {
    let account = address("address", &text)?;
    let key = [Value::from(account)];
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let seen = "SELECT first_block, last_block, transactions FROM accounts WHERE account = $1";
    let seen = sql.row(seen, &key).await?;
    let owned = "SELECT COUNT(*) AS number FROM assets WHERE owner = $1";
    let owned = sql.row(owned, &key).await?;
    let itself = sql.row("SELECT asset FROM assets WHERE account = $1", &key).await?;
    let totals = "SELECT reason, amount, entries FROM statements \
        WHERE account = $1 AND asset = 0 AND period = 'all' ORDER BY reason";
    let totals = sql.rows(totals, &key).await?;
    let roles = "SELECT role, endpoint, bond, fee, leaving_at, has_left FROM operators \
        WHERE account = $1 ORDER BY role";
    let roles = sql.rows(roles, &key).await?;
    let number =
        |row: &Option<AnyRow>, column| row.as_ref().map(|row| row.number(column)).transpose();
    Ok(Json(AccountView {
        account: account.to_string(),
        first_block: number(&seen, "first_block")?,
        last_block: number(&seen, "last_block")?,
        transactions: number(&seen, "transactions")?.unwrap_or_default(),
        assets: number(&owned, "number")?.unwrap_or_default(),
        asset: number(&itself, "asset")?,
        totals: totals.iter().map(total).collect::<Result<_, _>>()?,
        roles: roles.iter().map(role).collect::<Result<_, _>>()?,
    }))
}

fn total(row: &AnyRow) -> Result<Total, IndexError> {
    let (reason, entries) = (row.text("reason")?, row.number("entries")?);
    Ok(Total { reason, amount: Money::read(row, "amount")?, entries })
}

fn role(row: &AnyRow) -> Result<Role, IndexError> {
    let number = |column| -> Result<Option<u64>, IndexError> {
        Ok(row.maybe_int(column)?.and_then(|number| u64::try_from(number).ok()))
    };
    Ok(Role {
        role: row.text("role")?,
        endpoint: row.text("endpoint")?,
        bond: Money::read(row, "bond")?,
        fee: number("fee")?,
        leaving_at: number("leaving_at")?,
        has_left: row.flag("has_left")?,
    })
}

/// How an account's sums are cut.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EarningQuery {
    /// `day`, `month` or `all`.
    #[param(default = "all")]
    by: Option<String>,
    /// One asset; without it, over all assets by day or month, and by asset over all time.
    asset: Option<u64>,
    /// Periods from this one on.
    from: Option<String>,
    /// Periods up to this one.
    to: Option<String>,
}

/// What an account earned and spent, by period and asset, newest first, at most 1,000 rows.
#[utoipa::path(get, path = "/accounts/{address}/earnings", tag = "accounts", params(EarningQuery,
    ("address" = String, Path, description = "the account")),
    responses((status = 200, body = Page<Earning>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn earnings(
    State(api): State<Api>,
    Path(text): Path<String>,
    Params(query): Params<EarningQuery>,
) -> Result<Json<Page<Earning>>, ApiError> {
    let account = address("address", &text)?;
    let asset = integer(query.asset.unwrap_or_default())
        .map_err(|_| ApiError::invalid("asset", "expected the number of an asset"))?;
    let (from, to) = periods(&query)?;
    let columns =
        "SELECT period, asset, reason, amount, entries FROM statements WHERE account = $1";
    let by = query.by.as_deref().unwrap_or("all");
    let (condition, values) = match (by, query.asset) {
        ("all", None) => ("AND period = 'all' AND asset > $2 ORDER BY asset DESC", vec![]),
        ("all", Some(_)) => ("AND asset = $2 AND period = 'all' ORDER BY reason", vec![]),
        _ => (
            "AND asset = $2 AND period >= $4 AND period <= $5 AND LENGTH(period) = $6 \
             ORDER BY period DESC, reason",
            vec![from.into(), to.into(), Value::Int(if by == "day" { 10 } else { 7 })],
        ),
    };
    let mut all = vec![Value::from(account), asset.into(), MAX_ROWS.into()];
    all.extend(values);
    let mut connection = api.database().acquire().await?;
    let rows = Sql(&mut connection).rows(&format!("{columns} {condition} LIMIT $3"), &all).await?;
    let data = rows.iter().map(earning).collect::<Result<_, _>>()?;
    Ok(Json(Page { data, next: None }))
}

/// Bounds of periods; digits sort before `all`.
fn periods(query: &EarningQuery) -> Result<(String, String), ApiError> {
    if !matches!(query.by.as_deref(), None | Some("all" | "month" | "day")) {
        return Err(ApiError::invalid("by", "expected day, month or all"));
    }
    let is_period = |text: &str| {
        text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    for (name, text) in [("from", &query.from), ("to", &query.to)] {
        if text.as_deref().is_some_and(|text| !is_period(text)) {
            return Err(ApiError::invalid(name, "expected a day as 2026-11-22, or a month"));
        }
    }
    let from = query.from.clone().unwrap_or_else(|| "0".into());
    Ok((from, query.to.clone().unwrap_or_else(|| "9999-99-99".into())))
}

fn earning(row: &AnyRow) -> Result<Earning, IndexError> {
    Ok(Earning {
        period: row.text("period")?,
        asset: Some(row.number("asset")?).filter(|asset| *asset != 0),
        reason: row.text("reason")?,
        amount: Money::read(row, "amount")?,
        entries: row.number("entries")?,
    })
}

/// Which statement.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatementQuery {
    /// `json` or `csv`.
    #[param(default = "json")]
    format: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Every payment to and from an account, newest first: as JSON, or as CSV with the next cursor in the
/// header `sahara-next`.
#[utoipa::path(get, path = "/accounts/{address}/statement", tag = "accounts", params(StatementQuery,
    ("address" = String, Path, description = "the account")),
    responses((status = 200, content((Page<Payment> = "application/json"), (String = "text/csv"))),
        (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn statement(
    State(api): State<Api>,
    Path(text): Path<String>,
    Params(query): Params<StatementQuery>,
) -> Result<Response, ApiError> {
    let account = address("address", &text)?;
    let is_csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::invalid("format", "expected json or csv")),
    };
    let list = statement_list(account);
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let mut connection = api.database().acquire().await?;
    let page = list.page(&mut Sql(&mut connection), &paging, Payment::read).await?;
    if !is_csv {
        return Ok(Json(page).into_response());
    }
    let mut response = csv(account, &page.data).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    if let Some(next) = page.next.and_then(|next| HeaderValue::from_str(&next).ok()) {
        headers.insert("sahara-next", next);
    }
    Ok(response)
}

/// Payments to `$1`, and those from it to others.
pub(super) fn statement_list(account: Address) -> List {
    List {
        name: format!("statement {account}"),
        keys: "payments x WHERE x.block >= 0".into(),
        values: vec![Value::from(account)],
        order: ORDER,
        either: &["x.payee = $1", "x.payer = $1 AND (x.payee IS NULL OR x.payee <> $1)"],
        show: SHOW,
    }
}

/// Every field is a number, a word of ours or hexadecimal: nothing needs quotes.
fn csv(account: Address, payments: &[Payment]) -> String {
    let account = account.to_string();
    let mut text = String::from(
        "time_ms,block,log_index,transaction,kind,direction,counterparty,asset,amount_sahara,amount_base_units\n",
    );
    for payment in payments {
        let is_in = payment.payee.as_ref() == Some(&account);
        let (direction, other) =
            if is_in { ("in", &payment.payer) } else { ("out", &payment.payee) };
        let asset = payment.asset.map(|asset| asset.to_string()).unwrap_or_default();
        let fields = [
            &payment.time.to_string(),
            &payment.block.to_string(),
            &payment.log_index.to_string(),
            &payment.transaction,
            &payment.kind,
            direction,
            other.as_deref().unwrap_or_default(),
            &asset,
            &payment.amount.amount,
            &payment.amount.base_units,
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}
