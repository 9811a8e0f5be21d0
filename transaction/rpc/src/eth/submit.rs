//! Transactions on their way in.

use crate::{
    computing::Whose,
    error::Failure,
    node::Node,
    view::{ReceiptView, receipt_view},
};
use alloy_primitives::{B256, Bytes, U64};
use jsonrpsee::proc_macros::rpc;
use sahara_chain::pool::{Origin, PooledTransaction};
use std::{sync::Arc, time::Duration};
use tokio::{sync::broadcast::error::RecvError, time::timeout};

/// How long a synchronous submission waits when the client names no time.
const DEFAULT_WAIT_MILLISECONDS: u64 = 20_000;
/// The longest it waits.
const MAX_WAIT_MILLISECONDS: u64 = 30_000;

#[rpc(server, namespace = "eth")]
pub(crate) trait SubmitApi {
    #[method(name = "sendRawTransaction")]
    fn send(&self, raw: Bytes) -> Result<B256, Failure>;
    /// EIP-7966: the receipt, once the transaction is final.
    #[method(name = "sendRawTransactionSync")]
    async fn send_sync(
        &self,
        raw: Bytes,
        milliseconds: Option<U64>,
    ) -> Result<ReceiptView, Failure>;
}

#[derive(Debug)]
pub(crate) struct Submit(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl SubmitApiServer for Submit {
    fn send(&self, raw: Bytes) -> Result<B256, Failure> {
        Ok(add(&self.0, &raw)?.hash())
    }

    async fn send_sync(
        &self,
        raw: Bytes,
        milliseconds: Option<U64>,
    ) -> Result<ReceiptView, Failure> {
        let asked = milliseconds.map_or(DEFAULT_WAIT_MILLISECONDS, |time| time.to());
        let milliseconds = asked.clamp(1, MAX_WAIT_MILLISECONDS);
        // Before it is added, so that its block cannot slip by.
        let mut heads = self.0.store().subscribe();
        let hash = add(&self.0, &raw)?.hash();
        // What was accepted is not refused any more because its sender asks for much.
        let whose = Whose::now().as_notice();
        let wait = whose.asks(async {
            loop {
                if let Some(receipt) = receipt_of(&self.0, hash).await? {
                    return Ok(receipt);
                }
                match heads.recv().await {
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(Failure::internal("the store closed")),
                }
            }
        });
        let late = Err(Failure::NoReceiptYet { hash, milliseconds });
        timeout(Duration::from_millis(milliseconds), wait).await.unwrap_or(late)
    }
}

fn add(node: &Node, raw: &Bytes) -> Result<Arc<PooledTransaction>, Failure> {
    Ok(node.pool().add_encoded(raw, Origin::Local)?)
}

/// The receipt of a final transaction.
pub(crate) async fn receipt_of(node: &Node, hash: B256) -> Result<Option<ReceiptView>, Failure> {
    let Some((full, index)) = node.read_transaction(hash).await? else { return Ok(None) };
    Ok(receipt_view(&full, index))
}
