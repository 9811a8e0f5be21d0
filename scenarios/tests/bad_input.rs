//! Garbage on every port, foreign hosts, oversized and malformed requests: a clear refusal each,
//! and the network goes on.

use eyre::{ContextCompat, Result, ensure};
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends raw bytes and returns what comes back before the other side closes or falls silent.
async fn raw(port: u64, bytes: &[u8]) -> Result<String> {
    let port = u16::try_from(port)?;
    let mut stream = match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(error.into());
        }
        // It listens, and hung up at once.
        Err(_) => return Ok(String::new()),
    };
    // The other side may hang up before everything is sent: that is an answer too.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    drop(tokio::time::timeout(std::time::Duration::from_secs(3), read).await);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn port(network: &Network, name: &str) -> Result<u64> {
    let port = network.ready.pointer(&format!("/ports/{name}")).and_then(Value::as_u64);
    port.wrap_err_with(|| format!("no port {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_every_port_is_refused_and_the_network_goes_on() -> Result<()> {
    let network = Network::start(Options::default())?;
    let mut garbage: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    garbage.extend(b"\r\n\r\n");
    for name in ["rpc", "gateway", "metrics", "worker", "peers"] {
        for bytes in [
            garbage.as_slice(),
            b"\0\0\0\0",
            b"GET / HTTP/9.9\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            raw(port(&network, name)?, bytes).await?;
        }
    }
    json_rpc(&network).await?;
    gateway(&network).await?;
    foreign_hosts(&network).await?;

    let height = network.rpc(0)?.height().await?;
    let rpc = network.rpc(0)?;
    network
        .until("blocks go on", async || (rpc.height().await.ok()? > height).then_some(()))
        .await?;
    let chat = network.sahara(&["chat", "--max-tokens", "3", "Hello!"])?;
    ensure!(chat.pointer("/usage/receipt").is_some(), "{chat}");
    Ok(())
}

async fn json_rpc(network: &Network) -> Result<()> {
    let (url, http) = (network.text("/rpc")?, reqwest::Client::new());
    for body in ["", "{", "[]", "null", "{\"jsonrpc\":\"2.0\",\"id\":1}", "{\"method\":7}"] {
        let answer =
            http.post(&url).header("content-type", "application/json").body(body).send().await?;
        let answer = answer.text().await?;
        ensure!(answer.contains("error"), "{body:?} was answered with {answer:?}");
    }
    for (method, params, expected) in [
        ("eth_sendRawTransaction", json!(["0x02c0"]), "error"),
        ("eth_sendRawTransaction", json!(["zz"]), "error"),
        ("eth_getBalance", json!(["0x12", "latest"]), "error"),
        ("eth_getBlockByNumber", json!(["0xffffffffffffffffffff", false]), "error"),
        (
            "eth_call",
            json!([{"to": "0x5341484152410000000000000000000000000004", "data": "0xdeadbeef"}, "latest"]),
            "error",
        ),
        ("sahara_unknown", json!([]), "error"),
    ] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let answer: Value = http.post(&url).json(&request).send().await?.json().await?;
        let message = answer.pointer("/error/message").and_then(Value::as_str);
        ensure!(
            answer.get(expected).is_some() && message.is_some_and(|m| !m.is_empty()),
            "{method}: {answer}"
        );
    }
    let huge = "x".repeat(6 << 20);
    let answer = http.post(&url).header("content-type", "application/json").body(huge).send().await;
    ensure!(answer.map_or(true, |answer| !answer.status().is_success()), "6 MiB were accepted");
    Ok(())
}

async fn gateway(network: &Network) -> Result<()> {
    let (base, key, http) = (network.gateway()?, network.text("/api_key")?, reqwest::Client::new());
    let url = format!("{base}/v1/chat/completions");
    let hello = json!([{"role": "user", "content": "hello"}]);
    for (body, status) in [
        (String::from("{"), 400),
        (String::from("[]"), 400),
        (json!({"model": "trail-guide"}).to_string(), 400),
        (json!({"model": "trail-guide", "messages": "hello"}).to_string(), 400),
        (json!({"model": "trail-guide", "messages": hello, "max_tokens": "many"}).to_string(), 400),
        (json!({"model": "trail-guide", "messages": hello, "temperature": -1}).to_string(), 400),
        (json!({"model": "nothing", "messages": hello}).to_string(), 404),
    ] {
        let request = http.post(&url).bearer_auth(&key).header("content-type", "application/json");
        let answer = request.body(body.clone()).send().await?;
        let short: String = body.chars().take(80).collect();
        ensure!(
            answer.status().as_u16() == status,
            "{short:?}: {}, expected {status}",
            answer.status()
        );
        let answer: Value = answer.json().await?;
        let message = answer.pointer("/error/message").and_then(Value::as_str);
        ensure!(message.is_some_and(|message| !message.is_empty()), "{short:?}: {answer}");
    }
    // Refused by its announced length, before the body is read.
    let oversized = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{{",
        5 << 20
    );
    let answer = raw(port(network, "gateway")?, oversized.as_bytes()).await?;
    ensure!(answer.starts_with("HTTP/1.1 413"), "5 MiB were answered with {answer:?}");
    for path in ["/v1/receipts/rcpt_zz", "/v1/models/nothing", "/v1/nothing"] {
        let answer = http.get(format!("{base}{path}")).send().await?;
        ensure!(answer.status().as_u16() == 404, "{path}: {}", answer.status());
    }
    Ok(())
}

/// A page elsewhere that makes a browser resolve its name to this machine gets nothing.
async fn foreign_hosts(network: &Network) -> Result<()> {
    let http = reqwest::Client::new();
    for url in [network.text("/rpc")?, format!("{}/v1/models", network.gateway()?)] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []});
        let answer = http.post(&url).header("host", "evil.example").json(&request).send().await?;
        ensure!(
            answer.status().as_u16() == 403,
            "{url} answered a foreign host with {}",
            answer.status()
        );
    }
    Ok(())
}
