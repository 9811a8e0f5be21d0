//! [`Terms`]: what a request asks for and at which prices, fixed before any work.

use alloy_primitives::B256;
use alloy_sol_types::SolStruct;
use sahara_abi::signing::{Output, Request};
use sahara_primitives::{AssetId, Prices};
use serde::{Deserialize, Serialize};

/// The terms of one request, as the hash in its receipt commits to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// keccak-256 of the body's bytes.
    pub body_hash: B256,
    /// The asset asked.
    pub asset: AssetId,
    /// For which purposes, as bits of `ILicenses`.
    pub purpose: u8,
    /// What the worker asks.
    pub worker_prices: Prices,
    /// What the asset's owner asks.
    pub asset_prices: Prices,
    /// The request's own id.
    pub request_id: B256,
    /// Known to payer and gateway, so that nobody guesses short prompts from the hash.
    pub salt: B256,
}

impl Terms {
    /// The EIP-712 struct hash: `Receipt.request_hash`.
    pub fn hash(&self) -> B256 {
        Request {
            method: self.method.clone(),
            url: self.url.clone(),
            bodyHash: self.body_hash,
            asset: self.asset.0,
            purpose: self.purpose,
            workerInput: self.worker_prices.input.0,
            workerOutput: self.worker_prices.output.0,
            assetInput: self.asset_prices.input.0,
            assetOutput: self.asset_prices.output.0,
            requestId: self.request_id,
            salt: self.salt,
        }
        .eip712_hash_struct()
    }

    /// The salted hash of the delivered text: `Receipt.output_hash`.
    pub fn output_hash(&self, text: &str) -> B256 {
        Output { requestHash: self.hash(), text: text.to_owned(), salt: self.salt }
            .eip712_hash_struct()
    }
}
