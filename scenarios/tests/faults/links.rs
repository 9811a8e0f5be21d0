//! Hosts of their own network namespaces: slow links, pulled cables, a split down the middle.

use crate::{alone, heights, payer};
use eyre::{Result, ensure};
use sahara_scenarios::{Hosts, Steady, Testnet, isolated, nothing_is_lost, pass};
use std::time::Duration;

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Half of a round trip between continents.
const SLOW: Duration = Duration::from_millis(50);

/// Longer than any timeout of a view, so that whoever would go on goes on.
const LONG: Duration = Duration::from_secs(8);

#[test]
fn slow_links_a_pulled_cable_and_a_split_make_no_fork() -> Result<()> {
    let _alone = alone();
    let name = "links::slow_links_a_pulled_cable_and_a_split_make_no_fork";
    isolated(&[name, "--exact", "--nocapture"], cut_and_mend())
}

async fn cut_and_mend() -> Result<()> {
    let hosts = Hosts::new(4).await?;
    let (payer, address) = payer()?;
    let network = Testnet::start_at(hosts.places(), 4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    hosts.delay(SLOW);
    let load = Steady::on(&network, payer, &HOSTS).await?;
    let before = network.rpc(0).height().await?;
    network.agree(&HOSTS, before.saturating_add(5)).await?;

    // Three of four are a quorum.
    hosts.plug(3, false)?;
    let before = network.rpc(0).height().await?;
    network.agree(&[0, 1, 2], before.saturating_add(5)).await?;
    hosts.plug(3, true)?;
    let height = network.rpc(0).height().await?;
    network.agree(&HOSTS, height.saturating_add(2)).await?;

    // Neither half is one: what was on its way may still become final, then both stand still.
    hosts.part(&[1, 1, 2, 2]);
    pass(LONG).await;
    let still = heights(&network, &HOSTS).await?;
    pass(LONG).await;
    let after = heights(&network, &HOSTS).await?;
    ensure!(still == after, "half of the validators made blocks: {still:?}, then {after:?}");

    hosts.part(&[]);
    let highest = after.into_iter().max().unwrap_or_default();
    network.agree(&HOSTS, highest.saturating_add(5)).await?;
    let to = load.to;
    let acknowledged = load.end().await?;
    ensure!(acknowledged.len() > 10, "only {} payments", acknowledged.len());
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}
