//! `network.json`: what other commands need to know of a local network.

use crate::{config::Places, failure::Failure, local::Ports};
use alloy_primitives::{Address, B256};
use eyre::{Result, WrapErr};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// A local network as others see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Network {
    /// EIP-155 chain id.
    pub(crate) chain_id: u64,
    /// Hash of the genesis block: all that a verifier has to trust.
    pub(crate) genesis_hash: B256,
    /// JSON-RPC of the first node.
    pub(crate) rpc: String,
    /// JSON-RPC of every node.
    pub(crate) rpcs: Vec<String>,
    /// Gateway and web.
    pub(crate) gateway: String,
    /// Prometheus metrics of the first node.
    pub(crate) metrics: String,
    /// Ports.
    pub(crate) ports: Ports,
    /// Accounts of the demonstration by role.
    pub(crate) accounts: BTreeMap<String, Address>,
    /// Assets of the demonstration by role.
    pub(crate) assets: BTreeMap<String, u64>,
    /// The model or agent to talk to first.
    pub(crate) model: Option<String>,
    /// The demonstration's API key.
    pub(crate) api_key: Option<String>,
}

/// The directory of the local network.
pub(crate) fn directory(places: &Places) -> PathBuf {
    places.data.join("local")
}

impl Network {
    /// Reads it, if there is one.
    pub(crate) fn find(places: &Places) -> Result<Option<Self>> {
        let path = directory(places).join("network.json");
        match fs::read(&path) {
            Ok(bytes) => {
                let network = serde_json::from_slice(&bytes);
                network.map(Some).wrap_err_with(|| format!("{} is damaged", path.display()))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).wrap_err_with(|| format!("could not read {}", path.display())),
        }
    }

    /// Reads it; without one the error says how to get one.
    pub(crate) fn expect(places: &Places) -> Result<Self> {
        Self::find(places)?.ok_or_else(|| {
            let directory = directory(places);
            Failure::not_found(format!(
                "no local network in {}: start one with `sahara up`",
                directory.display()
            ))
        })
    }

    /// Writes it whole or not at all.
    pub(crate) fn write(&self, directory: &Path) -> Result<()> {
        let (path, draft) = (directory.join("network.json"), directory.join("network.json.draft"));
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&draft, &path).wrap_err_with(|| format!("could not write {}", path.display()))
    }
}
