//! Chain events in SQL: search, activity, earnings, explorer, and the app API.
//!
//! # Model
//! An [`Index`] reads a node's final blocks over JSON-RPC ([`Source`]) and writes each in one
//! transaction into a [`Database`]: `SQLite` in a file, or `PostgreSQL` by URL. Nothing in it comes
//! from anywhere else, so it can be deleted and [rebuilt](Index::rebuild) at any time.
//!
//! [`Index::follow`] keeps up with the node, [`Index::router`] answers the app API, to be mounted
//! under `/api/v1`; both at once, from any number of tasks.
//!
//! # Invariants
//! - I1 The content is a function of the final blocks, in either database ([`Index::content_hash`]).
//! - I2 A kill at any point changes nothing.
//! - I3 The parts of every charge add up to it.
//! - I4 Quality counts fees of unrelated payers only, bounded by payer and month.
//! - I5 The pages of a list together are the list, whatever changes between them.
//! - I6 What a statement sums is what the chain paid.
//! - I7 A stream resumed at any event hears everything after it, once.
//! - I8 No page reads a table from end to end.
//!
//! # Failure and recovery
//! A node or a database that is away is waited for. Another chain, a block that does not follow, or a
//! newer schema ends following with an error that says what was expected. See `specs/0013-index.md`.
//!
//! # Example
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use sahara_client::ChainClient;
//! use sahara_index::{Database, Index, Source};
//! use std::sync::Arc;
//!
//! let database = Database::open("sqlite:///var/lib/sahara/index.db").await?;
//! let node = ChainClient::new("http://127.0.0.1:8545")?;
//! let index = Arc::new(Index::new(database, Source::new(node)));
//! let follower = Arc::clone(&index);
//! tokio::spawn(async move { follower.follow().await });
//! let app = axum::Router::new().nest("/api/v1", index.router());
//! # drop::<axum::Router>(app);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod api;
mod apply;
mod cursor;
mod database;
mod decode;
mod error;
mod index;
mod metadata;
mod period;
#[cfg(test)]
mod plans;
mod sales;
mod search;
mod source;
mod words;

pub use api::{Rate, client, limited};
pub use database::Database;
pub use error::IndexError;
pub use index::Index;
pub use source::Source;
