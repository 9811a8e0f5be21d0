//! One `WebSocket` each: requests and their answers, and notices to subscribers.
//!
//! A client is heard no faster than it is answered. A message is read when there is a slot for it and
//! keeps its slots until its answer is on its way, so that whoever floods or does not read waits in its
//! own system, not in our memory.

use super::{
    BoxError, Unread,
    dispatch::Dispatch,
    frames::{Frames, Heard, Messages},
};
use crate::error::LIMIT_EXCEEDED;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jsonrpsee::{
    BoundedSubscriptions, ConnectionId, Extensions, MethodResponse, MethodSink, Methods,
    core::{
        JsonRawValue,
        middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT},
        server::prepare_error,
    },
    server::{HttpBody, StopHandle, middleware::rpc::RpcServiceBuilder},
    types::{
        ErrorCode, ErrorObject, Id, InvalidRequest, Request as Call,
        error::{reject_too_big_batch_request, reject_too_big_request},
    },
};
use soketto::{
    base::OpCode,
    handshake::http::{Server, is_upgrade_request},
};
use std::{
    future::ready,
    io,
    mem::take,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, split},
    sync::{
        Semaphore,
        mpsc::{self, Receiver, Sender},
    },
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};
use tower::{Layer, Service};
use tracing::debug;

/// How often a WebSocket is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);

/// For how long one that is listened to may say nothing, not even that it is there.
const SILENCE: Duration = Duration::from_secs(90);

/// Answers and notices made and not written yet of one WebSocket.
const MADE: usize = 64;

/// Messages of one WebSocket at once; one takes a slot for each [`SLOT`] bytes that it begins.
const SLOTS: u16 = 256;

/// A slot's bytes.
const SLOT: usize = 4 << 10;

/// Bytes of a pong's frame beside what it repeats.
const PONG: usize = 2;

/// White space before a request, in bytes.
const WHITE: usize = 128;

/// What one WebSocket may ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Bytes of the longest message.
    pub(crate) request: u32,
    /// Bytes of the longest answer.
    pub(crate) answer: usize,
    /// Requests in a batch.
    pub(crate) batch: usize,
    /// Subscriptions at once.
    pub(crate) subscriptions: u32,
}

/// Answers what is to become a WebSocket, and hands on every other request.
#[derive(Clone, Debug)]
pub(crate) struct Sockets<S, L> {
    /// Whom other requests are handed on to.
    pub(crate) others: S,
    /// What stands around the methods.
    pub(crate) layers: RpcServiceBuilder<L>,
    pub(crate) methods: Methods,
    pub(crate) connection: ConnectionId,
    /// What the connection leaves unread.
    pub(crate) unread: Unread,
    pub(crate) terms: Terms,
    pub(crate) stop: StopHandle,
}

/// What answers requests, single ones and batches.
pub(crate) trait Answers:
    RpcServiceT<
        MethodResponse = MethodResponse,
        NotificationResponse = MethodResponse,
        BatchResponse = MethodResponse,
    > + Send
    + Sync
    + 'static
{
}

impl<S> Answers for S where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            NotificationResponse = MethodResponse,
            BatchResponse = MethodResponse,
        > + Send
        + Sync
        + 'static
{
}

impl<S, L, B> Service<Request<B>> for Sockets<S, L>
where
    S: Service<Request<B>, Response = Response<HttpBody>, Error = BoxError>,
    S::Future: Send + 'static,
    L: Layer<Dispatch>,
    L::Service: Answers,
{
    type Response = Response<HttpBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<HttpBody>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.others.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if is_upgrade_request(&request) {
            Box::pin(ready(Ok(self.open(&mut request))))
        } else {
            Box::pin(self.others.call(request))
        }
    }
}

