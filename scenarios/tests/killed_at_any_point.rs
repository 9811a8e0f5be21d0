//! The gateway is killed before work, mid-stream, after it has persisted and after it has
//! submitted: nobody is charged twice, and what was delivered is paid for.

use alloy_primitives::{Bytes, LogData, U256};
use alloy_sol_types::SolEvent;
use eyre::{ContextCompat, Result, ensure};
use futures::StreamExt;
use sahara_abi::{CHANNELS, IChannels};
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};

struct Story {
    network: Network,
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Story {
    fn start() -> Result<Self> {
        let network = Network::start(Options::default())?;
        let url = format!("{}/v1/chat/completions", network.gateway()?);
        let key = network.text("/api_key")?;
        Ok(Self { network, http: reqwest::Client::new(), url, key })
    }

    fn body(tokens: u32, stream: bool) -> Value {
        json!({
            "model": "trail-guide", "max_tokens": tokens, "stream": stream,
            "stream_options": if stream { json!({"include_usage": true}) } else { Value::Null },
            "messages": [{"role": "user", "content": "Tell me about Java."}],
        })
    }

    fn request(&self, id: &str, body: &Value) -> reqwest::RequestBuilder {
        self.http.post(&self.url).bearer_auth(&self.key).header("Idempotency-Key", id).json(body)
    }

    /// Asks again with the same id until the gateway, back again, answers.
    async fn insist(&self, id: &str, body: &Value) -> Result<String> {
        self.network
            .until(&format!("request {id} is answered"), async || {
                let answer = self.request(id, body).send().await.ok()?;
                if !answer.status().is_success() {
                    return None;
                }
                answer.text().await.ok()
            })
            .await
    }

    async fn kill_gateway(&self) -> Result<()> {
        let before = self.network.pid("gateway")?;
        self.network.signal("gateway", "KILL")?;
        self.served_again(before).await
    }

    /// Another gateway than this process is there, and knows who serves what.
    async fn served_again(&self, before: u32) -> Result<()> {
        let models = format!("{}/v1/models", self.network.gateway()?);
        self.network
            .until("the gateway serves again", async || {
                let is_new = self.network.pid("gateway").ok()? != before;
                let listed: Value = self.http.get(&models).send().await.ok()?.json().await.ok()?;
                let is_listed = listed.get("data")?.as_array().is_some_and(|all| !all.is_empty());
                (is_new && is_listed).then_some(())
            })
            .await
    }

    /// Everything ever collected: (receipts, base units).
    async fn collected(&self) -> Result<Vec<IChannels::Collected>> {
        let filter = json!([{
            "address": CHANNELS, "fromBlock": "0x0", "toBlock": "latest",
            "topics": [IChannels::Collected::SIGNATURE_HASH],
        }]);
        let logs = self.network.rpc(0)?.call("eth_getLogs", filter).await?;
        let mut found = Vec::new();
        for log in logs.as_array().wrap_err("logs")? {
            let topics = serde_json::from_value(log.get("topics").cloned().unwrap_or_default())?;
            let data: Bytes = serde_json::from_value(log.get("data").cloned().unwrap_or_default())?;
            found.push(IChannels::Collected::decode_log_data(&LogData::new_unchecked(
                topics, data,
            ))?);
        }
        Ok(found)
    }

    /// Base units collected so far.
    async fn spent(&self) -> Result<U256> {
        Ok(self.collected().await?.iter().map(|claim| U256::from(claim.amount)).sum())
    }

    /// Waits until nothing is left to settle and returns how many receipts were collected.
    async fn receipts(&self) -> Result<u64> {
        let health = format!("{}/health", self.network.gateway()?);
        self.network
            .until("everything is settled", async || {
                let answer: Value = self.http.get(&health).send().await.ok()?.json().await.ok()?;
                (answer.get("unsettled_channels")?.as_u64()? == 0).then_some(())
            })
            .await?;
        let mut next = 0_u64;
        for claim in self.collected().await? {
            let (from, to): (u64, u64) = (claim.seqFrom.to(), claim.seqTo.to());
            ensure!(from == next && to > from, "claims cover {from}..{to} after {next}");
            next = to;
        }
        Ok(next)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_kills_charge_each_answer_once() -> Result<()> {
    let story = Story::start()?;
    before_work(&story).await?;
    mid_stream(&story).await?;
    after_persist(&story).await?;
    after_submit(&story).await?;
    conservation(&story).await
}

/// Killed while the reservation is on its way: the request is as if it had never come, and asking
/// again is charged once.
async fn before_work(story: &Story) -> Result<()> {
    let body = Story::body(4, false);
    let asking = tokio::spawn(story.request("before", &body).send());
    story.kill_gateway().await?;
    // Whatever became of it, the client does not know; it asks again.
    drop(asking.await?);
    let answer = story.insist("before", &body).await?;
    let again = story.insist("before", &body).await?;
    ensure!(answer == again, "the same id has one answer");
    let receipts = story.receipts().await?;
    ensure!(receipts == 1, "one answer, {receipts} receipts");
    Ok(())
}

/// Killed while tokens flow: what was delivered is charged, once.
async fn mid_stream(story: &Story) -> Result<()> {
    let before = story.receipts().await?;
    let answer = story.request("stream", &Story::body(200, true)).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    let (mut stream, mut text) = (answer.bytes_stream(), String::new());
    while text.matches("\"content\"").count() < 6 {
        let bytes = stream.next().await.wrap_err("the stream ended early")??;
        text.push_str(&String::from_utf8_lossy(&bytes));
    }
    story.kill_gateway().await?;
    let receipts = story.receipts().await?;
    ensure!(receipts == before + 1, "a cut stream leaves one receipt, found {}", receipts - before);
    Ok(())
}

/// The chain stands still, so the answer is persisted and its claim cannot become final; then the
/// kill.
async fn after_persist(story: &Story) -> Result<()> {
    let before = story.receipts().await?;
    let spent = story.spent().await?;
    let body = Story::body(4, false);
    // The channel is open and has room for four tokens: no block is needed for the answer itself.
    story.network.signal("node-0", "STOP")?;
    let first = story.request("persisted", &body).send().await?;
    ensure!(first.status().is_success(), "without a chain: {}", first.text().await?);
    let first = first.text().await?;
    let pid = story.network.pid("gateway")?;
    story.network.signal("gateway", "KILL")?;
    story.network.signal("node-0", "CONT")?;
    story.served_again(pid).await?;
    let again = story.insist("persisted", &body).await?;
    ensure!(first == again, "the same id has one answer: {first} / {again}");
    let receipts = story.receipts().await?;
    ensure!(receipts == before + 1, "one answer, {} receipts", receipts - before);
    // Exactly once, to the last unit: what was collected grew by this one bill.
    let bill: Value = serde_json::from_str(&first)?;
    let cost = bill.pointer("/usage/cost_base_units").and_then(Value::as_str);
    let cost: U256 = cost.wrap_err("an answer has its cost")?.parse()?;
    let charged = story.spent().await? - spent;
    ensure!(charged == cost, "{charged} were collected for a bill of {cost}");
    Ok(())
}

/// Killed when the claim is in the chain's hands.
async fn after_submit(story: &Story) -> Result<()> {
    let before = story.receipts().await?;
    let claims = story.collected().await?.len();
    let answer = story.request("submitted", &Story::body(4, false)).send().await?;
    ensure!(answer.status().is_success(), "{}", answer.status());
    drop(answer.text().await?);
    story
        .network
        .until("the claim is final", async || {
            (story.collected().await.ok()?.len() > claims).then_some(())
        })
        .await?;
    story.kill_gateway().await?;
    let receipts = story.receipts().await?;
    ensure!(receipts == before + 1, "one answer, {} receipts", receipts - before);
    Ok(())
}

/// What the payer's deposit lost is what was collected and what is still set aside.
async fn conservation(story: &Story) -> Result<()> {
    let sum = story.spent().await?;
    let held = story.network.balance(CHANNELS, "latest").await?;
    let funded = U256::from(1_000) * U256::from(10).pow(U256::from(18));
    ensure!(held + sum == funded, "{held} held and {sum} collected of {funded}");
    Ok(())
}
