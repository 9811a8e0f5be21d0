//! [`IndexError`]: why the index cannot go on.

use alloy_primitives::B256;
use sahara_client::ClientError;

/// Codes of `PostgreSQL` (shutting down, crashed, starting, full, conflict, deadlock) and of `SQLite` (busy).
const PASSING: [&str; 9] =
    ["57P01", "57P02", "57P03", "53300", "40001", "40P01", "5", "261", "517"];
/// EIP-4444: the node does not keep the block, and never will.
const PRUNED: i64 = 4_444;

/// Why following, reading or rebuilding failed.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database refused or could not be reached.
    #[error("the index's database failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The URL names no database that is known.
    #[error(
        "not a database URL: {0}; expected sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME"
    )]
    Url(String),
    /// The node refused or could not be reached.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The database holds another chain.
    #[error(
        "the index was built from another chain: its genesis is {indexed} (chain id {indexed_id}), the node's is {node} (chain id {node_id}); expected the same chain, or an empty database"
    )]
    OtherGenesis {
        /// Block 0 in the database.
        indexed: B256,
        /// Its chain id.
        indexed_id: u64,
        /// Block 0 of the node.
        node: B256,
        /// Its chain id.
        node_id: u64,
    },
    /// Block hashes do not chain. Final blocks never change, so one of the two is damaged.
    #[error(
        "block {number} names parent {parent}, but the index holds {held} there; final blocks never change: expected a node of the same chain, or a rebuild"
    )]
    BrokenChain {
        /// The block that does not fit.
        number: u64,
        /// What it names.
        parent: B256,
        /// What the index holds.
        held: B256,
    },
    /// The node said that there is such a block and does not have it: another one behind the same URL.
    #[error("the node does not have block {0} yet")]
    NotYet(u64),
    /// Another follower of the same database was faster.
    #[error("block {0} is in the index already: another follower wrote it")]
    Overtaken(u64),
    /// A newer program wrote this database.
    #[error("the index's schema is version {found}; expected at most {known}: use a newer program")]
    NewerSchema {
        /// In the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// What the chain or the database says does not have the expected shape.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// What was read.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl IndexError {
    pub(crate) fn malformed(what: &'static str, reason: &impl ToString) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }

    /// Whether the same may succeed later: the node or the database was away or refused for now, as one
    /// that starts does, or another follower of the same database was faster.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Node(ClientError::Rpc(refusal)) => refusal.code != PRUNED,
            Self::Node(error) => error.is_unreachable(),
            Self::Overtaken(_) | Self::NotYet(_) => true,
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            Self::Database(sqlx::Error::Database(error)) => {
                let code = error.code();
                let is_known = code.is_some_and(|code| PASSING.contains(&code.as_ref()));
                error.is_unique_violation() || is_known
            }
            _ => false,
        }
    }
}
