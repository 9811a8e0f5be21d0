//! Blocks, transactions, receipts.

use crate::{
    error::Failure,
    eth::receipt_of,
    node::{FullBlock, Node},
    view::{
        BlockView, HeaderView, ReceiptView, TransactionView, block_view, header_view, pooled_view,
        receipt_views, transaction_view,
    },
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64};
use jsonrpsee::proc_macros::rpc;
use sahara_finality::Transaction;

#[rpc(server, namespace = "eth")]
pub(crate) trait ChainApi {
    #[method(name = "chainId")]
    fn chain_id(&self) -> Result<U64, Failure>;
    #[method(name = "blockNumber")]
    fn block_number(&self) -> Result<U64, Failure>;
    /// Always false: a node that answers has executed all that it knows to be final.
    #[method(name = "syncing")]
    fn syncing(&self) -> Result<bool, Failure>;
    #[method(name = "accounts")]
    fn accounts(&self) -> Result<Vec<Address>, Failure>;
    #[method(name = "protocolVersion")]
    fn protocol_version(&self) -> Result<U64, Failure>;
    #[method(name = "coinbase")]
    fn coinbase(&self) -> Result<Address, Failure>;

    #[method(name = "getBlockByNumber")]
    async fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure>;
    #[method(name = "getBlockByHash")]
    async fn block_by_hash(
        &self,
        hash: B256,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure>;
    #[method(name = "getHeaderByNumber")]
    fn header_by_number(&self, block: BlockNumberOrTag) -> Result<Option<HeaderView>, Failure>;
    #[method(name = "getHeaderByHash")]
    fn header_by_hash(&self, hash: B256) -> Result<Option<HeaderView>, Failure>;
    #[method(name = "getBlockTransactionCountByNumber")]
    async fn count_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure>;
    #[method(name = "getBlockTransactionCountByHash")]
    async fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure>;
    #[method(name = "getUncleCountByBlockNumber")]
    fn uncles_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure>;
    #[method(name = "getUncleCountByBlockHash")]
    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure>;
    #[method(name = "getBlockReceipts")]
    async fn block_receipts(&self, block: BlockId) -> Result<Option<Vec<ReceiptView>>, Failure>;

    #[method(name = "getTransactionByHash")]
    async fn transaction(&self, hash: B256) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getRawTransactionByHash")]
    async fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure>;
    #[method(name = "getTransactionByBlockHashAndIndex")]
    async fn transaction_at_hash(
        &self,
        hash: B256,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getTransactionByBlockNumberAndIndex")]
    async fn transaction_at_number(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getTransactionReceipt")]
    async fn receipt(&self, hash: B256) -> Result<Option<ReceiptView>, Failure>;
}

#[derive(Debug)]
pub(crate) struct Chain(pub(crate) Node);

impl Chain {
    async fn find(&self, block: BlockId) -> Result<Option<FullBlock>, Failure> {
        let Some(number) = self.0.number(block)? else { return Ok(None) };
        self.0.read_block(number).await
    }

    /// A block, on a thread of its own when it is shown with all of its transactions.
    async fn block(
        &self,
        block: BlockId,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure> {
        let Some(full) = self.find(block).await? else { return Ok(None) };
        if is_full != Some(true) {
            return Ok(Some(block_view(&full, false)));
        }
        self.0.compute(move |_| Ok(Some(block_view(&full, true)))).await
    }

    fn header(&self, block: BlockId) -> Result<Option<HeaderView>, Failure> {
        let Some(number) = self.0.number(block)? else { return Ok(None) };
        let head = self.0.store().header(number)?;
        Ok(head.map(|head| header_view(&head.header, head.hash)))
    }

    async fn count(&self, block: BlockId) -> Result<Option<U64>, Failure> {
        Ok(self.find(block).await?.map(|full| U64::from(full.block.transactions.len())))
    }

    fn uncles(&self, block: BlockId) -> Result<Option<U64>, Failure> {
        Ok(self.0.number(block)?.map(|_| U64::ZERO))
    }

    async fn at(&self, block: BlockId, index: U64) -> Result<Option<TransactionView>, Failure> {
        let index: usize = index.try_into().unwrap_or(usize::MAX);
        Ok(self.find(block).await?.and_then(|full| transaction_view(&full, index)))
    }
}

#[jsonrpsee::core::async_trait]
impl ChainApiServer for Chain {
    fn chain_id(&self) -> Result<U64, Failure> {
        Ok(U64::from(self.0.rules().chain_id()))
    }

    fn block_number(&self) -> Result<U64, Failure> {
        Ok(U64::from(self.0.store().head().number))
    }

    fn syncing(&self) -> Result<bool, Failure> {
        Ok(false)
    }

    fn accounts(&self) -> Result<Vec<Address>, Failure> {
        Ok(Vec::new())
    }

    fn protocol_version(&self) -> Result<U64, Failure> {
        Ok(U64::from(1))
    }

    fn coinbase(&self) -> Result<Address, Failure> {
        Ok(self.0.store().head().header.beneficiary)
    }

    async fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure> {
        self.block(block.into(), is_full).await
    }

    async fn block_by_hash(
        &self,
        hash: B256,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure> {
        self.block(hash.into(), is_full).await
    }

    fn header_by_number(&self, block: BlockNumberOrTag) -> Result<Option<HeaderView>, Failure> {
        self.header(block.into())
    }

    fn header_by_hash(&self, hash: B256) -> Result<Option<HeaderView>, Failure> {
        self.header(hash.into())
    }

    async fn count_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure> {
        self.count(block.into()).await
    }

    async fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure> {
        self.count(hash.into()).await
    }

    fn uncles_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure> {
        self.uncles(block.into())
    }

    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure> {
        self.uncles(hash.into())
    }

    async fn block_receipts(&self, block: BlockId) -> Result<Option<Vec<ReceiptView>>, Failure> {
        let Some(full) = self.find(block).await? else { return Ok(None) };
        self.0.compute(move |_| Ok(Some(receipt_views(&full)))).await
    }

    async fn transaction(&self, hash: B256) -> Result<Option<TransactionView>, Failure> {
        if let Some((full, index)) = self.0.read_transaction(hash).await? {
            return Ok(transaction_view(&full, index));
        }
        let pooled = self.0.pool().find(&hash);
        Ok(pooled.map(|pooled| TransactionView::Ethereum(Box::new(pooled_view(&pooled)))))
    }

    async fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure> {
        if let Some((full, index)) = self.0.read_transaction(hash).await? {
            let transaction = full.block.transactions.get(index).map(Transaction::encoded);
            return Ok(transaction.map(Bytes::from));
        }
        Ok(self.0.pool().find(&hash).map(|pooled| pooled.encoded().into()))
    }

    async fn transaction_at_hash(
        &self,
        hash: B256,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure> {
        self.at(hash.into(), index).await
    }

    async fn transaction_at_number(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure> {
        self.at(block.into(), index).await
    }

    async fn receipt(&self, hash: B256) -> Result<Option<ReceiptView>, Failure> {
        receipt_of(&self.0, hash).await
    }
}
