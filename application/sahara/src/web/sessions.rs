//! Sign in with Ethereum (EIP-4361), for what only one account may see: its own requests here.
//!
//! The text that is signed is made here, from a nonce that is good once, and names the origin that the
//! page was loaded from, which has to be one of this gateway's: a signature given to another page opens
//! nothing. Nonces are not kept until they are used, so that asking for many locks nobody out; sessions
//! live in memory, end with the process, and give way to newer ones when there are too many.

use super::{Web, refuse};
use alloy_primitives::keccak256;
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sahara_gateway::SignIn;
use sahara_primitives::Address;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const COOKIE: &str = "sahara_session";
/// How long somebody may think about signing.
const NONCE_LIFE: Duration = Duration::from_secs(300);
const SESSION_LIFE: Duration = Duration::from_secs(12 * 3_600);
/// Sessions of everybody; beyond them the one that was used the longest ago ends.
const MOST: usize = 10_000;
/// Sessions of one account: its browsers.
const MOST_OF_ACCOUNT: usize = 8;
/// Spent nonces that are remembered; beyond them the oldest nonces are no longer taken.
const MOST_SPENT: usize = 100_000;
/// The longest address of a page that is repeated in the text.
const MAX_HOST: usize = 200;

/// Who is signed in, and who may sign.
pub(crate) struct Sessions {
    /// Under which nonces are made; another one after every start.
    secret: [u8; 32],
    began: Instant,
    spent: Mutex<Spent>,
    open: Mutex<BTreeMap<String, Session>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions").field("began", &self.began).finish_non_exhaustive()
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            secret: rand::random(),
            began: Instant::now(),
            spent: Mutex::default(),
            open: Mutex::default(),
        }
    }
}

/// Nonces that were used, by the second in which they were made.
#[derive(Debug, Default)]
struct Spent {
    nonces: BTreeSet<(u64, String)>,
    /// Of earlier seconds all count as spent.
    since: u64,
}

impl Spent {
    /// Whether a nonce was not used before; it is now.
    fn take(&mut self, (made, nonce): (u64, &str), now: u64, most: usize) -> bool {
        self.since = self.since.max(now.saturating_sub(NONCE_LIFE.as_secs()));
        let is_fresh = made >= self.since && self.nonces.insert((made, nonce.to_owned()));
        while self.nonces.len() > most {
            let Some((made, _)) = self.nonces.pop_first() else { break };
            self.since = self.since.max(made.saturating_add(1));
        }
        while self.nonces.first().is_some_and(|(made, _)| *made < self.since) {
            self.nonces.pop_first();
        }
        is_fresh
    }
}

#[derive(Clone, Copy, Debug)]
struct Session {
    account: Address,
    ends: Instant,
    used: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn random() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

impl Sessions {
    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.began).as_secs()
    }

    /// Shows that a nonce was made here. A sponge takes its key in front of the message.
    fn proof(&self, made: &[u8; 8], random: &[u8; 8]) -> [u8; 16] {
        let hash = keccak256([self.secret.as_slice(), made, random].concat());
        hash.first_chunk().copied().unwrap_or_default()
    }

    /// When it was made, a random part, and the proof of both: nothing is kept of it.
    fn nonce(&self, now: Instant) -> String {
        let (made, random) = (self.second(now).to_be_bytes(), rand::random::<[u8; 8]>());
        hex::encode(
            [made.as_slice(), random.as_slice(), self.proof(&made, &random).as_slice()].concat(),
        )
    }

    /// A nonce is good once, whatever becomes of it.
    fn spend(&self, nonce: &str, now: Instant) -> bool {
        let mut bytes = [0; 32];
        if hex::decode_to_slice(nonce, &mut bytes).is_err() {
            return false;
        }
        let (made, rest) = bytes.split_at(8);
        let parts = (<&[u8; 8]>::try_from(made), rest.split_first_chunk::<8>());
        let (Ok(made), Some((random, proof))) = parts else {
            return false;
        };
        if self.proof(made, random) != *proof {
            return false;
        }
        let (made, now) = (u64::from_be_bytes(*made), self.second(now));
        let is_young = now.saturating_sub(made) < NONCE_LIFE.as_secs();
        // In one form, or a nonce in capitals were another.
        is_young && lock(&self.spent).take((made, &hex::encode(bytes)), now, MOST_SPENT)
    }

    fn begin(&self, account: Address, now: Instant) -> String {
        let mut open = lock(&self.open);
        let of_account = |session: &Session| session.account == account;
        if open.values().filter(|session| of_account(session)).count() >= MOST_OF_ACCOUNT {
            end_least_used(&mut open, of_account);
        }
        if open.len() >= MOST {
            open.retain(|_, session| session.ends > now);
        }
        if open.len() >= MOST {
            end_least_used(&mut open, |_| true);
        }
        let secret = random();
        let ends = now.checked_add(SESSION_LIFE).unwrap_or(now);
        open.insert(secret.clone(), Session { account, ends, used: now });
        secret
    }

    fn account(&self, secret: &str, now: Instant) -> Option<Address> {
        let mut open = lock(&self.open);
        let session = open.get_mut(secret).filter(|session| session.ends > now)?;
        session.used = now;
        Some(session.account)
    }

    fn end(&self, secret: &str) {
        lock(&self.open).remove(secret);
    }
}

