//! FIN-1: from sending a transaction to its finalised receipt, four local validators.

use super::{quantile, report};
use crate::{Account, Network, Options};
use alloy_primitives::U256;
use eyre::{Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Transactions, one after another.
const SAMPLES: u64 = 200;

/// Runs FIN-1.
///
/// # Errors
/// When the network does not start or a transaction fails.
pub async fn run() -> Result<()> {
    let network = Network::start(Options { validators: 4, demo: false })?;
    let rpc = network.rpc(1)?;
    let funder = Account::funder()?;
    let nonce = rpc.call("eth_getTransactionCount", json!([funder.address, "latest"])).await?;
    let start =
        u64::from_str_radix(nonce.as_str().unwrap_or_default().trim_start_matches("0x"), 16)?;
    let mut sample = Vec::new();
    let mut pause = tokio::time::interval(Duration::from_millis(37));
    for nonce in start..start.saturating_add(SAMPLES) {
        // At low load the phase of heartbeats and rounds must not be the client's.
        pause.tick().await;
        let raw = funder.transfer(724_272, nonce, funder.address, U256::from(1))?;
        let clock = Instant::now();
        let receipt = rpc.call("eth_sendRawTransactionSync", json!([raw])).await?;
        sample.push(clock.elapsed().as_secs_f64() * 1000.0);
        ensure!(receipt.get("status") == Some(&json!("0x1")), "{receipt}");
    }
    let round = |value: f64| (value * 10.0).round() / 10.0;
    let ours = json!({
        "p50_ms": round(quantile(&mut sample, 500)), "p90_ms": round(quantile(&mut sample, 900)),
        "p99_ms": round(quantile(&mut sample, 990)),
    });
    report(
        "FIN-1",
        "200 transfers, one at a time, four validator processes, HTTP round trip included",
        &ours,
        &Value::Null,
        None,
    )
}
