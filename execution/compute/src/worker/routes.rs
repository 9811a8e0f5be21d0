//! The worker's HTTP face.

use super::{Worker, ledger::Collected};
use crate::{Job, JobToken, Problem, ProblemCode, SignRequest, Signed, token_header};
use alloy_primitives::Address;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};

impl Worker {
    /// The routes, to be served on loopback or behind TLS.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/jobs", post(jobs))
            .route("/receipts", post(receipts))
            .route("/models", get(models))
            .route("/health", get(health))
            .layer(DefaultBodyLimit::max(self.max_body))
            .with_state(Arc::clone(self))
    }

    /// Reads a gateway's request: who asks, then what.
    fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<(Address, T), Problem> {
        let unauthorised = |message: String| Problem::new(ProblemCode::Unauthorised, message);
        let invalid = |message: String| Problem::new(ProblemCode::InvalidJob, message);
        let body = body.map_err(|error| invalid(error.to_string()))?;
        let token = headers.get(token_header()).and_then(|value| value.to_str().ok());
        let now = self.clock.now();
        let token =
            JobToken::read(token.unwrap_or_default(), self.key.address(), (path, &body), now)
                .map_err(|error| unauthorised(error.to_string()))?;
        if !self.gateways.contains(&token.gateway) {
            return Err(unauthorised(format!("this worker does not work for {}", token.gateway)));
        }
        let value = serde_json::from_slice(&body).map_err(|error| invalid(error.to_string()))?;
        Ok((token.gateway, value))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status());
        (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(self)).into_response()
    }
}

async fn jobs(
    State(worker): State<Arc<Worker>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (gateway, job) = worker.read::<Job>("/jobs", &headers, body)?;
    let events = worker.start(job, gateway).await?;
    let mut response = Body::from_stream(events.map(Ok::<_, Infallible>)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

async fn receipts(
    State(worker): State<Arc<Worker>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Signed>, Problem> {
    let (gateway, request) = worker.read::<SignRequest>("/receipts", &headers, body)?;
    let contradiction = |message: &str| Problem::new(ProblemCode::Contradiction, message);
    let receipt = &request.receipt;
    if receipt.chain_id != worker.chain_id || receipt.worker != worker.key.address() {
        return Err(contradiction("the receipt is for another chain or worker"));
    }
    if worker.ledger.job(request.job)?.is_some_and(|job| job.gateway != gateway) {
        return Err(contradiction("the job was another gateway's"));
    }
    match worker.sign(&request, None).await {
        Err(problem) if problem.code == ProblemCode::Contradiction => {
            // It may have lost its records, and goes on from what the chain has paid.
            let paid =
                worker.bonds.chain.collected(receipt.channel, receipt.asset, worker.key.address());
            match paid.await {
                Ok(paid) => worker.sign(&request, Some(paid)).await.map(Json),
                Err(_) => Err(problem),
            }
        }
        signed => signed.map(Json),
    }
}

impl Worker {
    async fn sign(
        self: &Arc<Self>,
        request: &SignRequest,
        paid: Option<Collected>,
    ) -> Result<Signed, Problem> {
        let (signer, request) = (Arc::clone(self), request.clone());
        let signed = tokio::task::spawn_blocking(move || {
            signer.ledger.sign(request.job, &request.receipt, (&signer.key, paid))
        });
        let failed =
            |error: tokio::task::JoinError| Problem::new(ProblemCode::Internal, error.to_string());
        signed.await.map_err(failed).flatten()
    }
}

async fn models(State(worker): State<Arc<Worker>>) -> Json<Value> {
    Json(json!({ "worker": worker.key.address(), "models": worker.cards() }))
}

async fn health(State(worker): State<Arc<Worker>>) -> Json<Value> {
    let free = worker.places.available_permits();
    Json(json!({
        "status": "ok", "worker": worker.key.address(),
        "jobs": worker.max_jobs.saturating_sub(free), "max_jobs": worker.max_jobs,
    }))
}
