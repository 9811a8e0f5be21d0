//! The measurements.

use crate::{
    Fault,
    chain::{Call, Chain},
    ethereum,
    town::{Earns, Town},
};
use alloy_primitives::{Address, Bytes, hex};
use alloy_sol_types::{SolCall, sol};
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_primitives::AssetId;
use serde_json::{Value, json};
use std::{path::Path, process::Command};

const SPLITTER: &str = include_str!("../../../evm/contracts/NaiveSplitter.bin");
const PROBE: &str = include_str!("../../../evm/contracts/LogProbe.bin");

/// Rounds of which the median counts, after one that nobody counts.
const ROUNDS: usize = 5;
/// More than any call here needs, and what one transaction may have (EIP-7825).
const GAS: u64 = 16_000_000;
/// Paid each time: parts are below what the sweep credits, so that no part's place in the queue is counted.
const PAID: u128 = 1_000_000_007;

sol! {
    function add(address[] more);
    function pay();
    function log(uint64 count);
}

/// Prints one JSON line: name, workload, rows, ratio of gas and of processor time between these two rows.
fn report(
    name: &str,
    workload: &str,
    (ours, peer): (&[Cost], &[Cost]),
    (row, peer_row): (usize, usize),
) -> Result<(), Fault> {
    let (one, other) = (&ours[row], &peer[peer_row]);
    let ratio = json!({
        "ours": one.name, "peer": other.name,
        "gas": one.gas / other.gas, "cpu_us": one.microseconds / other.microseconds,
    });
    let rows = |costs: &[Cost]| costs.iter().map(Cost::json).collect::<Vec<_>>();
    let commit = Command::new("git").args(["rev-parse", "--short", "HEAD"]).output()?.stdout;
    let machine = std::fs::read_to_string("/proc/cpuinfo")?;
    let machine = machine.lines().find_map(|line| line.strip_prefix("model name"));
    println!(
        "{}",
        json!({
            "name": name, "workload": workload, "ours": rows(ours), "peer": rows(peer), "ratio": ratio,
            "commit": String::from_utf8(commit)?.trim(),
            "machine": format!("{} x{}", machine.unwrap_or_default().trim_start_matches([' ', '\t', ':']),
                std::thread::available_parallelism()?),
        })
    );
    Ok(())
}

/// Where the chain's files stand, and how many accounts it has that nothing here touches.
type Place<'a> = (&'a Path, u64);

/// One kind of transaction.
pub(crate) struct Work {
    name: String,
    calls: Vec<Call>,
}

/// What one transaction of a kind costs.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) name: String,
    pub(crate) gas: f64,
    pub(crate) microseconds: f64,
    pub(crate) parts: [f64; 4],
    pub(crate) slots: f64,
    pub(crate) fresh: f64,
    pub(crate) accounts: f64,
}

impl Cost {
    fn json(&self) -> Value {
        json!({
            "work": self.name, "gas": self.gas.round(), "cpu_us": (self.microseconds * 10.0).round() / 10.0,
            "slots_written": self.slots, "slots_fresh": self.fresh,
        })
    }

    fn print(&self) {
        let [recover, execute, root, store] = self.parts;
        println!(
            "{:<34}{:>11.0}{:>10.1}{:>8.1}{:>9.1}{:>9.1}{:>9.1}{:>8.2}{:>7.2}{:>8.2}{:>9.0}",
            self.name,
            self.gas,
            self.microseconds,
            recover,
            execute,
            root,
            store,
            self.slots,
            self.fresh,
            self.accounts,
            self.gas / self.microseconds,
        );
    }
}

fn heading() {
    println!(
        "{:<34}{:>11}{:>10}{:>8}{:>9}{:>9}{:>9}{:>8}{:>7}{:>8}{:>9}",
        "one transaction",
        "gas",
        "CPU-us",
        "recover",
        "execute",
        "root",
        "store",
        "slots",
        "fresh",
        "accounts",
        "gas/us"
    );
}

