//! What operators and their machines look at: `/metrics`, `/health`, `/ready`.
//!
//! `/health` says that the process should go on running: it fails when the node must stop. `/ready`
//! says that it is worth asking: it has applied nearly all that is final, and blocks come. Both answer
//! 200 or 503, with the reasons as JSON.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::IntoResponse,
    routing::get,
};
use prometheus_client::{metrics::gauge::Gauge, registry::Unit};
use sahara_chain::{consensus::ConsensusStatus, ledger::NodeLedger};
use serde::Serialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// Blocks that may be final and not yet applied while the node still counts as ready.
const MAX_LAG: u64 = 16;

/// How old the last block may be: heartbeats come every second, a halt is longer than this.
const MAX_HEAD_AGE_SECONDS: u64 = 30;

/// `OpenMetrics`, as its specification names it.
pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug)]
struct Monitor {
    ledger: NodeLedger,
    consensus: Option<ConsensusStatus>,
    finalized: Gauge,
    lag: Gauge,
    head_age: Gauge,
    peers: Gauge,
}

/// How the node is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    is_ready: bool,
    /// The last block applied.
    height: u64,
    /// The last block known to be final.
    finalized: u64,
    /// Seconds since the last block.
    head_age_seconds: u64,
    /// Connected validators; absent without consensus.
    peers: Option<usize>,
    /// Why the node must stop.
    broken: Option<String>,
}

/// Routes for metrics, health and readiness of a node; `consensus` is absent where none runs.
///
/// Whoever serves them decides who may ask and for how long.
pub fn monitor_routes(ledger: NodeLedger, consensus: Option<ConsensusStatus>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .with_state(Monitor::new(ledger, consensus))
}

impl Monitor {
    fn new(ledger: NodeLedger, consensus: Option<ConsensusStatus>) -> Self {
        let monitor = Self {
            ledger,
            consensus,
            finalized: Gauge::default(),
            lag: Gauge::default(),
            head_age: Gauge::default(),
            peers: Gauge::default(),
        };
        monitor.ledger.metrics().register(|registry| {
            let help = "Number of the last block known to be final";
            registry.register("finalized_height", help, monitor.finalized.clone());
            let help = "Blocks known to be final and not yet applied";
            registry.register("finalized_lag_blocks", help, monitor.lag.clone());
            let (help, age) = ("Time since the last final block", monitor.head_age.clone());
            registry.register_with_unit("head_age", help, Unit::Seconds, age);
            let help = "Other validators with a connection to this node";
            registry.register("peers", help, monitor.peers.clone());
        });
        monitor
    }

    fn condition(&self) -> Condition {
        let head = self.ledger.store().head();
        let heights = self.consensus.as_ref().map(|status| *status.heights().borrow());
        let finalized = heights.map_or(head.number, |known| known.finalized.max(head.number));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let head_age_seconds = now.saturating_sub(head.header.timestamp);
        let broken = self.ledger.is_broken();
        let is_ready = broken.is_none()
            && finalized.saturating_sub(head.number) <= MAX_LAG
            && head_age_seconds <= MAX_HEAD_AGE_SECONDS;
        Condition {
            is_ready,
            height: head.number,
            finalized,
            head_age_seconds,
            peers: self.consensus.as_ref().map(ConsensusStatus::peers),
            broken,
        }
    }

    fn page(&self) -> String {
        let condition = self.condition();
        let set = |gauge: &Gauge, value: u64| gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        set(&self.finalized, condition.finalized);
        set(&self.lag, condition.finalized.saturating_sub(condition.height));
        set(&self.head_age, condition.head_age_seconds);
        set(&self.peers, u64::try_from(condition.peers.unwrap_or_default()).unwrap_or(u64::MAX));
        let own = self.ledger.metrics().encode(self.ledger.store(), self.ledger.pool());
        let consensus = self.consensus.as_ref().map(ConsensusStatus::metrics).unwrap_or_default();
        let consensus = consensus.trim_end().trim_end_matches("# EOF").trim_end();
        if consensus.is_empty() { own + "# EOF\n" } else { own + consensus + "\n# EOF\n" }
    }
}

async fn metrics(State(monitor): State<Monitor>) -> impl IntoResponse {
    // Sizes on disk and the pool's counts take locks.
    let page = tokio::task::spawn_blocking(move || monitor.page()).await;
    match page {
        Ok(page) => (StatusCode::OK, [(CONTENT_TYPE, OPEN_METRICS)], page),
        Err(_) => {
            let text = String::from("the page could not be made\n");
            (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], text)
        }
    }
}

async fn health(State(monitor): State<Monitor>) -> impl IntoResponse {
    let condition = monitor.condition();
    (status(condition.broken.is_none()), Json(condition))
}

async fn ready(State(monitor): State<Monitor>) -> impl IntoResponse {
    let condition = monitor.condition();
    (status(condition.is_ready), Json(condition))
}

const fn status(is_good: bool) -> StatusCode {
    if is_good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
