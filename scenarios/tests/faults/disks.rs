//! A disk that is full, and one that may only be read: from the start, and from one moment on.

use crate::{alone, payer};
use eyre::{Result, ensure, eyre};
use sahara_scenarios::{Steady, Testnet, isolated, nothing_is_lost};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const HOSTS: [u16; 4] = [0, 1, 2, 3];

#[test]
fn a_full_disk_and_a_read_only_one_stop_a_node_that_says_so_and_lose_nothing() -> Result<()> {
    let _alone = alone();
    let name = "disks::a_full_disk_and_a_read_only_one_stop_a_node_that_says_so_and_lose_nothing";
    isolated(&[name, "--exact", "--nocapture"], fill_and_lock())
}

async fn fill_and_lock() -> Result<()> {
    let (payer, address) = payer()?;
    let mut network = Testnet::start(4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    // Host 3 goes on upon a disk of its own.
    network.end(3, "TERM")?;
    let data = network.path("data-3");
    let kept = network.path("kept-3");
    fs::rename(&data, &kept)?;
    fs::create_dir(&data)?;
    mount(&["-t", "tmpfs", "-o", "size=512m", "tmpfs"], &network.text("data-3"))?;
    let copied = Command::new("cp").arg("-a").arg(kept.join(".")).arg(&data).status()?;
    ensure!(copied.success(), "could not copy the node's data: {copied}");
    network.node(3, &[])?;
    let height = network.rpc(0).height().await?;
    network.agree(&HOSTS, height.saturating_add(2)).await?;
    let load = Steady::on(&network, payer, &[0, 1, 2]).await?;

    // Full.
    let ballast = fill(&data)?;
    stops(&mut network, 3, "os error 28").await?;
    goes_on(&network, &[0, 1, 2]).await?;
    fs::remove_file(&ballast)?;
    comes_back(&mut network).await?;

    // Read-only: a disk that its kernel no longer writes to after an error comes back so.
    network.end(3, "TERM")?;
    mount(&["-o", "remount,ro"], &network.text("data-3"))?;
    network.node(3, &[])?;
    stops(&mut network, 3, "os error 30").await?;
    goes_on(&network, &[0, 1, 2]).await?;
    mount(&["-o", "remount,rw"], &network.text("data-3"))?;
    comes_back(&mut network).await?;

    // Read-only under the node that runs.
    lock(&network, 3)?;
    let said = stops(&mut network, 3, "os error 30").await?;
    ensure!(said.contains(&network.text("data-3")), "it does not name its directory: {said}");
    goes_on(&network, &[0, 1, 2]).await?;
    unlock(&network, 3)?;
    comes_back(&mut network).await?;

    let to = load.to;
    let acknowledged = load.end().await?;
    ensure!(acknowledged.len() > 10, "only {} payments", acknowledged.len());
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}

#[test]
fn a_disk_that_fills_while_a_state_is_fetched_stops_the_newcomer_that_goes_on_with_room()
-> Result<()> {
    let _alone = alone();
    let name = "disks::a_disk_that_fills_while_a_state_is_fetched_stops_the_newcomer_that_goes_on_with_room";
    isolated(&[name, "--exact", "--nocapture"], join_without_room())
}

async fn join_without_room() -> Result<()> {
    let (payer, address) = payer()?;
    let mut network = Testnet::start(2, &["--by-signatures", "--account", &address])?;
    network.agree(&[0, 1], 1).await?;
    network.add_host(2)?;
    let newcomer = format!("{}@{}", network.network_key(2)?, network.address(2));
    let restart = |network: &mut Testnet| -> Result<()> {
        network.node(0, &["--peer", &newcomer])?;
        network.node(1, &["--peer", &newcomer])
    };
    network.end(0, "TERM")?;
    network.end(1, "TERM")?;

    // There is nobody to ask yet: it opens its store, waits, and meanwhile its disk fills.
    let data = network.path("data-2");
    fs::create_dir(&data)?;
    mount(&["-t", "tmpfs", "-o", "size=512m", "tmpfs"], &network.text("data-2"))?;
    network.node(2, &["--sync", "state"])?;
    let rpc = network.rpc(2);
    let waits = async || rpc.call("eth_syncing", json!([])).await.ok();
    network.until("the newcomer waits for peers", waits).await?;
    let ballast = fill(&data)?;
    restart(&mut network)?;
    network.agree(&[0, 1], 2).await?;
    let load = Steady::on(&network, payer, &[0, 1]).await?;
    stops(&mut network, 2, "os error 28").await?;
    goes_on(&network, &[0, 1]).await?;
    ensure!(!network.log(2).contains("the state is whole"), "there was no room for it");

    fs::remove_file(&ballast)?;
    network.node(2, &["--sync", "state"])?;
    // It has no blocks from before the one that it begins with.
    network.reaches(2, 1).await?;
    goes_on(&network, &[0, 1, 2]).await?;
    ensure!(network.log(2).contains("the state is whole"), "no state sync\n{}", network.logs());
    let to = load.to;
    let acknowledged = load.end().await?;
    nothing_is_lost(&network, &[0, 1], (to, &acknowledged)).await?;
    // It has not the receipts from before the state that it fetched; the state it has to the last row.
    network.recount(2).await
}

/// Takes all the room there is, to the last page.
fn fill(disk: &Path) -> Result<PathBuf> {
    let ballast = disk.join("ballast");
    for block in ["bs=64k", "bs=4k"] {
        let filled = Command::new("dd")
            .args(["if=/dev/zero", block, "status=none", "oflag=append", "conv=notrunc"])
            .arg(format!("of={}", ballast.display()))
            .status()?;
        ensure!(!filled.success(), "the disk is not full");
    }
    Ok(ballast)
}

/// A host ends by itself, and its last words, which it returns, name the cause.
async fn stops(network: &mut Testnet, host: u16, cause: &str) -> Result<String> {
    let ended = network.ended(host).await?;
    ensure!(!ended.success(), "the node ended as if all were well");
    let log = network.log(host);
    let tail: Vec<_> = log.lines().rev().take(3).collect();
    let said = tail.iter().find(|line| line.contains(cause));
    said.map(|line| (*line).to_owned())
        .ok_or_else(|| eyre!("no {cause} in the last words:\n{tail:#?}"))
}

/// Blocks come at all of these hosts.
async fn goes_on(network: &Testnet, hosts: &[u16]) -> Result<()> {
    let height = network.rpc(0).height().await?;
    network.agree(hosts, height.saturating_add(3)).await
}

async fn comes_back(network: &mut Testnet) -> Result<()> {
    network.node(3, &[])?;
    goes_on(network, &HOSTS).await
}

/// Puts over a host's data a view of the same that may only be read, in one step. What the node opens,
/// makes, renames or removes from now on is refused; into files that it has open it still writes, which is
/// the harder case: it has to find out by itself.
fn lock(network: &Testnet, host: u16) -> Result<()> {
    let (data, view) = (network.text(&format!("data-{host}")), network.text("view"));
    fs::create_dir_all(&view)?;
    mount(&["--bind", &data], &view)?;
    mount(&["-o", "remount,bind,ro"], &view)?;
    mount(&["--bind", &view], &data)
}

/// Takes away what [`lock`] put there.
fn unlock(network: &Testnet, host: u16) -> Result<()> {
    for place in [network.text(&format!("data-{host}")), network.text("view")] {
        let unmounted = Command::new("umount").arg(&place).status()?;
        ensure!(unmounted.success(), "umount {place}: {unmounted}");
    }
    Ok(())
}

fn mount(arguments: &[&str], at: &str) -> Result<()> {
    let mounted = Command::new("mount").args(arguments).arg(at).status()?;
    ensure!(mounted.success(), "mount {arguments:?} {at}: {mounted}");
    Ok(())
}
