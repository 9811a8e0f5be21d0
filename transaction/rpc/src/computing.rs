//! Work that computes or reads much: on threads of its own, and so much at once.
//!
//! A place belongs to the work, not to the request. Whoever asks and hangs up leaves the work running, since a
//! thread cannot be ended; were its place free at once, one client could have as many threads as it sends
//! requests, and consensus none.
//!
//! While all places are taken, clients are served in turn, one piece of work each: who asks for much waits for
//! itself, and who asks for one thing waits for one thing of each of the others.

use crate::{error::Failure, listen::Asker};
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::{sync::Notify, task::spawn_blocking};

/// The most calls of one client that wait for a place: as many as one connection may ask for at once. Each
/// holds its parameters meanwhile, and with two cores and calls of 10 s the last of them waits for 21 minutes.
const MOST_WAITING: usize = 256;

tokio::task_local! {
    /// Said once for each request, where all of them pass: said to each method, one could be forgotten.
    static WHOSE: Whose;
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A client's that called.
    Call(Asker),
    /// A client's that is to be told of something: it has asked once, and cannot ask for less now.
    Notice(Asker),
    /// Of all who are not told apart, as on loopback, where a proxy speaks for many: one turn together.
    Anyone,
    /// What all who subscribe wait for together: it waits for no caller's turn, nor for many.
    News,
}

impl Whose {
    /// That of a call.
    pub(crate) fn call(asker: Option<Asker>) -> Self {
        asker.map_or(Self::Anyone, Self::Call)
    }

    /// That of a subscription.
    pub(crate) fn notice(asker: Option<Asker>) -> Self {
        asker.map_or(Self::Anyone, Self::Notice)
    }

    /// The same client's, that cannot ask for less now.
    pub(crate) const fn as_notice(self) -> Self {
        match self {
            Self::Call(asker) | Self::Notice(asker) => Self::Notice(asker),
            Self::Anyone | Self::News => self,
        }
    }

    /// What is asked for meanwhile is of this turn.
    pub(crate) async fn asks<F: Future>(self, request: F) -> F::Output {
        WHOSE.scope(self, request).await
    }

    /// That of what is done now.
    pub(crate) fn now() -> Self {
        WHOSE.try_with(|whose| *whose).unwrap_or(Self::Anyone)
    }
}

/// Places for work. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Computing(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    /// Places that nobody has. While there is one, nobody waits.
    free: usize,
    /// What the next turn is called.
    next: u64,
    /// Who waits, the next one first.
    clients: VecDeque<Client>,
}

/// A client's turns to come, the oldest first; there is at least one.
#[derive(Debug)]
struct Client {
    whose: Whose,
    turns: BTreeMap<u64, Arc<Notify>>,
}

/// First a place in the queue, then one for the work; given up when dropped.
#[derive(Debug)]
struct Turn {
    of: Computing,
    whose: Whose,
    number: u64,
    /// Told when it has its place.
    begins: Arc<Notify>,
}

impl Computing {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { free: places, ..Queue::default() })))
    }

    /// Waits for a place, then for the work.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = self.turn(Whose::now())?;
        turn.begins.notified().await;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(Failure::internal)?
    }

    fn turn(&self, whose: Whose) -> Result<Turn, Failure> {
        let begins = Arc::new(Notify::new());
        let number = self.0.lock().enter(whose, &begins)?;
        Ok(Turn { of: self.clone(), whose, number, begins })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.of.0.lock().leave(self.whose, self.number);
    }
}

impl Queue {
    /// Takes a place, or else waits for one; the number of the turn.
    fn enter(&mut self, whose: Whose, begins: &Arc<Notify>) -> Result<u64, Failure> {
        let number = self.next;
        if let Some(free) = self.free.checked_sub(1) {
            self.free = free;
            begins.notify_one();
        } else {
            let turn = (number, Arc::clone(begins));
            if let Some(client) = self.clients.iter_mut().find(|client| client.whose == whose) {
                client.wait(turn)?;
            } else {
                self.clients.push_back(Client { whose, turns: BTreeMap::from([turn]) });
            }
        }
        self.next = number.wrapping_add(1);
        Ok(number)
    }

    /// Ends a turn. One that had its place leaves it to the client that has waited longest for a turn.
    fn leave(&mut self, whose: Whose, number: u64) {
        if let Some(index) = self.clients.iter().position(|client| client.whose == whose)
            && let Some(client) = self.clients.get_mut(index)
            && client.turns.remove(&number).is_some()
        {
            if client.turns.is_empty() {
                self.clients.remove(index);
            }
            return;
        }
        let Some(mut client) = self.clients.pop_front() else {
            self.free = self.free.saturating_add(1);
            return;
        };
        if let Some((_, begins)) = client.turns.pop_first() {
            begins.notify_one();
        }
        if !client.turns.is_empty() {
            self.clients.push_back(client);
        }
    }
}

