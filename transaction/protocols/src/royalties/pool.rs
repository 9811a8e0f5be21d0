//! The arithmetic of a pool. Pure; no state.
//!
//! An accumulator for changing units would be stored and updated as
//!
//! ```text
//! deposit v : num = v * 2^128 + rem ; acc += num / units ; rem = num % units
//! settle a  : owed = u_a * (acc - snap_a) + frac_a ; pay = owed >> 128 ; frac_a = owed mod 2^128 ; snap_a = acc
//! ```
//!
//! Here units are final before the first deposit, so `acc * units + rem` is always
//! `deposited * 2^128`: both follow from `deposited`, and a member who was paid `paid_a` is owed
//! `(u_a * acc >> 128) - paid_a`. The numbers are the same to the last unit (a property test compares
//! them); a pool needs one word instead of three, a member one instead of four.
//!
//! # Bounds
//! `deposited < 2^112` (519,000 times all coin), `u_a <= units < 2^96`. Then `deposited * 2^128` and
//! `u_a * acc` stay below 2^240.

use alloy_primitives::U256;

/// Everything that is ever deposited into a pool stays below this.
pub const CAPACITY: u128 = 1 << 112;

/// Fraction bits of the accumulator.
const FRACTION: usize = 128;

/// What one unit was due so far, in 2^-128 base units, and the rest that no unit was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accumulator {
    /// Per unit, rounded down.
    pub acc: U256,
    /// Less than the number of units.
    pub rem: U256,
}

impl Accumulator {
    /// The accumulator after `deposited` in all, among `units`; of no units it is zero and everything
    /// is rest.
    pub fn after(deposited: u128, units: u128) -> Self {
        let scaled = U256::from(deposited).wrapping_shl(FRACTION);
        let units = U256::from(units);
        match (scaled.checked_div(units), scaled.checked_rem(units)) {
            (Some(acc), Some(rem)) => Self { acc, rem },
            _ => Self { acc: U256::ZERO, rem: scaled },
        }
    }

    /// What a holder of `units` is owed, in 2^-128 base units, after it was paid `paid`; `None` when
    /// it was paid more than its due.
    pub fn owed_scaled(&self, units: u128, paid: u128) -> Option<U256> {
        let due = U256::from(units).checked_mul(self.acc)?;
        due.checked_sub(U256::from(paid).wrapping_shl(FRACTION))
    }

    /// What a holder can be paid now: whole base units.
    pub fn owed(&self, units: u128, paid: u128) -> Option<u128> {
        let whole = self.owed_scaled(units, paid)?.wrapping_shr(FRACTION);
        u128::try_from(whole).ok()
    }
}
