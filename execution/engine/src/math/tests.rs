use super::*;

#[test]
fn exponential_is_close_to_the_real_one() {
    for step in -8_700..=8_800 {
        let x = step as f32 / 100.0;
        let real = f64::from(x).exp();
        let relative = (f64::from(exp(x)) / real - 1.0).abs();
        assert!(relative < 4e-7, "exp({x}) is off by {relative}");
    }
    assert_eq!(exp(-100.0), 0.0);
    assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    assert_eq!(exp(1000.0), exp(88.0));
    assert_eq!(exp(0.0), 1.0);
    assert!(exp(f32::NAN).is_nan());
}

#[test]
fn halves_survive_the_round_trip() {
    for half in 0..=u16::MAX {
        let wide = half_to_f32(half);
        if half & 0x7c00 == 0x7c00 {
            assert!(!wide.is_finite());
        } else {
            assert_eq!(half_from_f32(wide), half);
        }
    }
    assert_eq!(half_to_f32(0x3c00), 1.0);
    assert_eq!(half_to_f32(0x0001), 2f32.powi(-24));
    assert_eq!(half_from_f32(1e9), 0x7bff);
    assert_eq!(half_from_f32(1.0 + 2f32.powi(-11)), 0x3c00, "a tie goes to the even mantissa");
    assert_eq!(half_from_f32(1.0 + 3.0 * 2f32.powi(-11)), 0x3c02);
}

#[test]
fn wide_functions_are_accurate() {
    for step in 1..4_000 {
        let x = f64::from(step) * 2.37;
        assert!((ln(x) - x.ln()).abs() < 1e-13 * x.ln().abs().max(1.0));
        let (sine, cosine) = sin_cos(x);
        assert!((sine - x.sin()).abs() < 1e-12 && (cosine - x.cos()).abs() < 1e-12, "at {x}");
        let y = f64::from(step - 2_000) / 7.0;
        assert!((exp_64(y) / y.exp() - 1.0).abs() < 1e-13, "at {y}");
    }
}

#[test]
fn nearest_integers_round_ties_to_even() {
    for (x, expected) in [(0.5, 0), (1.5, 2), (-0.5, 0), (-1.5, -2), (-126.7, -127), (127.0, 127)] {
        assert_eq!(nearest_integer_bits(x).cast_signed(), expected);
    }
}
