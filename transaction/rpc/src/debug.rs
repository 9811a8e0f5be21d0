//! The `debug` namespace: raw encodings, and what happened inside.

use crate::{error::Failure, node::Node};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{BufMut, Encodable, Header as RlpHeader};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::geth::{
    GethDebugTracingCallOptions, GethDebugTracingOptions, GethTrace, TraceResult,
};
use jsonrpsee::proc_macros::rpc;
use sahara_evm::{trace_block, trace_call, trace_transaction};
use sahara_finality::{Block, TxReceipt};

#[rpc(server, namespace = "debug")]
pub(crate) trait DebugApi {
    #[method(name = "getRawHeader")]
    fn raw_header(&self, block: BlockId) -> Result<Bytes, Failure>;
    /// As Ethereum encodes a block; the seal is in `sahara_getCertificate`.
    #[method(name = "getRawBlock")]
    async fn raw_block(&self, block: BlockId) -> Result<Bytes, Failure>;
    #[method(name = "getRawReceipts")]
    async fn raw_receipts(&self, block: BlockId) -> Result<Vec<Bytes>, Failure>;
    #[method(name = "getRawTransaction")]
    async fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure>;
    #[method(name = "traceTransaction")]
    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, Failure>;
    #[method(name = "traceBlockByNumber")]
    async fn trace_block_by_number(
        &self,
        block: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, Failure>;
    #[method(name = "traceBlockByHash")]
    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, Failure>;
    #[method(name = "traceCall")]
    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, Failure>;
}

#[derive(Debug)]
pub(crate) struct Debug(pub(crate) Node);

impl Debug {
    async fn trace_block(
        &self,
        block: BlockId,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, Failure> {
        let work = move |node: &Node| {
            let number = node.number(block)?.ok_or(Failure::UnknownBlock)?;
            let rerun = node.rerun(number)?;
            let options = options.unwrap_or_default();
            let traces = trace_block(node.rules(), &rerun.parent, rerun.replay(), &options)?;
            let results =
                traces.into_iter().map(|(hash, trace)| TraceResult::new_success(trace, Some(hash)));
            Ok(results.collect())
        };
        self.0.compute(work).await
    }
}

#[jsonrpsee::core::async_trait]
impl DebugApiServer for Debug {
    fn raw_header(&self, block: BlockId) -> Result<Bytes, Failure> {
        Ok(alloy_rlp::encode(&self.0.head_of(Some(block))?.header).into())
    }

    async fn raw_block(&self, block: BlockId) -> Result<Bytes, Failure> {
        let work = move |node: &Node| {
            let number = node.number(block)?.ok_or(Failure::UnknownBlock)?;
            let block = node.store().block(number)?.ok_or(Failure::UnknownBlock)?;
            Ok(ethereum_encoding(&block).into())
        };
        self.0.compute(work).await
    }

    async fn raw_receipts(&self, block: BlockId) -> Result<Vec<Bytes>, Failure> {
        let work = move |node: &Node| {
            let number = node.number(block)?.ok_or(Failure::UnknownBlock)?;
            let receipts = node.store().receipts(number)?.ok_or(Failure::UnknownBlock)?;
            Ok(receipts.iter().map(TxReceipt::encoded).map(Bytes::from).collect())
        };
        self.0.compute(work).await
    }

    async fn raw_transaction(&self, hash: B256) -> Result<Option<Bytes>, Failure> {
        if let Some((full, index)) = self.0.read_transaction(hash).await? {
            let transaction = full.block.transactions.get(index);
            return Ok(transaction.map(|one| one.encoded().into()));
        }
        Ok(self.0.pool().find(&hash).map(|pooled| pooled.encoded().into()))
    }

    async fn trace_transaction(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<GethTrace, Failure> {
        let work = move |node: &Node| {
            let place = node.store().transaction(hash)?;
            let (number, index) = place.ok_or(Failure::UnknownTransaction)?;
            let rerun = node.rerun(number)?;
            let index = usize::try_from(index).map_err(Failure::internal)?;
            let options = options.unwrap_or_default();
            Ok(trace_transaction(node.rules(), &rerun.parent, rerun.replay(), index, &options)?)
        };
        self.0.compute(work).await
    }

    async fn trace_block_by_number(
        &self,
        block: BlockNumberOrTag,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, Failure> {
        self.trace_block(block.into(), options).await
    }

    async fn trace_block_by_hash(
        &self,
        hash: B256,
        options: Option<GethDebugTracingOptions>,
    ) -> Result<Vec<TraceResult>, Failure> {
        self.trace_block(hash.into(), options).await
    }

    async fn trace_call(
        &self,
        request: TransactionRequest,
        block: Option<BlockId>,
        options: Option<GethDebugTracingCallOptions>,
    ) -> Result<GethTrace, Failure> {
        let work = move |node: &Node| {
            let options = options.unwrap_or_default();
            let (parent, env) = node.overridden(block, options.block_overrides.as_ref())?;
            let call = (&request, options.state_overrides.as_ref());
            Ok(trace_call(node.rules(), parent, &env, call, &options.tracing_options)?)
        };
        self.0.compute(work).await
    }
}

/// `rlp([header, transactions, uncles, withdrawals])`.
fn ethereum_encoding(block: &Block) -> Vec<u8> {
    let mut transactions = Vec::new();
    for transaction in &block.transactions {
        let encoded = transaction.encoded();
        // A legacy transaction is a list by itself, any other a string.
        if encoded.first().is_some_and(|first| *first >= 0xc0) {
            transactions.put_slice(&encoded);
        } else {
            encoded.as_slice().encode(&mut transactions);
        }
    }
    let mut payload = alloy_rlp::encode(&block.header);
    RlpHeader { list: true, payload_length: transactions.len() }.encode(&mut payload);
    payload.append(&mut transactions);
    payload.push(alloy_rlp::EMPTY_LIST_CODE);
    if block.header.withdrawals_root.is_some() {
        payload.push(alloy_rlp::EMPTY_LIST_CODE);
    }
    let mut out = Vec::new();
    RlpHeader { list: true, payload_length: payload.len() }.encode(&mut out);
    out.append(&mut payload);
    out
}
