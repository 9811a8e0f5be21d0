//! `eth_subscribe` over WebSocket.

use crate::{
    error::Failure,
    node::Node,
    view::{found_log_view, header_view, log_filter, pooled_view},
};
use alloy_rpc_types_eth::Filter;
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionSink,
    core::{SubscriptionResult, to_json_raw_value},
    proc_macros::rpc,
};
use sahara_chain::store::Head;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// The most logs of one block that are announced.
const MAX_LOGS: usize = 100_000;

#[rpc(server, namespace = "eth")]
pub(crate) trait SubscribeApi {
    /// `newHeads`, `logs` with a filter, `newPendingTransactions` with whether in full.
    #[subscription(name = "subscribe" => "subscription", unsubscribe = "unsubscribe", item = Value)]
    async fn subscribe(&self, kind: String, options: Option<Value>) -> SubscriptionResult;
}

#[derive(Debug)]
pub(crate) struct Subscribe(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl SubscribeApiServer for Subscribe {
    async fn subscribe(
        &self,
        pending: PendingSubscriptionSink,
        kind: String,
        options: Option<Value>,
    ) -> SubscriptionResult {
        let node = self.0.clone();
        match kind.as_str() {
            "newHeads" => {
                let heads = node.store().subscribe();
                let sink = pending.accept().await?;
                drop(tokio::spawn(new_heads(node, sink, heads)));
            }
            "logs" => match filter(options) {
                Ok(filter) => {
                    let heads = node.store().subscribe();
                    let sink = pending.accept().await?;
                    drop(tokio::spawn(logs(node, sink, heads, filter)));
                }
                Err(failure) => pending.reject(failure).await,
            },
            "newPendingTransactions" => {
                let is_full = options.and_then(|one| one.as_bool()).unwrap_or_default();
                let sink = pending.accept().await?;
                drop(tokio::spawn(new_transactions(node, sink, is_full)));
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
    serde_json::from_value(options).map_err(|error| Failure::Parameters(error.to_string()))
}

/// Sends one item; false when the subscriber is gone.
async fn send(sink: &SubscriptionSink, item: &impl Serialize) -> bool {
    match to_json_raw_value(item) {
        Ok(item) => sink.send(item).await.is_ok(),
        Err(_) => false,
    }
}

/// The numbers of the blocks that became final since `after`; what was missed is made up for.
async fn next_blocks(
    sink: &SubscriptionSink,
    heads: &mut Receiver<Arc<Head>>,
    node: &Node,
    after: u64,
) -> Option<std::ops::RangeInclusive<u64>> {
    loop {
        let received = tokio::select! {
            received = heads.recv() => received,
            () = sink.closed() => return None,
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

async fn new_heads(node: Node, sink: SubscriptionSink, mut heads: Receiver<Arc<Head>>) {
    let mut last = node.store().head().number;
    while let Some(blocks) = next_blocks(&sink, &mut heads, &node, last).await {
        last = *blocks.end();
        for number in blocks {
            let Ok(Some(head)) = node.store().header(number) else { return };
            if !send(&sink, &header_view(&head.header, head.hash)).await {
                return;
            }
        }
    }
}

async fn logs(node: Node, sink: SubscriptionSink, mut heads: Receiver<Arc<Head>>, filter: Filter) {
    let wanted = log_filter(&filter);
    let mut last = node.store().head().number;
    while let Some(blocks) = next_blocks(&sink, &mut heads, &node, last).await {
        last = *blocks.end();
        for number in blocks {
            let Ok(found) = node.store().logs(number..=number, &wanted, MAX_LOGS) else { return };
            for log in found {
                if !send(&sink, &found_log_view(log)).await {
                    return;
                }
            }
        }
    }
}

async fn new_transactions(node: Node, sink: SubscriptionSink, is_full: bool) {
    let mut arrivals = node.pool().subscribe();
    loop {
        let received = tokio::select! {
            received = arrivals.recv() => received,
            () = sink.closed() => return,
        };
        let pooled = match received {
            Ok(pooled) => pooled,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let is_sent = if is_full {
            send(&sink, &pooled_view(&pooled)).await
        } else {
            send(&sink, &pooled.hash()).await
        };
        if !is_sent {
            return;
        }
    }
}
