//! Peers of one node over a simulated network, each behind a link of its own.

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use alloy_primitives::Address;
use commonware_p2p::simulated::{Config, Link, Network, Oracle};
use commonware_runtime::{Handle, Quota, Supervisor as _, deterministic};
use commonware_utils::{NZU32, NZUsize, probability};
use sahara_chain::sync::{CHANNEL, Library, start, wire::MAX_MESSAGE_BYTES};
use sahara_finality::{NetworkPublicKey, ValidatorKeys};
use tokio::sync::mpsc;

pub(crate) const QUOTA: Quota = Quota::per_second(NZU32!(100_000));

/// Who is connected.
pub(crate) struct Links {
    pub(crate) oracle: Oracle<NetworkPublicKey, deterministic::Context>,
    /// The node that asks; its test starts it.
    pub(crate) me: NetworkPublicKey,
    /// Its peers, who answer.
    pub(crate) serving: Vec<Handle<()>>,
}

/// A network of so many, with no links yet.
pub(crate) async fn network(
    context: &deterministic::Context,
    size: usize,
) -> (Vec<NetworkPublicKey>, Oracle<NetworkPublicKey, deterministic::Context>) {
    let keys: Vec<NetworkPublicKey> = (0..u8::try_from(size).unwrap())
        .map(|seed| ValidatorKeys::from_secret(&[100 + seed; 32]).unwrap())
        .map(|keys| keys.validator(Address::ZERO).network_key)
        .collect();
    let config = Config {
        max_size: u32::try_from(MAX_MESSAGE_BYTES).unwrap(),
        max_peers_per_set: NonZeroUsize::new(size).unwrap(),
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(3),
    };
    let (network, oracle): (_, Oracle<NetworkPublicKey, deterministic::Context>) =
        Network::new_with_peers(context.child("network"), config, keys.clone()).await;
    network.start();
    (keys, oracle)
}

/// Starts peers at these distances from a node.
pub(crate) async fn connect<P: Library>(
    context: &deterministic::Context,
    peers: Vec<(P, Duration)>,
) -> Links {
    let (keys, oracle) = network(context, peers.len() + 1).await;
    let me = keys.last().unwrap().clone();
    let mut serving = Vec::new();
    for ((peer, latency), key) in peers.into_iter().zip(&keys) {
        let channel = oracle.control(key.clone()).register(CHANNEL, QUOTA).await.unwrap();
        let nobody = mpsc::channel(1).0;
        serving.push(start(context.child("peer"), Arc::new(peer), channel, nobody));
        let link = || Link { latency, jitter: Duration::ZERO, success_rate: probability!(1.0) };
        oracle.add_link(me.clone(), key.clone(), link()).await.unwrap();
        oracle.add_link(key.clone(), me.clone(), link()).await.unwrap();
    }
    Links { oracle, me, serving }
}
