//! One trace from a client's request to the block that pays for it, and logs that machines read.

use axum::{Router, body::Bytes, routing::post};
use eyre::{ContextCompat, Result, bail, ensure};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Any,
    trace::v1::Span,
};
use prost::Message;
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
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

    /// The spans of a trace with this name, of a service.
    fn spans(&self, id: &str, (service, name): (&str, &str)) -> Vec<Span> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_one = |from: &str, span: &Span| {
            hex(&span.trace_id) == id && from == service && span.name == name
        };
        kept.iter()
            .filter(|(from, span)| is_one(from, span))
            .map(|(_, span)| span.clone())
            .collect()
    }
}

/// What a span says of itself.
fn attribute(span: &Span, key: &str) -> Option<Any> {
    span.attributes.iter().find(|one| one.key == key)?.value.clone()?.value
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Asks a question as part of the caller's trace.
async fn ask(network: &Network, caller: &str) -> Result<()> {
    let body = json!({
        "model": "trail-guide", "max_tokens": 3, "messages": [{"role": "user", "content": "Hi!"}],
    });
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/chat/completions", network.gateway()?))
        .bearer_auth(network.text("/api_key")?)
        .header("traceparent", caller)
        .json(&body)
        .send()
        .await?;
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    Ok(())
}

/// The block of the claim that was waited for.
async fn claimed_in(network: &Network, wait: &Span) -> Result<i64> {
    let Some(Any::StringValue(hash)) = attribute(wait, "hash") else { bail!("{wait:?}") };
    let receipt = network.rpc(0)?.call("eth_getTransactionReceipt", json!([hash])).await?;
    let number = receipt.get("blockNumber").and_then(Value::as_str).unwrap_or_default();
    Ok(i64::from_str_radix(number.trim_start_matches("0x"), 16)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_the_block_that_pays_for_it_are_one_trace() -> Result<()> {
    let (collector, url) = Collector::listen().await?;
    let mut network =
        Network::start_with(Options::default(), &["--traces", &url, "--log-format", "json"])?;
    let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    ask(&network, &format!("00-{trace}-{caller}-01")).await?;

    let spans = |place| collector.spans(trace, place);
    let found = |place| spans(place).pop();
    let wait = network
        .until("the block ends the trace", async || found(("sahara-node", "pool.wait")))
        .await?;
    // Spans are sent every few seconds.
    let all = [
        ("sahara-gateway", "gateway.request"),
        ("sahara-gateway", "gateway.answer"),
        ("sahara-gateway", "gateway.settle"),
        ("sahara-node", "rpc"),
        ("sahara-node", "block.commit"),
    ];
    let is_sent = || spans(all[3]).iter().any(|rpc| rpc.span_id == wait.parent_span_id);
    let sent =
        async || (is_sent() && all.iter().all(|place| found(*place).is_some())).then_some(());
    network.until("every span arrives", sent).await?;

    // Each is the child of the one before, across three processes.
    let request = found(all[0]).wrap_err("a request")?;
    ensure!(hex(&request.parent_span_id) == caller, "the caller's span is its parent");
    let answer = found(all[1]).wrap_err("an answer")?;
    ensure!(answer.parent_span_id == request.span_id, "an answer belongs to its request");
    let settle = found(all[2]).wrap_err("a settlement")?;
    ensure!(settle.parent_span_id == answer.span_id, "a settlement belongs to the answer");
    // Node and gateway talk for the answer and for its settlement; one of the calls sent the claim.
    let calls = spans(all[3]);
    let parents = [&answer.span_id, &settle.span_id];
    let is_child = |rpc: &Span| parents.contains(&&rpc.parent_span_id);
    ensure!(calls.iter().all(is_child), "a call belongs to an answer or its settlement");
    let call = calls.iter().find(|rpc| rpc.span_id == wait.parent_span_id);
    let call = call.wrap_err("the call that sent the claim")?;
    ensure!(call.parent_span_id == settle.span_id, "that call belongs to the settlement");
    let method = attribute(call, "method");
    let is_sending = matches!(&method, Some(Any::StringValue(name)) if name.contains("sendRaw"));
    ensure!(is_sending, "a wait belongs to the call that sent the claim, not to {method:?}");
    ensure!(wait.end_time_unix_nano >= settle.start_time_unix_nano, "the block comes after");
    let commit = found(all[4]).wrap_err("a block")?;
    ensure!(commit.parent_span_id == wait.span_id, "a block belongs to the wait that it ends");
    ensure!(commit.end_time_unix_nano <= wait.end_time_unix_nano, "a wait ends with its block");

    let number = claimed_in(&network, &wait).await?;
    for span in [&wait, &commit] {
        let block = attribute(span, "block");
        ensure!(block == Some(Any::IntValue(number)), "{block:?}, the receipt says {number}");
    }

    let lines = [
        "sahara_gateway_requests_total{status=\"200\"}",
        "sahara_gateway_answers_total 1",
        "sahara_gateway_tokens_total{kind=\"completion\"} 3",
        "sahara_gateway_claims_total{kind=\"final\"} 1",
        "sahara_gateway_request_seconds_count",
        "sahara_gateway_settle_seconds_count 1",
        "sahara_gateway_unsettled_channels 0",
    ];
    metrics_say(&network, &lines).await?;
    logs_are_objects(&network)?;
    network.stop()
}

/// Waits for the gateway's metrics: a claim is counted when it is final, and written down after it.
async fn metrics_say(network: &Network, lines: &[&str]) -> Result<()> {
    let url = format!("{}/metrics", network.gateway()?);
    let counted = async || {
        let page = reqwest::get(&url).await.ok()?.text().await.ok()?;
        lines.iter().all(|line| page.contains(line)).then_some(())
    };
    network.until(&format!("the gateway's metrics say {lines:?}"), counted).await?;
    Ok(())
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
