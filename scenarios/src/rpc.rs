//! JSON-RPC without a library, so that a test sees what is on the wire.

use eyre::{Result, bail};
use serde_json::{Value, json};

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