impl Client {
    fn wait(&mut self, (number, begins): (u64, Arc<Notify>)) -> Result<(), Failure> {
        if matches!(self.whose, Whose::Call(_)) && self.turns.len() >= MOST_WAITING {
            let text = format!(
                "{MOST_WAITING} calls of this client wait to be computed: await their answers before you ask for more"
            );
            return Err(Failure::Limit(text));
        }
        self.turns.insert(number, begins);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Computing, MOST_WAITING, Turn, Whose};
    use crate::{error::Failure, listen::Asker};
    use std::{
        pin::pin,
        sync::mpsc,
        task::{Context, Waker},
    };
    use tokio::sync::oneshot;

    fn asker(last: u8) -> Option<Asker> {
        Some(Asker([192, 0, 2, last].into()))
    }

    /// Whether it got its place since it was asked last.
    fn begins(turn: &Turn) -> bool {
        pin!(turn.begins.notified()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn clients_are_served_in_turn_however_much_one_of_them_asks_for() {
        let computing = Computing::new(1);
        let turn = |whose| computing.turn(whose).unwrap();
        let (first, second) = (Whose::call(asker(1)), Whose::call(asker(2)));
        let running = turn(first);
        assert!(begins(&running));
        let (near, news) = (Whose::call(None), Whose::News);
        let notice = Whose::notice(asker(1));
        let whose = [first, first, first, second, near, near, notice, news];
        let mut waiting: Vec<_> = whose.into_iter().map(turn).enumerate().collect();
        assert!(!waiting.iter().any(|(_, turn)| begins(turn)));
        drop(running);
        let mut served = Vec::new();
        while let Some(index) = waiting.iter().position(|(_, turn)| begins(turn)) {
            let (number, turn) = waiting.remove(index);
            assert!(!waiting.iter().any(|(_, other)| begins(other)), "one at a time");
            served.push(number);
            drop(turn);
        }
        assert_eq!(served, [0, 3, 4, 6, 7, 1, 5, 2]);
        assert_eq!(computing.0.lock().free, 1);
    }

    #[test]
    fn a_client_has_so_many_calls_waiting_and_who_hangs_up_waits_no_more() {
        let computing = Computing::new(1);
        let running = computing.turn(Whose::call(asker(2))).unwrap();
        let fill = |whose, count| -> Vec<Turn> {
            (0..count).map(|_| computing.turn(whose).unwrap()).collect()
        };
        let one = Whose::call(asker(1));
        let mut waiting = fill(one, MOST_WAITING);
        assert!(matches!(computing.turn(one), Err(Failure::Limit(_))));
        assert!(computing.turn(one.as_notice()).is_ok(), "of what was accepted before");
        let others = [
            fill(Whose::call(asker(2)), MOST_WAITING),
            fill(Whose::call(None), MOST_WAITING + 1),
            fill(Whose::notice(asker(1)), MOST_WAITING + 1),
        ];
        drop(waiting.pop());
        waiting.push(computing.turn(one).unwrap());
        drop((waiting, others));
        assert!(computing.0.lock().clients.is_empty(), "nothing is remembered of who left");
        drop(running);
        assert_eq!(computing.0.lock().free, 1);
    }

    #[test]
    fn work_waits_in_the_turn_of_whoever_asks_for_it() {
        let computing = Computing::new(0);
        let whose = Whose::call(asker(1));
        let mut asked = pin!(whose.asks(computing.run(|| Ok(()))));
        assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let waiting: Vec<_> = computing.0.lock().clients.iter().map(|one| one.whose).collect();
        assert_eq!(waiting, [whose]);
        assert_eq!(Whose::now(), Whose::Anyone);
    }

    #[tokio::test]
    async fn whoever_hangs_up_leaves_its_place_taken_until_the_work_is_done() {
        let computing = Computing::new(1);
        let (end, wait) = mpsc::channel::<()>();
        let (tell, begun) = oneshot::channel::<()>();
        let work = move || {
            tell.send(()).unwrap();
            wait.recv().map_err(Failure::internal)
        };
        let first = tokio::spawn({
            let computing = computing.clone();
            async move { computing.run(work).await }
        });
        begun.await.unwrap();
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(computing.0.lock().free, 0, "the work goes on");
        end.send(()).unwrap();
        assert_eq!(computing.run(|| Ok(7)).await.unwrap(), 7, "its place is free when it is done");
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let computing = Computing::new(1);
        let broken = computing.run::<()>(|| panic!("broken")).await.unwrap_err();
        assert!(matches!(broken, Failure::Internal(_)));
        assert!(computing.run(|| Ok(())).await.is_ok());
    }
}
