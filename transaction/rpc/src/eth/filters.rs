//! Logs, and filters that remember how far their owner has read.

use crate::{
    error::Failure,
    listen::Asker,
    node::Node,
    view::{found_log_view, log_filter},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U128};
use alloy_rpc_types_eth::{Filter, FilterBlockOption, Log};
use jsonrpsee::{Extensions, proc_macros::rpc};
use parking_lot::{Mutex, MutexGuard};
use sahara_chain::{
    pool::PooledTransaction,
    store::{LogLimits, StoreError},
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::broadcast::{self, error::TryRecvError};

/// The most blocks one search reads.
const MAX_BLOCKS: u64 = 100_000;
/// The most hashes one answer holds.
const MAX_HASHES: u64 = 20_000;
/// The most addresses and topics of one filter, all together: a filter waits in memory for its owner.
const MAX_WANTED: usize = 1_024;
/// The most filters at once.
const MAX_FILTERS: usize = 4_096;
/// The most of them of one client.
const MAX_OF_CLIENT: usize = MAX_FILTERS / 4;

#[rpc(server, namespace = "eth")]
pub(crate) trait FiltersApi {
    #[method(name = "getLogs")]
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, Failure>;
    #[method(name = "newFilter", with_extensions)]
    fn new_filter(&self, filter: Filter) -> Result<U128, Failure>;
    #[method(name = "newBlockFilter", with_extensions)]
    fn new_block_filter(&self) -> Result<U128, Failure>;
    #[method(name = "newPendingTransactionFilter", with_extensions)]
    fn new_pending_filter(&self, is_full: Option<bool>) -> Result<U128, Failure>;
    #[method(name = "uninstallFilter")]
    fn uninstall(&self, id: U128) -> Result<bool, Failure>;
    #[method(name = "getFilterChanges")]
    async fn changes(&self, id: U128) -> Result<Changes, Failure>;
    #[method(name = "getFilterLogs")]
    async fn filter_logs(&self, id: U128) -> Result<Vec<Log>, Failure>;
}

/// What a filter found since it was read last.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Changes {
    Logs(Vec<Log>),
    Hashes(Vec<B256>),
}

#[derive(Debug)]
pub(crate) struct Filters {
    node: Node,
    readers: Readers,
}

/// The filters that are open, each with how far it was read.
#[derive(Debug)]
struct Readers {
    /// How long a filter may go unread.
    life: Duration,
    open: Mutex<BTreeMap<u128, Reader>>,
}

#[derive(Debug)]
struct Reader {
    kind: Kind,
    /// Whose it is; none where clients are not told apart.
    of: Option<IpAddr>,
    read_at: Instant,
    /// Held while it is read: who asks meanwhile goes on from there.
    reading: Arc<Turn>,
}

/// Whose turn it is to read.
type Turn = tokio::sync::Mutex<()>;

#[derive(Debug)]
enum Kind {
    Logs { filter: Box<Filter>, next: u64 },
    Blocks { next: u64 },
    Pending(broadcast::Receiver<Arc<PooledTransaction>>),
}

/// The block that a filter is read from next, unless that is as it was, and what was found.
type Found = (Option<u64>, Result<Changes, Failure>);

impl Filters {
    pub(crate) fn new(node: Node, life: Duration) -> Self {
        Self { node, readers: Readers::new(life) }
    }

    fn open(&self, kind: Kind, request: &Extensions) -> Result<U128, Failure> {
        let of = request.get::<Asker>().map(|asker| asker.0);
        Ok(U128::from(self.readers.open(kind, of)?))
    }

    fn head(&self) -> u64 {
        self.node.store().head().number
    }

    fn next_block(&self) -> u64 {
        self.head().saturating_add(1)
    }

