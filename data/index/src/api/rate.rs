//! How much one client may ask.
//!
//! Each address has a bucket of requests that fills at a steady rate; an answer says how much is left,
//! in the headers that the IETF drafted (`RateLimit-Policy`, `RateLimit`), and an empty bucket is 429
//! with `Retry-After`. A network of IPv6 counts as one address, or a host had 2^64 of them.

use super::error::ApiError;
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// Addresses that are remembered. A bucket that has filled again is forgotten; if so many are not full,
/// the one that was touched the longest ago is.
const MOST_ADDRESSES: usize = 16_384;
const BILLIONTHS: u64 = 1_000_000_000;
/// Seconds.
const MINUTE: u64 = 60;

/// How many requests one address may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// A minute, in the long run.
    pub per_minute: u32,
}

impl Default for Rate {
    /// A page of a browser asks for a dozen things and then one a second; a program that reads
    /// lists to their ends takes 10,000 rows a second.
    fn default() -> Self {
        Self { burst: 1_000, per_minute: 6_000 }
    }
}

/// What an address may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    is_allowed: bool,
    requests: u64,
    /// Until one more request is allowed, or until all are if this one was.
    seconds: u64,
}

/// The buckets of all addresses.
#[derive(Clone, Debug)]
pub(super) struct Limiter {
    rate: Rate,
    buckets: Arc<Mutex<BTreeMap<IpAddr, Bucket>>>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Billionths of requests.
    filled: u64,
    at: Instant,
}

impl Limiter {
    pub(super) fn new(rate: Rate) -> Self {
        let rate = Rate { burst: rate.burst.max(1), per_minute: rate.per_minute.max(1) };
        Self { rate, buckets: Arc::default() }
    }

    fn size(&self) -> u64 {
        u64::from(self.rate.burst).saturating_mul(BILLIONTHS)
    }

    /// What a bucket holds now.
    fn filled(&self, bucket: Bucket, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(bucket.at).as_nanos();
        let more = passed.saturating_mul(self.rate.per_minute.into()).checked_div(MINUTE.into());
        let more = more.and_then(|more| u64::try_from(more).ok()).unwrap_or(u64::MAX);
        bucket.filled.saturating_add(more).min(self.size())
    }

    /// Takes one request of an address, if there is one.
    fn take(&self, address: IpAddr, now: Instant) -> Left {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST_ADDRESSES && !buckets.contains_key(&address) {
            self.forget(&mut buckets, now);
        }
        let fresh = Bucket { filled: self.size(), at: now };
        let bucket = buckets.entry(address).or_insert(fresh);
        let filled = self.filled(*bucket, now);
        let left = filled.checked_sub(BILLIONTHS);
        *bucket = Bucket { filled: left.unwrap_or(filled), at: now };
        let missing = match left {
            Some(left) => self.size().saturating_sub(left),
            None => BILLIONTHS.saturating_sub(filled),
        };
        let per_minute = u64::from(self.rate.per_minute).saturating_mul(BILLIONTHS);
        Left {
            is_allowed: left.is_some(),
            requests: left.unwrap_or_default().checked_div(BILLIONTHS).unwrap_or_default(),
            seconds: missing.saturating_mul(MINUTE).div_ceil(per_minute.max(1)),
        }
    }

    fn forget(&self, buckets: &mut BTreeMap<IpAddr, Bucket>, now: Instant) {
        buckets.retain(|_, bucket| self.filled(*bucket, now) < self.size());
        if buckets.len() >= MOST_ADDRESSES {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.at);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                buckets.remove(&oldest);
            }
        }
    }

    fn say(&self, headers: &mut HeaderMap, left: Left) {
        let Rate { burst, per_minute } = self.rate;
        let window = u64::from(burst).saturating_mul(MINUTE).div_ceil(per_minute.max(1).into());
        let policy = format!("\"address\";q={burst};w={window}");
        let state = format!("\"address\";r={};t={}", left.requests, left.seconds);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

pub(super) async fn limit(
    State(limiter): State<Limiter>,
    request: Request,
    next: Next,
) -> Response {
    let left = limiter.take(client(&request), Instant::now());
    let mut response = if left.is_allowed {
        next.run(request).await
    } else {
        let Rate { burst, per_minute } = limiter.rate;
        let text = format!(
            "too many requests from this address: expected at most {burst} at once and {per_minute} a minute; try again in {} s",
            left.seconds
        );
        let mut refusal = ApiError::too_many(text).into_response();
        refusal.headers_mut().insert(header::RETRY_AFTER, left.seconds.into());
        refusal
    };
    limiter.say(response.headers_mut(), left);
    response
}

/// Routes whose clients ask no more than this, each address for itself; see [`Rate`].
pub fn limited<S: Clone + Send + Sync + 'static>(router: Router<S>, rate: Rate) -> Router<S> {
    router.layer(from_fn_with_state(Limiter::new(rate), limit))
}

