//! [`Bond`] and [`Accumulator`]: the arithmetic of a validator's stake and of its rewards. Pure; no
//! state.
//!
//! # Stake
//! Delegators hold shares of the stake. A slash lowers the stake and leaves the shares, so it is one
//! subtraction whatever their number.
//!
//! # Rewards
//! Shares change, so the accumulator is stored:
//!
//! ```text
//! deposit v : num = v * 2^128 + rem ; acc += num / shares ; rem = num % shares
//! settle a  : owed = s_a * (acc - snap_a) + frac_a ; pay = owed >> 128 ; frac_a = owed mod 2^128 ; snap_a = acc
//! ```
//!
//! # Rounding
//! Always against who claims, in favour of who stays: joining buys shares rounded down, leaving sells
//! shares rounded up, the last one out takes everything. A fraction of a base unit that a delegation
//! leaves behind goes to `rem`, and so to the next deposit.
//!
//! # Bounds
//! `stake < 2^96`, `shares < 2^112` (a validator whose shares are worth 2^-16 base units each takes
//! no more delegations), everything ever deposited `< 2^112`. Then `num < 2^241` and
//! `s_a * (acc - snap_a) < 2^241`.

use alloy_primitives::U256;

/// Shares of a validator stay below this.
pub const MAX_SHARES: u128 = 1 << 112;

/// A validator's stake stays below this.
pub const MAX_STAKE: u128 = 1 << 96;

/// Fraction bits of the accumulator.
const FRACTION: usize = 128;

/// `floor(a * b / divisor)`; `None` for a division by zero or a result above 128 bits.
pub(super) fn mul_div(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let product = U256::from(a).checked_mul(U256::from(b))?;
    product.checked_div(U256::from(divisor))?.try_into().ok()
}

/// `ceil(a * b / divisor)`.
pub(super) fn mul_div_up(a: u128, b: u128, divisor: u128) -> Option<u128> {
    let product = U256::from(a).checked_mul(U256::from(b))?;
    let more = product.checked_add(U256::from(divisor.checked_sub(1)?))?;
    more.checked_div(U256::from(divisor))?.try_into().ok()
}

/// Stake and the shares that divide it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// Base units.
    pub stake: u128,
    /// What they are divided into.
    pub shares: u128,
}

impl Bond {
    /// What shares are worth, rounded down.
    pub fn value(&self, shares: u128) -> u128 {
        mul_div(shares, self.stake, self.shares).unwrap_or_default()
    }

    /// Adds stake; returns the shares it buys, rounded down. `None` when it buys none, when shares
    /// are worth nothing, or beyond the bounds.
    #[must_use = "shares belong to someone"]
    pub fn join(&mut self, amount: u128) -> Option<u128> {
        let bought = match (self.stake, self.shares) {
            (_, 0) => amount,
            (stake, shares) => mul_div(amount, shares, stake)?,
        };
        let stake = self.stake.checked_add(amount).filter(|stake| *stake < MAX_STAKE)?;
        let shares = self.shares.checked_add(bought).filter(|shares| *shares < MAX_SHARES)?;
        *self = Self { stake, shares };
        (bought > 0).then_some(bought)
    }

    /// Takes `amount` for a holder of `own` shares; returns the shares it costs, rounded up, and what
    /// it brings: the amount, or everything when no shares are left. `None` when the holder has less.
    #[must_use = "what leaves goes to someone"]
    pub fn leave(&mut self, amount: u128, own: u128) -> Option<(u128, u128)> {
        let sold = mul_div_up(amount, self.shares, self.stake)?;
        if sold > own || sold == 0 {
            return None;
        }
        let shares = self.shares.checked_sub(sold)?;
        let amount = if shares == 0 { self.stake } else { amount };
        *self = Self { stake: self.stake.checked_sub(amount)?, shares };
        Some((sold, amount))
    }

    /// Takes shares for what they are worth, rounded down, or everything when they are the last.
    #[must_use = "what leaves goes to someone"]
    pub fn burn(&mut self, sold: u128) -> Option<u128> {
        let shares = self.shares.checked_sub(sold)?;
        let amount = if shares == 0 { self.stake } else { self.value(sold) };
        *self = Self { stake: self.stake.checked_sub(amount)?, shares };
        Some(amount)
    }

    /// Takes a part of the stake from all holders, rounded down; returns it. What has stake keeps
    /// some, as no ratio is the whole.
    #[must_use = "what is slashed goes to someone"]
    pub fn slash(&mut self, points: u16) -> u128 {
        let cut = mul_div(self.stake, points.into(), 10_000).unwrap_or_default();
        self.stake = self.stake.saturating_sub(cut);
        cut
    }
}

/// Rewards per share so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accumulator {
    /// Per share, in 2^-128 base units, rounded down.
    pub acc: U256,
    /// What no share was due yet, in 2^-128 base units.
    pub rem: U256,
}

impl Accumulator {
    /// Divides `amount` among `shares`. `None` without shares or beyond the bounds.
    #[must_use = "a refused deposit must go elsewhere"]
    pub fn deposit(&self, amount: u128, shares: u128) -> Option<Self> {
        let scaled = U256::from(amount).checked_shl(FRACTION)?.checked_add(self.rem)?;
        let shares = U256::from(shares);
        let acc = self.acc.checked_add(scaled.checked_div(shares)?)?;
        Some(Self { acc, rem: scaled.checked_rem(shares)? })
    }
}

/// What a delegation has of the rewards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The accumulator when it was last settled.
    pub snap: U256,
    /// Below a base unit, in 2^-128 base units.
    pub frac: u128,
}

impl Due {
    /// What `shares` earned in whole base units, and what remains due. `None` beyond the bounds.
    pub fn settle(&self, shares: u128, pool: &Accumulator) -> Option<(u128, Self)> {
        let growth = pool.acc.checked_sub(self.snap)?;
        let owed = U256::from(shares).checked_mul(growth)?.checked_add(U256::from(self.frac))?;
        let whole = u128::try_from(owed.wrapping_shr(FRACTION)).ok()?;
        let frac = u128::try_from(owed & U256::from(u128::MAX)).ok()?;
        Some((whole, Self { snap: pool.acc, frac }))
    }
}
