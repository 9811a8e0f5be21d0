//! Transactions on their way from the validator that got them to all others, so that whoever
//! leads next can include them.
//!
//! ```text
//! node --TransactionGossip--> mailbox --> batches of 128 KiB --> channel 5 --> peers
//! node <--TransactionGossip-- inbox   <-- decoded, bounded   <-- channel 5 <-- peers
//! ```
//! Best effort: a full mailbox or a peer that is away loses transactions, and their origin still
//! has them in its pool. Who receives one does not send it on, since all validators are connected
//! to each other. The bytes are not checked here; the pool does that for every source alike. What peers
//! send waits in a queue for each ([`Inbox`]), and who sends nothing valid is not listened to for a while.

use std::time::Duration;

use bytes::Bytes;
use commonware_codec::{Copying, Decode as _, Encode as _, EncodeSize as _, RangeCfg};
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{
    Clock, Handle, Metrics, Quota, Spawner, telemetry::metrics::MetricsExt as _,
};
use commonware_utils::NZU32;
use sahara_finality::{MAX_TRANSACTION_BYTES, NetworkPublicKey};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::inbox::{Admission, Inbox, Post, inbox};

/// The logical channel of transactions.
pub const CHANNEL: u64 = 5;

/// The longest message: the longest transaction, its length, and how many there are.
pub const MAX_MESSAGE_BYTES: usize = MAX_TRANSACTION_BYTES + 16;

/// The most transactions in a message: 64 bytes is less than any transaction takes.
const MAX_BATCH: usize = MAX_MESSAGE_BYTES / 64;

/// How long a batch is collected after the one before: at most 100 messages a second.
const BATCH_INTERVAL: Duration = Duration::from_millis(10);

/// What a peer may send: a little more than [`BATCH_INTERVAL`] lets an honest one send. A peer's
/// burst takes at most 16 MiB.
pub const QUOTA: Quota = Quota::per_second(NZU32!(128));

/// The node's end: raw transactions to send, and those of peers.
#[derive(Debug)]
pub struct TransactionGossip {
    /// Takes encoded transactions for all peers. Longer ones than
    /// [`MAX_TRANSACTION_BYTES`] are dropped.
    pub outgoing: mpsc::Sender<Bytes>,
    /// Yields what peers sent, and is told what became of it.
    pub incoming: Inbox,
}

/// Consensus's end, for [`run`](super::run).
#[derive(Debug)]
pub struct GossipWire {
    outgoing: mpsc::Receiver<Bytes>,
    incoming: Post,
}

/// Both ends, with room for `capacity` transactions to all peers, and for as many of each.
#[must_use]
pub fn transaction_gossip(capacity: usize) -> (TransactionGossip, GossipWire) {
    let (to_peers, outgoing) = mpsc::channel(capacity);
    let (from_peers, incoming) = inbox(capacity);
    let node = TransactionGossip { outgoing: to_peers, incoming: from_peers };
    (node, GossipWire { outgoing, incoming })
}

/// Moves transactions between the node and the channel until either ends.
pub fn start<E, S, R>(context: &E, wire: GossipWire, channel: (S, R)) -> [Handle<()>; 2]
where
    E: Spawner + Clock + Metrics,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    let (sender, receiver) = channel;
    [
        context.child("gossip_out").spawn(move |clock| send(clock, wire.outgoing, sender)),
        context.child("gossip_in").spawn(move |context| receive(context, receiver, wire.incoming)),
    ]
}

async fn send<S>(clock: impl Clock, mut outgoing: mpsc::Receiver<Bytes>, mut sender: S)
where
    S: Sender<PublicKey = NetworkPublicKey>,
{
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(first) => Some(first),
            None => outgoing.recv().await,
        };
        let Some(first) = first else { return };
        let (batch, left) = fill_batch(first, &mut outgoing);
        next = left;
        if !batch.is_empty() {
            let reached = sender.send(Recipients::All, batch.encode(), false);
            debug!(transactions = batch.len(), peers = reached.len(), "sent transactions");
        }
        clock.sleep(BATCH_INTERVAL).await;
    }
}

/// Takes what is waiting, up to the size of a message; what did not fit comes back.
fn fill_batch(first: Bytes, outgoing: &mut mpsc::Receiver<Bytes>) -> (Vec<Bytes>, Option<Bytes>) {
    let mut batch = Vec::new();
    let mut room = MAX_MESSAGE_BYTES.saturating_sub(MAX_BATCH.encode_size());
    let mut next = Some(first);
    while let Some(bytes) = next {
        if bytes.len() <= MAX_TRANSACTION_BYTES {
            let size = bytes.encode_size();
            if size > room || batch.len() == MAX_BATCH {
                return (batch, Some(bytes));
            }
            room = room.saturating_sub(size);
            batch.push(bytes);
        }
        next = outgoing.try_recv().ok();
    }
    (batch, None)
}

async fn receive<E, R>(context: E, mut receiver: R, incoming: Post)
where
    E: Clock + Metrics,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    let help = "Times a peer sent so many invalid transactions that it is ignored for a minute";
    let ignored = context.counter("ignored_peers", help);
    while let Ok((peer, message)) = receiver.recv().await {
        match incoming.admit(&peer, context.current()) {
            Admission::Open => {}
            Admission::Ignored => continue,
            Admission::IgnoredFromNow => {
                ignored.inc();
                warn!(%peer, "a peer sends transactions that nobody signed and is ignored for a minute");
                continue;
            }
            Admission::Closed => return,
        }
        let Some(batch) = decode_batch(message.as_ref()) else {
            debug!(%peer, "a peer sent something else than transactions");
            incoming.was_garbled(&peer);
            continue;
        };
        let dropped = incoming.deliver(&peer, batch);
        if dropped > 0 {
            debug!(%peer, dropped, "dropped transactions");
        }
    }
}

/// What a message of this channel holds: the encodings of 1 to [`MAX_BATCH`] transactions, none of
/// them looked at. None if it is anything else.
#[must_use]
pub fn decode_batch(message: &[u8]) -> Option<Vec<Bytes>> {
    if message.len() > MAX_MESSAGE_BYTES {
        return None;
    }
    let limits = (RangeCfg::from(1..=MAX_BATCH), RangeCfg::from(1..=MAX_TRANSACTION_BYTES));
    Vec::<Bytes>::decode_cfg(Copying(message), &limits).ok()
}