fn measure(chain: &mut Chain, work: &Work) -> Result<Cost, Fault> {
    chain.block(&work.calls)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(chain.block(&work.calls)?);
    }
    rounds.sort_by_key(crate::chain::Took::all);
    let took = &rounds[ROUNDS / 2];
    let count = work.calls.len() as f64;
    let each = |duration: std::time::Duration| duration.as_secs_f64() * 1e6 / count;
    let users = took.outcome.executions.iter().take(work.calls.len());
    let gas: u64 = users.map(|execution| execution.gas_used).sum();
    let words = || took.outcome.diff.accounts.values().flat_map(|account| account.storage.values());
    let changed = words().filter(|(before, after)| before != after).count();
    let fresh = words().filter(|(before, _)| before.is_zero()).count();
    let cost = Cost {
        name: work.name.clone(),
        gas: gas as f64 / count,
        microseconds: each(took.all()),
        parts: [took.recover, took.execute, took.root, took.store].map(each),
        slots: changed as f64 / count,
        fresh: fresh as f64 / count,
        accounts: took.outcome.diff.accounts.len() as f64 / count,
    };
    cost.print();
    Ok(cost)
}

fn pay(asset: AssetId) -> Call {
    let data = IRoyalties::payCall { asset: asset.0 }.abi_encode().into();
    Call { to: Some(ROYALTIES), value: PAID, data, gas: GAS }
}

fn payments(name: String, assets: &[AssetId]) -> Work {
    Work { name, calls: assets.iter().copied().map(pay).collect() }
}

/// How many transactions of a kind stand in a block, so that every block has about as many payees.
fn many(payees: usize) -> usize {
    (6_500 / payees).clamp(20, 2_000)
}

/// Deploys and returns the address.
fn deploy(chain: &mut Chain, code: &str) -> Result<Address, Fault> {
    let data = Bytes::from(hex::decode(code.trim())?);
    let took = chain.block(&[Call { data, gas: GAS, ..Call::default() }])?;
    Ok(took.outcome.executions[0].contract_address.ok_or("nothing was deployed")?)
}

/// Splitters with so many payees each.
fn splitters(
    chain: &mut Chain,
    payees: &[Address],
    (count, each): (usize, usize),
) -> Result<Work, Fault> {
    let mut calls = Vec::new();
    for part in payees.chunks(each).take(count) {
        let to = Some(deploy(chain, SPLITTER)?);
        for more in part.chunks(200) {
            let data = addCall { more: more.to_vec() }.abi_encode().into();
            chain.block(&[Call { to, data, gas: GAS, value: 0 }])?;
        }
        calls.push(Call { to, value: PAID, data: payCall {}.abi_encode().into(), gas: GAS });
    }
    Ok(Work { name: format!("naive splitter, {each} payees"), calls })
}

/// ROY-2: by ancestors and by who earns.
pub(crate) fn ancestors(place: Place<'_>) -> Result<(), Fault> {
    let mut town = Town::default();
    let mut works = Vec::new();
    for earns in [Earns::Owner, Earns::Pool] {
        for ancestors in [0, 1, 8, 64] {
            let assets = (0..many(ancestors + 1)).map(|_| town.line(ancestors, earns));
            let assets = assets.collect::<Result<Vec<_>, _>>()?;
            works.push(payments(format!("{earns:?}, {ancestors} ancestors"), &assets));
        }
        let assets = (0..many(17)).map(|_| town.family(16, earns));
        let assets = assets.collect::<Result<Vec<_>, _>>()?;
        works.push(payments(format!("{earns:?}, 16 parents"), &assets));
    }
    let people: Vec<_> = (0..13_000).map(|_| town.person()).collect();
    let chain = &mut Chain::new(place, &town.into_diff())?;
    heading();
    let mut ours = vec![measure(chain, &transfers(&people))?];
    for work in &works {
        ours.push(measure(chain, work)?);
    }
    let mut peer = Vec::new();
    for each in [1, 2, 9, 17, 65] {
        let work = splitters(chain, &people, (many(each).min(100), each))?;
        peer.push(measure(chain, &work)?);
    }
    let workload = "one payment through 0, 1, 8, 64 ancestors and 16 parents; peer: a loop over as many payees";
    report("ROY-2", workload, (&ours, &peer), (4, 4))
}

