//! [`FeeParts`]: who gets the gas fees of a block.

use sahara_primitives::{Amount, BasisPoints, Overflow};

/// The gas fees of a block in their parts, which add up to them.
///
/// The incentive pool's part and each seat's are rounded down, the leader takes the remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeParts {
    /// To the incentive pool.
    pub incentive_pool: Amount,
    /// To each seat.
    pub seat: Amount,
    /// To the leader, beside its seats.
    pub remainder: Amount,
}

impl FeeParts {
    /// The incentive pool's part of gas fees, the community tax: of 1 SAHARA in fees, 0.02.
    pub const TAX: BasisPoints = BasisPoints::constant(200);

    /// The parts of `total` among `seats`.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn of(total: Amount, seats: u64) -> Result<Self, Overflow> {
        let incentive_pool = Self::TAX.of(total)?;
        let validators = total.checked_sub(incentive_pool)?;
        let seat = validators.div_floor(seats).unwrap_or_default();
        let remainder = validators.checked_sub(seat.checked_mul(seats)?)?;
        Ok(Self { incentive_pool, seat, remainder })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_parts_add_up_and_the_leader_gets_less_than_a_unit_a_seat_more(
            total in 0u128..1 << 94, seats in 0u64..1_024,
        ) {
            let total = Amount::from_u128(total);
            let parts = FeeParts::of(total, seats).unwrap();
            let paid = parts.seat.checked_mul(seats).unwrap();
            let sum = Amount::sum([parts.incentive_pool, paid, parts.remainder]).unwrap();
            prop_assert_eq!(sum, total);
            let most = if seats == 0 { total } else { Amount::from_u128(u128::from(seats) - 1) };
            prop_assert!(parts.remainder <= most);
        }
    }

    #[test]
    fn ninety_eight_of_a_hundred_go_to_the_seats() {
        let parts = FeeParts::of(Amount::from_coins(100), 4).unwrap();
        let coins = [2, 24].map(Amount::from_coins);
        let half = Amount::ONE_COIN.div_floor(2).unwrap();
        let seat = coins[1].checked_add(half).unwrap();
        assert_eq!(
            (parts.incentive_pool, parts.seat, parts.remainder),
            (coins[0], seat, Amount::ZERO)
        );
    }
}
