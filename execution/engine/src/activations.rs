//! Activations on their way into a matrix product: eight-bit integers in blocks of 32, each with its own scale.
//!
//! Every token row is quantised on its own, so a result never depends on which rows happen to be computed together.
//! Rows are laid out in tiles of four (and single rows for what is left), because a kernel that has unpacked a block of
//! weights once uses it for four rows.

use crate::math::nearest_integer_bits;
use crate::matrix::BLOCK;

/// Token rows of a full tile.
pub(crate) const TILE: usize = 4;
/// Quads (four neighbouring columns) of a block.
pub(crate) const QUADS: usize = BLOCK / 4;
/// Below this size a block counts as zero; it keeps the reciprocal finite.
const SMALLEST: f32 = 1e-30;

/// One block of columns of `ROWS` token rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TileBlock<const ROWS: usize> {
    /// Four signed bytes each, little-endian.
    pub(crate) quads: [[i32; ROWS]; QUADS],
    pub(crate) scales: [f32; ROWS],
    /// The scale times the exact sum of the block's integers, for weights with a minimum.
    pub(crate) sums: [f32; ROWS],
}

impl<const ROWS: usize> TileBlock<ROWS> {
    const ZERO: Self = Self { quads: [[0; ROWS]; QUADS], scales: [0.0; ROWS], sums: [0.0; ROWS] };
}

/// Quantised token rows.
#[derive(Debug)]
pub(crate) struct Activations {
    /// Number of token rows.
    pub(crate) rows: usize,
    /// Blocks per row.
    pub(crate) blocks: usize,
    /// Full tiles, one after the other, each `blocks` long.
    pub(crate) tiles: Vec<TileBlock<TILE>>,
    /// The remaining rows.
    pub(crate) singles: Vec<TileBlock<1>>,
}

impl Activations {
    /// Quantises rows of `columns` floats, a whole number of blocks.
    #[inline(always)]
    pub(crate) fn quantise(rows: &[f32], columns: usize) -> Self {
        let blocks = columns / BLOCK;
        let (count, full) = (rows.len() / columns, rows.len() / columns / TILE);
        let mut tiles = vec![TileBlock::ZERO; full * blocks];
        let mut singles = vec![TileBlock::ZERO; (count - full * TILE) * blocks];
        let mut sources = rows.chunks_exact(columns);
        for tile in tiles.chunks_exact_mut(blocks) {
            for (row, source) in sources.by_ref().take(TILE).enumerate() {
                fill(tile, row, source);
            }
        }
        for (single, source) in singles.chunks_exact_mut(blocks).zip(sources) {
            fill(single, 0, source);
        }
        Self { rows: count, blocks, tiles, singles }
    }
}

#[inline(always)]
fn fill<const ROWS: usize>(tile: &mut [TileBlock<ROWS>], row: usize, source: &[f32]) {
    for (target, values) in tile.iter_mut().zip(source.as_chunks::<BLOCK>().0) {
        let (bytes, scale) = quantise_block(values);
        let mut sum = 0i32;
        for (quads, quad) in target.quads.iter_mut().zip(bytes.as_chunks::<4>().0) {
            sum += quad.iter().map(|value| i32::from(value.cast_signed())).sum::<i32>();
            if let Some(place) = quads.get_mut(row) {
                *place = i32::from_le_bytes(*quad);
            }
        }
        if let (Some(place), Some(total)) = (target.scales.get_mut(row), target.sums.get_mut(row)) {
            *place = scale;
            *total = scale * sum as f32;
        }
    }
}

/// The integers of one block, each within ±127, and its scale; a block that is not finite gets a scale of not-a-number.
#[inline(always)]
fn quantise_block(values: &[f32; BLOCK]) -> ([u8; BLOCK], f32) {
    // sizes compare as their bits do, and not-a-number is above everything
    let largest =
        values.iter().fold(0, |largest, value| (value.to_bits() & 0x7fff_ffff).max(largest));
    let largest = f32::from_bits(largest);
    let mut bytes = [0; BLOCK];
    if !largest.is_finite() {
        return (bytes, f32::NAN);
    }
    if largest < SMALLEST {
        return (bytes, 0.0);
    }
    let inverse = 127.0 / largest;
    for (byte, value) in bytes.iter_mut().zip(values) {
        let [low, ..] = nearest_integer_bits(value * inverse).to_le_bytes();
        *byte = low;
    }
    (bytes, largest / 127.0)
}
