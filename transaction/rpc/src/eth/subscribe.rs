//! `eth_subscribe` over WebSocket.
//!
//! A subscription waits in memory for what it looks for, so there is [`Room`] for them and no more. Of a new
//! block its header and its receipts are read once for all.

use super::room::{Room, Share};
use crate::{
    computing::Whose,
    error::Failure,
    eth::filters::bounded,
    listen::{Asker, Unread},
    node::{FullBlock, Node},
    view::{header_view, log_filter, log_views, pooled_view},
};
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{
    Extensions, PendingSubscriptionSink, SubscriptionSink,
    core::{JsonRawValue, SubscriptionResult, to_json_raw_value},
    proc_macros::rpc,
};
use parking_lot::Mutex;
use sahara_chain::{
    pool::PooledTransaction,
    store::{Head, LogFilter},
};
use serde::Serialize;
use serde_json::Value;
use std::{ops::RangeInclusive, sync::Arc};
use tokio::sync::{
    OnceCell,
    broadcast::{Receiver, error::RecvError},
};

/// Units of room that a subscription takes beside one for each address and topic. A unit is about 64 bytes: an
/// address or a topic with its bits, and the 32nd part of a task with its place among the subscribers.
const ITSELF: usize = 32;

/// What stands around each item.
const ENVELOPE: &str = r#"{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x00000000000000000000000000000000","result":}}"#;

/// Characters of an unknown kind that its refusal repeats.
const MOST_NAMED: usize = 64;

#[rpc(server, namespace = "eth")]
pub(crate) trait SubscribeApi {
    /// `newHeads`, `logs` with a filter, `newPendingTransactions` with whether in full.
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = Value, with_extensions)]
    async fn subscribe(&self, kind: String, options: Option<Value>) -> SubscriptionResult;
}

#[derive(Debug)]
pub(crate) struct Subscribe {
    news: Arc<News>,
    room: Room,
}

impl Subscribe {
    /// With so many units of room for all subscriptions.
    pub(crate) fn new(node: Node, room: usize) -> Self {
        Self { news: Arc::new(News { node, newest: Mutex::default() }), room: Room::new(room) }
    }

    fn admit(
        &self,
        asker: Option<Asker>,
        kind: &str,
        options: Option<Value>,
    ) -> Result<(Kind, Share), Failure> {
        let kind = Kind::new(kind, options)?;
        let share = self.room.take(asker, kind.units())?;
        Ok((kind, share))
    }
}

#[jsonrpsee::core::async_trait]
impl SubscribeApiServer for Subscribe {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        request: &Extensions,
        kind: String,
        options: Option<Value>,
    ) -> SubscriptionResult {
        let asker = request.get::<Asker>().copied();
        let unread = request.get::<Unread>().cloned();
        let (kind, share) = match self.admit(asker, &kind, options) {
            Ok(admitted) => admitted,
            Err(failure) => {
                pending.reject(failure).await;
                return Ok(());
            }
        };
        // Who is told that it is subscribed misses nothing after.
        let blocks = Blocks::after_now(&self.news);
        let arrivals = self.news.node.pool().subscribe();
        let sink = pending.accept().await?;
        let feed = Feed { sink, unread, _share: share };
        let whose = Whose::notice(asker);
        drop(match kind {
            Kind::Heads => tokio::spawn(whose.asks(new_heads(feed, blocks))),
            Kind::Logs(wanted) => tokio::spawn(whose.asks(logs(feed, blocks, wanted))),
            Kind::Transactions { is_full } => {
                tokio::spawn(whose.asks(new_transactions(feed, arrivals, is_full)))
            }
        });
        Ok(())
    }
}

/// What is subscribed to.
#[derive(Debug)]
enum Kind {
    Heads,
    Logs(LogFilter),
    Transactions { is_full: bool },
}

