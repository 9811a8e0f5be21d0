//! STATE-1: what the state costs at 100,000, 1,000,000 and 10,000,000 accounts: processor time and clock
//! for blocks of 10,000 changes, time to open, memory and disk, with the caches that a node has by `--cache MIB`.
//!
//! `cargo run --release -p sahara-chain --example state_sizes -- [largest] [directory] [MIB ...]`
//!
//! Every size is measured with each of the caches, by a process of its own, so that its memory is that of a store
//! and nothing else. It fails when one has more than its caches and what `specs/0002-state.md` allows beside.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a program for the terminal that prints rounded figures"
)]
#![expect(unused_crate_dependencies, reason = "the crate's dependencies are not this example's")]

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use alloy_consensus::Header;
use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use sahara_chain::store::{
    ExecutedBlock, Genesis, PendingStates, Store, StoreOptions, allocation, genesis_root,
};
use sahara_evm::{AccountDiff, ParentState, StateDiff};
use sahara_finality::{Block, Seal, block_bloom, receipts_root, transactions_root};
use serde_json::{Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fault = Box<dyn Error>;

const SIZES: [u64; 3] = [100_000, 1_000_000, 10_000_000];
/// Accounts that one block makes while the state grows.
const GROWTH: u64 = 50_000;
const UPDATES: u64 = 10_000;
const ROUNDS: u64 = 5;
const CHAIN_ID: u64 = 724_272;

/// MiB of caches where none are named: the half of what a node has when nobody says otherwise, and that.
const CACHES: [u64; 2] = [128, 256];
/// MiB that a store may have beside its caches, whatever its size: what it writes until that is in a file, what
/// the database needs to merge files, and one block of this program.
const REST_MIB: u64 = 384;
/// Bytes of filters and indexes in memory for each account; some nine were counted.
const PINNED_BYTES: u64 = 12;

fn main() -> Result<(), Fault> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let [mode, accounts, directory, cache] = arguments.as_slice()
        && mode == "measure"
    {
        let row = measured(Path::new(directory), accounts.parse()?, cache.parse()?)?;
        println!("{row}");
        return Ok(());
    }
    let mut arguments = arguments.into_iter();
    let largest = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let directory = arguments.next().map_or_else(|| temporary.path().into(), PathBuf::from);
    let mut caches = arguments.map(|text| text.parse()).collect::<Result<Vec<u64>, _>>()?;
    if caches.is_empty() {
        caches.extend(CACHES);
    }

    let genesis = genesis(GROWTH)?;
    let mut accounts = GROWTH;
    let mut rows = Vec::new();
    for size in SIZES.into_iter().filter(|size| *size <= largest) {
        let most = caches.iter().copied().max().unwrap_or_default();
        let pending = open(&directory, &genesis, most)?;
        while accounts < size {
            run(&pending, &new_accounts(accounts, GROWTH))?;
            accounts += GROWTH;
        }
        drop(pending);
        for cache in &caches {
            let row = measure_apart(&directory, size, *cache)?;
            println!("{row}");
            rows.push(row);
        }
    }
    report(&directory, &rows)?;
    rows.iter().try_for_each(check)
}

/// Opens the store with the caches that a node has by `--cache`.
fn open(directory: &Path, genesis: &Genesis, cache: u64) -> Result<PendingStates, Fault> {
    let history = StoreOptions::default().history;
    let options = StoreOptions::with_cache(cache << 20, history);
    Ok(PendingStates::new(Store::open(directory, options, genesis)?, 256 << 20))
}

