//! Shapes that answers share, and how parameters are read.

use super::error::ApiError;
use crate::{
    cursor::Cursor,
    database::{Read as _, Sql, Value},
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

/// A list of rows that are only ever added, newest first, by numbers that identify a row.
pub(super) struct List {
    /// What is listed: cursors belong to it.
    pub(super) name: String,
    /// `SELECT ... FROM ... WHERE ...`, with parameters.
    pub(super) select: String,
    pub(super) values: Vec<Value>,
    /// The columns that order it, as the select names them.
    pub(super) order: &'static [&'static str],
    /// Further conditions, of which a row fulfils exactly one; each is looked up by its own index.
    pub(super) either: &'static [&'static str],
}

impl List {
    /// The order's columns without their tables.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(|name| name.rsplit('.').next().unwrap_or(name))
    }

    /// The statement and its values after a cursor.
    pub(super) fn statement(
        &self,
        cursor: Option<&Cursor>,
        limit: usize,
    ) -> Result<(String, Vec<Value>), ApiError> {
        let mut values = self.values.clone();
        let columns = self.order.join(", ");
        let mut after = String::new();
        if let Some(cursor) = cursor {
            let first = values.len().saturating_add(1);
            let places = crate::database::placeholders(first, self.order.len());
            after = format!(" AND ({columns}) < ({places})");
            values.extend(cursor.numbers(self.order.len())?);
        }
        let order: Vec<_> = self.order.iter().map(|column| format!("{column} DESC")).collect();
        let order = order.join(", ");
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1).into());
        let limit = format!("LIMIT ${}", values.len());
        let select = &self.select;
        if self.either.is_empty() {
            return Ok((format!("{select}{after} ORDER BY {order} {limit}"), values));
        }
        let parts = self.either.iter().map(|condition| {
            format!(
                "SELECT * FROM ({select} AND {condition}{after} ORDER BY {order} {limit}) AS part"
            )
        });
        let parts: Vec<_> = parts.collect();
        let outer: Vec<_> = self.names().map(|name| format!("{name} DESC")).collect();
        let sql = format!("{} ORDER BY {} {limit}", parts.join(" UNION ALL "), outer.join(", "));
        Ok((sql, values))
    }

    pub(super) async fn page<T>(
        &self,
        sql: &mut Sql<'_>,
        paging: &Paging,
        read: impl Fn(&AnyRow) -> Result<T, IndexError>,
    ) -> Result<Page<T>, ApiError> {
        let limit = paging.limit()?;
        let cursor = paging.cursor.as_deref().map(|text| Cursor::read(text, &self.name));
        let (text, values) = self.statement(cursor.transpose()?.as_ref(), limit)?;
        let rows = sql.rows(&text, &values).await?;
        let data = rows.iter().take(limit).map(read).collect::<Result<_, _>>()?;
        let last = limit.checked_sub(1).and_then(|last| rows.get(last));
        let next = last.filter(|_| rows.len() > limit).map(|row| {
            let place = self.names().map(|name| row.int(name).map(Value::Int));
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
