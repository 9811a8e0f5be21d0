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
mod tests {
    use super::{Asker, LITTLE, LONGEST_ID, Limits, MOST_CALLS, Sum, Unread};
    use crate::computing::Whose;
    use jsonrpsee::{
        MethodResponse, ResponsePayload,
        core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
        types::{ErrorCode, Id, Request},
    };
    use std::{
        future::ready,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        task::{Context, Poll, Wake, Waker},
    };
    use tokio::time::Instant;
    use tower::Layer as _;

    const MOST: Limits = Limits { unread: 16 * LITTLE, answer: LITTLE };

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_client_leaves_a_quarter_unread_and_all_together_no_more_than_all() {
        let (all, client) = (Sum::default(), Sum::default());
        let of = |client: &Sum| Unread::new(&all, Some(Arc::clone(client)), MOST);
        let (first, second) = (of(&client), of(&client));
        assert!(first.give(3 * LITTLE));
        assert!(!second.give(2 * LITTLE), "both together more than a quarter");
        assert!(second.give(LITTLE), "a little always fits");
        first.took(LITTLE);
        assert!(second.give(LITTLE), "what was read makes room");
        let others: Vec<_> = (0..3).map(|_| of(&Sum::default())).collect();
        assert!(others.iter().all(|other| other.give(4 * LITTLE)));
        // Where clients are not told apart there is what is left.
        let near = Unread::new(&all, None, MOST);
        assert!(!near.give(2 * LITTLE) && near.give(LITTLE));
        for one in others.iter().chain([&first, &second, &near]) {
            one.close();
            assert!(one.give(LITTLE), "nobody will read it, and nothing is counted");
        }
        assert_eq!((all.load(Ordering::Relaxed), client.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn beyond_what_all_may_leave_each_connection_leaves_a_little() {
        let all = Sum::default();
        let connections: Vec<_> = (0..20).map(|_| Unread::new(&all, None, MOST)).collect();
        let first = connections.first().unwrap();
        assert!(first.give(MOST.unread));
        for one in connections.iter().skip(1) {
            assert!(one.give(LITTLE) && !one.give(1));
        }
        assert_eq!(all.load(Ordering::Relaxed), MOST.unread + 19 * LITTLE);
    }

    #[test]
    fn who_has_much_to_read_or_many_calls_is_not_heard_meanwhile() {
        let one = Unread::new(&Sum::default(), None, MOST);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let context = Context::from_waker(&waker);
        let is_woken = || woken.0.swap(false, Ordering::Relaxed);
        let is_full = || one.poll(&context).is_pending();
        assert!(!is_full());
        assert!(one.held_until().is_none());
        assert!(one.give(2 * LITTLE) && is_full());
        one.took(LITTLE);
        assert!(is_full() && !is_woken());
        one.took(1);
        assert!(is_woken(), "there is room again");
        assert!(one.held_until().is_some_and(|until| until <= Instant::now()));
        assert!(!is_full());
        one.took(1);
        assert!(!is_woken(), "it waits for the client, not for room");
        let mut calls: Vec<_> = (0..MOST_CALLS).map(|_| one.call(1)).collect();
        assert!(is_full());
        calls.truncate(1);
        assert!(is_woken() && !is_full());
        let large = one.call(LITTLE);
        assert!(is_full());
        drop(large);
        assert!(is_woken() && !is_full());
        one.cut();
        assert!(is_woken(), "who reads hears that it is over");
        assert!(matches!(one.poll(&context), Poll::Ready(Err(_))));
    }

    #[test]
    fn a_long_answer_to_a_subscription_is_counted_and_a_refusal_repeats_no_long_id() {
        let one = Unread::new(&Sum::default(), None, MOST);
        let long = || Id::Str("x".repeat(2 * LITTLE).into());
        let text = |response: &MethodResponse| response.as_json().get().len();
        for (id, is_counted) in [(Id::Number(1), false), (long(), true)] {
            let response = MethodResponse::subscription_error(id, ErrorCode::InvalidParams);
            let bytes = if is_counted { text(&response) } else { 0 };
            assert!(one.answer(response, Id::Null).is_subscription());
            assert_eq!(one.0.own.lock().bytes, bytes);
        }
        one.owe(MOST.unread);
        let refused = one.answer(MethodResponse::error(long(), ErrorCode::InvalidParams), long());
        assert!(text(&refused) < LONGEST_ID, "{}", text(&refused));
        let large = MethodResponse::response(Id::Number(7), ResponsePayload::success(1), LITTLE);
        let refused = one.answer(large, Id::Number(7));
        assert!(refused.is_error() && refused.as_json().get().contains("\"id\":7"));
    }

    /// Answers at once: 8 to a client that is told apart, else 7.
    #[derive(Clone)]
    struct Ready;

    impl RpcServiceT for Ready {
        type MethodResponse = MethodResponse;
        type NotificationResponse = ();
        type BatchResponse = ();

        fn call<'a>(
            &self,
            request: Request<'a>,
        ) -> impl Future<Output = MethodResponse> + Send + 'a {
            let id = request.id();
            async move {
                let answer = match Whose::now() {
                    Whose::Call(_) => 8,
                    Whose::Notice(_) | Whose::Anyone | Whose::News => 7,
                };
                MethodResponse::response(id, ResponsePayload::success(answer), LITTLE)
            }
        }

        fn batch<'a>(&self, _: Batch<'a>) -> impl Future<Output = ()> + Send + 'a {
            ready(())
        }

        fn notification<'a>(&self, _: Notification<'a>) -> impl Future<Output = ()> + Send + 'a {
            ready(())
        }
    }

    #[tokio::test]
    async fn a_batch_lets_others_have_their_turn() {
        let one = Unread::new(&Sum::default(), None, MOST).layer(Ready);
        let calls = (0..100).map(|id| Request::borrowed("one", None, Id::Number(id)));
        let batch = Batch::from(calls.map(|call| Ok(BatchEntry::Call(call))).collect());
        let mut turns = 0;
        let others = async {
            for _ in 0..10_000 {
                turns += 1;
                tokio::task::yield_now().await;
            }
        };
        let answer = tokio::select! {
            answer = one.batch(batch) => answer,
            () = others => panic!("the batch does not end"),
        };
        assert!(answer.is_batch());
        assert_eq!(answer.as_json().get().matches("\"result\":7").count(), 100);
        assert!(turns > 10, "{turns} turns of another");
        let notice =
            Batch::from(vec![Ok(BatchEntry::Notification(Notification::new("one".into(), None)))]);
        assert!(one.batch(notice).await.is_notification());
    }

    #[tokio::test]
    async fn who_calls_is_known_where_the_call_may_have_to_wait() {
        let one = Unread::new(&Sum::default(), None, MOST).layer(Ready);
        let call = |asker: Option<Asker>| {
            let mut call = Request::borrowed("one", None, Id::Number(1));
            if let Some(asker) = asker {
                call.extensions_mut().insert(asker);
            }
            call
        };
        let asker = Some(Asker([192, 0, 2, 1].into()));
        for (asker, result) in [(asker, "\"result\":8"), (None, "\"result\":7")] {
            let answer = one.call(call(asker)).await;
            assert!(answer.as_json().get().contains(result), "{}", answer.as_json());
            let batch = Batch::from(vec![Ok(BatchEntry::Call(call(asker)))]);
            let answer = one.batch(batch).await;
            assert!(answer.as_json().get().contains(result), "{}", answer.as_json());
        }
    }
}
