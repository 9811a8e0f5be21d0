//! JSON-RPC over HTTP and WebSocket: what wallets, libraries and explorers call.
//!
//! # Model
//! [`RpcServer`] answers for one [`Node`] on one port. Reads come from the store of final blocks:
//! `latest`, `safe` and `finalized` are the same block, and nothing shown is ever taken back.
//! `pending` is the latest state, with the pool counted in for nonces. Transactions go into the
//! pool; `eth_sendRawTransactionSync` waits until they are final.
//!
//! Short reads are answered where they arrive; calls, traces, proofs and searches run on threads of
//! their own, as many at once as there are cores, so that consensus keeps its turn; clients that wait are
//! served in turn.
//!
//! # Safety
//! Only requests whose `Host` header names the loopback, or a name allowed in [`RpcSettings`], are
//! answered: a web page cannot reach a local node by DNS rebinding. Bodies, batches, connections, the
//! time a request may take to arrive, calls of a connection at once, answers that nobody reads,
//! filters, what subscriptions look for, log searches and the gas of calls are bounded. Ids of filters
//! and subscriptions cannot be guessed. No keys are held. Errors carry the words that tools look for,
//! and nothing of the inside.
//!
//! [`monitor_routes`] are metrics, health and readiness, for a port of their own. While the state is
//! fetched and there is nothing to ask, [`Fetching`] answers in their place.

mod computing;
mod debug;
mod error;
mod eth;
mod fetching;
mod handovers;
mod listen;
mod measure;
mod monitor;
mod net;
mod node;
mod sahara;
mod server;
mod txpool;
mod view;

pub use fetching::Fetching;
pub use listen::{Place, Places, ReadInTime};
pub use monitor::monitor_routes;
pub use node::{Node, PeerCount};
pub use server::{Requests, RpcServer, RpcSettings, ServerError};
