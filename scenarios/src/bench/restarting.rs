//! STATE-2: how long a node takes to start again on a state of so many accounts, stopped or killed before.
//!
//! The accounts are made by transactions of a real chain, so that the store is one that a node wrote, with its
//! blocks, receipts and certificates.

use super::{
    joining::{number, size},
    quantile, report,
};
use crate::{Account, Rpc, Testnet};
use alloy_primitives::{Address, B256, Bytes, U256, hex};
use eyre::{Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The most accounts unless more are asked for.
pub const USUAL: u64 = 1_000_000;

/// How many accounts the node is started on, up to as many as are asked for.
const SIZES: [u64; 4] = [0, 100_000, 1_000_000, 10_000_000];
/// Accounts made by one transaction. Each takes about 34,350 gas, and a transaction may have 2^24: some 480 would fit.
const EACH: u64 = 450;
/// Transactions under way: eight full blocks.
const ROUND: u64 = 200;
/// Starts after each kind of end, of which the median counts.
const STARTS: usize = 3;
/// How often it is looked whether a node is there.
const LOOK: Duration = Duration::from_millis(5);
/// The longest that a start may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs STATE-2 on up to `largest` accounts.
///
/// # Errors
/// When the node does not start, or refuses a transaction.
pub async fn run(largest: u64) -> Result<()> {
    let payer = Account::new(B256::repeat_byte(0x57).0)?;
    let mut network = Testnet::start(1, &["--account", &payer.address.to_string()])?;
    network.reaches(0, 1).await?;
    let mut crowd = Crowd { payer, transactions: 0 };
    let mut rows = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        crowd.grow(&network.rpc(0), size).await?;
        rows.push(row(&mut network, crowd.accounts()).await?);
    }
    let answered = |row: Option<&Value>| row?.pointer("/stopped/answered_ms")?.as_f64();
    let ratio = answered(rows.last()).zip(answered(rows.first()));
    let ratio = ratio.map(|(largest, smallest)| (largest / smallest * 100.0).round() / 100.0);
    let workload = "one validator started again: until it answers, says that it is ready, has made a block; files in the system's cache";
    report("STATE-2", workload, &json!(rows), &Value::Null, ratio)
}

/// Accounts that hold one unit each.
struct Crowd {
    /// Sends nothing else.
    payer: Account,
    transactions: u64,
}

impl Crowd {
    const fn accounts(&self) -> u64 {
        self.transactions.saturating_mul(EACH)
    }

    /// Makes accounts until there are as many, or a few more.
    async fn grow(&mut self, rpc: &Rpc, accounts: u64) -> Result<()> {
        let chain_id = number(&rpc.call("eth_chainId", json!([])).await?)?;
        let of_payer = json!([self.payer.address, "latest"]);
        let last = accounts.div_ceil(EACH);
        let mut tick = tokio::time::interval(LOOK);
        while self.transactions < last {
            let next = last.min(self.transactions.saturating_add(ROUND));
            for nonce in self.transactions..next {
                let code = making(nonce.saturating_mul(EACH));
                let raw = self.payer.creation(chain_id, nonce, code, U256::from(EACH))?;
                rpc.call("eth_sendRawTransaction", json!([raw])).await?;
            }
            while number(&rpc.call("eth_getTransactionCount", of_payer.clone()).await?)? < next {
                tick.tick().await;
            }
            self.transactions = next;
            // What runs out of gas makes nobody.
            let newest = member(self.accounts().saturating_sub(1));
            let held = rpc.call("eth_getBalance", json!([newest, "latest"])).await?;
            ensure!(held == json!("0x1"), "{newest} was to have one unit, has {held}");
        }
        Ok(())
    }
}

fn member(index: u64) -> Address {
    let mut bytes = [0x5a; 20];
    if let Some(low) = bytes.last_chunk_mut::<8>() {
        *low = index.to_be_bytes();
    }
    Address::from(bytes)
}

/// Code that calls [`EACH`] accounts from `first` on with one unit and without gas: their addresses are counted
/// up, and the code ends with the last.
fn making(first: u64) -> Bytes {
    let (first, end) = (member(first), member(first.saturating_add(EACH)));
    let push = hex!("73");
    // JUMPDEST, four empty PUSH0 for what goes in and out, value 1, the address, no gas, CALL, POP, plus one.
    let call = hex!("5b5f5f5f5f6001855ff15060010180");
    // Goes back to the JUMPDEST, at 0x15, while the end is greater; STOP.
    let back = hex!("1160155700");
    [push.as_slice(), first.as_slice(), &call, &push, end.as_slice(), &back].concat().into()
}

async fn row(network: &mut Testnet, accounts: u64) -> Result<Value> {
    let (stopped, killed) = (starts(network, "TERM").await?, starts(network, "KILL").await?);
    let store = size(&network.path("data-0/chain"))?;
    Ok(json!({
        "accounts": accounts, "height": network.rpc(0).height().await?, "store_mib": store >> 20,
        "stopped": stopped, "killed": killed,
    }))
}

/// Medians of [`STARTS`] starts after the node was ended so.
async fn starts(network: &mut Testnet, end: &str) -> Result<Value> {
    let mut samples = <[Vec<f64>; 3]>::default();
    for _ in 0..STARTS {
        let took = start(network, end).await?;
        samples.iter_mut().zip(took).for_each(|(sample, took)| sample.push(took));
    }
    let [answered, ready, block] = samples.map(|mut sample| quantile(&mut sample, 500).round());
    Ok(json!({ "answered_ms": answered, "ready_ms": ready, "next_block_ms": block }))
}

/// Ends the node and starts it: milliseconds until it answers with the blocks that it had, says that it is
/// ready, and has made a block.
async fn start(network: &mut Testnet, end: &str) -> Result<[f64; 3]> {
    let rpc = network.rpc(0);
    let before = rpc.height().await?;
    network.end(0, end)?;
    let clock = Instant::now();
    network.node(0, &[])?;
    let took = || clock.elapsed().as_secs_f64() * 1000.0;
    until(clock, async || rpc.height().await.is_ok_and(|height| height >= before)).await?;
    let answered = took();
    let page = format!("{}/ready", network.metrics(0));
    let is_ready =
        async || reqwest::get(&page).await.is_ok_and(|answer| answer.status().is_success());
    until(clock, is_ready).await?;
    let ready = took();
    let last = rpc.height().await?;
    until(clock, async || rpc.height().await.is_ok_and(|height| height > last)).await?;
    Ok([answered, ready, took()])
}

async fn until(clock: Instant, is_there: impl AsyncFn() -> bool) -> Result<()> {
    let mut tick = tokio::time::interval(LOOK);
    while !is_there().await {
        ensure!(clock.elapsed() < PATIENCE, "the node does not get there");
        tick.tick().await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_goes_back_to_where_it_calls() {
        let code = making(7);
        assert_eq!(&code[1..21], member(7).as_slice());
        assert_eq!(code[0x15], 0x5b);
        assert_eq!(&code[code.len() - 25..code.len() - 5], member(7 + EACH).as_slice());
        assert_ne!(member(0), member(1));
    }
}
