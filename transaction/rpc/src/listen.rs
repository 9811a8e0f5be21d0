//! Accepting connections, and giving up on those that only hold a place.
//!
//! Whoever connects has [`Patience`] to send a request's head, then its body; between two requests of
//! one connection the same time may pass. It has to read what it asked for as well, and so much may
//! wait for that and no more. There are so many places, and so many for one client: a connection
//! beyond them is closed at once, before it costs anything.

mod dispatch;
mod frames;
mod places;
mod reader;
mod socket;
mod unread;

use self::unread::{Held, Sum};
pub(crate) use self::{
    places::Asker,
    socket::{Sockets, Terms},
    unread::{Limits, Unread},
};
pub use self::{
    places::{Place, Places},
    reader::ReadInTime,
};
use http_body::{Body, Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use jsonrpsee::server::StopHandle;
use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tower::Service;
use tracing::debug;

type BoxError = Box<dyn Error + Send + Sync>;
type Request<B> = hyper::Request<B>;
type Response<B> = hyper::Response<B>;

/// How long accepting pauses when the system has no more handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How much of the server's time one client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a request's head, and for silence between requests.
    pub(crate) head: Duration,
    /// For a request's body.
    pub(crate) body: Duration,
    /// For reading an answer: [`ReadInTime`].
    pub(crate) answer: Duration,
    /// The most connections at once.
    pub(crate) connections: u32,
    /// The most bytes of answers.
    pub(crate) bytes: Limits,
}

/// Serves until stopped. `service` makes one service for each connection, by its number; the answers
/// have to be counted in what it leaves unread.
pub(crate) async fn serve<S, B>(
    listener: TcpListener,
    patience: Patience,
    stop: StopHandle,
    service: impl Fn(u32, Unread) -> S,
) where
    S: Service<Request<Unhurried>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = hyper::body::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let places = Places::new(usize::try_from(patience.connections).unwrap_or(usize::MAX));
    let (mut number, all) = (0_u32, Sum::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.clone().shutdown() => return,
        };
        let (socket, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "could not accept a connection");
                let pause = timeout(ACCEPT_PAUSE, stop.clone().shutdown());
                if pause.await.is_ok() {
                    return;
                }
                continue;
            }
        };
        let Some(place) = places.now().and_then(|place| places.give(place, client.ip())) else {
            debug!(%client, "refused a connection, all places or all of this client are taken");
            continue;
        };
        number = number.wrapping_add(1);
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%error, "a connection closed at once");
            continue;
        }
        let unread = Unread::new(&all, place.unread(), patience.bytes);
        let (service, stop) = (service(number, unread.clone()), stop.clone());
        let asker = place.asker();
        let socket = Held::new(socket, unread, place);
        drop(tokio::spawn(connection(socket, asker, patience, stop, service)));
    }
}

async fn connection<S, B>(
    socket: Held<TcpStream>,
    asker: Option<Asker>,
    patience: Patience,
    stop: StopHandle,
    service: S,
) where
    S: Service<Request<Unhurried>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = hyper::body::Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let service = tower::ServiceBuilder::new()
        .map_request(move |mut request: Request<Incoming>| {
            if let Some(asker) = asker {
                request.extensions_mut().insert(asker);
            }
            request.map(|body| Unhurried::new(body, patience.body))
        })
        .service(service);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let service = TowerToHyperService::new(service);
    let socket = ReadInTime::new(socket, patience.answer);
    let connection = builder.serve_connection(TokioIo::new(socket), service).with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.shutdown() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended early");
    }
}

/// A request's body that has to arrive in time, however slowly its bytes drip.
pub(crate) struct Unhurried {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Unhurried {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Unhurried").finish_non_exhaustive()
    }
}

impl Unhurried {
    fn new(body: Incoming, patience: Duration) -> Self {
        Self { body, deadline: Box::pin(sleep_until(Instant::now() + patience)) }
    }
}

impl Body for Unhurried {
    type Data = hyper::body::Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err("the body took too long to arrive".into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
