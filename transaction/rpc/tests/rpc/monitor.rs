//! Metrics, health, readiness; evidence.

use crate::{
    page::{Page, names},
    support::{ALICE, BOB, TestNode, address},
};
use axum::Router;
use commonware_consensus::{
    simplex::types::{Activity, ConflictingNotarize, Notarize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use jsonrpsee::rpc_params;
use sahara_chain::{
    consensus::{Evidence, Ledger},
    sync::Progress,
};
use sahara_finality::{Block, ValidatorKeys, signer};
use sahara_rpc::{Fetching, monitor_routes};
use serde_json::Value;
use std::{collections::BTreeSet, future::IntoFuture as _, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use yaml_rust2::{Yaml, YamlLoader};

async fn monitor(node: &TestNode) -> SocketAddr {
    serve(monitor_routes(node.ledger.clone(), None)).await
}

async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(tokio::spawn(axum::serve(listener, routes).into_future()));
    address
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

#[test]
fn a_page_that_breaks_the_format_is_not_read() {
    let described = "# HELP a_seconds Help.\n# TYPE a_seconds counter\n";
    let page = |lines: &str| Page::read(&format!("{described}{lines}# EOF\n"));
    let lines = "# UNIT a_seconds seconds\na_seconds_total{x=\"\\\"}, {\",y=\"\"} 1.5\n";
    let read = page(lines).unwrap();
    assert_eq!(read.samples.values().copied().collect::<Vec<_>>(), [1.5]);
    assert!(read.has("a_seconds_total") && !read.has("a_seconds"));
    for broken in [
        "a_seconds 1\n",
        "b_total 1\n",
        "a_seconds_total\n",
        "a_seconds_total one\n",
        "a_seconds_total 1\na_seconds_total 1\n",
        "a_seconds_total{x=\"1\",x=\"2\"} 1\n",
        "a_seconds_total{x-y=\"1\"} 1\n",
        "a_seconds_total{x=\"1} 1\n",
        "a_seconds_total{x=\"1\",} 1\n",
        "a_seconds_total 1\n# EOF\n",
        "# TYPE a_seconds counter\n",
        "# UNIT a_seconds bytes\n",
        "# HELP b-c Help.\n",
        "# HELP b Help.\nb 1\n",
        "# TYPE b gauge\nb 1\n",
        "# HELP b Help.\n# TYPE b gauge\nb 1\n# HELP a_seconds Help.\n",
        "\n",
    ] {
        page(broken).expect_err(broken);
    }
    Page::read(described).expect_err("no end");
}

#[tokio::test]
async fn metrics_say_what_happened() {
    let node = TestNode::start().await;
    let monitor = monitor(&node).await;
    for _ in 0..3 {
        node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    }
    node.refusal("eth_getBalance", ("nonsense",)).await;
    node.refusal("eth_inventedMethod", rpc_params![]).await;
    let (status, page) = get(monitor, "/metrics").await;
    assert_eq!(status, 200);
    let samples = Page::read(&page).unwrap().samples;
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name}: {page}"));
    assert_eq!(value("sahara_block_height"), 3.0);
    assert_eq!(value("sahara_transactions_total"), 6.0, "with each transfer a system transaction");
    assert!(value("sahara_gas_used_total") > 3.0 * 21_000.0);
    assert_eq!(value("sahara_finalized_lag_blocks"), 0.0);
    assert!(value("sahara_block_build_seconds_count") >= 3.0);
    assert_eq!(value("sahara_block_commit_seconds_count"), 3.0);
    assert!(value("sahara_supply_checks_total{outcome=\"Kept\"}") >= 3.0);
    assert_eq!(value("sahara_supply_checks_total{outcome=\"Broken\"}"), 0.0);
    assert_eq!(value("sahara_recovered_total"), 0.0);
    assert_eq!(value("sahara_missing_upgrade_block"), 0.0);
    assert_eq!(value("sahara_supply_coins"), 10_000_000_000.0);
    let held = |holder: &str| value(&format!("sahara_supply_held_coins{{holder=\"{holder}\"}}"));
    assert_eq!(held("community"), 2_075_000_000.0);
    assert_eq!(held("team") + held("investors"), 3_475_000_000.0);
    // What the fees of three transfers brought is less than a whole SAHARA.
    assert_eq!((held("incentive pool"), held("airdrop")), (3_393_000_000.0, 815_000_000.0));
    assert_eq!(held("staking"), 0.0);
    let sent = "{method=\"eth_sendRawTransactionSync\"}";
    assert_eq!(value(&format!("sahara_rpc_requests_total{sent}")), 3.0);
    assert_eq!(value(&format!("sahara_rpc_request_seconds_count{sent}")), 3.0);
    assert_eq!(value("sahara_rpc_errors_total{method=\"eth_getBalance\"}"), 1.0);
    assert_eq!(value("sahara_rpc_errors_total{method=\"unknown\"}"), 1.0);
    assert!(samples.keys().any(|key| key.starts_with("sahara_store_bytes{keyspace=")));
    let free = value("sahara_disk_free_bytes");
    assert!((1.0..1e18).contains(&free), "{free} bytes are free");
    assert!(page.contains("# UNIT sahara_disk_free_bytes bytes\n"), "{page}");
    assert!(!page.contains("eth_inventedMethod"), "strangers do not choose labels");
}

const DASHBOARD: &str = include_str!("../../../../packaging/grafana/sahara.json");
const ALERTS: &str = include_str!("../../../../packaging/prometheus/alerts.yml");
const TRIALS: &str = include_str!("../../../../packaging/prometheus/alerts_test.yml");
const SCRAPES: &str = include_str!("../../../../packaging/prometheus/prometheus.yml");

/// The one document of a YAML file.
fn yaml(text: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

/// What the alerts ask for.
fn alarming(alerts: &Yaml) -> String {
    let groups = alerts["groups"].as_vec().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_vec().unwrap());
    rules.map(|rule| rule["expr"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn dashboard_and_alerts_ask_only_for_what_is_there() {
    let node = TestNode::start().await;
    let monitor = monitor(&node).await;
    // A family with labels is on the page once it has a sample.
    node.refusal("eth_getBalance", ("nonsense",)).await;
    let (_, page) = get(monitor, "/metrics").await;
    let page = Page::read(&page).unwrap();
    let alarming = alarming(&yaml(ALERTS));
    let (shown, alarming) = (names(DASHBOARD, "sahara_"), names(&alarming, "sahara_"));
    // The gateway's own are held against what it counts in its own tests.
    let asked = shown.union(&alarming).filter(|name| !name.starts_with("sahara_gateway_"));
    let asked: BTreeSet<&str> = asked.copied().collect();
    assert!(asked.len() > 15, "{asked:?}");
    // A full disk stops a node: it is shown, and whoever is away is told before.
    let disk = "sahara_disk_free_bytes";
    assert!(shown.contains(disk) && alarming.contains(disk), "{asked:?}");
    for name in asked {
        assert!(page.has(name), "{name}: {page:?}");
    }
}

#[test]
fn the_dashboard_is_whole() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has a number of its own");
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables: BTreeSet<_> =
        variables.iter().map(|one| one["name"].as_str().unwrap()).collect();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let place = |side: &str| panel["gridPos"][side].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24, "{panel}");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(taken.insert((x, y)), "it lies on another: {panel}");
            }
        }
        let targets = panel["targets"].as_array().into_iter().flatten();
        let asked: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap()).collect();
        assert_eq!(asked.is_empty(), panel["type"] == "row", "{panel}");
        for expression in asked {
            let chosen = expression.split("instance=~\"$").nth(1).unwrap();
            assert!(variables.contains(chosen.split('"').next().unwrap()), "{expression}");
        }
    }
    // Whoever runs out of memory is ended without a word.
    assert!(names(DASHBOARD, "runtime_").contains("runtime_process_rss"));
}

