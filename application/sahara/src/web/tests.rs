//! The routes, without a chain behind them.

use super::{Sessions, Web, lost, router};
use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
    middleware,
};
use sahara_client::ChainClient;
use sahara_index::Rate;
use sahara_primitives::{Address, B256};
use tower::ServiceExt as _;

fn web() -> Router {
    router(Web {
        client: ChainClient::new("http://127.0.0.1:9").unwrap(),
        rpc: String::from("http://127.0.0.1:9"),
        chain_id: 724_272,
        genesis_hash: B256::ZERO,
        gateway: Address::ZERO,
        allowance: None,
        origins: ["http", "https"].map(|scheme| format!("{scheme}://localhost:1")).into(),
        rate: Rate { burst: 20, per_minute: 1 },
        sessions: Sessions::default(),
        gateway_requests: None,
    })
}

async fn ask(request: Request<Body>) -> Response<Body> {
    web().oneshot(request).await.unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_page_is_the_page_and_allows_nothing_inline() {
    for path in ["/", "/chat", "/market/3", "/explore/tx/0x00"] {
        let answer = ask(get(path)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache");
    }
    assert_eq!(ask(get("/assets/none.js")).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(ask(get("/assets/../index.html")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_browser_at_no_place_gets_the_page_and_a_program_does_not() {
    let beside = Router::new().route("/v1/none", axum::routing::get(StatusCode::NOT_FOUND));
    let router = web().merge(beside).layer(middleware::from_fn(lost));
    let known = ask(get("/")).await.headers()[header::ETAG].clone();
    let ask = async |path: &str, accepted: &str| {
        let request = Request::get(path).header(header::ACCEPT, accepted);
        let request = request.header(header::IF_NONE_MATCH, &known).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap()
    };
    let page = ask("/nowhere", "text/html,*/*;q=0.8").await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(page.headers().contains_key(header::CONTENT_SECURITY_POLICY));
    let bytes = axum::body::to_bytes(page.into_body(), 100_000).await.unwrap();
    assert!(bytes.starts_with(b"<!doctype html>"));
    for (path, accepted) in
        [("/nowhere", "*/*"), ("/v1/none", "text/html"), ("/assets/none.js", "text/html")]
    {
        let answer = ask(path, accepted).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.headers().contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
    }
}

#[tokio::test]
async fn a_known_file_is_not_sent_again() {
    let gzip = |known: &str| {
        let request = Request::get("/").header(header::ACCEPT_ENCODING, "gzip");
        request.header(header::IF_NONE_MATCH, known).body(Body::empty()).unwrap()
    };
    let first = ask(gzip("")).await;
    assert_eq!(first.headers()[header::CONTENT_ENCODING], "gzip");
    let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
    assert_eq!(ask(gzip(&etag)).await.status(), StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_smallest_body_that_a_client_takes_is_sent() {
    let mut sizes = Vec::new();
    let accepted = [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br;q=0.000, gzip;q=0.5", Some("gzip")),
        ("BR;q=1", Some("br")),
        ("deflate, vbr", None),
    ];
    for (accepted, coding) in accepted {
        let request = Request::get("/").header(header::ACCEPT_ENCODING, accepted);
        let answer = ask(request.body(Body::empty()).unwrap()).await;
        let found = answer.headers().get(header::CONTENT_ENCODING);
        assert_eq!(found.map(|coding| coding.to_str().unwrap()), coding, "{accepted}");
        assert_eq!(answer.headers()[header::VARY], "accept-encoding");
        let etag = answer.headers()[header::ETAG].clone();
        let size = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap().len();
        sizes.push((etag, size));
    }
    let [(brotli, least), (gzip, small), (again, _), (plain, whole)] = &sizes[..] else {
        panic!("expected four answers");
    };
    assert!(least < small && small < whole, "{sizes:?}");
    assert!(brotli == again && brotli != gzip && gzip != plain, "{sizes:?}");
}

#[tokio::test]
async fn pages_of_others_change_nothing_and_pages_ask_no_other_methods() {
    let post = |origin: &str, method: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":[]}}"#);
        let request = Request::post("/app/rpc").header(header::HOST, "localhost:1");
        request.header(header::ORIGIN, origin).body(Body::from(body)).unwrap()
    };
    let foreign = ask(post("http://evil.example", "eth_blockNumber")).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let own = ask(post("http://localhost:1", "anvil_setBalance")).await;
    assert_eq!(own.status(), StatusCode::OK);
    let bytes = axum::body::to_bytes(own.into_body(), 10_000).await.unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("is not for pages"));
}

#[tokio::test]
async fn without_an_allowance_there_is_none() {
    let body = Body::from(r#"{"account":"0x0000000000000000000000000000000000000001"}"#);
    let request = Request::post("/app/allowance").header(header::CONTENT_TYPE, "application/json");
    assert_eq!(ask(request.body(body).unwrap()).await.status(), StatusCode::NOT_FOUND);
}

/// A router whose sessions outlive one request.
async fn signed(router: &Router, body: serde_json::Value) -> Response<Body> {
    signed_from(router, ("x-none", ""), body).await
}

async fn signed_from(
    router: &Router,
    (name, value): (&str, &str),
    body: serde_json::Value,
) -> Response<Body> {
    let request = Request::post("/app/session").header(header::HOST, "localhost:1");
    let request = request.header(name, value);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap()
}

async fn json_of(answer: Response<Body>) -> serde_json::Value {
    let bytes = axum::body::to_bytes(answer.into_body(), 100_000).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[tokio::test]
async fn only_who_signs_for_this_host_sees_its_requests() {
    let router = web();
    let key = sahara_client::SigningKey::random();
    let nonce = async || {
        let request = Request::post("/app/session/nonce").body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        json_of(answer).await["nonce"].as_str().unwrap().to_owned()
    };
    let body_of = |scheme: &str, host: &str, nonce: &str| {
        let account = key.address();
        let text = format!(
            "{host} wants you to sign in with your Ethereum account:\n{account}\n\n\
             See what this account asked here and paid. It costs nothing and sends nothing.\n\n\
             URI: {scheme}://{host}\nVersion: 1\nChain ID: 724272\nNonce: {nonce}\nIssued At: now"
        );
        let signature = key.sign_message(text);
        serde_json::json!({
            "account": account, "nonce": nonce, "issued_at": "now", "signature": signature,
        })
    };
    let body = |host: &str, nonce: &str| body_of("http", host, nonce);
    assert_eq!(ask(get("/app/requests")).await.status(), StatusCode::UNAUTHORIZED);
    // What another host was given opens nothing here, and a nonce is good once.
    let first = nonce().await;
    let foreign = signed(&router, body("evil.example", &first)).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let again = signed(&router, body("localhost:1", &first)).await;
    assert_eq!(json_of(again).await["error"]["code"], "nonce_expired");
    let opened = signed(&router, body("localhost:1", &nonce().await)).await;
    assert_eq!(opened.status(), StatusCode::OK);
    let cookie = opened.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    // Behind TLS the text says so, and the cookie goes nowhere else.
    for from in [("origin", "https://localhost:1"), ("x-forwarded-proto", "https")] {
        let plain = signed_from(&router, from, body("localhost:1", &nonce().await)).await;
        assert_eq!(plain.status(), StatusCode::FORBIDDEN, "{from:?}");
        let secure = body_of("https", "localhost:1", &nonce().await);
        let secure = signed_from(&router, from, secure).await;
        assert_eq!(secure.status(), StatusCode::OK, "{from:?}");
        assert!(secure.headers()[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let requests = |cookie: &str| {
        Request::get("/app/requests").header(header::COOKIE, cookie).body(Body::empty()).unwrap()
    };
    let seen = router.clone().oneshot(requests(&cookie)).await.unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
    let other = router.clone().oneshot(requests("sahara_session=00")).await.unwrap();
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_signs_in_under_a_name_that_is_not_this_gateways() {
    let key = sahara_client::SigningKey::random();
    for (host, expected) in [
        ("localhost:1", StatusCode::OK),
        // Another page's text, with the name of that page.
        ("evil.example", StatusCode::FORBIDDEN),
        ("localhost:2", StatusCode::FORBIDDEN),
        ("localhost:1.evil.example", StatusCode::FORBIDDEN),
    ] {
        let router = web();
        let request = Request::post("/app/session/nonce").body(Body::empty()).unwrap();
        let nonce = json_of(router.clone().oneshot(request).await.unwrap()).await;
        let (nonce, account) = (nonce["nonce"].as_str().unwrap(), key.address());
        let text = format!(
            "{host} wants you to sign in with your Ethereum account:\n{account}\n\n\
             See what this account asked here and paid. It costs nothing and sends nothing.\n\n\
             URI: http://{host}\nVersion: 1\nChain ID: 724272\nNonce: {nonce}\nIssued At: now"
        );
        let body = serde_json::json!({
            "account": account, "nonce": nonce, "issued_at": "now",
            "signature": key.sign_message(text),
        });
        let request = Request::post("/app/session").header(header::HOST, host);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), expected, "{host}");
    }
}

#[tokio::test]
async fn an_address_asks_for_so_many_nonces_and_no_more() {
    let router = web();
    let nonce = || {
        let request = Request::post("/app/session/nonce").body(Body::empty()).unwrap();
        router.clone().oneshot(request)
    };
    for _ in 0..20 {
        assert_eq!(nonce().await.unwrap().status(), StatusCode::OK);
    }
    let refused = nonce().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    // The pages are there as before.
    assert_eq!(router.oneshot(get("/chat")).await.unwrap().status(), StatusCode::OK);
}
