//! Sign in with Ethereum (EIP-4361), for what only one account may see: its own requests here.
//!
//! The text that is signed is made here, from a nonce that is good once, and names the host that the
//! page was loaded from: a signature given to another page opens nothing. Sessions live in memory
//! and end with the process.

use super::{Web, refuse};
use alloy_primitives::{Bytes, eip191_hash_message};
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sahara_compute::recover;
use sahara_primitives::Address;
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const COOKIE: &str = "sahara_session";
/// How long somebody may think about signing.
const NONCE_LIFE: Duration = Duration::from_secs(300);
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// Of each kind; more are refused until some have ended.
const MOST: usize = 10_000;
/// The longest time and address of a page that are repeated in the text.
const MAX_FIELD: usize = 200;

/// Who is signed in, and who may sign.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    nonces: Mutex<BTreeMap<String, Instant>>,
    open: Mutex<BTreeMap<String, (Address, Instant)>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    account: Address,
    nonce: String,
    issued_at: String,
    signature: Bytes,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn random() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

impl Sessions {
    fn nonce(&self, now: Instant) -> Option<String> {
        let mut nonces = lock(&self.nonces);
        // What is too old is refused when it is used; it goes when there is no room.
        if nonces.len() >= MOST {
            nonces.retain(|_, ends| *ends > now);
        }
        let nonce = random();
        (nonces.len() < MOST).then(|| {
            nonces.insert(nonce.clone(), now + NONCE_LIFE);
            nonce
        })
    }

    /// A nonce is good once, whatever becomes of it.
    fn spend(&self, nonce: &str, now: Instant) -> bool {
        lock(&self.nonces).remove(nonce).is_some_and(|ends| ends > now)
    }

    fn begin(&self, account: Address, now: Instant) -> Option<String> {
        let mut open = lock(&self.open);
        if open.len() >= MOST {
            open.retain(|_, (_, ends)| *ends > now);
        }
        let secret = random();
        (open.len() < MOST).then(|| {
            open.insert(secret.clone(), (account, now + SESSION_LIFE));
            secret
        })
    }

    fn account(&self, secret: &str, now: Instant) -> Option<Address> {
        let open = lock(&self.open);
        open.get(secret).filter(|(_, ends)| *ends > now).map(|(account, _)| *account)
    }

    fn end(&self, secret: &str) {
        lock(&self.open).remove(secret);
    }
}

/// The text of EIP-4361.
fn message((scheme, host): (&str, &str), chain_id: u64, sign_in: &SignIn) -> String {
    let SignIn { account, nonce, issued_at, .. } = sign_in;
    format!(
        "{host} wants you to sign in with your Ethereum account:\n{account}\n\n\
         See what this account asked here and paid. It costs nothing and sends nothing.\n\n\
         URI: {scheme}://{host}\nVersion: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}"
    )
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok().filter(|host| host.len() <= MAX_FIELD)
}

/// How the page was loaded, which a proxy that ends TLS knows better than this process: its browser says so,
/// or the proxy does.
fn scheme(headers: &HeaderMap) -> &'static str {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_secure = text("origin").is_some_and(|origin| origin.starts_with("https://"))
        || text("x-forwarded-proto").is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    if is_secure { "https" } else { "http" }
}

fn secret(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find_map(|(name, value)| (name == COOKIE).then_some(value))
}

fn cookie(value: &str, life: Duration, scheme: &str) -> Option<HeaderValue> {
    let seconds = life.as_secs();
    let secure = if scheme == "https" { "; Secure" } else { "" };
    let text = format!(
        "{COOKIE}={value}; Path=/app; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
    );
    HeaderValue::from_str(&text).ok()
}

