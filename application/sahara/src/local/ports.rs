//! Which port is whose.

use crate::failure::Failure;
use eyre::Result;
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

    /// Whose every port is, for a number of nodes.
    pub(crate) fn all(&self, validators: u16) -> Vec<(u16, String)> {
        let of = |index: u16, what: &str| match validators {
            1 => format!("the node's {what}"),
            _ => format!("{what} of node {index}"),
        };
        let nodes = (0..validators).flat_map(|index| {
            [
                (self.rpc_of(index), of(index, "JSON-RPC")),
                (self.metrics_of(index), of(index, "metrics")),
                (self.peer_of(index), of(index, "peer port")),
            ]
        });
        let services = [
            (self.gateway, String::from("the gateway")),
            (self.worker, String::from("the worker")),
        ];
        nodes.chain(services).collect()
    }

    /// A port in use is said at once, with all others, not after a minute of restarts.
    pub(crate) fn refuse_used(&self, validators: u16) -> Result<()> {
        let used: Vec<_> = self
            .all(validators)
            .into_iter()
            .filter_map(|(port, whose)| {
                let error = std::net::TcpListener::bind(("127.0.0.1", port)).err()?;
                let why = match error.kind() {
                    std::io::ErrorKind::AddrInUse => String::from("another program listens there"),
                    _ => error.to_string(),
                };
                Some(format!("127.0.0.1:{port}, needed for {whose} ({why})"))
            })
            .collect();
        if used.is_empty() {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "cannot use {}: stop what uses it, or take other ports with --port-base{}",
            used.join("; "),
            free_base().map_or_else(String::new, |base| format!(" {base}"))
        )))
    }
}

/// A round number from which a hundred ports are free.
fn free_base() -> Option<u16> {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    (20_000..60_000).step_by(1_000).find(|base| (0..100).all(|offset| is_free(base + offset)))
}

#[cfg(test)]
mod tests {
    use super::{Ports, free_base};
    use std::{collections::BTreeSet, net::TcpListener};

    #[test]
    fn no_two_parts_share_a_port() {
        for base in [None, Some(20_000), Some(65_000)] {
            let ports = Ports::new(base).unwrap();
            let all = ports.all(20);
            let distinct: BTreeSet<_> = all.iter().map(|(port, _)| port).collect();
            assert_eq!((all.len(), distinct.len()), (62, 62), "{base:?}");
        }
        assert!(Ports::new(Some(65_500)).is_none(), "no room for a hundred ports");
    }

    #[test]
    fn a_used_port_is_named_with_its_purpose_and_a_way_out() {
        let base = free_base().unwrap() + 200;
        let ports = Ports::new(Some(base)).unwrap();
        let taken = TcpListener::bind(("127.0.0.1", ports.gateway)).unwrap();
        let refused = ports.refuse_used(1).unwrap_err().to_string();
        let at = taken.local_addr().unwrap();
        assert!(refused.contains(&format!("{at}, needed for the gateway")), "{refused}");
        assert!(refused.contains("--port-base 2"), "{refused}");
    }
}
