//! Jobs, workers, the meter and receipts; engines behind one trait.
//!
//! # Model
//! A *job* is one answer to one prompt by one asset (a model, or an agent that embeds one). A
//! [`Gateway`](GatewayKey) asks a [`Worker`] for it, signed; the worker runs it on an [`Engine`] and
//! streams tokens, which the [`Meter`] counts once, as they pass. When the answer has ended, the
//! gateway proposes a [`Receipt`](sahara_primitives::Receipt); the worker checks it against its meter
//! and signs it and what it has earned on the channel by now. Then the gateway signs too.
//!
//! # Invariants
//! - W1 A worker signs earnings of a (channel, asset) in steps of exactly one receipt: from what it
//!   signed last, from what it signed before that, or from what the chain has paid.
//! - W2 A worker signs no more tokens than its meter counted, at no lower prices than it asked.
//! - W3 A job that cannot be done, or whose gateway could not pay, is refused before any work.
//! - W4 A job ends when the gateway drops its connection.
//! - W5 [`Bundle::verify`] accepts a receipt only if everything follows from the genesis hash.
//!
//! # Failure and recovery
//! What the worker signed is on disk before the signature leaves; asked again for the same
//! receipt, it gives the same signatures. The bounds of a job are on disk before its first token,
//! so a worker that was killed still signs for what the gateway delivered.
#![forbid(unsafe_code)]

mod bundle;
mod clock;
mod config_file;
mod engine;
mod meter;
mod signature;
mod terms;
mod wire;
mod worker;
mod worker_client;

pub use bundle::{Bundle, BundleError, ChainProof, LogProof, Opening, Payment, Verified, payments};
pub use clock::Clock;
pub use config_file::{ConfigError, ConfigFile, EngineConfig};
pub use engine::{Engine, EngineCard, EngineError, Limits, OwnEngine, Piece, RemoteEngine, Run};
pub use meter::Meter;
pub use signature::{
    GatewayKey, JobToken, SignatureError, TokenError, earning_hash, recover, sign, token_header,
};
pub use terms::Terms;
pub use wire::{
    Card, Event, FinishReason, Input, Job, Message, Problem, ProblemCode, Role, Sampling,
    SignRequest, Signed,
};
pub use worker::{
    AgentCard, ChainSilent, PATIENCE, Served, StartError, Worker, WorkerChain, WorkerConfig,
};
pub use worker_client::{JobStream, WorkerClient, WorkerError};
