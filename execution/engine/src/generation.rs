//! The receiving end of a job, for threads and for async programs, without depending on any async runtime.

use crate::composer::Piece;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model ended its turn, or a stop text appeared.
    Stop,
    /// `max_tokens` were produced.
    Length,
    /// The caller cancelled.
    Cancelled,
}

/// Why a job could not be carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The weights lead to infinities; such a model has no answer.
    #[error("the model's output is not finite")]
    NotFinite,
    /// The engine was dropped.
    #[error("the engine has stopped")]
    Stopped,
}

/// What a job reports. After `Done` or `Failed` nothing follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One token of the answer with the text it adds. The texts joined are the answer, and the number of these events
    /// is `completion_tokens`.
    Token(Piece),
    /// The answer is complete.
    Done {
        /// Why it ended.
        finish_reason: FinishReason,
        /// Tokens of the prompt.
        prompt_tokens: usize,
        /// Tokens of the answer; one that ends the model's turn is no part of it.
        completion_tokens: usize,
    },
    /// The job ended without a complete answer.
    Failed(Failure),
}

/// Where the first difference of a checked answer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Number of the token, from 0.
    pub number: usize,
    /// What the computation gives; none if it ends there.
    pub computed: Option<u32>,
    /// What was claimed; none if the claim ends there.
    pub claimed: Option<u32>,
}

#[derive(Debug)]
pub(crate) enum Message {
    Event(Event),
    Differs(Difference),
}

/// Something that wants to know when a full mailbox has room again or a job was cancelled.
pub(crate) trait Nudge: Send + Sync {
    fn nudge(&self);
}

#[derive(Default)]
struct Mail {
    messages: VecDeque<Message>,
    waker: Option<Waker>,
    is_cancelled: bool,
    has_ended: bool,
}

/// A bounded queue between the engine and one receiver: at `bound` messages the engine leaves the job alone.
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
    bound: usize,
    engine: Weak<dyn Nudge>,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(bound: usize, engine: Weak<dyn Nudge>) -> Arc<Self> {
        Arc::new(Self { mail: Mutex::default(), arrived: Condvar::new(), bound, engine })
    }

    fn nudge_engine(&self) {
        if let Some(engine) = self.engine.upgrade() {
            engine.nudge();
        }
    }

    /// Takes a message out; if there is none yet, waits for one or leaves the waker.
    ///
    /// The engine is nudged without the lock: it locks its desk first and mailboxes second.
    fn take(&self, waker: Option<&Waker>) -> Poll<Option<Message>> {
        let mut mail = self.mail.lock();
        loop {
            if let Some(message) = mail.messages.pop_front() {
                let was_full = mail.messages.len() + 1 == self.bound;
                drop(mail);
                if was_full {
                    self.nudge_engine();
                }
                return Poll::Ready(Some(message));
            }
            if mail.has_ended {
                return Poll::Ready(None);
            }
            let Some(waker) = waker else {
                self.arrived.wait(&mut mail);
                continue;
            };
            mail.waker = Some(waker.clone());
            return Poll::Pending;
        }
    }

    fn receive(&self) -> Option<Message> {
        match self.take(None) {
            Poll::Ready(message) => message,
            Poll::Pending => None,
        }
    }

    fn poll(&self, context: &Context<'_>) -> Poll<Option<Message>> {
        self.take(Some(context.waker()))
    }

    fn cancel(&self) {
        self.mail.lock().is_cancelled = true;
        self.nudge_engine();
    }
}

/// The engine's end of a mailbox. Dropped before the end, it reports that the engine stopped.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Mailbox>);

impl Outbox {
    pub(crate) const fn new(mailbox: Arc<Mailbox>) -> Self {
        Self(mailbox)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.mail.lock().is_cancelled
    }

    pub(crate) fn has_room(&self) -> bool {
        self.0.mail.lock().messages.len() < self.0.bound
    }

    pub(crate) fn send(&self, message: Message) {
        let waker = {
            let mut mail = self.0.mail.lock();
            if mail.has_ended {
                return;
            }
            mail.has_ended = !matches!(message, Message::Event(Event::Token(_)));
            mail.messages.push_back(message);
            mail.waker.take()
        };
        self.0.arrived.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.send(Message::Event(Event::Failed(Failure::Stopped)));
    }
}

/// A running answer. Dropping it cancels the work at the next token.
///
/// As an iterator it blocks; [`Generation::next_event`] and [`Generation::poll_event`] are for async programs. The
/// engine goes at most `events_ahead` tokens ahead of the receiver.
#[derive(Debug)]
pub struct Generation(Arc<Mailbox>);

impl Generation {
    pub(crate) const fn new(mailbox: Arc<Mailbox>) -> Self {
        Self(mailbox)
    }

    /// Stops the work at the next token; what is already on its way still arrives, then `Done` with `Cancelled`.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// The next event; `None` after the last.
    pub async fn next_event(&mut self) -> Option<Event> {
        poll_fn(|context| self.poll_event(context)).await
    }

    /// The next event, for hand-written futures and streams.
    pub fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.0.poll(context).map(only_events)
    }
}

fn only_events(message: Option<Message>) -> Option<Event> {
    match message {
        Some(Message::Event(event)) => Some(event),
        Some(Message::Differs(_)) | None => None,
    }
}

impl Iterator for Generation {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        only_events(self.0.receive())
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// A running check of an answer. Dropping it cancels the work.
#[derive(Debug)]
pub struct Verification(Generation);

impl Verification {
    pub(crate) const fn new(mailbox: Arc<Mailbox>) -> Self {
        Self(Generation::new(mailbox))
    }

    /// Waits, blocking, for the verdict: `None` if the computation gives exactly the claimed answer.
    ///
    /// # Errors
    /// [`Failure`] if the engine could not finish.
    pub fn wait(self) -> Result<Option<Difference>, Failure> {
        loop {
            if let Some(verdict) = verdict(self.0.0.receive().as_ref()) {
                return verdict;
            }
        }
    }

    /// Waits for the verdict: `None` if the computation gives exactly the claimed answer.
    ///
    /// # Errors
    /// [`Failure`] if the engine could not finish.
    pub async fn verdict(self) -> Result<Option<Difference>, Failure> {
        loop {
            let message = poll_fn(|context| self.0.0.poll(context)).await;
            if let Some(verdict) = verdict(message.as_ref()) {
                return verdict;
            }
        }
    }
}

const fn verdict(message: Option<&Message>) -> Option<Result<Option<Difference>, Failure>> {
    match message {
        Some(Message::Event(Event::Token(_))) => None,
        Some(Message::Event(Event::Done { .. })) => Some(Ok(None)),
        Some(Message::Differs(difference)) => Some(Ok(Some(*difference))),
        Some(Message::Event(Event::Failed(failure))) => Some(Err(*failure)),
        None => Some(Err(Failure::Stopped)),
    }
}
