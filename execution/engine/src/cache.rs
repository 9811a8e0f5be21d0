//! Keys and values of the positions a conversation has seen, in half precision.
//!
//! Keys lie in tiles of eight positions (`[tile][dimension][position]`), so that a score kernel has one position per
//! lane; values lie row by row.

use crate::math::half_from_f32;
use parking_lot::RwLock;

/// Positions of a key tile.
pub(crate) const TILE_POSITIONS: usize = 8;
/// Bytes of one key or value element.
const ELEMENT_BYTES: usize = 2;

/// One key-value head of one layer.
#[derive(Debug)]
pub(crate) struct HeadCache {
    /// Elements of a key or value.
    pub(crate) head: usize,
    keys: Vec<[u16; TILE_POSITIONS]>,
    values: Vec<u16>,
    positions: usize,
}

impl HeadCache {
    fn with_capacity(positions: usize, head: usize) -> Self {
        Self {
            head,
            keys: Vec::with_capacity(positions.div_ceil(TILE_POSITIONS) * head),
            values: Vec::with_capacity(positions * head),
            positions: 0,
        }
    }

    pub(crate) fn append(&mut self, key: &[f32], value: &[f32]) {
        let lane = self.positions % TILE_POSITIONS;
        if lane == 0 {
            self.keys.resize(self.keys.len() + key.len(), [0; TILE_POSITIONS]);
        }
        let start = self.keys.len() - key.len();
        for (tile, key) in self.keys.iter_mut().skip(start).zip(key) {
            if let Some(place) = tile.get_mut(lane) {
                *place = half_from_f32(*key);
            }
        }
        self.values.extend(value.iter().map(|value| half_from_f32(*value)));
        self.positions += 1;
    }

    /// The key tiles of the first `positions`: for each dimension of the head the eight positions' elements.
    pub(crate) fn keys_before(&self, positions: usize) -> &[[u16; TILE_POSITIONS]] {
        self.keys.get(..positions.div_ceil(TILE_POSITIONS) * self.head).unwrap_or(&self.keys)
    }

    /// Value rows in order of position.
    pub(crate) fn value_rows(&self) -> std::slice::ChunksExact<'_, u16> {
        self.values.chunks_exact(self.head)
    }
}

/// Everything one conversation has in memory. A worker thread reads a layer while it computes a piece of attention.
#[derive(Debug)]
pub(crate) struct Cache {
    /// Per layer, per key-value head.
    pub(crate) layers: Vec<RwLock<Vec<HeadCache>>>,
}

/// The sizes that a cache follows from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CacheShape {
    pub(crate) layers: usize,
    pub(crate) heads: usize,
    pub(crate) head: usize,
}

impl CacheShape {
    /// Bytes for that many positions.
    pub(crate) const fn bytes(self, positions: usize) -> usize {
        let whole = positions.next_multiple_of(TILE_POSITIONS);
        whole.saturating_mul(self.layers * self.heads * self.head * 2 * ELEMENT_BYTES)
    }

    pub(crate) fn build(self, positions: usize) -> Cache {
        let layer =
            || (0..self.heads).map(|_| HeadCache::with_capacity(positions, self.head)).collect();
        Cache { layers: (0..self.layers).map(|_| RwLock::new(layer())).collect() }
    }
}
