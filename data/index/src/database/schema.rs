//! The schema's versions, and the list of tables that make up the content.

use super::{Database, Dialect, Read as _, Sql, Value};
use crate::error::IndexError;

/// Every version in order; a database is brought from the one it has to the last.
const VERSIONS: &[Version] = &[Version {
    statements: include_str!("0001.sql"),
    // The words stand in the assets themselves; these tables only find them.
    sqlite: "CREATE VIRTUAL TABLE words USING fts5(name, tags, text, content='', \
        tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M*'\")",
    postgres: "CREATE TABLE words (asset BIGINT PRIMARY KEY, words TSVECTOR NOT NULL); \
        CREATE INDEX words_found ON words USING GIN (words)",
}];

struct Version {
    statements: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Tables with their keys. Their rows are the index's content: two databases that followed the same
/// blocks hold the same rows.
pub(crate) const TABLES: &[(&str, &str)] = &[
    ("meta", "key"),
    ("blocks", "number"),
    ("transactions", "block, position"),
    ("events", "block, log_index"),
    ("event_accounts", "account, block, log_index"),
    ("event_assets", "asset, block, log_index"),
    ("moves", "block, position, log_index"),
    ("accounts", "account"),
    ("activity", "account, block, position"),
    ("assets", "asset"),
    ("edges", "asset, parent"),
    ("ancestors", "asset, ancestor"),
    ("members", "asset, account"),
    ("standings", "asset, since"),
    ("patrons", "asset, payer, month"),
    ("payments", "block, log_index, part"),
    ("statements", "account, asset, period, reason"),
    ("asset_periods", "asset, period, measure"),
    ("chain_periods", "period, measure"),
    ("channels", "channel"),
    ("operators", "account, role"),
    ("offers", "worker, asset"),
    ("terms", "terms"),
    ("license_offers", "asset, terms"),
    ("licenses", "license"),
    ("seats", "license, account"),
    ("listings", "listing"),
    ("listing_items", "listing, place"),
    ("market_offers", "offer"),
    ("auctions", "auction"),
    ("sales", "block, log_index"),
];

/// Brings the schema up to date, one transaction a version.
pub(super) async fn migrate(database: &Database) -> Result<(), IndexError> {
    // One at a time, whoever else opens the database now.
    let lock = match database.dialect() {
        Dialect::Sqlite => "DELETE FROM schema_version WHERE version < 0",
        Dialect::Postgres => "SELECT pg_advisory_xact_lock(724272)",
    };
    let mut transaction = database.begin().await?;
    let mut sql = Sql(&mut transaction);
    if database.dialect() == Dialect::Postgres {
        sql.run(lock, &[]).await?;
    }
    sql.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)", &[]).await?;
    transaction.commit().await?;
    let mut transaction = database.begin().await?;
    let mut sql = Sql(&mut transaction);
    sql.run(lock, &[]).await?;
    let found = sql.row("SELECT MAX(version) AS version FROM schema_version", &[]).await?;
    let found = found.map(|row| row.maybe_int("version")).transpose()?.flatten().unwrap_or(0);
    let known = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(IndexError::NewerSchema { found, known });
    }
    for (number, version) in (1_i64..).zip(VERSIONS).filter(|(number, _)| *number > found) {
        let sql = statements(version, database.dialect());
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        let row = [("version", Value::Int(number))];
        Sql(&mut transaction).insert("schema_version", &row).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn statements(version: &Version, dialect: Dialect) -> String {
    let (bytes, text, words) = match dialect {
        Dialect::Sqlite => ("BLOB", "TEXT", version.sqlite),
        // Texts sort by their bytes, as in SQLite.
        Dialect::Postgres => ("BYTEA", "TEXT COLLATE \"C\"", version.postgres),
    };
    let common = version.statements.replace("BYTES", bytes).replace(" TEXT", &format!(" {text}"));
    format!("{common}\n{words};")
}
