//! The finalised chain and its state on disk, and the blocks that wait above it.
//!
//! # Model
//! One database holds everything. A finalised block is one atomic batch with one fsync: block,
//! receipts, indices, flat state, trie rows, the old values for history, and the head's number.
//! Whatever is killed when, the database holds a whole number of blocks.
//!
//! Reads take a snapshot of the last commit, so a caller never sees half a block, and never waits
//! for one that is being written.
//!
//! Blocks that are executed and not final live in [`PendingStates`], in memory: a tree of layers
//! over the head. A state is read through its layers; a state root is computed over them; nothing
//! reaches the disk before the block is final, so nothing ever has to be undone.
//!
//! # Format
//! The keyspaces with their keys and rows are listed in `tables.rs`; `specs/0002-state.md` has
//! the invariants.
//!
//! # Failure and recovery
//! A failed batch leaves the previous block as the head. Committing a final block again does
//! nothing, so whoever delivers blocks may deliver them twice. A gap, another parent, another
//! genesis and a newer format are refused. A damaged row is an error that names it.

mod chain;
mod commit;
mod error;
mod evidence;
mod flat;
mod formats;
mod genesis;
mod handle;
mod history;
mod logs;
mod node_history;
mod past;
mod pending;
mod pins;
mod recount;
mod room;
mod state;
mod sync;
mod tables;

pub use commit::{Committed, ExecutedBlock};
pub use error::StoreError;
pub use evidence::MAX_EVIDENCE;
pub use genesis::{Genesis, allocation, genesis_root};
pub use handle::{Head, History, Store, StoreOptions};
pub use logs::{FoundLog, LogBlooms, LogFilter, LogLimits};
pub use past::{PastBlock, ProvenBlock};
pub use pending::{PendingState, PendingStates};
pub use pins::{PinnedState, Pivot, Run};
pub use recount::Recount;
pub use room::free_bytes;
pub use state::{AccountProof, StateView, StorageProof};
pub use sync::{Base, Need, Place, SyncStore, TakeError};
