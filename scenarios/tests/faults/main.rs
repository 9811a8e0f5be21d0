//! Validator processes that are killed, cut off, slowed down, and whose disks end.
//!
//! What must hold whatever happens: nothing that was said to be final is lost or changes, no two nodes
//! have different blocks at a height, and with more than two thirds of the validators blocks go on.

mod disks;
mod kills;
mod links;

use alloy_primitives::B256;
use eyre::Result;
use sahara_scenarios::{Account, Testnet};
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

/// The last final block of each of these hosts.
async fn heights(network: &Testnet, hosts: &[u16]) -> Result<Vec<u64>> {
    let mut heights = Vec::new();
    for host in hosts {
        heights.push(network.rpc(*host).height().await?);
    }
    Ok(heights)
}
