//! [`Engine`]: what computes answers. Two exist: our own, and anything that speaks OpenAI's API.

mod own;
mod remote;

pub use own::OwnEngine;
pub use remote::RemoteEngine;

use crate::{FinishReason, Input, Sampling};
use alloy_primitives::B256;
use futures::{future::BoxFuture, stream::BoxStream};
use sahara_primitives::{DeterminismClass, TokenCount};

/// What an engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineCard {
    /// How far its answers can be checked.
    pub class: DeterminismClass,
    /// BLAKE3 of the weights; zero where they are not known.
    pub model_root: B256,
    /// The most tokens of prompt and answer together.
    pub context_length: TokenCount,
}

/// What comes out of an engine: tokens, then one end. Ending without one is a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// One token and the text it adds.
    Token(String),
    /// The answer is complete.
    End(FinishReason),
}

/// A running answer; dropping it stops the work.
pub struct Run {
    /// Tokens of the prompt with its template.
    pub prompt_tokens: TokenCount,
    /// What comes out.
    pub pieces: BoxStream<'static, Result<Piece, EngineError>>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("prompt_tokens", &self.prompt_tokens).finish_non_exhaustive()
    }
}

/// Why an engine gives no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Prompt and answer do not fit.
    #[error(
        "the prompt has {prompt} tokens, with {max_tokens} for the answer that is more than the context of {context}: expected a shorter prompt or a smaller max_tokens"
    )]
    TooLong {
        /// Tokens of the prompt.
        prompt: TokenCount,
        /// Tokens asked for.
        max_tokens: TokenCount,
        /// Tokens that fit.
        context: TokenCount,
    },
    /// The prompt is longer than what is paid for.
    #[error("the prompt has {prompt} tokens, paid for are at most {most}")]
    PromptTooLong {
        /// Tokens of the prompt.
        prompt: TokenCount,
        /// Tokens paid for.
        most: TokenCount,
    },
    /// The input cannot be put to the model.
    #[error("{0}")]
    InvalidInput(String),
    /// No place for another conversation.
    #[error("the engine is busy: expected fewer conversations at a time")]
    Busy,
    /// The computation failed.
    #[error("the engine failed: {0}")]
    Failed(String),
}

/// How much may be read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most tokens to write.
    pub max_tokens: TokenCount,
    /// Whether fewer will do when the context leaves less.
    pub is_flexible: bool,
    /// The most tokens to read.
    pub max_prompt_tokens: TokenCount,
}

impl Limits {
    /// The most tokens to write after a prompt of that many, in a context of that many.
    ///
    /// # Errors
    /// [`EngineError::TooLong`], [`EngineError::PromptTooLong`].
    pub fn check(
        &self,
        prompt: TokenCount,
        context: TokenCount,
    ) -> Result<TokenCount, EngineError> {
        let room = context.saturating_sub(prompt);
        if room == 0 || (room < self.max_tokens && !self.is_flexible) {
            return Err(EngineError::TooLong { prompt, max_tokens: self.max_tokens, context });
        }
        if prompt > self.max_prompt_tokens {
            return Err(EngineError::PromptTooLong { prompt, most: self.max_prompt_tokens });
        }
        Ok(self.max_tokens.min(room))
    }
}

/// What computes answers.
pub trait Engine: Send + Sync + std::fmt::Debug {
    /// What it is.
    fn card(&self) -> EngineCard;

    /// Tokens of an input with its template.
    ///
    /// # Errors
    /// [`EngineError::InvalidInput`].
    fn prompt_tokens(&self, input: &Input) -> Result<TokenCount, EngineError>;

    /// Starts an answer within limits, or refuses before any work.
    fn start<'a>(
        &'a self,
        input: &'a Input,
        limits: Limits,
        sampling: Sampling,
        stop: &'a [String],
    ) -> BoxFuture<'a, Result<Run, EngineError>>;
}
