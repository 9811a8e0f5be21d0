//! `eth_subscribe` over WebSocket.

use crate::{
    error::Failure,
    eth::filters::bounded,
    listen::Unread,
    node::{FullBlock, Node},
    view::{header_view, log_filter, log_views, pooled_view},
};
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{
    Extensions, PendingSubscriptionSink, SubscriptionSink,
    core::{SubscriptionResult, to_json_raw_value},
    proc_macros::rpc,
};
use sahara_chain::{
    pool::PooledTransaction,
    store::{Head, LogFilter},
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

#[rpc(server, namespace = "eth")]
pub(crate) trait SubscribeApi {
    /// `newHeads`, `logs` with a filter, `newPendingTransactions` with whether in full.
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = Value, with_extensions)]
    async fn subscribe(&self, kind: String, options: Option<Value>) -> SubscriptionResult;
}

#[derive(Debug)]
pub(crate) struct Subscribe(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl SubscribeApiServer for Subscribe {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        request: &Extensions,
        kind: String,
        options: Option<Value>,
    ) -> SubscriptionResult {
        let node = self.0.clone();
        let unread = request.get::<Unread>().cloned();
        match kind.as_str() {
            "newHeads" => {
                // Who is told that it is subscribed misses none of the blocks after.
                let (heads, last) = (node.store().subscribe(), node.store().head().number);
                let sink = pending.accept().await?;
                drop(tokio::spawn(new_heads(node, Feed { sink, unread }, (heads, last))));
            }
            "logs" => match filter(options) {
                Ok(filter) => {
                    let (heads, last) = (node.store().subscribe(), node.store().head().number);
                    let sink = pending.accept().await?;
                    let feed = Feed { sink, unread };
                    drop(tokio::spawn(logs(node, feed, (heads, last), filter)));
                }
                Err(failure) => pending.reject(failure).await,
            },
            "newPendingTransactions" => {
                let is_full = options.and_then(|one| one.as_bool()).unwrap_or_default();
                let arrivals = node.pool().subscribe();
                let sink = pending.accept().await?;
                let feed = Feed { sink, unread };
                drop(tokio::spawn(new_transactions(feed, arrivals, is_full)));
            }
            other => {
                let text = format!(
                    "no \"{other}\" subscription in eth namespace, expected newHeads, logs or newPendingTransactions"
                );
                pending.reject(Failure::Parameters(text)).await;
            }
        }
        Ok(())
    }
}

fn filter(options: Option<Value>) -> Result<Filter, Failure> {
    let options = options.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let filter = serde_json::from_value(options);
    bounded(filter.map_err(|error| Failure::Parameters(error.to_string()))?)
}

/// Where a subscriber is told.
struct Feed {
    sink: SubscriptionSink,
    /// What its connection leaves unread.
    unread: Option<Unread>,
}

impl Feed {
    /// Sends one item; false when the subscriber is gone. One that has too much unread is cut off, with
    /// its connection: it misses nothing that it does not know of.
    async fn send(&self, item: &impl Serialize) -> bool {
        let Ok(item) = to_json_raw_value(item) else { return false };
        let bytes = item.get().len();
        let Some(unread) = &self.unread else { return self.sink.send(item).await.is_ok() };
        if !unread.give(bytes) {
            unread.cut();
            return false;
        }
        let is_sent = self.sink.send(item).await.is_ok();
        if !is_sent {
            unread.took(bytes);
        }
        is_sent
    }
}

/// The numbers of the blocks that became final since `after`; what was missed is made up for.
async fn next_blocks(
    feed: &Feed,
    heads: &mut Receiver<Arc<Head>>,
    node: &Node,
    after: u64,
) -> Option<std::ops::RangeInclusive<u64>> {
    loop {
        let received = tokio::select! {
            received = heads.recv() => received,
            () = feed.sink.closed() => return None,
        };
        let last = match received {
            Ok(head) => head.number,
            Err(RecvError::Lagged(_)) => node.store().head().number,
            Err(RecvError::Closed) => return None,
        };
        if last > after {
            return Some(after.saturating_add(1)..=last);
        }
    }
}

/// News of blocks, and the last block that is none.
type Heads = (Receiver<Arc<Head>>, u64);

async fn new_heads(node: Node, feed: Feed, (mut heads, mut last): Heads) {
    while let Some(blocks) = next_blocks(&feed, &mut heads, &node, last).await {
        last = *blocks.end();
        for number in blocks {
            let Ok(Some(head)) = node.store().header(number) else { return };
            if !feed.send(&header_view(&head.header, head.hash)).await {
                return;
            }
        }
    }
}

async fn logs(node: Node, feed: Feed, (mut heads, mut last): Heads, filter: Filter) {
    let wanted = log_filter(&filter);
    let blooms = wanted.blooms();
    while let Some(blocks) = next_blocks(&feed, &mut heads, &node, last).await {
        last = *blocks.end();
        for number in blocks {
            let Ok(Some(head)) = node.store().header(number) else { return };
            if !blooms.may_match(&head.header.logs_bloom) {
                continue;
            }
            let Ok(Some(full)) = node.read_block(number).await else { return };
            if !announce(&feed, &full, &wanted).await {
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
