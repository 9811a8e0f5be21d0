//! The routes.
//!
//! | path | key | what |
//! |---|---|---|
//! | `GET /v1/models`, `/v1/models/{id}` | | what is served, by whom, at which prices |
//! | `POST /v1/chat/completions`, `/v1/completions` | key or payment | an answer |
//! | `POST /v1/keys` | | registers a key's grant |
//! | `GET /v1/key` | key | its limits |
//! | `GET /v1/receipts/{id}` | (key) | a receipt and its proof, its handovers from `?since=BLOCK` on |
//! | `GET /v1/logs/{asset}` | (key) | a usage log; its receipts for who owns or licensed it |
//! | `GET /health` | | whether it works |
//! | `GET /metrics` | | what it counts, for Prometheus |

use crate::{
    account::Account,
    answer::respond,
    catalog::{Model, Offer},
    drive::{Call, random},
    error::ApiError,
    gateway::Gateway,
    metrics::metrics,
    openai::{Ask, Endpoint},
    quota,
    receipts::ReceiptAnswer,
    repeat::Identity,
    rows::fingerprint,
    x402::{self, Unpaid},
};
use alloy_primitives::{B256, keccak256};
use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path, Query, Request, State,
        rejection::{BytesRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use sahara_abi::purpose;
use sahara_primitives::{AssetId, BlockNumber};
use sahara_telemetry::{TRACE, TRACEPARENT, follow};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Instant};
use tower_http::cors::{Any, CorsLayer};
use tracing::{Instrument as _, Span, debug_span};

const EXPOSED: [&str; 6] = [
    "x-request-id",
    "retry-after",
    "payment-required",
    "payment-response",
    "sahara-receipt",
    "www-authenticate",
];
/// Names the purpose of a request.
const PURPOSE: &str = "sahara-purpose";
/// The longest `Idempotency-Key`.
const MAX_NAME: usize = 255;

impl Gateway {
    /// The routes, to be served on loopback or behind TLS.
    pub fn router(self: &Arc<Self>) -> Router {
        let cors = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods(Any)
            .allow_headers(Any)
            .expose_headers(
                [EXPOSED, quota::NAMES]
                    .concat()
                    .into_iter()
                    .map(HeaderName::from_static)
                    .collect::<Vec<_>>(),
            );
        Router::new()
            .route("/v1/models", get(models))
            .route("/v1/models/{*id}", get(model))
            .route("/v1/chat/completions", post(complete))
            .route("/v1/completions", post(complete))
            .route("/v1/keys", post(register_key))
            .route("/v1/key", get(key))
            .route("/v1/receipts/{id}", get(receipt))
            .route("/v1/logs/{log}", get(usage_log))
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .fallback(unknown_path)
            .method_not_allowed_fallback(unknown_method)
            .layer(DefaultBodyLimit::max(self.config.max_body))
            .layer(cors)
            .layer(middleware::from_fn_with_state(Arc::clone(self), envelope))
            .with_state(Arc::clone(self))
    }

    /// Whether a `Host` names this machine or this gateway: a page elsewhere that resolves its own
    /// name to loopback gets nothing.
    fn is_host(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        ["localhost", "127.0.0.1", "[::1]"].contains(&name)
            || self.config.hosts.iter().any(|own| own == name || own == host)
    }

    fn read_body(&self, body: Result<Bytes, BytesRejection>) -> Result<Bytes, ApiError> {
        body.map_err(|error| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(self.config.max_body),
            _ => ApiError::invalid("the body broke off"),
        })
    }

    fn bearer(&self, headers: &HeaderMap) -> Result<Option<Arc<Account>>, ApiError> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
        let secret = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let secret = secret.map(str::trim).filter(|secret| secret.starts_with("sk-"));
        let expected = "expected `Authorization: Bearer sk-...`, as `sahara key create` prints it";
        let secret = secret.ok_or_else(|| ApiError::unauthorised(expected))?;
        let unknown = || ApiError::unauthorised(format!("unknown API key: {expected}"));
        self.account_of_key(secret).map(Some).ok_or_else(unknown)
    }
}

