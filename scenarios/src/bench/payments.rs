//! PAY-1: transfers in a ring, end to end over JSON-RPC, one durable validator; anvil beside.

use super::{cpu_microseconds, report};
use crate::{Account, Network, Options, Rpc, tool};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use eyre::{ContextCompat, Result, bail};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Who sends, and how much.
const SENDERS: usize = 200;
/// Transfers of each.
const EACH: usize = 100;
/// Transactions of one JSON-RPC batch.
const BATCH: usize = 100;
struct Target {
    rpc: Rpc,
    http: reqwest::Client,
    pid: u32,
}

impl Target {
    async fn batch(&self, requests: &[Value]) -> Result<Vec<Value>> {
        let answer: Value =
            self.http.post(&self.rpc.url).json(&requests).send().await?.json().await?;
        answer.as_array().cloned().wrap_err_with(|| format!("a batch was answered with {answer}"))
    }

    async fn send(&self, raw: &[Bytes]) -> Result<()> {
        let request = |(id, raw): (usize, &Bytes)| json!({"jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction", "params": [raw]});
        let answers = self.batch(&raw.iter().enumerate().map(request).collect::<Vec<_>>()).await?;
        match answers.iter().find(|answer| answer.get("error").is_some()) {
            Some(refused) => bail!("a transfer was refused: {refused}"),
            None => Ok(()),
        }
    }

    async fn nonce(&self, address: Address) -> Result<u64> {
        let answer = self.rpc.call("eth_getTransactionCount", json!([address, "latest"])).await?;
        Ok(u64::from_str_radix(answer.as_str().unwrap_or_default().trim_start_matches("0x"), 16)?)
    }

    async fn wait(&self, accounts: &[Address], nonce: u64) -> Result<()> {
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        for account in accounts {
            while self.nonce(*account).await? < nonce {
                tick.tick().await;
            }
        }
        Ok(())
    }

    /// Runs the workload and returns transfers per second and the server's CPU time per transfer.
    async fn run(&self) -> Result<Value> {
        let chain_id = self.rpc.call("eth_chainId", json!([])).await?;
        let chain_id = u64::from_str_radix(
            chain_id.as_str().unwrap_or_default().trim_start_matches("0x"),
            16,
        )?;
        let accounts = senders()?;
        let addresses: Vec<Address> = accounts.iter().map(|account| account.address).collect();
        let funder = Account::funder()?;
        let start = self.nonce(funder.address).await?;
        let grant = U256::from(10).pow(U256::from(19));
        let funding: Result<Vec<Bytes>> = (start..)
            .zip(&addresses)
            .map(|(nonce, to)| funder.transfer(chain_id, nonce, *to, grant))
            .collect();
        for batch in funding?.chunks(BATCH) {
            self.send(batch).await?;
        }
        self.wait(&[funder.address], start.saturating_add(u64::try_from(SENDERS)?)).await?;
        let mut raw = Vec::with_capacity(SENDERS * EACH);
        for nonce in 0..u64::try_from(EACH)? {
            for (index, account) in accounts.iter().enumerate() {
                let to = addresses.get((index + 1) % SENDERS).copied().unwrap_or_default();
                raw.push(account.transfer(chain_id, nonce, to, U256::from(1))?);
            }
        }
        let (cpu, clock) = (cpu_microseconds(self.pid)?, Instant::now());
        for batch in raw.chunks(BATCH) {
            self.send(batch).await?;
        }
        self.wait(&addresses, u64::try_from(EACH)?).await?;
        let (seconds, cpu) =
            (clock.elapsed().as_secs_f64(), cpu_microseconds(self.pid)?.saturating_sub(cpu));
        let count = f64::from(u32::try_from(SENDERS * EACH)?);
        let cpu = f64::from(u32::try_from(cpu)?);
        Ok(
            json!({"cpu_us_per_transfer": (cpu / count * 10.0).round() / 10.0, "tps": (count / seconds).round()}),
        )
    }
}

fn senders() -> Result<Vec<Account>> {
    (0..SENDERS).map(|index| Account::new(keccak256(format!("PAY-1 sender {index}")).0)).collect()
}

fn anvil() -> Result<(Child, String)> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new(tool("anvil")?);
    command.args([
        "--port",
        &port.to_string(),
        "--silent",
        "--accounts",
        "1",
        "--gas-limit",
        "400000000",
    ]);
    command.args(["--block-time", "1", "--order", "fifo"]);
    Ok((command.stdout(Stdio::null()).spawn()?, format!("http://127.0.0.1:{port}")))
}

/// Runs PAY-1.
///
/// # Errors
/// When a server does not start or refuses a transfer.
pub async fn run() -> Result<()> {
    let network = Network::start(Options { validators: 1, demo: false })?;
    let ours =
        Target { rpc: network.rpc(0)?, http: reqwest::Client::new(), pid: network.pid("node-0")? };
    let ours = ours.run().await?;
    drop(network);
    let (mut child, url) = anvil()?;
    let peer = Target { rpc: Rpc::new(url), http: reqwest::Client::new(), pid: child.id() };
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    while peer.rpc.height().await.is_err() {
        tick.tick().await;
    }
    let measured = peer.run().await;
    child.kill()?;
    child.wait()?;
    let peer = measured?;
    let cost = |value: &Value| {
        value.get("cpu_us_per_transfer").and_then(Value::as_f64).unwrap_or_default()
    };
    let ratio = (cost(&ours) / cost(&peer) * 100.0).round() / 100.0;
    let workload = format!(
        "{} transfers, {SENDERS} senders in a ring, batches of {BATCH}; peer anvil",
        SENDERS * EACH
    );
    report("PAY-1", &workload, &ours, &peer, Some(ratio))
}
