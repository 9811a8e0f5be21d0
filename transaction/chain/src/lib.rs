//! The living node: state store, blocks, pool, consensus, state sync.

pub mod consensus;
pub mod genesis;
pub mod ledger;
pub mod metrics;
pub mod pool;
pub mod store;
pub mod sync;
pub mod trie;
mod turns;
mod upgrade;
