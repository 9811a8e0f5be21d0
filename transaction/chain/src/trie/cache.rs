//! Nodes kept in memory, by hash.

use alloy_primitives::{B256, map::FbBuildHasher};
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache};

/// Bytes an entry takes beside the encoding.
const ENTRY_BYTES: u64 = 120;
/// The size of a typical node, to size the table.
const TYPICAL_NODE_BYTES: u64 = 320;

/// A bounded cache of encoded nodes. The key is the node's hash, so an entry is right forever.
#[derive(Debug)]
pub struct NodeCache(Cache<B256, Bytes, ByBytes, FbBuildHasher<32>>);

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<B256, Bytes> for ByBytes {
    fn weight(&self, _hash: &B256, encoding: &Bytes) -> u64 {
        u64::try_from(encoding.len()).unwrap_or(u64::MAX).saturating_add(ENTRY_BYTES)
    }
}

impl NodeCache {
    /// A cache that holds at most about `capacity_bytes`.
    #[must_use]
    pub fn new(capacity_bytes: u64) -> Self {
        let items = usize::try_from(capacity_bytes / TYPICAL_NODE_BYTES).unwrap_or(usize::MAX);
        Self(Cache::with(
            items,
            capacity_bytes,
            ByBytes,
            FbBuildHasher::default(),
            quick_cache::sync::DefaultLifecycle::default(),
        ))
    }

    /// The node with this hash, if it is here.
    #[must_use]
    pub fn find(&self, hash: &B256) -> Option<Bytes> {
        self.0.get(hash)
    }

    /// Lets go of a node that nobody will ask for again.
    pub fn forget(&self, hash: &B256) {
        self.0.remove(hash);
    }

    /// Keeps a copy: the given bytes may be a slice of something larger.
    pub fn keep(&self, hash: B256, encoding: &[u8]) -> Bytes {
        let encoding = Bytes::copy_from_slice(encoding);
        self.0.insert(hash, encoding.clone());
        encoding
    }
}
