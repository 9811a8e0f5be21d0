//! `kill -9`: at random moments, and of one and then two of four, who stay away for a while.

use crate::{alone, heights, payer};
use alloy_primitives::{Address, U256};
use eyre::{Context, ContextCompat, Result, ensure};
use sahara_scenarios::{Dice, Steady, Testnet, nothing_is_lost, pass};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};

/// Kills in every run; `cargo xtask soak kills [KILLS]` sets `SAHARA_KILLS`, to 100 by itself.
const KILLS: u64 = 6;

/// The seed of every run; who says how many kills has another one each time, or says `SAHARA_SEED` too.
const SEED: u64 = 0x5a4a;

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Who is left when two of four were killed.
const LEFT: [u16; 2] = [0, 1];

/// Votes to skip a view after which nothing that the killed sent can still be on its way: the first comes when
/// the view has timed out, each further one half a second later.
const SETTLED: u64 = 3;

/// Further votes to skip for which nothing may become final. `sahara doctor` looks at the chain meanwhile, for six
/// seconds: longer than any timeout of a view.
const HALTED: u64 = 8;

/// A number that the environment says.
#[expect(clippy::disallowed_methods, reason = "a soak has no other way to say how many")]
fn number(name: &str) -> Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    text.parse::<u64>().map(Some).wrap_err_with(|| format!("{name} is a number, not `{text}`"))
}

#[test]
fn killed_at_random_moments_under_load_nothing_final_is_lost() -> Result<()> {
    let _alone = alone();
    let asked = number("SAHARA_KILLS")?;
    let chance = || asked.map_or(SEED, |kills| RandomState::new().hash_one(kills));
    let (kills, seed) = (asked.unwrap_or(KILLS), number("SAHARA_SEED")?.unwrap_or_else(chance));
    println!("the same run again: SAHARA_KILLS={kills} SAHARA_SEED={seed}");
    tokio::runtime::Runtime::new()?.block_on(kill_and_look(kills, Dice::new(seed)))
}

async fn kill_and_look(kills: u64, mut dice: Dice) -> Result<()> {
    let (payer, address) = payer()?;
    let mut network = Testnet::start(4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    let load = Steady::on(&network, payer, &HOSTS).await?;
    for kill in 1..=kills {
        pass(dice.moment(1_500)).await;
        // Every third time the lights go out: all at once.
        let victims = if kill.is_multiple_of(3) {
            HOSTS.to_vec()
        } else {
            vec![u16::try_from(dice.below(4))?]
        };
        let mut before = 0;
        for host in HOSTS {
            before = before.max(network.rpc(host).height().await?);
        }
        for victim in &victims {
            network.end(*victim, "KILL")?;
        }
        pass(dice.moment(1_000)).await;
        for victim in &victims {
            network.node(*victim, &[])?;
        }
        for host in HOSTS {
            network.reaches(host, before.saturating_add(2)).await?;
        }
    }
    let to = load.to;
    let acknowledged = load.end().await?;
    ensure!(acknowledged.len() as u64 > kills, "only {} payments", acknowledged.len());
    ensure!(acknowledged.most_in_a_block() > 1, "no block held two payments");
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}

#[test]
fn one_killed_stops_nothing_and_two_stop_the_chain_until_they_are_back() -> Result<()> {
    let _alone = alone();
    tokio::runtime::Runtime::new()?.block_on(kill_one_and_then_another())
}

async fn kill_one_and_then_another() -> Result<()> {
    let (payer, address) = payer()?;
    let mut network = Testnet::start(4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    let load = Steady::on(&network, payer, &HOSTS).await?;
    let to = load.to;

    // Three of four are a quorum. Meanwhile everyone's turn to lead comes, that of the killed too.
    network.end(3, "KILL")?;
    let height = network.rpc(0).height().await?;
    network.agree(&[0, 1, 2], height.saturating_add(8)).await?;

    // Two are none. They run on, they answer, they vote to skip; nothing more is final.
    network.end(2, "KILL")?;
    skip(&network, SETTLED).await?;
    let (still, paid) = (heights(&network, &LEFT).await?, received(&network, to).await?);
    let goals = goals(&network, HALTED).await?;
    let said = network.run(&["doctor"]).err().wrap_err("`doctor` found nothing wrong")?.to_string();
    ensure!(said.contains("the chain stands still"), "{said}");
    reach(&network, goals).await?;
    let after = heights(&network, &LEFT).await?;
    ensure!(still == after, "two of four made blocks: {still:?}, then {after:?}");
    ensure!(paid == received(&network, to).await?, "coin moved while nothing was final");
    network.agree(&LEFT, after.iter().copied().min().unwrap_or_default()).await?;

    // Back, they are a quorum with what each of them had on its disk; who pays never stopped asking.
    network.node(2, &[])?;
    network.node(3, &[])?;
    let highest = after.into_iter().max().unwrap_or_default();
    network.agree(&HOSTS, highest.saturating_add(3)).await?;
    let more = async || received(&network, to).await.ok().filter(|now| *now > paid);
    network.until("what waited is paid", more).await?;
    let acknowledged = load.end().await?;
    ensure!(!acknowledged.is_empty(), "no payment was acknowledged");
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}

/// Waits until each of those left has voted so many times more to skip its view.
async fn skip(network: &Testnet, more: u64) -> Result<()> {
    reach(network, goals(network, more).await?).await
}

/// Each of those left, and its votes to skip when there are so many more. A node without a quorum repeats this vote,
/// so the count tells that it lives and how long it has tried.
async fn goals(network: &Testnet, more: u64) -> Result<Vec<(u16, u64)>> {
    let mut goals = Vec::new();
    for host in LEFT {
        goals.push((host, skips(network, host).await?.saturating_add(more)));
    }
    Ok(goals)
}

/// Waits until each of these hosts has sent as many votes to skip.
async fn reach(network: &Testnet, goals: Vec<(u16, u64)>) -> Result<()> {
    for (host, goal) in goals {
        let voted = async || skips(network, host).await.ok().filter(|count| *count >= goal);
        network.until(&format!("node {host} votes {goal} times to skip"), voted).await?;
    }
    Ok(())
}

/// Votes to skip a view that a node has sent, repetitions too.
async fn skips(network: &Testnet, host: u16) -> Result<u64> {
    network.votes(host, &["Nullify"]).await
}

/// What the one who is paid holds at host 0.
async fn received(network: &Testnet, to: Address) -> Result<U256> {
    let held = network.rpc(0).call("eth_getBalance", json!([to, "latest"])).await?;
    Ok(held.as_str().wrap_err("a balance")?.parse()?)
}
