//! What a transaction offers for gas.

use crate::{chain::ChainClient, error::ClientError};
use alloy_primitives::{U64, U128};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Fees per gas, in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// The most paid in all.
    pub max_fee: u128,
    /// The most for the proposer.
    pub max_tip: u128,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HeadFees {
    #[serde(default)]
    base_fee_per_gas: U64,
}

impl Fees {
    /// For a base fee: room for it to double, that is about 6 s of full blocks at 12.5 % a second.
    #[must_use]
    pub const fn for_base_fee(base_fee: u64, tip: u128) -> Self {
        let room = (base_fee as u128).saturating_mul(2);
        Self { max_fee: room.saturating_add(tip), max_tip: tip }
    }
}

impl ChainClient {
    /// Fees that get a transaction into the next blocks.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn fees(&self) -> Result<Fees, ClientError> {
        fees_of(&mut self.rpc().batch::<Value>(&asked()).await?.into_iter())
    }

    /// As [`Self::fees`], and the answer to another request, asked together.
    pub(crate) async fn fees_and<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<(Fees, T), ClientError> {
        let [head, tip] = asked();
        let asked = [head, tip, (method, params)];
        let mut answers = self.rpc().batch::<Value>(&asked).await?.into_iter();
        Ok((fees_of(&mut answers)?, take(&mut answers)?))
    }
}

fn asked() -> [(&'static str, Value); 2] {
    [("eth_getBlockByNumber", json!(["latest", false])), ("eth_maxPriorityFeePerGas", json!([]))]
}

fn fees_of(
    answers: &mut impl Iterator<Item = Result<Value, ClientError>>,
) -> Result<Fees, ClientError> {
    let (head, tip) = (take::<HeadFees>(answers), take::<U128>(answers));
    Ok(Fees::for_base_fee(head?.base_fee_per_gas.to(), tip?.to()))
}

fn take<T: DeserializeOwned>(
    answers: &mut impl Iterator<Item = Result<Value, ClientError>>,
) -> Result<T, ClientError> {
    let wrong = |reason: String| ClientError::Answer { method: "fees".into(), reason };
    let answer = answers.next().ok_or_else(|| wrong("an answer is missing".into()))??;
    serde_json::from_value(answer).map_err(|error| wrong(error.to_string()))
}