    async fn find(&self, reading: Reading) -> Found {
        match reading {
            Reading::Logs { filter, blocks } => {
                let (first, last) = (*blocks.start(), *blocks.end());
                let work = move |node: &Node| Ok(search_some(node, &filter, first, last));
                match self.node.compute(work).await {
                    Ok((next, found)) => (Some(next), found.map(Changes::Logs)),
                    Err(error) => (None, Err(error)),
                }
            }
            Reading::Blocks(blocks) => {
                let next = blocks.end().saturating_add(1);
                let work = move |node: &Node| hashes(node, blocks);
                let found = self.node.compute(work).await;
                (found.is_ok().then_some(next), found.map(Changes::Hashes))
            }
            Reading::Hashes(hashes) => (None, Ok(Changes::Hashes(hashes))),
        }
    }
}

impl Readers {
    fn new(life: Duration) -> Self {
        Self { life, open: Mutex::default() }
    }

    /// Ids are drawn at random: who does not know one can neither read nor close the filter.
    fn open(&self, kind: Kind, of: Option<IpAddr>) -> Result<u128, Failure> {
        let mut open = self.living();
        make_room(&open, of)?;
        let id = rand::random();
        open.insert(id, Reader::new(kind, of));
        drop(open);
        Ok(id)
    }

    /// The filters that somebody still reads.
    fn living(&self) -> MutexGuard<'_, BTreeMap<u128, Reader>> {
        let mut open = self.open.lock();
        open.retain(|_, one| {
            // Who waits for what it asked for has not gone.
            let is_read = Arc::strong_count(&one.reading) > 1;
            is_read || one.read_at.elapsed() < self.life
        });
        open
    }

    /// What a filter finds up to the head since it was read last; one after the other. Whoever gives up before
    /// it is answered has read nothing.
    async fn read<W: Future<Output = Found>>(
        &self,
        id: u128,
        head: impl FnOnce() -> u64,
        find: impl FnOnce(Reading) -> W,
    ) -> Result<Changes, Failure> {
        let reading = self.turn(id)?;
        let _turn = reading.lock().await;
        let unread = self.unread(id, head())?;
        let (next, found) = find(unread).await;
        self.was_read(id, next);
        found
    }

    fn turn(&self, id: u128) -> Result<Arc<Turn>, Failure> {
        let mut open = self.living();
        let reader = open.get_mut(&id).ok_or(Failure::UnknownFilter)?;
        reader.read_at = Instant::now();
        Ok(Arc::clone(&reader.reading))
    }

    /// What is to be read of a filter.
    fn unread(&self, id: u128, head: u64) -> Result<Reading, Failure> {
        let mut open = self.living();
        let reader = open.get_mut(&id).ok_or(Failure::UnknownFilter)?;
        Ok(match &mut reader.kind {
            Kind::Logs { filter, next } => {
                let first = number_of(filter.block_option.get_from_block()).unwrap_or_default();
                let last = number_of(filter.block_option.get_to_block()).unwrap_or(head);
                let blocks = first.max(*next)..=last.min(head);
                Reading::Logs { filter: filter.clone(), blocks }
            }
            Kind::Blocks { next } => Reading::Blocks(*next..=head),
            Kind::Pending(arrivals) => Reading::Hashes(drain(arrivals)),
        })
    }

    /// Notes that a filter was read, and before which block.
    fn was_read(&self, id: u128, until: Option<u64>) {
        if let Some(reader) = self.open.lock().get_mut(&id) {
            reader.read_at = Instant::now();
            if let Kind::Logs { next, .. } | Kind::Blocks { next } = &mut reader.kind {
                *next = until.unwrap_or_default().max(*next);
            }
        }
    }
}

impl Reader {
    fn new(kind: Kind, of: Option<IpAddr>) -> Self {
        Self { kind, of, read_at: Instant::now(), reading: Arc::default() }
    }
}

/// Refuses a filter when there are too many, or too many of its client.
fn make_room(open: &BTreeMap<u128, Reader>, of: Option<IpAddr>) -> Result<(), Failure> {
    if open.len() >= MAX_FILTERS {
        return Err(Failure::Limit(format!("at most {MAX_FILTERS} filters at once")));
    }
    let own = open.values().filter(|one| one.of.is_some() && one.of == of);
    if own.count() >= MAX_OF_CLIENT {
        let text = format!("at most {MAX_OF_CLIENT} filters of one client at once");
        return Err(Failure::Limit(text));
    }
    Ok(())
}

