//! Validator processes that are killed, cut off, slowed down, and whose disks end.
//!
//! What must hold whatever happens: nothing that was said to be final is lost or changes, no two nodes
//! have different blocks at a height, and with more than two thirds of the validators blocks go on.

mod disks;
mod kills;
mod links;

use alloy_primitives::B256;
use eyre::{ContextCompat, Result};
use sahara_scenarios::{Account, Rpc, Steady, Testnet};
use serde_json::json;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Four validators want the whole machine.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The account that pays; the genesis gives it coin.
fn payer() -> Result<(Account, String)> {
    let account = Account::new(B256::repeat_byte(0x5e).0)?;
    let address = account.address.to_string();
    Ok((account, address))
}

/// Pays through these hosts.
async fn load(network: &Testnet, payer: Account, hosts: &[u16]) -> Result<Steady> {
    let nodes: Vec<Rpc> = hosts.iter().map(|host| network.rpc(*host)).collect();
    let first = nodes.first().wrap_err("a host")?;
    let id = first.call("eth_chainId", json!([])).await?;
    let id = id.as_str().wrap_err("a chain id")?.trim_start_matches("0x");
    Ok(Steady::start(payer, u64::from_str_radix(id, 16)?, nodes))
}

/// The last final block of each of these hosts.
async fn heights(network: &Testnet, hosts: &[u16]) -> Result<Vec<u64>> {
    let mut heights = Vec::new();
    for host in hosts {
        heights.push(network.rpc(*host).height().await?);
    }
    Ok(heights)
}
