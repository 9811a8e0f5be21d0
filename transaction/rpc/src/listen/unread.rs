//! Answers that wait for their readers, and calls that wait for their answers.
//!
//! Whoever asks for much and reads little would make the node hold the answers: over a WebSocket as
//! many as one asks for. So what all together and what one client leave unread is bounded, beyond
//! that an answer becomes a refusal and a subscriber is cut off; and a connection with many calls or
//! much unread is not read from, until it has less of both.

use super::{Asker, Place};
use crate::{computing::Whose, error::LIMIT_EXCEEDED};
use jsonrpsee::{
    BatchResponseBuilder, MethodResponse,
    core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
    types::{ErrorObject, Id, Request},
};
use parking_lot::Mutex;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    task::yield_now,
    time::Instant,
};
use tower::Layer;

/// What one connection may leave unread whatever others do, in bytes; with as much it is not read
/// from.
const LITTLE: usize = 1 << 20;
/// Calls of one connection at once before it is not read from.
const MOST_CALLS: usize = 256;
/// Bytes of their parameters at once.
const MOST_PARAMETERS: usize = 1 << 20;
/// Bytes of the longest answer to a subscription that is not counted. It may be read before it would be, and
/// then be owed for ever: no honest one is longer.
const SMALL: usize = 4 << 10;
/// Bytes of the longest id that a refusal repeats.
const LONGEST_ID: usize = 256;

/// Unread bytes of some connections.
pub(super) type Sum = Arc<AtomicUsize>;

/// What one connection asks for and leaves unread. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Unread(Arc<Account>);

#[derive(Debug)]
struct Account {
    own: Mutex<Own>,
    /// Of its client; none where clients are not told apart.
    client: Option<Sum>,
    all: Sum,
    limits: Limits,
}

/// How many bytes of answers there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// That all leave unread; a quarter of it for one client. Beyond it each connection may leave
    /// [`LITTLE`], so all together no more than this and [`LITTLE`] for each.
    pub(crate) unread: usize,
    /// Of one answer.
    pub(crate) answer: usize,
}

#[derive(Debug, Default)]
struct Own {
    bytes: usize,
    calls: usize,
    parameters: usize,
    is_closed: bool,
    /// It lost a notice, and is to end.
    is_cut: bool,
    /// It would be read from if it had less.
    is_waiting: bool,
    /// When that ended last.
    held_until: Option<Instant>,
    /// Who reads from the connection.
    reader: Option<Waker>,
}

impl Own {
    const fn is_full(&self) -> bool {
        self.bytes >= LITTLE || self.calls >= MOST_CALLS || self.parameters >= MOST_PARAMETERS
    }

    fn wake(&mut self) {
        if (self.is_cut || (self.is_waiting && !self.is_full()))
            && let Some(reader) = self.reader.take()
        {
            if self.is_waiting {
                self.held_until = Some(Instant::now());
            }
            self.is_waiting = false;
            reader.wake();
        }
    }
}

impl Unread {
    /// Nothing yet, of a connection of this client.
    pub(super) fn new(all: &Sum, client: Option<Sum>, limits: Limits) -> Self {
        Self(Arc::new(Account { own: Mutex::default(), client, all: Arc::clone(all), limits }))
    }

    fn sums(&self) -> impl Iterator<Item = (&Sum, usize)> {
        let Account { client, all, limits, .. } = &*self.0;
        let client = client.iter().map(move |client| (client, limits.unread.div_ceil(4)));
        std::iter::once((all, limits.unread)).chain(client)
    }

    /// Counts an answer or a notice, unless there is no room for it.
    pub(crate) fn give(&self, bytes: usize) -> bool {
        let mut own = self.0.own.lock();
        if own.is_closed {
            return true;
        }
        let owed = own.bytes.saturating_add(bytes);
        let is_over =
            |(sum, most): (&Sum, usize)| sum.load(Ordering::Relaxed).saturating_add(bytes) > most;
        if owed > LITTLE && self.sums().any(is_over) {
            return false;
        }
        self.count(&mut own, bytes);
        drop(own);
        true
    }

    /// Counts what is made already, whether there is room for it or not.
    pub(super) fn owe(&self, bytes: usize) {
        let mut own = self.0.own.lock();
        if !own.is_closed {
            self.count(&mut own, bytes);
        }
    }

