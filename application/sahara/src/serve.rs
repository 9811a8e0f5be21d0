//! Serving HTTP to strangers: whom it answers, and how long a client may dawdle.
//!
//! A page elsewhere can make a browser resolve its own name to this machine, but not make it name
//! this machine in `Host`: a listener on loopback answers to loopback's names, and to those that its
//! configuration adds, only. A client that sends its request byte by byte, or does not read its answer,
//! holds its place for a bounded time, and places are counted, in all and for each client.

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use hyper::{
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use sahara_rpc::{Place, Places, ReadInTime};
use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// For the head of a request; a connection may be idle as long.
    head: Duration,
    /// For a body.
    body: Duration,
    /// For reading an answer: [`ReadInTime`].
    answer: Duration,
}

/// Far more than any client needs, and less than it takes to gather [`MOST_CONNECTIONS`] for free;
/// the longest body comes at 200 KiB a second.
const PATIENCE: Patience = Patience {
    head: Duration::from_secs(15),
    body: Duration::from_secs(20),
    answer: Duration::from_secs(20),
};
/// The longest body: any context there is, as JSON.
pub(crate) const MAX_BODY: usize = 4 << 20;
/// Connections at a time; the others wait to be accepted.
const MOST_CONNECTIONS: usize = 1_024;
/// Wait after the system refused a connection, as when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers requests that name this machine, or one of `hosts` beside, and announce no more than
/// [`MAX_BODY`]. Said before the body is read, so that a client that is still sending hears it.
///
/// # Errors
/// When the listener has no address.
pub(crate) fn guard(
    listener: &TcpListener,
    router: Router,
    hosts: Vec<String>,
) -> io::Result<Router> {
    let router = router.layer(middleware::from_fn(refuse_long));
    if !listener.local_addr()?.ip().is_loopback() {
        return Ok(router);
    }
    let hosts: Arc<[String]> = hosts.into();
    Ok(router.layer(middleware::from_fn_with_state(hosts, refuse_foreign_host)))
}

/// Serves until told, then finishes what is open.
pub(crate) async fn serve(listener: TcpListener, router: Router, until: impl Future<Output = ()>) {
    serve_within(PATIENCE, listener, router, until).await;
}

async fn serve_within(
    patience: Patience,
    listener: TcpListener,
    router: Router,
    until: impl Future<Output = ()>,
) {
    let router = router.layer(middleware::from_fn_with_state(patience, hurry));
    let places = Places::new(MOST_CONNECTIONS);
    let stop = watch::Sender::new(false);
    let (mut open, mut until) = (JoinSet::new(), pin!(until));
    loop {
        let accept = async {
            let place = places.wait().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut until => break,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = accept => match accepted {
                (Ok(client), Some(place)) => {
                    // Who has too many already is closed at once.
                    let Some(place) = places.give(place, client.1.ip()) else { continue };
                    let service = (router.clone(), patience);
                    open.spawn(connection(client, service, stop.subscribe(), place));
                }
                (Err(error), _) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    drop(timeout(PAUSE, std::future::pending::<()>()).await);
                }
                (Ok(_), None) => break,
            },
        }
    }
    drop(listener);
    stop.send_replace(true);
    while open.join_next().await.is_some() {}
}

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    (router, patience): (Router, Patience),
    mut stop: watch::Receiver<bool>,
    _place: Place,
) {
    // Tokens go out one by one; a socket that cannot be told so works too.
    drop(stream.set_nodelay(true));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    // Whoever counts requests has to know whose they are.
    let routes = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        routes.call(request)
    });
    let stream = ReadInTime::new(stream, patience.answer);
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = async { drop(stop.wait_for(|stop| *stop).await) } => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A body that takes too long breaks off.
async fn hurry(State(patience): State<Patience>, request: Request, next: Next) -> Response {
    let end = Instant::now() + patience.body;
    let request = request.map(|body| {
        let frames = stream::unfold(body.into_data_stream(), move |mut body| async move {
            let frame = match timeout_at(end, body.next()).await {
                Ok(frame) => frame?,
                Err(late) => Err(axum::Error::new(late)),
            };
            Some((frame, body))
        });
        Body::from_stream(frames)
    });
    next.run(request).await
}

