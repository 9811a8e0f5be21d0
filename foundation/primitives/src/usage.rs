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

/// Base units per 1,000,000 tokens. In JSON a decimal text, since numbers there lose digits above
/// 2^53.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Price(pub u128);

/// A text is no price.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price: expected base units per 1,000,000 tokens as a decimal text")]
pub struct ParsePriceError(String);

impl TryFrom<String> for Price {
    type Error = ParsePriceError;

    fn try_from(text: String) -> Result<Self, ParsePriceError> {
        match text.parse() {
            Ok(units) => Ok(Self(units)),
            Err(_) => Err(ParsePriceError(text)),
        }
    }
}

impl From<Price> for String {
    fn from(price: Price) -> Self {
        price.0.to_string()
    }
}

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
    fn a_price_survives_json() {
        let price = Price(20_000_000_000_000_000_001);
        let json = serde_json::to_value(price).unwrap();
        assert_eq!(json, "20000000000000000001");
        assert_eq!(serde_json::from_value::<Price>(json).unwrap(), price);
        assert!(serde_json::from_str::<Price>("\"1e3\"").is_err());
    }

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
