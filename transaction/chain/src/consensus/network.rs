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

/// Who, and where it is reached.
type Peer = (NetworkPublicKey, SocketAddr);

impl Node {
    /// Lets in the validators it is told, and the configured peers.
    pub(super) fn track(&self, mut oracle: lookup::Oracle<NetworkPublicKey>) -> TrackPeers {
        let me = (self.config.keys.network.public_key(), self.config.listen);
        let (configured, most) = (self.config.peers.clone(), self.most_peers.get());
        Box::new(move |id, next, current| {
            let peers = let_in(&me, (next, current), &configured, most);
            let peers = peers.into_iter().map(|(key, address)| (key, Address::from(address)));
            let feedback = oracle.track(id, Map::from_iter_dedup(peers));
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

/// Whom a node lets in, itself first: who validates next, then the configured peers, then who else validates
/// now. Where there is no room for all, those who leave are cut off first: they are few blocks from their
/// end, and the network keeps who was in the set before.
fn let_in(
    me: &Peer,
    (next, current): (&[Validator], &[Validator]),
    configured: &[Peer],
    most: usize,
) -> Vec<Peer> {
    let reached = |one: &Validator| match address_of(one, configured) {
        Some(address) => Some((one.network_key.clone(), address)),
        None => {
            if one.network_key != me.0 {
                warn!(validator = %one.network_key, "this seat has no address");
            }
            None
        }
    };
    let wanted = [me.clone()].into_iter().chain(next.iter().filter_map(reached));
    let wanted = wanted.chain(configured.iter().cloned());
    let mut peers = Vec::<Peer>::new();
    for (key, address) in wanted.chain(current.iter().filter_map(reached)) {
        if peers.iter().all(|(known, _)| *known != key) {
            peers.push((key, address));
        }
    }
    if peers.len() > most {
        warn!(peers = peers.len(), most, "too many peers: restart to make room for them");
        peers.truncate(most);
    }
    peers
}

/// Where a validator listens: as configured, or else as the set says.
fn address_of(validator: &Validator, peers: &[Peer]) -> Option<SocketAddr> {
    let configured = peers.iter().find(|(key, _)| *key == validator.network_key);
    configured.map(|(_, address)| *address).or(validator.address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sahara_finality::ValidatorKeys;

    fn place(number: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, number], 9_700))
    }

    fn seat(number: u8) -> Validator {
        let keys = ValidatorKeys::from_secret(&[number; 32]).unwrap();
        let address = Some(place(number));
        Validator { address, ..keys.validator(alloy_primitives::Address::ZERO) }
    }

    fn peer(number: u8) -> Peer {
        (seat(number).network_key, place(number))
    }

    #[test]
    fn where_room_is_short_those_who_leave_are_cut_off_and_then_configured_peers() {
        let (next, current) = ([1, 2, 3].map(seat), [1, 2, 4, 5].map(seat));
        let configured = [peer(9)];
        let all = [1, 2, 3, 9, 4, 5].map(peer);
        for most in 0..=all.len() {
            let found = let_in(&peer(1), (&next, &current), &configured, most);
            assert_eq!(found, all[..most]);
        }
    }

    #[test]
    fn a_configured_address_is_taken_and_a_seat_without_any_is_left_out() {
        let nowhere = |number| Validator { address: None, ..seat(number) };
        let moved = (seat(2).network_key, place(22));
        let next = [nowhere(1), seat(2), nowhere(3)];
        let found = let_in(&peer(1), (&next, &[]), std::slice::from_ref(&moved), 10);
        assert_eq!(found, [peer(1), moved]);
    }
}
