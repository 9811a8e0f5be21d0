//! `kill -9` at random moments.

use crate::{alone, load, payer};
use eyre::{Result, ensure};
use sahara_scenarios::{Testnet, nothing_is_lost, pass};
use std::time::Duration;

/// Kills in every run; `cargo xtask soak kills` sets `SAHARA_KILLS` to 100.
const KILLS: u64 = 6;

const HOSTS: [u16; 4] = [0, 1, 2, 3];

/// Xorshift: the moments of a run are those of its seed, as far as processes allow.
struct Dice(u64);

impl Dice {
    const fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.rem_euclid(end)
    }
}

#[expect(clippy::disallowed_methods, reason = "a soak has no other way to say how many")]
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn killed_at_random_moments_under_load_nothing_final_is_lost() -> Result<()> {
    let _alone = alone();
    tokio::runtime::Runtime::new()?.block_on(kill_and_look())
}

async fn kill_and_look() -> Result<()> {
    let (kills, mut dice) = (number("SAHARA_KILLS", KILLS), Dice(number("SAHARA_SEED", 0x5a4a)));
    let (payer, address) = payer()?;
    let mut network = Testnet::start(4, &["--account", &address])?;
    network.agree(&HOSTS, 1).await?;
    let load = load(&network, payer, &HOSTS).await?;
    for kill in 1..=kills {
        pass(Duration::from_millis(dice.below(1_500))).await;
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
        pass(Duration::from_millis(dice.below(1_000))).await;
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
    nothing_is_lost(&network, &HOSTS, (to, &acknowledged)).await
}
