//! JSON-RPC without a library, so that a test sees what is on the wire.

use eyre::{ContextCompat, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A node's JSON-RPC.
#[derive(Clone, Debug)]
pub struct Rpc {
    /// Where it listens.
    pub url: String,
    http: reqwest::Client,
}

impl Rpc {
    /// For a URL.
    pub fn new(url: String) -> Self {
        Self { url, http: reqwest::Client::new() }
    }

    /// Calls a method and returns its result.
    ///
    /// # Errors
    /// When the node does not answer, or answers with an error.
    pub async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer: Value = self.http.post(&self.url).json(&request).send().await?.json().await?;
        match answer.get("result") {
            Some(result) => Ok(result.clone()),
            None => bail!("{method} was answered with {answer}"),
        }
    }

    /// Calls a method with each of these parameters in one request, and returns the results in their order.
    ///
    /// # Errors
    /// When the node does not answer, or one of them with an error.
    pub async fn batch(&self, method: &str, params: &[Value]) -> Result<Vec<Value>> {
        if params.is_empty() {
            return Ok(Vec::new());
        }
        let requests = (0_u64..).zip(params).map(
            |(id, params)| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
        );
        let requests: Vec<_> = requests.collect();
        let answers: Value = self.http.post(&self.url).json(&requests).send().await?.json().await?;
        let mut results = BTreeMap::new();
        for answer in answers.as_array().wrap_err_with(|| format!("no answers: {answers}"))? {
            match (answer.get("id").and_then(Value::as_u64), answer.get("result")) {
                (Some(id), Some(result)) => results.insert(id, result.clone()),
                _ => bail!("{method} was answered with {answer}"),
            };
        }
        ensure!(results.len() == params.len(), "{method}: {} answers", results.len());
        Ok(results.into_values().collect())
    }

    /// The last final block's number.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn height(&self) -> Result<u64> {
        let answer = self.call("eth_blockNumber", json!([])).await?;
        let text = answer.as_str().unwrap_or_default();
        Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
    }
}
