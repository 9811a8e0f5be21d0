use super::*;
use crate::cache::CacheShape;
use crate::gguf::{Encoding, Tensor};
use crate::matrix::Matrix;
use proptest::prelude::{any, prop_assert, proptest};

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Any bytes are weights, with scales made finite.
fn matrix(encoding: Encoding, bytes: &mut [u8], columns: usize) -> Matrix {
    let size = if encoding == Encoding::Q4_1 { 20 } else { 34 };
    for block in bytes.chunks_exact_mut(size) {
        block[1] &= 0xbb;
        if encoding == Encoding::Q4_1 {
            block[3] &= 0xbb;
        }
    }
    let row = columns / 32 * size;
    let rows = bytes.len() / row;
    Matrix::pack(&Tensor { rows, columns, encoding, bytes: &bytes[..rows * row] }).unwrap()
}

proptest! {
    /// Also at the extremes: weights of -128, activations of ±127, which is where sixteen bits might not have sufficed.
    #[test]
    fn i1_products_have_the_same_bits_on_every_path(
        mut bytes in proptest::collection::vec(proptest::prelude::prop_oneof![any::<u8>(), proptest::prelude::Just(0x80), proptest::prelude::Just(0xff)], 34 * 3 * 9),
        x in proptest::collection::vec(proptest::prelude::prop_oneof![-3f32..3.0, proptest::prelude::Just(3.0), proptest::prelude::Just(-3.0)], 96 * 7),
    ) {
        for encoding in [Encoding::Q4_1, Encoding::Q8_0] {
            let matrix = matrix(encoding, &mut bytes, 96);
            let results: Vec<Vec<u32>> = [Simd::Scalar, Simd::Auto].map(|simd| {
                let path = Path::choose(simd);
                let x = path.quantise(&x, 96);
                matrix.groups_from(0).flat_map(|group| {
                    let mut out = vec![0.0; 7 * 8];
                    path.multiply(group, &x, &mut out);
                    bits(&out)
                }).collect()
            }).to_vec();
            prop_assert!(results[0] == results[1]);
        }
    }

    #[test]
    fn i1_attention_has_the_same_bits_on_every_path(
        numbers in proptest::collection::vec(-9f32..9.0, 72 * 5),
        length in 1usize..70,
        wide in any::<bool>(),
        group in 1usize..6,
    ) {
        let head = if wide { 72 } else { 16 };
        let cache = CacheShape { layers: 1, heads: 1, head }.build(80);
        let mut heads = cache.layers[0].write();
        for position in 0..72 {
            let turned: Vec<f32> = numbers.iter().cycle().skip(position * 5).take(2 * head).copied().collect();
            heads[0].append(&turned[..head], &turned[head..]);
        }
        let results = [Simd::Scalar, Simd::Auto].map(|simd| {
            let path = Path::choose(simd);
            let mut scores = vec![0.0; group * length];
            path.scores(&heads[0], &numbers[..group * head], 0.125, &mut scores);
            let raw = bits(&scores);
            let sum = path.exponentials(&mut scores);
            let mut out = vec![0.0; group * head];
            path.mix(&heads[0], &scores, &mut out);
            (raw, bits(&scores), sum.to_bits(), bits(&out))
        });
        prop_assert!(results[0] == results[1]);
    }

    #[test]
    fn i1_elementwise_steps_have_the_same_bits_on_every_path(
        x in proptest::collection::vec(-50f32..50.0, 192),
        weight in proptest::collection::vec(-2f32..2.0, 64),
    ) {
        let angles: Vec<(f32, f32)> = weight.chunks(2).take(8).map(|pair| (pair[0], pair[1])).collect();
        let results = [Simd::Scalar, Simd::Auto].map(|simd| {
            let path = Path::choose(simd);
            let mut out = path.normalise(&x, &weight, 1e-5);
            path.rotate(&mut out, &angles);
            path.gated(&mut out, &x);
            path.add(&mut out, &x);
            bits(&out)
        });
        prop_assert!(results[0] == results[1]);
    }
}

#[test]
fn products_are_those_of_the_quantised_numbers() {
    let mut bytes: Vec<u8> = (0..34 * 2 * 8u32).map(|index| (index * 101 % 256) as u8).collect();
    let x: Vec<f32> = (0..64 * 5).map(|index| ((index * 31 % 97) as f32 - 48.0) / 17.0).collect();
    for encoding in [Encoding::Q4_1, Encoding::Q8_0] {
        let matrix = matrix(encoding, &mut bytes, 64);
        let path = Path::choose(Simd::Scalar);
        let mut out = vec![0.0; 5 * 8];
        path.multiply(matrix.groups_from(0).next().unwrap(), &path.quantise(&x, 64), &mut out);
        for (token, x) in x.chunks(64).enumerate() {
            for lane in 0..8 {
                let mut row = Vec::new();
                matrix.append_row(lane, &mut row);
                let exact: f64 =
                    row.iter().zip(x).map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                let size: f64 =
                    row.iter().zip(x).map(|(w, x)| (f64::from(*w) * f64::from(*x)).abs()).sum();
                let found = f64::from(out[token * 8 + lane]);
                assert!((found - exact).abs() <= size * 0.01 + 1e-6, "{found} for {exact}");
            }
        }
    }
}
