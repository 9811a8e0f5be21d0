//! The schema, and the list of tables that make up the content.

use super::{Database, Dialect, Read as _, Sql, Value};
use crate::error::IndexError;
use sqlx::AssertSqlSafe;
use std::time::Duration;

/// The schema's version. Everything in a database can be read from the chain again, so one of an older
/// version is emptied and begins anew; no rows are converted.
const VERSION: i64 = 3;
const STATEMENTS: &str = include_str!("schema.sql");
/// The words stand in the assets themselves; these tables only find them.
const SQLITE_WORDS: &str = "CREATE VIRTUAL TABLE words USING fts5(name, tags, text, content='', \
    tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* M*'\")";
const POSTGRES_WORDS: &str = "CREATE TABLE words (asset BIGINT PRIMARY KEY, words TSVECTOR NOT NULL); \
    CREATE INDEX words_found ON words USING GIN (words)";
/// Where `PostgreSQL` keeps a new content until it takes the old one's place.
const BESIDE: &str = "sahara_index_rebuilt";
/// Keys of `PostgreSQL`'s advisory locks: who changes the schema, who rebuilds.
const MIGRATING: i64 = 724_272;
const REBUILDING: i64 = 724_273;

/// `PostgreSQL`'s code for a lock that somebody else holds.
const IS_LOCKED: &str = "55P03";
/// Between two tries to get all tables: a page of the API takes less.
const PAUSE: Duration = Duration::from_millis(5);
/// Five seconds of tries.
const MOST_TRIES: u32 = 1_000;

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
    ("for_sale", "since, place"),
];

/// Brings the schema up to date, in one transaction.
pub(super) async fn migrate(database: &Database) -> Result<(), IndexError> {
    let dialect = database.dialect();
    let mut transaction = database.begin().await?;
    let mut sql = Sql(&mut transaction);
    if dialect == Dialect::Postgres {
        lock(&mut sql, MIGRATING).await?;
    }
    sql.run("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)", &[]).await?;
    transaction.commit().await?;
    let mut transaction = database.begin().await?;
    let mut sql = Sql(&mut transaction);
    // One at a time, whoever else opens the database now.
    match dialect {
        Dialect::Sqlite => {
            sql.run("DELETE FROM schema_version WHERE version < 0", &[]).await?;
        }
        Dialect::Postgres => lock(&mut sql, MIGRATING).await?,
    }
    let found = sql.row("SELECT MAX(version) AS version FROM schema_version", &[]).await?;
    let found = found.map(|row| row.maybe_int("version")).transpose()?.flatten().unwrap_or(0);
    if found > VERSION {
        return Err(IndexError::NewerSchema { found, known: VERSION });
    }
    if found < VERSION {
        if found > 0 {
            tracing::info!(found, known = VERSION, "the index's schema is older: it begins anew");
        }
        for (table, _) in TABLES.iter().chain(&[("words", "")]) {
            sql.run(&format!("DROP TABLE IF EXISTS {table}"), &[]).await?;
        }
        sql.run("DELETE FROM schema_version", &[]).await?;
        create(&mut sql, dialect).await?;
        sql.insert("schema_version", &[("version", Value::Int(VERSION))]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// `PostgreSQL` alone: waits until nobody else holds this lock; it ends with the transaction.
async fn lock(sql: &mut Sql<'_>, key: i64) -> Result<(), IndexError> {
    sql.rows(&format!("SELECT 1 AS one FROM pg_advisory_xact_lock({key})"), &[]).await.map(drop)
}

async fn create(sql: &mut Sql<'_>, dialect: Dialect) -> Result<(), IndexError> {
    let (bytes, text, words) = match dialect {
        Dialect::Sqlite => ("BLOB", "TEXT", SQLITE_WORDS),
        // Texts sort by their bytes, as in SQLite.
        Dialect::Postgres => ("BYTEA", "TEXT COLLATE \"C\"", POSTGRES_WORDS),
    };
    let common = STATEMENTS.replace("BYTES", bytes).replace(" TEXT", &format!(" {text}"));
    let statements = AssertSqlSafe(format!("{common}\n{words};"));
    sqlx::raw_sql(statements).execute(&mut *sql.0).await?;
    Ok(())
}

/// Begins a new content inside a transaction: until it commits, all others see the old one.
///
/// `SQLite` keeps the old pages for its readers. `PostgreSQL` would keep every deleted row in the
/// indexes, and lead each question of the new content past all of them; so the new content grows in a
/// schema of its own.
pub(crate) async fn begin_anew(sql: &mut Sql<'_>, dialect: Dialect) -> Result<(), IndexError> {
    match dialect {
        Dialect::Sqlite => {
            for (table, _) in TABLES {
                sql.run(&format!("DELETE FROM {table}"), &[]).await?;
            }
            sql.run("INSERT INTO words (words) VALUES ('delete-all')", &[]).await.map(drop)
        }
        Dialect::Postgres => {
            lock(sql, REBUILDING).await?;
            sql.run(&format!("CREATE SCHEMA {BESIDE}"), &[]).await?;
            sql.run(&format!("SET LOCAL search_path TO {BESIDE}"), &[]).await?;
            create(sql, dialect).await
        }
    }
}

/// Puts the new content in the place of the old one; visible when the caller commits.
pub(crate) async fn take_place(sql: &mut Sql<'_>, dialect: Dialect) -> Result<(), IndexError> {
    if dialect == Dialect::Sqlite {
        return Ok(());
    }
    sql.run("SET LOCAL search_path TO DEFAULT", &[]).await?;
    lock_tables(sql).await?;
    let own = sql.row("SELECT CAST(current_schema() AS text) AS own", &[]).await?;
    let own = own.map(|row| row.text("own")).transpose()?.unwrap_or_default().replace('"', "\"\"");
    for (table, _) in TABLES.iter().chain(&[("words", "")]) {
        sql.run(&format!("DROP TABLE \"{own}\".{table}"), &[]).await?;
        sql.run(&format!("ALTER TABLE {BESIDE}.{table} SET SCHEMA \"{own}\""), &[]).await?;
    }
    sql.run(&format!("DROP SCHEMA {BESIDE}"), &[]).await.map(drop)
}

/// Takes every table from its readers at once. Whoever waited here while holding some of them would
/// wait for readers that wait for it; so it takes all or none, and begins again.
async fn lock_tables(sql: &mut Sql<'_>) -> Result<(), IndexError> {
    let tables: Vec<_> = TABLES.iter().map(|(table, _)| *table).chain(["words"]).collect();
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "));
    let mut ticks = tokio::time::interval(PAUSE);
    for _ in 0..MOST_TRIES {
        ticks.tick().await;
        sql.run("SAVEPOINT take_place", &[]).await?;
        match sql.run(&format!("{lock} NOWAIT"), &[]).await {
            Err(IndexError::Database(sqlx::Error::Database(error)))
                if error.code().as_deref() == Some(IS_LOCKED) =>
            {
                sql.run("ROLLBACK TO SAVEPOINT take_place", &[]).await?;
            }
            done => return done.map(drop),
        }
    }
    // Readers never cease: the database decides who of two that wait for each other gives up.
    sql.run(&lock, &[]).await.map(drop)
}
