//! Deterministic integer language-model inference: the same bits on any machine, thread count and batch.
//!
//! # Model
//! A [`Model`] is one GGUF file in memory. An [`Engine`] computes with it on threads of its own and interleaves any
//! number of conversations. A [`GenerateRequest`] becomes a [`Generation`], a bounded stream of [`Event`]s; a claimed
//! answer becomes a [`Verification`].
//!
//! # Class D1
//! Weights are four- or eight-bit, activations eight-bit integers in blocks of 32; their products and sums are exact.
//! Every float reduction runs in one stated order, nothing is fused, and no function comes from the machine's
//! mathematical library. So an answer is a function of (model file, prompt, sampling), and anyone can recompute it.
//! `specs/0006-engine.md` is the definition.
//!
//! ```text
//! Engine ─ Scheduler ─ Job            who computes next, what its logits mean
//!             │          ├ Sampler    which token follows
//!             │          └ Composer   which text may be shown
//!          forward ─ kernels          rows through the network
//!             │        ├ scalar       the reference
//!             │        └ avx2         the same bits, faster
//!          Pool      Matrix, Cache
//! ```
//!
//! # Failure
//! A request that cannot be computed is refused before any work ([`RequestError`]). A hostile model file is an error,
//! never a panic. A receiver that does not read is waited for without holding up the others.
//!
//! Own crate because it keeps tokenizer and template engine away from others, and because it knows nothing of chains.

mod activations;
mod cache;
mod composer;
mod engine;
mod forward;
mod generation;
mod gguf;
mod job;
mod kernels;
mod math;
mod matrix;
mod model;
mod pool;
mod rope;
mod sampler;
mod scheduler;
mod shape;
mod template;
mod tokenizer;

#[cfg(test)]
mod tests;

pub use composer::Piece;
pub use engine::{
    Engine, EngineOptions, GenerateRequest, MAX_STOP_BYTES, MAX_STOPS, RequestError, StartError,
};
pub use generation::{Difference, Event, Failure, FinishReason, Generation, Verification};
pub use gguf::GgufError;
pub use job::Claim;
pub use kernels::Simd;
pub use model::{CLASS, LoadError, LoadOptions, Model, ModelId};
pub use sampler::{MAX_TEMPERATURE_MILLI, Sampling};
pub use template::{ChatMessage, Role, TemplateError};
pub use tokenizer::{TextStream, Tokenizer, TokenizerError};
