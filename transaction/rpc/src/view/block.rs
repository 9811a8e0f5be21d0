//! Blocks as `eth_getBlockByNumber` shows them.

use super::transaction::{TransactionView, transaction_views};
use crate::node::FullBlock;
use alloy_consensus::{Header, Sealed};
use alloy_primitives::{B256, U256};
use alloy_rpc_types_eth::{Block, BlockTransactions, Header as EthereumHeader};
use sahara_finality::Transaction;

pub(crate) type BlockView = Block<TransactionView>;
pub(crate) type HeaderView = EthereumHeader;

/// A final block, with its transactions or their hashes.
pub(crate) fn block_view(full: &FullBlock, is_full: bool) -> BlockView {
    let size = U256::from(full.block.encoded().len());
    let header = Sealed::new_unchecked(full.block.header.clone(), full.hash);
    let transactions = if is_full {
        BlockTransactions::Full(transaction_views(full))
    } else {
        let hashes = full.block.transactions.iter().map(Transaction::hash);
        BlockTransactions::Hashes(hashes.collect())
    };
    let withdrawals = full.block.header.withdrawals_root.map(|_| Default::default());
    Block {
        header: EthereumHeader::from_consensus(header, None, Some(size)),
        uncles: Vec::new(),
        transactions,
        withdrawals,
    }
}

/// A header alone, as subscribers of `newHeads` get it.
pub(crate) fn header_view(header: &Header, hash: B256) -> HeaderView {
    EthereumHeader::from_sealed(Sealed::new_unchecked(header.clone(), hash))
}
