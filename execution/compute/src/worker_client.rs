//! [`WorkerClient`]: a worker as its gateway sees it.

use crate::{
    Card, Event, GatewayKey, Job, Problem, ProblemCode, SignRequest, Signed, token_header,
};
use alloy_primitives::Address;
use bytes::{Buf, Bytes, BytesMut};
use futures::{StreamExt, stream::BoxStream};
use sahara_primitives::Milliseconds;
use serde::Deserialize;
use std::time::Duration;

/// The longest event: a token is a few bytes, a message of failure some hundred.
const MAX_LINE: usize = 1 << 16;

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
        let models: Models =
            response.json().await.map_err(|error| WorkerError::Malformed(error.to_string()))?;
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
        response.json().await.map_err(|error| WorkerError::Malformed(error.to_string()))
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
        let body = response.bytes().await.map_err(unreachable)?;
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

fn unreachable(error: impl std::fmt::Display) -> WorkerError {
    WorkerError::Unreachable(error.to_string())
}
