//! Tokens and what they cost.

use crate::{Amount, Overflow};
use alloy_primitives::U256;
use serde::{Deserialize, Serialize};

/// Units of model text.
pub type TokenCount = u32;

/// What a request used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read: the prompt with its template.
    pub prompt_tokens: TokenCount,
    /// Tokens written and delivered.
    pub completion_tokens: TokenCount,
}

/// Base units per 1,000,000 tokens.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Price(pub u128);

/// What one party asks for tokens read and written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prices {
    /// Per 1,000,000 prompt tokens.
    pub input: Price,
    /// Per 1,000,000 completion tokens.
    pub output: Price,
}

impl Prices {
    /// The charge for a usage: `ceil((prompt * input + completion * output) / 1,000,000)`.
    ///
    /// The only multiplication of tokens and prices, rounded up once per request and party.
    ///
    /// # Errors
    /// [`Overflow`] never for `u32` tokens and `u128` prices; kept for the reader's sake.
    pub fn charge(self, usage: Usage) -> Result<Amount, Overflow> {
        let part = |tokens: TokenCount, price: Price| {
            U256::from(tokens).checked_mul(U256::from(price.0)).ok_or(Overflow)
        };
        let sum = part(usage.prompt_tokens, self.input)?
            .checked_add(part(usage.completion_tokens, self.output)?)
            .ok_or(Overflow)?;
        Ok(Amount::from_base_units(sum.div_ceil(U256::from(1_000_000))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_rounds_up_once() {
        let prices = Prices { input: Price(1), output: Price(1) };
        let charge = |prompt_tokens, completion_tokens| {
            prices.charge(Usage { prompt_tokens, completion_tokens }).unwrap()
        };
        assert_eq!(charge(0, 0), Amount::ZERO);
        assert_eq!(charge(1, 1), Amount::from_u128(1));
        assert_eq!(charge(1_000_000, 1), Amount::from_u128(2));
    }
}
