//! The network a node is part of: whom it lets in, and how much each may send.

use std::{net::SocketAddr, num::NonZeroUsize, time::Duration};

use commonware_consensus::{marshal, marshal::standard::Standard, simplex};
use commonware_cryptography::{ChaCha20Poly1305, Signer as _, keccak256::Digest};
use commonware_p2p::{
    Address, AddressableManager as _,
    authenticated::lookup::{self, Network},
    utils::mux::prefixed,
};
use commonware_runtime::{Quota, tokio as runtime};
use commonware_stream::{
    SakeCups,
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, ordered::Map};
use sahara_finality::{
    Block, MAX_VALIDATORS, NetworkPrivateKey, NetworkPublicKey, Scheme, Validator,
};
use tracing::warn;

use super::{
    engine::TrackPeers,
    gossip,
    node::{ConsensusConfig, Node},
};
use crate::sync;

/// Votes and certificates that a peer may send in a second: some per round, and rounds take
/// milliseconds when there is much to do.
///
/// The network keeps room for one burst of every peer there may ever be, so bursts are short.
pub(super) const SMALL_QUOTA: Quota = Quota::per_second(NZU32!(4096)).allow_burst(NZU32!(256));
/// Blocks and requests for them that a peer may send in a second.
pub(super) const LARGE_QUOTA: Quota = Quota::per_second(NZU32!(128)).allow_burst(NZU32!(64));
const NETWORK_MAILBOX: NonZeroUsize = NZUsize!(4096);
/// How far the clocks of two peers may differ when they connect.
const HANDSHAKE_DRIFT: Duration = Duration::from_secs(5);
const HANDSHAKE_AGE: Duration = Duration::from_secs(10);
/// A validator that restarts is reached again within this time.
const RECONNECT: Duration = Duration::from_secs(1);
const DIAL_INTERVAL: Duration = Duration::from_millis(100);
/// The least number of peers there is room for.
const LEAST_PEERS: NonZeroUsize = NZUsize!(32);

/// Room for two sets that have nobody in common, and to double.
pub(super) fn most_peers(seats: usize, config: &ConsensusConfig) -> NonZeroUsize {
    let most = seats.saturating_mul(4).saturating_add(config.peers.len());
    NonZeroUsize::new(most).unwrap_or(LEAST_PEERS).max(LEAST_PEERS)
}

/// The channels of consensus with what a peer may send on each in a second, in their order.
pub(super) const QUOTAS: [Quota; 5] =
    [SMALL_QUOTA, SMALL_QUOTA, LARGE_QUOTA, LARGE_QUOTA, LARGE_QUOTA];

pub(super) type TcpNetwork =
    Network<runtime::Context, SakeCups<NetworkPrivateKey, ChaCha20Poly1305>>;
pub(super) type TcpSender = lookup::Sender<NetworkPublicKey, runtime::Context>;

impl Node {
    /// Lets in the validators it is told, and always the configured peers.
    pub(super) fn track(&self, mut oracle: lookup::Oracle<NetworkPublicKey>) -> TrackPeers {
        let me = (self.config.keys.network.public_key(), self.config.listen);
        let (peers, most) = (self.config.peers.clone(), self.most_peers.get());
        Box::new(move |id, validators| {
            let configured = peers.iter().cloned();
            let mut wanted: Vec<(NetworkPublicKey, SocketAddr)> = vec![me.clone()];
            for one in &validators {
                match address_of(one, &peers) {
                    Some(address) => wanted.push((one.network_key.clone(), address)),
                    None if one.network_key == me.0 => {}
                    None => warn!(validator = %one.network_key, "this seat has no address"),
                }
            }
            let mut pairs = Vec::<(NetworkPublicKey, Address)>::new();
            for (key, address) in wanted.into_iter().chain(configured) {
                if pairs.iter().all(|(known, _)| *known != key) {
                    pairs.push((key, address.into()));
                }
            }
            if pairs.len() > most {
                warn!(peers = pairs.len(), most, "too many peers: restart to make room for them");
                pairs.truncate(most);
            }
            let feedback = oracle.track(id, Map::from_iter_dedup(pairs));
            if !feedback.accepted() {
                warn!(id, "the network does not take new peers any more");
            }
        })
    }

    pub(super) fn network(&self) -> lookup::Config<SakeCups<NetworkPrivateKey, ChaCha20Poly1305>> {
        // Of the largest set there may ever be, so that all nodes agree.
        let participants = u32::try_from(MAX_VALIDATORS).unwrap_or(u32::MAX);
        let largest = commonware_p2p::max_message_size(&[
            prefixed(simplex::max_payload_size::<Scheme, Digest>(participants)),
            marshal::max_payload_size::<Standard<Block>, Scheme>(participants, &()),
            gossip::MAX_MESSAGE_BYTES,
            sync::wire::MAX_MESSAGE_BYTES,
        ]);
        let sake = Sake {
            signer: self.config.keys.network.clone(),
            synchrony_bound: HANDSHAKE_DRIFT,
            max_handshake_age: HANDSHAKE_AGE,
            version: sake::Version::V1,
        };
        let handshake = Cups::<_, ChaCha20Poly1305>::new(sake, cups::Version::V1);
        let mut config = lookup::Config::recommended(
            handshake,
            &self.chain.namespace(),
            self.config.listen,
            self.most_peers,
            largest,
            NETWORK_MAILBOX,
        );
        config.allow_private_ips = self.config.allow_private_addresses;
        config.peer_connection_cooldown = RECONNECT;
        config.dial_frequency = DIAL_INTERVAL;
        if self.config.allow_private_addresses {
            config.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(1024));
            config.allowed_handshake_rate_per_subnet = Quota::per_second(NZU32!(1024));
        }
        config
    }
}

/// Where a validator listens: as configured, or else as the set says.
fn address_of(
    validator: &Validator,
    peers: &[(NetworkPublicKey, SocketAddr)],
) -> Option<SocketAddr> {
    let configured = peers.iter().find(|(key, _)| *key == validator.network_key);
    configured.map(|(_, address)| *address).or(validator.address)
}
