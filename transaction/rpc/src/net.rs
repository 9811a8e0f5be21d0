//! The `net`, `web3` and `rpc` namespaces.

use crate::{error::Failure, node::Node};
use alloy_primitives::{B256, Bytes, U64, keccak256};
use jsonrpsee::proc_macros::rpc;
use std::collections::BTreeMap;

#[rpc(server)]
pub(crate) trait NetApi {
    #[method(name = "net_version")]
    fn version(&self) -> Result<String, Failure>;
    #[method(name = "net_listening")]
    fn listening(&self) -> Result<bool, Failure>;
    #[method(name = "net_peerCount")]
    fn peer_count(&self) -> Result<U64, Failure>;
    #[method(name = "web3_clientVersion")]
    fn client_version(&self) -> Result<String, Failure>;
    #[method(name = "web3_sha3")]
    fn sha3(&self, data: Bytes) -> Result<B256, Failure>;
    #[method(name = "rpc_modules")]
    fn modules(&self) -> Result<BTreeMap<String, String>, Failure>;
}

#[derive(Debug)]
pub(crate) struct Net {
    pub(crate) node: Node,
    /// The namespaces of every method served.
    pub(crate) namespaces: Vec<String>,
}

impl NetApiServer for Net {
    fn version(&self) -> Result<String, Failure> {
        Ok(self.node.rules().chain_id().to_string())
    }

    fn listening(&self) -> Result<bool, Failure> {
        Ok(true)
    }

    fn peer_count(&self) -> Result<U64, Failure> {
        Ok(U64::from(self.node.peers()))
    }

    fn client_version(&self) -> Result<String, Failure> {
        Ok(self.node.version().to_owned())
    }

    fn sha3(&self, data: Bytes) -> Result<B256, Failure> {
        Ok(keccak256(data))
    }

    fn modules(&self) -> Result<BTreeMap<String, String>, Failure> {
        Ok(self.namespaces.iter().map(|name| (name.clone(), "1.0".to_owned())).collect())
    }
}
