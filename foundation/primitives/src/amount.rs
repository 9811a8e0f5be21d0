//! [`Amount`] and [`BasisPoints`]: money and ratios without floats.

use alloy_primitives::U256;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An amount of coin in base units (10^-18 SAHARA).
///
/// ```
/// # use sahara_primitives::Amount;
/// let amount: Amount = "1.5".parse().unwrap();
/// assert_eq!(amount.to_string(), "1.5");
/// assert_eq!(amount.base_units().to_string(), "1500000000000000000");
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Amount(U256);

/// A sum, difference or product does not fit its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an amount does not fit: expected a result between 0 and 2^256 - 1 base units")]
pub struct Overflow;

/// A text is not an amount of SAHARA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an amount: expected a decimal number of SAHARA with at most 18 digits after the point, as 1.25"
)]
pub struct ParseAmountError(pub String);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);
    /// One SAHARA.
    pub const ONE_COIN: Self = Self(U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]));

    /// From base units.
    pub const fn from_base_units(units: U256) -> Self {
        Self(units)
    }

    /// From base units that fit 128 bits.
    pub fn from_u128(units: u128) -> Self {
        Self(U256::from(units))
    }

    /// Whole SAHARA; any `u64` fits.
    pub fn from_coins(coins: u64) -> Self {
        Self(U256::from(coins).saturating_mul(Self::ONE_COIN.0))
    }

    /// The number of base units.
    pub const fn base_units(self) -> U256 {
        self.0
    }

    /// The number of base units, when it fits 128 bits.
    pub fn to_u128(self) -> Option<u128> {
        u128::try_from(self.0).ok()
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Overflow`] when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// The product with a count.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn checked_mul(self, count: u64) -> Result<Self, Overflow> {
        self.0.checked_mul(U256::from(count)).map(Self).ok_or(Overflow)
    }

    /// The quotient, rounded down; `None` for a division by zero.
    pub fn div_floor(self, divisor: u64) -> Option<Self> {
        self.0.checked_div(U256::from(divisor)).map(Self)
    }

    /// The difference, or nothing when `other` is larger.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Sums amounts.
    ///
    /// # Errors
    /// [`Overflow`].
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }
}

impl fmt::Display for Amount {
    /// SAHARA in decimal, exact, without trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>19}", self.0.to_string());
        let (whole, part) = digits.split_at(digits.len().saturating_sub(18));
        let part = part.trim_end_matches('0');
        if part.is_empty() { f.pad(whole) } else { f.pad(&format!("{whole}.{part}")) }
    }
}

impl FromStr for Amount {
    type Err = ParseAmountError;

    fn from_str(text: &str) -> Result<Self, ParseAmountError> {
        let error = || ParseAmountError(text.chars().take(80).collect());
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let has_digits = !whole.is_empty() && (text.len() == whole.len() || !part.is_empty());
        if !has_digits
            || !is_number(whole)
            || !is_number(part)
            || part.len() > 18
            || text.len() > 96
        {
            return Err(error());
        }
        U256::from_str_radix(&format!("{whole}{part:0<18}"), 10).map(Self).map_err(|_| error())
    }
}

/// A ratio in hundredths of a percent, 0 to 10,000.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "u16", into = "u16")]
pub struct BasisPoints(u16);

/// A number is no ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a ratio: expected 0 to 10000 basis points")]
pub struct InvalidBasisPoints(pub u16);

impl BasisPoints {
    /// The whole.
    pub const ONE: Self = Self(10_000);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A ratio known when the program is written.
    ///
    /// # Panics
    /// At compile time, when it is above 10,000.
    pub const fn constant(points: u16) -> Self {
        assert!(points <= 10_000, "basis points are at most 10000");
        Self(points)
    }

    /// From a number of basis points.
    ///
    /// # Errors
    /// [`InvalidBasisPoints`] above 10,000.
    pub const fn new(points: u16) -> Result<Self, InvalidBasisPoints> {
        if points <= 10_000 { Ok(Self(points)) } else { Err(InvalidBasisPoints(points)) }
    }

    /// The number of basis points.
    pub const fn points(self) -> u16 {
        self.0
    }

    /// `floor(amount * self / 10,000)`: rounded down, so that parts never exceed the whole.
    ///
    /// # Errors
    /// [`Overflow`] for amounts above 2^242.
    pub fn of(self, amount: Amount) -> Result<Amount, Overflow> {
        amount.checked_mul(u64::from(self.0))?.div_floor(10_000).ok_or(Overflow)
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = InvalidBasisPoints;

    fn try_from(points: u16) -> Result<Self, InvalidBasisPoints> {
        Self::new(points)
    }
}

impl From<BasisPoints> for u16 {
    fn from(ratio: BasisPoints) -> Self {
        ratio.0
    }
}

impl fmt::Display for BasisPoints {
    /// Percent in decimal: `2.5 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>3}", self.0);
        let (whole, part) = digits.split_at(digits.len().saturating_sub(2));
        let part = part.trim_end_matches('0');
        if part.is_empty() { write!(f, "{whole} %") } else { write!(f, "{whole}.{part} %") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_amount_reads_what_it_wrote(units in any::<u128>()) {
            let amount = Amount::from_u128(units);
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
        }

        #[test]
        fn a_part_never_exceeds_the_whole(units in any::<u128>(), points in 0u16..=10_000) {
            let whole = Amount::from_u128(units);
            prop_assert!(BasisPoints::new(points).unwrap().of(whole).unwrap() <= whole);
        }
    }

    #[test]
    fn a_malformed_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "1e3", "0x10", "1.0000000000000000001", "1 ", "１"]
        {
            assert!(text.parse::<Amount>().is_err(), "{text:?} was read as an amount");
        }
    }

    #[test]
    fn a_ratio_prints_as_percent() {
        let shown: Vec<_> =
            [0, 5, 50, 100, 250, 10_000].map(BasisPoints::constant).map(|p| p.to_string()).into();
        assert_eq!(shown, ["0 %", "0.05 %", "0.5 %", "1 %", "2.5 %", "100 %"]);
    }
}
