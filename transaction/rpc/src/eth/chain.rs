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
    fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure>;
    #[method(name = "getBlockByHash")]
    fn block_by_hash(
        &self,
        hash: B256,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure>;
    #[method(name = "getHeaderByNumber")]
    fn header_by_number(&self, block: BlockNumberOrTag) -> Result<Option<HeaderView>, Failure>;
    #[method(name = "getHeaderByHash")]
    fn header_by_hash(&self, hash: B256) -> Result<Option<HeaderView>, Failure>;
    #[method(name = "getBlockTransactionCountByNumber")]
    fn count_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure>;
    #[method(name = "getBlockTransactionCountByHash")]
    fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure>;
    #[method(name = "getUncleCountByBlockNumber")]
    fn uncles_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure>;
    #[method(name = "getUncleCountByBlockHash")]
    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure>;
    #[method(name = "getBlockReceipts")]
    fn block_receipts(&self, block: BlockId) -> Result<Option<Vec<ReceiptView>>, Failure>;

    #[method(name = "getTransactionByHash")]
    fn transaction(&self, hash: B256) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getRawTransactionByHash")]
    fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure>;
    #[method(name = "getTransactionByBlockHashAndIndex")]
    fn transaction_at_hash(
        &self,
        hash: B256,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getTransactionByBlockNumberAndIndex")]
    fn transaction_at_number(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure>;
    #[method(name = "getTransactionReceipt")]
    fn receipt(&self, hash: B256) -> Result<Option<ReceiptView>, Failure>;
}

#[derive(Debug)]
pub(crate) struct Chain(pub(crate) Node);

impl Chain {
    fn find(&self, block: BlockId) -> Result<Option<FullBlock>, Failure> {
        self.0.number(block)?.map_or(Ok(None), |number| self.0.full_block(number))
    }

    fn header(&self, block: BlockId) -> Result<Option<HeaderView>, Failure> {
        let Some(number) = self.0.number(block)? else { return Ok(None) };
        let head = self.0.store().header(number)?;
        Ok(head.map(|head| header_view(&head.header, head.hash)))
    }

    fn count(&self, block: BlockId) -> Result<Option<U64>, Failure> {
        Ok(self.find(block)?.map(|full| U64::from(full.block.transactions.len())))
    }

    fn uncles(&self, block: BlockId) -> Result<Option<U64>, Failure> {
        Ok(self.0.number(block)?.map(|_| U64::ZERO))
    }

    fn at(&self, block: BlockId, index: U64) -> Result<Option<TransactionView>, Failure> {
        let index: usize = index.try_into().unwrap_or(usize::MAX);
        Ok(self.find(block)?.and_then(|full| transaction_view(&full, index)))
    }
}

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

    fn block_by_number(
        &self,
        block: BlockNumberOrTag,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure> {
        let full = self.find(block.into())?;
        Ok(full.map(|full| block_view(&full, is_full.unwrap_or_default())))
    }

    fn block_by_hash(
        &self,
        hash: B256,
        is_full: Option<bool>,
    ) -> Result<Option<BlockView>, Failure> {
        let full = self.find(hash.into())?;
        Ok(full.map(|full| block_view(&full, is_full.unwrap_or_default())))
    }

    fn header_by_number(&self, block: BlockNumberOrTag) -> Result<Option<HeaderView>, Failure> {
        self.header(block.into())
    }

    fn header_by_hash(&self, hash: B256) -> Result<Option<HeaderView>, Failure> {
        self.header(hash.into())
    }

    fn count_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure> {
        self.count(block.into())
    }

    fn count_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure> {
        self.count(hash.into())
    }

    fn uncles_by_number(&self, block: BlockNumberOrTag) -> Result<Option<U64>, Failure> {
        self.uncles(block.into())
    }

    fn uncles_by_hash(&self, hash: B256) -> Result<Option<U64>, Failure> {
        self.uncles(hash.into())
    }

    fn block_receipts(&self, block: BlockId) -> Result<Option<Vec<ReceiptView>>, Failure> {
        Ok(self.find(block)?.map(|full| receipt_views(&full)))
    }

    fn transaction(&self, hash: B256) -> Result<Option<TransactionView>, Failure> {
        if let Some((full, index)) = self.0.find_transaction(hash)? {
            return Ok(transaction_view(&full, index));
        }
        let pooled = self.0.pool().find(&hash);
        Ok(pooled.map(|pooled| TransactionView::Ethereum(Box::new(pooled_view(&pooled)))))
    }

    fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure> {
        if let Some((full, index)) = self.0.find_transaction(hash)? {
            let transaction = full.block.transactions.get(index).map(Transaction::encoded);
            return Ok(transaction.map(Bytes::from));
        }
        Ok(self.0.pool().find(&hash).map(|pooled| pooled.encoded().into()))
    }

    fn transaction_at_hash(
        &self,
        hash: B256,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure> {
        self.at(hash.into(), index)
    }

    fn transaction_at_number(
        &self,
        block: BlockNumberOrTag,
        index: U64,
    ) -> Result<Option<TransactionView>, Failure> {
        self.at(block.into(), index)
    }

    fn receipt(&self, hash: B256) -> Result<Option<ReceiptView>, Failure> {
        receipt_of(&self.0, hash)
    }
}
