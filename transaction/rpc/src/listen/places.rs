//! Places for connections: so many in all, and so many for one client.

use super::unread::Sum;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Places for connections. Cloning is cheap; all clones are the same places.
#[derive(Clone, Debug)]
pub struct Places {
    all: Arc<Semaphore>,
    taken: Taken,
    each: usize,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    _all: OwnedSemaphorePermit,
    /// Whose it is and of which places, unless it is not counted.
    of: Option<(IpAddr, Taken)>,
    /// What its client leaves unread.
    unread: Option<Sum>,
}

/// What each client has.
type Taken = Arc<Mutex<HashMap<IpAddr, Client>>>;

#[derive(Debug, Default)]
struct Client {
    places: usize,
    unread: Sum,
}

impl Places {
    /// `all` places, a quarter of them for one client at most.
    #[must_use]
    pub fn new(all: usize) -> Self {
        let all = all.min(Semaphore::MAX_PERMITS);
        let each = all.div_ceil(4);
        Self { all: Arc::new(Semaphore::new(all)), taken: Arc::default(), each }
    }

    /// Waits until there is a place for anyone.
    pub async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).acquire_owned().await.ok()
    }

    /// A place for anyone, if there is one now.
    pub fn now(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.all).try_acquire_owned().ok()
    }

    /// Gives a place to a client, unless it has as many as one may have. Loopback is not counted: who is
    /// on this machine needs no connections to harm it, and a proxy there speaks for many.
    pub fn give(&self, place: OwnedSemaphorePermit, client: IpAddr) -> Option<Place> {
        let client = network(client);
        if client.is_loopback() {
            return Some(Place { _all: place, of: None, unread: None });
        }
        let mut taken = self.taken.lock();
        let has = taken.entry(client).or_default();
        if has.places >= self.each {
            return None;
        }
        has.places = has.places.saturating_add(1);
        let unread = Some(Arc::clone(&has.unread));
        drop(taken);
        Some(Place { _all: place, of: Some((client, Arc::clone(&self.taken))), unread })
    }
}

/// Who asks, in the extensions of a request; not there for loopback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Asker(pub(crate) IpAddr);

impl Place {
    /// Whose place it is, unless it is not counted.
    pub(super) fn asker(&self) -> Option<Asker> {
        self.of.as_ref().map(|(client, _)| Asker(*client))
    }

    /// What the client of this place leaves unread, over all its places; none for loopback.
    pub(super) fn unread(&self) -> Option<Sum> {
        self.unread.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((client, taken)) = &self.of else { return };
        let mut taken = taken.lock();
        let is_last = taken.get_mut(client).is_none_or(|has| {
            has.places = has.places.saturating_sub(1);
            has.places == 0
        });
        if is_last {
            taken.remove(client);
        }
    }
}

/// A client's address; of IPv6 the network that one subscriber has, 64 bits.
const fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let prefix = u128::MAX << 64;
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & prefix))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn one_client_gets_a_quarter_and_gives_it_back() {
        let places = Places::new(8);
        let take = |client: &str| {
            let place = places.now()?;
            places.give(place, client.parse().unwrap())
        };
        let first = take("192.0.2.1").unwrap();
        let second = take("::ffff:192.0.2.1").unwrap();
        assert!(take("192.0.2.1").is_none(), "a third of one client");
        let other = take("2001:db8::1").unwrap();
        let same = take("2001:db8::2:3").unwrap();
        assert!(take("2001:db8::4").is_none(), "a third of one network");
        drop(first);
        let again = take("192.0.2.1").unwrap();
        let near: Vec<_> = (0..4).map_while(|_| take("127.0.0.1")).collect();
        assert_eq!(near.len(), 4, "loopback has what is left");
        assert!(take("198.51.100.7").is_none(), "all are taken");
        drop((second, other, same, again, near));
        assert_eq!(places.taken.lock().len(), 0, "nothing is remembered of who left");
    }
}
