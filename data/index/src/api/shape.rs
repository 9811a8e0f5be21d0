//! Shapes that answers share, and how parameters are read.

use super::error::ApiError;
use crate::{
    cursor::Cursor,
    database::{Read as _, Sql, Value, placeholders},
    error::IndexError,
};
use alloy_primitives::{Address, B256, U256};
use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use sahara_primitives::Amount;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: usize = 20;
pub(super) const MAX_LIMIT: usize = 100;

/// An amount of coin, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Money {
    /// SAHARA, in decimals.
    #[schema(example = "1.5")]
    pub(super) amount: String,
    /// Base units, 10^-18 SAHARA.
    #[schema(example = "1500000000000000000")]
    pub(super) base_units: String,
}

impl Money {
    pub(super) fn of(units: u128) -> Self {
        let amount = Amount::from_u128(units).to_string();
        Self { amount, base_units: units.to_string() }
    }

    pub(super) fn read(row: &AnyRow, column: &str) -> Result<Self, IndexError> {
        row.money(column).map(Self::of)
    }

    /// Of a column that is not for sorting and may hold any number of a stranger's token.
    pub(super) fn raw(text: &str) -> Self {
        let units = U256::from_str_radix(text, 10).unwrap_or_default();
        let amount = Amount::from_base_units(units).to_string();
        Self { amount, base_units: text.to_owned() }
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The rows.
    pub(super) data: Vec<T>,
    /// Where the next page begins: the `cursor` to ask with. Absent on the last page.
    pub(super) next: Option<String>,
}

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

impl Paging {
    pub(super) fn limit(&self) -> Result<usize, ApiError> {
        limit(self.limit)
    }
}

pub(super) fn limit(asked: Option<usize>) -> Result<usize, ApiError> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        other => {
            Err(ApiError::invalid("limit", format!("limit {other}: expected 1 to {MAX_LIMIT}")))
        }
    }
}

/// A list of rows that are only ever added, by the numbers that identify a row.
///
/// The page's keys are looked up first, alone, and only then joined with what is shown of them:
/// `PostgreSQL` expects joins over several columns to find nearly nothing, and would read whole tables.
pub(super) struct List {
    /// What is listed: cursors belong to it.
    pub(super) name: String,
    /// The table `x` of keys and a condition, with parameters, as `payments x WHERE x.asset = $1`.
    pub(super) keys: String,
    pub(super) values: Vec<Value>,
    /// The columns of the key.
    pub(super) order: &'static [&'static str],
    /// Further conditions, of which a row fulfils at most one; each is looked up by its own index.
    pub(super) either: &'static [&'static str],
    /// What is shown of the keys: a query of `{page}`.
    pub(super) show: &'static str,
}

/// In which direction a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    NewestFirst,
    OldestFirst,
}

impl List {
    /// The statement and its values, after the row with a key.
    pub(super) fn statement(
        &self,
        way: Way,
        after: Option<Vec<Value>>,
        limit: usize,
    ) -> (String, Vec<Value>) {
        let (order, sign) = match way {
            Way::NewestFirst => ("DESC", "<"),
            Way::OldestFirst => ("ASC", ">"),
        };
        let each = |of: &dyn Fn(&str) -> String| {
            self.order.iter().map(|column| of(column)).collect::<Vec<_>>().join(", ")
        };
        let columns = each(&|column| format!("x.{column}"));
        let ordered = each(&|column| format!("x.{column} {order}"));
        let shown = each(&|column| format!("page.{column} {order}"));
        let mut values = self.values.clone();
        let mut condition = String::new();
        if let Some(after) = after {
            let places = placeholders(values.len().saturating_add(1), after.len());
            condition = format!(" AND ({columns}) {sign} ({places})");
            values.extend(after);
        }
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let end = format!("ORDER BY {ordered} LIMIT ${}", values.len());
        let keys = &self.keys;
        let page = if self.either.is_empty() {
            format!("SELECT {columns} FROM {keys}{condition} {end}")
        } else {
            let parts = self.either.iter().map(|one| {
                let part = format!("SELECT {columns} FROM {keys} AND {one}{condition} {end}");
                format!("SELECT * FROM ({part}) AS part")
            });
            let parts: Vec<_> = parts.collect();
            let parts = parts.join(" UNION ALL ");
            format!("SELECT * FROM ({parts}) AS x {end}")
        };
        let show = self.show.replace("{page}", &format!("({page}) AS page"));
        (format!("{show} ORDER BY {shown}"), values)
    }

    pub(super) async fn page<T>(
        &self,
        sql: &mut Sql<'_>,
        paging: &Paging,
        read: impl Fn(&AnyRow) -> Result<T, IndexError>,
    ) -> Result<Page<T>, ApiError> {
        let limit = paging.limit()?;
        let cursor = paging.cursor.as_deref().map(|text| Cursor::read(text, &self.name));
        let after = cursor.transpose()?.map(|cursor| cursor.numbers(self.order.len()));
        let one_more = limit.saturating_add(1);
        let (text, values) = self.statement(Way::NewestFirst, after.transpose()?, one_more);
        let rows = sql.rows(&text, &values).await?;
        let data = rows.iter().take(limit).map(read).collect::<Result<_, _>>()?;
        let last = limit.checked_sub(1).and_then(|last| rows.get(last));
        let next = last.filter(|_| rows.len() > limit).map(|row| {
            let place = self.order.iter().map(|name| row.int(name).map(Value::Int));
            place.collect::<Result<_, _>>().map(|place| Cursor::new(place).write(&self.name))
        });
        Ok(Page { data, next: next.transpose()? })
    }
}

/// A query string, with an error in this API's shape.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(ApiError::query(error.body_text())),
        }
    }
}

pub(super) fn address(param: &'static str, text: &str) -> Result<Address, ApiError> {
    let expected = || ApiError::invalid(param, "expected an address, 0x and 40 hexadecimal digits");
    if text.len() != 42 {
        return Err(expected());
    }
    text.parse().map_err(|_| expected())
}

pub(super) fn hash(param: &'static str, text: &str) -> Result<B256, ApiError> {
    let expected = || ApiError::invalid(param, "expected a hash, 0x and 64 hexadecimal digits");
    if text.len() != 66 {
        return Err(expected());
    }
    text.parse().map_err(|_| expected())
}

pub(super) fn units(param: &'static str, text: Option<&str>) -> Result<Option<u128>, ApiError> {
    let read = |text: &str| {
        let amount = text.parse::<Amount>().ok().and_then(Amount::to_u128);
        let expected = "expected an amount in SAHARA, as 1.25";
        amount.ok_or_else(|| ApiError::invalid(param, expected))
    };
    text.map(read).transpose()
}

pub(super) fn number(param: &'static str, number: u64) -> Result<Value, ApiError> {
    let number = i64::try_from(number);
    number.map(Value::Int).map_err(|_| ApiError::invalid(param, "expected a number below 2^63"))
}
