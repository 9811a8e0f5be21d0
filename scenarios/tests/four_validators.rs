//! Four validator processes: one may fall, two may not, nothing forks, everything comes back.

#[path = "../../transaction/rpc/tests/rpc/page.rs"]
mod page;

use alloy_primitives::U256;
use eyre::{ContextCompat, Result, ensure, eyre};
use page::{Page, names};
use sahara_scenarios::{Network, Options, Rpc, tool};
use serde_json::{Value, json};
use std::process::Command;

const RECIPIENT: &str = "0x00000000000000000000000000000000000b0b00";

/// Sends coin with `cast`, as a stranger would, and returns its block's number.
fn cast_send(rpc: &Rpc, account: u32) -> Result<u64> {
    let mnemonic = "test test test test test test test test test test test junk";
    let output = Command::new(tool("cast")?)
        .args(["send", RECIPIENT, "--value", "1", "--json", "--rpc-url", &rpc.url])
        .args(["--mnemonic", mnemonic, "--mnemonic-index", &account.to_string()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "cast: {text} {}", String::from_utf8_lossy(&output.stderr));
    let receipt: Value = serde_json::from_str(&text)?;
    let block = receipt.get("blockNumber").and_then(Value::as_str).wrap_err("a block")?;
    Ok(u64::from_str_radix(block.trim_start_matches("0x"), 16)?)
}

async fn hash_of(rpc: &Rpc, number: u64) -> Option<(String, String)> {
    let params = json!([format!("0x{number:x}"), false]);
    let block = rpc.call("eth_getBlockByNumber", params).await.ok()?;
    let text = |field: &str| Some(block.get(field)?.as_str()?.to_owned());
    Some((text("hash")?, text("stateRoot")?))
}

/// Both halves of the first validator's page of metrics, the node's and the consensus library's, keep the
/// format together, and what the dashboard asks of the library is there.
async fn page_keeps_the_format(network: &Network) -> Result<()> {
    let url = network.text("/metrics")?;
    let text = reqwest::get(&url).await?.text().await?;
    let page = Page::read(&text).map_err(|broken| eyre!("{broken}"))?;
    let height = page.samples.get("sahara_block_height").copied().unwrap_or_default();
    ensure!(height > 0.0, "no blocks on the page: {text}");
    let dashboard = include_str!("../../packaging/grafana/sahara.json");
    let asked = names(dashboard, "runtime_");
    let missing = asked.iter().filter(|name| !page.has(name)).collect::<Vec<_>>();
    ensure!(missing.is_empty(), "the dashboard asks for {missing:?}, which is not there: {text}");
    // Whether the dashboard asks or not: without a family of the library half of the page is not there.
    ensure!(page.has("runtime_process_rss"), "nothing of consensus on the page: {text}");
    Ok(())
}

/// The first validator says that it runs well and is worth asking.
async fn is_well(network: &Network) -> Result<()> {
    let metrics = network.text("/metrics")?;
    let beside = metrics.strip_suffix("/metrics").wrap_err("where metrics are")?;
    for path in ["/health", "/ready"] {
        let answer = reqwest::get(format!("{beside}{path}")).await?;
        let (status, said) = (answer.status(), answer.text().await?);
        ensure!(status == 200, "{path} is {status}: {said}");
    }
    Ok(())
}

/// Every named node has the same block and state root at a height.
async fn agree(network: &Network, nodes: &[u16], height: u64) -> Result<()> {
    let mut seen = Vec::new();
    for node in nodes {
        let rpc = network.rpc(*node)?;
        let what = format!("node {node} reaches block {height}");
        seen.push(network.until(&what, async || hash_of(&rpc, height).await).await?);
    }
    ensure!(
        seen.windows(2).all(|pair| pair.first() == pair.get(1)),
        "a fork at {height}: {seen:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_four_falls_and_blocks_go_on_two_fall_and_they_halt() -> Result<()> {
    let mut network = Network::start(Options { validators: 4, demo: false })?;
    // Sent to each of them, it gets in.
    let mut last = 0;
    for node in 0..4 {
        last = cast_send(&network.rpc(node)?, u32::from(node).saturating_add(2))?;
    }
    agree(&network, &[0, 1, 2, 3], last).await?;
    page_keeps_the_format(&network).await?;
    is_well(&network).await?;

    network.signal("node-3", "STOP")?;
    for node in 0..3 {
        last = cast_send(&network.rpc(node)?, u32::from(node).saturating_add(2))?;
    }
    agree(&network, &[0, 1, 2], last).await?;

    // Two of four are no quorum: what is sent waits, nothing becomes final.
    network.signal("node-2", "STOP")?;
    let rpc = network.rpc(0)?;
    let halted = settle_height(&network, &rpc).await?;
    let gone_on = network.rpc(1)?.height().await?;
    ensure!(gone_on.abs_diff(halted) <= 1, "two of four made blocks: {halted}, {gone_on}");

    network.signal("node-2", "CONT")?;
    network.signal("node-3", "CONT")?;
    last = cast_send(&network.rpc(3)?, 5)?;
    agree(&network, &[0, 1, 2, 3], last).await?;

    let before = network.balance(RECIPIENT.parse()?, "latest").await?;
    ensure!(before == U256::from(8), "eight transfers of one unit, the recipient holds {before}");
    network.restart()?;
    ensure!(
        network.balance(RECIPIENT.parse()?, "latest").await? == before,
        "a restart keeps everything"
    );
    let after = cast_send(&network.rpc(1)?, 2)?;
    ensure!(after > last, "block {after} comes after {last}");
    agree(&network, &[0, 1, 2, 3], after).await
}

/// The height at which a node stands still for three heartbeats.
async fn settle_height(network: &Network, rpc: &Rpc) -> Result<u64> {
    let mut still = (rpc.height().await?, std::time::Instant::now());
    network
        .until("the height stands still", async || {
            let height = rpc.height().await.ok()?;
            if height != still.0 {
                still = (height, std::time::Instant::now());
            }
            (still.1.elapsed() > std::time::Duration::from_secs(3)).then_some(height)
        })
        .await
}
