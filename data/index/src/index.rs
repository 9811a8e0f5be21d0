//! [`Index`]: a database that follows a node.

use crate::{
    apply::{self, apply},
    database::{Database, Read as _, Sql, TABLES, Value, begin_anew, take_place},
    error::IndexError,
    source::{BlockData, Source},
};
use alloy_primitives::B256;
use futures::TryStreamExt as _;
use sha2::{Digest as _, Sha256};
use sqlx::{
    AssertSqlSafe, Column as _, Row as _, ValueRef as _,
    any::{AnyRow, AnyTypeInfoKind},
};
use std::time::Duration;
use tokio::{
    sync::{Mutex, watch},
    time::{MissedTickBehavior, interval},
};

/// How many blocks are asked for at once while catching up.
const BATCH: u64 = 32;
/// How often the node is asked for a new block: a payment is to show within a second of its block.
const POLL: Duration = Duration::from_millis(200);

/// The index of one chain.
#[derive(Debug)]
pub struct Index {
    database: Database,
    source: Source,
    /// One writer at a time; whether the node was seen to be of the database's chain.
    writing: Mutex<bool>,
    head: watch::Sender<Option<u64>>,
}

impl Index {
    /// An index in a database, of the chain of a node. Nothing is asked of the node yet.
    #[must_use]
    pub fn new(database: Database, source: Source) -> Self {
        Self { database, source, writing: Mutex::new(false), head: watch::Sender::new(None) }
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// Hears of every new head.
    pub(crate) fn heads(&self) -> watch::Receiver<Option<u64>> {
        self.head.subscribe()
    }

    /// The last block in the index.
    ///
    /// # Errors
    /// [`IndexError::Database`].
    pub async fn head(&self) -> Result<Option<u64>, IndexError> {
        let mut connection = self.database.acquire().await?;
        Ok(apply::head(&mut Sql(&mut connection)).await?.map(|head| head.number))
    }

    /// Reads every block that the node has now and the index has not; returns the new head.
    ///
    /// # Errors
    /// [`IndexError::OtherGenesis`], [`IndexError::BrokenChain`], and when node or database fail. What
    /// was read before stays.
    pub async fn catch_up(&self) -> Result<u64, IndexError> {
        let mut is_known = self.writing.lock().await;
        let head = self.source.head().await?;
        loop {
            let next = self.head().await?.map_or(0, |head| head.saturating_add(1));
            // A node that is behind may be another one.
            if !*is_known || next > head.saturating_add(1) {
                self.check_genesis().await?;
                *is_known = true;
            }
            if next > head {
                self.head.send_if_modified(|known| known.replace(head) != Some(head));
                return Ok(head);
            }
            let count = head.saturating_sub(next).saturating_add(1).min(BATCH);
            for block in self.fetch(next, count).await? {
                self.write(&block).await?;
            }
        }
    }

    /// Follows the node until it is dropped. What passes (a node or a database that is away) is waited
    /// for; anything else ends it.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub async fn follow(&self) -> Result<(), IndexError> {
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_away = false;
        loop {
            ticks.tick().await;
            match self.catch_up().await {
                Ok(_) => is_away = false,
                Err(error) if error.is_passing() => {
                    if !is_away {
                        tracing::warn!(%error, "the index waits");
                    }
                    is_away = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads the chain again from block 0, in one transaction: readers see the old content until the
    /// new one has caught up, and keep it if that fails.
    ///
    /// # Errors
    /// As [`Self::catch_up`].
    pub async fn rebuild(&self) -> Result<u64, IndexError> {
        let mut is_known = self.writing.lock().await;
        let dialect = self.database.dialect();
        let mut transaction = self.database.begin().await?;
        let mut sql = Sql(&mut transaction);
        begin_anew(&mut sql, dialect).await?;
        self.claim_genesis(&mut sql).await?;
        let head = loop {
            let head = self.source.head().await?;
            let written = apply::head(&mut sql).await?.map(|head| head.number);
            let next = written.map_or(0, |number| number.saturating_add(1));
            if next > head {
                break head;
            }
            let count = head.saturating_sub(next).saturating_add(1).min(BATCH);
            for block in self.fetch(next, count).await? {
                apply(Sql(&mut *sql.0), dialect, &block).await?;
            }
        };
        take_place(&mut sql, dialect).await?;
        transaction.commit().await?;
        *is_known = true;
        self.head.send_replace(Some(head));
        Ok(head)
    }

    /// A hash over every row of every table: equal for two databases, of whichever kind, that read
    /// the same blocks.
    ///
    /// # Errors
    /// [`IndexError::Database`].
    pub async fn content_hash(&self) -> Result<B256, IndexError> {
        let mut transaction = self.database.begin().await?;
        let mut hasher = Sha256::new();
        for (table, key) in TABLES {
            hasher.update(table);
            let sql = format!("SELECT * FROM {table} ORDER BY {key}");
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *transaction);
            while let Some(row) = rows.try_next().await? {
                hash_row(&mut hasher, &row)?;
            }
        }
        Ok(B256::from(<[u8; 32]>::from(hasher.finalize())))
    }

    async fn fetch(&self, first: u64, count: u64) -> Result<Vec<BlockData>, IndexError> {
        match self.source.blocks(first, count).await {
            // Together they may be longer than one answer may be.
            Err(error) if count > 1 => {
                tracing::debug!(%error, "a batch of blocks failed: asking for one");
                self.source.blocks(first, 1).await
            }
            result => result,
        }
    }

    async fn write(&self, block: &BlockData) -> Result<(), IndexError> {
        let mut transaction = self.database.begin().await?;
        apply(Sql(&mut transaction), self.database.dialect(), block).await?;
        transaction.commit().await?;
        self.head.send_replace(Some(block.header.number.to()));
        Ok(())
    }

    async fn check_genesis(&self) -> Result<(), IndexError> {
        let mut transaction = self.database.begin().await?;
        self.claim_genesis(&mut Sql(&mut transaction)).await?;
        Ok(transaction.commit().await?)
    }

    /// The database belongs to the first chain it met.
    async fn claim_genesis(&self, sql: &mut Sql<'_>) -> Result<(), IndexError> {
        let (node_id, node) = self.source.identity().await?;
        let own = [("chain_id", node_id.to_string()), ("genesis", node.to_string())];
        for (key, value) in own {
            let row = [("key", Value::from(key)), ("value", value.into())];
            sql.insert_new("meta", &row).await?;
        }
        let (indexed_id, indexed) = identity(sql).await?;
        if (indexed_id, indexed) != (node_id, node) {
            return Err(IndexError::OtherGenesis { indexed, indexed_id, node, node_id });
        }
        Ok(())
    }
}

/// Chain id and genesis as the database knows them.
pub(crate) async fn identity(sql: &mut Sql<'_>) -> Result<(u64, B256), IndexError> {
    let (mut id, mut genesis) = (0, B256::ZERO);
    for row in sql.rows("SELECT key, value FROM meta", &[]).await? {
        let value = row.text("value")?;
        let malformed = |reason: String| IndexError::malformed("the index's own record", &reason);
        match row.text("key")?.as_str() {
            "chain_id" => id = value.parse().map_err(|error| malformed(format!("{error}")))?,
            "genesis" => genesis = value.parse().map_err(|error| malformed(format!("{error}")))?,
            _ => {}
        }
    }
    Ok((id, genesis))
}

fn hash_row(hasher: &mut Sha256, row: &AnyRow) -> Result<(), IndexError> {
    let mut add = |name: &str, tag: u8, bytes: &[u8]| {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        hasher.update(name);
        hasher.update([tag]);
        hasher.update(length.to_be_bytes());
        hasher.update(bytes);
    };
    for column in row.columns() {
        let (name, place) = (column.name(), column.ordinal());
        let value = row.try_get_raw(place)?;
        if value.is_null() {
            add(name, 0, &[]);
            continue;
        }
        match value.type_info().kind() {
            AnyTypeInfoKind::Text => add(name, 2, row.try_get::<String, _>(place)?.as_bytes()),
            AnyTypeInfoKind::Blob => add(name, 3, &row.try_get::<Vec<u8>, _>(place)?),
            _ => add(name, 1, &row.try_get::<i64, _>(place)?.to_be_bytes()),
        }
    }
    Ok(())
}
