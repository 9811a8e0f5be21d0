use super::*;
use proptest::prelude::*;

fn curve(cliff: u64, start: u64, end: u64, at_cliff: u16) -> Curve {
    let [cliff, start, end] = [cliff, start, end].map(Timestamp);
    Curve { cliff, start, end, at_cliff: BasisPoints::new(at_cliff).unwrap(), steps: Vec::new() }
}

#[test]
fn a_line_with_a_gate_is_exact_at_every_boundary() {
    let line = curve(1_100, 1_000, 1_300, 0);
    let free = |time| line.vested(1_000, Timestamp(time));
    assert_eq!([1_000, 1_099, 1_100, 1_101].map(free), [0, 0, 333, 336]);
    assert_eq!([1_298, 1_299, 1_300, u64::MAX].map(free), [993, 996, 1_000, 1_000]);
}

#[test]
fn a_quarter_comes_at_the_cliff_and_the_rest_by_the_second() {
    let [.., insiders] = plan().curves();
    let free = |time| insiders.vested(1_500 * MILLION, Timestamp(time));
    let (cliff, end) = (month(12), month(48));
    assert_eq!([0, START, cliff - 1, cliff].map(free), [0, 0, 0, 375 * MILLION]);
    let second = 1_125 * MILLION / u128::from(end - cliff);
    assert_eq!(free(cliff + 1), 375 * MILLION + second);
    assert!(free(end - 1) < 1_500 * MILLION && free(end) == 1_500 * MILLION);
}

#[test]
fn a_class_of_months_comes_free_at_the_calendars_seconds() {
    let [_, monthly, ..] = plan().curves();
    let total = 2_075 * MILLION + 7;
    let free = |time| monthly.vested(total, Timestamp(time));
    for step in 1..=48_u64 {
        let after = total * u128::from(step) / 48;
        let before = total * u128::from(step - 1) / 48;
        let time = month(step);
        assert_eq!([time - 1, time].map(free), [before, after], "month {step}");
    }
    let unlocks = monthly.unlocks(total, Timestamp(START));
    assert_eq!(unlocks.len(), 48);
    assert_eq!(unlocks.iter().map(|unlock| unlock.amount).sum::<U256>(), U256::from(total));
}

#[test]
fn the_airdrop_pays_44_percent_and_the_rest_from_month_6_to_12() {
    let [airdrop, ..] = plan().curves();
    let free = |time| airdrop.vested(10_000, Timestamp(time));
    let (later, end) = (month(6), month(12));
    assert_eq!([START - 1, START, later, later + 1].map(free), [0, 4_400, 4_400, 4_400]);
    assert_eq!(free(later + (end - later) / 2), 7_200);
    assert_eq!([end - 1, end].map(free), [9_999, 10_000]);
    let shown = airdrop.unlocks(10_000, Timestamp(START - 1));
    let amounts: Vec<_> = shown.iter().map(|unlock| unlock.amount.to::<u64>()).collect();
    assert_eq!(amounts, [4_400, 5_600]);
}

proptest! {
    /// Any curve against the formula in wider numbers, and its calendar against itself.
    #[test]
    fn i2_a_curve_never_runs_ahead_and_ends_whole(
        times in proptest::array::uniform3(0u64..5_000),
        at_cliff in 0u16..=10_000,
        total in 0u128..1 << 94,
        step in 1u64..400,
        after in 0u64..6_000,
    ) {
        let [cliff, start, end] = times;
        let curve = curve(cliff, start, end, at_cliff);
        let mut before = 0;
        for time in (0..6_000).step_by(usize::try_from(step).unwrap()) {
            let free = curve.vested(total, Timestamp(time));
            prop_assert!(before <= free && free <= total);
            before = free;
            if time >= end.max(cliff) {
                prop_assert_eq!(free, total);
            } else if time < cliff {
                prop_assert_eq!(free, 0);
            } else {
                let first = total * u128::from(at_cliff) / 10_000;
                let line = U256::from(total - first) * U256::from(time.saturating_sub(start))
                    / U256::from(end.saturating_sub(start).max(1));
                let line = if end > start { line } else { U256::from(total - first) };
                prop_assert_eq!(U256::from(free - first), line);
            }
        }
        let coming: U256 =
            curve.unlocks(total, Timestamp(after)).iter().map(|unlock| unlock.amount).sum();
        prop_assert_eq!(coming, U256::from(total - curve.vested(total, Timestamp(after))));
    }
}
