//! FIN-2: finality between hosts that are far apart, and with one of four validators gone; IDLE: what
//! four validators burn when nobody asks them for anything.

use super::{cpu_microseconds, quantile, report};
use crate::{Account, Hosts, Testnet, pass};
use alloy_primitives::{B256, U256};
use eyre::{ContextCompat, Result, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Transactions for each delay, one after another.
const SAMPLES: u64 = 60;

/// How long the idle nodes are watched.
const IDLE: Duration = Duration::from_secs(60);

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Runs FIN-2. For use inside of [`crate::isolated`].
///
/// # Errors
/// When the network does not start or a transaction fails.
pub async fn distance() -> Result<()> {
    let hosts = Hosts::new(4).await?;
    let payer = Account::new(B256::repeat_byte(0x5e).0)?;
    let address = payer.address.to_string();
    let mut network = Testnet::start_at(hosts.places(), 4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    let mut nonce = 0;
    for is_whole in [true, false] {
        if !is_whole {
            network.end(3, "KILL")?;
        }
        for milliseconds in [0, 50, 100, 200] {
            hosts.delay(Duration::from_millis(milliseconds));
            let height = network.rpc(0).height().await?;
            network.agree(&[0, 1, 2], height.saturating_add(4)).await?;
            let ours = sample(&network, &payer, &mut nonce).await?;
            let state = if is_whole { "all four" } else { "one of four killed" };
            let workload = format!(
                "{SAMPLES} transfers, one at a time, {milliseconds} ms one way between hosts, {state}"
            );
            report("FIN-2", &workload, &ours, &Value::Null, None)?;
        }
    }
    Ok(())
}

async fn sample(network: &Testnet, payer: &Account, nonce: &mut u64) -> Result<Value> {
    let rpc = network.rpc(1);
    let id = rpc.call("eth_chainId", json!([])).await?;
    let id = id.as_str().wrap_err("a chain id")?.trim_start_matches("0x");
    let id = u64::from_str_radix(id, 16)?;
    let mut sample = Vec::new();
    let mut pause = tokio::time::interval(Duration::from_millis(37));
    for _ in 0..SAMPLES {
        // The phase of heartbeats and rounds must not be the client's.
        pause.tick().await;
        let raw = payer.transfer(id, *nonce, payer.address, U256::ONE)?;
        *nonce = nonce.saturating_add(1);
        let clock = Instant::now();
        let receipt = rpc.call("eth_sendRawTransactionSync", json!([raw])).await?;
        sample.push(clock.elapsed().as_secs_f64() * 1000.0);
        ensure!(receipt.get("status") == Some(&json!("0x1")), "{receipt}");
    }
    let round = |value: f64| (value * 10.0).round() / 10.0;
    Ok(json!({
        "p50_ms": round(quantile(&mut sample, 500)), "p90_ms": round(quantile(&mut sample, 900)),
        "p99_ms": round(quantile(&mut sample, 990)),
    }))
}

/// Runs IDLE.
///
/// # Errors
/// When the network does not start.
pub async fn idle() -> Result<()> {
    let network = Testnet::start(4, &[])?;
    network.agree(&HOSTS, 3).await?;
    let used = || HOSTS.iter().map(|host| cpu_microseconds(network.pid(*host)?)).collect();
    let (before, height): (Result<Vec<u64>>, _) = (used(), network.rpc(0).height().await?);
    let before = before?;
    pass(IDLE).await;
    let (after, blocks): (Result<Vec<u64>>, _) = (used(), network.rpc(0).height().await?);
    let spent: Vec<_> = after?
        .iter()
        .zip(&before)
        .map(|(after, before)| after.saturating_sub(*before).div_euclid(IDLE.as_secs()))
        .collect();
    let memory: Result<Vec<u64>> = HOSTS.iter().map(|host| resident(network.pid(*host)?)).collect();
    let ours = json!({
        "cpu_us_per_second": spent, "resident_mib": memory?,
        "blocks": blocks.saturating_sub(height),
    });
    report("IDLE", "four validator processes, a minute, no requests", &ours, &Value::Null, None)
}

/// Memory of a process, in MiB.
fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.wrap_err("the resident memory")?.div_euclid(1024))
}
