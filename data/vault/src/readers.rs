//! [`Readers`]: how many downloads are under way, and whose.

use crate::error::VaultError;
use axum::http::Extensions;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

/// Answers with content that are under way at a time; each holds a segment in memory.
const MOST: usize = 64;
/// Of these, for one address: twice as many files as Hugging Face's clients load at a time.
const MOST_OF_ADDRESS: usize = 16;

/// Who asks, as an extension of a request; requests without it are one client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker(pub IpAddr);

impl Asker {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }
}

/// Downloads under way, by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readers(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// A place among them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    readers: Readers,
    asker: Asker,
}

impl Readers {
    pub(crate) fn take(&self, asker: Asker) -> Result<Place, VaultError> {
        let mut readers = self.0.lock();
        let all = readers.values().fold(0_usize, |sum, some| sum.saturating_add(*some));
        if all >= MOST {
            return Err(VaultError::Busy(format!("{MOST} downloads are under way")));
        }
        let own = readers.get(&asker.0).copied().unwrap_or_default();
        if own >= MOST_OF_ADDRESS {
            let text = format!("{MOST_OF_ADDRESS} downloads of this address are under way");
            return Err(VaultError::Busy(text));
        }
        readers.insert(asker.0, own.saturating_add(1));
        Ok(Place { readers: self.clone(), asker })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut readers = self.readers.0.lock();
        match readers.get(&self.asker.0).copied() {
            Some(own) if own > 1 => readers.insert(self.asker.0, own.saturating_sub(1)),
            _ => readers.remove(&self.asker.0),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Asker, MOST, MOST_OF_ADDRESS, Readers};
    use crate::error::VaultError;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn one_address_leaves_places_to_others() {
        let readers = Readers::default();
        let asker = |number| Asker(IpAddr::V4(Ipv4Addr::new(192, 0, 2, number)));
        let is_busy = |asker| matches!(readers.take(asker), Err(VaultError::Busy(_)));
        let mut first: Vec<_> =
            (0..MOST_OF_ADDRESS).map(|_| readers.take(asker(1)).unwrap()).collect();
        assert!(is_busy(asker(1)));
        let others: Vec<_> = (0..MOST - MOST_OF_ADDRESS)
            .map(|number| readers.take(asker(u8::try_from(2 + number / 8).unwrap())).unwrap())
            .collect();
        assert!(is_busy(asker(200)), "all places are taken");
        first.pop();
        assert!(!is_busy(asker(200)) && !is_busy(asker(1)));
        drop((first, others));
        assert!(readers.0.lock().is_empty());
    }
}
