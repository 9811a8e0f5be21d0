//! How long the state takes: milliseconds per block of 10,000 updated keys, by the clock and, since
//! machines are shared, of all this process' threads on a processor (Linux only, else 0).
//!
//! `cargo run --release -p sahara-chain --example state_rates -- [accounts] [directory]`
#![expect(clippy::print_stdout, reason = "its purpose is to print")]
#![expect(unused_crate_dependencies, reason = "the crate's dependencies are not this example's")]

use std::{
    error::Error,
    path::PathBuf,
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

const UPDATES: u64 = 10_000;
const ROUNDS: u64 = 5;
const CHAIN_ID: u64 = 724_272;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let accounts = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let temporary = tempfile::tempdir()?;
    let directory = arguments.next().map_or_else(|| temporary.path().into(), PathBuf::from);

    let (genesis, took) = timed(|| genesis(accounts))?;
    println!("genesis of {accounts} accounts: root in {took}");
    let (store, took) = timed(|| Ok(Store::open(&directory, StoreOptions::default(), &genesis)?))?;
    println!("opened and written in {took}");
    let pending = PendingStates::new(store.clone(), 1 << 30);
    println!("{:<28}{:>12}{:>12}{:>12}{:>12}", "block", "root", "cpu", "commit", "cpu");
    for round in 0..ROUNDS {
        run(&pending, "empty", &StateDiff::default())?;
        run(&pending, "10,000 balances", &balances(&pending, accounts, round)?)?;
        run(&pending, "10,000 new accounts", &new_accounts(round))?;
        run(&pending, "10,000 words of one account", &words(&pending, round)?)?;
    }
    let (count, took) = timed(|| Ok(store.recount()?))?;
    let is_right = count.root == count.head.header.state_root;
    println!(
        "recount of {} accounts and {} words in {}: root {}",
        count.accounts,
        count.words,
        took,
        if is_right { "equal" } else { "DIFFERENT" }
    );
    drop((pending, store));
    let (_, took) = timed(|| Ok(Store::open(&directory, StoreOptions::default(), &genesis)?))?;
    println!("opened again in {took}");
    Ok(())
}

/// Executes and finalises one block, and prints what it took.
fn run(pending: &PendingStates, name: &str, diff: &StateDiff) -> Result<(), Box<dyn Error>> {
    let parent = pending.store().head();
    let ((root, trie), root_took) = timed(|| Ok(pending.root_after(parent.hash, diff)?))?;
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
    let (_, took) = timed(|| Ok(pending.finalize(hash, None)?))?;
    println!("{name:<28}{root_took}{took}");
    Ok(())
}

fn balances(
    pending: &PendingStates,
    accounts: u64,
    round: u64,
) -> Result<StateDiff, Box<dyn Error>> {
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

fn new_accounts(round: u64) -> StateDiff {
    let first = (1 << 40) + round * UPDATES;
    let account = GenesisAccount { balance: U256::ONE, ..GenesisAccount::default() };
    allocation((first..first + UPDATES).map(|index| (address(index), account.clone())))
}

fn words(pending: &PendingStates, round: u64) -> Result<StateDiff, Box<dyn Error>> {
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

fn genesis(accounts: u64) -> Result<Genesis, Box<dyn Error>> {
    let account = GenesisAccount { balance: U256::from(1_u64 << 60), ..GenesisAccount::default() };
    let state = allocation((0..accounts).map(|index| (address(index), account.clone())));
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

impl std::fmt::Display for Took {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for duration in [self.clock, self.processor] {
            let microseconds = duration.as_micros();
            let text = format!("{}.{} ms", microseconds / 1_000, microseconds % 1_000 / 100);
            write!(formatter, "{text:>12}")?;
        }
        Ok(())
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T, Box<dyn Error>>) -> Result<(T, Took), Box<dyn Error>> {
    let (start, processor) = (Instant::now(), processor_time());
    let done = work()?;
    let processor = processor_time().saturating_sub(processor);
    Ok((done, Took { clock: start.elapsed(), processor }))
}

/// What this process' threads have run.
fn processor_time() -> Duration {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Duration::ZERO };
    let nanoseconds = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}
