//! Consensus.

mod application;
mod delivery;
mod engine;
mod evidence;
pub mod gossip;
mod ledger;
mod node;
mod progress;
mod storage;
mod timing;

pub use delivery::Delivery;
pub use engine::{CHANNELS, Channels, Engine, Peers, Runtime, ValidatorConfig, start};
pub use gossip::{GossipWire, ReceivedTransaction, TransactionGossip, transaction_gossip};
pub use ledger::{BuildContext, Ledger};
pub use node::{ConsensusConfig, ConsensusError, ConsensusHandle, run};
pub use progress::Heights;
pub use timing::Timing;