fn private(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

pub(super) async fn nonce(State(web): State<Arc<Web>>) -> Response {
    match web.sessions.nonce(Instant::now()) {
        Some(nonce) => private(Json(json!({ "nonce": nonce }))),
        None => refuse(StatusCode::SERVICE_UNAVAILABLE, "too_many_sessions", "try again later"),
    }
}

pub(super) async fn open(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    sign_in: Result<Json<SignIn>, JsonRejection>,
) -> Response {
    let now = Instant::now();
    let fits = |sign_in: &SignIn| {
        sign_in.issued_at.len() <= MAX_FIELD && !sign_in.issued_at.contains(char::is_control)
    };
    let (Ok(Json(sign_in)), Some(host)) = (sign_in, host(&headers)) else {
        let message = "expected account, nonce, issued_at and signature as application/json";
        return refuse(StatusCode::BAD_REQUEST, "malformed", message);
    };
    if !fits(&sign_in) || !web.sessions.spend(&sign_in.nonce, now) {
        let message = "the nonce is spent or too old: expected one of POST /app/session/nonce";
        return refuse(StatusCode::FORBIDDEN, "nonce_expired", message);
    }
    let scheme = scheme(&headers);
    let hash = eip191_hash_message(message((scheme, host), web.chain_id, &sign_in));
    if recover(hash, &sign_in.signature) != Ok(sign_in.account) {
        let message = "expected the account's signature of the text for this host and chain";
        return refuse(StatusCode::FORBIDDEN, "signature_of_another", message);
    }
    let Some(secret) = web.sessions.begin(sign_in.account, now) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too_many_sessions", "try again later");
    };
    let mut response = private(Json(json!({ "account": sign_in.account })));
    let cookie = cookie(&secret, SESSION_LIFE, scheme);
    response.headers_mut().extend(cookie.map(|it| (header::SET_COOKIE, it)));
    response
}

pub(super) async fn close(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    if let Some(secret) = secret(&headers) {
        web.sessions.end(secret);
    }
    let mut response = private(StatusCode::NO_CONTENT);
    let cookie = cookie("", Duration::ZERO, scheme(&headers));
    response.headers_mut().extend(cookie.map(|it| (header::SET_COOKIE, it)));
    response
}

/// What the account that is signed in asked here and paid.
pub(super) async fn requests(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let account = secret(&headers).and_then(|it| web.sessions.account(it, Instant::now()));
    let Some(account) = account else {
        let message = "expected a session: sign in with POST /app/session";
        return refuse(StatusCode::UNAUTHORIZED, "not_signed_in", message);
    };
    let found = web.gateway_requests.as_ref().map(|gateway| gateway.requests_of(account));
    match found.transpose() {
        Ok(data) => private(Json(json!({ "account": account, "data": data.unwrap_or_default() }))),
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, NONCE_LIFE, SESSION_LIFE, Sessions};
    use sahara_primitives::Address;
    use std::time::{Duration, Instant};

    #[test]
    fn a_nonce_is_good_once_and_for_a_while() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let nonce = sessions.nonce(now).unwrap();
        assert!(sessions.spend(&nonce, now) && !sessions.spend(&nonce, now));
        let late = sessions.nonce(now).unwrap();
        assert!(!sessions.spend(&late, now + NONCE_LIFE));
        assert!(!sessions.spend("of another", now));
    }

    #[test]
    fn a_session_ends_by_itself_or_when_asked() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let secret = sessions.begin(Address::repeat_byte(1), now).unwrap();
        assert_eq!(sessions.account(&secret, now), Some(Address::repeat_byte(1)));
        assert_eq!(sessions.account(&secret, now + SESSION_LIFE), None);
        sessions.end(&secret);
        assert_eq!(sessions.account(&secret, now), None);
    }

    #[test]
    fn memory_is_bounded_and_comes_back() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        assert!((0..MOST).all(|_| sessions.nonce(now).is_some()));
        assert_eq!(sessions.nonce(now), None);
        assert!(sessions.nonce(now + NONCE_LIFE + Duration::from_secs(1)).is_some());
    }
}
