//! How far the chain is final, and how far the ledger has applied it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

/// Two heights that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heights {
    /// The highest block known to be final; its ancestors may still have to be fetched.
    pub finalized: u64,
    /// The highest block the ledger has applied.
    pub applied: u64,
}

/// Shares [`Heights`] between those who advance them and those who wait.
#[derive(Clone, Debug)]
pub(super) struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    heights: watch::Sender<Heights>,
    waiting: Mutex<Vec<Waiting>>,
}

/// Who waits for a height to be applied. Woken in the order in which they came, which the channel
/// of heights does not promise: so a simulated run depends on nothing but its seed.
#[derive(Debug)]
struct Waiting {
    height: u64,
    wake: oneshot::Sender<()>,
}

impl Progress {
    pub(super) fn new(applied: u64) -> Self {
        let heights = watch::Sender::new(Heights { finalized: applied, applied });
        Self(Arc::new(Shared { heights, waiting: Mutex::default() }))
    }

    pub(super) fn saw_finalized(&self, height: u64) {
        self.0.heights.send_if_modified(|heights| {
            let grows = height > heights.finalized;
            heights.finalized = heights.finalized.max(height);
            grows
        });
    }

    pub(super) fn applied(&self, height: u64) {
        self.0.heights.send_modify(|heights| {
            heights.applied = heights.applied.max(height);
            heights.finalized = heights.finalized.max(height);
        });
        let mut waiting = self.0.waiting.lock();
        for reached in waiting.extract_if(.., |one| one.height <= height) {
            // Who went away meanwhile need not know.
            let _gone = reached.wake.send(());
        }
    }

    pub(super) fn finalized_height(&self) -> u64 {
        self.0.heights.borrow().finalized
    }

    /// Resolves when the ledger has applied `height`.
    pub(super) async fn wait_applied(&self, height: u64) {
        let reached = {
            let mut waiting = self.0.waiting.lock();
            // Under the lock: who advances wakes those who wait after the heights have changed.
            if self.0.heights.borrow().applied >= height {
                return;
            }
            waiting.retain(|one| !one.wake.is_closed());
            let (wake, reached) = oneshot::channel();
            waiting.push(Waiting { height, wake });
            reached
        };
        // Its other end lives as long as `self`, so waiting cannot fail.
        let _reached = reached.await;
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Heights> {
        self.0.heights.subscribe()
    }
}
