use super::{Dispatch, MADE, SILENCE, SLOT, SLOTS, Socket, Terms, Unread};
use crate::listen::{Limits, Sum, frames::tests::frame};
use jsonrpsee::{
    BoundedSubscriptions, ConnectionId, Extensions, MethodSink, Methods, RpcModule,
    server::{ServerHandle, stop_channel},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{
        AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex, split,
    },
    sync::{Semaphore, mpsc},
    task::{JoinHandle, yield_now},
    time::timeout,
};
use tower::Layer as _;

/// A WebSocket to these methods, and what ends when it has ended.
fn open(methods: impl Into<Methods>) -> (DuplexStream, JoinHandle<()>, ServerHandle) {
    let limits = Limits { unread: usize::MAX, answer: 1 << 20 };
    open_with(methods, Unread::new(&Sum::default(), None, limits), SILENCE)
}

/// As [`open`], of a client that leaves this unread and may be silent for so long.
fn open_with(
    methods: impl Into<Methods>,
    unread: Unread,
    silence: Duration,
) -> (DuplexStream, JoinHandle<()>, ServerHandle) {
    let (client, server) = duplex(4 << 10);
    let (sender, made) = mpsc::channel(MADE);
    let calls = Dispatch {
        methods: methods.into(),
        connection: ConnectionId(1),
        longest: 1 << 20,
        subscriptions: BoundedSubscriptions::new(1),
        sink: MethodSink::new(sender),
    };
    let (sink, service) = (calls.sink.clone(), unread.layer(calls));
    let terms = Terms { request: 5 << 20, answer: 1 << 20, batch: 3, subscriptions: 1 };
    let extensions = Extensions::new();
    let socket = Socket { service, sink, unread, extensions, terms, silence };
    let (stop, handle) = stop_channel();
    let serving = tokio::spawn(Arc::new(socket).run(server, made, stop));
    (client, serving, handle)
}

#[tokio::test]
async fn who_is_not_read_from_is_not_called_silent() {
    let silence = Duration::from_millis(20);
    let limits = Limits { unread: usize::MAX, answer: 1 << 20 };
    let unread = Unread::new(&Sum::default(), None, limits);
    assert!(unread.give(2 << 20));
    let (_client, mut serving, _handle) = open_with(RpcModule::new(()), unread.clone(), silence);
    assert!(timeout(10 * silence, &mut serving).await.is_err(), "it has much to read");
    unread.took(2 << 20);
    serving.await.unwrap();
}

/// The next short text of the server; none when it says that this was all.
async fn heard(stream: &mut (impl AsyncRead + Unpin)) -> Option<Value> {
    loop {
        let kind = stream.read_u8().await.unwrap() & 0x0f;
        let length = stream.read_u8().await.unwrap();
        assert!(length < 126);
        let mut payload = vec![0; usize::from(length)];
        stream.read_exact(&mut payload).await.unwrap();
        match kind {
            1 => return Some(serde_json::from_slice(&payload).unwrap()),
            8 => return None,
            _ => {}
        }
    }
}

/// Sends one frame again and again, and counts in how many fit.
fn flood(
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    frame: Vec<u8>,
    times: usize,
) -> (Arc<AtomicUsize>, JoinHandle<()>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let flooding = tokio::spawn(async move {
        for _ in 0..times {
            to.write_all(&frame).await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
        }
        // It stays open.
        std::future::pending::<()>().await;
    });
    (sent, flooding)
}

/// Everyone has as many turns: a flood that is heard takes about one for each 128 frames.
async fn turns() {
    for _ in 0..20_000 {
        yield_now().await;
    }
}

#[tokio::test]
async fn who_sends_garbage_and_does_not_read_is_not_heard() {
    const FRAMES: usize = 100_000;
    let (client, serving, _handle) = open(RpcModule::new(()));
    let (mut from, to) = split(client);
    let (sent, flooding) = flood(to, frame(0x81, b"x"), FRAMES);
    turns().await;
    let heard_of = sent.load(Ordering::Relaxed);
    // What has a slot or is made, and what the buffers of both hold, of seven bytes at least.
    let most = usize::from(SLOTS) + MADE + (16 << 10) / 7;
    assert!(heard_of < most, "{heard_of} of {FRAMES} frames, more than {most}");
    assert!(heard_of > usize::from(SLOTS), "{heard_of} frames: it is heard at first");
    // Who reads is answered, and heard again.
    for number in 0..2 * most {
        let answer = heard(&mut from).await.unwrap();
        assert_eq!(answer["error"]["code"], -32_700, "{number}");
    }
    assert!(sent.load(Ordering::Relaxed) >= 2 * most);
    flooding.abort();
    serving.abort();
}