/// What is to be read of a filter.
enum Reading {
    Logs { filter: Box<Filter>, blocks: RangeInclusive<u64> },
    Blocks(RangeInclusive<u64>),
    Hashes(Vec<B256>),
}

#[jsonrpsee::core::async_trait]
impl FiltersApiServer for Filters {
    async fn logs(&self, filter: Filter) -> Result<Vec<Log>, Failure> {
        let filter = bounded(filter)?;
        self.node.compute(move |node| search(node, &filter)).await
    }

    fn new_filter(&self, request: &Extensions, filter: Filter) -> Result<U128, Failure> {
        let filter = bounded(filter)?;
        if matches!(filter.block_option, FilterBlockOption::AtBlockHash(_)) {
            let text = "a filter of one block has no changes, use eth_getLogs";
            return Err(Failure::Parameters(text.into()));
        }
        let kind = Kind::Logs { filter: Box::new(filter), next: self.next_block() };
        self.open(kind, request)
    }

    fn new_block_filter(&self, request: &Extensions) -> Result<U128, Failure> {
        self.open(Kind::Blocks { next: self.next_block() }, request)
    }

    fn new_pending_filter(
        &self,
        request: &Extensions,
        is_full: Option<bool>,
    ) -> Result<U128, Failure> {
        if is_full == Some(true) {
            return Err(Failure::NotSupported("filters of pending transactions yield hashes"));
        }
        self.open(Kind::Pending(self.node.pool().subscribe()), request)
    }

    fn uninstall(&self, id: U128) -> Result<bool, Failure> {
        Ok(self.readers.living().remove(&id.to()).is_some())
    }

    async fn changes(&self, id: U128) -> Result<Changes, Failure> {
        self.readers.read(id.to(), || self.head(), |reading| self.find(reading)).await
    }

    async fn filter_logs(&self, id: U128) -> Result<Vec<Log>, Failure> {
        let filter = {
            let mut open = self.readers.living();
            let reader = open.get_mut(&id.to()).ok_or(Failure::UnknownFilter)?;
            reader.read_at = Instant::now();
            match &reader.kind {
                Kind::Logs { filter, .. } => filter.clone(),
                Kind::Blocks { .. } | Kind::Pending(_) => return Err(Failure::UnknownFilter),
            }
        };
        self.node.compute(move |node| search(node, &filter)).await
    }
}

/// Refuses a filter that names too much: each of it is looked for in each block.
pub(super) fn bounded(filter: Filter) -> Result<Filter, Failure> {
    let topics = filter.topics.iter().map(|topic| topic.len());
    let wanted = topics.fold(filter.address.len(), usize::saturating_add);
    if wanted > MAX_WANTED {
        let text = format!("too many addresses and topics (max {MAX_WANTED}, got {wanted})");
        return Err(Failure::Limit(text));
    }
    Ok(filter)
}

/// The block a filter names by its number; a tag moves with the head.
fn number_of(block: Option<&BlockNumberOrTag>) -> Option<u64> {
    block.and_then(|block| if block.is_earliest() { Some(0) } else { block.as_number() })
}

/// The first and the last block a filter means.
fn bounds(node: &Node, filter: &Filter) -> Result<(u64, u64), Failure> {
    let head = node.store().head().number;
    let (from, to) = match &filter.block_option {
        FilterBlockOption::AtBlockHash(hash) => {
            let number = node.store().block_number(*hash)?.ok_or(Failure::UnknownBlock)?;
            return Ok((number, number));
        }
        FilterBlockOption::Range { from_block, to_block } => (*from_block, *to_block),
    };
    // Blocks to come may be named; there is nothing in them yet.
    let number = |tag: BlockNumberOrTag| match tag {
        BlockNumberOrTag::Number(number) => number,
        BlockNumberOrTag::Earliest => 0,
        _ => head,
    };
    Ok((number(from.unwrap_or_default()), number(to.unwrap_or_default())))
}

