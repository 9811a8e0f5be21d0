//! Answering those who fetch a state.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use alloy_primitives::{B256, Bytes};
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Handle, Spawner};
use futures::FutureExt as _;
use parking_lot::Mutex;
use sahara_finality::{Handover, NetworkPublicKey};
use tokio::sync::mpsc;
use tracing::{debug, error};

use super::wire::{
    ANSWER_BYTES, Answer, HandoverParts, MAX_CODES, MAX_HANDOVERS, MAX_HEADERS, MAX_MESSAGE_BYTES,
    MAX_NODES, MAX_PAST_BLOCKS, MAX_PIVOTS, Message, Request,
};
use crate::{
    store::{Place, Store, StoreError},
    turns::{Limits, Turns},
};

/// Room that a message takes beside its one long part.
const ENVELOPE_BYTES: usize = 1024;
/// What a message's one long part may take.
const ROOM: usize = MAX_MESSAGE_BYTES - ENVELOPE_BYTES;
/// Requests of one peer that wait, and a turn, which is one of them: who fetches has three under way.
const WAITING: Limits = Limits { most: 8, most_bytes: usize::MAX, turn_bytes: 1 };
/// So many messages are received in a row while a request waits; then one is answered. Who sends without a
/// pause would keep everybody from being answered.
const RECEIVED_IN_A_ROW: usize = 64;

/// What answers requests.
pub trait Library: Send + Sync + 'static {
    /// The answer; none when there is none to give.
    fn answer(&self, request: &Request) -> Option<Answer>;
}

/// Tells who validated when.
pub trait Handovers: Send + Sync + 'static {
    /// The last blocks of the epochs after which others follow, the oldest first.
    fn ends(&self) -> Vec<u64>;
    /// One of them.
    fn handover(&self, end: u64) -> Option<Handover>;
}

/// A store and who validated when.
#[derive(Debug)]
pub struct StateLibrary<H> {
    /// The blocks and states.
    pub store: Store,
    /// The validators.
    pub handovers: H,
    /// With how many bytes an answer of many parts ends; [`ANSWER_BYTES`] unless a test wants more.
    pub answer_bytes: usize,
    long: LongBlock,
}

impl<H> StateLibrary<H> {
    /// A library of these.
    pub const fn new(store: Store, handovers: H) -> Self {
        Self { store, handovers, answer_bytes: ANSWER_BYTES, long: LongBlock::new() }
    }
}

impl<H: Handovers> Library for StateLibrary<H> {
    fn answer(&self, request: &Request) -> Option<Answer> {
        let answer = match request {
            Request::Handovers { above } => Ok(Some(self.handovers(*above))),
            Request::Pivots => {
                let mut pivots = self.store.pivots();
                pivots.truncate(MAX_PIVOTS);
                Ok(Some(Answer::Pivots(pivots)))
            }
            Request::Runs { pivot, places } => self.runs(*pivot, places),
            Request::Codes(hashes) => self.codes(hashes),
            Request::Headers { last, count } => self.headers(*last, *count),
            Request::Block(number) => self.block(*number),
            Request::Past { number, skipped } => {
                past((*number, *skipped), self.answer_bytes, &self.long, |number| {
                    let block = self.store.past_block(number)?;
                    Ok(block.map(|block| alloy_rlp::encode(block).into()))
                })
            }
        };
        match answer {
            Ok(answer) => Some(answer.unwrap_or(Answer::Gone)),
            Err(error) => {
                debug!(%error, "a request could not be answered");
                Some(Answer::Gone)
            }
        }
    }
}

impl<H: Handovers> StateLibrary<H> {
    fn handovers(&self, above: u64) -> Answer {
        let ends = self.handovers.ends().into_iter().filter(|end| *end > above);
        let (mut some, mut bytes, mut has_more) = (Vec::new(), 0_usize, false);
        for end in ends {
            if some.len() == MAX_HANDOVERS || bytes >= ANSWER_BYTES {
                has_more = true;
                break;
            }
            let Some(handover) = self.handovers.handover(end) else {
                // To say that there are no more would be a lie about who validates.
                if some.is_empty() {
                    return Answer::Gone;
                }
                has_more = true;
                break;
            };
            let parts = HandoverParts::from(&handover);
            bytes = bytes.saturating_add(parts.validators.len());
            some.push(parts);
        }
        Answer::Handovers { some, has_more }
    }

