//! The AVX2 path: the same sums in the same order as [`super::scalar`], eight lanes at a time.
//!
//! Unsafe code here is of two kinds only: whole arrays taken as vectors and back, and calls of functions
//! compiled for AVX2 and F16C from [`Present`], which exists only on machines that have both.
#![cfg(target_arch = "x86_64")]

use super::portable;
use crate::activations::{Activations, QUADS, TILE, TileBlock};
use crate::cache::{HeadCache, TILE_POSITIONS};
use crate::matrix::{BLOCK, GROUP, Group, Q4_BLOCK, Q8_BLOCK};
use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm256_abs_epi8, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps,
    _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8, _mm256_srli_epi16,
};

/// Proof that this machine has AVX2 and F16C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Present(());

impl Present {
    pub(super) fn detect() -> Option<Self> {
        let has_both = std::arch::is_x86_feature_detected!("avx2")
            && std::arch::is_x86_feature_detected!("f16c");
        has_both.then_some(Self(()))
    }
}

/// Declares, for each function, the method of [`Present`] that may call its AVX2 compilation.
macro_rules! compiled_for_avx2 {
    ($(fn $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)? = $body:path;)*) => {
        impl Present {
            $(pub(super) fn $name(self, $($argument: $kind),*) $(-> $result)? {
                #[target_feature(enable = "avx2,f16c")]
                fn compiled($($argument: $kind),*) $(-> $result)? {
                    $body($($argument),*)
                }
                #[expect(unsafe_code, reason = "calls a function compiled for AVX2 and F16C")]
                // SAFETY: `self` exists, so `detect` found both features on this machine.
                unsafe { compiled($($argument),*) }
            })*
        }
    };
}

compiled_for_avx2! {
    fn multiply(group: Group<'_>, x: &Activations, out: &mut [f32]) = self::multiply;
    fn scores(cache: &HeadCache, queries: &[f32], scale: f32, scores: &mut [f32]) = self::scores;
    fn mix(cache: &HeadCache, weights: &[f32], out: &mut [f32]) = self::mix;
    fn quantise(rows: &[f32], columns: usize) -> Activations = Activations::quantise;
    fn exponentials(scores: &mut [f32]) -> f32 = portable::exponentials;
    fn normalise(rows: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> = portable::normalise;
    fn gated(gate: &mut [f32], up: &[f32]) = portable::gated;
    fn rotate(row: &mut [f32], angles: &[(f32, f32)]) = portable::rotate;
    fn add(to: &mut [f32], from: &[f32]) = portable::add;
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    unsafe_code,
    reason = "an array as a vector; the load intrinsic's checks would slow development builds down"
)]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: both are 32 plain bytes, and every bit pattern is a vector.
    unsafe { std::mem::transmute::<[u8; 32], __m256i>(*bytes) }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    unsafe_code,
    reason = "an array as a vector; the load intrinsic's checks would slow development builds down"
)]
fn load_halves(halves: &[u16; 8]) -> __m256 {
    // SAFETY: both are 16 plain bytes, and every bit pattern is a vector.
    _mm256_cvtph_ps(unsafe { std::mem::transmute::<[u16; 8], __m128i>(*halves) })
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    unsafe_code,
    reason = "a vector as an array; the store intrinsic's checks would slow development builds down"
)]
fn store(lanes: &mut [f32; 8], value: __m256) {
    // SAFETY: both are 32 plain bytes, and every bit pattern is a float.
    *lanes = unsafe { std::mem::transmute::<__m256, [f32; 8]>(value) };
}

#[target_feature(enable = "avx2,f16c")]
fn multiply(group: Group<'_>, x: &Activations, out: &mut [f32]) {
    let (full, rest) = out.split_at_mut(x.tiles.len() / x.blocks * TILE * GROUP);
    for (tile, out) in x.tiles.chunks_exact(x.blocks).zip(full.chunks_exact_mut(TILE * GROUP)) {
        multiply_tile(group, tile, out);
    }
    for (single, out) in x.singles.chunks_exact(x.blocks).zip(rest.chunks_exact_mut(GROUP)) {
        multiply_tile(group, single, out);
    }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "indices below the arrays' own lengths; with iterators the compiler spills the vectors"
)]
fn multiply_tile<const ROWS: usize>(group: Group<'_>, tile: &[TileBlock<ROWS>], out: &mut [f32]) {
    let mut sums = [_mm256_setzero_ps(); ROWS];
    match group {
        Group::Q4 { scales, minima, blocks } => {
            for (((scales, minima), weights), x) in scales.iter().zip(minima).zip(blocks).zip(tile)
            {
                let products = products_4(weights, x);
                let (scales, minima) = (load_halves(scales), load_halves(minima));
                for row in 0..ROWS {
                    let scale = _mm256_mul_ps(scales, _mm256_set1_ps(x.scales[row]));
                    let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(products[row]), scale);
                    let shifted = _mm256_mul_ps(minima, _mm256_set1_ps(x.sums[row]));
                    sums[row] = _mm256_add_ps(sums[row], _mm256_add_ps(scaled, shifted));
                }
            }
        }
        Group::Q8 { scales, blocks } => {
            for ((scales, weights), x) in scales.iter().zip(blocks).zip(tile) {
                let products = products_8(weights, x);
                let scales = load_halves(scales);
                for row in 0..ROWS {
                    let scale = _mm256_mul_ps(scales, _mm256_set1_ps(x.scales[row]));
                    let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(products[row]), scale);
                    sums[row] = _mm256_add_ps(sums[row], scaled);
                }
            }
        }
    }
    for (out, sum) in out.as_chunks_mut::<GROUP>().0.iter_mut().zip(sums) {
        store(out, sum);
    }
}