impl<S, L> Sockets<S, L>
where
    L: Layer<Dispatch>,
    L::Service: Answers,
{
    /// Says yes if it can, and serves the WebSocket once that is said.
    fn open<B>(&self, request: &mut Request<B>) -> Response<HttpBody> {
        let yes = match Server::new().receive_request(request) {
            Ok(yes) => yes,
            Err(error) => {
                debug!(%error, "refused a WebSocket");
                let mut no = Response::new(HttpBody::from(format!("no WebSocket: {error}")));
                *no.status_mut() = StatusCode::BAD_REQUEST;
                return no;
            }
        };
        let upgrade = hyper::upgrade::on(&mut *request);
        let mut extensions = take(request.extensions_mut());
        extensions.insert(self.connection);
        let (sender, made) = mpsc::channel(MADE);
        let calls = Dispatch {
            methods: self.methods.clone(),
            connection: self.connection,
            longest: self.terms.answer,
            subscriptions: BoundedSubscriptions::new(self.terms.subscriptions),
            sink: MethodSink::new(sender),
        };
        let sink = calls.sink.clone();
        let service = self.layers.service(calls);
        let (terms, unread) = (self.terms, self.unread.clone());
        let socket = Socket { service, sink, unread, extensions, terms, silence: SILENCE };
        let stop = self.stop.clone();
        drop(tokio::spawn(async move {
            match upgrade.await {
                Ok(stream) => Arc::new(socket).run(TokioIo::new(stream), made, stop).await,
                Err(error) => debug!(%error, "a connection did not become a WebSocket"),
            }
        }));
        yes.map(|()| HttpBody::default())
    }
}

/// One WebSocket.
struct Socket<S> {
    service: S,
    /// Takes answers and notices.
    sink: MethodSink,
    unread: Unread,
    /// What each request is given.
    extensions: Extensions,
    terms: Terms,
    /// For how long its client may say nothing.
    silence: Duration,
}