    fn count(&self, own: &mut Own, bytes: usize) {
        own.bytes = own.bytes.saturating_add(bytes);
        for (sum, _) in self.sums() {
            sum.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// The client's system took so many bytes, or they are not to be sent.
    pub(crate) fn took(&self, bytes: usize) {
        self.settle(&mut self.0.own.lock(), bytes);
    }

    fn settle(&self, own: &mut Own, bytes: usize) {
        // What was not counted, as heads and frames, pays for nothing.
        let paid = bytes.min(own.bytes);
        own.bytes = own.bytes.saturating_sub(paid);
        for (sum, _) in self.sums() {
            sum.fetch_sub(paid, Ordering::Relaxed);
        }
        own.wake();
    }

    fn close(&self) {
        let mut own = self.0.own.lock();
        own.is_closed = true;
        self.settle(&mut own, usize::MAX);
    }

    /// Ends the connection: a subscriber that loses a notice has to know.
    pub(crate) fn cut(&self) {
        let mut own = self.0.own.lock();
        own.is_cut = true;
        own.wake();
    }

    /// Whether the connection is to be read from now; who asked is woken when that changes.
    fn poll(&self, context: &Context<'_>) -> Poll<io::Result<()>> {
        self.is_whole()?;
        let mut own = self.0.own.lock();
        own.reader = Some(context.waker().clone());
        own.is_waiting = own.is_full();
        if own.is_waiting { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    /// Until when the connection was not read from, if it ever was not: now while it is not.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let own = self.0.own.lock();
        if own.is_full() { Some(Instant::now()) } else { own.held_until }
    }

    fn is_whole(&self) -> io::Result<()> {
        if self.0.own.lock().is_cut {
            let words = "a subscriber cannot be told of everything";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, words));
        }
        Ok(())
    }

    fn call(&self, parameters: usize) -> Call {
        let mut own = self.0.own.lock();
        own.calls = own.calls.saturating_add(1);
        own.parameters = own.parameters.saturating_add(parameters);
        drop(own);
        Call { of: self.clone(), parameters }
    }

    /// Counts the answer to a subscription: it is on its way and cannot become a refusal, but whoever has much
    /// of it unread is not heard any more.
    fn sent(&self, response: &MethodResponse) {
        let bytes = response.as_json().get().len();
        if response.is_subscription() && bytes > SMALL {
            self.owe(bytes);
        }
    }

    /// The answer if there is room for it, else a refusal.
    fn answer(&self, response: MethodResponse, id: Id<'_>) -> MethodResponse {
        self.sent(&response);
        let bytes = response.as_json().get().len();
        let is_sent = response.is_method_call() || response.is_batch();
        if !is_sent || self.give(bytes) {
            return response;
        }
        let id = match id {
            Id::Str(text) if text.len() > LONGEST_ID => Id::Null,
            short => short,
        };
        let words = "answers wait to be read: read them, or ask for less at once";
        MethodResponse::error(id, ErrorObject::borrowed(LIMIT_EXCEEDED, words, None))
    }
}

/// A call until its answer is made.
struct Call {
    of: Unread,
    parameters: usize,
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut own = self.of.0.own.lock();
        own.calls = own.calls.saturating_sub(1);
        own.parameters = own.parameters.saturating_sub(self.parameters);
        own.wake();
    }
}

impl<S> Layer<S> for Unread {
    type Service = Bounded<S>;

    fn layer(&self, service: S) -> Bounded<S> {
        Bounded { unread: self.clone(), service }
    }
}

/// A service whose answers wait within bounds.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<S> {
    unread: Unread,
    service: S,
}

impl<S> RpcServiceT for Bounded<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(
        &self,
        mut request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let Self { unread, service } = self.clone();
        async move {
            let (_call, id) = (unread.call(parameters(&request)), request.id());
            request.extensions_mut().insert(unread.clone());
            let response = whose(&request).asks(service.call(request)).await;
            unread.answer(response, id)
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        let Self { unread, service } = self.clone();
        async move {
            let all = batch.iter().flatten().map(|entry| match entry {
                BatchEntry::Call(request) => parameters(request),
                BatchEntry::Notification(_) => 0,
            });
            let _call = unread.call(all.sum());
            let mut answers = BatchResponseBuilder::new_with_limit(unread.0.limits.answer);
            let mut has_notices = false;
            for entry in batch {
                let answer = match entry {
                    Ok(BatchEntry::Call(mut request)) => {
                        request.extensions_mut().insert(unread.clone());
                        let answer = whose(&request).asks(service.call(request)).await;
                        unread.sent(&answer);
                        answer
                    }
                    Ok(BatchEntry::Notification(notice)) => {
                        has_notices = true;
                        drop(service.notification(notice).await);
                        continue;
                    }
                    Err(error) => {
                        let (error, id) = error.into_parts();
                        MethodResponse::error(id, error)
                    }
                };
                if let Err(too_long) = answers.append(answer) {
                    return unread.answer(too_long, Id::Null);
                }
                // Others have their turn: what needs no waiting would else be done all in one.
                yield_now().await;
            }
            let response = if answers.is_empty() && has_notices {
                MethodResponse::notification()
            } else {
                MethodResponse::from_batch(answers.finish())
            };
            unread.answer(response, Id::Null)
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        let service = self.service.clone();
        async move { service.notification(notification).await }
    }
}

/// Whose turn it is when a request has to wait for others.
fn whose(request: &Request<'_>) -> Whose {
    Whose::call(request.extensions().get::<Asker>().copied())
}

/// Bytes of a request's parameters.
fn parameters(request: &Request<'_>) -> usize {
    request.params.as_ref().map_or(0, |parameters| parameters.get().len())
}

/// A socket with its place, which is taken as long as the socket lives: a WebSocket lives longer than
/// the request that it began as.
#[derive(Debug)]
pub(super) struct Held<S> {
    stream: S,
    unread: Unread,
    _place: Place,
}

impl<S> Held<S> {
    pub(super) const fn new(stream: S, unread: Unread, place: Place) -> Self {
        Self { stream, unread, _place: place }
    }

    fn wrote(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &outcome {
            self.unread.took(*bytes);
        }
        outcome
    }
}

impl<S> Drop for Held<S> {
    fn drop(&mut self) {
        self.unread.close();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        std::task::ready!(self.unread.poll(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.unread.is_whole()?;
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unread.is_whole()?;
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
