//! Whom the server answers, and what it survives.

use crate::support::TestNode;
use jsonrpsee::rpc_params;
use sahara_chain::sync::Progress;
use sahara_rpc::Fetching;
use serde_json::{Value, json};
use std::{future::IntoFuture as _, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

/// Sends a request as it stands and returns the whole answer.
async fn raw(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    // A server that hangs up in anger is an answer too.
    drop(stream.write_all(request).await);
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

/// The body of the answer to a request.
pub(crate) async fn ask(address: SocketAddr, body: &str) -> String {
    let answer = post(address, "localhost:1", body).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("chunked"), "{head}");
    body.to_owned()
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
        settings.head_patience = Duration::from_millis(500);
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

/// Nothing of the server answers yet: these routes stand in its place, without its limits.
#[tokio::test]
async fn a_node_that_fetches_the_state_answers_nonsense_with_an_error_and_goes_on() {
    let (_fetches, progress) = watch::channel(Progress::default());
    let fetching = Fetching { chain_id: 724_272, version: "sahara/test", progress };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(tokio::spawn(axum::serve(listener, fetching.rpc()).into_future()));
    for garbage in [b"\x00\xff\x13\x37\r\n\r\n".as_slice(), b"POST / HTTP/9.9\r\n\r\n"] {
        let answer = raw(address, garbage).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    let asked = async |body: &str| {
        let answer = ask(address, body).await;
        serde_json::from_str::<Value>(&answer).unwrap_or_else(|_| panic!("{body:?}: {answer}"))
    };
    let deep = "[".repeat(100_000);
    let no_method = r#"{"jsonrpc":"2.0","id":1}"#;
    for nonsense in ["", "{nonsense", "7", "null", "\"text\"", "{}", no_method, &deep] {
        assert_eq!(asked(nonsense).await["error"]["code"], -32_700, "{nonsense:.40}");
    }
    let batch = |count: usize| format!("[{}]", vec![chain_id(); count].join(","));
    for wrong in [batch(0), batch(1_001)] {
        let answer = asked(&wrong).await;
        assert_eq!(answer["error"]["code"], -32_000, "{answer}");
    }
    let mixed = asked(&format!("[7,{}]", chain_id())).await;
    assert_eq!(
        (&mixed[0]["error"]["code"], &mixed[1]["result"]),
        (&json!(-32_700), &json!("0xb0d30"))
    );
    let early = asked(r#"{"jsonrpc":"2.0","id":5,"method":"eth_blockNumber","params":[]}"#).await;
    assert_eq!((&early["id"], &early["error"]["code"]), (&json!(5), &json!(-32_000)));
    // One byte more than it takes, so that all of them are read before it answers.
    let long = post(address, "localhost:1", &" ".repeat((2 << 20) + 1)).await;
    assert!(long.starts_with("HTTP/1.1 413"), "{long}");
    assert_eq!(asked(&chain_id()).await["result"], "0xb0d30");
}

#[tokio::test]
async fn who_only_holds_a_place_loses_it() {
    let node = TestNode::start_with(|settings| {
        settings.head_patience = Duration::from_millis(200);
        settings.body_patience = Duration::from_millis(200);
        settings.max_connections = 3;
    })
    .await;
    let address = node.server.address();
    let head = "POST / HTTP/1.1\r\nHost: localhost:1\r\nContent-Type: application/json\r\n";
    // A head that never ends, and a body that never comes.
    for begun in [head.to_owned(), format!("{head}Content-Length: 100\r\n\r\n{{")] {
        let answer = raw(address, begun.as_bytes()).await;
        assert!(!answer.contains("result"), "{answer}");
    }
    // Silence after a good request.
    let body = chain_id();
    let whole = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let answer = raw(address, whole.as_bytes()).await;
    assert!(answer.contains("0xb0d30"), "{answer}");
    // Nor does it help to drip: the body as a whole has its time.
    let mut stream = TcpStream::connect(address).await.unwrap();
    let begun = format!("{head}Content-Length: 100000\r\n\r\n{{");
    stream.write_all(begun.as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let (mut reader, mut writer) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let length = reader.read(&mut answer).await.unwrap_or_default();
    assert!(!String::from_utf8_lossy(&answer[..length]).contains("result"));
    dripping.abort();
    // All places taken: one more is closed at once, and when they are free it goes on.
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(address).await.unwrap());
    }
    let mut refused = TcpStream::connect(address).await.unwrap();
    assert_eq!(refused.read(&mut answer).await.unwrap_or_default(), 0);
    for mut one in held {
        assert_eq!(one.read(&mut answer).await.unwrap_or_default(), 0, "silence ends");
    }
    assert!(post(address, "localhost:1", &chain_id()).await.contains("0xb0d30"));
}

#[tokio::test]
async fn deep_nesting_costs_nothing() {
    let node = TestNode::start().await;
    let address = node.server.address();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [200, 100_000] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let body = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[{nested}]}}"
            );
            let answer = post(address, "localhost:1", &body).await;
            assert!(answer.contains("\"error\""), "{answer}");
        }
    }
    assert_eq!(node.ask("eth_chainId", rpc_params![]).await, "0xb0d30");
}

