//! A disk that is full, and one that may only be read.

use crate::{alone, load, payer};
use eyre::{Result, ensure};
use sahara_scenarios::{Testnet, isolated, nothing_is_lost};
use std::{fs, process::Command};

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
    let load = load(&network, payer, &[0, 1, 2]).await?;

    // Full.
    let ballast = data.join("ballast");
    let filled = Command::new("dd")
        .args(["if=/dev/zero", "bs=64k", "status=none"])
        .arg(format!("of={}", ballast.display()))
        .status()?;
    ensure!(!filled.success(), "the disk is not full");
    stops(&mut network, &["os error 28"]).await?;
    fs::remove_file(&ballast)?;
    comes_back(&mut network).await?;

    // Read-only: a disk that its kernel no longer writes to after an error comes back so.
    network.end(3, "TERM")?;
    mount(&["-o", "remount,ro"], &network.text("data-3"))?;
    network.node(3, &[])?;
    stops(&mut network, &["os error 30"]).await?;
    mount(&["-o", "remount,rw"], &network.text("data-3"))?;
    comes_back(&mut network).await?;

    let to = load.to;
    let acknowledged = load.end().await?;
    ensure!(acknowledged.len() > 10, "only {} payments", acknowledged.len());
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}

/// Host 3 ends by itself, and its last words name the cause; the others go on.
async fn stops(network: &mut Testnet, words: &[&str]) -> Result<()> {
    let ended = network.ended(3).await?;
    ensure!(!ended.success(), "the node ended as if all were well");
    let log = network.log(3);
    let tail: Vec<_> = log.lines().rev().take(3).collect();
    let said = words.iter().any(|word| tail.iter().any(|line| line.contains(word)));
    ensure!(said, "none of {words:?} in the last words:\n{tail:#?}");
    let height = network.rpc(0).height().await?;
    network.agree(&[0, 1, 2], height.saturating_add(3)).await
}

async fn comes_back(network: &mut Testnet) -> Result<()> {
    network.node(3, &[])?;
    let height = network.rpc(0).height().await?;
    network.agree(&HOSTS, height.saturating_add(3)).await
}

fn mount(arguments: &[&str], at: &str) -> Result<()> {
    let mounted = Command::new("mount").args(arguments).arg(at).status()?;
    ensure!(mounted.success(), "mount {arguments:?} {at}: {mounted}");
    Ok(())
}
