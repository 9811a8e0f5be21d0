//! What a node answers while it fetches the state: how far it is, and nothing of the chain yet.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::{get, post},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use sahara_chain::sync::Progress;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::monitor::OPEN_METRICS;

/// JSON-RPC: the text is no request.
const PARSE_ERROR: i32 = -32_700;
/// JSON-RPC: the node cannot say yet.
const NOT_YET: i32 = -32_000;
/// The most requests answered in a batch.
const MAX_BATCH: usize = 1_000;

/// What is known of a node that fetches the state.
#[derive(Clone, Debug)]
pub struct Fetching {
    /// EIP-155 id of the chain.
    pub chain_id: u64,
    /// Names the program, as `sahara/v0.1.0`.
    pub version: &'static str,
    /// How far it is.
    pub progress: watch::Receiver<Progress>,
}

/// How it is, as `/health` and `/ready` say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    is_ready: bool,
    is_syncing: bool,
    height: u64,
    /// The block whose state is fetched; 0 while peers are asked which there are.
    target: u64,
    nodes_fetched: u64,
    bytes_fetched: u64,
    /// Parts known to be missing; it rises before it falls.
    parts_missing: u64,
    peers_that_lied: u64,
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    id: Value,
    method: String,
}

impl Fetching {
    /// Routes for metrics, health and readiness, in place of [`monitor_routes`](crate::monitor_routes).
    pub fn monitor(self) -> Router {
        Router::new()
            .route("/metrics", get(metrics))
            .route("/health", get(health))
            .route("/ready", get(ready))
            .with_state(self)
    }

    /// Answers JSON-RPC over HTTP: which chain it is, and how far.
    pub fn rpc(self) -> Router {
        Router::new().route("/", post(answer)).with_state(self)
    }

    fn condition(&self) -> Condition {
        let Progress { target, nodes, bytes, open_needs, liars, .. } = *self.progress.borrow();
        Condition {
            is_ready: false,
            is_syncing: true,
            height: 0,
            target,
            nodes_fetched: nodes,
            bytes_fetched: bytes,
            parts_missing: open_needs,
            peers_that_lied: liars,
        }
    }

    fn page(&self) -> String {
        let Condition { target, nodes_fetched, bytes_fetched, parts_missing, .. } =
            self.condition();
        let mut registry = Registry::with_prefix("sahara");
        let target = ConstGauge::new(target);
        registry.register("sync_target", "Block whose state is fetched", target);
        let (help, nodes) =
            ("Trie nodes fetched since the start", ConstCounter::new(nodes_fetched));
        registry.register("sync_nodes", help, nodes);
        let help = "Size of nodes and code fetched since the start";
        registry.register_with_unit("sync", help, Unit::Bytes, ConstCounter::new(bytes_fetched));
        let (help, missing) =
            ("Subtries and code known to be missing", ConstGauge::new(parts_missing));
        registry.register("sync_missing_parts", help, missing);
        let mut page = String::new();
        // Writing into memory cannot fail.
        if encode(&mut page, &registry).is_err() {
            page.clear();
        }
        page
    }

    fn answer(&self, request: Value) -> Value {
        let Ok(Request { id, method }) = serde_json::from_value(request) else {
            return failure(&Value::Null, PARSE_ERROR, "expected a JSON-RPC request");
        };
        let result = match method.as_str() {
            "eth_syncing" => self.syncing(),
            "eth_chainId" => json!(format!("{:#x}", self.chain_id)),
            "net_version" => json!(self.chain_id.to_string()),
            "web3_clientVersion" => json!(self.version),
            _ => {
                let Condition { target, nodes_fetched, .. } = self.condition();
                let words = format!(
                    "the node is fetching the state of block {target} ({nodes_fetched} nodes so far): ask again when it is whole"
                );
                return failure(&id, NOT_YET, &words);
            }
        };
        json!({"jsonrpc": "2.0", "id": id, "result": result})
    }

    fn syncing(&self) -> Value {
        let condition = self.condition();
        let hex = |number: u64| format!("{number:#x}");
        json!({
            "startingBlock": "0x0",
            "currentBlock": "0x0",
            "highestBlock": hex(condition.target),
            "fetchedNodes": hex(condition.nodes_fetched),
            "fetchedBytes": hex(condition.bytes_fetched),
            "missingParts": hex(condition.parts_missing),
        })
    }
}

fn failure(id: &Value, code: i32, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

async fn metrics(State(fetching): State<Fetching>) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPEN_METRICS)], fetching.page())
}

async fn health(State(fetching): State<Fetching>) -> impl IntoResponse {
    Json(fetching.condition())
}

async fn ready(State(fetching): State<Fetching>) -> impl IntoResponse {
    (StatusCode::SERVICE_UNAVAILABLE, Json(fetching.condition()))
}

async fn answer(State(fetching): State<Fetching>, body: Bytes) -> impl IntoResponse {
    let answer = match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Array(batch)) if batch.len() <= MAX_BATCH && !batch.is_empty() => {
            batch.into_iter().map(|request| fetching.answer(request)).collect()
        }
        Ok(Value::Array(_)) => {
            failure(&Value::Null, NOT_YET, "expected a batch of 1 to 1000 requests")
        }
        Ok(request) => fetching.answer(request),
        Err(_) => failure(&Value::Null, PARSE_ERROR, "expected a JSON-RPC request"),
    };
    Json(answer)
}
