//! The living node: state store, blocks, pool, consensus.

pub mod pool;
pub mod store;
pub mod trie;