fn search(node: &Node, filter: &Filter) -> Result<Vec<Log>, Failure> {
    let (first, last) = bounds(node, filter)?;
    if first > last {
        return Err(Failure::Parameters("invalid block range params".into()));
    }
    if last > node.store().head().number {
        let text = "block range extends beyond current head block";
        return Err(Failure::Parameters(text.into()));
    }
    search_blocks(node, filter, first..=last)
}

fn search_blocks(
    node: &Node,
    filter: &Filter,
    blocks: RangeInclusive<u64>,
) -> Result<Vec<Log>, Failure> {
    let last = (*blocks.end()).min(node.store().head().number);
    if last.saturating_sub(*blocks.start()) >= MAX_BLOCKS {
        let text = format!("query exceeds max block range {MAX_BLOCKS}");
        return Err(Failure::Limit(text));
    }
    let wanted = log_filter(filter);
    let found = node.store().logs(*blocks.start()..=last, &wanted, LogLimits::default())?;
    Ok(found.into_iter().map(found_log_view).collect())
}

/// What a filter finds from `first` on, in as many blocks as an answer holds and there is time for, and the
/// block after them: there it goes on. A block that is too much by itself is refused once and left behind.
fn search_some(
    node: &Node,
    filter: &Filter,
    first: u64,
    last: u64,
) -> (u64, Result<Vec<Log>, Failure>) {
    let last = last.min(first.saturating_add(MAX_BLOCKS.saturating_sub(1)));
    let wanted = log_filter(filter);
    match node.store().first_logs(first..=last, &wanted, LogLimits::default()) {
        Ok((found, next)) => (next, Ok(found.into_iter().map(found_log_view).collect())),
        Err(error @ (StoreError::TooManyLogs(_) | StoreError::LogsTooLarge(_))) => {
            (first.saturating_add(1), Err(error.into()))
        }
        Err(error) => (first, Err(error.into())),
    }
}

fn hashes(node: &Node, blocks: RangeInclusive<u64>) -> Result<Vec<B256>, Failure> {
    // Whoever was away for long gets the newest.
    let newest = blocks.end().saturating_sub(MAX_HASHES);
    let wanted = (*blocks.start()).max(newest)..=*blocks.end();
    let heads = wanted.map(|number| Ok(node.store().header(number)?.map(|head| head.hash)));
    heads.filter_map(Result::transpose).collect()
}

