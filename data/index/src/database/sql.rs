//! [`Sql`]: statements on one connection.

use super::value::{Read as _, Value};
use crate::error::IndexError;
use sqlx::{
    AnyConnection, AssertSqlSafe,
    any::{AnyArguments, AnyRow},
    query::Query,
};

/// Rows of one statement that takes many: few numbers, so that its few texts stay prepared, and threes, as
/// sums are kept for three periods. Each statement costs a change of threads or a way to the server, whatever
/// it does.
const SIZES: [usize; 4] = [24, 6, 3, 1];

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
        let columns: Vec<_> = row.iter().map(|(name, _)| *name).collect();
        self.put_all(table, (&columns, key), &[values(row)]).await
    }

    /// Adds rows with these columns.
    pub(crate) async fn insert_all(
        &mut self,
        table: &str,
        columns: &[&str],
        rows: &[Vec<Value>],
    ) -> Result<(), IndexError> {
        for part in parts(rows) {
            self.run(&insert_many(table, columns, part.len()), &part.concat()).await?;
        }
        Ok(())
    }

    /// Adds rows with these columns or replaces what stands under the first `key` of them; no two rows have
    /// the same there.
    pub(crate) async fn put_all(
        &mut self,
        table: &str,
        (columns, key): (&[&str], usize),
        rows: &[Vec<Value>],
    ) -> Result<(), IndexError> {
        let (keys, rest) = columns.split_at(key.min(columns.len()));
        let rest: Vec<_> = rest.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let (keys, rest) = (keys.join(", "), rest.join(", "));
        for part in parts(rows) {
            let insert = insert_many(table, columns, part.len());
            let sql = format!("{insert} ON CONFLICT ({keys}) DO UPDATE SET {rest}");
            self.run(&sql, &part.concat()).await?;
        }
        Ok(())
    }

    /// These columns of the row under each key, in the keys' order.
    pub(crate) async fn find_all(
        &mut self,
        table: &str,
        (key, columns): (&[&str], &[&str]),
        keys: &[Vec<Value>],
    ) -> Result<Vec<Option<AnyRow>>, IndexError> {
        let mut found = Vec::new();
        for part in parts(keys) {
            let first = found.len();
            found.resize_with(first.saturating_add(part.len()), || None);
            let sql = find_many(table, (key, columns), part.len());
            for row in self.rows(&sql, &part.concat()).await? {
                let place = usize::try_from(row.number("place")?).unwrap_or(usize::MAX);
                if let Some(slot) = found.get_mut(first.saturating_add(place)) {
                    *slot = Some(row);
                }
            }
        }
        Ok(found)
    }
}

/// Parts of [`SIZES`].
fn parts<T>(mut rest: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (part, others) = rest.split_at_checked(size)?;
        rest = others;
        Some(part)
    })
}

fn bound(sql: &str, values: &[Value]) -> Query<'static, sqlx::Any, AnyArguments> {
    // Every text here is put together from the program's own words; input is bound.
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for value in values {
        query = match value.clone() {
            Value::NoText => query.bind(None::<String>),
            Value::NoBytes => query.bind(None::<Vec<u8>>),
            Value::NoInt => query.bind(None::<i64>),
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}

fn insert(table: &str, row: &[(&str, Value)]) -> String {
    let names: Vec<_> = row.iter().map(|(name, _)| *name).collect();
    insert_many(table, &names, 1)
}

fn insert_many(table: &str, columns: &[&str], count: usize) -> String {
    let rows: Vec<_> = (0..count)
        .map(|row| format!("({})", placeholders(first_place(row, columns.len()), columns.len())))
        .collect();
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), rows.join(", "))
}

/// The rows under so many keys. The keys come first in the join, so that each is found by its index.
pub(crate) fn find_many(table: &str, (key, columns): (&[&str], &[&str]), count: usize) -> String {
    let names: Vec<_> = (0..key.len()).map(|index| format!("key_{index}")).collect();
    let keys: Vec<_> = (0..count)
        .map(|row| format!("({row}, {})", placeholders(first_place(row, key.len()), key.len())))
        .collect();
    let columns: Vec<_> = columns.iter().map(|column| format!("{table}.{column}")).collect();
    let equal = key.iter().zip(&names).map(|(column, name)| format!("{table}.{column} = {name}"));
    format!(
        "WITH wanted (place, {}) AS (VALUES {}) SELECT place, {} FROM wanted CROSS JOIN {table} WHERE {}",
        names.join(", "),
        keys.join(", "),
        columns.join(", "),
        equal.collect::<Vec<_>>().join(" AND ")
    )
}

/// The number of the first value of a row.
const fn first_place(row: usize, columns: usize) -> usize {
    row.saturating_mul(columns).saturating_add(1)
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

#[cfg(test)]
mod tests {
    use super::{SIZES, find_many, insert_many, parts};

    #[test]
    fn parts_are_the_whole_in_order_and_of_few_sizes() {
        for length in 0..200 {
            let all: Vec<usize> = (0..length).collect();
            let parts: Vec<_> = parts(&all).collect();
            assert_eq!(parts.concat(), all);
            assert!(parts.iter().all(|part| SIZES.contains(&part.len())), "{length}");
        }
    }

    #[test]
    fn places_are_numbered_through() {
        assert_eq!(
            insert_many("t", &["a", "b"], 2),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)"
        );
        assert_eq!(
            find_many("t", (&["a", "b"], &["c"]), 2),
            "WITH wanted (place, key_0, key_1) AS (VALUES (0, $1, $2), (1, $3, $4)) \
            SELECT place, t.c FROM wanted CROSS JOIN t WHERE t.a = key_0 AND t.b = key_1"
        );
    }
}
