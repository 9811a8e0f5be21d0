//! `sahara node --sync state`: fetching the state before the node starts.

use super::VERSION;
use crate::{
    cli,
    serve::{guard, serve},
    stop,
};
use eyre::{Result, WrapErr};
use sahara_chain::{
    consensus::{ConsensusConfig, StateSource, join},
    genesis::GenesisFile,
    store::{Genesis, StoreOptions, SyncStore},
    sync::Trust,
};
use sahara_finality::ChainIdentity;
use sahara_rpc::Fetching;
use std::path::Path;
use tokio::{net::TcpListener, task::JoinHandle};
use tracing::info;

/// Fetches the state unless there is a chain already. False when it was asked to stop before.
pub(super) async fn fetch(
    node: &cli::Node,
    (file, genesis): (&GenesisFile, &Genesis),
    (directory, options): (&Path, StoreOptions),
    consensus: &ConsensusConfig,
) -> Result<bool> {
    let Some(store) = SyncStore::open(directory, options, genesis)? else {
        info!("there is a chain already; it goes on by executing blocks");
        return Ok(true);
    };
    let chain = ChainIdentity { chain_id: genesis.chain_id, genesis: genesis.block.hash() };
    let trust = Trust::new(genesis, file.validators.clone(), file.epoch_length)?;
    info!(goes_on = store.is_begun(), "fetching the state from peers");
    let mut handle = join(consensus.clone(), StateSource { chain, trust, store })?;
    let fetching =
        Fetching { chain_id: genesis.chain_id, version: VERSION, progress: handle.progress() };
    let answering = answer(node, fetching).await?;
    let mut stop = std::pin::pin!(stop::asked(node.follow_parent));
    let ended = tokio::select! {
        () = &mut stop => None,
        ended = handle.ended() => Some(ended),
    };
    for server in answering {
        server.abort();
        // Ended or aborted: its port is free.
        drop(server.await);
    }
    if let Some(is_whole) = ended {
        return Ok(is_whole?);
    }
    handle.stop().await?;
    Ok(false)
}

/// Serves both ports as long as there is nothing but progress to tell of.
async fn answer(node: &cli::Node, fetching: Fetching) -> Result<[JoinHandle<()>; 2]> {
    let bind = async |address, what: &str| {
        let listener = TcpListener::bind(address).await;
        listener.wrap_err_with(|| format!("cannot listen on {address} for {what}"))
    };
    let rpc = bind(node.rpc_listen, "JSON-RPC").await?;
    let answers = guard(&rpc, fetching.clone().rpc(), node.rpc_hosts.clone())?;
    let metrics = bind(node.metrics_listen, "metrics").await?;
    let monitor = guard(&metrics, fetching.monitor(), Vec::new())?;
    Ok([
        tokio::spawn(serve(rpc, answers, std::future::pending())),
        tokio::spawn(serve(metrics, monitor, std::future::pending())),
    ])
}
