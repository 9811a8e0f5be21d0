//! The portable path of the loops that AVX2 does with its own instructions. This file is the reference: what it
//! computes, in this order, is what class D1 means.

use crate::activations::{Activations, TILE, TileBlock};
use crate::cache::{HeadCache, TILE_POSITIONS};
use crate::math::half_to_f32;
use crate::matrix::{BLOCK, GROUP, Group, Q4_BLOCK, Q8_BLOCK};

pub(super) fn multiply(group: Group<'_>, x: &Activations, out: &mut [f32]) {
    let (full, rest) = out.split_at_mut(x.tiles.len() / x.blocks * TILE * GROUP);
    for (tile, out) in x.tiles.chunks_exact(x.blocks).zip(full.chunks_exact_mut(TILE * GROUP)) {
        multiply_tile(group, tile, out);
    }
    for (single, out) in x.singles.chunks_exact(x.blocks).zip(rest.chunks_exact_mut(GROUP)) {
        multiply_tile(group, single, out);
    }
}

fn multiply_tile<const ROWS: usize>(group: Group<'_>, tile: &[TileBlock<ROWS>], out: &mut [f32]) {
    let mut sums = [[0f32; GROUP]; ROWS];
    match group {
        Group::Q4 { scales, minima, blocks } => {
            for (((scales, minima), weights), x) in scales.iter().zip(minima).zip(blocks).zip(tile)
            {
                let (scales, minima) = (scales.map(half_to_f32), minima.map(half_to_f32));
                for (((sums, products), xs), total) in
                    sums.iter_mut().zip(products_4(weights, x)).zip(x.scales).zip(x.sums)
                {
                    for (((sum, product), scale), minimum) in
                        sums.iter_mut().zip(products).zip(scales).zip(minima)
                    {
                        *sum += product as f32 * (scale * xs) + minimum * total;
                    }
                }
            }
        }
        Group::Q8 { scales, blocks } => {
            for ((scales, weights), x) in scales.iter().zip(blocks).zip(tile) {
                let scales = scales.map(half_to_f32);
                for ((sums, products), xs) in
                    sums.iter_mut().zip(products_8(weights, x)).zip(x.scales)
                {
                    for ((sum, product), scale) in sums.iter_mut().zip(products).zip(scales) {
                        *sum += product as f32 * (scale * xs);
                    }
                }
            }
        }
    }
    for (out, sum) in out.iter_mut().zip(sums.as_flattened()) {
        *out = *sum;
    }
}

/// Exact integer products of a block: per token row, eight sums.
fn products_4<const ROWS: usize>(
    weights: &[u8; Q4_BLOCK],
    x: &TileBlock<ROWS>,
) -> [[i32; GROUP]; ROWS] {
    let mut products = [[0; GROUP]; ROWS];
    let (low, high) = x.quads.split_at(x.quads.len() / 2);
    for ((bytes, low), high) in weights.as_chunks::<BLOCK>().0.iter().zip(low).zip(high) {
        for ((products, low), high) in products.iter_mut().zip(low).zip(high) {
            let (low, high) = (low.to_le_bytes(), high.to_le_bytes());
            for (product, weights) in products.iter_mut().zip(bytes.as_chunks::<4>().0) {
                for ((weight, low), high) in weights.iter().zip(low).zip(high) {
                    *product += i32::from(weight & 15) * i32::from(low.cast_signed());
                    *product += i32::from(weight >> 4) * i32::from(high.cast_signed());
                }
            }
        }
    }
    products
}

fn products_8<const ROWS: usize>(
    weights: &[u8; Q8_BLOCK],
    x: &TileBlock<ROWS>,
) -> [[i32; GROUP]; ROWS] {
    let mut products = [[0; GROUP]; ROWS];
    for (bytes, quads) in weights.as_chunks::<BLOCK>().0.iter().zip(&x.quads) {
        for (products, quad) in products.iter_mut().zip(quads) {
            let quad = quad.to_le_bytes();
            for (product, weights) in products.iter_mut().zip(bytes.as_chunks::<4>().0) {
                for (weight, x) in weights.iter().zip(quad) {
                    *product += i32::from(weight.cast_signed()) * i32::from(x.cast_signed());
                }
            }
        }
    }
    products
}

pub(super) fn scores(cache: &HeadCache, queries: &[f32], scale: f32, scores: &mut [f32]) {
    let length = scores.len() / (queries.len() / cache.head);
    for (query, scores) in queries.chunks_exact(cache.head).zip(scores.chunks_exact_mut(length)) {
        let tiles = cache.keys_before(length).chunks_exact(cache.head);
        for (tile, scores) in tiles.zip(scores.chunks_mut(TILE_POSITIONS)) {
            let mut sums = [0f32; TILE_POSITIONS];
            for (keys, q) in tile.iter().zip(query) {
                for (sum, key) in sums.iter_mut().zip(keys) {
                    *sum += q * half_to_f32(*key);
                }
            }
            for (score, sum) in scores.iter_mut().zip(sums) {
                *score = sum * scale;
            }
        }
    }
}

pub(super) fn mix(cache: &HeadCache, weights: &[f32], out: &mut [f32]) {
    let length = weights.len() / (out.len() / cache.head);
    out.fill(0.0);
    for (weights, out) in weights.chunks_exact(length).zip(out.chunks_exact_mut(cache.head)) {
        for (values, weight) in cache.value_rows().zip(weights) {
            for (out, value) in out.iter_mut().zip(values) {
                *out += weight * half_to_f32(*value);
            }
        }
    }
}
