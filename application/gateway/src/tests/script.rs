//! [`Script`]: an engine that says what it is told to.

use alloy_primitives::keccak256;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use sahara_compute::{
    Engine, EngineCard, EngineError, FinishReason, Input, Limits, Piece, Run, Sampling,
};
use sahara_primitives::{DeterminismClass, TokenCount};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::Semaphore;

/// Says `t0 t1 t2 ...` up to a length, one token a permit.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) permits: Semaphore,
    pub(crate) length: std::sync::atomic::AtomicU32,
    /// It does not stop at what was asked for.
    pub(crate) is_greedy: std::sync::atomic::AtomicBool,
    pub(crate) starts: AtomicU64,
    pub(crate) ends: AtomicU64,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            permits: Semaphore::new(10_000),
            length: 5.into(),
            is_greedy: false.into(),
            starts: AtomicU64::new(0),
            ends: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.starts.load(Ordering::SeqCst) == self.ends.load(Ordering::SeqCst)
    }
}

/// A running job; says when it is gone.
struct Running(Arc<Script>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.ends.fetch_add(1, Ordering::SeqCst);
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ScriptEngine(pub(crate) Arc<Script>);

impl Engine for ScriptEngine {
    fn card(&self) -> EngineCard {
        EngineCard {
            class: DeterminismClass::D1,
            model_root: keccak256("script"),
            context_length: 1_000,
        }
    }

    fn prompt_tokens(&self, input: &Input) -> Result<TokenCount, EngineError> {
        let words = |text: &str| text.split_whitespace().count();
        let words = match input {
            Input::Chat(messages) => messages.iter().map(|one| words(&one.content) + 4).sum(),
            Input::Text(text) => words(text),
        };
        Ok(TokenCount::try_from(words).unwrap())
    }

    fn start<'a>(
        &'a self,
        input: &'a Input,
        limits: Limits,
        _: Sampling,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Run, EngineError>> {
        async move {
            let prompt_tokens = self.prompt_tokens(input)?;
            let most = limits.check(prompt_tokens, 1_000)?;
            self.0.starts.fetch_add(1, Ordering::SeqCst);
            let running = Arc::new(Running(Arc::clone(&self.0)));
            let pieces = stream::unfold(Some(0), move |next| {
                let running = Arc::clone(&running);
                async move {
                    let script = &running.0;
                    let number: TokenCount = next?;
                    if number == most && !script.is_greedy.load(Ordering::SeqCst) {
                        return Some((Ok(Piece::End(FinishReason::Length)), None));
                    }
                    if number == script.length.load(Ordering::SeqCst) {
                        return Some((Ok(Piece::End(FinishReason::Stop)), None));
                    }
                    script.permits.acquire().await.unwrap().forget();
                    Some((Ok(Piece::Token(format!("t{number} "))), Some(number + 1)))
                }
            });
            Ok(Run { prompt_tokens, pieces: pieces.boxed() })
        }
        .boxed()
    }
}