fn transfers(people: &[Address]) -> Work {
    let transfer = |to: &Address| Call { to: Some(*to), value: 1, gas: 21_000, ..Call::default() };
    Work { name: "plain transfer".into(), calls: people.iter().take(6_000).map(transfer).collect() }
}

/// ROY-1: by contributors.
pub(crate) fn contributors(place: Place<'_>) -> Result<(), Fault> {
    let mut town = Town::default();
    let mut works = Vec::new();
    for count in [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000] {
        let assets = (0..2_000).map(|_| town.asset(&[], 0, Earns::Contributors(count)));
        let assets = assets.collect::<Result<Vec<_>, _>>()?;
        works.push(payments(format!("{count} contributors"), &assets));
    }
    let people: Vec<_> = (0..13_000).map(|_| town.person()).collect();
    let chain = &mut Chain::new(place, &town.into_diff())?;
    heading();
    let mut ours = vec![measure(chain, &transfers(&people))?];
    for work in &works {
        ours.push(measure(chain, work)?);
    }
    let mut peer = Vec::new();
    for (count, each) in [(100, 1), (100, 10), (60, 100), (10, 1_000)] {
        let work = splitters(chain, &people, (count, each))?;
        peer.push(measure(chain, &work)?);
    }
    let workload = "one payment to 1 to 1,000,000 contributors; peer: a loop over 1 to 1,000 payees, the most that a transaction holds";
    report("ROY-1", workload, (&ours, &peer), (4, 3))
}

/// What each kind of access costs, from transactions that do it 64 times.
pub(crate) fn prices(place: Place<'_>) -> Result<(), Fault> {
    let mut town = Town::default();
    let quiet = (0..6_400).map(|_| town.asset(&[], 0, Earns::Pool));
    let quiet = quiet.collect::<Result<Vec<_>, _>>()?;
    let lines = |town: &mut Town, ancestors, earns| {
        let assets = (0..many(ancestors + 1)).map(|_| town.line(ancestors, earns));
        assets.collect::<Result<Vec<_>, _>>()
    };
    let mut works = Vec::new();
    for earns in [Earns::Owner, Earns::Pool] {
        for ancestors in [0, 64] {
            let assets = lines(&mut town, ancestors, earns)?;
            works.push(payments(format!("{earns:?}, {ancestors} ancestors"), &assets));
        }
    }
    let people: Vec<_> = (0..13_000).map(|_| town.person()).collect();
    let nobody = people[0];
    let chain = &mut Chain::new(place, &town.into_diff())?;
    heading();
    measure(chain, &transfers(&people))?;
    let settle = |pools: &[AssetId]| {
        let assets = pools.iter().map(|pool| pool.0).collect();
        let data = IRoyalties::settleCall { account: nobody, assets }.abi_encode().into();
        Call { to: Some(ROYALTIES), data, gas: GAS, value: 0 }
    };
    let name = "64 quiet pools looked at".into();
    measure(chain, &Work { name, calls: quiet.chunks(64).map(settle).collect() })?;
    let name = "one quiet pool looked at".into();
    measure(chain, &Work { name, calls: quiet.chunks(1).take(2_000).map(settle).collect() })?;
    for work in &works {
        measure(chain, work)?;
    }
    let to = Some(deploy(chain, PROBE)?);
    for count in [0, 64] {
        let data: Bytes = logCall { count }.abi_encode().into();
        let call = Call { to, data, gas: GAS, value: 0 };
        let calls = vec![call; if count == 0 { 2_000 } else { 100 }];
        measure(chain, &Work { name: format!("{count} logs by a contract"), calls })?;
    }
    let to = deploy(chain, ethereum::LOOP)?;
    for sold in ethereum::sold()? {
        let calls = vec![sold.call(to, GAS); 20];
        measure(chain, &Work { name: sold.name.into(), calls })?;
    }
    Ok(())
}
