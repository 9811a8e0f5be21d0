//! Prices in JSON as decimal strings: they pass 2^64, which many JSON readers round.

use sahara_primitives::{Price, Prices};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Serialize, Deserialize)]
struct Text {
    input: String,
    output: String,
}

pub(crate) fn serialize<S: Serializer>(prices: &Prices, serializer: S) -> Result<S::Ok, S::Error> {
    Text { input: prices.input.0.to_string(), output: prices.output.0.to_string() }
        .serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Prices, D::Error> {
    let text = Text::deserialize(deserializer)?;
    let price = |text: &str| text.parse().map(Price).map_err(D::Error::custom);
    Ok(Prices { input: price(&text.input)?, output: price(&text.output)? })
}
