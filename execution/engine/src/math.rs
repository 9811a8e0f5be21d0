//! The functions of real numbers that the engine needs, from basic IEEE operations only.
//!
//! Nothing here calls the machine's mathematical library, whose last bits differ between systems: every function is a
//! fixed sequence of additions, multiplications, divisions and bit operations, so its result is the same everywhere.

use std::f64::consts::{FRAC_2_PI, LN_2, SQRT_2};

/// Adding this to a number below 2^22 in size leaves its nearest integer (ties to even) in the low mantissa bits.
const ROUNDER: f32 = 12_582_912.0;
/// The same for `f64`, below 2^51.
const ROUNDER_64: f64 = 6_755_399_441_055_744.0;

/// The integer nearest to `x` (ties to even), for `|x| < 2^22`, in the low bits.
#[inline(always)]
pub(crate) const fn nearest_integer_bits(x: f32) -> u32 {
    (x + ROUNDER).to_bits().wrapping_sub(ROUNDER.to_bits())
}

/// `e^x` to within 2 units in the last place; 0 below -87, held at `e^88` above 88.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    // ln 2 in two parts, so that n * HIGH is exact
    const HIGH: f32 = f32::from_bits(0x3f31_8000);
    const LOW: f32 = -2.121_944_4e-4;
    let held = if x > 88.0 { 88.0 } else { x };
    let shifted = held * LOG2_E + ROUNDER;
    let n = shifted - ROUNDER;
    let r = held - n * HIGH;
    let r = r - n * LOW;
    let p = 1.987_569_2e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let mantissa = p * r * r + r + 1.0;
    let power =
        f32::from_bits(shifted.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { mantissa * power }
}

/// A half-precision number, exactly.
#[inline(always)]
pub(crate) const fn half_to_f32(half: u16) -> f32 {
    // 2^112 moves the exponent's bias from 15 to 127 and makes subnormal numbers normal, exactly
    const SHIFT: f32 = f32::from_bits((127 + 112) << 23);
    let wide = half as u32;
    let magnitude = f32::from_bits((wide & 0x7fff) << 13) * SHIFT;
    let special = if wide & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(magnitude.to_bits() | special | ((wide & 0x8000) << 16))
}

/// The half-precision number nearest to `x` (ties to even), held at the largest finite one; not-a-number stays so.
#[inline(always)]
pub(crate) const fn half_from_f32(x: f32) -> u16 {
    let bits = x.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let half = if magnitude > 0x7f80_0000 {
        0x7e00
    } else if magnitude >= 0x477f_f000 {
        0x7bff
    } else if magnitude < 0x3880_0000 {
        // one half has 2^-24 as its last place, the distance between subnormal halves
        (f32::from_bits(magnitude) + 0.5).to_bits() - 0x3f00_0000
    } else {
        (magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x3800_0000) >> 13
    };
    let [low, high, ..] = (half | ((bits >> 16) & 0x8000)).to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// The natural logarithm of a positive, normal, finite number.
pub(crate) fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let exponent = f64::from((bits >> 52 & 0x7ff) as u16) - 1023.0;
    let (mantissa, exponent) =
        if mantissa > SQRT_2 { (mantissa * 0.5, exponent + 1.0) } else { (mantissa, exponent) };
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    // 2 * (s + s^3/3 + s^5/5 + ...), |s| < 0.172
    let mut sum = 0.0;
    let mut divisor = 31.0;
    while divisor > 0.0 {
        sum = sum * square + 1.0 / divisor;
        divisor -= 2.0;
    }
    2.0 * s * sum + exponent * LN_2
}

/// `e^x` for `|x| < 700`.
pub(crate) fn exp_64(x: f64) -> f64 {
    let shifted = x / LN_2 + ROUNDER_64;
    let n = shifted - ROUNDER_64;
    // ln 2 in two parts, so that the first product is exact
    let r = x - n * f64::from_bits(0x3fe6_2e42_fee0_0000);
    let r = r - n * f64::from_bits(0x3dea_39ef_3579_3c76);
    let mut sum = 1.0;
    let mut divisor = 20.0;
    while divisor > 0.0 {
        sum = sum * r / divisor + 1.0;
        divisor -= 1.0;
    }
    let power = shifted.to_bits().wrapping_sub(ROUNDER_64.to_bits()).wrapping_add(1023) << 52;
    sum * f64::from_bits(power)
}

/// Sine and cosine of `0 <= x < 2^20`.
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    let shifted = x * FRAC_2_PI + ROUNDER_64;
    let n = shifted - ROUNDER_64;
    // half of pi in three parts of 33 bits, so that the first two products are exact
    let r = x - n * 1.570_796_326_734_125_6;
    let r = r - n * 6.077_100_506_303_966e-11;
    let r = r - n * 2.022_266_248_795_950_6e-21;
    let square = r * r;
    let (mut sine, mut cosine) = (1.0, 1.0);
    let mut k = 22.0;
    while k > 0.0 {
        // the series from their far end: x^k/k! term by term
        sine = 1.0 - sine * square / (k * (k + 1.0));
        cosine = 1.0 - cosine * square / (k * (k - 1.0));
        k -= 2.0;
    }
    let sine = sine * r;
    match shifted.to_bits().wrapping_sub(ROUNDER_64.to_bits()) & 3 {
        0 => (sine, cosine),
        1 => (cosine, -sine),
        2 => (-sine, -cosine),
        _ => (-cosine, sine),
    }
}

#[cfg(test)]
mod tests;