/// Has another process measure.
fn measure_apart(directory: &Path, accounts: u64, cache: u64) -> Result<Value, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["measure", &accounts.to_string()]).arg(directory).arg(cache.to_string());
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("measuring {accounts} accounts ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Opens the store and measures.
fn measured(directory: &Path, accounts: u64, cache: u64) -> Result<Value, Fault> {
    let genesis = genesis(GROWTH)?;
    let (pending, opened) = timed(|| open(directory, &genesis, cache))?;
    drop(genesis);
    let row = measure(&pending, accounts)?;
    let pair = |[read, write]: &[Took; 2]| {
        let each =
            |took: &Took| json!([tenths(took.microseconds_each()), tenths(took.clock_each())]);
        json!({ "read_cpu_and_clock_us": each(read), "write_cpu_and_clock_us": each(write) })
    };
    Ok(json!({
        "accounts": accounts, "cache_mib": cache,
        "account": pair(&row.balances), "word": pair(&row.words),
        "opened_ms": opened.milliseconds(), "resident_mib": row.resident,
    }))
}

/// That a store has no more memory than it may.
fn check(row: &Value) -> Result<(), Fault> {
    let number = |name: &str| row.get(name).and_then(Value::as_u64).ok_or("a number in a row");
    let (accounts, cache) = (number("accounts")?, number("cache_mib")?);
    let (resident, pinned) = (number("resident_mib")?, (accounts * PINNED_BYTES) >> 20);
    let most = cache + REST_MIB + pinned;
    if resident > most {
        return Err(format!(
            "{accounts} accounts with {cache} MiB of caches have {resident} MiB, expected at most {most}"
        )
        .into());
    }
    Ok(())
}

/// What blocks of [`UPDATES`] changes take at one size: the medians of [`ROUNDS`].
struct Row {
    balances: [Took; 2],
    words: [Took; 2],
    /// MiB.
    resident: u64,
}

fn measure(pending: &PendingStates, accounts: u64) -> Result<Row, Fault> {
    let (mut balances, mut words) = ([vec![], vec![]], [vec![], vec![]]);
    // Changed words are of one account, which has ever more of them.
    for round in 0..=ROUNDS {
        let seed = accounts + round;
        for (rows, diff) in [
            (&mut balances, timed(|| self::balances(pending, accounts, seed))?),
            (&mut words, timed(|| self::words(pending, seed))?),
        ] {
            let (_, written) = timed(|| run(pending, &diff.0))?;
            let [read, write] = rows;
            // The first is nobody's: it fills the caches after the store was opened.
            if round > 0 {
                read.push(diff.1);
                write.push(written);
            }
        }
    }
    let median = |mut rows: Vec<Took>| -> Result<Took, Fault> {
        rows.sort_by_key(|took| took.processor);
        let middle = rows.len() / 2;
        Ok(rows.into_iter().nth(middle).ok_or("a round")?)
    };
    let median = |[read, write]: [Vec<Took>; 2]| Ok::<_, Fault>([median(read)?, median(write)?]);
    let (balances, words) = (median(balances)?, median(words)?);
    Ok(Row { balances, words, resident: resident()? })
}

/// Prints one JSON line: name, workload, rows, and how often the time for a change is that at the smallest size.
fn report(directory: &Path, rows: &[Value]) -> Result<(), Fault> {
    // Of the caches measured last, as those of a node.
    let cache = rows.last().and_then(|row| row.get("cache_mib"));
    let alike: Vec<_> = rows.iter().filter(|row| row.get("cache_mib") == cache).collect();
    let took = |row: &Value| {
        let read = row.pointer("/account/read_cpu_and_clock_us/0").and_then(Value::as_f64)?;
        Some(read + row.pointer("/account/write_cpu_and_clock_us/0").and_then(Value::as_f64)?)
    };
    let smallest = alike.first().and_then(|row| took(row));
    let ratio = |row: &Value| Some(hundredths(took(row)? / smallest?));
    let drop: Vec<_> = alike
        .iter()
        .map(|row| json!({ "accounts": row.get("accounts"), "times_the_smallest": ratio(row) }))
        .collect();
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output()?;
    println!(
        "{}",
        json!({
            "name": "STATE-1", "workload": "blocks of 10,000 random accounts read and changed; 10,000 words of one account",
            "ours": rows, "peer": null, "ratio": alike.last().and_then(|row| ratio(row)),
            "read_and_change": drop, "disk_mib": size(directory)? >> 20,
            "commit": String::from_utf8(commit.stdout)?.trim(), "machine": machine()?,
        })
    );
    Ok(())
}

fn machine() -> Result<String, Fault> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{} x{cores}", name.trim_start_matches([' ', '\t', ':'])))
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Bytes of the files in a directory.
fn size(directory: &Path) -> Result<u64, Fault> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

/// Memory of this process, in MiB.
fn resident() -> Result<u64, Fault> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()).ok_or("memory")?.parse()?;
    Ok(kib >> 10)
}

