//! SYNC-1: a new node by executing all blocks, by fetching the state, and the past fetched afterwards.

use super::{cpu_microseconds, report};
use crate::{Account, Rpc, Testnet};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use eyre::{ContextCompat, Result, ensure};
use serde_json::{Value, json};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// Rounds of transfers; each waits for the one before, so that there is a block for each at least.
const ROUNDS: u64 = 600;
/// Transfers of a round, each to an account of its own.
const EACH: u64 = 50;
/// The hosts that validate.
const VALIDATORS: [u16; 2] = [0, 1];
/// Joins by executing all blocks.
const REPLAYS: u16 = 2;
/// Joins by fetching the state.
const FETCHES: u16 = 3;
/// How often it is looked whether a node is there.
const LOOK: Duration = Duration::from_millis(20);
/// The longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Bytes carried at a time.
const PIECE: usize = 64 << 10;

/// Runs SYNC-1.
///
/// # Errors
/// When the network does not start, refuses a transfer, or a node does not come to its head.
pub async fn run() -> Result<()> {
    let payer = Account::new(B256::repeat_byte(0x5c).0)?;
    let address = payer.address.to_string();
    let extra = ["--by-signatures", "--epoch-length", "200", "--account", &address];
    let mut network = Testnet::start(2, &extra)?;
    network.agree(&VALIDATORS, 1).await?;
    let meters = open_to_newcomers(&mut network).await?;
    populate(&network.rpc(0), &payer).await?;
    let blocks = network.rpc(0).height().await?;
    let accounts = ROUNDS.saturating_mul(EACH);
    let workload = format!("{blocks} blocks, {accounts} accounts, two validators on this machine");

    let from = &meters.validators;
    let replay = joins(&mut network, (REPLAYS, &meters, from), &[]).await?;
    network.end(REPLAYS, "TERM")?;
    let state = joins(&mut network, (FETCHES, &meters, from), &["--sync", "state"]).await?;
    let seconds = |one: &Value| one.get("seconds").and_then(Value::as_f64).unwrap_or_default();
    let ratio = (seconds(&state) / seconds(&replay) * 1000.0).round() / 1000.0;
    let what =
        format!("{workload}: a new node by its state, until it has the head; peer: by replay");
    report("SYNC-1", &what, &state, &replay, Some(ratio))?;
    network.end(FETCHES, "TERM")?;
    let past = fills(&mut network, &meters).await?;
    let what = format!("{workload}: the blocks from before the state, fetched afterwards");
    report("SYNC-1", &what, &past, &Value::Null, None)
}

/// What newcomers send and receive.
struct Meters {
    /// Those through which newcomers reach validators, with their network keys.
    validators: Vec<(String, Meter)>,
    /// Those through which validators reach newcomers.
    newcomers: Vec<Meter>,
}

impl Meters {
    fn bytes(&self) -> u64 {
        let all = self.validators.iter().map(|(_, meter)| meter).chain(&self.newcomers);
        all.map(|meter| meter.bytes.load(Ordering::Relaxed)).sum()
    }
}

/// Lets both newcomers in, all of whose connections are counted.
async fn open_to_newcomers(network: &mut Testnet) -> Result<Meters> {
    let (mut validators, mut newcomers, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for host in VALIDATORS {
        let meter = Meter::to(network.address(host)).await?;
        validators.push((network.network_key(host)?, meter));
    }
    for host in [REPLAYS, FETCHES] {
        network.add_host(host)?;
        let meter = Meter::to(network.address(host)).await?;
        flags.extend([String::from("--peer"), meter.peer(&network.network_key(host)?)]);
        newcomers.push(meter);
    }
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for host in VALIDATORS {
        network.end(host, "TERM")?;
        network.node(host, &flags)?;
    }
    network.agree(&VALIDATORS, 2).await?;
    Ok(Meters { validators, newcomers })
}

/// Pays one unit to each of many strangers.
async fn populate(rpc: &Rpc, payer: &Account) -> Result<()> {
    let chain_id = number(&rpc.call("eth_chainId", json!([])).await?)?;
    let http = reqwest::Client::new();
    let mut tick = tokio::time::interval(Duration::from_millis(5));
    for round in 0..ROUNDS {
        let first = round.saturating_mul(EACH);
        let next = first.saturating_add(EACH);
        let raw =
            (first..next).map(|nonce| payer.transfer(chain_id, nonce, stranger(nonce), U256::ONE));
        let raw = raw.collect::<Result<Vec<Bytes>>>()?;
        let request = |raw: &Bytes| json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]});
        let batch = raw.iter().map(request).collect::<Vec<_>>();
        let answers: Value = http.post(&rpc.url).json(&batch).send().await?.json().await?;
        let refused =
            answers.as_array().into_iter().flatten().find(|one| one.get("error").is_some());
        ensure!(refused.is_none(), "a transfer was refused: {refused:?}");
        let sent = json!([payer.address, "latest"]);
        while number(&rpc.call("eth_getTransactionCount", sent.clone()).await?)? < next {
            tick.tick().await;
        }
    }
    Ok(())
}

