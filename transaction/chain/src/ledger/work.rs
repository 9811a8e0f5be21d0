//! Whether there is something to put into a block.

use super::{Inner, execute::pool_head};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use sahara_evm::{ParentState, StateError};
use sahara_finality::Block;
use std::collections::BTreeMap;

/// Resolves when the pool has a transaction that neither `parent` nor an ancestor contains.
pub(super) async fn wait(inner: &Inner, parent: &Block) -> Result<(), StateError> {
    let hash = parent.hash();
    let mut arrivals = inner.pool.subscribe();
    let mut finalized = inner.finalized.subscribe();
    while !has_work(inner, (hash, &parent.header))? {
        tokio::select! {
            _ = arrivals.recv() => {}
            changed = finalized.changed() => if changed.is_err() { return Ok(()) },
        }
    }
    Ok(())
}

fn has_work(inner: &Inner, (parent, header): (B256, &Header)) -> Result<bool, StateError> {
    let Ok(state) = inner.pending.state_after(parent) else { return Ok(false) };
    let floor = inner.fees.governed(&state)?.base_fee_floor;
    let base_fee = pool_head(header, floor).base_fee;
    let mut nonces: BTreeMap<Address, u64> = BTreeMap::new();
    for pooled in inner.pool.best(base_fee, u64::MAX) {
        let sender = pooled.sender();
        let nonce = match nonces.get(&sender) {
            Some(nonce) => *nonce,
            None => {
                let account = state.account(sender)?;
                let nonce = account.map_or(0, |account| account.nonce);
                nonces.insert(sender, nonce);
                nonce
            }
        };
        if pooled.nonce() >= nonce && !inner.refused.lock().contains(&pooled.hash()) {
            return Ok(true);
        }
    }
    Ok(false)
}