/// Computes the root of one block's changes and finalises it.
fn run(pending: &PendingStates, diff: &StateDiff) -> Result<(), Fault> {
    let parent = pending.store().head();
    let (root, trie) = pending.root_after(parent.hash, diff)?;
    let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
    let header =
        Header { number: parent.number + 1, parent_hash: parent.hash, ..header(&seal, root) };
    let block = Block { header, seal, transactions: Vec::new() };
    let hash = block.hash();
    pending.insert(Arc::new(ExecutedBlock {
        block: Arc::new(block),
        receipts: Arc::default(),
        senders: Vec::new(),
        diff: diff.clone(),
        trie,
    }))?;
    pending.finalize(hash, None)?;
    Ok(())
}

fn balances(pending: &PendingStates, accounts: u64, round: u64) -> Result<StateDiff, Fault> {
    let state = pending.store().state();
    let mut diff = StateDiff::default();
    for index in 0..UPDATES {
        let random = keccak256([round.to_be_bytes(), index.to_be_bytes()].concat());
        let (random, _) = random.split_first_chunk::<8>().ok_or("a hash has 32 bytes")?;
        let address = address(u64::from_be_bytes(*random) % accounts);
        let before = state.account(address)?;
        let mut after = before.unwrap_or_default();
        after.nonce += 1;
        after.balance += U256::from(index);
        let change = AccountDiff { before, after: Some(after), ..AccountDiff::default() };
        diff.accounts.insert(address, change);
    }
    Ok(diff)
}

fn new_accounts(first: u64, count: u64) -> StateDiff {
    let account = GenesisAccount { balance: U256::from(1_u64 << 60), ..GenesisAccount::default() };
    allocation((first..first + count).map(|index| (address(index), account.clone())))
}

fn words(pending: &PendingStates, round: u64) -> Result<StateDiff, Fault> {
    let state = pending.store().state();
    let address = address(0);
    let account = state.account(address)?;
    let mut change = AccountDiff { before: account, after: account, ..AccountDiff::default() };
    for index in 0..UPDATES {
        // Half new, half old from the second round on.
        let slot = U256::from(round * UPDATES / 2 + index);
        let word = U256::from(round + 1);
        change.storage.insert(slot, (state.storage(address, slot)?, word));
    }
    Ok(StateDiff { accounts: [(address, change)].into(), ..StateDiff::default() })
}

fn genesis(accounts: u64) -> Result<Genesis, Fault> {
    let state = new_accounts(0, accounts);
    let seal = Seal::Genesis { chain_id: CHAIN_ID, validators: B256::ZERO };
    let header = header(&seal, genesis_root(&state)?);
    let block = Block { header, seal, transactions: Vec::new() };
    Ok(Genesis { chain_id: CHAIN_ID, block, state })
}

fn header(seal: &Seal, state_root: B256) -> Header {
    Header {
        state_root,
        base_fee_per_gas: Some(1),
        extra_data: Bytes::copy_from_slice(seal.commitment().as_slice()),
        transactions_root: transactions_root(&[]),
        receipts_root: receipts_root(&[]),
        logs_bloom: block_bloom(&[]),
        ..Header::default()
    }
}

fn address(index: u64) -> Address {
    Address::left_padding_from(&index.to_be_bytes())
}

/// What something took.
struct Took {
    clock: Duration,
    processor: Duration,
}

impl Took {
    const fn milliseconds(&self) -> u128 {
        self.clock.as_millis()
    }

    /// Processor time for each of a block's changes.
    fn microseconds_each(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / UPDATES as f64
    }

    fn clock_each(&self) -> f64 {
        self.clock.as_secs_f64() * 1e6 / UPDATES as f64
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<(T, Took), Fault> {
    let (start, processor) = (Instant::now(), processor_time());
    let done = work()?;
    let processor = processor_time().saturating_sub(processor);
    Ok((done, Took { clock: start.elapsed(), processor }))
}

/// What this process' threads have run.
fn processor_time() -> Duration {
    let Ok(threads) = fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
