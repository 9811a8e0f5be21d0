//! [`Run`]: an answer while it is made, and everyone who waits for it.
//!
//! One task writes a run ([`crate::drive`]), readers follow it: the client that asked, and retries
//! that joined. A token counts as delivered when a stream's reader hands it to its connection, and
//! is written down right before.

use crate::{error::ApiError, progress::Progress, rows::Outcome};
use alloy_primitives::B256;
use parking_lot::Mutex;
use sahara_primitives::{ChannelId, Milliseconds, TokenCount};
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// How many tokens a worker's answer may be ahead of its client: a stream's loss when the client
/// leaves. At 50 tokens a second it is about a second's work.
pub(crate) const WINDOW: usize = 64;

/// A running answer.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) id: B256,
    pub(crate) owner: B256,
    pub(crate) channel: ChannelId,
    /// What tells its body from others.
    pub(crate) body: B256,
    pub(crate) is_stream: bool,
    /// When it was asked for: what the answer says of itself, now and when it is repeated.
    pub(crate) created: Milliseconds,
    pub(crate) model: String,
    state: Mutex<State>,
    /// Counts changes, for readers.
    changes: watch::Sender<u64>,
    /// Rings when a reader came, took a token or left, for the writer.
    pub(crate) taken: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_accepted: bool,
    tokens: Vec<Arc<str>>,
    delivered: usize,
    readers: usize,
    progress: Option<Progress>,
    end: Option<Result<Outcome, ApiError>>,
}

/// What the writer wants to know of its readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    pub(crate) is_present: bool,
    pub(crate) delivered: usize,
    /// Whether the window is full.
    pub(crate) is_behind: bool,
    /// Whether a stream's client has everything there is.
    pub(crate) is_even: bool,
}

/// What a reader finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Token(Arc<str>),
    End(Outcome),
    Failed(ApiError),
}

impl Run {
    pub(crate) fn new(
        ids: (B256, B256, B256),
        channel: ChannelId,
        is_stream: bool,
        face: (Milliseconds, String),
    ) -> Arc<Self> {
        let (id, owner, body) = ids;
        Arc::new(Self {
            id,
            owner,
            channel,
            body,
            is_stream,
            created: face.0,
            model: face.1,
            state: Mutex::default(),
            changes: watch::Sender::new(0),
            taken: Notify::new(),
        })
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The worker accepted; a stream's deliveries are written to this file from now on.
    pub(crate) fn accept(
        &self,
        progress: impl FnOnce() -> Result<Progress, ApiError>,
    ) -> Result<(), ApiError> {
        let mut state = self.state.lock();
        if self.is_stream {
            state.progress = Some(progress()?);
        }
        state.is_accepted = true;
        drop(state);
        self.changed();
        Ok(())
    }

    pub(crate) fn push(&self, token: &str) {
        self.state.lock().tokens.push(token.into());
        self.changed();
    }

    /// Ends it for all readers.
    pub(crate) fn finish(&self, end: Result<Outcome, ApiError>) {
        let mut state = self.state.lock();
        state.progress = None;
        state.end = Some(end);
        drop(state);
        self.changed();
    }

    pub(crate) fn audience(&self) -> Audience {
        let state = self.state.lock();
        Audience {
            is_present: state.readers > 0,
            delivered: state.delivered,
            is_behind: self.is_stream
                && state.tokens.len().saturating_sub(state.delivered) >= WINDOW,
            is_even: state.delivered >= state.tokens.len(),
        }
    }

    /// The tokens to be charged, and no more is handed out: of a stream those delivered.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut state = self.state.lock();
        if self.is_stream {
            let delivered = state.delivered;
            state.tokens.truncate(delivered);
        }
        state.tokens.iter().map(ToString::to_string).collect()
    }

    /// Has what was delivered so far reach the disk.
    pub(crate) async fn sync(&self) -> Result<(), ApiError> {
        let file = self.state.lock().progress.as_ref().map(Progress::file).transpose()?;
        let Some(file) = file else { return Ok(()) };
        let sync = move || file.sync_all().map_err(ApiError::internal);
        tokio::task::spawn_blocking(sync).await.map_err(ApiError::internal)?
    }

    /// One more reader, from the first token on.
    pub(crate) fn reader(self: &Arc<Self>) -> Reader {
        self.state.lock().readers += 1;
        self.taken.notify_one();
        Reader { run: Arc::clone(self), changes: self.changes.subscribe(), next: 0 }
    }
}

/// One client's view of a run. Dropping it tells the writer that this client left.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) run: Arc<Run>,
    changes: watch::Receiver<u64>,
    next: usize,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = self.run.state.lock();
        state.readers = state.readers.saturating_sub(1);
        drop(state);
        self.run.taken.notify_one();
    }
}

impl Reader {
    /// Waits until the worker has accepted, or everything is over.
    pub(crate) async fn accepted(&mut self) -> Result<(), ApiError> {
        loop {
            {
                let state = self.run.state.lock();
                match &state.end {
                    Some(Err(error)) if state.tokens.is_empty() => return Err(error.clone()),
                    Some(_) => return Ok(()),
                    None if state.is_accepted => return Ok(()),
                    None => {}
                }
            }
            self.wait().await?;
        }
    }

    /// Waits for the end; nothing is delivered on the way.
    pub(crate) async fn end(&mut self) -> Result<(Outcome, String), ApiError> {
        loop {
            {
                let state = self.run.state.lock();
                if let Some(end) = &state.end {
                    let text = state.tokens.iter().map(AsRef::as_ref).collect();
                    return end.clone().map(|outcome| (outcome, text));
                }
            }
            self.wait().await?;
        }
    }

    /// The next step of a stream; a token is written down as delivered before it is returned.
    pub(crate) async fn next(&mut self) -> Step {
        loop {
            match self.take() {
                Ok(Some(step)) => return step,
                Ok(None) => {}
                Err(error) => return Step::Failed(error),
            }
            if let Err(error) = self.wait().await {
                return Step::Failed(error);
            }
        }
    }

    fn take(&mut self) -> Result<Option<Step>, ApiError> {
        let mut state = self.run.state.lock();
        if let Some(token) = state.tokens.get(self.next).cloned() {
            if self.next >= state.delivered {
                if let Some(progress) = &mut state.progress {
                    progress.deliver(&token)?;
                }
                state.delivered = self.next.saturating_add(1);
            }
            self.next = self.next.saturating_add(1);
            drop(state);
            self.run.taken.notify_one();
            return Ok(Some(Step::Token(token)));
        }
        Ok(state.end.clone().map(|end| match end {
            Ok(outcome) => Step::End(outcome),
            Err(error) => Step::Failed(error),
        }))
    }

    async fn wait(&mut self) -> Result<(), ApiError> {
        let closed = |_| ApiError::internal("a run was dropped before its end");
        self.changes.changed().await.map_err(closed)
    }
}

/// The prompt's tokens and what the meter of the gateway counted.
pub(crate) fn count(tokens: &[String]) -> TokenCount {
    TokenCount::try_from(tokens.len()).unwrap_or(TokenCount::MAX)
}