impl Kind {
    fn new(name: &str, options: Option<Value>) -> Result<Self, Failure> {
        match name {
            "newHeads" => Ok(Self::Heads),
            "logs" => Ok(Self::Logs(log_filter(&filter(options)?))),
            "newPendingTransactions" => {
                let is_full = options.and_then(|one| one.as_bool()).unwrap_or_default();
                Ok(Self::Transactions { is_full })
            }
            other => {
                // Not all of it: it may be as long as a request.
                let named: String = other.chars().take(MOST_NAMED).collect();
                Err(Failure::Parameters(format!(
                    "no \"{named}\" subscription in eth namespace, expected newHeads, logs or newPendingTransactions"
                )))
            }
        }
    }

    /// Of room.
    fn units(&self) -> usize {
        match self {
            Self::Heads | Self::Transactions { .. } => ITSELF,
            Self::Logs(LogFilter { addresses, topics }) => {
                let wanted = topics.iter().map(Vec::len).chain([addresses.len()]);
                wanted.fold(ITSELF, usize::saturating_add)
            }
        }
    }
}

fn filter(options: Option<Value>) -> Result<Filter, Failure> {
    let options = options.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let filter = serde_json::from_value(options);
    bounded(filter.map_err(|error| Failure::Parameters(error.to_string()))?)
}

/// What is read of new blocks, once for all subscribers.
#[derive(Debug)]
struct News {
    node: Node,
    newest: Mutex<Option<Arc<Told>>>,
}

/// A block as subscribers are told of it.
#[derive(Debug)]
struct Told {
    head: Head,
    /// The header in words.
    header: Box<JsonRawValue>,
    /// Read when somebody looks for logs that may be in it.
    full: OnceCell<FullBlock>,
    /// In whose turn that is.
    whose: Whose,
}

impl News {
    /// A final block. The newest is kept; who is behind reads an older one for itself.
    fn read(&self, number: u64) -> Result<Arc<Told>, Failure> {
        let mut newest = self.newest.lock();
        if let Some(told) = newest.as_ref().filter(|told| told.head.number == number) {
            return Ok(Arc::clone(told));
        }
        let is_newest = newest.as_ref().is_none_or(|told| told.head.number < number);
        let head = self.node.store().header(number)?.ok_or(Failure::UnknownBlock)?;
        let header = to_json_raw_value(&header_view(&head.header, head.hash));
        let told = Arc::new(Told {
            head,
            header: header.map_err(Failure::internal)?,
            full: OnceCell::new(),
            // Else all would wait for the turn of whoever happens to be the first.
            whose: if is_newest { Whose::News } else { Whose::now() },
        });
        if is_newest {
            *newest = Some(Arc::clone(&told));
        }
        drop(newest);
        Ok(told)
    }
}

impl Told {
    async fn full(&self, node: &Node) -> Result<&FullBlock, Failure> {
        let read = || async {
            let full = self.whose.asks(node.read_block(self.head.number)).await?;
            full.ok_or(Failure::UnknownBlock)
        };
        self.full.get_or_try_init(read).await
    }
}

/// Where a subscriber is told.
struct Feed {
    sink: SubscriptionSink,
    /// What its connection leaves unread.
    unread: Option<Unread>,
    _share: Share,
}

impl Feed {
    /// Sends one item; false when the subscriber is gone.
    async fn send(&self, item: &impl Serialize) -> bool {
        let Ok(item) = to_json_raw_value(item) else { return false };
        self.tell(item).await
    }

    /// As [`Self::send`], in words. Who has too much unread is cut off, with its connection: it misses
    /// nothing that it does not know of.
    async fn tell(&self, item: Box<JsonRawValue>) -> bool {
        let bytes = item.get().len().saturating_add(ENVELOPE.len());
        let Some(unread) = &self.unread else { return self.sink.send(item).await.is_ok() };
        if !unread.give(bytes) {
            self.cut();
            return false;
        }
        let is_sent = self.sink.send(item).await.is_ok();
        if !is_sent {
            unread.took(bytes);
        }
        is_sent
    }

    /// Ends the subscriber's connection, as something cannot be told: it has to know.
    fn cut(&self) {
        if let Some(unread) = &self.unread {
            unread.cut();
        }
    }
}

