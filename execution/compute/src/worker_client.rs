//! [`WorkerClient`]: a worker as its gateway sees it.

use crate::{
    Card, Event, GatewayKey, Job, Problem, ProblemCode, SignRequest, Signed, token_header,
};
use alloy_primitives::Address;
use bytes::{Buf, Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use sahara_primitives::Milliseconds;
use serde::{Deserialize, de::DeserializeOwned};
use std::time::Duration;
use tokio::time::timeout;

/// The longest event: a token is a few bytes, a message of failure some hundred.
const MAX_LINE: usize = 1 << 16;

/// The longest answer that is no stream: a card is some hundred bytes, and a worker has thousands at most.
const MAX_ANSWER: usize = 1 << 20;

/// Why a worker gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// It said why.
    #[error(transparent)]
    Refused(#[from] Problem),
    /// It cannot be reached, or breaks off.
    #[error("the worker cannot be reached: {0}")]
    Unreachable(String),
    /// It speaks another language.
    #[error("the worker's answer is malformed: {0}")]
    Malformed(String),
}

/// One worker.
#[derive(Clone, Debug)]
pub struct WorkerClient {
    http: reqwest::Client,
    key: GatewayKey,
    endpoint: String,
    worker: Address,
}

#[derive(Deserialize)]
struct Models {
    worker: Address,
    models: Vec<Card>,
}

/// Who serves answers at once what it serves; the others wait for the answer.
const CARDS_WITHIN: Duration = Duration::from_secs(2);
/// A signature is an entry in the worker's ledger, on disk.
const SIGNED_WITHIN: Duration = Duration::from_secs(10);
/// Why a job is refused comes with the refusal.
const REFUSED_WITHIN: Duration = Duration::from_secs(5);

impl WorkerClient {
    /// The worker with this address at this URL.
    pub fn new(http: reqwest::Client, key: GatewayKey, endpoint: &str, worker: Address) -> Self {
        Self { http, key, endpoint: endpoint.trim_end_matches('/').to_owned(), worker }
    }

    /// Whose it is.
    pub const fn address(&self) -> Address {
        self.worker
    }

    /// The assets it serves.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub async fn cards(&self) -> Result<Vec<Card>, WorkerError> {
        let request = self.http.get(format!("{}/models", self.endpoint)).timeout(CARDS_WITHIN);
        let response = request.send().await.map_err(unreachable)?;
        let models: Models = parsed(response).await?;
        if models.worker != self.worker {
            return Err(WorkerError::Malformed(format!(
                "expected worker {}, got {}",
                self.worker, models.worker
            )));
        }
        Ok(models.models)
    }

    /// Starts a job.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub async fn start(&self, job: &Job, now: Milliseconds) -> Result<JobStream, WorkerError> {
        let response = self.post("/jobs", serde_json::to_vec(job), now, None).await?;
        Ok(JobStream { bytes: response.bytes_stream().boxed(), buffer: BytesMut::new() })
    }

    /// Asks for the signatures under a receipt.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub async fn sign(
        &self,
        request: &SignRequest,
        now: Milliseconds,
    ) -> Result<Signed, WorkerError> {
        let response =
            self.post("/receipts", serde_json::to_vec(request), now, Some(SIGNED_WITHIN)).await?;
        parsed(response).await
    }

    async fn post(
        &self,
        path: &str,
        body: serde_json::Result<Vec<u8>>,
        now: Milliseconds,
        within: Option<Duration>,
    ) -> Result<reqwest::Response, WorkerError> {
        let body = body.map_err(|error| WorkerError::Malformed(error.to_string()))?;
        let token = self.key.token(self.worker, path, &body, now);
        let request = self
            .http
            .post(format!("{}{path}", self.endpoint))
            .header(token_header(), token)
            .header("content-type", "application/json")
            .body(body);
        let request = match sahara_client::trace_header() {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let request = match within {
            Some(within) => request.timeout(within),
            None => request,
        };
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        // A job's stream may last, a refusal may not.
        let body = timeout(REFUSED_WITHIN, whole(response)).await.map_err(unreachable)??;
        Err(WorkerError::Refused(serde_json::from_slice(&body).unwrap_or_else(|_| {
            Problem::new(ProblemCode::Internal, format!("the worker answered {status}"))
        })))
    }
}

/// The events of a running job; dropping it ends the job.
pub struct JobStream {
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    buffer: BytesMut,
}

impl std::fmt::Debug for JobStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobStream").finish_non_exhaustive()
    }
}

impl JobStream {
    /// The next event. After `Ended` or `Failed` nothing follows; breaking off is an error.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub async fn next(&mut self) -> Result<Event, WorkerError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                return serde_json::from_slice(&line)
                    .map_err(|error| WorkerError::Malformed(error.to_string()));
            }
            if self.buffer.len() > MAX_LINE {
                return Err(WorkerError::Malformed("a line without end".into()));
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(unreachable(error)),
                None => return Err(WorkerError::Unreachable("the stream broke off".into())),
            }
        }
    }
}

/// A body that fits into memory however many of its kind there are: who serves decides how much it sends.
async fn whole(mut response: reqwest::Response) -> Result<Vec<u8>, WorkerError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(WorkerError::Malformed(format!(
                "expected at most {MAX_ANSWER} bytes of an answer"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

async fn parsed<T: DeserializeOwned>(response: reqwest::Response) -> Result<T, WorkerError> {
    let body = whole(response).await?;
    serde_json::from_slice(&body).map_err(|error| WorkerError::Malformed(error.to_string()))
}

fn unreachable(error: impl std::fmt::Display) -> WorkerError {
    WorkerError::Unreachable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{MAX_ANSWER, WorkerClient, WorkerError};
    use crate::GatewayKey;
    use axum::{
        Router,
        body::Body,
        http::StatusCode,
        routing::{get, post},
    };
    use bytes::Bytes;
    use futures::{StreamExt, stream};
    use sahara_client::SigningKey;
    use sahara_primitives::{Address, Milliseconds};
    use std::convert::Infallible;
    use tokio::net::TcpListener;

    /// Blanks without end, before any JSON.
    fn endless(status: StatusCode) -> (StatusCode, Body) {
        let chunk = Bytes::from(vec![b' '; 1 << 16]);
        (status, Body::from_stream(stream::repeat(chunk).map(Ok::<_, Infallible>)))
    }

    #[tokio::test]
    async fn no_answer_fills_the_memory_of_who_asked() {
        let router = Router::new()
            .route("/models", get(async || endless(StatusCode::OK)))
            .route("/refused", post(async || endless(StatusCode::SERVICE_UNAVAILABLE)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let key = GatewayKey(SigningKey::random());
        let client = WorkerClient::new(reqwest::Client::new(), key, &url, Address::ZERO);
        let is_cut = |error: WorkerError| {
            let expected = format!("expected at most {MAX_ANSWER} bytes of an answer");
            assert_eq!(error, WorkerError::Malformed(expected));
        };
        is_cut(client.cards().await.unwrap_err());
        is_cut(client.post("/refused", Ok(Vec::new()), Milliseconds(0), None).await.unwrap_err());
    }
}
