//! Agreement on the next block: simplex decides, marshal orders and archives, the node executes.
//!
//! # Model
//! ```text
//!            +------------------------- this module -------------------------+
//!  peers <---> network --> simplex --> Application ---- hold, check, build --> Ledger (the node)
//!   TCP      |    |           |                                               |     ^
//!            |    +-------> marshal --> Delivery --> Courier --- finalize ----+-----+
//!            |    |        (archives)                                         |
//!            |    +-------> gossip <------------- TransactionGossip ----------+--> pool
//!            +---------------------------------------------------------------+
//! ```
//! Time is cut into views, each with a leader. The leader builds and executes a block
//! and sends it; the others execute it and vote (notarise, then finalize). A block is final with
//! the finalize votes of more than two thirds, two round trips after it was sent. A view whose
//! leader is silent is skipped by votes (nullified); its block, if any, may then never be final.
//!
//! # The seam
//! The node implements [`Ledger`] and calls [`run`], which starts a thread with consensus's own
//! runtime and returns a [`ConsensusHandle`]. Inside, the ledger's type is erased, so that the
//! engine is compiled once, in this crate. What is promised to the ledger:
//! 1. `build` and `check` come only for a parent that the ledger holds, and never two at a time.
//! 2. `finalize` comes once for each height, in order, without gaps, across restarts, and its
//!    return means that the effects are durable: then, and only then, is the block acknowledged.
//! 3. What follows from parent, seal and validators (link, time, randomness, beneficiary, fixed
//!    fields) is checked before the ledger is asked, by [`sahara_finality::check_child`].
//!
//! # Epochs
//! Every epoch has its own validators and its own engine of simplex ([`orchestrator`]). The ledger
//! says who they are ([`Ledger::validators`]); staking fills that. A node that is not among them
//! listens and executes.
//!
//! # After a restart
//! The ledger holds only its last final block. The round may go on above it: asked to build on,
//! or to judge a child of, a notarised block that this process never executed, the application
//! walks marshal's ancestry down to a block that is held and executes upwards from there. Blocks
//! that are known to be final are awaited instead, since the courier brings them in order. A
//! branch that finality has passed by is given up: none of its blocks can be final any more.
//!
//! Votes are journaled before they are sent, under the storage directory. It belongs to the
//! consensus key; without it, a validator could contradict what it signed, which the [`Guard`]
//! prevents. A ledger that lost
//! blocks is refilled from marshal's archive. The reverse, a lost archive, begins anew at the
//! ledger's newest block that has a certificate of its own: what is below, peers may not have.
//!
//! # Idle
//! A leader waits for work, and after one [`Timing::heartbeat`] without proposes an empty block.
//! Nothing polls in between.
//!
//! # Failure
//! A part that ends or panics ends the whole: [`ConsensusHandle::ended`] says why. Disk errors of
//! consensus's own files panic on purpose.
//!
//! # Limits of now
//! The archives keep all blocks, beside the ledger's own, and are never pruned.

mod application;
mod delivery;
mod early;
mod engine;
mod epochs;
mod evidence;
pub mod gossip;
mod guard;
mod handle;
mod inbox;
mod join;
mod leaders;
mod ledger;
mod log;
mod network;
mod node;
mod orchestrator;
mod presence;
mod progress;
mod said;
mod storage;
mod thread;
mod timing;

pub use delivery::Delivery;
pub use engine::{CHANNELS, Channels, Engine, Peers, Runtime, TrackPeers, ValidatorConfig, start};
pub use evidence::{Evidence, Fault};
pub use gossip::{GossipWire, TransactionGossip, transaction_gossip};
pub use guard::{Guard, GuardError, LostVotes, Signed, VIEWS_AHEAD};
pub use handle::{ConsensusHandle, ConsensusStatus};
pub use inbox::{Inbox, ReceivedTransaction, Verdict};
pub use join::{JoinHandle, StateSource, join};
pub use leaders::{Leaders, Schedule};
pub use ledger::{BuildContext, Certified, Ledger};
pub use node::{ConsensusConfig, ConsensusError, run};
pub use progress::Heights;
pub use said::{Content, Envelope, Missed, MissedBlock, Said, requested_block};
pub use timing::Timing;
