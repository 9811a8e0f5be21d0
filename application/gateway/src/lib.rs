//! HTTP for strangers: the OpenAI-compatible API, payment and receipts.
//!
//! # Model
//! A request comes with an API key, over which a payer granted this gateway a capped part of its
//! deposit, or with a payment that answers an HTTP 402. The gateway sets money aside on chain,
//! waits until that is final, has a [worker](sahara_compute) answer, writes a receipt, and collects
//! for everyone it names within a second.
//!
//! # Invariants
//! - G1 What a channel has spent and holds for running requests never exceeds its deposit and caps,
//!   the daily cap on whatever day it is collected.
//! - G2 A request is charged at most once, whatever is retried or killed.
//! - G3 No token leaves before the reservation is final and on disk; no answer ends before its
//!   receipt is on disk.
//! - G4 One id, one body, one result; another body under the id is refused.
//! - G5 A client that leaves pays for the tokens handed to its connection, and no more.
//! - G6 Receipts of a channel are signed by both parties, name their predecessor, and no number is
//!   used twice; claims follow their order, and none waits for a worker.
//! - G7 A payment pays for one request: not for another URL, body, price or chain.
//! - G8 No work is done for a payer without the right that final state grants, at most a second old.
//! - G9 A counted licence serves no more than is left of it, and a use is counted once, with its claim.
//!
//! # Failure and recovery
//! A request is *reserved* (on disk before the first token), *running* (a stream's delivered tokens
//! are written one by one), *delivered*, *signed* (receipt, sums, answer and outcome in one write),
//! *submitted* and *settled*. A kill before work forgets it; mid-stream what was delivered is owed
//! until its worker signs for it; after that nothing is lost, and whether a claim arrived is read
//! from the channel's own `seq` on chain. Until then its outcome is `pending`, never failed. A store
//! that was lost goes on from the chain.
//!
//! See `specs/0010-gateway.md`.
#![forbid(unsafe_code)]

mod account;
mod admit;
mod answer;
mod catalog;
mod chain;
mod config_file;
mod drive;
mod error;
mod gateway;
mod heard;
mod history;
mod http;
mod keys;
mod licensing;
mod listen;
mod logs;
mod metrics;
mod names;
mod openai;
mod page;
mod progress;
mod purge;
mod quota;
mod receipts;
mod recover;
mod repeat;
mod rights;
mod rows;
mod rpc_node;
mod run;
mod settle;
mod sign;
mod sign_in;
mod store;
pub mod stranger;
mod sums;
mod watch;
mod x402;

pub use chain::{ChainError, Mined, Node};
pub use config_file::{AllowanceTerms, ConfigFile, DEFAULT_VAULT_CAPACITY};
pub use error::ApiError;
pub use gateway::{Bounds, Gateway, GatewayConfig, Patience, StartError};
pub use history::Used;
pub use page::{Newcomer, PageCall};
pub use rpc_node::RpcNode;
pub use sign_in::SignIn;
pub use store::StoreError;
pub use x402::RequestPayment;

#[cfg(test)]
mod tests;
