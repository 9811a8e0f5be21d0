//! Where a command's node and gateway are: flags, then the environment, then the local network.

use crate::{
    cli::Signer, config::Places, failure::Failure, local::Network, refusal::refused, signer,
};
use eyre::Result;
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::Address;

/// What every command that talks to a network has.
#[derive(Debug)]
pub(crate) struct Session {
    /// Where things are kept.
    pub(crate) places: Places,
    /// For gateways.
    pub(crate) http: reqwest::Client,
    /// Flags with which programs that this one starts log as it does.
    pub(crate) logging: Vec<String>,
    rpc: Option<String>,
    gateway: Option<String>,
}

impl Session {
    /// From the global flags.
    pub(crate) fn new(
        places: Places,
        (rpc, gateway): (Option<String>, Option<String>),
        logging: Vec<String>,
    ) -> Self {
        Self { places, http: reqwest::Client::new(), logging, rpc, gateway }
    }

    /// The local network, if there is one.
    pub(crate) fn network(&self) -> Result<Option<Network>> {
        Network::find(&self.places)
    }

    /// JSON-RPC of the node.
    pub(crate) fn rpc(&self) -> Result<String> {
        match &self.rpc {
            Some(rpc) => Ok(rpc.clone()),
            None => Ok(Network::expect(&self.places)?.rpc),
        }
    }

    /// The node.
    pub(crate) fn client(&self) -> Result<ChainClient> {
        ChainClient::new(&self.rpc()?).map_err(refused)
    }

    /// The key a command's flags name.
    pub(crate) async fn key(&self, signer: &Signer) -> Result<SigningKey> {
        signer::open(signer, &self.places, &self.client()?).await
    }

    /// The key of an account: the flags', else that of the wallet with this address.
    pub(crate) async fn key_of(&self, signer: &Signer, account: Address) -> Result<SigningKey> {
        signer::open_account(signer, &self.places, &self.client()?, account).await
    }

    /// URL of the gateway.
    pub(crate) fn gateway(&self) -> Result<String> {
        let gateway = match &self.gateway {
            Some(gateway) => gateway.clone(),
            None => Network::expect(&self.places)?.gateway,
        };
        Ok(gateway.trim_end_matches('/').to_owned())
    }

    /// An API key: the one given, else the local network's.
    pub(crate) fn api_key(&self, given: Option<&String>) -> Result<String> {
        if let Some(key) = given {
            return Ok(key.clone());
        }
        let key = self.network()?.and_then(|network| network.api_key);
        key.ok_or_else(|| Failure::refused("no API key: make one with `sahara key create`"))
    }
}
