//! `sahara gateway`: sells answers over HTTP and settles them on chain.

use crate::cli;
use eyre::{Result, WrapErr};
use sahara_primitives::B256;
use serde::{Deserialize, Serialize};
use std::{fs, net::SocketAddr, path::PathBuf};

/// What a gateway's configuration file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// JSON-RPC of its node.
    pub(crate) rpc: String,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// File with its key.
    pub(crate) key_file: PathBuf,
    /// Where it keeps requests and receipts.
    pub(crate) data_dir: PathBuf,
    /// The chain it settles on.
    pub(crate) genesis_hash: B256,
}

/// Runs a gateway until it is asked to stop.
pub(crate) async fn run(gateway: &cli::Gateway) -> Result<()> {
    let text = fs::read(&gateway.config).wrap_err_with(|| format!("could not read {}", gateway.config.display()))?;
    let _config: Config = serde_json::from_slice(&text).wrap_err("the gateway's configuration is malformed")?;
    eyre::bail!("not joined yet")
}
