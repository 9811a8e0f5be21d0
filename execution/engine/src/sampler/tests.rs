use super::*;
use proptest::prelude::{any, prop_assert_eq, proptest};

#[test]
fn split_mix_gives_the_published_numbers() {
    let found: Vec<u64> = (0..3).map(|number| split_mix(1_234_567, number)).collect();
    assert_eq!(
        found,
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
    );
}

#[test]
fn ties_go_to_the_lowest_id() {
    assert_eq!(Sampling::GREEDY.choose(0, &[1.0, 3.0, 3.0, -3.0]), Some(1));
    assert_eq!(Sampling::GREEDY.choose(9, &[0.0, -0.0]), Some(0));
    assert_eq!(Sampling::GREEDY.choose(9, &[-0.0, 0.0]), Some(0));
}

#[test]
fn what_is_not_finite_has_no_answer() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(Sampling::GREEDY.choose(0, &[1.0, bad]), None);
        assert_eq!(Sampling { temperature_milli: 700, seed: 1 }.choose(0, &[bad, 1.0]), None);
    }
    assert_eq!(Sampling::GREEDY.choose(0, &[]), None);
}

#[test]
fn frequencies_follow_the_softmax() {
    let logits = [0.0f32, 1.0, 2.0, -1.0];
    for temperature_milli in [500, 1000, 2000] {
        let sampling = Sampling { temperature_milli, seed: 42 };
        let mut counts = [0f64; 4];
        for number in 0..40_000 {
            counts[sampling.choose(number, &logits).unwrap() as usize] += 1.0 / 40_000.0;
        }
        let weights =
            logits.map(|logit| (f64::from(logit) * 1000.0 / f64::from(temperature_milli)).exp());
        let total: f64 = weights.iter().sum();
        for (count, weight) in counts.iter().zip(weights) {
            assert!((count - weight / total).abs() < 0.01, "{counts:?}");
        }
    }
}

proptest! {
    /// The definition, written a second time with other means: one pass over integers instead of prepared weights.
    #[test]
    fn i3_the_choice_is_the_specified_one(
        logits in proptest::collection::vec(-30f32..30.0, 1..200),
        temperature_milli in 1u32..=2000,
        seed in any::<u64>(),
        number in 0u64..10_000,
    ) {
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<u128> = logits.iter()
            .map(|logit| (f64::from(exp((logit - largest) * (1000.0 / temperature_milli as f32))) * 2f64.powi(40)).round_ties_even() as u128)
            .collect();
        let target = u128::from(split_mix(seed, number)) * weights.iter().sum::<u128>() / (1u128 << 64);
        let expected = (0..weights.len()).find(|index| weights[..=*index].iter().sum::<u128>() > target);
        prop_assert_eq!(Sampling { temperature_milli, seed }.choose(number, &logits), expected.map(|index| index as u32));
    }
}
