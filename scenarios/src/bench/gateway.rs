//! INF-1: what the paid gateway adds to a request, and how long settlement takes.

use super::{cpu_microseconds, quantile, report};
use crate::{Network, Options};
use eyre::{ContextCompat, Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Requests, one after another.
const SAMPLES: u32 = 60;

/// Runs INF-1.
///
/// # Errors
/// When the network does not start or a request fails.
pub async fn run() -> Result<()> {
    let network = Network::start(Options::default())?;
    let (gateway, key) = (network.gateway()?, network.text("/api_key")?);
    let http = reqwest::Client::new();
    let url = format!("{gateway}/v1/chat/completions");
    let body = json!({"model": "smollm2-135m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]});
    let ask = async || -> Result<Value> {
        let answer = http.post(&url).bearer_auth(&key).json(&body).send().await?;
        ensure!(answer.status().is_success(), "refused with {}", answer.status());
        Ok(answer.json().await?)
    };
    ask().await?;
    let pid = network.pid("gateway")?;
    let worker = network.pid("worker")?;
    let (cpu, worker_cpu) = (cpu_microseconds(pid)?, cpu_microseconds(worker)?);
    let (mut answers, mut settlements) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        let clock = Instant::now();
        let answer = ask().await?;
        answers.push(clock.elapsed().as_secs_f64() * 1000.0);
        let id = answer
            .pointer("/usage/receipt")
            .and_then(Value::as_str)
            .wrap_err("usage has a receipt")?;
        let clock = Instant::now();
        settle(&http, &format!("{gateway}/v1/receipts/{id}")).await?;
        settlements.push(clock.elapsed().as_secs_f64() * 1000.0);
    }
    let per = |spent: u64| spent.checked_div(u64::from(SAMPLES)).unwrap_or_default();
    let spent = cpu_microseconds(pid)?.saturating_sub(cpu);
    let engine = cpu_microseconds(worker)?.saturating_sub(worker_cpu);
    let round = |value: f64| value.round();
    let ours = json!({
        "gateway_cpu_us_per_request": per(spent), "answer_p50_ms": round(quantile(&mut answers, 500)),
        "settled_p50_ms": round(quantile(&mut settlements, 500)), "settled_p99_ms": round(quantile(&mut settlements, 990)),
    });
    let peer = json!({"worker_cpu_us_per_request": per(engine)});
    report(
        "INF-1",
        "60 paid requests of one token, one at a time; settlement asked every 5 ms counts as the gateway's work",
        &ours,
        &peer,
        None,
    )
}

async fn settle(http: &reqwest::Client, url: &str) -> Result<()> {
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    for _ in 0..2_000 {
        tick.tick().await;
        let receipt: Value = http.get(url).send().await?.json().await?;
        if receipt.get("state") == Some(&json!("settled")) {
            return Ok(());
        }
    }
    eyre::bail!("{url} was not settled within ten seconds")
}