fn drain(arrivals: &mut broadcast::Receiver<Arc<PooledTransaction>>) -> Vec<B256> {
    let mut hashes = Vec::new();
    loop {
        match arrivals.try_recv() {
            Ok(pooled) => hashes.push(pooled.hash()),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return hashes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Changes, Kind, MAX_FILTERS, MAX_OF_CLIENT, Reader, Readers, Reading, make_room};
    use crate::error::Failure;
    use parking_lot::Mutex;
    use std::{
        collections::BTreeMap,
        future::{pending, ready},
        net::IpAddr,
        pin::pin,
        sync::Arc,
        task::{Context, Poll, Waker},
        time::{Duration, Instant},
    };
    use tokio::sync::Semaphore;

    #[test]
    fn one_client_opens_a_quarter_of_the_filters() {
        let client = |text: &str| Some(text.parse::<IpAddr>().unwrap());
        let mut open = BTreeMap::new();
        let mut fill = |count: usize, of: Option<IpAddr>| {
            for _ in 0..count {
                make_room(&open, of).unwrap();
                let kind = Kind::Blocks { next: 1 };
                let id = u128::try_from(open.len()).unwrap();
                open.insert(id, Reader::new(kind, of));
            }
            make_room(&open, of)
        };
        assert!(fill(MAX_OF_CLIENT, client("192.0.2.1")).is_err());
        assert!(fill(1, client("192.0.2.2")).is_ok());
        assert!(fill(MAX_OF_CLIENT + 1, None).is_ok(), "loopback speaks for many");
        assert!(fill(MAX_FILTERS - 2 * MAX_OF_CLIENT - 2, None).is_err(), "all are taken");
    }

    #[test]
    fn polls_that_overlap_or_are_given_up_lose_nothing() {
        let mut context = Context::from_waker(Waker::noop());
        let logs = Kind::Logs { filter: Box::default(), next: 5 };
        for kind in [logs, Kind::Blocks { next: 5 }] {
            let readers = Readers::new(Duration::from_secs(600));
            let id = readers.open(kind, None).unwrap();
            let (asked, gate) = (&Mutex::new(Vec::new()), &Semaphore::new(0));
            let find = move |reading: Reading| async move {
                let (Reading::Logs { blocks, .. } | Reading::Blocks(blocks)) = reading else {
                    return (None, Ok(Changes::Hashes(Vec::new())));
                };
                let next = blocks.end() + 1;
                asked.lock().push(blocks);
                gate.acquire().await.unwrap().forget();
                (Some(next), Ok(Changes::Hashes(Vec::new())))
            };
            let mut given_up = Box::pin(readers.read(id, || 7, find));
            assert!(given_up.as_mut().poll(&mut context).is_pending());
            let mut again = Box::pin(readers.read(id, || 7, find));
            assert!(again.as_mut().poll(&mut context).is_pending());
            assert_eq!(*asked.lock(), [5..=7], "one after the other");
            drop(given_up);
            assert!(again.as_mut().poll(&mut context).is_pending());
            assert_eq!(*asked.lock(), [5..=7, 5..=7], "nobody has read it");
            let mut more = Box::pin(readers.read(id, || 9, find));
            assert!(more.as_mut().poll(&mut context).is_pending());
            gate.add_permits(2);
            assert!(more.as_mut().poll(&mut context).is_pending(), "it waits for its turn");
            assert!(again.as_mut().poll(&mut context).is_ready());
            assert!(more.as_mut().poll(&mut context).is_ready());
            assert_eq!(*asked.lock(), [5..=7, 5..=7, 8..=9]);
        }
    }

    #[test]
    fn what_could_not_be_read_is_read_again() {
        let mut context = Context::from_waker(Waker::noop());
        let readers = Readers::new(Duration::from_secs(600));
        let id = readers.open(Kind::Blocks { next: 5 }, None).unwrap();
        let mut poll = |next, found| {
            let mut asked = None;
            let reading = readers.read(
                id,
                || 7,
                |reading| {
                    if let Reading::Blocks(blocks) = reading {
                        asked = Some(blocks);
                    }
                    ready((next, found))
                },
            );
            assert!(pin!(reading).poll(&mut context).is_ready());
            asked.unwrap()
        };
        assert_eq!(poll(None, Err(Failure::UnknownBlock)), 5..=7);
        assert_eq!(poll(Some(6), Ok(Changes::Hashes(Vec::new()))), 5..=7);
        assert_eq!(poll(None, Err(Failure::UnknownBlock)), 6..=7, "a part was read");
    }

    #[test]
    fn a_filter_lives_while_its_owner_waits() {
        let mut context = Context::from_waker(Waker::noop());
        let readers = Readers::new(Duration::from_millis(1));
        let id = readers.open(Kind::Blocks { next: 5 }, None).unwrap();
        let turn = {
            let mut open = readers.open.lock();
            let reader = open.get_mut(&id).unwrap();
            // As if it was asked for long ago.
            reader.read_at = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
            Arc::clone(&reader.reading)
        };
        assert!(readers.living().contains_key(&id));
        drop(turn);
        let read = readers.read(id, || 7, |_| pending::<super::Found>());
        assert!(matches!(pin!(read).poll(&mut context), Poll::Ready(Err(Failure::UnknownFilter))));
    }
}
