//! [`Steady`]: someone who pays all the time and remembers what was promised to be final.

use crate::{Account, Rpc, Testnet};
use alloy_primitives::{Address, U256, keccak256};
use eyre::{ContextCompat, Result, ensure};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// How long a node may take to answer before another is asked.
const ANSWER: Duration = Duration::from_secs(5);

/// A payment that a node said to be final.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The transaction.
    pub hash: String,
    /// The block that it was said to be in.
    pub block: String,
}

/// One unit at a time to a stranger, through each node in turn; nodes may die at any moment.
#[derive(Debug)]
pub struct Steady {
    task: JoinHandle<Result<Vec<Acknowledged>>>,
    stop: Arc<AtomicBool>,
    /// Who is paid.
    pub to: Address,
}

impl Steady {
    /// Begins to pay from a fresh account, which the genesis must have given coin.
    pub fn start(account: Account, chain_id: u64, nodes: Vec<Rpc>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (to, stopped) = (Address::repeat_byte(0xb0), Arc::clone(&stop));
        let task = tokio::spawn(async move {
            let mut paid = Vec::new();
            let mut nodes = nodes.iter().cycle();
            for nonce in 0.. {
                let raw = account.transfer(chain_id, nonce, to, U256::ONE)?;
                // Sent again to the next until one says that it is final: a nonce is used once.
                let acknowledged = loop {
                    if stopped.load(Ordering::Relaxed) {
                        return Ok(paid);
                    }
                    let node = nodes.next().wrap_err("a network has nodes")?;
                    let sent = tokio::time::timeout(ANSWER, pay(node, &raw)).await;
                    if let Ok(Ok(acknowledged)) = sent {
                        break acknowledged;
                    }
                    pass(Duration::from_millis(20)).await;
                };
                paid.push(acknowledged);
            }
            Ok(paid)
        });
        Self { task, stop, to }
    }

    /// Stops, and returns what was said to be final.
    ///
    /// # Errors
    /// When a transaction could not be signed.
    pub async fn end(self) -> Result<Vec<Acknowledged>> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

/// Lets time pass: for what must not happen meanwhile, and for moments that are chance.
#[expect(clippy::disallowed_methods, reason = "what does not happen can only be waited for")]
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Sends, whether or not the node has it, and waits for the receipt, which final blocks alone have.
async fn pay(node: &Rpc, raw: &alloy_primitives::Bytes) -> Result<Acknowledged> {
    let hash = keccak256(raw).to_string();
    // Refused when it is known or already in a block.
    drop(node.call("eth_sendRawTransaction", json!([raw])).await);
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        let receipt = node.call("eth_getTransactionReceipt", json!([hash])).await?;
        if let Some(block) = receipt.get("blockHash").and_then(Value::as_str) {
            ensure!(receipt.get("status") == Some(&json!("0x1")), "a payment failed: {receipt}");
            return Ok(Acknowledged { hash, block: block.to_owned() });
        }
    }
}

/// Everything acknowledged is in the same block at every host, nothing was paid twice, and all have one
/// state, which each of them counts again from its rows.
///
/// # Errors
/// When it is not so.
pub async fn nothing_is_lost(
    network: &Testnet,
    hosts: &[u16],
    (to, acknowledged): (Address, &[Acknowledged]),
) -> Result<()> {
    let mut height = 0;
    for host in hosts {
        height = height.max(network.rpc(*host).height().await?);
    }
    network.agree(hosts, height).await?;
    for host in hosts {
        let rpc = network.rpc(*host);
        for Acknowledged { hash, block } in acknowledged {
            let receipt = rpc.call("eth_getTransactionReceipt", json!([hash])).await?;
            ensure!(
                receipt.get("blockHash") == Some(&json!(block)),
                "host {host} has {hash} not in {block} any more: {receipt}"
            );
        }
        let held = rpc.call("eth_getBalance", json!([to, format!("{height:#x}")])).await?;
        let held: U256 = held.as_str().wrap_err("a balance")?.parse()?;
        let paid = U256::from(acknowledged.len());
        // The last payment may be final without anyone having been told.
        ensure!(
            held == paid || held == paid.saturating_add(U256::ONE),
            "host {host}: {paid} payments were acknowledged, {held} units arrived"
        );
        network.recount(*host).await?;
    }
    Ok(())
}
