//! Weights as the kernels want them: blocks of 32 columns, eight rows side by side.
//!
//! # Storage
//! Rows are packed in groups of eight (the last group is filled up with zero rows). For every group and block there
//! are eight half-precision scales, one per row, and the weights in *quads*: four neighbouring columns of one row are
//! four neighbouring bytes, and the quads of the eight rows follow each other. An 8-lane integer instruction then works
//! on eight rows at once, lane `r` being row `r`.
//!
//! ```text
//! Q8   quad 0: row 0 columns 0..4 | row 1 columns 0..4 | ... | row 7   32 bytes; eight quads a block
//! Q4   the same 32 bytes hold quad c in the low and quad c + 4 in the high half of each byte; four a block
//! ```
//!
//! `Q4_1` and `Q8_0` keep the file's own numbers; `F32` becomes Q8 with the scale rounded to half precision.

use crate::gguf::{Encoding, Tensor};
use crate::math::{half_from_f32, half_to_f32, nearest_integer_bits};

/// Columns that share a scale.
pub(crate) const BLOCK: usize = 32;
/// Rows that are worked on together.
pub(crate) const GROUP: usize = 8;
/// Bytes of one block of a group of 4-bit weights.
pub(crate) const Q4_BLOCK: usize = GROUP * BLOCK / 2;
/// Bytes of one block of a group of 8-bit weights.
pub(crate) const Q8_BLOCK: usize = GROUP * BLOCK;

/// Why a weight matrix was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatrixFault {
    /// The columns are no whole number of blocks.
    Columns,
    /// A scale or a value is infinite or not a number.
    NotFinite,
}

/// A weight matrix.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    scales: Vec<[u16; GROUP]>,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    Q4 { minima: Vec<[u16; GROUP]>, blocks: Vec<[u8; Q4_BLOCK]> },
    Q8 { blocks: Vec<[u8; Q8_BLOCK]> },
}

/// Eight rows of a matrix, one entry per block of columns.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Group<'a> {
    Q4 { scales: &'a [[u16; GROUP]], minima: &'a [[u16; GROUP]], blocks: &'a [[u8; Q4_BLOCK]] },
    Q8 { scales: &'a [[u16; GROUP]], blocks: &'a [[u8; Q8_BLOCK]] },
}

impl Matrix {
    /// Packs a tensor of the file.
    pub(crate) fn pack(tensor: &Tensor<'_>) -> Result<Self, MatrixFault> {
        let blocks = tensor.columns / BLOCK;
        if !tensor.columns.is_multiple_of(BLOCK) || blocks == 0 {
            return Err(MatrixFault::Columns);
        }
        let groups = tensor.rows.div_ceil(GROUP);
        let mut scales = vec![[0; GROUP]; groups * blocks];
        let weights = match tensor.encoding {
            Encoding::Q4_1 => {
                let mut minima = vec![[0; GROUP]; groups * blocks];
                let mut packed = vec![[0; Q4_BLOCK]; groups * blocks];
                for (row, bytes) in tensor.bytes.chunks_exact(blocks * 20).enumerate() {
                    let cells =
                        cells(&mut packed, row, blocks).zip(cells(&mut minima, row, blocks));
                    let cells = cells.zip(cells_of(&mut scales, row, blocks));
                    for (block, ((packed, minimum), scale)) in
                        bytes.as_chunks::<20>().0.iter().zip(cells)
                    {
                        let [s0, s1, m0, m1, nibbles @ ..] = block;
                        set(scale, row, u16::from_le_bytes([*s0, *s1]));
                        set(minimum, row, u16::from_le_bytes([*m0, *m1]));
                        put_quads_4(packed, row, nibbles);
                    }
                }
                Weights::Q4 { minima, blocks: packed }
            }
            Encoding::Q8_0 | Encoding::F32 => {
                let mut packed = vec![[0; Q8_BLOCK]; groups * blocks];
                let size = if tensor.encoding == Encoding::F32 { 4 * BLOCK } else { 34 };
                for (row, bytes) in tensor.bytes.chunks_exact(blocks * size).enumerate() {
                    let cells =
                        cells(&mut packed, row, blocks).zip(cells_of(&mut scales, row, blocks));
                    for (block, (packed, scale)) in bytes.chunks_exact(size).zip(cells) {
                        let (value, weights) = read_block_8(block, tensor.encoding)?;
                        set(scale, row, value);
                        put_quads_8(packed, row, &weights);
                    }
                }
                Weights::Q8 { blocks: packed }
            }
        };
        let minima: &[[u16; GROUP]] = match &weights {
            Weights::Q4 { minima, .. } => minima,
            Weights::Q8 { .. } => &[],
        };
        if scales.iter().chain(minima).flatten().any(|half| half & 0x7c00 == 0x7c00) {
            return Err(MatrixFault::NotFinite);
        }
        Ok(Self { rows: tensor.rows, columns: tensor.columns, scales, weights })
    }

    pub(crate) const fn group_count(&self) -> usize {
        self.rows.div_ceil(GROUP)
    }

