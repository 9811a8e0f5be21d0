//! The inner loops, once in portable Rust and once for AVX2; both give the same bits.
//!
//! Integer products and sums are exact, so their order is free. Each float reduction runs in one stated order, and
//! lanes are never added across until the end of a row: lane `r` of a vector *is* row `r` (in a matrix product) or
//! position `r` (in attention scores), so vector width does not change what is added to what.

mod avx2;
mod portable;
mod scalar;

use crate::activations::Activations;
use crate::cache::HeadCache;
use crate::matrix::Group;

/// Which instructions to use. The result is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Simd {
    /// AVX2 where the machine has it.
    #[default]
    Auto,
    /// Portable code only.
    Scalar,
}

/// A path that this machine can run: `Avx2` is only made after asking the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Present),
}

impl Path {
    pub(crate) fn choose(simd: Simd) -> Self {
        match simd {
            Simd::Scalar => Self::Scalar,
            #[cfg(target_arch = "x86_64")]
            Simd::Auto => avx2::Present::detect().map_or(Self::Scalar, Self::Avx2),
            #[cfg(not(target_arch = "x86_64"))]
            Simd::Auto => Self::Scalar,
        }
    }
}

/// Declares functions that run either path's version.
macro_rules! either_path {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)?, $scalar:path;)*) => {
        impl Path {
            $($(#[$doc])*
            pub(crate) fn $name(self, $($argument: $kind),*) $(-> $result)? {
                match self {
                    Self::Scalar => $scalar($($argument),*),
                    #[cfg(target_arch = "x86_64")]
                    Self::Avx2(present) => present.$name($($argument),*),
                }
            })*
        }
    };
}

either_path! {
    /// Products of one group of eight weight rows with every token row: `out` gets eight numbers per token row.
    ///
    /// For each row, blocks in order: `sum += integer_product * (weight_scale * activation_scale)`, for 4-bit weights
    /// `sum += integer_product * (weight_scale * activation_scale) + weight_minimum * activation_sum`.
    fn multiply(group: Group<'_>, x: &Activations, out: &mut [f32]), scalar::multiply;
    /// Quantises rows of `columns` floats.
    fn quantise(rows: &[f32], columns: usize) -> Activations, Activations::quantise;
    /// For each of the queries (heads that share this cache), over as many positions as fit into its part of `scores`:
    /// `score[p] = (sum over d in order of query[d] * key[p][d]) * scale`.
    fn scores(cache: &HeadCache, queries: &[f32], scale: f32, scores: &mut [f32]), scalar::scores;
    /// For each of the heads: `out[d] = sum over p in order of weights[p] * value[p][d]`.
    fn mix(cache: &HeadCache, weights: &[f32], out: &mut [f32]), scalar::mix;
    /// Replaces scores by `e^(score - largest)` and returns their sum, taken in eight interleaved lanes.
    fn exponentials(scores: &mut [f32]) -> f32, portable::exponentials;
    /// Rows divided by their root mean square, times `weight`.
    fn normalise(rows: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32>, portable::normalise;
    /// `gate = gate / (1 + e^-gate) * up`.
    fn gated(gate: &mut [f32], up: &[f32]), portable::gated;
    /// Rotates neighbouring pairs of each head by the position's angles.
    fn rotate(row: &mut [f32], angles: &[(f32, f32)]), portable::rotate;
    /// `to += from`.
    fn add(to: &mut [f32], from: &[f32]), portable::add;
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]
mod tests;