#[tokio::test]
async fn searches_have_their_limits() {
    let node = TestNode::start().await;
    let topics: Vec<Value> = vec![json!(format!("{:#x}", alloy_primitives::B256::ZERO)); 5];
    let refused = node.refusal("eth_getLogs", (json!({ "topics": topics }),)).await;
    assert_eq!(refused.code(), -32_602, "five topics");
    let many: Vec<_> = (0..1_025_u64)
        .map(|number| {
            alloy_primitives::Address::from(alloy_primitives::FixedBytes::left_padding_from(
                &number.to_be_bytes(),
            ))
        })
        .collect();
    for method in ["eth_getLogs", "eth_newFilter"] {
        let refused = node.refusal(method, (json!({ "address": many }),)).await;
        assert_eq!(refused.code(), -32_005, "{method}: each is looked for in each block");
    }
    let few = json!({ "address": &many[1..] });
    assert_eq!(node.ask("eth_getLogs", (few,)).await, json!([]));
    let slots = vec![json!("0x1"); 1_025];
    let account = alloy_primitives::Address::ZERO;
    let refused = node.refusal("eth_getProof", (account, slots, "latest")).await;
    assert_eq!(refused.code(), -32_005);
    let calls = vec![json!({}); 5_001];
    let payload = json!({ "blockStateCalls": [{ "calls": calls }] });
    let refused = node.refusal("eth_simulateV1", (payload, "latest")).await;
    assert_eq!(refused.code(), -32_005);
    let far = json!({ "blockStateCalls": [{ "blockOverrides": { "number": "0xffff" } }] });
    let refused = node.refusal("eth_simulateV1", (far, "latest")).await;
    assert_eq!(refused.code(), -38_026);
}

