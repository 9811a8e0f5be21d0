//! What the web application's pages send a gateway: which JSON-RPC they may ask its node, and who wants an
//! allowance.

use alloy_primitives::Address;
use serde::Deserialize;
use serde_json::Value;

/// What a page may ask: what reads, estimates, or sends what is signed already.
const METHODS: [&str; 20] = [
    "eth_blockNumber",
    "eth_call",
    "eth_chainId",
    "eth_estimateGas",
    "eth_feeHistory",
    "eth_gasPrice",
    "eth_getBalance",
    "eth_getBlockByNumber",
    "eth_getCode",
    "eth_getTransactionByHash",
    "eth_getTransactionCount",
    "eth_getTransactionReceipt",
    "eth_maxPriorityFeePerGas",
    "eth_sendRawTransaction",
    "eth_sendRawTransactionSync",
    "debug_traceTransaction",
    "sahara_getCertificate",
    "sahara_getHandovers",
    "sahara_getValidators",
    "web3_clientVersion",
];

/// One JSON-RPC request of a page: the body of `POST /app/rpc`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PageCall {
    /// Comes back with the answer.
    pub id: Value,
    /// What is asked.
    pub method: String,
    /// About what; nothing if it was left out.
    #[serde(default)]
    pub params: Value,
}

impl PageCall {
    /// Whether pages may ask it.
    #[must_use]
    pub fn is_for_pages(&self) -> bool {
        METHODS.contains(&self.method.as_str())
    }
}

/// Who wants an allowance: the body of `POST /app/allowance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newcomer {
    /// A key made in the browser.
    pub account: Address,
}