    /// The groups from `first` on.
    pub(crate) fn groups_from(&self, first: usize) -> impl Iterator<Item = Group<'_>> {
        let blocks = self.columns / BLOCK;
        let groups = self.group_count().saturating_sub(first);
        (first..first + groups).filter_map(move |group| {
            let range = group * blocks..(group + 1) * blocks;
            let scales = self.scales.get(range.clone())?;
            Some(match &self.weights {
                Weights::Q4 { minima, blocks } => Group::Q4 {
                    scales,
                    minima: minima.get(range.clone())?,
                    blocks: blocks.get(range)?,
                },
                Weights::Q8 { blocks } => Group::Q8 { scales, blocks: blocks.get(range)? },
            })
        })
    }

    /// Appends one row as floats, each `weight * scale (+ minimum)`.
    pub(crate) fn append_row(&self, row: usize, out: &mut Vec<f32>) {
        let lane = row % GROUP;
        let Some(group) = self.groups_from(row / GROUP).next() else { return };
        match group {
            Group::Q4 { scales, minima, blocks } => {
                for ((scale, minimum), block) in scales.iter().zip(minima).zip(blocks) {
                    let (scale, minimum) = (lane_of(scale, lane), lane_of(minimum, lane));
                    out.extend(
                        quads_4(block, lane).map(|weight| f32::from(weight) * scale + minimum),
                    );
                }
            }
            Group::Q8 { scales, blocks } => {
                for (scale, block) in scales.iter().zip(blocks) {
                    let scale = lane_of(scale, lane);
                    out.extend(quads_8(block, lane).map(|weight| f32::from(weight) * scale));
                }
            }
        }
    }
}

/// The blocks of the group that holds `row`.
fn cells<const N: usize, T>(
    packed: &mut [[T; N]],
    row: usize,
    blocks: usize,
) -> impl Iterator<Item = &mut [T; N]> {
    packed.iter_mut().skip(row / GROUP * blocks).take(blocks)
}

/// The same, under another name so that two element types can be zipped.
fn cells_of(
    packed: &mut [[u16; GROUP]],
    row: usize,
    blocks: usize,
) -> impl Iterator<Item = &mut [u16; GROUP]> {
    cells(packed, row, blocks)
}

fn set(lanes: &mut [u16; GROUP], row: usize, value: u16) {
    if let Some(lane) = lanes.get_mut(row % GROUP) {
        *lane = value;
    }
}

fn lane_of(lanes: &[u16; GROUP], lane: usize) -> f32 {
    lanes.get(lane).copied().map_or(0.0, half_to_f32)
}

/// The file has column j in the low and column j + 16 in the high half of byte j: quads c and c + 4, as here.
fn put_quads_4(packed: &mut [u8; Q4_BLOCK], row: usize, nibbles: &[u8; 16]) {
    for (quad, source) in
        packed.as_chunks_mut::<BLOCK>().0.iter_mut().zip(nibbles.as_chunks::<4>().0)
    {
        if let Some(place) = quad.as_chunks_mut::<4>().0.get_mut(row % GROUP) {
            *place = *source;
        }
    }
}

fn put_quads_8(packed: &mut [u8; Q8_BLOCK], row: usize, weights: &[u8; BLOCK]) {
    for (quad, source) in
        packed.as_chunks_mut::<BLOCK>().0.iter_mut().zip(weights.as_chunks::<4>().0)
    {
        if let Some(place) = quad.as_chunks_mut::<4>().0.get_mut(row % GROUP) {
            *place = *source;
        }
    }
}

fn quads_4(block: &[u8; Q4_BLOCK], lane: usize) -> impl Iterator<Item = u8> {
    let bytes = block
        .as_chunks::<BLOCK>()
        .0
        .iter()
        .filter_map(move |quad| quad.as_chunks::<4>().0.get(lane));
    let low = bytes.clone().flatten().map(|byte| byte & 15);
    low.chain(bytes.flatten().map(|byte| byte >> 4))
}

fn quads_8(block: &[u8; Q8_BLOCK], lane: usize) -> impl Iterator<Item = i8> {
    let quads = block.as_chunks::<BLOCK>().0.iter();
    quads
        .filter_map(move |quad| quad.as_chunks::<4>().0.get(lane))
        .flatten()
        .map(|byte| byte.cast_signed())
}

fn read_block_8(block: &[u8], encoding: Encoding) -> Result<(u16, [u8; BLOCK]), MatrixFault> {
    let mut weights = [0; BLOCK];
    if let (Encoding::Q8_0, [low, high, values @ ..]) = (encoding, block) {
        for (to, from) in weights.iter_mut().zip(values) {
            *to = *from;
        }
        return Ok((u16::from_le_bytes([*low, *high]), weights));
    }
    let values = block.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let largest = values.clone().fold(0.0, |largest: f32, value| largest.max(value.abs()));
    if !largest.is_finite() || values.clone().any(f32::is_nan) {
        return Err(MatrixFault::NotFinite);
    }
    let half = half_from_f32(largest / 127.0);
    let scale = half_to_f32(half);
    for (to, value) in weights.iter_mut().zip(values) {
        let quotient = if scale > 0.0 { (value / scale).clamp(-127.0, 127.0) } else { 0.0 };
        let [low, ..] = nearest_integer_bits(quotient).to_le_bytes();
        *to = low;
    }
    Ok((half, weights))
}

#[cfg(test)]
mod tests;
