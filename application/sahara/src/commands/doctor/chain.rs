//! What a node's chain does while it is looked at, and what this machine's clock says to it.

use super::Finding;
use crate::{
    commands::status::{self, Node},
    output::count,
    refusal::refused,
    session::Session,
};
use alloy_primitives::{B64, U64};
use eyre::{Result, eyre};
use sahara_client::ChainClient;
use sahara_finality::{MAX_CLOCK_DRIFT_MILLISECONDS, quorum};
use serde::Deserialize;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(50);
/// As many new blocks are enough. Each is seen some time after it was made; the soonest of them tells most.
const ENOUGH_BLOCKS: usize = 3;
/// The longest it is looked. When no block came in that time, the chain stands still: an idle one makes a block a
/// second, and two leaders in a row that are away cost two seconds each.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long after it was made a block may be seen first: what votes take between continents, and much more than
/// it takes elsewhere.
const ON_ITS_WAY: i128 = 1_000;

/// What the chain did while it was looked at. Ages are milliseconds by this machine's clock; a block of the future
/// has one below zero.
#[derive(Clone, Debug)]
struct Watched {
    /// The last block.
    height: u64,
    /// How long before the last look it was made.
    age: i128,
    /// Of the blocks that came meanwhile, how long before its first look each was made.
    fresh: Vec<i128>,
}

#[derive(Deserialize)]
struct Head {
    number: U64,
    /// Unix time in milliseconds, big-endian.
    nonce: B64,
}

/// Looks at the node, at its peers and its blocks, and at the clock.
pub(super) async fn findings(session: &Session, client: &ChainClient) -> Vec<Finding> {
    let node = match status::node(session).await {
        Ok(node) => node,
        Err(error) => return vec![answers(Err(error))],
    };
    let (peers, answers) = (peers(&node), answers(Ok(node.height)));
    let most = PATIENCE.saturating_mul(2);
    let watched = tokio::time::timeout(most, watch(client)).await;
    let watched = watched.unwrap_or_else(|_| Err(eyre!("it stopped answering")));
    match watched {
        Ok(watched) => vec![answers, peers, blocks(&watched), clock(&watched)],
        Err(error) => vec![answers, peers, unwatched(&error)],
    }
}

/// Looks until enough blocks came or [`PATIENCE`] is over.
async fn watch(client: &ChainClient) -> Result<Watched> {
    let mut tick = tokio::time::interval(LOOK);
    let start = Instant::now();
    let mut watched: Option<Watched> = None;
    loop {
        tick.tick().await;
        let head: Head =
            client.request("eth_getBlockByNumber", ("latest", false)).await.map_err(refused)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let made = u64::from_be_bytes(head.nonce.0);
        let age = i128::try_from(now).unwrap_or(i128::MAX).saturating_sub(i128::from(made));
        let height = head.number.to::<u64>();
        let before = watched.take();
        let is_new = before.as_ref().is_some_and(|before| height > before.height);
        let mut fresh = before.map(|before| before.fresh).unwrap_or_default();
        if is_new {
            fresh.push(age);
        }
        let is_enough = fresh.len() >= ENOUGH_BLOCKS || start.elapsed() >= PATIENCE;
        let seen = Watched { height, age, fresh };
        if is_enough {
            return Ok(seen);
        }
        watched = Some(seen);
    }
}

fn answers(height: Result<u64>) -> Finding {
    Finding {
        what: "node",
        is_fine: height.is_ok(),
        found: height.map_or_else(|error| error.to_string(), |height| format!("at block {height}")),
        mend: "start it with `sahara up`, or see its log",
    }
}

fn unwatched(error: &eyre::Report) -> Finding {
    Finding {
        what: "blocks",
        is_fine: false,
        found: error.to_string(),
        mend: "see the log of the node",
    }
}

/// Whether the node, with those that it is connected to, would be a quorum.
fn peers(node: &Node) -> Finding {
    let others = node.validators.saturating_sub(1);
    let wanted = usize::try_from(node.validators).map_or(usize::MAX, quorum);
    let there = usize::try_from(node.peers.saturating_add(1)).unwrap_or(usize::MAX);
    Finding {
        what: "peers",
        is_fine: there >= wanted,
        found: match others {
            0 => String::from("the only validator"),
            _ => format!("{} of {others} other validators known", node.peers),
        },
        mend: "with so few no block is made or heard of: see whether the others run, and whether --peer-listen of this node and their addresses let connections through",
    }
}