/// A block's integer products. Sixteen-bit sums are enough: 8 quads of 2 products of at most 15 * 127 are 30,480.
#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "indices below the arrays' own lengths; with iterators the compiler spills the vectors"
)]
fn products_4<const ROWS: usize>(weights: &[u8; Q4_BLOCK], x: &TileBlock<ROWS>) -> [__m256i; ROWS] {
    let mask = _mm256_set1_epi8(15);
    let mut products = [_mm256_setzero_si256(); ROWS];
    let vectors = weights.as_chunks::<BLOCK>().0;
    for quad in 0..QUADS / 2 {
        let both = load(&vectors[quad]);
        let low = _mm256_and_si256(both, mask);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(both), mask);
        for row in 0..ROWS {
            let first = _mm256_maddubs_epi16(low, _mm256_set1_epi32(x.quads[quad][row]));
            let second =
                _mm256_maddubs_epi16(high, _mm256_set1_epi32(x.quads[quad + QUADS / 2][row]));
            products[row] = _mm256_add_epi16(_mm256_add_epi16(products[row], first), second);
        }
    }
    let ones = _mm256_set1_epi16(1);
    products.map(|product| _mm256_madd_epi16(product, ones))
}

/// A block's integer products. A pair is at most 2 * 128 * 127 = 32,512, so it fits sixteen bits.
#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "indices below the arrays' own lengths; with iterators the compiler spills the vectors"
)]
fn products_8<const ROWS: usize>(weights: &[u8; Q8_BLOCK], x: &TileBlock<ROWS>) -> [__m256i; ROWS] {
    let ones = _mm256_set1_epi16(1);
    let mut products = [_mm256_setzero_si256(); ROWS];
    let vectors = weights.as_chunks::<BLOCK>().0;
    for quad in 0..QUADS {
        let weights = load(&vectors[quad]);
        let sizes = _mm256_abs_epi8(weights);
        for row in 0..ROWS {
            let signed = _mm256_sign_epi8(_mm256_set1_epi32(x.quads[quad][row]), weights);
            let pairs = _mm256_maddubs_epi16(sizes, signed);
            products[row] = _mm256_add_epi32(products[row], _mm256_madd_epi16(pairs, ones));
        }
    }
    products
}

/// Heads that share keys and values are done three at a time, so that a half is widened once for three products.
const TOGETHER: usize = 3;

#[target_feature(enable = "avx2,f16c")]
fn scores(cache: &HeadCache, queries: &[f32], scale: f32, scores: &mut [f32]) {
    let length = scores.len() / (queries.len() / cache.head);
    let mut outs = scores.chunks_exact_mut(TOGETHER * length);
    let mut threes = queries.chunks_exact(TOGETHER * cache.head);
    for (queries, out) in threes.by_ref().zip(outs.by_ref()) {
        scores_of::<TOGETHER, 2>(cache, queries, scale, out);
    }
    let outs = outs.into_remainder().chunks_exact_mut(length);
    for (query, out) in threes.remainder().chunks_exact(cache.head).zip(outs) {
        scores_of::<1, 4>(cache, query, scale, out);
    }
}

