//! `sahara node --sync state`: fetching the state before the node starts.

use crate::{cli, stop};
use eyre::Result;
use sahara_chain::{
    consensus::{ConsensusConfig, StateSource, join},
    genesis::GenesisFile,
    store::{Genesis, StoreOptions, SyncStore},
    sync::Trust,
};
use sahara_finality::ChainIdentity;
use std::path::Path;
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
    let mut stop = std::pin::pin!(stop::asked(node.follow_parent));
    let ended = tokio::select! {
        () = &mut stop => None,
        ended = handle.ended() => Some(ended?),
    };
    if let Some(is_whole) = ended {
        return Ok(is_whole);
    }
    handle.stop().await?;
    Ok(false)
}
