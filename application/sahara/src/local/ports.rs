//! Which port is whose.

use serde::{Deserialize, Serialize};

/// The ports of a local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ports {
    /// JSON-RPC over HTTP and WebSocket of the first node.
    pub(crate) rpc: u16,
    /// Gateway and web.
    pub(crate) gateway: u16,
    /// Metrics of the first node.
    pub(crate) metrics: u16,
    /// The worker.
    pub(crate) worker: u16,
    /// First of the ports on which validators speak to each other.
    pub(crate) peers: u16,
    /// JSON-RPC of the second node; the following come after it.
    pub(crate) more_rpc: u16,
    /// Metrics of the second node; the following come after it.
    pub(crate) more_metrics: u16,
}

impl Ports {
    /// The well-known ports, or a block of a hundred from `base`.
    pub(crate) fn new(base: Option<u16>) -> Option<Self> {
        let Some(base) = base else {
            return Some(Self {
                rpc: 8545,
                gateway: 8080,
                metrics: 9615,
                worker: 8090,
                peers: 9700,
                more_rpc: 8645,
                more_metrics: 9616,
            });
        };
        base.checked_add(99)?;
        let at = |offset: u16| base.saturating_add(offset);
        Some(Self {
            rpc: base,
            gateway: at(1),
            metrics: at(2),
            worker: at(3),
            peers: at(10),
            more_rpc: at(30),
            more_metrics: at(60),
        })
    }

    /// JSON-RPC of node `index`.
    pub(crate) const fn rpc_of(&self, index: u16) -> u16 {
        if index == 0 { self.rpc } else { self.more_rpc.saturating_add(index).saturating_sub(1) }
    }

    /// Metrics of node `index`.
    pub(crate) const fn metrics_of(&self, index: u16) -> u16 {
        if index == 0 {
            self.metrics
        } else {
            self.more_metrics.saturating_add(index).saturating_sub(1)
        }
    }

    /// Peer port of node `index`.
    pub(crate) const fn peer_of(&self, index: u16) -> u16 {
        self.peers.saturating_add(index)
    }
}
