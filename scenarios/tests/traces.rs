//! One trace from a client's request to the block that pays for it, and logs that machines read.

use axum::{Router, body::Bytes, routing::post};
use eyre::{ContextCompat, Result, ensure};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Any,
    trace::v1::Span,
};
use prost::Message;
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

/// A collector as anyone's: OTLP over HTTP, in protobuf. Spans by the service that sent them.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

impl Collector {
    async fn listen() -> Result<(Self, String)> {
        let collector = Self::default();
        let taking = collector.clone();
        let take = move |body: Bytes| {
            let collector = taking.clone();
            async move { collector.take(&body) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((collector, url))
    }

    fn take(&self, body: &[u8]) {
        let Ok(request) = ExportTraceServiceRequest::decode(body) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for of_service in request.resource_spans {
            let attributes = of_service.resource.unwrap_or_default().attributes;
            let name = attributes.iter().find(|one| one.key == "service.name");
            let name = name.and_then(|one| one.value.clone()?.value);
            let Some(Any::StringValue(name)) = name else { continue };
            let spans = of_service.scope_spans.into_iter().flat_map(|scope| scope.spans);
            kept.extend(spans.map(|span| (name.clone(), span)));
        }
    }

    /// The spans of a trace, by service and name.
    fn trace(&self, id: &str) -> BTreeMap<(String, String), Span> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_trace = kept.iter().filter(|(_, span)| hex(&span.trace_id) == id);
        of_trace.map(|(from, span)| ((from.clone(), span.name.clone()), span.clone())).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_the_block_that_pays_for_it_are_one_trace() -> Result<()> {
    let (collector, url) = Collector::listen().await?;
    let flags = ["--traces", &url, "--log-format", "json"];
    let mut network = Network::start_with(Options::default(), &flags)?;
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let body = json!({
        "model": "trail-guide", "max_tokens": 3, "messages": [{"role": "user", "content": "Hi!"}],
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/chat/completions", network.gateway()?))
        .bearer_auth(network.text("/api_key")?)
        .header("traceparent", format!("00-{trace}-{caller}-01"))
        .json(&body)
        .send()
        .await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);

    let found = |service: &str, name: &str| {
        collector.trace(trace).remove(&(service.to_owned(), name.to_owned()))
    };
    let wait = network
        .until("the block ends the trace", async || found("sahara-node", "pool.wait"))
        .await?;
    let block = wait.attributes.iter().find(|one| one.key == "block");
    let block = block.and_then(|one| one.value.clone()?.value).wrap_err("the block's number")?;
    ensure!(matches!(block, Any::IntValue(number) if number > 0), "{block:?}");

    // Each is the child of the one before it, across three processes.
    let chain = [
        ("sahara-gateway", "gateway.request"),
        ("sahara-gateway", "gateway.answer"),
        ("sahara-gateway", "gateway.settle"),
        ("sahara-node", "rpc"),
        ("sahara-node", "pool.wait"),
    ];
    // Spans are sent every few seconds.
    let all = async || chain.iter().all(|(from, name)| found(from, name).is_some()).then_some(());
    network.until("every span arrives", all).await?;
    let request = found("sahara-gateway", "gateway.request").wrap_err("a request")?;
    ensure!(hex(&request.parent_span_id) == caller, "the caller's span is its parent");
    let settle = found("sahara-gateway", "gateway.settle").wrap_err("a settlement")?;
    let answer = found("sahara-gateway", "gateway.answer").wrap_err("an answer")?;
    ensure!(answer.parent_span_id == request.span_id, "an answer belongs to its request");
    ensure!(settle.parent_span_id == answer.span_id, "a settlement belongs to the answer");
    ensure!(wait.end_time_unix_nano >= settle.start_time_unix_nano, "the block comes after");

    let lines = [
        "sahara_gateway_requests_total{status=\"200\"}",
        "sahara_gateway_answers_total 1",
        "sahara_gateway_tokens_total{kind=\"completion\"} 3",
        "sahara_gateway_claims_total{kind=\"final\"} 1",
        "sahara_gateway_request_seconds_count",
        "sahara_gateway_settle_seconds_count 1",
        "sahara_gateway_unsettled_channels 0",
    ];
    // A claim is counted when it is final, and written down after it.
    let url = format!("{}/metrics", network.gateway()?);
    let counted = async || {
        let page = reqwest::get(&url).await.ok()?.text().await.ok()?;
        lines.iter().all(|line| page.contains(line)).then_some(())
    };
    network.until(&format!("the gateway's metrics say {lines:?}"), counted).await?;

    logs_are_objects(&network)?;
    network.stop()
}

fn logs_are_objects(network: &Network) -> Result<()> {
    for log in ["node-0", "gateway", "worker"] {
        let text = std::fs::read_to_string(network.directory().join(format!("logs/{log}.log")))?;
        let lines: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        let lines = lines?;
        ensure!(!lines.is_empty(), "{log} logs nothing");
        for line in lines {
            let has = |field: &str| line.get(field).is_some_and(Value::is_string);
            ensure!(["timestamp", "level", "target", "message"].into_iter().all(has), "{line}");
        }
    }
    Ok(())
}
