//! Messages of the next epoch that come before this node has entered it.
//!
//! Nodes enter an epoch some milliseconds after one another. What the first ones send would be lost
//! to the others, and every epoch would begin with a view that times out.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    num::NonZeroUsize,
};

use commonware_p2p::{Message, Receiver};
use commonware_runtime::Clock;
use sahara_finality::NetworkPublicKey;

use super::presence::Presence;

/// How many messages of one peer are kept on one channel: some views' votes.
const MAX_OF_PEER: usize = 16;

/// What came early on one channel, for one epoch.
#[derive(Debug, Default)]
pub(super) struct Early {
    epoch: u64,
    messages: VecDeque<Message<NetworkPublicKey>>,
    of_peer: BTreeMap<NetworkPublicKey, usize>,
}

impl Early {
    /// Keeps a message of `epoch`; what was kept of another is dropped.
    pub(super) fn keep(&mut self, epoch: u64, message: Message<NetworkPublicKey>) {
        if epoch != self.epoch {
            *self = Self { epoch, ..Self::default() };
        }
        let count = self.of_peer.entry(message.0.clone()).or_default();
        if *count < MAX_OF_PEER {
            *count = count.saturating_add(1);
            self.messages.push_back(message);
        }
    }

    /// What was kept of `epoch`.
    pub(super) fn take(&mut self, epoch: u64) -> VecDeque<Message<NetworkPublicKey>> {
        let kept = std::mem::take(self);
        if kept.epoch == epoch { kept.messages } else { VecDeque::new() }
    }
}

/// A receiver that first yields what came early, and notes who is heard of.
pub(super) struct Resumed<E, R> {
    pub(super) clock: E,
    pub(super) presence: Presence,
    pub(super) early: VecDeque<Message<NetworkPublicKey>>,
    pub(super) inner: R,
}

impl<E, R> fmt::Debug for Resumed<E, R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Resumed").field("early", &self.early.len()).finish_non_exhaustive()
    }
}

impl<E, R> Receiver for Resumed<E, R>
where
    E: Clock,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    type Error = R::Error;
    type PublicKey = NetworkPublicKey;

    async fn recv(&mut self) -> Result<Message<NetworkPublicKey>, R::Error> {
        match self.early.pop_front() {
            Some(message) => Ok(message),
            None => {
                let message = self.inner.recv().await?;
                self.presence.mark(&message.0, self.clock.current());
                Ok(message)
            }
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        self.inner.capacity()
    }
}
