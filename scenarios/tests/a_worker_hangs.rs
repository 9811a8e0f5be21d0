//! A worker stops answering in the middle of everything: nobody is charged for what did not come,
//! what came is paid, and the gateway goes on.

use eyre::{ContextCompat, Result, ensure};
use futures::StreamExt;
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use std::time::Duration;

/// A gateway that waits for its worker never answers.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

async fn health(network: &Network) -> Result<Value> {
    let url = format!("{}/health", network.gateway()?);
    let asked = reqwest::Client::new().get(url).timeout(ANSWERS_WITHIN);
    Ok(asked.send().await?.json().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_worker_holds_up_neither_the_gateway_nor_the_books() -> Result<()> {
    let network = Network::start(Options::default())?;
    let http = reqwest::Client::new();
    let (url, key) =
        (format!("{}/v1/chat/completions", network.gateway()?), network.text("/api_key")?);
    let body = json!({
        "model": "trail-guide", "max_tokens": 200, "stream": true,
        "messages": [{"role": "user", "content": "Tell me about Java."}],
    });
    let answer = http.post(&url).bearer_auth(&key).json(&body).send().await?;
    let (mut stream, mut text) = (answer.bytes_stream(), String::new());
    while text.matches("\"content\"").count() < 3 {
        let bytes = stream.next().await.wrap_err("the stream ended early")??;
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    network.signal("worker", "STOP")?;
    // The client leaves; what it got is owed, and only the worker can sign for it.
    drop(stream);
    network
        .until("a receipt waits for its signature", async || {
            (health(&network).await.ok()?.get("unsettled_channels")?.as_u64()? == 1).then_some(())
        })
        .await?;
    ensure!(health(&network).await?.get("status") == Some(&json!("ok")), "the gateway goes on");
    let models = http.get(format!("{}/v1/models", network.gateway()?));
    let models = models.timeout(ANSWERS_WITHIN).send().await?;
    ensure!(models.status().is_success(), "{}", models.status());
    let rpc = network.rpc(0)?;
    let height = rpc.height().await?;
    network
        .until("blocks go on", async || (rpc.height().await.ok()? > height).then_some(()))
        .await?;

    network.signal("worker", "CONT")?;
    network
        .until("what was delivered is settled", async || {
            (health(&network).await.ok()?.get("unsettled_channels")?.as_u64()? == 0).then_some(())
        })
        .await?;
    let chat = network.sahara(&["chat", "--max-tokens", "3", "Hello!"])?;
    let id = chat.pointer("/usage/receipt").and_then(Value::as_str).wrap_err("a receipt")?;
    ensure!(id.ends_with("_1"), "one receipt for the cut answer, one for this: {id}");
    Ok(())
}
