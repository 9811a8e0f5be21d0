//! The AVX2 path: the same sums in the same order as [`super::scalar`], eight lanes at a time.
//!
//! Unsafe code here is of two kinds only: loads and stores through references to whole arrays, and calls of functions
//! compiled for AVX2 and F16C from [`Present`], which exists only on machines that have both.
#![cfg(target_arch = "x86_64")]

use super::portable;
use crate::activations::{Activations, QUADS, TILE, TileBlock};
use crate::cache::{HeadCache, TILE_POSITIONS};
use crate::matrix::{BLOCK, GROUP, Group, Q4_BLOCK, Q8_BLOCK};
use std::arch::x86_64::{
    __m256, __m256i, _mm_loadu_si128, _mm256_abs_epi8, _mm256_add_epi16, _mm256_add_epi32,
    _mm256_add_ps, _mm256_and_si256, _mm256_cvtepi32_ps, _mm256_cvtph_ps, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_srli_epi16, _mm256_storeu_ps,
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
    fn scores(cache: &HeadCache, query: &[f32], scale: f32, scores: &mut [f32]) = self::scores;
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
#[expect(unsafe_code, reason = "vector load")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference is to 32 readable bytes and the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(unsafe_code, reason = "vector load")]
fn load_halves(halves: &[u16; 8]) -> __m256 {
    // SAFETY: the reference is to 16 readable bytes and the load needs no alignment.
    _mm256_cvtph_ps(unsafe { _mm_loadu_si128(halves.as_ptr().cast()) })
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
#[expect(unsafe_code, reason = "vector store")]
fn store(lanes: &mut [f32; 8], value: __m256) {
    // SAFETY: the reference is to 32 writable bytes and the store needs no alignment.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), value) }
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

#[target_feature(enable = "avx2,f16c")]
fn scores(cache: &HeadCache, query: &[f32], scale: f32, scores: &mut [f32]) {
    let (mut tiles, mut scores) = (cache.key_tiles(query.len()), scores.chunks_mut(TILE_POSITIONS));
    // four tiles at once: a sum is one chain of additions, four chains keep the adder busy
    while scores.len() >= 4 {
        let (Some(a), Some(b), Some(c), Some(d)) =
            (tiles.next(), tiles.next(), tiles.next(), tiles.next())
        else {
            return;
        };
        let mut sums = [_mm256_setzero_ps(); 4];
        for ((((a, b), c), d), q) in a.iter().zip(b).zip(c).zip(d).zip(query) {
            let q = _mm256_set1_ps(*q);
            for (sum, keys) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = _mm256_add_ps(*sum, _mm256_mul_ps(q, load_halves(keys)));
            }
        }
        for (sum, out) in sums.into_iter().zip(scores.by_ref().take(4)) {
            finish_scores(sum, scale, out);
        }
    }
    for (tile, out) in tiles.zip(scores) {
        let mut sum = _mm256_setzero_ps();
        for (keys, q) in tile.iter().zip(query) {
            sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_set1_ps(*q), load_halves(keys)));
        }
        finish_scores(sum, scale, out);
    }
}

#[target_feature(enable = "avx2,f16c")]
#[inline]
fn finish_scores(sum: __m256, scale: f32, out: &mut [f32]) {
    let mut lanes = [0.0; TILE_POSITIONS];
    store(&mut lanes, _mm256_mul_ps(sum, _mm256_set1_ps(scale)));
    for (out, lane) in out.iter_mut().zip(lanes) {
        *out = lane;
    }
}

#[target_feature(enable = "avx2,f16c")]
fn mix(cache: &HeadCache, weights: &[f32], out: &mut [f32]) {
    const WIDE: usize = 64;
    let head = out.len();
    let (wide, narrow) = out.as_chunks_mut::<WIDE>();
    let done = wide.len() * WIDE;
    for (index, out) in wide.iter_mut().enumerate() {
        let mut sums = [_mm256_setzero_ps(); WIDE / 8];
        for (row, weight) in cache.value_rows(head).zip(weights) {
            let Some(values) = row.as_chunks::<WIDE>().0.get(index) else { return };
            let weight = _mm256_set1_ps(*weight);
            for (sum, values) in sums.iter_mut().zip(values.as_chunks::<8>().0) {
                *sum = _mm256_add_ps(*sum, _mm256_mul_ps(weight, load_halves(values)));
            }
        }
        for (out, sum) in out.as_chunks_mut::<8>().0.iter_mut().zip(sums) {
            store(out, sum);
        }
    }
    for (index, out) in narrow.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let mut sum = _mm256_setzero_ps();
        for (row, weight) in cache.value_rows(head).zip(weights) {
            let Some(values) = row.as_chunks::<8>().0.get(done / 8 + index) else { return };
            sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_set1_ps(*weight), load_halves(values)));
        }
        store(out, sum);
    }
}
