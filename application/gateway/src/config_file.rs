//! [`ConfigFile`]: what a gateway's operator writes down.

use sahara_primitives::{Amount, B256};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// 64 GiB: a few hundred small models, and less than a machine's disk.
pub const DEFAULT_VAULT_CAPACITY: u64 = 64 << 30;

/// What a gateway's configuration file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// JSON-RPC of its node.
    pub rpc: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// What clients call it, as `http://127.0.0.1:8080`.
    pub url: String,
    /// Host names it answers to besides those of loopback.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// File with its key.
    pub key_file: PathBuf,
    /// Where it keeps requests and receipts.
    pub data_dir: PathBuf,
    /// Hash of block 0 of the chain it settles on.
    pub genesis_hash: B256,
    /// Seconds of a usage log's period; a day, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_period_seconds: Option<u64>,
    /// What it gives to keys made in a browser; on a local network only.
    #[serde(default)]
    pub allowance: Option<AllowanceTerms>,
    /// How many requests an address may make of the app API in a minute; 6,000, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_requests_per_minute: Option<u32>,
    /// The most bytes of assets' content that it keeps.
    #[serde(default = "default_vault_capacity")]
    pub vault_capacity: u64,
}

/// How much newcomers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowanceTerms {
    /// Each, once.
    pub each: Amount,
    /// All of a day (UTC) together.
    pub per_day: Amount,
}

const fn default_vault_capacity() -> u64 {
    DEFAULT_VAULT_CAPACITY
}
