//! Listening: from a worker's events to a run, no further ahead than its client follows.

use crate::{
    error::ApiError,
    gateway::Patience,
    run::{Audience, Run},
};
use sahara_compute::{Event, FinishReason, JobStream, Problem, ProblemCode, WorkerError};
use sahara_primitives::TokenCount;
use tokio::time::{Instant, timeout_at};

/// Delivered tokens between two syncs of what was written about them: at 50 tokens a second less
/// than two syncs a second for each stream, and half a window is lost with the power.
pub(crate) const SYNC_EVERY: usize = 32;

/// The longest answer: a million tokens of text. What a worker writes waits in memory.
const MOST_BYTES: usize = 16 << 20;

/// How the listening ended.
pub(crate) enum Listened {
    Ended(FinishReason),
    ClientLeft,
    Broken(ApiError),
}

/// When to stop waiting for a client.
#[derive(Debug, Default)]
struct Watch {
    deadline: Option<Instant>,
    delivered: usize,
}

impl Watch {
    /// Until when the client may take the next step; none while nothing is expected of it.
    fn deadline(
        &mut self,
        audience: Audience,
        expects: bool,
        patience: Patience,
    ) -> Option<Instant> {
        if audience.is_present && (!expects || audience.delivered > self.delivered) {
            self.deadline = None;
        }
        self.delivered = audience.delivered;
        if audience.is_present && !expects {
            return None;
        }
        let within = if audience.is_present { patience.stall } else { patience.retry };
        Some(*self.deadline.get_or_insert_with(|| Instant::now() + within))
    }
}

/// What a worker wrote, and how much the payer's money is held for (G1).
#[derive(Debug)]
struct Written {
    tokens: TokenCount,
    bytes: usize,
    most: TokenCount,
}

impl Written {
    /// Whether one more token is paid for.
    const fn may_add(&mut self, text: &str) -> bool {
        self.tokens = self.tokens.saturating_add(1);
        self.bytes = self.bytes.saturating_add(text.len());
        self.tokens <= self.most && self.bytes <= MOST_BYTES
    }
}

/// Takes the worker's events, at most so many tokens and never further ahead of a stream's client than
/// the window, and stops when nobody listens any more.
pub(crate) async fn listen(
    run: &Run,
    stream: &mut JobStream,
    most: TokenCount,
    patience: Patience,
) -> Listened {
    let (mut watch, mut synced) = (Watch::default(), 0_usize);
    let mut written = Written { tokens: 0, bytes: 0, most };
    loop {
        let audience = run.audience();
        if has_left(run, audience) {
            return Listened::ClientLeft;
        }
        if audience.delivered >= synced.saturating_add(SYNC_EVERY) {
            if let Err(error) = run.sync().await {
                return Listened::Broken(error);
            }
            synced = audience.delivered;
        }
        let step = async {
            tokio::select! {
                biased;
                event = stream.next(), if !audience.is_behind => Some(event),
                () = run.taken.notified() => None,
            }
        };
        let event = match watch.deadline(audience, audience.is_behind, patience) {
            None => step.await,
            Some(deadline) => match timeout_at(deadline, step).await {
                Ok(event) => event,
                Err(_) => return Listened::ClientLeft,
            },
        };
        match event {
            None => {}
            Some(Ok(Event::Token { text })) if written.may_add(&text) => run.push(&text),
            Some(Ok(Event::Token { .. })) => {
                let message = "the worker writes more tokens than are paid for";
                return Listened::Broken(ApiError::worker_failed(message));
            }
            Some(Ok(Event::Ended { finish_reason, .. })) => {
                return Listened::Ended(finish_reason);
            }
            Some(Ok(Event::Failed { message })) => {
                tracing::warn!(%message, "the worker failed");
                return Listened::Broken(ApiError::worker_failed("the worker failed"));
            }
            Some(Ok(Event::Accepted { .. })) => {
                return Listened::Broken(ApiError::worker_failed("the worker repeats itself"));
            }
            Some(Err(error)) => return Listened::Broken(refusal(&error)),
        }
    }
}

/// Waits until the client has taken the whole answer, which is complete by now: the last token of a
/// stream, or, of a plain answer, until somebody is there to receive it. Whether it has.
pub(crate) async fn is_taken(run: &Run, patience: Patience) -> bool {
    let mut watch = Watch::default();
    loop {
        let audience = run.audience();
        if audience.is_present && (!run.is_stream || audience.is_even) {
            return true;
        }
        if has_left(run, audience) {
            return audience.is_even;
        }
        let deadline = watch.deadline(audience, true, patience);
        let deadline = deadline.unwrap_or_else(Instant::now);
        if timeout_at(deadline, run.taken.notified()).await.is_err() {
            return false;
        }
    }
}

/// Nobody is left who had something of a stream.
const fn has_left(run: &Run, audience: Audience) -> bool {
    run.is_stream && !audience.is_present && audience.delivered > 0
}

/// A worker's refusal as the client sees it.
pub(crate) fn refusal(error: &WorkerError) -> ApiError {
    let WorkerError::Refused(Problem { code, message, .. }) = error else {
        tracing::warn!(%error, "a worker does not answer");
        return ApiError::worker_failed("the worker cannot be reached: expected a retry later");
    };
    match code {
        ProblemCode::ContextLengthExceeded => ApiError::context_length(message.clone()),
        ProblemCode::InvalidJob => ApiError::invalid(message.clone()),
        ProblemCode::Busy => ApiError::busy(message.clone()),
        ProblemCode::Unavailable => {
            ApiError::unavailable("the worker cannot look up the chain: expected a retry later")
        }
        ProblemCode::Unauthorised
        | ProblemCode::GatewayNotBonded
        | ProblemCode::UnknownAsset
        | ProblemCode::PriceTooLow
        | ProblemCode::Contradiction
        | ProblemCode::Internal => {
            tracing::warn!(%message, "a worker refused");
            ApiError::worker_failed("the worker refused the gateway")
        }
    }
}