    fn runs(&self, pivot: B256, places: &[(Place, bool)]) -> Result<Option<Answer>, StoreError> {
        let Some(state) = self.store.pinned(pivot) else { return Ok(None) };
        let (mut runs, mut bytes, mut nodes) = (Vec::new(), self.answer_bytes, 0_usize);
        for (place, is_deep) in places {
            // A node takes at least 33 bytes, or it would stand in its parent; a root may be shorter.
            if bytes == 0 || nodes.saturating_add(ANSWER_BYTES / 32) > MAX_NODES {
                break;
            }
            let run = state.run((place.owner, &place.path), *is_deep, bytes)?;
            let taken = run.nodes.iter().map(|node| node.len()).sum::<usize>();
            bytes = bytes.saturating_sub(taken.max(1));
            nodes = nodes.saturating_add(run.nodes.len());
            runs.push(run);
        }
        Ok(Some(Answer::Runs(runs)))
    }

    fn codes(&self, hashes: &[B256]) -> Result<Option<Answer>, StoreError> {
        let (mut codes, mut bytes) = (Vec::<Bytes>::new(), 0_usize);
        for hash in hashes.iter().take(MAX_CODES) {
            let Some(code) = self.store.code(*hash)? else { break };
            let with = bytes.saturating_add(code.len());
            let is_long = with > ROOM;
            if is_long || (with > ANSWER_BYTES && !codes.is_empty()) {
                break;
            }
            bytes = with;
            codes.push(code);
        }
        Ok((!codes.is_empty()).then_some(Answer::Codes(codes)))
    }

    fn headers(&self, last: u64, count: u64) -> Result<Option<Answer>, StoreError> {
        let most = u64::try_from(MAX_HEADERS).unwrap_or(u64::MAX);
        let first = last.saturating_add(1).saturating_sub(count.min(most));
        let mut headers = Vec::new();
        for number in first..=last {
            let Some(head) = self.store.header(number)? else { return Ok(None) };
            headers.push(alloy_rlp::encode(&head.header).into());
        }
        Ok(Some(Answer::Headers(headers)))
    }

    fn block(&self, number: u64) -> Result<Option<Answer>, StoreError> {
        let Some(block) = self.store.block(number)? else { return Ok(None) };
        let certificate = self.store.certificate(number)?.unwrap_or_default();
        Ok(Some(Answer::Block { block: block.encoded().into(), certificate }))
    }
}

/// The encoding of a block that does not fit into a message, from its first piece to its last: reading and
/// encoding it takes as long as sending it. It may take 64 MiB.
#[derive(Debug)]
struct LongBlock(Mutex<Option<(u64, Bytes)>>);

impl LongBlock {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn find(&self, number: u64) -> Option<Bytes> {
        let kept = self.0.lock();
        kept.as_ref().filter(|(of, _)| *of == number).map(|(_, block)| block.clone())
    }

    fn keep(&self, number: u64, block: &Bytes) {
        *self.0.lock() = Some((number, block.clone()));
    }

    fn forget(&self, number: u64) {
        self.0.lock().take_if(|(of, _)| *of == number);
    }
}

/// A block and those before it, until they are many; of one that is too long, the next piece. `read` gives
/// encodings.
fn past(
    (number, skipped): (u64, u64),
    answer_bytes: usize,
    long: &LongBlock,
    read: impl Fn(u64) -> Result<Option<Bytes>, StoreError>,
) -> Result<Option<Answer>, StoreError> {
    let (mut blocks, mut bytes) = (Vec::<Bytes>::new(), 0_usize);
    for number in (0..=number).rev().take(MAX_PAST_BLOCKS) {
        let kept = long.find(number);
        let is_kept = kept.is_some();
        let Some(block) = kept.map_or_else(|| read(number), |kept| Ok(Some(kept)))? else { break };
        if block.len() > ROOM && !is_kept {
            long.keep(number, &block);
        }
        if blocks.is_empty() && (skipped > 0 || block.len() > ROOM) {
            let piece = piece(&block, skipped, ROOM);
            if !matches!(piece, Some(Answer::Past { rest: 1.., .. })) {
                long.forget(number);
            }
            return Ok(piece);
        }
        // A few bytes of RLP before each.
        let with = bytes.saturating_add(block.len()).saturating_add(8);
        if with > ROOM {
            break;
        }
        bytes = with;
        blocks.push(block);
        if bytes >= answer_bytes {
            break;
        }
    }
    Ok((!blocks.is_empty()).then_some(Answer::Past { blocks, rest: 0 }))
}

/// At most `room` bytes of a block; none after its end.
fn piece(block: &Bytes, skipped: u64, room: usize) -> Option<Answer> {
    let skipped = usize::try_from(skipped).ok().filter(|skipped| *skipped < block.len())?;
    let end = skipped.saturating_add(room).min(block.len());
    let rest = u64::try_from(block.len().saturating_sub(end)).ok()?;
    Some(Answer::Past { blocks: vec![block.slice(skipped..end)], rest })
}

