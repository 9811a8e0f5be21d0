//! [`SeatKey`]: the keys of one seat, as stored.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256, hex};
use sahara_finality::{Validator, parse_hex};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The keys of one seat. Seven words: consensus key 96 bytes, possession 48, network key 32, and
/// `ip 128 | port 16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatKey {
    /// BLS12-381, in G2.
    pub(crate) consensus: [u8; 96],
    /// Proof that the consensus key is held, in G1.
    pub(crate) possession: [u8; 48],
    /// Ed25519.
    pub(crate) network: B256,
    /// Where the others reach its node.
    pub(crate) place: Place,
}

/// Where a node is reached: IPv6 or mapped IPv4, and port. Port 0 where only the nodes' own
/// configuration says it, which block 0 may leave to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The address.
    pub ip: u128,
    /// The TCP port.
    pub port: u16,
}

impl Place {
    /// As the operating system has it.
    pub(crate) fn address(self) -> Option<SocketAddr> {
        let ip = Ipv6Addr::from_bits(self.ip).to_canonical();
        (self.port > 0).then(|| SocketAddr::new(ip, self.port))
    }

    /// Whether a node can be there: a port, and the address of one machine. Private and loopback
    /// addresses are some network's own.
    pub(crate) fn is_reachable(self) -> bool {
        self.address().is_some_and(|address| {
            let ip = address.ip();
            let is_broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
            !(ip.is_unspecified() || ip.is_multicast() || is_broadcast)
        })
    }
}

impl SeatKey {
    /// The seat as consensus has it, its fees paid to `validator`. None where the keys are none, which
    /// their registration refused.
    pub(crate) fn seat(&self, validator: Address) -> Option<Validator> {
        Some(Validator {
            network_key: parse_hex("network key", &hex::encode(self.network)).ok()?,
            consensus_key: parse_hex("consensus key", &hex::encode(self.consensus)).ok()?,
            possession: parse_hex("proof of possession", &hex::encode(self.possession)).ok()?,
            fee_address: validator,
            address: self.place.address(),
        })
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [U256; N] {
    let mut words = [U256::ZERO; N];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(32)) {
        let mut padded = [0; 32];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        *word = U256::from_be_bytes(padded);
    }
    words
}

fn bytes<const N: usize>(words: &[U256]) -> [u8; N] {
    let mut bytes = [0; N];
    let all = words.iter().flat_map(U256::to_be_bytes::<32>);
    for (to, from) in bytes.iter_mut().zip(all) {
        *to = from;
    }
    bytes
}

impl Value for SeatKey {
    type Words = [U256; 7];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let [a, b, c] = words(&self.consensus);
        let [d, e] = words(&self.possession);
        let place = Pack::new().number(128, self.place.ip).number(16, self.place.port.into());
        Ok([a, b, c, d, e, U256::from_be_bytes(self.network.0), place.finish()?])
    }

    fn unpack([a, b, c, d, e, network, place]: &Self::Words) -> Result<Self, Failure> {
        let mut place = Unpack::new(*place);
        Ok(Self {
            consensus: bytes(&[*a, *b, *c]),
            possession: bytes(&[*d, *e]),
            network: B256::from(*network),
            place: Place { ip: place.number(128)?, port: place.number(16)? },
        })
    }
}
