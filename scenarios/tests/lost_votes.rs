//! Validators whose consensus directory is gone, as `docs/run-a-validator.md` tells: refused in words; sitting
//! out the epoch and voting in the next; and two of four at once, which sign again at their own risk.

use eyre::{Result, ensure};
use sahara_scenarios::Testnet;
use serde_json::json;
use std::fs;

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Who keeps what it has.
const LEFT: [u16; 2] = [0, 1];

/// Blocks in an epoch: several seconds without load, and few to wait for.
const LENGTH: u64 = 10;

/// All that a validator may sign.
const VOTES: [&str; 3] = ["Notarize", "Nullify", "Finalize"];

/// Votes to skip a view, one each half a second, after which nothing that a killed one sent is on its way.
const SETTLED: u64 = 3;

/// Further ones, for which nothing may become final: longer than any timeout of a view.
const HALTED: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn lost_votes_are_refused_then_sat_out_and_two_of_four_sign_anyway() -> Result<()> {
    let length = LENGTH.to_string();
    let mut network = Testnet::start(4, &["--by-signatures", "--epoch-length", &length])?;
    network.agree(&HOSTS, 1).await?;
    votes_again(&network, 3).await?;

    // Without two of four nothing more is final in this epoch.
    network.end(2, "KILL")?;
    network.end(3, "KILL")?;
    lose_votes(&network, 3)?;
    is_refused(&mut network, 3).await?;
    network.node(3, &["--lost-votes", "sit-out"])?;
    let rpc = network.rpc(3);
    let connected = async || {
        let info = rpc.call("sahara_nodeInfo", json!([])).await.ok()?;
        (info.get("peers") == Some(&json!("0x2"))).then_some(())
    };
    network.until("host 3 hears the two left", connected).await?;
    sits_out(&mut network).await?;

    // Its vote counts again: without it the others are no quorum.
    network.end(2, "KILL")?;
    goes_on(&network, &[0, 1, 3]).await?;

    // Two of four at once: no epoch ends without them. All stop and start together, since who runs on
    // remembers votes that the two do not, and shuts out whoever contradicts them.
    for host in [3, 1, 0] {
        network.end(host, "KILL")?;
    }
    for host in [2, 3] {
        lose_votes(&network, host)?;
    }
    is_refused(&mut network, 2).await?;
    for host in LEFT {
        network.node(host, &[])?;
    }
    for host in [2, 3] {
        network.node(host, &["--lost-votes", "sign-anyway"])?;
    }
    goes_on(&network, &HOSTS).await?;

    // What it signs from now on is accounted for as ever: no flag is needed to start again.
    network.end(3, "TERM")?;
    network.node(3, &[])?;
    goes_on(&network, &HOSTS).await?;
    for host in HOSTS {
        network.recount(host).await?;
    }
    Ok(())
}

/// Host 3 runs beside the two left and signs nothing, so that they stand still; with host 2 blocks come, which
/// it follows; and in the next epoch it votes.
async fn sits_out(network: &mut Testnet) -> Result<()> {
    skip(network, SETTLED).await?;
    let still = heights(network).await?;
    skip(network, HALTED).await?;
    let after = heights(network).await?;
    ensure!(still == after, "blocks came with a vote that was lost: {still:?}, then {after:?}");
    let signed = network.votes(3, &VOTES).await?;
    ensure!(signed == 0, "it signed {signed} votes in the epoch that it sits out");

    network.node(2, &[])?;
    let height = after.into_iter().max().unwrap_or_default();
    network.agree(&HOSTS, height.saturating_add(2)).await?;
    let last = height.div_euclid(LENGTH).saturating_add(1).saturating_mul(LENGTH).saturating_sub(1);
    let signed = network.votes(3, &VOTES).await?;
    // Asked in this order: at this height all that it signed was of this epoch.
    let is_over = network.rpc(3).height().await? >= last;
    ensure!(is_over || signed == 0, "it signed {signed} votes before block {last}");
    network.reaches(3, last).await?;
    votes_again(network, 3).await
}

/// The directory that remembers what the key signed is gone; the guard beside the key is not.
fn lose_votes(network: &Testnet, host: u16) -> Result<()> {
    Ok(fs::remove_dir_all(network.path(&format!("data-{host}/consensus")))?)
}

/// A start ends by itself, and says which guard knows of votes and what can be done.
async fn is_refused(network: &mut Testnet, host: u16) -> Result<()> {
    let before = network.log(host).len();
    network.node(host, &[])?;
    let ended = network.ended(host).await?;
    ensure!(!ended.success(), "a key started without the votes that it signed");
    let log = network.log(host);
    let said = log.get(before..).unwrap_or_default();
    for words in [
        "validator.guard-",
        "is missing or older",
        "--lost-votes sit-out",
        "--lost-votes sign-anyway",
    ] {
        ensure!(said.contains(words), "it does not say `{words}`: {said}");
    }
    Ok(())
}

async fn votes_again(network: &Testnet, host: u16) -> Result<()> {
    let voted = async || network.votes(host, &VOTES).await.ok().filter(|count| *count > 0);
    network.until(&format!("host {host} votes"), voted).await.map(drop)
}

/// Waits until each of those left has voted so many times more to skip its view.
async fn skip(network: &Testnet, more: u64) -> Result<()> {
    let mut goals = Vec::new();
    for host in LEFT {
        let skips = network.votes(host, &["Nullify"]).await?;
        goals.push((host, skips.saturating_add(more)));
    }
    for (host, goal) in goals {
        let skips = async || network.votes(host, &["Nullify"]).await.ok().filter(|n| *n >= goal);
        network.until(&format!("host {host} votes {goal} times to skip"), skips).await?;
    }
    Ok(())
}

/// The last final block of each of those left.
async fn heights(network: &Testnet) -> Result<Vec<u64>> {
    let mut heights = Vec::new();
    for host in LEFT {
        heights.push(network.rpc(host).height().await?);
    }
    Ok(heights)
}

/// Blocks come at all of these hosts.
async fn goes_on(network: &Testnet, hosts: &[u16]) -> Result<()> {
    let mut height = 0;
    for host in hosts {
        // Who has just started does not answer yet.
        let rpc = network.rpc(*host);
        let answers = async || rpc.height().await.ok();
        height = height.max(network.until("a node answers", answers).await?);
    }
    network.agree(hosts, height.saturating_add(3)).await
}
