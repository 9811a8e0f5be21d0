//! The two databases, and tests that run on both.

use crate::{node::TestNode, postgres};
use sahara_index::{Database, Index, Source};
use std::sync::Arc;
use tempfile::TempDir;

/// A kind of database.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one test.
pub(crate) struct TestDatabase {
    pub(crate) url: String,
    _directory: TempDir,
}

impl TestDatabase {
    pub(crate) fn new(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", directory.path().join("index.db").display()),
            Kind::Postgres => postgres::database(),
        };
        Self { url, _directory: directory }
    }

    pub(crate) async fn open(&self) -> Database {
        Database::open(&self.url).await.unwrap()
    }

    /// An index of a node.
    pub(crate) async fn index(&self, node: &TestNode) -> Arc<Index> {
        Arc::new(Index::new(self.open().await, Source::new(node.client.clone())))
    }
}

/// Every function `name(kind)` as two tests.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::start::Kind::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(crate::start::Kind::Postgres).await;
            })*
        }
    };
}
pub(crate) use on_both;