fn stranger(number: u64) -> Address {
    Address::from_word(keccak256(number.to_be_bytes()))
}

/// A number as JSON-RPC writes it.
pub(super) fn number(hex: &Value) -> Result<u64> {
    let text = hex.as_str().wrap_err("a number")?;
    Ok(u64::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

/// Starts a node and waits until it has the block that is the head now.
async fn joins(
    network: &mut Testnet,
    (host, meters, validators): (u16, &Meters, &[(String, Meter)]),
    extra: &[&str],
) -> Result<Value> {
    let head = network.rpc(0).height().await?;
    let run = Run::start(network, (host, meters), (validators, extra))?;
    let rpc = network.rpc(host);
    run.until(async || rpc.height().await.is_ok_and(|height| height >= head)).await?;
    run.measured(network, meters)
}

/// Tells the node that has joined by its state to keep everything, and waits until it has.
async fn fills(network: &mut Testnet, meters: &Meters) -> Result<Value> {
    let flags = ["--history", "archive"];
    let run = Run::start(network, (FETCHES, meters), (&meters.validators, &flags))?;
    let rpc = network.rpc(FETCHES);
    let first = async || {
        let info = rpc.call("sahara_nodeInfo", json!([])).await.ok();
        info.and_then(|info| info.get("firstBlock").cloned())
    };
    run.until(async || first().await == Some(json!("0x0"))).await?;
    run.measured(network, meters)
}

/// A node that was just started.
struct Run {
    host: u16,
    clock: Instant,
    bytes: u64,
}

impl Run {
    fn start(
        network: &mut Testnet,
        (host, meters): (u16, &Meters),
        (validators, extra): (&[(String, Meter)], &[&str]),
    ) -> Result<Self> {
        let peers: Vec<String> = validators.iter().map(|(key, meter)| meter.peer(key)).collect();
        let flags = peers.iter().flat_map(|peer| ["--peer", peer.as_str()]);
        let flags: Vec<&str> = flags.chain(extra.iter().copied()).collect();
        let (bytes, clock) = (meters.bytes(), Instant::now());
        network.node(host, &flags)?;
        Ok(Self { host, clock, bytes })
    }

    async fn until(&self, is_there: impl AsyncFn() -> bool) -> Result<()> {
        let mut tick = tokio::time::interval(LOOK);
        while !is_there().await {
            ensure!(self.clock.elapsed() < PATIENCE, "node {} does not get there", self.host);
            tick.tick().await;
        }
        Ok(())
    }

    /// What it took so far.
    fn measured(&self, network: &Testnet, meters: &Meters) -> Result<Value> {
        let seconds = (self.clock.elapsed().as_secs_f64() * 100.0).round() / 100.0;
        let cpu = cpu_microseconds(network.pid(self.host)?)?;
        let disk = size(&network.path(&format!("data-{}/chain", self.host)))?;
        Ok(json!({
            "seconds": seconds,
            "cpu_seconds": tenths(cpu.div_euclid(1_000), 1_000),
            "carried_mb": tenths(meters.bytes().saturating_sub(self.bytes), 1_000_000),
            "disk_mb": tenths(disk, 1_000_000),
        }))
    }
}

/// How often `unit` goes into `amount`, to a tenth.
fn tenths(amount: u64, unit: u64) -> f64 {
    let tenths = amount.saturating_mul(10).div_euclid(unit);
    f64::from(u32::try_from(tenths).unwrap_or(u32::MAX)) / 10.0
}

/// Bytes of all files below a directory, as far as they take room.
pub(super) fn size(directory: &Path) -> Result<u64> {
    let mut bytes = 0_u64;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        // The database removes files while it works.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        let part = if metadata.is_dir() {
            size(&path).unwrap_or_default()
        } else {
            std::os::unix::fs::MetadataExt::blocks(&metadata).saturating_mul(512)
        };
        bytes = bytes.saturating_add(part);
    }
    Ok(bytes)
}

/// Carries connections to an address and counts what passes, both ways.
struct Meter {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Meter {
    async fn to(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                // Whoever connects sees it end.
                tokio::spawn(async move { drop(carry(stream, target, &counted).await) });
            }
        });
        Ok(Self { address, bytes, task })
    }

    /// As `--peer` names whoever is behind it.
    fn peer(&self, key: &str) -> String {
        format!("{key}@{}", self.address)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(stream: TcpStream, target: SocketAddr, counted: &AtomicU64) -> Result<()> {
    let onward = TcpStream::connect(target).await?;
    stream.set_nodelay(true)?;
    onward.set_nodelay(true)?;
    let ((read, write), (onward_read, onward_write)) = (stream.into_split(), onward.into_split());
    tokio::select! {
        ended = way(read, onward_write, counted) => ended,
        ended = way(onward_read, write, counted) => ended,
    }
}

async fn way(
    mut read: OwnedReadHalf,
    mut write: OwnedWriteHalf,
    counted: &AtomicU64,
) -> Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let count = read.read(&mut buffer).await?;
        let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
            return Ok(());
        };
        counted.fetch_add(u64::try_from(count)?, Ordering::Relaxed);
        write.write_all(piece).await?;
    }
}
