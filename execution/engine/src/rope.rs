//! Rotary position angles, computed once at load without the machine's mathematical library.

use crate::math::{exp_64, ln, sin_cos};

/// Cosine and sine of every position's angles, `head / 2` pairs per position.
pub(crate) fn angles(positions: usize, head: usize, base: f64) -> Vec<(f32, f32)> {
    let pairs = head / 2;
    let frequencies: Vec<f64> =
        (0..pairs).map(|pair| exp_64(-(2.0 * pair as f64 / head as f64) * ln(base))).collect();
    let mut table = Vec::with_capacity(positions * pairs);
    for position in 0..positions {
        table.extend(frequencies.iter().map(|frequency| {
            let (sine, cosine) = sin_cos(position as f64 * frequency);
            narrow(cosine, sine)
        }));
    }
    table
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the nearest f32 is meant, and IEEE defines it"
)]
const fn narrow(cosine: f64, sine: f64) -> (f32, f32) {
    (cosine as f32, sine as f32)
}
