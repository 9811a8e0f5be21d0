//! [`Turns`]: a bounded queue for each who sends, emptied in turns. Who sends much waits for itself, and nobody
//! else for it.

use std::collections::{BTreeMap, VecDeque};

/// What each may have waiting, and how long its turn is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The most that wait of one.
    pub(crate) most: usize,
    /// The most bytes that wait of one; the first that waits may be longer.
    pub(crate) most_bytes: usize,
    /// A turn ends with what reaches so many bytes.
    pub(crate) turn_bytes: usize,
}

/// What waits, by who sent it.
#[derive(Debug)]
pub(crate) struct Turns<K, T> {
    limits: Limits,
    /// None is empty.
    queues: BTreeMap<K, Queue<T>>,
    /// Those of whom something waits, each once; it is the first one's turn.
    order: VecDeque<K>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<(T, usize)>,
    bytes: usize,
    /// The bytes that this turn has brought.
    taken: usize,
}

impl<K: Clone + Ord, T> Turns<K, T> {
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, queues: BTreeMap::new(), order: VecDeque::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds something of so many bytes behind what waits of the same sender; whether there was room.
    pub(crate) fn push(&mut self, from: &K, one: T, bytes: usize) -> bool {
        let Some(queue) = self.queues.get_mut(from) else {
            let waiting = VecDeque::from([(one, bytes)]);
            self.queues.insert(from.clone(), Queue { waiting, bytes, taken: 0 });
            self.order.push_back(from.clone());
            return true;
        };
        let with = queue.bytes.saturating_add(bytes);
        let has_room = queue.waiting.len() < self.limits.most && with <= self.limits.most_bytes;
        if has_room {
            queue.bytes = with;
            queue.waiting.push_back((one, bytes));
        }
        has_room
    }

    /// The next, and who sent it.
    pub(crate) fn pop(&mut self) -> Option<(K, T)> {
        let from = self.order.pop_front()?;
        let queue = self.queues.get_mut(&from)?;
        let (one, bytes) = queue.waiting.pop_front()?;
        queue.bytes = queue.bytes.saturating_sub(bytes);
        queue.taken = queue.taken.saturating_add(bytes);
        if queue.waiting.is_empty() {
            self.queues.remove(&from);
        } else if queue.taken < self.limits.turn_bytes {
            self.order.push_front(from.clone());
        } else {
            queue.taken = 0;
            self.order.push_back(from.clone());
        }
        Some((from, one))
    }

    /// Drops what waits of one sender.
    pub(crate) fn clear(&mut self, from: &K) {
        if self.queues.remove(from).is_some() {
            self.order.retain(|one| one != from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Turns};

    const LIMITS: Limits = Limits { most: 5, most_bytes: 100, turn_bytes: 20 };

    fn all(turns: &mut Turns<char, u8>) -> Vec<(char, u8)> {
        std::iter::from_fn(|| turns.pop()).collect()
    }

    #[test]
    fn who_sends_much_waits_for_itself_alone() {
        let mut turns = Turns::new(LIMITS);
        let room: Vec<bool> = (0..7).map(|one| turns.push(&'a', one, 10)).collect();
        assert_eq!(room, [true, true, true, true, true, false, false]);
        assert!(turns.push(&'b', 0, 10) && turns.push(&'c', 0, 90));
        assert!(!turns.push(&'c', 1, 11), "too many bytes");
        assert!(turns.push(&'c', 1, 10));
        let expected =
            [('a', 0), ('a', 1), ('b', 0), ('c', 0), ('a', 2), ('a', 3), ('c', 1), ('a', 4)];
        assert_eq!(all(&mut turns), expected);
        assert!(turns.is_empty() && turns.push(&'a', 9, 10));
        assert_eq!(all(&mut turns), [('a', 9)]);
    }

    #[test]
    fn the_first_of_a_sender_may_be_longer_than_all_and_what_is_cleared_is_gone() {
        let mut turns = Turns::new(LIMITS);
        assert!(turns.push(&'a', 0, 1_000) && !turns.push(&'a', 1, 1));
        assert!(turns.push(&'b', 0, 1));
        turns.clear(&'a');
        turns.clear(&'z');
        assert!(turns.push(&'a', 2, 1));
        assert_eq!(all(&mut turns), [('b', 0), ('a', 2)]);
    }
}
