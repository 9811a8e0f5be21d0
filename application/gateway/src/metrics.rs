//! What the gateway counts, in Prometheus' text format at `/metrics`.

use crate::{gateway::Gateway, rows::Outcome};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{sync::Arc, time::Duration};

/// `OpenMetrics`, which Prometheus asks for first.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Counters of one gateway.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Status, Counter>,
    seconds: Histogram,
    answers: Counter,
    tokens: Family<Kind, Counter>,
    claims: Family<Kind, Counter>,
    settle: Histogram,
    unsettled: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        // From 1 millisecond to 32 seconds, and whatever is longer.
        let timer = || Histogram::new(exponential_buckets(0.001, 2.0, 16));
        let mut new = Self {
            registry: Registry::with_prefix("sahara_gateway"),
            requests: Family::default(),
            seconds: timer(),
            answers: Counter::default(),
            tokens: Family::default(),
            claims: Family::default(),
            settle: timer(),
            unsettled: Gauge::default(),
        };
        let to = &mut new.registry;
        to.register("requests", "HTTP requests by status", new.requests.clone());
        let help = "Time from a request to the head of its answer";
        to.register_with_unit("request", help, Unit::Seconds, new.seconds.clone());
        to.register("answers", "Answers that were charged", new.answers.clone());
        to.register("tokens", "Tokens charged, read (prompt) or written", new.tokens.clone());
        to.register("claims", "Claims sent to the chain, by outcome", new.claims.clone());
        let help = "Time from sending a claim to its final block";
        to.register_with_unit("settle", help, Unit::Seconds, new.settle.clone());
        let help = "Channels with receipts that are not settled";
        to.register("unsettled_channels", help, new.unsettled.clone());
        new
    }

    /// A request was answered.
    pub(crate) fn request(&self, status: u16, within: Duration) {
        self.requests.get_or_create(&Status { status }).inc();
        self.seconds.observe(within.as_secs_f64());
    }

    /// An answer was charged.
    pub(crate) fn charged(&self, outcome: &Outcome) {
        self.answers.inc();
        let count = |kind, tokens: u32| {
            self.tokens.get_or_create(&Kind { kind }).inc_by(tokens.into());
        };
        count("prompt", outcome.usage.prompt_tokens);
        count("completion", outcome.usage.completion_tokens);
    }

    /// A claim became final, or did not.
    pub(crate) fn claim(&self, is_final: bool, within: Duration) {
        let kind = if is_final { "final" } else { "failed" };
        self.claims.get_or_create(&Kind { kind }).inc();
        if is_final {
            self.settle.observe(within.as_secs_f64());
        }
    }

    pub(crate) fn page(&self, unsettled: usize) -> String {
        self.unsettled.set(i64::try_from(unsettled).unwrap_or(i64::MAX));
        let mut page = String::new();
        // Writing to a string does not fail.
        encode(&mut page, &self.registry).map_or_else(|_| String::new(), |()| page)
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    let unsettled = gateway.unsettled.lock().len();
    let page = gateway.metrics.page(unsettled);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response()
}