/// Scores of `HEADS` queries, `WIDTH` tiles of positions at once: a sum is one chain of additions, and several chains
/// keep the adder busy.
#[target_feature(enable = "avx2,f16c")]
#[inline]
fn scores_of<const HEADS: usize, const WIDTH: usize>(
    cache: &HeadCache,
    queries: &[f32],
    scale: f32,
    out: &mut [f32],
) {
    let length = out.len() / HEADS;
    for (index, keys) in cache.keys_before(length).chunks(WIDTH * cache.head).enumerate() {
        let first = index * WIDTH * TILE_POSITIONS;
        if keys.len() == WIDTH * cache.head {
            finish_scores(scores_block::<HEADS, WIDTH>(keys, queries), scale, (first, out));
        } else {
            for (tile, keys) in keys.chunks_exact(cache.head).enumerate() {
                let first = first + tile * TILE_POSITIONS;
                finish_scores(scores_block::<HEADS, 1>(keys, queries), scale, (first, out));
            }
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "indices below the arrays' own lengths; with iterators the compiler spills the vectors"
)]
fn scores_block<const HEADS: usize, const WIDTH: usize>(
    keys: &[[u16; TILE_POSITIONS]],
    queries: &[f32],
) -> [[__m256; WIDTH]; HEADS] {
    let head = keys.len() / WIDTH;
    let mut sums = [[_mm256_setzero_ps(); WIDTH]; HEADS];
    // slices of one known length, so that the indices need no checks
    let tiles: [&[[u16; TILE_POSITIONS]]; WIDTH] =
        std::array::from_fn(|tile| &keys[tile * head..][..head]);
    let queries: [&[f32]; HEADS] = std::array::from_fn(|row| &queries[row * head..][..head]);
    for dimension in 0..head {
        for tile in 0..WIDTH {
            let keys = load_halves(&tiles[tile][dimension]);
            for row in 0..HEADS {
                let query = _mm256_set1_ps(queries[row][dimension]);
                sums[row][tile] = _mm256_add_ps(sums[row][tile], _mm256_mul_ps(query, keys));
            }
        }
    }
    sums
}

/// Scales the scores of the positions from `first` on and puts them where they belong; the last tile may be cut.
#[target_feature(enable = "avx2,f16c")]
#[inline]
fn finish_scores<const HEADS: usize, const WIDTH: usize>(
    sums: [[__m256; WIDTH]; HEADS],
    scale: f32,
    (first, out): (usize, &mut [f32]),
) {
    let length = out.len() / HEADS;
    let mut lanes = [0.0; TILE_POSITIONS];
    for (out, sums) in out.chunks_exact_mut(length).zip(sums) {
        let places = out.chunks_mut(TILE_POSITIONS).skip(first / TILE_POSITIONS);
        for (out, sum) in places.zip(sums) {
            store(&mut lanes, _mm256_mul_ps(sum, _mm256_set1_ps(scale)));
            for (out, lane) in out.iter_mut().zip(lanes) {
                *out = lane;
            }
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
fn mix(cache: &HeadCache, weights: &[f32], out: &mut [f32]) {
    let length = weights.len() / (out.len() / cache.head);
    let mut outs = out.chunks_exact_mut(TOGETHER * cache.head);
    let mut threes = weights.chunks_exact(TOGETHER * length);
    for (weights, out) in threes.by_ref().zip(outs.by_ref()) {
        mix_of::<TOGETHER, 4>(cache, weights, out);
    }
    let outs = outs.into_remainder().chunks_exact_mut(cache.head);
    for (weights, out) in threes.remainder().chunks_exact(length).zip(outs) {
        mix_of::<1, 8>(cache, weights, out);
    }
}

/// Mixed values of `HEADS` heads, `WIDTH` vectors of dimensions at once.
#[target_feature(enable = "avx2,f16c")]
#[inline]
fn mix_of<const HEADS: usize, const WIDTH: usize>(
    cache: &HeadCache,
    weights: &[f32],
    out: &mut [f32],
) {
    let vectors = cache.head / 8;
    let mut done = 0;
    while done + WIDTH <= vectors {
        mix_block::<HEADS, WIDTH>(cache, weights, (done, out));
        done += WIDTH;
    }
    while done < vectors {
        mix_block::<HEADS, 1>(cache, weights, (done, out));
        done += 1;
    }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(
    clippy::indexing_slicing,
    reason = "indices below the arrays' own lengths; with iterators the compiler spills the vectors"
)]
fn mix_block<const HEADS: usize, const WIDTH: usize>(
    cache: &HeadCache,
    weights: &[f32],
    (first, out): (usize, &mut [f32]),
) {
    let length = weights.len() / HEADS;
    let mut sums = [[_mm256_setzero_ps(); WIDTH]; HEADS];
    let weights: [&[f32]; HEADS] = std::array::from_fn(|row| &weights[row * length..][..length]);
    for (position, row) in (0..length).zip(cache.value_rows()) {
        let values = &row.as_chunks::<8>().0[first..first + WIDTH];
        for vector in 0..WIDTH {
            let values = load_halves(&values[vector]);
            for row in 0..HEADS {
                let weight = _mm256_set1_ps(weights[row][position]);
                sums[row][vector] = _mm256_add_ps(sums[row][vector], _mm256_mul_ps(weight, values));
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(cache.head).zip(sums) {
        for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().skip(first).zip(sums) {
            store(out, sum);
        }
    }
}
