//! Garbage on every port, foreign hosts, oversized and malformed requests: a clear refusal each,
//! and the network goes on.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Signature, TxKind, U256, hex};
use eyre::{ContextCompat, Result, WrapErr, ensure};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_scenarios::{Network, Options, twin};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The longest a port may take over nonsense: far more than the patience of each of them, and less than for
/// ever.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a port makes of raw bytes: all it says until it closes.
///
/// The connection stays open on this side: a port that neither answers nor closes is an error.
async fn raw(port: u16, bytes: &[u8]) -> Result<String> {
    let mut stream = match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(error.into());
        }
        // It listens, and hung up before this side knew that it was connected.
        Err(_) => return Ok(String::new()),
    };
    // The other side may hang up before everything is sent: that is an answer too.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    // A reset is a close: what was sent is not all read.
    drop(read.wrap_err_with(|| {
        format!("port {port} keeps a connection open that sent nonsense; it said {text:?}")
    })?);
    Ok(text)
}

fn port(network: &Network, name: &str) -> Result<u16> {
    let port = network.ready.pointer(&format!("/ports/{name}")).and_then(Value::as_u64);
    Ok(u16::try_from(port.wrap_err_with(|| format!("no port {name}"))?)?)
}

/// Every port that speaks HTTP, with a path that answers.
const HTTP: [(&str, &str); 4] =
    [("rpc", "/"), ("gateway", "/v1/models"), ("metrics", "/metrics"), ("worker", "/models")];

#[tokio::test(flavor = "multi_thread")]
async fn garbage_on_every_port_is_refused_and_the_network_goes_on() -> Result<()> {
    let network = Network::start(Options::default())?;
    garbage(&network).await?;
    oversized(&network).await?;
    json_rpc(&network).await?;
    transactions(&network).await?;
    gateway(&network).await?;
    foreign_hosts(&network).await?;
    slow_clients(&network).await?;

    let height = network.rpc(0)?.height().await?;
    let rpc = network.rpc(0)?;
    network
        .until("blocks go on", async || (rpc.height().await.ok()? > height).then_some(()))
        .await?;
    for (name, path) in HTTP.into_iter().filter(|(name, _)| *name != "rpc") {
        let url = format!("http://127.0.0.1:{}{path}", port(&network, name)?);
        let answer = reqwest::get(&url).await?;
        ensure!(answer.status().is_success(), "{url} answers {} afterwards", answer.status());
    }
    let chat = network.sahara(&["chat", "--max-tokens", "3", "Hello!"])?;
    ensure!(chat.pointer("/usage/receipt").is_some(), "{chat}");
    Ok(())
}

/// Bytes that are no HTTP get 400 and a closed connection; validators' ports just close.
async fn garbage(network: &Network) -> Result<()> {
    let binary: Vec<u8> = (0..=255).collect();
    let flood: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    for (name, _) in HTTP {
        let port = port(network, name)?;
        for bytes in [
            binary.as_slice(),
            b"\0\0\0\0",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost\0: localhost\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: minus one\r\n\r\n",
            b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        ] {
            let answer = raw(port, bytes).await?;
            let shown = String::from_utf8_lossy(bytes);
            ensure!(answer.starts_with("HTTP/1.1 400"), "{name}, {shown:?}: {answer:?}");
        }
        // So much that the refusal may be lost in the reset: it closes, which `raw` asserts.
        let answer = raw(port, &flood).await?;
        ensure!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{name}: {answer:?}");
        let long = format!("GET /{} HTTP/1.1\r\n", "x".repeat(1 << 20));
        let answer = raw(port, long.as_bytes()).await?;
        let is_refused = ["", "HTTP/1.1 414", "HTTP/1.1 431", "HTTP/1.1 400"];
        ensure!(is_refused.iter().any(|start| answer.starts_with(start)), "{name}: {answer:?}");
        ensure!(!answer.starts_with("HTTP/1.1 200"), "{name}: {answer:?}");
    }
    let peers = port(network, "peers")?;
    for bytes in
        [binary.as_slice(), b"\0\0\0\0", &flood, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"]
    {
        let answer = raw(peers, bytes).await?;
        ensure!(!answer.contains("HTTP"), "validators speak no HTTP: {answer:?}");
    }
    Ok(())
}

/// A body that is announced or sent too large is refused. JSON-RPC refuses it once it has come: it
/// does not look at what is announced.
async fn oversized(network: &Network) -> Result<()> {
    let announced = |path: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 99999999999\r\nConnection: close\r\n\r\n{{"
        )
    };
    for (name, path, expected) in [
        ("gateway", "/v1/chat/completions", "HTTP/1.1 413"),
        ("worker", "/jobs", "HTTP/1.1 413"),
        ("metrics", "/metrics", "HTTP/1.1 413"),
    ] {
        let answer = raw(port(network, name)?, announced(path).as_bytes()).await?;
        ensure!(answer.starts_with(expected), "{name}, announced: {answer:?}");
    }
    let http = reqwest::Client::new();
    for (name, path, most) in
        [("rpc", "/", 5 << 20), ("gateway", "/v1/keys", 4 << 20), ("worker", "/jobs", 4 << 20)]
    {
        let url = format!("http://127.0.0.1:{}{path}", port(network, name)?);
        let body = vec![b' '; most + 1];
        let request = http.post(&url).header("content-type", "application/json").body(body);
        // A server that stops reading may reset before its answer is read.
        if let Ok(answer) = request.send().await {
            let status = answer.status().as_u16();
            ensure!((400..500).contains(&status), "{url} answers {status} to {most} bytes and one");
        }
    }
    Ok(())
}

/// Transactions that must not get in, each refused in the words that tools look for.
async fn transactions(network: &Network) -> Result<()> {
    let rpc = network.rpc(0)?;
    let key = SigningKey::from_mnemonic(TEST_MNEMONIC, 7)?;
    let client = ChainClient::new(&rpc.url)?;
    let plain = TxEip1559 {
        chain_id: client.chain_id().await?,
        nonce: client.pending_nonce(key.address()).await?,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(key.address()),
        ..TxEip1559::default()
    };
    let send = async |transaction: TxEip1559, twist: bool| -> Result<Value> {
        let hash = transaction.signature_hash();
        let mut bytes = key.sign_hash(hash);
        if twist {
            bytes = twin(bytes);
        }
        let signature = Signature::try_from(bytes.as_slice())?;
        let signed = transaction.into_signed(signature);
        let raw = hex::encode_prefixed(signed.encoded_2718());
        let request =
            json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]});
        Ok(reqwest::Client::new().post(&rpc.url).json(&request).send().await?.json().await?)
    };
    let other_chain = TxEip1559 { chain_id: 1, ..plain.clone() };
    let no_gas = TxEip1559 { gas_limit: 20_999, ..plain.clone() };
    let all_coin = U256::from(10).pow(U256::from(29));
    let too_much = TxEip1559 { value: all_coin, ..plain.clone() };
    for (transaction, twist, expected) in [
        (other_chain, false, "invalid chain id"),
        (no_gas, false, "intrinsic gas too low"),
        (too_much, false, "insufficient funds for gas * price + value"),
        (plain.clone(), true, "signature"),
    ] {
        let answer = send(transaction, twist).await?;
        let message = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        ensure!(message.contains(expected), "expected {expected:?}: {answer}");
    }
    let hash = send(plain.clone(), false).await?;
    ensure!(hash.get("result").is_some(), "the honest one gets in: {hash}");
    let replayed = send(plain, false).await?;
    let message = replayed.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    ensure!(message.contains("already known") || message.contains("nonce too low"), "{replayed}");
    Ok(())
}

