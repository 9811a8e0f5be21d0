//! How long what may take.

use std::time::Duration;

use commonware_utils::{NZDuration, NonZeroDuration};

/// The durations of consensus. Every validator should have the same; differing ones cost speed,
/// never safety.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// An empty block is proposed after this long without work.
    pub heartbeat: Duration,
    /// How long a leader has for its proposal. It waits for work for one heartbeat of it.
    pub leader_timeout: Duration,
    /// How long a round has until its proposal is certified.
    pub certification_timeout: Duration,
    /// After how long the wish to skip a round is repeated.
    pub timeout_retry: Duration,
    /// A leader not heard of for this long is skipped without waiting: after 5 s, a crashed
    /// validator costs nothing but its turns.
    pub skip_timeout: Duration,
    /// How long a peer may take to answer a request.
    pub fetch_timeout: NonZeroDuration,
    /// How long to wait before asking again.
    pub fetch_retry_delay: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(1),
            leader_timeout: Duration::from_secs(2),
            certification_timeout: Duration::from_secs(3),
            timeout_retry: Duration::from_millis(500),
            skip_timeout: Duration::from_secs(5),
            fetch_timeout: NZDuration!(Duration::from_secs(2)),
            fetch_retry_delay: Duration::from_millis(100),
        }
    }
}
