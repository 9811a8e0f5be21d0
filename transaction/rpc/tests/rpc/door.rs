//! Whom the server answers, and what it survives.

use crate::support::TestNode;
use jsonrpsee::rpc_params;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends a request as it stands and returns the whole answer.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // A server that hangs up in anger is an answer too.
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

async fn post(address: SocketAddr, host: &str, body: &str) -> String {
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nOrigin: https://wallet.example\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    raw(address, request.as_bytes()).await
}

fn chain_id() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": [] }).to_string()
}

#[tokio::test]
async fn only_known_hosts_are_answered() {
    let node =
        TestNode::start_with(|settings| settings.hosts = vec!["node.example:*".into()]).await;
    let address = node.server.address();
    let port = address.port();
    for host in ["localhost", "127.0.0.1", "[::1]", "node.example"] {
        let answer = post(address, &format!("{host}:{port}"), &chain_id()).await;
        assert!(answer.contains("0xb0d30"), "{host}: {answer}");
    }
    for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"] {
        let answer = post(address, &format!("{host}:{port}"), &chain_id()).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{host}: {answer}");
        assert!(!answer.contains("0xb0d30"));
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let node = TestNode::start().await;
    let answer = post(node.server.address(), "localhost:8545", &chain_id()).await;
    assert!(answer.contains("access-control-allow-origin: *"), "{answer}");
    let preflight = "OPTIONS / HTTP/1.1\r\nHost: localhost:8545\r\nOrigin: https://wallet.example\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\nConnection: close\r\n\r\n";
    let answer = raw(node.server.address(), preflight.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access-control-allow-headers"), "{answer}");
}

#[tokio::test]
async fn nonsense_gets_an_error_and_the_server_goes_on() {
    let node = TestNode::start_with(|settings| {
        settings.max_request_bytes = 10_000;
        settings.max_batch = 3;
    })
    .await;
    let address = node.server.address();
    for garbage in [b"\x00\xff\x13\x37".as_slice(), b"GET / HTTP/9.9\r\n\r\n", b"\r\n\r\n\r\n"] {
        let answer = raw(address, garbage).await;
        assert!(!answer.contains("result"), "{answer}");
    }
    let error = |text: &str| {
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
        let value: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{text}"));
        value["error"]["code"].as_i64().unwrap()
    };
    assert_eq!(error(&post(address, "localhost:1", "{nonsense").await), -32_700);
    assert_eq!(error(&post(address, "localhost:1", "[]").await), -32_600);
    let batch = format!("[{}]", vec![chain_id(); 4].join(","));
    assert_eq!(error(&post(address, "localhost:1", &batch).await), -32_010);
    let long = format!("{}{}", chain_id(), " ".repeat(10_000));
    let answer = post(address, "localhost:1", &long).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    for params in [json!([{}]), json!(["0x12"]), json!([null, 7]), json!({ "a": 1 })] {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBalance", "params": params });
        let answer = post(address, "localhost:1", &body.to_string()).await;
        assert_eq!(error(&answer), -32_602, "{answer}");
    }
    assert_eq!(node.ask("eth_chainId", rpc_params![]).await, "0xb0d30");
}