fn end_least_used(open: &mut BTreeMap<String, Session>, which: impl Fn(&Session) -> bool) {
    let some = open.iter().filter(|(_, session)| which(session));
    let least = some.min_by_key(|(_, session)| session.used).map(|(secret, _)| secret.clone());
    if let Some(secret) = least {
        open.remove(&secret);
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok().filter(|host| host.len() <= MAX_HOST)
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
    private(Json(json!({ "nonce": web.sessions.nonce(Instant::now()) })))
}

pub(super) async fn open(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    sign_in: Result<Json<SignIn>, JsonRejection>,
) -> Response {
    let now = Instant::now();
    let (Ok(Json(sign_in)), Some(host)) = (sign_in, host(&headers)) else {
        let message = "expected account, nonce, issued_at and signature as application/json";
        return refuse(StatusCode::BAD_REQUEST, "malformed", message);
    };
    let scheme = scheme(&headers);
    let origin = format!("{scheme}://{host}");
    if !web.origins.iter().any(|own| own.eq_ignore_ascii_case(&origin)) {
        let message = format!(
            "this gateway is not known as {origin}: expected its `url`, or one of its `hosts`, with the port"
        );
        return refuse(StatusCode::FORBIDDEN, "foreign_host", message);
    }
    if !sign_in.is_plain() || !web.sessions.spend(&sign_in.nonce, now) {
        let message = "the nonce is spent or too old: expected one of POST /app/session/nonce";
        return refuse(StatusCode::FORBIDDEN, "nonce_expired", message);
    }
    if !sign_in.is_signed((scheme, host), web.chain_id) {
        let message = "expected the account's signature of the text for this host and chain";
        return refuse(StatusCode::FORBIDDEN, "signature_of_another", message);
    }
    let secret = web.sessions.begin(sign_in.account, now);
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
    use super::{MOST, MOST_OF_ACCOUNT, NONCE_LIFE, SESSION_LIFE, Sessions, Spent, lock};
    use sahara_primitives::Address;
    use std::time::{Duration, Instant};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_nonce_is_good_once_and_for_a_while() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let nonce = sessions.nonce(now);
        assert!(sessions.spend(&nonce, now) && !sessions.spend(&nonce, now));
        assert!(!sessions.spend(&nonce.to_uppercase(), now));
        let late = sessions.nonce(now);
        assert!(!sessions.spend(&late, now + NONCE_LIFE + SECOND));
        let other = sessions.nonce(now);
        assert!(!Sessions::default().spend(&other, now), "of another process");
        let mut changed = other.clone().into_bytes();
        changed[15] ^= 1;
        assert!(!sessions.spend(std::str::from_utf8(&changed).unwrap(), now), "another second");
        for bad in ["", "of another", &"0".repeat(64), &other[..62]] {
            assert!(!sessions.spend(bad, now), "{bad}");
        }
        assert!(sessions.spend(&other, now));
    }

    #[test]
    fn a_session_ends_by_itself_or_when_asked() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let secret = sessions.begin(Address::repeat_byte(1), now);
        assert_eq!(sessions.account(&secret, now), Some(Address::repeat_byte(1)));
        assert_eq!(sessions.account(&secret, now + SESSION_LIFE), None);
        sessions.end(&secret);
        assert_eq!(sessions.account(&secret, now), None);
    }

    #[test]
    fn nonces_that_nobody_uses_lock_nobody_out() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let first = sessions.nonce(now);
        (0..20_000).for_each(|_| assert_eq!(sessions.nonce(now).len(), 64));
        assert!(sessions.spend(&first, now));
        assert_eq!(lock(&sessions.spent).nonces.len(), 1);
    }

    #[test]
    fn spent_nonces_are_bounded_and_none_is_good_twice() {
        let mut spent = Spent::default();
        for made in 0..10 {
            assert!(spent.take((made, "nonce"), 10, 4), "{made}");
        }
        assert_eq!((spent.nonces.len(), spent.since), (4, 6));
        assert!((0..10).all(|made| !spent.take((made, "nonce"), 10, 4)));
        assert!(!spent.take((5, "slow"), 10, 4), "forgotten seconds count as spent");
        assert!(spent.take((8, "other"), 10, 4));
        // What is too old to be used is forgotten.
        assert!(spent.take((1_000, "late"), 1_000, 4));
        assert_eq!(spent.nonces.len(), 1);
    }

    #[test]
    fn strangers_sessions_end_before_those_that_are_used() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let own = sessions.begin(Address::ZERO, now);
        let stranger = |number: usize| {
            let bytes = u64::try_from(number).unwrap().to_be_bytes();
            Address::left_padding_from(&bytes)
        };
        for number in 1..MOST + 10 {
            if number == MOST - 1 {
                assert!(sessions.account(&own, now + SECOND).is_some());
            }
            sessions.begin(stranger(number), now);
        }
        assert_eq!(lock(&sessions.open).len(), MOST);
        assert_eq!(sessions.account(&own, now + SECOND), Some(Address::ZERO));
        let browsers: Vec<_> = (0..=MOST_OF_ACCOUNT)
            .map(|number| {
                let later = now + SECOND * u32::try_from(number).unwrap();
                sessions.begin(Address::repeat_byte(7), later)
            })
            .collect();
        let is_open = |secret: &String| sessions.account(secret, now).is_some();
        assert!(!is_open(&browsers[0]) && browsers[1..].iter().all(is_open));
    }
}