/// The blocks that become final after a subscription.
struct Blocks {
    news: Arc<News>,
    heads: Receiver<Arc<Head>>,
    /// The last one that is none of them, or was told of.
    last: u64,
}

impl Blocks {
    fn after_now(news: &Arc<News>) -> Self {
        let store = news.node.store();
        let (heads, last) = (store.subscribe(), store.head().number);
        Self { news: Arc::clone(news), heads, last }
    }

    /// The numbers of those that came since; what was missed is made up for. None when the subscriber is
    /// gone.
    async fn next(&mut self, feed: &Feed) -> Option<RangeInclusive<u64>> {
        loop {
            let received = tokio::select! {
                received = self.heads.recv() => received,
                () = feed.sink.closed() => return None,
            };
            let newest = match received {
                Ok(head) => head.number,
                Err(RecvError::Lagged(_)) => self.news.node.store().head().number,
                Err(RecvError::Closed) => return None,
            };
            if newest > self.last {
                let first = self.last.saturating_add(1);
                self.last = newest;
                return Some(first..=newest);
            }
        }
    }
}

async fn new_heads(feed: Feed, mut blocks: Blocks) {
    while let Some(numbers) = blocks.next(&feed).await {
        for number in numbers {
            let Ok(told) = blocks.news.read(number) else { return feed.cut() };
            if !feed.tell(told.header.clone()).await {
                return;
            }
        }
    }
}

async fn logs(feed: Feed, mut blocks: Blocks, wanted: LogFilter) {
    let blooms = wanted.blooms();
    while let Some(numbers) = blocks.next(&feed).await {
        for number in numbers {
            let Ok(told) = blocks.news.read(number) else { return feed.cut() };
            if !blooms.may_match(&told.head.header.logs_bloom) {
                continue;
            }
            let Ok(full) = told.full(&blocks.news.node).await else { return feed.cut() };
            if !announce(&feed, full, &wanted).await {
                return;
            }
        }
    }
}

/// Sends a block's logs one by one, however many there are; false when the subscriber is gone.
async fn announce(feed: &Feed, full: &FullBlock, wanted: &LogFilter) -> bool {
    let mut first = 0_u64;
    for (index, receipt) in full.receipts.iter().enumerate() {
        if receipt.logs.iter().any(|log| wanted.matches(log)) {
            for log in log_views(full, index, receipt, first) {
                if wanted.matches(&log.inner) && !feed.send(&log).await {
                    return false;
                }
            }
        }
        first = first.saturating_add(u64::try_from(receipt.logs.len()).unwrap_or(u64::MAX));
    }
    true
}

async fn new_transactions(
    feed: Feed,
    mut arrivals: Receiver<Arc<PooledTransaction>>,
    is_full: bool,
) {
    loop {
        let received = tokio::select! {
            received = arrivals.recv() => received,
            () = feed.sink.closed() => return,
        };
        let pooled = match received {
            Ok(pooled) => pooled,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let is_sent = if is_full {
            feed.send(&pooled_view(&pooled)).await
        } else {
            feed.send(&pooled.hash()).await
        };
        if !is_sent {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENVELOPE, Kind, MOST_NAMED};
    use jsonrpsee::types::{SubscriptionId, SubscriptionPayload, SubscriptionResponse};

    #[test]
    fn the_envelope_of_a_notice_is_as_long_as_it_is_counted() {
        let subscription = SubscriptionId::Str(format!("0x{}", "0".repeat(32)).into());
        let payload = SubscriptionPayload { subscription, result: 7 };
        let sent = SubscriptionResponse::new("eth_subscription".into(), payload);
        let sent = serde_json::to_string(&sent).unwrap();
        assert_eq!(sent.replace('7', ""), ENVELOPE);
    }

    #[test]
    fn a_refusal_does_not_repeat_a_long_kind() {
        let refused = Kind::new(&"x".repeat(1 << 20), None).unwrap_err().to_string();
        let named = "x".repeat(MOST_NAMED);
        assert!(refused.contains(&format!("\"{named}\"")) && refused.len() < 300, "{refused}");
    }
}