/// Whose request it is. A proxy on this machine says for whom it asks, in the last place, which is the
/// one that it wrote itself.
#[must_use]
pub fn client(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back();
    let forwarded = forwarded.filter(|_| peer.to_canonical().is_loopback());
    let last = forwarded.and_then(|list| list.to_str().ok()?.rsplit(',').next());
    network(last.and_then(|last| last.trim().parse().ok()).unwrap_or(peer))
}

/// An IPv6 address without the half that its owner chooses.
const fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::{Limiter, MOST_ADDRESSES, Rate, client, network};
    use axum::{
        body::Body,
        extract::{ConnectInfo, Request},
    };
    use std::{
        net::{IpAddr, Ipv4Addr, SocketAddr},
        time::{Duration, Instant},
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limiter = Limiter::new(Rate { burst: 3, per_minute: 120 });
        let start = Instant::now();
        let take = |seconds: f64| limiter.take(address(1), start + SECOND.mul_f64(seconds));
        let left: Vec<_> = (0..3).map(|_| take(0.0).requests).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = take(0.0);
        assert!(!refused.is_allowed);
        assert_eq!(refused.seconds, 1, "rounded up");
        assert!(!take(0.4).is_allowed, "being refused costs nothing, and fills nothing");
        assert!(take(0.5).is_allowed);
        assert!(!take(0.9).is_allowed);
        // However long it waits, it holds no more than the burst.
        assert!((0..3).all(|_| take(1_000.0).is_allowed));
        assert!(!take(1_000.0).is_allowed);
        assert!(limiter.take(address(2), start).is_allowed, "each address has its own");
    }

    #[test]
    fn addresses_are_forgotten_when_they_are_full_again_or_too_many() {
        let limiter = Limiter::new(Rate { burst: 2, per_minute: 60 });
        let start = Instant::now();
        let most = u32::try_from(MOST_ADDRESSES).unwrap();
        for number in 0..most {
            limiter.take(address(number), start);
        }
        limiter.take(address(0), start + SECOND / 2);
        limiter.take(address(most), start + SECOND / 2);
        assert_eq!(limiter.buckets.lock().unwrap().len(), MOST_ADDRESSES);
        assert!(!limiter.take(address(0), start + SECOND / 2).is_allowed, "it was touched last");
        limiter.take(address(most + 1), start + SECOND * 100);
        assert_eq!(limiter.buckets.lock().unwrap().len(), 1, "all others were full");
    }

    #[test]
    fn a_proxy_on_this_machine_says_for_whom_it_asks_and_nobody_else_does() {
        let asked = |peer: &str, forwarded: &str| {
            let mut request = Request::new(Body::empty());
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
            request.headers_mut().insert("x-forwarded-for", forwarded.parse().unwrap());
            client(&request).to_string()
        };
        assert_eq!(asked("127.0.0.1:9", "6.6.6.6, 9.9.9.9"), "9.9.9.9");
        assert_eq!(asked("127.0.0.1:9", "nonsense"), "127.0.0.1");
        assert_eq!(asked("8.8.8.8:9", "9.9.9.9"), "8.8.8.8");
        assert_eq!(network("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::");
        assert_eq!(network("::ffff:1.2.3.4".parse().unwrap()).to_string(), "1.2.3.4");
    }
}
