//! The database: `SQLite` or `PostgreSQL` behind one set of statements.
//!
//! Statements are written once, with `$1` parameters, in the part of SQL that both speak. Only three
//! things differ and are named by [`Dialect`]: the type of bytes, the full-text index, and how a
//! connection is prepared.

mod schema;
mod sql;
mod value;

pub(crate) use schema::{TABLES, begin_anew, take_place};
#[cfg(test)]
pub(crate) use sql::find_many;
pub(crate) use sql::{Sql, placeholders};
pub(crate) use value::{Read, Value, coin, integer, money};

use crate::error::IndexError;
use sqlx::{
    Any, Pool, Transaction,
    any::{AnyPoolOptions, install_drivers},
    pool::PoolConnection,
};
use std::{path::Path, sync::Once, time::Duration};

const MAX_CONNECTIONS: u32 = 8;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

/// Connections to one database. Clones share them.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool<Any>,
    dialect: Dialect,
}

impl Database {
    /// Opens the database at a URL and brings its schema up to date: `postgres://...` or
    /// `sqlite://FILE`, which is created when missing.
    ///
    /// # Errors
    /// [`IndexError::Url`], [`IndexError::NewerSchema`], [`IndexError::Database`].
    pub async fn open(url: &str) -> Result<Self, IndexError> {
        static DRIVERS: Once = Once::new();
        let drivers = &[sqlx::sqlite::any::DRIVER, sqlx::postgres::any::DRIVER];
        // Fails only when another part of the program has installed drivers already.
        DRIVERS.call_once(|| drop(install_drivers(drivers)));
        let (dialect, url) = match url.split_once(':') {
            Some(("sqlite", _)) if url.contains('?') => (Dialect::Sqlite, url.to_owned()),
            Some(("sqlite", _)) => (Dialect::Sqlite, format!("{url}?mode=rwc")),
            Some(("postgres" | "postgresql", _)) => (Dialect::Postgres, url.to_owned()),
            _ => return Err(IndexError::Url(url.chars().take(40).collect())),
        };
        let options = AnyPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(move |connection, _| Box::pin(prepare(connection, dialect)));
        let pool = options.connect(&url).await?;
        let database = Self { pool, dialect };
        schema::migrate(&database).await?;
        Ok(database)
    }

    /// The embedded database in a file.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_file(path: &Path) -> Result<Self, IndexError> {
        let text = path.to_str();
        let text = text.ok_or_else(|| IndexError::Url(path.display().to_string()))?;
        Self::open(&format!("sqlite://{text}")).await
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, IndexError> {
        Ok(self.pool.begin().await?)
    }

    pub(crate) async fn acquire(&self) -> Result<PoolConnection<Any>, IndexError> {
        Ok(self.pool.acquire().await?)
    }

    /// Waits for running statements and closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// `SQLite`: readers beside the one writer. A commit survives a kill; after a power cut the last ones
/// may be missing, and are read from the chain again.
async fn prepare(connection: &mut sqlx::AnyConnection, dialect: Dialect) -> sqlx::Result<()> {
    if dialect == Dialect::Sqlite {
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
            PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY";
        sqlx::raw_sql(pragmas).execute(connection).await?;
    }
    Ok(())
}
