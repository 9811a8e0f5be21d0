//! The living node: state store, blocks, pool, consensus.

pub mod consensus;
pub mod genesis;
pub mod ledger;
pub mod metrics;
pub mod pool;
pub mod store;
pub mod trie;
