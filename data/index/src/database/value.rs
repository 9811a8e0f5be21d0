//! [`Value`]: what is written, and [`Read`]: what is read, in the few types both databases share.
//!
//! Money is decimal text of exactly [`MONEY_DIGITS`] digits. `SQLite` has no exact number above 2^63
//! (its NUMERIC turns into a float), so text is the one form that both keep and sort exactly: with
//! leading zeros the order of the texts is the order of the numbers. `PostgreSQL` reads it as a number
//! with `amount::numeric`.

use crate::error::IndexError;
use alloy_primitives::{Address, B256, U256};
use sqlx::{Row as _, any::AnyRow};

/// 2^128 - 1 has 39 digits; all coin together has 29.
const MONEY_DIGITS: usize = 39;

/// A value for a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    NoText,
    NoBytes,
    NoInt,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::NoText, Self::Text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Address> for Value {
    fn from(value: Address) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Option<Address>> for Value {
    fn from(value: Option<Address>) -> Self {
        value.map_or(Self::NoBytes, Self::from)
    }
}

impl From<B256> for Value {
    fn from(value: B256) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Option<B256>> for Value {
    fn from(value: Option<B256>) -> Self {
        value.map_or(Self::NoBytes, Self::from)
    }
}

/// A count or number of the chain as a column holds it.
pub(crate) fn integer(value: u64) -> Result<i64, IndexError> {
    i64::try_from(value).map_err(|_| IndexError::malformed("a number", &format!("{value} > 2^63")))
}

/// Coin as a column holds it.
pub(crate) fn money(units: u128) -> Value {
    Value::Text(format!("{units:0>MONEY_DIGITS$}"))
}

/// Coin of an event. All coin together is far below 2^128.
pub(crate) fn coin(units: U256) -> Result<u128, IndexError> {
    u128::try_from(units).map_err(|_| IndexError::malformed("an amount", &format!("{units} units")))
}

/// Columns by name.
pub(crate) trait Read {
    fn int(&self, column: &str) -> Result<i64, IndexError>;
    fn number(&self, column: &str) -> Result<u64, IndexError>;
    fn maybe_int(&self, column: &str) -> Result<Option<i64>, IndexError>;
    fn flag(&self, column: &str) -> Result<bool, IndexError>;
    fn text(&self, column: &str) -> Result<String, IndexError>;
    fn maybe_text(&self, column: &str) -> Result<Option<String>, IndexError>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, IndexError>;
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, IndexError>;
    fn address(&self, column: &str) -> Result<Address, IndexError>;
    fn maybe_address(&self, column: &str) -> Result<Option<Address>, IndexError>;
    fn hash(&self, column: &str) -> Result<B256, IndexError>;
    fn maybe_hash(&self, column: &str) -> Result<Option<B256>, IndexError>;
    fn money(&self, column: &str) -> Result<u128, IndexError>;
}

impl Read for AnyRow {
    fn int(&self, column: &str) -> Result<i64, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn number(&self, column: &str) -> Result<u64, IndexError> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| IndexError::malformed("a stored number", &value))
    }

    fn maybe_int(&self, column: &str) -> Result<Option<i64>, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn flag(&self, column: &str) -> Result<bool, IndexError> {
        Ok(self.int(column)? != 0)
    }

    fn text(&self, column: &str) -> Result<String, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_text(&self, column: &str) -> Result<Option<String>, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.try_get(column)?)
    }

    fn address(&self, column: &str) -> Result<Address, IndexError> {
        address(&self.bytes(column)?)
    }

    fn maybe_address(&self, column: &str) -> Result<Option<Address>, IndexError> {
        self.maybe_bytes(column)?.map(|bytes| address(&bytes)).transpose()
    }

    fn hash(&self, column: &str) -> Result<B256, IndexError> {
        hash(&self.bytes(column)?)
    }

    fn maybe_hash(&self, column: &str) -> Result<Option<B256>, IndexError> {
        self.maybe_bytes(column)?.map(|bytes| hash(&bytes)).transpose()
    }

    fn money(&self, column: &str) -> Result<u128, IndexError> {
        let text = self.text(column)?;
        text.parse().map_err(|error| IndexError::malformed("a stored amount", &error))
    }
}

fn address(bytes: &[u8]) -> Result<Address, IndexError> {
    Address::try_from(bytes).map_err(|error| IndexError::malformed("a stored address", &error))
}

fn hash(bytes: &[u8]) -> Result<B256, IndexError> {
    B256::try_from(bytes).map_err(|error| IndexError::malformed("a stored hash", &error))
}

#[cfg(test)]
mod tests {
    use super::{Value, money};
    use proptest::prelude::{any, proptest};

    proptest! {
        #[test]
        fn the_order_of_texts_is_the_order_of_money(a in any::<u128>(), b in any::<u128>()) {
            let (Value::Text(left), Value::Text(right)) = (money(a), money(b)) else {
                panic!("money is text")
            };
            assert_eq!(left.cmp(&right), a.cmp(&b));
            assert_eq!(left.parse::<u128>().unwrap(), a);
        }
    }
}