#[test]
fn alerts_say_what_to_do_and_their_jobs_are_scraped() {
    let (alerts, scrapes) = (yaml(ALERTS), yaml(SCRAPES));
    let mut seen = BTreeSet::new();
    for rule in alerts["groups"][0]["rules"].as_vec().unwrap() {
        assert!(seen.insert(rule["alert"].as_str().unwrap()), "twice: {rule:?}");
        assert!(["page", "ticket"].contains(&rule["labels"]["severity"].as_str().unwrap()));
        for word in ["summary", "description"] {
            assert!(!rule["annotations"][word].as_str().unwrap().is_empty(), "{rule:?}");
        }
    }
    assert!(seen.contains("SaharaChannelsUnsettled"), "{seen:?}");
    assert_eq!(scrapes["rule_files"][0].as_str(), Some("alerts.yml"));
    let jobs = scrapes["scrape_configs"].as_vec().unwrap().iter();
    let jobs: BTreeSet<_> = jobs.map(|job| job["job_name"].as_str().unwrap()).collect();
    assert_eq!(jobs, BTreeSet::from(["sahara", "sahara-gateway"]));
    for named in alarming(&alerts).split("job=\"").skip(1) {
        assert!(jobs.contains(named.split('"').next().unwrap()), "nobody scrapes {named}");
    }
}

