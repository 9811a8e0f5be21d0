//! Which token follows: a pure function of the logits, the settings and the number of the token.
//!
//! Greedy takes the largest logit, the lowest id of equals. With a temperature, token `i` gets the weight
//! `round(exp((logit_i - largest) * (1000 / temperature_milli)) * 2^40)`, an integer; the `n`-th output of `SplitMix64`,
//! seeded with the request's seed, is scaled to the sum of the weights, and the first token at which the running sum
//! exceeds it is taken. Integers add up to the same in any order, so nothing depends on how the sum is made.

use crate::math::exp;

/// Temperatures above this make any model babble; OpenAI's limit too.
pub const MAX_TEMPERATURE_MILLI: u32 = 2_000;
/// Adding this to a number below 2^51 leaves its nearest integer in the mantissa.
const ROUNDER: f64 = 4_503_599_627_370_496.0;
/// Weight of the largest logit: 2^40, so that 2^21 tokens still add up below 2^62.
const UNIT: f64 = 1_099_511_627_776.0;

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sampling {
    /// Temperature in thousandths, an integer so that it is the same for everyone; 0 is greedy.
    pub temperature_milli: u32,
    /// Which of the possible answers; without meaning when greedy.
    pub seed: u64,
}

impl Sampling {
    /// Always the likeliest token.
    pub const GREEDY: Self = Self { temperature_milli: 0, seed: 0 };

    /// The token at position `number` (from 0) of the answer; none if a logit is not finite.
    pub(crate) fn choose(self, number: u64, logits: &[f32]) -> Option<u32> {
        let mut best = (0u32, f32::NEG_INFINITY);
        for (logit, id) in logits.iter().zip(0u32..) {
            if !logit.is_finite() {
                return None;
            }
            if *logit > best.1 {
                best = (id, *logit);
            }
        }
        if self.temperature_milli == 0 {
            return (!logits.is_empty()).then_some(best.0);
        }
        let inverse = 1000.0 / self.temperature_milli as f32;
        let weight = |logit: &f32| {
            let weight = f64::from(exp((logit - best.1) * inverse)) * UNIT;
            (weight + ROUNDER).to_bits() & ((1 << 52) - 1)
        };
        let weights: Vec<u64> = logits.iter().map(weight).collect();
        let total: u64 = weights.iter().sum();
        let target = (u128::from(split_mix(self.seed, number)) * u128::from(total)) >> 64;
        let mut sum = 0u128;
        for (weight, id) in weights.into_iter().zip(0u32..) {
            sum += u128::from(weight);
            if sum > target {
                return Some(id);
            }
        }
        None
    }
}

/// Output `number` of `SplitMix64` (Steele, Lea, Flood 2014) seeded with `seed`.
const fn split_mix(seed: u64, number: u64) -> u64 {
    let state = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the tests' own numbers are small"
)]
mod tests;
