//! The `txpool` namespace: what waits.

use crate::{error::Failure, node::Node, view::pooled_view};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U64};
use alloy_rpc_types_eth::Transaction;
use jsonrpsee::proc_macros::rpc;
use sahara_chain::pool::{PooledTransaction, SenderContent};
use sahara_finality::EthereumTransaction;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc};

/// Transactions by nonce, written in decimal.
type ByNonce<T> = BTreeMap<String, T>;
type View = Transaction<EthereumTransaction>;

#[rpc(server, namespace = "txpool")]
pub(crate) trait TxpoolApi {
    #[method(name = "status")]
    fn status(&self) -> Result<Parts<U64>, Failure>;
    #[method(name = "content")]
    async fn content(&self) -> Result<Parts<BTreeMap<Address, ByNonce<View>>>, Failure>;
    #[method(name = "contentFrom")]
    fn content_from(&self, sender: Address) -> Result<Parts<ByNonce<View>>, Failure>;
    #[method(name = "inspect")]
    async fn inspect(&self) -> Result<Parts<BTreeMap<Address, ByNonce<String>>>, Failure>;
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

    async fn content(&self) -> Result<Parts<BTreeMap<Address, ByNonce<View>>>, Failure> {
        self.0.compute(|node| Ok(by_sender(node.pool().content(), pooled_view))).await
    }

    fn content_from(&self, sender: Address) -> Result<Parts<ByNonce<View>>, Failure> {
        let content = self.0.pool().content_of(sender);
        Ok(Parts {
            pending: by_nonce(&content.pending, pooled_view),
            queued: by_nonce(&content.queued, pooled_view),
        })
    }

    async fn inspect(&self) -> Result<Parts<BTreeMap<Address, ByNonce<String>>>, Failure> {
        self.0.compute(|node| Ok(by_sender(node.pool().content(), line))).await
    }
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
