//! The base fee: it follows demand per second of time, not per block, since blocks come when there
//! is work.
//!
//! # Model
//! A block's gas is set against what the target allows for the time since then. Full demand raises
//! the fee, no demand lowers it, by at most [`STEP`] of itself for a full second and proportionally
//! less for a part of one. `STEP` is ln(9/8): however a second is cut into blocks, the steps
//! compound to at most 12.5 %.
//!
//! # Rounding
//! A step is rounded down; upwards it is at least one base unit once demand is above the target
//! and time has passed, so that a low fee can rise at all.

use crate::genesis::FeeParameters;
use alloy_consensus::Header;
use alloy_primitives::U256;

/// The largest part of itself by which the fee moves in one second, in units of 10^-6: ln(9/8).
pub const STEP: u64 = 117_783;

const STEP_UNIT: u64 = 1_000_000;
const MILLISECONDS: u64 = 1_000;

/// The base fee of the block that comes `elapsed` milliseconds after `parent`.
///
/// With `target = gas limit per second * elapsed / 2`, the fee moves by
/// `fee * STEP * min(elapsed, 1 s) * (gas used - target) / target`, the last factor bounded to -1
/// and 1. It never falls below the floor.
pub fn next_base_fee(parameters: &FeeParameters, parent: &Header, elapsed: u64) -> u64 {
    let floor = parameters.base_fee_floor;
    let fee = parent.base_fee_per_gas.unwrap_or(floor).max(floor);
    let per_second = parameters.gas_per_second.max(2);
    // Twice the target and twice the gas, in milli-gas, so that nothing is lost by halving.
    let target = u128::from(per_second).saturating_mul(u128::from(elapsed));
    let demand =
        u128::from(parent.gas_used).saturating_mul(2).saturating_mul(u128::from(MILLISECONDS));
    if target == 0 {
        return fee;
    }
    let excess = demand.abs_diff(target).min(target);
    let time = elapsed.min(MILLISECONDS);
    let step = step(fee, time, excess, target);
    if demand > target {
        fee.saturating_add(step.max(1))
    } else {
        fee.saturating_sub(step).max(floor)
    }
}

/// `fee * STEP * time * excess / target`, rounded down.
fn step(fee: u64, time: u64, excess: u128, target: u128) -> u64 {
    let numerator = U256::from(fee)
        .saturating_mul(U256::from(STEP))
        .saturating_mul(U256::from(time))
        .saturating_mul(U256::from(excess));
    let denominator = U256::from(STEP_UNIT)
        .saturating_mul(U256::from(MILLISECONDS))
        .saturating_mul(U256::from(target));
    numerator.checked_div(denominator).unwrap_or_default().saturating_to()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PARAMETERS: FeeParameters = FeeParameters {
        gas_per_second: 100_000_000,
        base_fee_floor: 1_000_000_000,
        initial_base_fee: 1_000_000_000,
    };

    fn parent(base_fee: u64, gas_used: u64) -> Header {
        Header { base_fee_per_gas: Some(base_fee), gas_used, ..Header::default() }
    }

    proptest! {
        #[test]
        fn i6_a_second_moves_the_fee_by_at_most_an_eighth(
            fee in 1_000_000_000_u64..1_000_000_000_000_000,
            cuts in prop::collection::vec((1_u64..1000, 0_u64..200_000_000), 1..40),
        ) {
            let mut now = fee;
            let mut time = 0;
            for (elapsed, gas_used) in cuts {
                if time + elapsed > 1000 {
                    break;
                }
                time += elapsed;
                now = next_base_fee(&PARAMETERS, &parent(now, gas_used), elapsed);
            }
            prop_assert!(now <= fee + fee / 8, "{fee} rose to {now} in {time} ms");
            prop_assert!(now >= fee - fee / 8, "{fee} fell to {now} in {time} ms");
        }

        #[test]
        fn i6_the_fee_never_falls_below_the_floor(
            fee in 0_u64..u64::MAX, gas_used in any::<u64>(), elapsed in any::<u64>(),
        ) {
            prop_assert!(next_base_fee(&PARAMETERS, &parent(fee, gas_used), elapsed) >= PARAMETERS.base_fee_floor);
        }

        #[test]
        fn more_gas_never_lowers_the_fee(
            fee in 1_000_000_000_u64..1_000_000_000_000, gas in 0_u64..1_000_000_000, elapsed in 0_u64..5000,
        ) {
            let less = next_base_fee(&PARAMETERS, &parent(fee, gas), elapsed);
            let more = next_base_fee(&PARAMETERS, &parent(fee, gas + 1_000_000), elapsed);
            prop_assert!(more >= less);
        }
    }

    #[test]
    fn demand_at_the_target_leaves_the_fee() {
        let fee = 7_000_000_000;
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 50_000_000), 1000), fee);
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 1_000_000), 20), fee);
    }

    #[test]
    fn a_full_second_moves_it_by_the_step() {
        let fee = 10_000_000_000;
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 100_000_000), 1000), 11_177_830_000);
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 0), 1000), 8_822_170_000);
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 0), 60_000), 8_822_170_000);
    }

    #[test]
    fn no_time_moves_nothing() {
        let fee = 10_000_000_000;
        assert_eq!(next_base_fee(&PARAMETERS, &parent(fee, 100_000_000), 0), fee);
    }
}
