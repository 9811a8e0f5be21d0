//! [`Sql`]: statements on one connection.

use super::value::Value;
use crate::error::IndexError;
use sqlx::{
    AnyConnection, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

/// A connection, mostly inside a transaction.
#[derive(Debug)]
pub(crate) struct Sql<'c>(pub(crate) &'c mut AnyConnection);

impl Sql<'_> {
    /// Runs a statement; returns the number of rows it changed.
    pub(crate) async fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64, IndexError> {
        let done = bound(sql, values).execute(&mut *self.0).await?;
        Ok(done.rows_affected())
    }

    /// The rows of a query.
    pub(crate) async fn rows(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Vec<AnyRow>, IndexError> {
        Ok(bound(sql, values).fetch_all(&mut *self.0).await?)
    }

    /// The first row of a query, if it has one.
    pub(crate) async fn row(
        &mut self,
        sql: &str,
        values: &[Value],
    ) -> Result<Option<AnyRow>, IndexError> {
        Ok(bound(sql, values).fetch_optional(&mut *self.0).await?)
    }

    /// Adds a row. The names are the program's own, never input.
    pub(crate) async fn insert(
        &mut self,
        table: &str,
        row: &[(&str, Value)],
    ) -> Result<(), IndexError> {
        self.run(&insert(table, row), &values(row)).await.map(drop)
    }

    /// Adds a row unless there is one with the same key.
    pub(crate) async fn insert_new(
        &mut self,
        table: &str,
        row: &[(&str, Value)],
    ) -> Result<bool, IndexError> {
        let sql = format!("{} ON CONFLICT DO NOTHING", insert(table, row));
        Ok(self.run(&sql, &values(row)).await? > 0)
    }

    /// Adds a row or replaces what stands under its first `key` columns.
    pub(crate) async fn put(
        &mut self,
        table: &str,
        key: usize,
        row: &[(&str, Value)],
    ) -> Result<(), IndexError> {
        let names = |part: &[(&str, Value)]| {
            part.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>()
        };
        let (keys, rest) = row.split_at(key.min(row.len()));
        let rest: Vec<_> =
            names(rest).iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let sql = format!(
            "{} ON CONFLICT ({}) DO UPDATE SET {}",
            insert(table, row),
            names(keys).join(", "),
            rest.join(", ")
        );
        self.run(&sql, &values(row)).await.map(drop)
    }
}

fn bound(sql: &str, values: &[Value]) -> Query<'static, sqlx::Any, AnyArguments> {
    // Every text here is put together from the program's own words; input is bound.
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for value in values {
        query = match value.clone() {
            Value::NoText => query.bind(None::<String>),
            Value::NoBytes => query.bind(None::<Vec<u8>>),
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}

fn insert(table: &str, row: &[(&str, Value)]) -> String {
    let names: Vec<_> = row.iter().map(|(name, _)| *name).collect();
    let places = placeholders(1, row.len());
    format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "))
}

fn values(row: &[(&str, Value)]) -> Vec<Value> {
    row.iter().map(|(_, value)| value.clone()).collect()
}

/// `$first, ...`, so many.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let places: Vec<_> =
        (first..first.saturating_add(count)).map(|place| format!("${place}")).collect();
    places.join(", ")
}