/// A WebSocket, before anything was said.
async fn web_socket(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET / HTTP/1.1\r\nHost: localhost:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// One message as a client sends it, under a mask of zeros.
fn message(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81];
    match u8::try_from(length) {
        Ok(short @ ..126) => frame.push(0x80 | short),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

/// The next message of the server.
async fn heard(stream: &mut TcpStream) -> Value {
    loop {
        let kind = stream.read_u8().await.unwrap() & 0x0f;
        let length = match stream.read_u8().await.unwrap() {
            126 => u64::from(stream.read_u16().await.unwrap()),
            127 => stream.read_u64().await.unwrap(),
            short => short.into(),
        };
        let mut text = vec![0; length.try_into().unwrap()];
        stream.read_exact(&mut text).await.unwrap();
        if kind == 1 {
            return serde_json::from_slice(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn web_sockets_hold_their_places() {
    let node = TestNode::start_with(|settings| settings.max_connections = 3).await;
    let address = node.server.address();
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(web_socket(address).await);
    }
    let mut refused = TcpStream::connect(address).await.unwrap();
    let closed = timeout(Duration::from_secs(10), refused.read(&mut [0; 8])).await;
    assert_eq!(closed.expect("closed at once").unwrap_or_default(), 0);
    let first = open.first_mut().unwrap();
    first.write_all(&message(&chain_id())).await.unwrap();
    assert_eq!(heard(first).await["result"], "0xb0d30");
    drop(open);
    let again = async {
        while !post(address, "localhost:1", &chain_id()).await.contains("0xb0d30") {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), again).await.expect("places are free again");
}

/// A frame that begins with this byte and announces so many bytes, under a mask of zeros.
fn frame(first: u8, announced: u64, payload: &[u8]) -> Vec<u8> {
    [&[first, 0x80 | 127][..], &announced.to_be_bytes(), &[0; 4], payload].concat()
}

#[tokio::test]
async fn a_web_socket_with_malformed_or_oversized_frames_is_closed_and_the_others_go_on() {
    let node = TestNode::start_with(|settings| settings.max_request_bytes = 10_000).await;
    let address = node.server.address();
    let mut good = web_socket(address).await;
    // More than any of the frames announces: what comes after a frame that is too long is none.
    let long = vec![b' '; 40_000];
    let bad = [
        ("a reserved bit", frame(0xc1, 0, b"")),
        ("an unknown kind", frame(0x83, 0, b"")),
        ("a part of nothing", frame(0x80, 0, b"")),
        ("a ping in parts", frame(0x09, 0, b"")),
        ("a long ping", frame(0x89, 126, &[0; 126])),
        ("a message within another", [frame(0x01, 0, b""), frame(0x81, 0, b"")].concat()),
        ("more than memory holds", frame(0x81, 1 << 40, b"")),
        ("too long a message", frame(0x81, 20_000, &long)),
        (
            "too long a message in parts",
            [frame(0x01, 6_000, &long[..6_000]), frame(0x80, 6_000, &long)].concat(),
        ),
    ];
    for (name, bytes) in bad {
        let mut stream = web_socket(address).await;
        // It may be closed before everything is sent.
        drop(stream.write_all(&bytes).await);
        let mut said = Vec::new();
        let closed = timeout(Duration::from_secs(20), stream.read_to_end(&mut said)).await;
        assert!(closed.is_ok(), "{name}: the connection stays open");
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("result"), "{name}: {said}");
    }
    // Good frames without a request are answered, and cost nobody the connection.
    for nonsense in [message("{nonsense"), message(""), frame(0x81, 3, b"\xff\xfe\x00")] {
        good.write_all(&nonsense).await.unwrap();
        assert_eq!(heard(&mut good).await["error"]["code"], -32_700);
    }
    good.write_all(&message(&chain_id())).await.unwrap();
    assert_eq!(heard(&mut good).await["result"], "0xb0d30");
}

#[tokio::test]
async fn a_web_socket_answers_as_a_post_does() {
    let node = TestNode::start_with(|settings| settings.max_batch = 3).await;
    let address = node.server.address();
    let mut socket = web_socket(address).await;
    let (good, bad) = (chain_id(), r#"{"jsonrpc":"2.0","id":8,"params":[]}"#);
    let notice = r#"{"jsonrpc":"2.0","method":"eth_chainId"}"#;
    let requests = [
        good.clone(),
        format!("{}{good}", " \n".repeat(50)),
        r#"{"jsonrpc":"2.0","id":"text","method":"eth_weather","params":[]}"#.into(),
        r#"{"jsonrpc":"2.0","id":null,"method":"eth_getBalance","params":["0x12"]}"#.into(),
        bad.into(),
        r#"{"id":9}"#.into(),
        "{nonsense".into(),
        "7".into(),
        "[]".into(),
        "[7".into(),
        "[7]".into(),
        format!("[{good},{notice},{bad}]"),
        format!("[{good},{good},{good},{good}]"),
    ];
    for request in requests {
        let posted: Value = serde_json::from_str(&ask(address, &request).await).unwrap();
        socket.write_all(&message(&request)).await.unwrap();
        assert_eq!(heard(&mut socket).await, posted, "{request}");
    }
    // What wants no answer gets none.
    for quiet in [notice.to_owned(), format!("[{notice}]")] {
        socket.write_all(&message(&quiet)).await.unwrap();
    }
    socket.write_all(&message(&good)).await.unwrap();
    assert_eq!(heard(&mut socket).await["result"], "0xb0d30");
}

#[tokio::test]
async fn a_web_socket_has_its_own_limits() {
    let node = TestNode::start_with(|settings| {
        settings.max_request_bytes = 10_000;
        settings.max_subscriptions = 1;
    })
    .await;
    let mut socket = web_socket(node.server.address()).await;
    let mut answer = async |text: &str| {
        socket.write_all(&message(text)).await.unwrap();
        heard(&mut socket).await
    };
    let call = |method: &str, params: Value| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
    };
    // What is too long is left out, and what comes after it is answered.
    let long = answer(&" ".repeat(10_001)).await;
    assert_eq!((&long["id"], &long["error"]["code"]), (&Value::Null, &json!(-32_007)));
    let subscribe = call("eth_subscribe", json!(["newHeads"]));
    let id = answer(&subscribe).await["result"].clone();
    assert!(id.as_str().is_some_and(|id| id.len() == 2 + 32), "{id}");
    assert_eq!(answer(&subscribe).await["error"]["code"], -32_006);
    assert_eq!(answer(&call("eth_unsubscribe", json!([&id]))).await["result"], true);
    assert_eq!(answer(&call("eth_unsubscribe", json!([&id]))).await["result"], false);
}

#[tokio::test]
async fn answers_that_nobody_reads_do_not_pile_up() {
    let node = TestNode::start_with(|settings| settings.max_unread_bytes = 3 << 20).await;
    let address = node.server.address();
    // Code that returns a mebibyte: two of text.
    let account = "0x00000000000000000000000000000000000c0de5";
    let large = json!([{ "to": account }, "latest", { account: { "code": "0x621000005ff3" } }]);
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": large });
    assert!(!is_refused(address, &request).await);
    let mut socket = web_socket(address).await;
    let mut asked = 0;
    let until_refused = async {
        loop {
            socket.write_all(&message(&request.to_string())).await.unwrap();
            asked += 1;
            // Soon there is no room for another large answer.
            if is_refused(address, &request).await {
                break;
            }
        }
    };
    timeout(Duration::from_secs(60), until_refused).await.expect("what is unread is bounded");
    // Little ones are given all the same.
    assert_eq!(node.ask("eth_chainId", rpc_params![]).await, "0xb0d30");
    for number in 0..asked {
        let answer = heard(&mut socket).await;
        let is_whole = answer["result"].as_str().is_some_and(|text| text.len() == 2 + (2 << 20));
        let has_no_room = answer["error"]["code"] == -32_005;
        assert!(is_whole || has_no_room, "{number}: {}", answer["error"]);
    }
    // What is read makes room again.
    assert!(!is_refused(address, &request).await);
}

/// Whether a request is refused for what is unread.
async fn is_refused(address: SocketAddr, request: &Value) -> bool {
    let answer: Value = serde_json::from_str(&ask(address, &request.to_string()).await).unwrap();
    let code = answer["error"]["code"].as_i64();
    assert!(code.is_none_or(|code| code == -32_005), "{answer}");
    code.is_some()
}
