//! The `txpool` namespace: what waits.

use crate::{error::Failure, node::Node, view::pooled_view};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U64};
use jsonrpsee::{
    core::{JsonRawValue, to_json_raw_value},
    proc_macros::rpc,
};
use sahara_chain::pool::{PooledTransaction, SenderContent, Status};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Transactions by nonce, written in decimal.
type ByNonce<T> = BTreeMap<String, T>;
/// An answer in its words: they are written where the pool is read, on a thread for what reads much.
type Written = Box<JsonRawValue>;

/// The most transactions that the whole pool is shown with.
const MAX_SHOWN: usize = 20_000;
/// The most bytes of their encodings: in words, with what stands around them, no more than an answer holds.
const MAX_SHOWN_BYTES: usize = 16 << 20;

#[rpc(server, namespace = "txpool")]
pub(crate) trait TxpoolApi {
    #[method(name = "status")]
    fn status(&self) -> Result<Parts<U64>, Failure>;
    #[method(name = "content")]
    async fn content(&self) -> Result<Written, Failure>;
    #[method(name = "contentFrom")]
    async fn content_from(&self, sender: Address) -> Result<Written, Failure>;
    #[method(name = "inspect")]
    async fn inspect(&self) -> Result<Written, Failure>;
}

/// What can run, and what stands behind a gap.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Parts<T> {
    pending: T,
    queued: T,
}

#[derive(Debug)]
pub(crate) struct Txpool(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl TxpoolApiServer for Txpool {
    fn status(&self) -> Result<Parts<U64>, Failure> {
        let status = self.0.pool().status();
        Ok(Parts { pending: U64::from(status.pending), queued: U64::from(status.queued) })
    }

    async fn content(&self) -> Result<Written, Failure> {
        self.0.compute(|node| written(&by_sender(everything(node)?, pooled_view))).await
    }

    async fn content_from(&self, sender: Address) -> Result<Written, Failure> {
        let work = move |node: &Node| {
            // The pool holds no more of one sender than an answer does.
            let content = node.pool().content_of(sender);
            written(&Parts {
                pending: by_nonce(&content.pending, pooled_view),
                queued: by_nonce(&content.queued, pooled_view),
            })
        };
        self.0.compute(work).await
    }

    async fn inspect(&self) -> Result<Written, Failure> {
        self.0.compute(|node| written(&by_sender(everything(node)?, line))).await
    }
}

fn everything(node: &Node) -> Result<Vec<SenderContent>, Failure> {
    fits(node.pool().status())?;
    Ok(node.pool().content())
}

/// Refuses to show a pool that holds more than an answer.
fn fits(Status { pending, queued, bytes }: Status) -> Result<(), Failure> {
    let count = pending.saturating_add(queued);
    if count > MAX_SHOWN || bytes > MAX_SHOWN_BYTES {
        let text = format!(
            "the pool holds {count} transactions of {bytes} bytes, more than the {MAX_SHOWN} of {MAX_SHOWN_BYTES} bytes that are shown at once: ask txpool_contentFrom for those of one sender, txpool_status for how many there are"
        );
        return Err(Failure::Limit(text));
    }
    Ok(())
}

fn written(content: &impl Serialize) -> Result<Written, Failure> {
    to_json_raw_value(content).map_err(Failure::internal)
}

fn by_sender<T>(
    content: Vec<SenderContent>,
    view: impl Fn(&PooledTransaction) -> T + Copy,
) -> Parts<BTreeMap<Address, ByNonce<T>>> {
    let mut parts = Parts { pending: BTreeMap::new(), queued: BTreeMap::new() };
    for SenderContent { sender, pending, queued } in content {
        if !pending.is_empty() {
            parts.pending.insert(sender, by_nonce(&pending, view));
        }
        if !queued.is_empty() {
            parts.queued.insert(sender, by_nonce(&queued, view));
        }
    }
    parts
}

fn by_nonce<T>(
    transactions: &[Arc<PooledTransaction>],
    view: impl Fn(&PooledTransaction) -> T,
) -> ByNonce<T> {
    transactions.iter().map(|one| (one.nonce().to_string(), view(one))).collect()
}

/// One line for people, as go-ethereum writes it.
fn line(pooled: &PooledTransaction) -> String {
    let signed = pooled.signed();
    let to = signed.to().map_or_else(|| "contract creation".into(), |to| to.to_string());
    let (value, gas, price) = (signed.value(), signed.gas_limit(), signed.max_fee_per_gas());
    format!("{to}: {value} wei + {gas} gas × {price} wei")
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHOWN, MAX_SHOWN_BYTES, fits};
    use crate::error::Failure;
    use sahara_chain::pool::Status;

    #[test]
    fn a_pool_of_more_than_an_answer_is_not_shown_as_a_whole() {
        let full = Status { pending: MAX_SHOWN - 1, queued: 1, bytes: MAX_SHOWN_BYTES };
        assert!(fits(full).is_ok());
        let many = Status { queued: 2, ..full };
        let large = Status { bytes: MAX_SHOWN_BYTES + 1, ..full };
        for status in [many, large] {
            let refused = fits(status).unwrap_err();
            assert!(matches!(refused, Failure::Limit(_)));
            assert!(refused.to_string().contains("txpool_contentFrom"), "{refused}");
        }
    }
}