/// `cargo xtask test` has Prometheus's own tool try them; here, that it tries them all.
#[test]
fn every_alert_is_tried_where_it_fires_and_where_it_does_not() {
    let (alerts, trials) = (yaml(ALERTS), yaml(TRIALS));
    let (quiet, loud) = trials["tests"].as_vec().unwrap().split_first().unwrap();
    let moments = |trial: &Yaml| trial["promql_expr_test"].as_vec().unwrap().clone();
    let fired = |moment: &Yaml| moment["exp_samples"].as_vec().cloned().unwrap_or_default();
    assert!(moments(quiet).iter().all(|moment| fired(moment).is_empty()), "{quiet:?}");
    let series = quiet["input_series"].as_vec().unwrap().iter();
    let series = series.map(|one| one["series"].as_str().unwrap()).collect::<Vec<_>>().join("\n");
    let alarming = alarming(&alerts);
    for prefix in ["sahara_", "up"] {
        let without = names(&alarming, prefix).difference(&names(&series, prefix)).count();
        assert_eq!(without, 0, "each has a value at which it fires nothing");
    }
    let fired = loud.iter().flat_map(moments).flat_map(|moment| fired(&moment));
    let fired = fired.map(|sample| sample["labels"].as_str().unwrap().to_owned());
    let fired = fired.collect::<Vec<_>>().join("\n");
    for rule in alerts["groups"][0]["rules"].as_vec().unwrap() {
        let named = format!("alertname=\"{}\"", rule["alert"].as_str().unwrap());
        assert!(fired.contains(&named), "no values fire {named}");
    }
}

#[tokio::test]
async fn a_node_that_fetches_the_state_counts_what_it_fetched() {
    let progress =
        Progress { target: 7, nodes: 5, bytes: 900, open_needs: 2, ..Progress::default() };
    let (_progress, progress) = watch::channel(progress);
    let fetching = Fetching { chain_id: 1, version: "sahara/test", progress };
    let monitor = serve(fetching.monitor()).await;
    let (status, text) = get(monitor, "/metrics").await;
    assert_eq!(status, 200);
    let page = Page::read(&text).unwrap();
    let counted = page.samples.iter().map(|(name, value)| (name.as_str(), *value));
    let expected = [
        ("sahara_sync_bytes_total", 900.0),
        ("sahara_sync_missing_parts", 2.0),
        ("sahara_sync_nodes_total", 5.0),
        ("sahara_sync_target", 7.0),
    ];
    assert_eq!(counted.collect::<Vec<_>>(), expected);
    assert!(text.contains("# UNIT sahara_sync_bytes bytes\n"), "{text}");
    assert_eq!(get(monitor, "/health").await.0, 200);
    assert_eq!(get(monitor, "/ready").await.0, 503);
}

#[tokio::test]
async fn ready_needs_recent_blocks_and_health_does_not() {
    let node = TestNode::start().await;
    let monitor = monitor(&node).await;
    // The test's chain lives in 2025: its last block is old.
    let (status, body) = get(monitor, "/ready").await;
    let condition: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &condition["isReady"]), (503, &Value::Bool(false)), "{body}");
    assert!(condition["headAgeSeconds"].as_u64().unwrap() > 30);
    let (status, body) = get(monitor, "/health").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(get(monitor, "/nothing").await.0, 404);
}

#[tokio::test]
async fn a_node_that_must_stop_is_not_healthy_and_says_why() {
    let node = TestNode::start().await;
    let monitor = monitor(&node).await;
    node.send(ALICE, Some(address(BOB)), 1, Vec::new()).await;
    assert_eq!(get(monitor, "/health").await.0, 200);
    // Called final, and no block that these rules make: the first one after itself.
    let first = node.ledger.store().block(1).unwrap().unwrap();
    let mut next = Block::clone(&first);
    next.header.number = 2;
    next.header.parent_hash = first.hash();
    let ledger = node.ledger.clone();
    let applying = tokio::spawn(async move { ledger.finalize(Arc::new(next), None).await });
    let reason = node.ledger.broken().await;
    applying.abort();
    assert!(reason.contains("block 2"), "{reason}");
    for path in ["/health", "/ready"] {
        let (status, body) = get(monitor, path).await;
        let condition: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, condition["broken"].as_str()), (503, Some(reason.as_str())), "{body}");
    }
}

#[tokio::test]
async fn contradictions_are_kept_and_shown_with_their_proof() {
    let node = TestNode::start().await;
    assert_eq!(node.ask("sahara_evidence", rpc_params![]).await, serde_json::json!([]));
    let keys = ValidatorKeys::from_secret(&[7; 32]).unwrap();
    let scheme = signer(&node.chain, &node.validators, keys.consensus).unwrap();
    let vote = |payload: u8| {
        let round = Round::new(Epoch::zero(), View::new(9));
        let proposal = Proposal::new(round, View::new(8), Digest([payload; 32]));
        Notarize::sign(&scheme, proposal).unwrap()
    };
    let activity = Activity::ConflictingNotarize(ConflictingNotarize::new(vote(1), vote(2)));
    let evidence = Evidence::of(&scheme, &activity).unwrap();
    node.ledger.accuse(evidence.clone());
    node.ledger.accuse(evidence);
    let shown = node.ask("sahara_evidence", rpc_params![]).await;
    assert_eq!(shown.as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown[0]["view"], "0x9");
    assert_eq!(shown[0]["validatorIndex"], "0x0");
    assert_eq!(shown[0]["fault"], "conflicting notarize votes");
    let validators = node.ask("sahara_getValidators", rpc_params![]).await;
    assert_eq!(shown[0]["validator"], validators["validators"][0]);
    assert!(shown[0]["proof"].as_str().unwrap().len() > 200);
}
