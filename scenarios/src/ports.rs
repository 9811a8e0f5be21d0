//! [`Ports`]: a block of ports that no other network of this machine takes.

use eyre::{Result, bail};
use std::{
    hash::{BuildHasher, RandomState},
    net::TcpListener,
};

/// Ports of a block.
const COUNT: u16 = 100;
/// Where the first block begins.
const FIRST: u16 = 10_000;
/// Blocks: all below 32,768, where Linux begins to give ports to outgoing connections. Any of those may be
/// taken between being looked at and being listened on.
const BLOCKS: u64 = 220;
/// Blocks that are looked at.
const ATTEMPTS: u64 = 200;

/// A block of a hundred ports. Whoever has it listens on the last one, so that networks that start at the
/// same time, each in a program of its own, have each a block of its own.
#[derive(Debug)]
pub(crate) struct Ports {
    /// The first.
    pub(crate) base: u16,
    _claim: TcpListener,
}

impl Ports {
    /// A block on whose ports nobody listens.
    pub(crate) fn claim() -> Result<Self> {
        let chance = RandomState::new();
        for attempt in 0..ATTEMPTS {
            let block = u16::try_from(chance.hash_one(attempt).rem_euclid(BLOCKS))?;
            let base = FIRST.saturating_add(block.saturating_mul(COUNT));
            let last = base.saturating_add(COUNT - 1);
            let Ok(claim) = TcpListener::bind(("127.0.0.1", last)) else { continue };
            if (base..last).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
                return Ok(Self { base, _claim: claim });
            }
        }
        bail!("no free block of a hundred ports")
    }
}

#[cfg(test)]
mod tests {
    use super::Ports;

    #[test]
    fn no_two_have_one_block() {
        let all: Vec<_> = (0..20).map(|_| Ports::claim().unwrap()).collect();
        let mut bases: Vec<_> = all.iter().map(|ports| ports.base).collect();
        bases.sort_unstable();
        bases.dedup();
        assert_eq!(bases.len(), all.len());
        assert!(bases.iter().all(|base| base % 100 == 0 && base + 99 < 32_768), "{bases:?}");
    }
}