fn blocks(watched: &Watched) -> Finding {
    let Watched { height, age, fresh } = watched;
    let came = count(u64::try_from(fresh.len()).unwrap_or(u64::MAX), "block");
    let found = if fresh.is_empty() {
        format!(
            "the chain stands still at block {height}, made {} s ago: none came within {} s",
            (*age).max(0) / 1_000,
            PATIENCE.as_secs()
        )
    } else {
        format!("{came} came meanwhile, the last is {height}")
    };
    Finding {
        what: "blocks",
        is_fine: !fresh.is_empty(),
        found,
        mend: "more than two thirds of the validators have to run and to reach one another: see `sahara status` and the log of each; if others go on, this node is cut off",
    }
}

/// A block's time is at most the permitted drift ahead of most validators' clocks, so whoever sees one from further
/// ahead is behind them. Who sees all new blocks late is ahead of them, or far away.
fn clock(watched: &Watched) -> Finding {
    let fresh = watched.fresh.iter().copied().min();
    let soonest = fresh.unwrap_or(watched.age).min(watched.age);
    let drift = i128::from(MAX_CLOCK_DRIFT_MILLISECONDS);
    let is_behind = soonest.saturating_neg() > drift;
    let is_ahead = fresh.is_some_and(|age| age > drift.saturating_add(ON_ITS_WAY));
    let found = if is_behind {
        format!("at least {} ms behind the chain's", soonest.saturating_neg())
    } else if is_ahead {
        format!("{soonest} ms ahead of the chain's, unless blocks take so long to come here")
    } else if fresh.is_some() {
        format!("goes with the chain's: a block was here {soonest} ms after its time")
    } else {
        String::from("not known while no block comes")
    };
    Finding {
        what: "clock of this machine",
        is_fine: !is_behind && !is_ahead,
        found,
        mend: "let NTP set it: validators wait for blocks from ahead of their clocks",
    }
}

#[cfg(test)]
mod tests {
    use super::{Watched, answers, blocks, clock, peers, unwatched};
    use crate::commands::status::Node;

    fn watched(age: i128, fresh: &[i128]) -> Watched {
        Watched { height: 42, age, fresh: fresh.to_vec() }
    }

    fn node(peers: u64, validators: u64) -> Node {
        Node { peers, validators, ..Node::sample() }
    }

    #[test]
    fn a_chain_that_stands_still_wants_mending_though_its_node_answers() {
        let still = blocks(&watched(75_900, &[]));
        assert!(!still.is_fine && answers(Ok(42)).is_fine);
        let said = "the chain stands still at block 42, made 75 s ago: none came within 6 s";
        assert_eq!(still.found, said);
        let goes_on = blocks(&watched(90, &[80, 90]));
        assert!(goes_on.is_fine);
        assert_eq!(goes_on.found, "2 blocks came meanwhile, the last is 42");
        // Of the future: nothing is said to have been made before it was.
        assert!(blocks(&watched(-7_000, &[])).found.contains("made 0 s ago"));
        let lost = unwatched(&eyre::eyre!("connection reset"));
        assert!(!lost.is_fine && lost.found == "connection reset");
    }

    #[test]
    fn a_clock_may_differ_by_half_a_second_and_not_by_more() {
        for fine in [&[0, 900][..], &[-500, 20], &[-1], &[1_500, 3_000]] {
            let found = clock(&watched(100, fine));
            assert!(found.is_fine, "{fine:?}: {}", found.found);
        }
        let found = clock(&watched(300, &[90, 70, 300])).found;
        assert_eq!(found, "goes with the chain's: a block was here 70 ms after its time");
        let behind = clock(&watched(40, &[-501, 30, 40]));
        assert!(!behind.is_fine);
        assert_eq!(behind.found, "at least 501 ms behind the chain's");
        // One that came before is enough for that, and is not for the other.
        assert!(!clock(&watched(-60_000, &[])).is_fine);
        let unknown = clock(&watched(60_000, &[]));
        assert!(unknown.is_fine && unknown.found.starts_with("not known"));
        let ahead = clock(&watched(9_000, &[1_501, 8_000]));
        assert!(!ahead.is_fine && ahead.found.starts_with("1501 ms ahead"), "{}", ahead.found);
    }

    #[test]
    fn a_node_without_a_quorum_of_peers_wants_mending() {
        for (known, validators, is_fine) in
            [(0, 1, true), (3, 4, true), (2, 4, true), (1, 4, false), (0, 4, false), (0, 2, false)]
        {
            assert_eq!(peers(&node(known, validators)).is_fine, is_fine, "{known} {validators}");
        }
        assert_eq!(peers(&node(1, 4)).found, "1 of 3 other validators known");
        assert_eq!(peers(&node(0, 1)).found, "the only validator");
    }
}