#[tokio::test]
async fn who_pings_and_does_not_read_is_not_heard() {
    const FRAMES: usize = 100_000;
    let (client, serving, _handle) = open(RpcModule::new(()));
    let (mut from, to) = split(client);
    let (sent, flooding) = flood(to, frame(0x89, b"x"), FRAMES);
    turns().await;
    let heard_of = sent.load(Ordering::Relaxed);
    assert!(heard_of < 5_000, "{heard_of} of {FRAMES} pings");
    // Who reads is answered. The server's own ping may come before.
    let mut pong = [0; 3];
    from.read_exact(&mut pong[..2]).await.unwrap();
    if pong[..2] == *b"\x89\x00" {
        from.read_exact(&mut pong[..2]).await.unwrap();
    }
    from.read_exact(&mut pong[2..]).await.unwrap();
    assert_eq!(pong, *b"\x8a\x01x");
    flooding.abort();
    serving.abort();
}

#[tokio::test]
async fn a_pong_is_counted_until_it_is_read() {
    let limits = Limits { unread: usize::MAX, answer: 1 << 20 };
    let unread = Unread::new(&Sum::default(), None, limits);
    assert!(unread.give((1 << 20) - 3));
    let (mut client, serving, _handle) = open_with(RpcModule::new(()), unread.clone(), SILENCE);
    assert!(unread.held_until().is_none());
    client.write_all(&frame(0x89, b"x")).await.unwrap();
    let mut pong = [0; 3];
    client.read_exact(&mut pong[..2]).await.unwrap();
    if pong[..2] == *b"\x89\x00" {
        client.read_exact(&mut pong[..2]).await.unwrap();
    }
    client.read_exact(&mut pong[2..]).await.unwrap();
    assert_eq!(pong, *b"\x8a\x01x");
    assert!(unread.held_until().is_some(), "three bytes more");
    unread.took(1);
    assert!(unread.held_until().is_none(), "and no more");
    serving.abort();
}

#[tokio::test]
async fn calls_are_answered_side_by_side_until_their_slots_are_taken() {
    let gate = Arc::new(Semaphore::new(0));
    let mut module = RpcModule::from_arc(Arc::clone(&gate));
    module
        .register_async_method("wait", |_, gate, _| async move { gate.acquire().await.is_ok() })
        .unwrap();
    module.register_method("now", |_, _, _| 7_u64).unwrap();
    let call = |method: &str| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": [] }).to_string()
    };
    let (mut client, serving, _handle) = open(module);
    // One takes more than a quarter of the slots, all of them more than there are.
    let quarter = usize::from(SLOTS) / 4 * SLOT;
    let large = [&vec![b' '; 100][..], call("wait").as_bytes(), &vec![b' '; quarter]].concat();
    let length = u64::try_from(large.len()).unwrap().to_be_bytes();
    let large = [&[0x81, 0xff][..], &length, &[0; 4], &large].concat();
    for _ in 0..3 {
        client.write_all(&large).await.unwrap();
    }
    let now = frame(0x81, call("now").as_bytes());
    client.write_all(&now).await.unwrap();
    let first = heard(&mut client).await.unwrap();
    assert_eq!(first["result"], 7, "three that wait are in nobody's way");
    client.write_all(&large).await.unwrap();
    client.write_all(&now).await.unwrap();
    turns().await;
    // The fourth is read and finds no slots; it and what comes after it have to wait for one.
    gate.add_permits(1);
    let mut results = Vec::new();
    for _ in 0..5 {
        results.push(heard(&mut client).await.unwrap()["result"].clone());
        assert_eq!(results[0], true, "{results:?}: what came last was answered first");
    }
    assert_eq!(results.iter().filter(|result| **result == 7).count(), 1);
    serving.abort();
}

#[tokio::test]
async fn what_was_asked_before_the_server_stops_is_answered() {
    let [began, gate] = [0; 2].map(Semaphore::new).map(Arc::new);
    let mut module = RpcModule::new((Arc::clone(&began), Arc::clone(&gate)));
    module
        .register_async_method("wait", |_, gates, _| async move {
            gates.0.add_permits(1);
            gates.1.acquire().await.is_ok()
        })
        .unwrap();
    let (mut client, serving, handle) = open(module);
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "wait" }).to_string();
    client.write_all(&frame(0x81, call.as_bytes())).await.unwrap();
    began.acquire().await.unwrap().forget();
    handle.stop().unwrap();
    turns().await;
    assert!(!serving.is_finished() && !handle.is_stopped(), "it owes an answer");
    gate.add_permits(1);
    assert_eq!(heard(&mut client).await.unwrap()["result"], true);
    assert!(heard(&mut client).await.is_none());
    serving.await.unwrap();
    handle.stopped().await;
}
