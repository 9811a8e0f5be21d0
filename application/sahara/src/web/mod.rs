//! The web application: its files, and the routes that only it asks.
//!
//! | path | what |
//! |---|---|
//! | `/`, and each of [`PAGES`] | the one page; which of its views is shown, it reads from the path |
//! | any other path, to a browser | the page again, with status 404: [`lost`] |
//! | `/assets/...`, `/favicon.svg` | what the page loads, by hashed names |
//! | `/llms.txt` | what is here, for programs that read |
//! | `GET /app/network` | what a wallet must know of this network |
//! | `POST /app/rpc` | reads and signed transactions, to the gateway's own node |
//! | `POST /app/session/nonce`, `POST` and `DELETE /app/session` | sign in with Ethereum, and out |
//! | `GET /app/requests` | what the account that is signed in asked and paid |
//! | `POST /app/allowance` | a first deposit for a key made in the browser, on a local network |
//!
//! Everything comes from here: no page asks another host, and none may (`Content-Security-Policy`).

mod allowance;
mod files;
mod node;
mod sessions;

pub(crate) use allowance::Allowance;
pub(crate) use sessions::Sessions;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sahara_client::ChainClient;
use sahara_index::Rate;
use sahara_primitives::{Address, B256};
use serde_json::json;
use std::sync::Arc;

/// Views of the page that have a path of their own; below each of them any path is the page too.
const PAGES: [&str; 14] = [
    "chat",
    "explore",
    "market",
    "earnings",
    "studio",
    "usage",
    "staking",
    "supply",
    "governance",
    "network",
    "account",
    "settings",
    "assets-of",
    "help",
];

/// Nothing inline, nothing from elsewhere; pictures of wallets come as `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// The longest body of a request of the page: a signed transaction with a card.
const MAX_BODY: usize = 256 << 10;
/// How often one address may ask for a nonce, sign in or out: people do so a few times a day, and many
/// may come from one address.
const SESSION_RATE: Rate = Rate { burst: 120, per_minute: 60 };

/// What the routes know.
#[derive(Debug)]
pub(crate) struct Web {
    /// The gateway's node.
    pub(crate) client: ChainClient,
    /// Its JSON-RPC, for wallets.
    pub(crate) rpc: String,
    /// EIP-155.
    pub(crate) chain_id: u64,
    /// Hash of block 0.
    pub(crate) genesis_hash: B256,
    /// The gateway's account.
    pub(crate) gateway: Address,
    /// What newcomers get, if they get something.
    pub(crate) allowance: Option<Allowance>,
    /// Origins by which clients know this gateway, as `https://own.example`: for others nobody signs in.
    pub(crate) origins: Vec<String>,
    /// How much one address may ask.
    pub(crate) rate: Rate,
    /// Who is signed in.
    pub(crate) sessions: Sessions,
    /// Who knows what was asked; none in tests of the routes.
    pub(crate) gateway_requests: Option<Arc<sahara_gateway::Gateway>>,
}

/// The routes.
pub(crate) fn router(web: Web) -> Router {
    let web = Arc::new(web);
    let mut router = Router::new().route("/", get(files::page));
    for page in PAGES {
        router = router.route(&format!("/{page}"), get(files::page));
        router = router.route(&format!("/{page}/{{*rest}}"), get(files::page));
    }
    let rate = web.rate;
    let session_rate = Rate {
        burst: SESSION_RATE.burst.min(rate.burst),
        per_minute: SESSION_RATE.per_minute.min(rate.per_minute),
    };
    let asked = Router::new()
        .route("/app/network", get(network))
        .route("/app/rpc", post(node::forward))
        .route("/app/allowance", post(allowance::give))
        .route("/app/requests", get(sessions::requests));
    let sign_in = Router::new()
        .route("/app/session/nonce", post(sessions::nonce))
        .route("/app/session", post(sessions::open).delete(sessions::close));
    router
        .route("/favicon.svg", get(files::file))
        .route("/llms.txt", get(files::file))
        .route("/assets/{*file}", get(files::file))
        .merge(sahara_index::limited(asked, rate))
        .merge(sahara_index::limited(sign_in, session_rate))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(protect))
        .with_state(web)
}

/// Headers of pages, which say what their scripts may do; and nothing is done for a page of another origin.
async fn protect(request: Request, next: Next) -> Response {
    let is_change = !request.method().is_safe();
    let mut response = if is_change && !is_same_origin(&request) {
        refuse(StatusCode::FORBIDDEN, "foreign_origin", "expected a request of this page")
    } else {
        next.run(request).await
    };
    let all = response.headers_mut();
    all.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let kind = all.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if kind.starts_with(b"text/html") { confined(response) } else { response }
}

/// A page, with what its scripts may do.
fn confined(mut page: Response) -> Response {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}

/// Around all routes of the gateway: a browser at a path that is none's shows the page, which says in the
/// reader's language that there is nothing. Programs get the gateway's own answer.
pub(crate) async fn lost(request: Request, next: Next) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|kinds| kinds.to_str().ok());
    let is_browser = accepted.is_some_and(|kinds| kinds.contains("text/html"));
    let is_lost = request.extensions().get::<MatchedPath>().is_none();
    if !is_browser || !is_lost || request.method() != Method::GET {
        return next.run(request).await;
    }
    let mut headers = request.headers().clone();
    // Whatever the browser keeps of it, it gets the page whole.
    headers.remove(header::IF_NONE_MATCH);
    let answer = next.run(request).await;
    // Another refusal, as of a foreign host, stays.
    if answer.status() != StatusCode::NOT_FOUND {
        return answer;
    }
    let mut page = confined(files::index(&headers));
    *page.status_mut() = StatusCode::NOT_FOUND;
    page
}

/// Browsers say from where a page posts; who is no browser says nothing.
fn is_same_origin(request: &Request) -> bool {
    let text =
        |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some() && host == text(header::HOST)
}

fn refuse(status: StatusCode, code: &str, message: impl Into<String>) -> Response {
    let message: String = message.into();
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

async fn network(State(web): State<Arc<Web>>) -> Response {
    let allowance = match &web.allowance {
        Some(allowance) => allowance.offer().await,
        None => serde_json::Value::Null,
    };
    Json(json!({
        "chain_id": web.chain_id,
        "genesis_hash": web.genesis_hash,
        "gateway": web.gateway,
        "rpc": web.rpc,
        "allowance": allowance,
    }))
    .into_response()
}

#[cfg(test)]
mod tests;
