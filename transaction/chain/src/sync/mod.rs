//! State sync: a new node fetches the state after a recent block instead of executing all before.
//!
//! # Model
//! ```text
//! genesis hash -> validators of epoch 0 -> handovers -> validators of now      trust.rs
//!    -> certificate of a recent block (the target) -> header -> state root
//!    -> nodes of the tries, each held against the hash its parent names        store/sync.rs
//!    -> flat rows, counted again -> the target becomes the head, and the node goes on as any other
//! ```
//! Nobody makes a snapshot and nobody is trusted with one: a peer sends runs of trie nodes in the
//! order in which its own rows stand ([`trie::open`](crate::trie::open)), and each node is proven by
//! the one above it, up to the state root. [`Join`] decides whom to ask for what; [`serve`] answers
//! from states that [`Store`](crate::store::Store) holds pinned. `specs/0021-state-sync.md` numbers
//! the invariants.
//!
//! When the node runs, [`fill`] fetches the blocks from before the state, as far as the history mode wants
//! them: each is the one that its child names.
//!
//! # Failure
//! Whoever sends what does not verify is dropped for good, and another is asked. Whoever does not
//! answer is asked again later. A node that is killed goes on where it was. When nobody holds the
//! target any more, a newer one is taken, and only what changed is fetched.

mod client;
mod past;
mod serve;
mod trust;
pub mod wire;

pub use client::{Join, JoinError, Progress, Track};
pub use past::{Past, Validators, fill};
pub use serve::{Handovers, Heard, Library, StateLibrary, start};
pub use trust::{BaseParts, Trust, TrustError};

use commonware_runtime::Quota;
use commonware_utils::NZU32;

/// The logical channel of state sync.
pub const CHANNEL: u64 = 6;

/// Requests and answers that a peer may send in a second: at 256 KiB each 64 MiB.
pub const QUOTA: Quota = Quota::per_second(NZU32!(256)).allow_burst(NZU32!(64));
