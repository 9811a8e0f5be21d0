//! Room for what subscriptions hold in memory: so much in all, and so much for one client.

use crate::{error::Failure, listen::Asker};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Room, in units. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Room {
    taken: Arc<Mutex<Taken>>,
    most: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Of clients that are told apart.
    each: HashMap<Asker, usize>,
}

/// A part of the room, until it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    room: Room,
    of: Option<Asker>,
    units: usize,
}

impl Room {
    /// `most` units, a quarter of them for one client at most.
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// So many units for a client; none where clients are not told apart.
    ///
    /// # Errors
    /// When there are not as many, or the client has not as many left.
    pub(super) fn take(&self, of: Option<Asker>, units: usize) -> Result<Share, Failure> {
        let (most, each) = (self.most, self.most.div_ceil(4));
        let mut taken = self.taken.lock();
        let all = taken.all.saturating_add(units);
        if all > most {
            let text = format!(
                "no room for more subscriptions, all hold at most {most} units: come back later, or subscribe to fewer addresses and topics"
            );
            return Err(Failure::Limit(text));
        }
        if let Some(of) = of {
            let own = taken.each.get(&of).copied().unwrap_or_default().saturating_add(units);
            if own > each {
                let text = format!(
                    "no room for more subscriptions of this client, they hold at most {each} units: end one, or subscribe to fewer addresses and topics"
                );
                return Err(Failure::Limit(text));
            }
            taken.each.insert(of, own);
        }
        taken.all = all;
        drop(taken);
        Ok(Share { room: self.clone(), of, units })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.room.taken.lock();
        taken.all = taken.all.saturating_sub(self.units);
        let Some(of) = self.of else { return };
        let is_last = taken.each.get_mut(&of).is_none_or(|own| {
            *own = own.saturating_sub(self.units);
            *own == 0
        });
        if is_last {
            taken.each.remove(&of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Room;
    use crate::listen::Asker;

    #[test]
    fn one_client_takes_a_quarter_of_the_room_and_gives_it_back() {
        let room = Room::new(400);
        let client = |last: u8| Some(Asker([192, 0, 2, last].into()));
        let first = room.take(client(1), 60).unwrap();
        let refused = room.take(client(1), 41).unwrap_err().to_string();
        assert!(refused.contains("of this client"), "{refused}");
        let second = room.take(client(1), 40).unwrap();
        let other = room.take(client(2), 100).unwrap();
        let near = room.take(None, 200).unwrap();
        let refused = room.take(client(3), 1).unwrap_err().to_string();
        assert!(refused.contains("all hold"), "{refused}");
        drop(first);
        assert!(room.take(client(1), 61).is_err());
        assert!(room.take(client(3), 61).is_err());
        let again = room.take(client(3), 60).unwrap();
        drop((second, other, near, again));
        let taken = room.taken.lock();
        assert_eq!((taken.all, taken.each.len()), (0, 0), "nothing is remembered of who left");
    }
}