/// A client that sends its head or its body byte by byte loses its place; others do not notice. To a
/// validators' port the same bytes are the beginning of a handshake that never ends.
async fn slow_clients(network: &Network) -> Result<()> {
    let mut slow = tokio::task::JoinSet::new();
    let bodies = [("rpc", "/"), ("gateway", "/v1/chat/completions"), ("worker", "/jobs")];
    let bodies = bodies.map(|(name, path)| {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 100000\r\n\r\n{{"
        );
        (name, "body", head)
    });
    let heads = HTTP.map(|(name, _)| name).into_iter().chain(["peers"]);
    let heads = heads
        .map(|name| (name, "head", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".to_owned()));
    for (name, part, begun) in heads.chain(bodies) {
        let port = port(network, name)?;
        slow.spawn(async move { (name, part, drip(port, &begun).await) });
    }
    let chat = network.sahara(&["chat", "--max-tokens", "2", "Hello!"])?;
    ensure!(chat.pointer("/usage/receipt").is_some(), "{chat}");
    while let Some(ended) = slow.join_next().await {
        let (name, part, closed) = ended?;
        closed.wrap_err_with(|| format!("{name} waits for ever for a {part} that drips"))?;
    }
    Ok(())
}

/// Sends a request one byte a second until the other side closes; its head at once, if that has an end.
async fn drip(port: u16, begun: &str) -> Result<()> {
    let mut stream = match TcpStream::connect(("127.0.0.1", port)).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            return Err(error.into());
        }
        // It hung up before this side knew that it was connected.
        Err(_) => return Ok(()),
    };
    let (whole, rest) = begun.split_at(begun.rfind("\r\n\r\n").map_or(0, |end| end + 4));
    drop(stream.write_all(whole.as_bytes()).await);
    let mut rest = rest.bytes().chain(std::iter::repeat(b'x'));
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let dripping = async {
        let mut byte = [0];
        loop {
            tokio::select! {
                read = stream.read(&mut byte) => {
                    if matches!(read, Ok(0) | Err(_)) {
                        return;
                    }
                }
                _ = tick.tick() => {}
            }
            if let Some(next) = rest.next()
                && stream.write_all(&[next]).await.is_err()
            {
                return;
            }
        }
    };
    Ok(tokio::time::timeout(PATIENCE, dripping).await?)
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
    for path in ["/v1/receipts/rcpt_zz", "/v1/models/nothing", "/v1/nothing"] {
        let answer = http.get(format!("{base}{path}")).send().await?;
        ensure!(answer.status().as_u16() == 404, "{path}: {}", answer.status());
    }
    Ok(())
}

/// A page elsewhere that makes a browser resolve its name to this machine gets nothing.
async fn foreign_hosts(network: &Network) -> Result<()> {
    let http = reqwest::Client::new();
    for (name, path) in HTTP {
        let url = format!("http://127.0.0.1:{}{path}", port(network, name)?);
        for host in
            ["evil.example", "evil.example:8545", "127.0.0.1.nip.io", "localhost.evil.example"]
        {
            let ask = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []});
            let request = match name {
                "rpc" => http.post(&url).json(&ask),
                _ => http.get(&url),
            };
            let answer = request.header("host", host).send().await?;
            let status = answer.status().as_u16();
            ensure!(status == 403, "{url} answered a page of {host} with {status}");
            let words = answer.text().await?;
            ensure!(!words.trim().is_empty() && !words.contains("0xb0d30"), "{url}: {words:?}");
        }
    }
    Ok(())
}