impl From<&Handover> for HandoverParts {
    fn from(handover: &Handover) -> Self {
        Self {
            header: handover.header.clone(),
            seal: handover.seal.clone(),
            certificate: handover.certificate.clone(),
            validators: handover.validators.encoded().into(),
        }
    }
}

/// What a peer answered to a request of that id.
pub type Heard = (NetworkPublicKey, u64, Answer);

/// Answers requests, one at a time, on a thread of its own: reading is not to hold up votes. Peers have turns,
/// a request each; who sends more than it takes finds them dropped. What others answer goes to `heard`, if
/// there is room.
pub fn start<E, S, R>(
    context: E,
    library: Arc<dyn Library>,
    channel: (S, R),
    heard: mpsc::Sender<Heard>,
) -> Handle<()>
where
    E: Spawner,
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    context.dedicated().spawn(move |_| serve(library, channel, heard))
}

/// The ids of requests, and what they ask for, by peer.
type Waiting = Turns<NetworkPublicKey, (u64, Request)>;

async fn serve<S, R>(
    library: Arc<dyn Library>,
    (mut sender, mut receiver): (S, R),
    heard: mpsc::Sender<Heard>,
) where
    S: Sender<PublicKey = NetworkPublicKey>,
    R: Receiver<PublicKey = NetworkPublicKey>,
{
    let mut waiting = Waiting::new(WAITING);
    let mut in_a_row = 0_usize;
    loop {
        // All that has come is put in line before the next is answered, unless that has no end; only where
        // nothing waits it is waited for.
        let came = if waiting.is_empty() {
            in_a_row = 0;
            Some(receiver.recv().await)
        } else if in_a_row < RECEIVED_IN_A_ROW {
            receiver.recv().now_or_never()
        } else {
            None
        };
        if let Some(came) = came {
            let Ok((peer, bytes)) = came else { return };
            put_in_line(&mut waiting, &heard, &peer, bytes.as_ref());
            in_a_row = in_a_row.saturating_add(1);
            continue;
        }
        in_a_row = 0;
        let Some((peer, (id, request))) = waiting.pop() else { continue };
        if let Some(answer) = answer_of(&*library, &request) {
            let answer = Message::Answer(id, answer).encoded();
            let reached = sender.send(Recipients::One(peer), Bytes::from(answer).0, false);
            debug!(reached = reached.len(), "answered a request");
        }
    }
}

fn put_in_line(
    waiting: &mut Waiting,
    heard: &mpsc::Sender<Heard>,
    peer: &NetworkPublicKey,
    bytes: &[u8],
) {
    match Message::decode(bytes) {
        Ok(Message::Request(id, request)) => {
            if !waiting.push(peer, (id, request), bytes.len()) {
                debug!(%peer, "a peer asks for more than is answered");
            }
        }
        Ok(Message::Answer(id, answer)) => {
            // Nobody asked for it, or it is asked for again.
            let is_heard = heard.try_send((peer.clone(), id, answer)).is_ok();
            debug!(is_heard, "a peer answered");
        }
        Err(error) => debug!(%peer, %error, "a peer sent something else than a request"),
    }
}

/// A panic over a peer's question costs the answer, not the node that votes.
fn answer_of(library: &dyn Library, request: &Request) -> Option<Answer> {
    let answer = catch_unwind(AssertUnwindSafe(|| library.answer(request)));
    answer.unwrap_or_else(|_| {
        error!("answering a peer's request panicked");
        Some(Answer::Gone)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_long_block_is_read_once_for_all_its_pieces() {
        let parts = [vec![1_u8; ROOM], vec![2; ROOM], vec![3; ROOM], vec![4; 5]];
        let long = Bytes::from(parts.concat());
        let (kept, reads) = (LongBlock::new(), Cell::new(0));
        let ask = |number, skipped| {
            let read = |number| {
                reads.set(reads.get() + 1);
                let short = || Bytes::from_static(b"short");
                Ok(Some(if number == 7 { long.clone() } else { short() }))
            };
            let answer = past((number, skipped), 1, &kept, read).unwrap();
            let Some(Answer::Past { blocks, rest }) = answer else { panic!("{answer:?}") };
            (blocks, rest)
        };
        let mut whole = Vec::new();
        loop {
            let (blocks, rest) = ask(7, u64::try_from(whole.len()).unwrap());
            whole.extend_from_slice(&blocks[0]);
            // What others ask for meanwhile is read beside it.
            assert_eq!(ask(6, 0).0, [Bytes::from_static(b"short")]);
            if rest == 0 {
                break;
            }
        }
        assert!(whole == long[..], "the pieces are the block");
        assert_eq!(reads.get(), 1 + 4, "once, and each time the other");
        assert!(kept.find(7).is_none(), "it is kept no longer than it is asked for");
    }
}
