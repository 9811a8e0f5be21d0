//! `sahara status`: whether everything answers, and how far it is.

use crate::{
    failure::{Failure, Kind},
    local::{self, Network, Room},
    model,
    output::{Format, count, from_now, now, pairs},
    refusal::{innermost, refused},
    session::Session,
};
use eyre::Result;
use sahara_client::{ChainClient, ClientError};
use sahara_primitives::{B256, Timestamp, U256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// A part that says nothing for this long is shown as silent.
const PATIENCE: Duration = Duration::from_secs(5);
/// An idle chain makes a block a second; one that is this old stands still.
const STANDS_STILL: u64 = 15;

#[derive(Serialize)]
struct Status {
    is_fine: bool,
    node: Part<Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<Part<Service>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<Part<Service>>,
    model: ModelFile,
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    /// Bytes that may still be written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    free_bytes: Option<u64>,
}

/// Something that should answer.
#[derive(Serialize)]
struct Part<T> {
    url: String,
    is_fine: bool,
    #[serde(flatten)]
    said: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Whether what went wrong is what it answered.
    #[serde(skip)]
    refuses: bool,
}

impl<T> Part<T> {
    fn of(url: String, answer: Result<T>, is_fine: impl FnOnce(&T) -> bool) -> Self {
        match answer {
            Ok(said) => {
                let is_fine = is_fine(&said);
                Self { url, is_fine, said: Some(said), error: None, refuses: false }
            }
            Err(error) => {
                let (refuses, error) = (error.is::<Failure>(), Some(error.to_string()));
                Self { url, is_fine: false, said: None, error, refuses }
            }
        }
    }

    /// What it said in words, or that it is silent.
    fn text(&self, words: impl FnOnce(&T) -> String) -> String {
        match (&self.said, &self.error) {
            (Some(said), _) => words(said),
            (None, error) => {
                let silent = if self.refuses { "" } else { "NO ANSWER: " };
                format!("{}, {silent}{}", self.url, error.as_deref().unwrap_or_default())
            }
        }
    }
}

/// A node and its chain.
#[derive(Serialize)]
pub(super) struct Node {
    pub(super) version: String,
    pub(super) chain_id: u64,
    /// The last block; every block shown is final.
    pub(super) height: u64,
    pub(super) hash: B256,
    pub(super) timestamp: u64,
    pub(super) age_seconds: u64,
    pub(super) base_fee: Option<U256>,
    pub(super) peers: u64,
    pub(super) validators: u64,
    pub(super) genesis_hash: B256,
    /// The first block that is there with its receipts; 0 if all are.
    pub(super) first_block: u64,
    /// Older blocks that it still fetches.
    pub(super) missing_blocks: u64,
}

#[cfg(test)]
impl Node {
    /// At block 42 with the whole chain, made a second ago by its only validator.
    pub(super) fn sample() -> Self {
        Self {
            version: String::from("sahara/v0"),
            chain_id: 1,
            height: 42,
            hash: B256::ZERO,
            timestamp: 1_000,
            age_seconds: 1,
            base_fee: None,
            peers: 0,
            validators: 1,
            genesis_hash: B256::ZERO,
            first_block: 0,
            missing_blocks: 0,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeInfo {
    version: String,
    chain_id: alloy_primitives::U64,
    genesis_hash: B256,
    head_number: alloy_primitives::U64,
    head_hash: B256,
    peers: alloy_primitives::U64,
    validators: alloy_primitives::U64,
    first_block: alloy_primitives::U64,
    missing_blocks: alloy_primitives::U64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    timestamp: alloy_primitives::U64,
    base_fee_per_gas: Option<U256>,
}

/// What a service's `/health` says.
#[derive(Serialize)]
struct Service {
    health: Value,
}

#[derive(Serialize)]
struct ModelFile {
    path: String,
    is_fetched: bool,
}

/// Asks everything that is configured; fails when a part is silent or stands still.
pub(crate) async fn run(session: &Session, format: Format) -> Result<()> {
    let network = session.network()?;
    let rpc = session.rpc()?;
    let node = node(session).await;
    let stands_still = |node: &Node| node.age_seconds > STANDS_STILL;
    let node = Part::of(rpc, node, |node| !stands_still(node));
    let gateway = match session.gateway() {
        Ok(url) => Some(service(session, url).await),
        Err(_) => None,
    };
    // The worker is only known on this machine, and only when it is this machine's node.
    let own = network.as_ref().filter(|network| network.rpc == node.url);
    let worker = match own {
        Some(own) => Some(service(session, format!("http://127.0.0.1:{}", own.ports.worker)).await),
        None => None,
    };
    let path = model::path(&session.places);
    let directory = own.map(|_| local::directory(&session.places));
    let status = Status {
        is_fine: node.is_fine && [&gateway, &worker].into_iter().flatten().all(|part| part.is_fine),
        node,
        gateway,
        worker,
        model: ModelFile { is_fetched: path.is_file(), path: path.display().to_string() },
        free_bytes: directory.as_deref().and_then(Room::at).map(|room| room.bytes),
        directory: directory.map(|directory| directory.display().to_string()),
    };
    format.print(&status, |status| text(status, own))?;
    if status.is_fine { Ok(()) } else { Err(fault(&status, session, own)) }
}

fn silence() -> eyre::Report {
    eyre::eyre!("nothing came within {} s", PATIENCE.as_secs())
}

/// Asks the node about itself, and not for ever.
pub(super) async fn node(session: &Session) -> Result<Node> {
    let answer = tokio::time::timeout(PATIENCE, ask_node(session)).await;
    answer.unwrap_or_else(|_| Err(silence()))
}

async fn ask_node(session: &Session) -> Result<Node> {
    let client: ChainClient = session.client()?;
    let silent = |error| match error {
        ClientError::Unreachable { reason, .. } => eyre::eyre!(reason),
        other => refused(other),
    };
    let info: NodeInfo = client.request("sahara_nodeInfo", ()).await.map_err(silent)?;
    let head: Head =
        client.request("eth_getBlockByNumber", ("latest", false)).await.map_err(silent)?;
    let timestamp: u64 = head.timestamp.to();
    Ok(Node {
        version: info.version,
        chain_id: info.chain_id.to(),
        height: info.head_number.to(),
        hash: info.head_hash,
        timestamp,
        age_seconds: now().0.saturating_sub(timestamp),
        base_fee: head.base_fee_per_gas,
        peers: info.peers.to(),
        validators: info.validators.to(),
        genesis_hash: info.genesis_hash,
        first_block: info.first_block.to(),
        missing_blocks: info.missing_blocks.to(),
    })
}

async fn service(session: &Session, url: String) -> Part<Service> {
    let answer = async {
        let asked = session.http.get(format!("{url}/health")).timeout(PATIENCE).send().await;
        let answer = asked.map_err(|error| eyre::eyre!(innermost(&error)))?;
        Ok(Service { health: answer.json().await? })
    };
    let answer = answer.await;
    Part::of(url, answer, |service| {
        service.health.get("status").and_then(Value::as_str) == Some("ok")
    })
}

fn text(status: &Status, own: Option<&Network>) -> String {
    let mut rows = vec![("node", status.node.text(|node| node_text(&status.node.url, node)))];
    if let Some(node) = &status.node.said {
        rows.push(("height", height_text(node)));
        rows.extend(past_text(node).map(|text| ("blocks", text)));
        rows.push(("chain", format!("id {}, genesis {}", node.chain_id, node.genesis_hash)));
    }
    if let Some(gateway) = &status.gateway {
        rows.push(("gateway", gateway.text(|service| gateway_text(&gateway.url, &service.health))));
    }
    if let Some(worker) = &status.worker {
        rows.push(("worker", worker.text(|service| worker_text(&worker.url, &service.health))));
    }
    let fetched =
        if status.model.is_fetched { "fetched" } else { "not fetched: `sahara model fetch`" };
    rows.push(("default model", format!("{fetched}, {}", status.model.path)));
    rows.extend(own.and_then(|own| own.model.clone()).map(|model| ("talks as", model)));
    let room = status.free_bytes.map(|bytes| Room { bytes });
    rows.extend(status.directory.as_deref().map(|place| ("kept in", place_text(place, room))));
    pairs(rows)
}

/// Where it is kept, and whether that is nearly full: a node that cannot write stops.
fn place_text(directory: &str, room: Option<Room>) -> String {
    match room.filter(|room| room.is_scarce()) {
        Some(room) => {
            format!("{directory}: ONLY {room} FREE THERE, a node that cannot write stops")
        }
        None => directory.to_owned(),
    }
}

fn node_text(url: &str, node: &Node) -> String {
    // A node is no peer of itself.
    let others = node.validators.saturating_sub(1);
    let peers = match others {
        0 => String::from("the only validator"),
        _ => format!("{} of {others} other validators known", node.peers),
    };
    format!("{url}, {}, {peers}", node.version)
}

fn height_text(node: &Node) -> String {
    let made = from_now(
        Timestamp(node.timestamp),
        Timestamp(node.timestamp.saturating_add(node.age_seconds)),
    );
    let still = if node.age_seconds > STANDS_STILL { ": THE CHAIN STANDS STILL" } else { "" };
    format!("block {}, final, made {made}{still}", node.height)
}

/// What a node that began with a state sync has of the blocks before; nothing of one that has all.
fn past_text(node: &Node) -> Option<String> {
    let Node { first_block, missing_blocks, .. } = node;
    let older = match missing_blocks {
        0 => String::from("older ones are not kept there"),
        _ => format!("{} of the past still being fetched", count(*missing_blocks, "block")),
    };
    (*first_block > 0).then(|| format!("from {first_block} on, {older}"))
}

fn number(health: &Value, field: &str) -> u64 {
    health.get(field).and_then(Value::as_u64).unwrap_or_default()
}

fn gateway_text(url: &str, health: &Value) -> String {
    let state = health.get("status").and_then(Value::as_str).unwrap_or("says nothing of itself");
    format!(
        "{url}, {state}, {} served, {} to settle",
        count(number(health, "models"), "model"),
        count(number(health, "unsettled_channels"), "channel")
    )
}

fn worker_text(url: &str, health: &Value) -> String {
    let state = health.get("status").and_then(Value::as_str).unwrap_or("says nothing of itself");
    format!(
        "{url}, {state}, {} of {} jobs running",
        number(health, "jobs"),
        number(health, "max_jobs")
    )
}

/// What to do about it.
fn fault(status: &Status, session: &Session, own: Option<&Network>) -> eyre::Report {
    let is_silent = status.node.said.is_none() && !status.node.refuses;
    let is_down = own.is_some() && !local::is_running(&session.places);
    let text = match (is_down, is_silent) {
        (true, _) => "the local network is not running: start it with `sahara up`",
        (false, true) => "the node does not answer: see its log, or name another with --rpc",
        (false, false) if status.node.refuses => {
            "the node cannot say more: what it answers stands above"
        }
        (false, false) => "a part does not work: see its log, and `sahara doctor`",
    };
    // A network in the background has nobody to tell but its logs.
    let logs = local::directory(&session.places).join("logs");
    let log = match (own, is_down, is_silent) {
        (Some(_), true, _) => Some("up.log"),
        (Some(_), false, true) => Some("node-0.log"),
        _ => None,
    };
    match log.and_then(|log| local::last_words(&logs.join(log))) {
        Some(reason) => {
            Failure::said(Kind::Unreachable, format!("{text}; the last reason it gave: {reason}"))
        }
        None => Failure::said(Kind::Unreachable, text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Part, gateway_text, height_text, node_text, past_text, place_text};
    use crate::{failure::Failure, local::Room};
    use serde_json::json;

    #[test]
    fn a_node_without_the_oldest_blocks_says_what_becomes_of_them() {
        assert_eq!(past_text(&Node::sample()), None);
        let fills = Node { first_block: 31, missing_blocks: 1, ..Node::sample() };
        let text = past_text(&fills).unwrap();
        assert_eq!(text, "from 31 on, 1 block of the past still being fetched");
        let text = past_text(&Node { missing_blocks: 0, ..fills }).unwrap();
        assert_eq!(text, "from 31 on, older ones are not kept there");
    }

    #[test]
    fn a_node_that_answers_with_a_refusal_is_not_called_silent() {
        let part = |error| Part::<Node>::of(String::from("u"), Err(error), |_| true);
        let early = part(Failure::refused("the node is fetching the state of block 7"));
        assert!(
            early
                .text(|_| unreachable!())
                .ends_with("u, the node is fetching the state of block 7")
        );
        let silent = part(eyre::eyre!("connection refused"));
        assert_eq!(silent.text(|_| unreachable!()), "u, NO ANSWER: connection refused");
    }

    #[test]
    fn a_chain_that_stands_still_is_said_to() {
        assert_eq!(height_text(&Node::sample()), "block 42, final, made 1 s ago");
        let still = Node { age_seconds: 60, ..Node::sample() };
        assert!(height_text(&still).ends_with("THE CHAIN STANDS STILL"));
        let among_four = Node { peers: 3, validators: 4, ..Node::sample() };
        assert!(node_text("u", &among_four).ends_with("3 of 3 other validators known"));
        assert!(node_text("u", &Node::sample()).ends_with("the only validator"));
    }

    #[test]
    fn a_disk_that_is_nearly_full_is_said_to_be() {
        let text = place_text("/d", Some(Room { bytes: 600 << 20 }));
        assert_eq!(text, "/d: ONLY 600 MiB FREE THERE, a node that cannot write stops");
        assert_eq!(place_text("/d", Some(Room { bytes: 6 << 30 })), "/d");
        assert_eq!(place_text("/d", None), "/d");
    }

    #[test]
    fn a_gateway_that_lost_its_node_says_so() {
        let text = gateway_text("u", &json!({"status": "no node", "models": 1}));
        assert_eq!(text, "u, no node, 1 model served, 0 channels to settle");
    }
}
