//! [`OwnEngine`]: the deterministic engine, class D1.

use super::{Engine, EngineCard, EngineError, Limits, Piece, Run};
use crate::{FinishReason, Input, Role, Sampling};
use alloy_primitives::B256;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use sahara_engine::{
    ChatMessage, Engine as Deterministic, Event, GenerateRequest, Generation, RequestError,
};
use sahara_primitives::{DeterminismClass, TokenCount};
use std::sync::Arc;

/// Our own engine: anyone with the same weights recomputes its answers bit for bit.
#[derive(Clone, Debug)]
pub struct OwnEngine(Arc<Deterministic>);

impl OwnEngine {
    /// The face of a running engine.
    pub const fn new(engine: Arc<Deterministic>) -> Self {
        Self(engine)
    }

    fn tokens(&self, input: &Input) -> Result<Vec<u32>, EngineError> {
        let invalid = |error: String| EngineError::InvalidInput(error);
        let model = self.0.model();
        match input {
            Input::Text(text) => {
                model.tokenizer().encode(text).map_err(|error| invalid(error.to_string()))
            }
            Input::Chat(messages) => {
                let messages: Vec<_> = messages
                    .iter()
                    .map(|message| ChatMessage::new(role(message.role), message.content.clone()))
                    .collect();
                model.chat_prompt(&messages).map_err(|error| invalid(error.to_string()))
            }
        }
    }

    fn run(
        &self,
        input: &Input,
        limits: Limits,
        sampling: Sampling,
        stop: &[String],
    ) -> Result<Run, EngineError> {
        let tokens = self.tokens(input)?;
        let prompt_tokens = count(tokens.len());
        let max_tokens = limits.check(prompt_tokens, count(self.0.model().context_length()))?;
        let request = GenerateRequest {
            prompt_tokens: tokens,
            max_tokens: usize::try_from(max_tokens).unwrap_or(usize::MAX),
            sampling: sahara_engine::Sampling {
                temperature_milli: sampling.temperature_milli,
                seed: sampling.seed,
            },
            stop: stop.to_vec(),
        };
        let generation = self.0.submit(request).map_err(|error| match error {
            RequestError::Busy(_) => EngineError::Busy,
            other => EngineError::InvalidInput(other.to_string()),
        })?;
        Ok(Run { prompt_tokens, pieces: stream::unfold(generation, next).boxed() })
    }
}

async fn next(mut generation: Generation) -> Option<(Result<Piece, EngineError>, Generation)> {
    let piece = match generation.next_event().await? {
        Event::Token(piece) => Ok(Piece::Token(piece.text)),
        Event::Done { finish_reason, .. } => match finish_reason {
            sahara_engine::FinishReason::Stop => Ok(Piece::End(FinishReason::Stop)),
            sahara_engine::FinishReason::Length => Ok(Piece::End(FinishReason::Length)),
            sahara_engine::FinishReason::Cancelled => {
                Err(EngineError::Failed("the job was cancelled".into()))
            }
        },
        Event::Failed(failure) => Err(EngineError::Failed(failure.to_string())),
    };
    Some((piece, generation))
}

impl Engine for OwnEngine {
    fn card(&self) -> EngineCard {
        let model = self.0.model();
        EngineCard {
            class: DeterminismClass::D1,
            model_root: B256::from(*model.id().file_hash()),
            context_length: count(model.context_length()),
        }
    }

    fn prompt_tokens(&self, input: &Input) -> Result<TokenCount, EngineError> {
        Ok(count(self.tokens(input)?.len()))
    }

    fn start<'a>(
        &'a self,
        input: &'a Input,
        limits: Limits,
        sampling: Sampling,
        stop: &'a [String],
    ) -> BoxFuture<'a, Result<Run, EngineError>> {
        async move { self.run(input, limits, sampling, stop) }.boxed()
    }
}

const fn role(role: Role) -> sahara_engine::Role {
    match role {
        Role::System => sahara_engine::Role::System,
        Role::User => sahara_engine::Role::User,
        Role::Assistant => sahara_engine::Role::Assistant,
    }
}

fn count(tokens: usize) -> TokenCount {
    TokenCount::try_from(tokens).unwrap_or(TokenCount::MAX)
}
