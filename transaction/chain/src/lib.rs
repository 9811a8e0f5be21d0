//! The living node: state store, blocks, pool, consensus.

pub mod trie;