impl<S: Answers> Socket<S> {
    /// Serves it until it ends, or until the server stops and everything asked is answered. The server has
    /// not stopped as long as `stop` is held here.
    async fn run<T>(self: Arc<Self>, stream: T, made: Receiver<Box<JsonRawValue>>, stop: StopHandle)
    where
        T: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (from, to) = split(stream);
        let (pongs, due) = mpsc::channel(1);
        let writing = tokio::spawn(write(to, made, due));
        let slots = Arc::new(Semaphore::new(usize::from(SLOTS)));
        let longest = usize::try_from(self.terms.request).unwrap_or(usize::MAX);
        let mut messages = Messages::new(from, longest);
        let is_stopped = tokio::select! {
            ended = self.listen(&mut messages, &slots, &pongs) => {
                if let Err(error) = ended {
                    debug!(%error, "a WebSocket ended");
                }
                false
            }
            () = self.sink.closed() => false,
            () = stop.clone().shutdown() => true,
        };
        if is_stopped {
            tokio::select! {
                answered = slots.acquire_many(u32::from(SLOTS)) => drop(answered),
                () = messages.skip() => {}
                () = self.sink.closed() => {}
            }
        }
        drop(pongs);
        if let Err(error) = writing.await {
            debug!(%error, "the writer of a WebSocket ended early");
        }
    }

    /// Hears message after message, and has each answered while it hears the next.
    async fn listen<R: AsyncRead + Unpin>(
        self: &Arc<Self>,
        messages: &mut Messages<R>,
        slots: &Arc<Semaphore>,
        pongs: &Sender<Vec<u8>>,
    ) -> io::Result<()> {
        loop {
            let Ok(mut taken) = Arc::clone(slots).acquire_owned().await else { return Ok(()) };
            let Some(text) = self.hear(messages, pongs).await? else { return Ok(()) };
            let more = u32::try_from(text.len() / SLOT).unwrap_or(u32::MAX);
            let more = more.min(u32::from(SLOTS).saturating_sub(1));
            let Ok(more) = Arc::clone(slots).acquire_many_owned(more).await else { return Ok(()) };
            taken.merge(more);
            let socket = Arc::clone(self);
            drop(tokio::spawn(async move {
                tokio::select! {
                    () = socket.sink.closed() => {}
                    () = socket.answer(&text) => {}
                }
                drop(taken);
            }));
        }
    }

    /// The next message; none when nothing can be sent any more.
    async fn hear<R: AsyncRead + Unpin>(
        &self,
        messages: &mut Messages<R>,
        pongs: &Sender<Vec<u8>>,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut until = Instant::now() + self.silence;
        loop {
            let Ok(heard) = timeout_at(until, messages.next()).await else {
                // Who has much to read is not read from: it may have spoken, and has its time after that.
                let held = self.unread.held_until().map(|held| held + self.silence);
                if let Some(later) = held.filter(|later| *later > until) {
                    until = later;
                    continue;
                }
                return Err(io::Error::new(io::ErrorKind::TimedOut, "the client is silent"));
            };
            let is_sent = match heard? {
                Heard::Message(text) => return Ok(Some(text)),
                Heard::Ping(same) => {
                    // Else it would pay, once written, for an answer that is not.
                    self.unread.owe(same.len().saturating_add(PONG));
                    pongs.send(same).await.is_ok()
                }
                Heard::Pong => {
                    until = Instant::now() + self.silence;
                    true
                }
                Heard::TooLong => {
                    until = Instant::now() + self.silence;
                    let error = reject_too_big_request(self.terms.request);
                    self.sink.send_error(Id::Null, error).await.is_ok()
                }
            };
            if !is_sent {
                return Ok(None);
            }
        }
    }

    /// Answers a message, unless it wants no answer.
    async fn answer(&self, text: &[u8]) {
        let response = self.response(text).await;
        // Who subscribes is answered when it is accepted.
        if !response.is_method_call() && !response.is_batch() {
            return;
        }
        let is_success = response.is_success();
        let (json, told, _) = response.into_parts();
        if self.sink.send(json).await.is_ok()
            && let Some(told) = told
        {
            told.notify(is_success);
        }
    }

    async fn response(&self, text: &[u8]) -> MethodResponse {
        let start = text.iter().take(WHITE).position(|byte| !byte.is_ascii_whitespace());
        let text = start.and_then(|start| text.get(start..)).unwrap_or_default();
        match text.first() {
            Some(b'{') => self.one(text).await,
            Some(b'[') => self.batch(text).await,
            _ => self.refuse(Id::Null, ErrorCode::ParseError.into()),
        }
    }

    async fn one(&self, text: &[u8]) -> MethodResponse {
        match self.request(text) {
            Some(BatchEntry::Call(call)) => self.service.call(call).await,
            Some(BatchEntry::Notification(notice)) => self.service.notification(notice).await,
            None => {
                let (id, code) = prepare_error(text);
                self.refuse(id, code.into())
            }
        }
    }

    async fn batch(&self, text: &[u8]) -> MethodResponse {
        let Ok(parts) = serde_json::from_slice::<Vec<&JsonRawValue>>(text) else {
            return self.refuse(Id::Null, ErrorCode::ParseError.into());
        };
        if parts.len() > self.terms.batch {
            return self.refuse(Id::Null, reject_too_big_batch_request(self.terms.batch));
        }
        let requests = parts.into_iter().map(|part| {
            let text = part.get().as_bytes();
            self.request(text).ok_or_else(|| {
                let invalid = serde_json::from_slice::<InvalidRequest<'_>>(text);
                let id = invalid.map_or(Id::Null, |invalid| invalid.id);
                BatchEntryErr::new(id, ErrorCode::InvalidRequest.into())
            })
        });
        let requests = Batch::from(requests.collect());
        self.service.batch(requests).await
    }

    fn request<'a>(&self, text: &'a [u8]) -> Option<BatchEntry<'a>> {
        if let Ok(mut call) = serde_json::from_slice::<Call<'a>>(text) {
            *call.extensions_mut() = self.extensions.clone();
            return Some(BatchEntry::Call(call));
        }
        let mut notice = serde_json::from_slice::<Notification<'a>>(text).ok()?;
        *notice.extensions_mut() = self.extensions.clone();
        Some(BatchEntry::Notification(notice))
    }

    /// The answer to what no method answers. It is counted as theirs are: it may repeat a long id.
    fn refuse(&self, id: Id<'_>, error: ErrorObject<'_>) -> MethodResponse {
        let response = MethodResponse::error(id, error);
        if self.unread.give(response.as_json().get().len()) {
            return response;
        }
        let words = "answers wait to be read: read them first";
        MethodResponse::error(Id::Null, ErrorObject::borrowed(LIMIT_EXCEEDED, words, None))
    }
}

/// Writes what is made, pings, and the answers to pings that are due, until nobody can have one due; then
/// what was made until then, and that this was all.
async fn write<W: AsyncWrite + Unpin>(
    to: W,
    mut made: Receiver<Box<JsonRawValue>>,
    mut due: Receiver<Vec<u8>>,
) {
    let mut frames = Frames::new(to);
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let sent = tokio::select! {
            biased;
            _ = pings.tick() => frames.send(OpCode::Ping, &[]).await,
            pong = due.recv() => match pong {
                Some(same) => frames.send(OpCode::Pong, &same).await,
                None => break,
            },
            Some(text) = made.recv() => frames.send(OpCode::Text, text.get().as_bytes()).await,
        };
        if let Err(error) = sent {
            debug!(%error, "could not write to a WebSocket");
            return;
        }
    }
    made.close();
    while let Ok(text) = made.try_recv() {
        if frames.send(OpCode::Text, text.get().as_bytes()).await.is_err() {
            return;
        }
    }
    drop(frames.close().await);
}

#[cfg(test)]
mod tests;
