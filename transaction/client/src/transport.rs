//! JSON-RPC 2.0 over HTTP.

use crate::{error::ClientError, revert::Revert};
use alloy_primitives::Bytes;
use reqwest::Url;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long an answer may take. Longer than a node holds `eth_sendRawTransactionSync`.
const TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest answer that is read: 64 MiB, a block of traces.
const MAX_ANSWER_BYTES: usize = 64 << 20;

tokio::task_local! {
    static TRACEPARENT: String;
}

/// The header of the W3C's Trace Context.
const TRACEPARENT_HEADER: &str = "traceparent";

/// Sends `traceparent` (W3C Trace Context) with every request that `work` makes, so that what a node
/// does for it becomes a part of the caller's trace. With `None`, only works.
pub async fn traced<T>(traceparent: Option<String>, work: impl Future<Output = T>) -> T {
    match traceparent {
        Some(header) => TRACEPARENT.scope(header, work).await,
        None => work.await,
    }
}

/// What [`traced`] sends in this task: a name and a value, for requests that are no JSON-RPC.
#[must_use]
pub fn trace_header() -> Option<(&'static str, String)> {
    TRACEPARENT.try_with(|header| (TRACEPARENT_HEADER, header.clone())).ok()
}

/// The node refused a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// JSON-RPC error code.
    pub code: i64,
    /// In words.
    pub message: String,
    /// What the method adds, as revert data.
    #[serde(default)]
    pub data: Option<serde_json::Value>,
}

/// A JSON-RPC endpoint. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Rpc {
    http: reqwest::Client,
    url: Url,
    next_id: Arc<AtomicU64>,
}

#[derive(Serialize)]
struct Request<'a> {
    jsonrpc: &'static str,
    id: u64,
    method: &'a str,
    params: &'a RawValue,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcError>,
}

impl Rpc {
    /// For `http` and `https` URLs.
    ///
    /// # Errors
    /// [`ClientError::Url`].
    pub fn new(url: &str) -> Result<Self, ClientError> {
        let malformed = |reason: String| ClientError::Url(format!("{url}: {reason}"));
        let parsed = Url::parse(url).map_err(|error| malformed(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(malformed(format!("scheme {}", parsed.scheme())));
        }
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| malformed(error.to_string()))?;
        Ok(Self { http, url: parsed, next_id: Arc::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// One request; `params` serialises to the array of parameters.
    ///
    /// # Errors
    /// [`ClientError::Reverted`] for code 3, [`ClientError::Rpc`] for any other refusal.
    pub async fn request<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
    ) -> Result<T, ClientError> {
        let params = to_raw_value(&params).map_err(|error| answer(method, &error))?;
        let request = self.frame(method, &params);
        let body = serde_json::to_vec(&request).map_err(|error| answer(method, &error))?;
        let text = self.post(body).await?;
        let reply: Answer =
            serde_json::from_slice(&text).map_err(|error| answer(method, &error))?;
        take(method, reply)
    }

    /// Several requests in one; the answers in the order of the requests.
    ///
    /// # Errors
    /// When the batch as a whole fails; each request may fail by itself.
    pub async fn batch<T: DeserializeOwned>(
        &self,
        requests: &[(&str, serde_json::Value)],
    ) -> Result<Vec<Result<T, ClientError>>, ClientError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let raw: Result<Vec<_>, _> =
            requests.iter().map(|(_, params)| to_raw_value(params)).collect();
        let raw = raw.map_err(|error| answer("batch", &error))?;
        let frames: Vec<Request<'_>> = requests
            .iter()
            .zip(&raw)
            .map(|((method, _), params)| self.frame(method, params))
            .collect();
        let body = serde_json::to_vec(&frames).map_err(|error| answer("batch", &error))?;
        let text = self.post(body).await?;
        // A node may answer a whole batch with one error.
        if let Ok(Answer { error: Some(error), .. }) = serde_json::from_slice(&text) {
            return Err(error.into());
        }
        let replies: Vec<Answer> =
            serde_json::from_slice(&text).map_err(|error| answer("batch", &error))?;
        let mut by_id: std::collections::BTreeMap<_, _> =
            replies.into_iter().map(|reply| (reply.id, reply)).collect();
        let results = frames.iter().map(|frame| {
            let reply = by_id.remove(&Some(frame.id));
            let missing = || answer(frame.method, &"missing in the batch");
            take(frame.method, reply.ok_or_else(missing)?)
        });
        Ok(results.collect())
    }

    fn frame<'a>(&self, method: &'a str, params: &'a RawValue) -> Request<'a> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        Request { jsonrpc: "2.0", id, method, params }
    }

    async fn post(&self, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
        let unreachable = |error: reqwest::Error| {
            // The outer text only says that sending failed; the innermost says why.
            let error = error.without_url();
            let mut cause: &dyn std::error::Error = &error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            ClientError::Unreachable { url: self.url.to_string(), reason: cause.to_string() }
        };
        let request = self.http.post(self.url.clone()).header("content-type", "application/json");
        let request = match trace_header() {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let mut reply = request.body(body).send().await.map_err(unreachable)?;
        let mut text = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(unreachable)? {
            if text.len().saturating_add(chunk.len()) > MAX_ANSWER_BYTES {
                let reason = format!("an answer of more than {MAX_ANSWER_BYTES} bytes");
                return Err(ClientError::Unreachable { url: self.url.to_string(), reason });
            }
            text.extend_from_slice(&chunk);
        }
        if !reply.status().is_success() && !text.starts_with(b"{") && !text.starts_with(b"[") {
            let reason = format!("HTTP status {}", reply.status());
            return Err(ClientError::Unreachable { url: self.url.to_string(), reason });
        }
        Ok(text)
    }
}

fn take<T: DeserializeOwned>(method: &str, reply: Answer) -> Result<T, ClientError> {
    if let Some(error) = reply.error {
        return Err(refusal(error));
    }
    // `null` is a result too: an unknown block or transaction.
    let text = reply.result.as_ref().map_or("null", |raw| raw.get());
    serde_json::from_str(text).map_err(|error| answer(method, &error))
}

fn refusal(error: RpcError) -> ClientError {
    let data = error.data.as_ref().and_then(serde_json::Value::as_str);
    let data = data.and_then(|text| text.parse::<Bytes>().ok());
    match (error.code, data) {
        (3, data) => Revert::from_data(data.unwrap_or_default()).into(),
        _ => error.into(),
    }
}

fn answer(method: &str, reason: &impl std::fmt::Display) -> ClientError {
    ClientError::Answer { method: method.to_owned(), reason: reason.to_string() }
}