async fn refuse_long(request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced > Some(MAX_BODY) {
        let text = format!("the body is larger than {MAX_BODY} bytes\n");
        return (StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
    }
    next.run(request).await
}

async fn refuse_foreign_host(
    State(hosts): State<Arc<[String]>>,
    request: Request,
    next: Next,
) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().host()).unwrap_or_default();
    if is_named(host, &hosts) {
        return next.run(request).await;
    }
    let text = "the Host header names another server: expected localhost, 127.0.0.1 or [::1]\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

fn is_named(host: &str, hosts: &[String]) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
        || hosts.iter().any(|own| own == name || own == host)
}

#[cfg(test)]
mod tests {
    use super::{PATIENCE, Patience, guard, is_named, serve_within};
    use axum::{Router, body::Bytes, routing::post};
    use std::time::Duration;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::oneshot,
        task::JoinHandle,
        time::{Instant, timeout},
    };

    async fn echo() -> (TcpStream, oneshot::Sender<()>, JoinHandle<()>) {
        echo_within(PATIENCE).await
    }

    async fn echo_within(patience: Patience) -> (TcpStream, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(async |body: Bytes| body));
        let router = guard(&listener, router, vec![String::from("own.example")]).unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let server = tokio::spawn(serve_within(patience, listener, router, until));
        (TcpStream::connect(address).await.unwrap(), stop, server)
    }

    async fn rest(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[test]
    fn only_the_names_of_loopback_are_loopback() {
        for host in ["localhost", "localhost:80", "127.0.0.1:9", "[::1]", "[::1]:80"] {
            assert!(is_named(host, &[]), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io:80", "x:y"] {
            assert!(!is_named(host, &[]), "{host}");
        }
        assert!(is_named("own.example:443", &[String::from("own.example")]));
        let with_port = [String::from("own.example:8443")];
        assert!(is_named("own.example:8443", &with_port) && !is_named("own.example", &with_port));
    }

    #[tokio::test]
    async fn a_foreign_host_gets_403_and_a_known_one_its_answer() {
        for (host, expected) in [
            ("evil.example", "HTTP/1.1 403"),
            ("localhost", "HTTP/1.1 200"),
            ("own.example", "HTTP/1.1 200"),
        ] {
            let (mut stream, _stop, _server) = echo().await;
            let request = format!(
                "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let answer = rest(&mut stream).await;
            assert!(answer.starts_with(expected), "{host}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_body_that_is_announced_too_long_is_not_waited_for() {
        let (mut stream, _stop, _server) = echo().await;
        let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{";
        stream.write_all(head).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    #[tokio::test]
    async fn garbage_is_answered_with_400_and_closed() {
        let (mut stream, _stop, _server) = echo().await;
        stream.write_all(b"\0\x01\x02 garbage\r\n\r\n").await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }

    #[tokio::test]
    async fn a_head_or_a_body_that_dawdles_is_cut_off() {
        let (short, long) = (Duration::from_millis(300), Duration::from_secs(600));
        let patience = Patience { head: short, body: long, answer: long };
        let clock = Instant::now();
        let (mut stream, _stop, _server) = echo_within(patience).await;
        stream.write_all(b"POST / HTTP/1.1\r\nHost: local").await.unwrap();
        assert_eq!(rest(&mut stream).await, "");
        assert!((short..long).contains(&clock.elapsed()), "{:?}", clock.elapsed());

        let patience = Patience { head: long, body: short, answer: long };
        let clock = Instant::now();
        let (mut stream, _stop, _server) = echo_within(patience).await;
        let head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nslow";
        stream.write_all(head).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!((short..long).contains(&clock.elapsed()), "{:?}", clock.elapsed());
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let (short, long) = (Duration::from_millis(300), Duration::from_secs(600));
        let patience = Patience { head: long, body: long, answer: short };
        let (mut stream, _stop, _server) = echo_within(patience).await;
        // More than the buffers between them hold, asked for again and again.
        let head =
            format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", 1 << 20);
        let request = [head.as_bytes(), &vec![b'x'; 1 << 20]].concat();
        let asking = async { while stream.write_all(&request).await.is_ok() {} };
        timeout(long / 10, asking).await.expect("the connection ends");
    }

    #[tokio::test]
    async fn stopping_ends_idle_connections() {
        let (mut stream, stop, server) = echo().await;
        stream
            .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi")
            .await
            .unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        stop.send(()).unwrap();
        let ended = timeout(Duration::from_secs(5), server).await;
        ended.expect("an idle connection does not hold the server").unwrap();
    }
}
