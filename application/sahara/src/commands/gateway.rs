//! `sahara gateway`: sells answers over HTTP and settles them on chain.

use crate::{cli, secret, serve::serve, stop};
use eyre::{Result, WrapErr, bail, eyre};
use sahara_client::ChainClient;
use sahara_gateway::{GatewayConfig, RpcNode};
use sahara_primitives::B256;
use serde::{Deserialize, Serialize};
use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};
use tokio::{net::TcpListener, sync::oneshot};
use tracing::info;

/// What a gateway's configuration file says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// JSON-RPC of its node.
    pub(crate) rpc: String,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// What clients call it, as `http://127.0.0.1:8080`.
    pub(crate) url: String,
    /// Host names it answers to besides those of loopback.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// File with its key.
    pub(crate) key_file: PathBuf,
    /// Where it keeps requests and receipts.
    pub(crate) data_dir: PathBuf,
    /// Hash of block 0 of the chain it settles on.
    pub(crate) genesis_hash: B256,
}

/// Runs a gateway until it is asked to stop.
pub(crate) async fn run(gateway: &cli::Gateway) -> Result<()> {
    let path = &gateway.config;
    let text = fs::read(path).wrap_err_with(|| format!("could not read {}", path.display()))?;
    let config: Config =
        serde_json::from_slice(&text).wrap_err("the gateway's configuration is malformed")?;
    let client = ChainClient::new(&config.rpc)?;
    refuse_other_chain(&client, config.genesis_hash).await?;
    let key = secret::read(&config.key_file)?;
    let listener = TcpListener::bind(config.listen).await;
    let listener = listener.wrap_err_with(|| format!("cannot listen on {}", config.listen))?;
    let settings = GatewayConfig {
        chain_id: client.chain_id().await?,
        hosts: config.hosts,
        ..GatewayConfig::local(key.clone(), config.data_dir, config.url)
    };
    let node = Arc::new(RpcNode::new(client, key));
    let running = sahara_gateway::Gateway::open(settings, node).await?;
    let work = tokio::spawn(Arc::clone(&running).work());
    info!(address = %running.address(), listen = %config.listen, "the gateway is running");
    let (finish, finishing) = oneshot::channel::<()>();
    let server = serve(listener, running.router(), async { drop(finishing.await) });
    let mut server = std::pin::pin!(server);
    let ended = tokio::select! {
        () = &mut server => Err(eyre!("the gateway's server ended")),
        () = stop::asked(gateway.follow_parent) => Ok(()),
    };
    // Answers that are cut off here are charged for what was delivered after the next start.
    let _was_open = finish.send(()).is_ok();
    work.abort();
    ended
}

/// A gateway that settled on another chain than its receipts name would be paid by nobody.
async fn refuse_other_chain(client: &ChainClient, expected: B256) -> Result<()> {
    let genesis: serde_json::Value = client.request("eth_getBlockByNumber", ("0x0", false)).await?;
    let found = genesis.get("hash").and_then(serde_json::Value::as_str).unwrap_or_default();
    if found.parse::<B256>().ok() != Some(expected) {
        bail!("the node's chain begins with {found}, the configuration says {expected}");
    }
    Ok(())
}
