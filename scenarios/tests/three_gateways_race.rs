//! Three gateways reach for one deposit: what is set aside never exceeds it, nobody overdraws.

use alloy_primitives::{Bytes, LogData, U256};
use alloy_sol_types::SolEvent;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{CHANNELS, IChannels, IWorkers, WORKERS};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::Amount;
use sahara_scenarios::{Network, Options, program};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A gateway process beside the network's own; killed when it is dropped.
struct Gateway {
    child: Child,
    url: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Gateway {
    /// Bonds an account as a gateway and starts its process.
    async fn start(network: &Network, account: u32, port: u64) -> Result<Self> {
        let client = ChainClient::new(&network.text("/rpc")?)?;
        let key = SigningKey::from_mnemonic(TEST_MNEMONIC, account)?;
        let url = format!("http://127.0.0.1:{port}");
        let call = IWorkers::registerGatewayCall { endpoint: url.clone(), fee: 300 };
        client.send(&key, WORKERS, Amount::from_coins(1_000), &call).await?;
        let directory = network.directory().join(format!("gateway-{account}"));
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("key.secret"), hex(key.to_bytes().as_slice()))?;
        let config = json!({
            "rpc": network.text("/rpc")?, "listen": format!("127.0.0.1:{port}"), "url": url,
            "key_file": directory.join("key.secret"), "data_dir": directory,
            "genesis_hash": network.genesis()?,
        });
        let file = write_json(&directory.join("config.json"), &config)?;
        let log = fs::File::create(directory.join("log"))?;
        let child = Command::new(program()?)
            .args(["gateway", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self { child, url })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_json(path: &Path, value: &Value) -> Result<PathBuf> {
    fs::write(path, serde_json::to_vec_pretty(value)?)?;
    Ok(path.to_path_buf())
}

/// Lets the worker work for these gateways too, and waits until it is back.
async fn admit(network: &Network, accounts: &[u32]) -> Result<()> {
    let file = network.directory().join("worker/config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file)?)?;
    let gateways = config.get_mut("gateways").and_then(Value::as_array_mut).wrap_err("gateways")?;
    for account in accounts {
        gateways.push(json!(SigningKey::from_mnemonic(TEST_MNEMONIC, *account)?.address()));
    }
    write_json(&file, &config)?;
    let before = network.pid("worker")?;
    network.signal("worker", "KILL")?;
    let url = format!("http://127.0.0.1:{}/health", worker_port(network)?);
    network
        .until("the worker is back", async || {
            let is_new = network.pid("worker").ok()? != before;
            (is_new && reqwest::get(&url).await.ok()?.status().is_success()).then_some(())
        })
        .await
}

fn worker_port(network: &Network) -> Result<u64> {
    network.ready.pointer("/ports/worker").and_then(Value::as_u64).wrap_err("a worker's port")
}

/// Coin set aside and collected by all events so far.
async fn opened_and_collected(network: &Network) -> Result<(U256, U256)> {
    let rpc = network.rpc(0)?;
    let filter = json!([{"address": CHANNELS, "fromBlock": "0x0", "toBlock": "latest"}]);
    let logs = rpc.call("eth_getLogs", filter).await?;
    let (mut opened, mut collected) = (U256::ZERO, U256::ZERO);
    for log in logs.as_array().wrap_err("logs")? {
        let topics = serde_json::from_value(log.get("topics").cloned().unwrap_or_default())?;
        let data: Bytes = serde_json::from_value(log.get("data").cloned().unwrap_or_default())?;
        let data = LogData::new_unchecked(topics, data);
        if let Ok(event) = IChannels::Opened::decode_log_data(&data) {
            opened += U256::from(event.amount);
        } else if let Ok(event) = IChannels::ToppedUp::decode_log_data(&data) {
            opened += U256::from(event.amount);
        } else if let Ok(event) = IChannels::Collected::decode_log_data(&data) {
            collected += U256::from(event.amount);
        }
    }
    Ok((opened, collected))
}

#[tokio::test(flavor = "multi_thread")]
async fn three_gateways_never_set_aside_more_than_one_deposit() -> Result<()> {
    let network = Network::start(Options::default())?;
    admit(&network, &[6, 7]).await?;
    let base = worker_port(&network)?;
    let second = Gateway::start(&network, 6, base.saturating_add(1)).await?;
    let third = Gateway::start(&network, 7, base.saturating_add(2)).await?;
    let urls = [network.gateway()?, second.url.clone(), third.url.clone()];
    // One answer of 300 tokens may cost about 0.04 SAHARA: enough for one and a half.
    let deposit = U256::from(6) * U256::from(10).pow(U256::from(16));
    network.sahara(&["wallet", "fund", "0.06", "--dev-account", "9"])?;
    let mut keys = Vec::new();
    for url in &urls {
        let listed = format!("{url}/v1/models/trail-guide");
        network
            .until("the gateway lists the agent", async || {
                reqwest::get(&listed).await.ok()?.status().is_success().then_some(())
            })
            .await?;
        let made = network.sahara(&["key", "create", "--dev-account", "9", "--gateway", url])?;
        keys.push(made.get("api_key").and_then(Value::as_str).wrap_err("a key")?.to_owned());
    }
    let http = reqwest::Client::new();
    let body = json!({
        "model": "trail-guide", "max_tokens": 300, "stop": ["."],
        "messages": [{"role": "user", "content": "Say hello."}],
    });
    let race = urls.iter().zip(&keys).map(|(url, key)| {
        http.post(format!("{url}/v1/chat/completions")).bearer_auth(key).json(&body).send()
    });
    let (mut answered, mut refused) = (0, 0);
    for answer in futures::future::join_all(race).await {
        match answer?.status().as_u16() {
            200 => answered += 1,
            402 => refused += 1,
            other => eyre::bail!("a racing gateway answered {other}; {}", network.logs()),
        }
    }
    ensure!(answered >= 1 && refused >= 1, "{answered} answered, {refused} refused");
    let (opened, collected) = opened_and_collected(&network).await?;
    ensure!(opened <= deposit, "{opened} set aside of a deposit of {deposit}");
    ensure!(collected <= opened, "{collected} collected of {opened} set aside");
    Ok(())
}
