//! How far the chain is final, and how far the ledger has applied it.

use std::sync::Arc;

use tokio::sync::watch;

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
pub(super) struct Progress(Arc<watch::Sender<Heights>>);

impl Progress {
    pub(super) fn new(applied: u64) -> Self {
        Self(Arc::new(watch::Sender::new(Heights { finalized: applied, applied })))
    }

    pub(super) fn saw_finalized(&self, height: u64) {
        self.0.send_if_modified(|heights| {
            let grows = height > heights.finalized;
            heights.finalized = heights.finalized.max(height);
            grows
        });
    }

    pub(super) fn applied(&self, height: u64) {
        self.0.send_modify(|heights| {
            heights.applied = heights.applied.max(height);
            heights.finalized = heights.finalized.max(height);
        });
    }

    pub(super) fn finalized_height(&self) -> u64 {
        self.0.borrow().finalized
    }

    /// Resolves when the ledger has applied `height`.
    pub(super) async fn wait_applied(&self, height: u64) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _heights = receiver.wait_for(|heights| heights.applied >= height).await;
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Heights> {
        self.0.subscribe()
    }
}
