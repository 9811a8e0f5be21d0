//! A validator at work, seen from outside its thread.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use super::{node::ConsensusError, progress::Heights, thread::Thread};

/// A validator at work. Dropping it asks the validator to stop and does not wait.
pub struct ConsensusHandle {
    pub(super) thread: Thread<()>,
    pub(super) status: ConsensusStatus,
}

/// Gives the metrics as text.
pub(super) type MetricsSource = Arc<dyn Fn() -> String + Send + Sync>;

impl fmt::Debug for ConsensusHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConsensusHandle")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How a validator is doing; outlives it. Clones see the same.
#[derive(Clone)]
pub struct ConsensusStatus {
    pub(super) heights: watch::Receiver<Heights>,
    pub(super) peers: watch::Receiver<usize>,
    pub(super) metrics: watch::Receiver<Option<MetricsSource>>,
}

impl fmt::Debug for ConsensusStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConsensusStatus")
            .field("heights", &*self.heights.borrow())
            .field("peers", &self.peers())
            .finish_non_exhaustive()
    }
}

impl ConsensusStatus {
    /// How far the chain is final and applied.
    #[must_use]
    pub fn heights(&self) -> watch::Receiver<Heights> {
        self.heights.clone()
    }

    /// How many other validators it has a connection to, as of a second ago.
    #[must_use]
    pub fn peers(&self) -> usize {
        *self.peers.borrow()
    }

    /// The metrics of consensus, network and storage in the text format of Prometheus; empty
    /// while it starts and when it has ended.
    #[must_use]
    pub fn metrics(&self) -> String {
        let source = self.metrics.borrow().clone();
        source.map_or_else(String::new, |encode| encode())
    }
}

impl ConsensusHandle {
    /// How the validator is doing.
    #[must_use]
    pub fn status(&self) -> ConsensusStatus {
        self.status.clone()
    }

    /// How far the chain is final and applied.
    #[must_use]
    pub fn heights(&self) -> watch::Receiver<Heights> {
        self.status.heights()
    }

    /// See [`ConsensusStatus::metrics`].
    #[must_use]
    pub fn metrics(&self) -> String {
        self.status.metrics()
    }

    /// Resolves when the validator has ended by itself, which is always an error.
    ///
    /// # Errors
    /// Why it ended.
    pub async fn ended(&mut self) -> Result<(), ConsensusError> {
        self.thread.ended().await
    }

    /// Asks the validator to stop and waits until everything it had to write is written.
    ///
    /// # Errors
    /// If it ended otherwise before.
    pub async fn stop(self) -> Result<(), ConsensusError> {
        self.thread.stop().await
    }
}