/// Around every request: the Host, an id, a limit that says what it is.
async fn envelope(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.map(str::to_owned).or_else(|| request.uri().host().map(str::to_owned));
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let started = Instant::now();
    let mut response = match host {
        // Said before the body is read, so that a client that is still sending hears it.
        Some(host) if gateway.is_host(&host) && announced > Some(gateway.config.max_body) => {
            ApiError::too_large(gateway.config.max_body).into_response()
        }
        Some(host) if gateway.is_host(&host) => {
            let span = span_of(&request);
            next.run(request).instrument(span).await
        }
        _ => ApiError::forbidden(
            "the Host header names another server: expected localhost or a configured name",
        )
        .into_response(),
    };
    gateway.metrics.request(response.status().as_u16(), started.elapsed());
    let id = alloy_primitives::hex::encode(rand::random::<[u8; 12]>());
    if let Ok(value) = HeaderValue::from_str(&format!("req_{id}")) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// Ends when the head of the answer is sent; what goes on has spans of its own.
fn span_of(request: &Request) -> Span {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let span = debug_span!(target: TRACE, "gateway.request", method, path);
    let header = request.headers().get(TRACEPARENT).and_then(|header| header.to_str().ok());
    if let Some(header) = header.filter(|_| !span.is_disabled()) {
        follow(&span, header);
    }
    span
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

async fn unknown_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not answer {method}", uri.path());
    (StatusCode::METHOD_NOT_ALLOWED, Json(ApiError::invalid(message).body())).into_response()
}

async fn health(State(gateway): State<Arc<Gateway>>) -> Response {
    let models = gateway.catalog.models().len();
    let head = gateway.chain().0.head().await;
    let status = if head.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut unsettled = gateway.unsettled.lock().clone();
    unsettled.extend(gateway.owing_channels());
    let body = json!({
        "status": if head.is_ok() { "ok" } else { "no node" },
        "gateway": gateway.address(), "chain_id": gateway.chain_id(),
        "block": head.ok(), "models": models,
        "unsettled_channels": unsettled.len(),
    });
    (status, Json(body)).into_response()
}

fn model_json(model: &Model) -> Value {
    let offer = |offer: &Offer| {
        json!({
            "worker": offer.worker.address(),
            "input_price": offer.prices.input.0.to_string(),
            "output_price": offer.prices.output.0.to_string(),
            "class": offer.card.class,
            "model_root": offer.card.model_root,
            "context_length": offer.card.context_length,
        })
    };
    json!({
        "id": model.name,
        "object": "model",
        "created": model.registered_at,
        "owned_by": model.creator,
        "asset": model.asset,
        "kind": format!("{:?}", model.kind).to_lowercase(),
        "context_length": model.offers.first().map(|offer| offer.card.context_length),
        "pricing": {
            "unit": "base units per 1,000,000 tokens; protocol and gateway fee come on top",
            "asset_input_price": model.prices.input.0.to_string(),
            "asset_output_price": model.prices.output.0.to_string(),
        },
        "licensing": model.licensing.json(),
        "offers": model.offers.iter().map(offer).collect::<Vec<_>>(),
    })
}

async fn models(State(gateway): State<Arc<Gateway>>) -> Json<Value> {
    let models = gateway.catalog.models();
    let data: Vec<_> = models.iter().map(|model| model_json(model)).collect();
    Json(json!({ "object": "list", "data": data }))
}

async fn model(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let model = gateway.catalog.find(&id).ok_or_else(|| unknown(&gateway, &id))?;
    Ok(Json(model_json(&model)))
}

async fn register_key(
    State(gateway): State<Arc<Gateway>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = gateway.read_body(body)?;
    let limits = gateway.register_key(&body).await?;
    Ok((StatusCode::CREATED, Json(limits)).into_response())
}

async fn key(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let account = gateway.bearer(&headers)?;
    let missing = || ApiError::unauthorised("expected `Authorization: Bearer sk-...`");
    Ok(Json(gateway.key_limits(&account.ok_or_else(missing)?.row())))
}

/// How much of a proof is wanted.
#[derive(Debug, Deserialize)]
struct Wanted {
    /// The last block of an epoch that the verifier trusts: changes of the validators from there on.
    #[serde(default)]
    since: u64,
}

async fn receipt(
    State(gateway): State<Arc<Gateway>>,
    Path(id): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<ReceiptAnswer>, ApiError> {
    let expected = |_| ApiError::invalid("expected `since` to be the number of a block");
    let Query(Wanted { since }) = wanted.map_err(expected)?;
    let reader = gateway.bearer(&headers)?;
    gateway.receipt(&id, BlockNumber(since), reader.as_deref()).await.map(Json)
}

async fn usage_log(
    State(gateway): State<Arc<Gateway>>,
    Path(log): Path<AssetId>,
    headers: HeaderMap,
) -> Result<Json<Value>, ApiError> {
    let reader = gateway.bearer(&headers)?;
    gateway.usage_log(log, reader.as_deref()).await.map(Json)
}

async fn complete(
    State(gateway): State<Arc<Gateway>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let endpoint = Endpoint::of(uri.path()).ok_or_else(|| ApiError::not_found("no such path"))?;
    let account = gateway.bearer(&headers)?;
    let body = gateway.read_body(body)?;
    let ask = Ask::parse(endpoint, &body)?;
    let body_hash = keccak256(&body);
    let purpose = purpose(&headers)?;
    let Some(model) = gateway.catalog.find(&ask.model) else {
        let body = fingerprint(body_hash, purpose);
        return repeated(&gateway, account.as_deref(), (&headers, &ask, body)).await;
    };
    let url = format!("{}{}", gateway.config.url.trim_end_matches('/'), endpoint.path());
    let mut payment = None;
    let (account, identity, salt) = match account {
        Some(account) => {
            let identity = identity(&account, &headers)?;
            (account, identity, random())
        }
        None => {
            let request =
                Unpaid { gateway: &gateway, model: &model, ask: &ask, url: &url, purpose };
            let paid = request.pay(body_hash, &headers).await?;
            payment = Some(Arc::clone(&paid.0.account));
            let id = Gateway::named(paid.0.account.channel.0, &paid.0.request_id.to_string());
            (paid.0.account, id, paid.1)
        }
    };
    let (payer, asked) = (Arc::clone(&account), Arc::clone(&model));
    let call = Call { account, model, ask: ask.clone(), url, body_hash, purpose, identity, salt };
    let reply = match gateway.begin(call) {
        Ok(reply) => respond(reply, &ask).await,
        Err(error) => Err(error),
    };
    let mut response = reply.unwrap_or_else(IntoResponse::into_response);
    if let Some(account) = payment.filter(|_| response.status().is_success())
        && let Ok(value) = HeaderValue::from_str(&x402::accepted(&gateway, &account))
    {
        response.headers_mut().insert("payment-response", value);
    }
    quota::insert(response.headers_mut(), &gateway, &payer, &asked);
    Ok(response)
}

/// Nobody serves the model, or it is not known yet who does.
fn unknown(gateway: &Gateway, model: &str) -> ApiError {
    if gateway.catalog.is_whole() {
        return ApiError::model_not_found(model);
    }
    ApiError::unavailable(
        "the gateway has just started and has not asked every worker yet what it serves: expected a retry in a second",
    )
}

/// Nobody serves the model now: who asked before still gets the answer.
async fn repeated(
    gateway: &Gateway,
    account: Option<&Account>,
    (headers, ask, body): (&HeaderMap, &Ask, B256),
) -> Result<Response, ApiError> {
    let reply = match account {
        Some(account) => gateway.again(account, &identity(account, headers)?, body)?,
        None => None,
    };
    respond(reply.ok_or_else(|| unknown(gateway, &ask.model))?, ask).await
}

/// What a client says it asks for: inference always, and `sahara-purpose: commercial` where it earns
/// money with the answer.
fn purpose(headers: &HeaderMap) -> Result<u8, ApiError> {
    let Some(value) = headers.get(PURPOSE) else { return Ok(purpose::INFERENCE) };
    let mut names = value.to_str().unwrap_or_default().split(',').map(str::trim);
    names.try_fold(purpose::INFERENCE, |bits, name| match name {
        "inference" => Ok(bits),
        "commercial" => Ok(bits | purpose::COMMERCIAL),
        _ => Err(ApiError::invalid(format!("{PURPOSE}: expected `inference` or `commercial`"))
            .param(PURPOSE)),
    })
}

/// What the headers say about repetition.
fn identity(account: &Account, headers: &HeaderMap) -> Result<Identity, ApiError> {
    if let Some(name) = headers.get("idempotency-key") {
        let name = name.to_str().ok().filter(|name| (1..=MAX_NAME).contains(&name.len()));
        let expected = "Idempotency-Key: expected 1 to 255 visible ASCII characters";
        let name = name.ok_or_else(|| ApiError::invalid(expected).param("Idempotency-Key"))?;
        let owner = account.row().authority.owner(account.channel);
        return Ok(Gateway::named(owner, name));
    }
    let count = headers.get("x-stainless-retry-count").and_then(|count| count.to_str().ok());
    let is_retry = count.and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 0);
    Ok(if is_retry { Identity::Retry } else { Identity::Fresh })
}
