//! Transactions as `eth_getTransactionByHash` shows them.

use crate::node::FullBlock;
use alloy_consensus::{Transaction as _, transaction::Recovered};
use alloy_primitives::{Address, B256, Bytes, TxHash, U8, U64, U256};
use alloy_rpc_types_eth::Transaction as EthereumView;
use sahara_chain::pool::PooledTransaction;
use sahara_finality::{
    EthereumTransaction, SYSTEM_ADDRESS, SYSTEM_TYPE, SystemTransaction, Transaction,
};
use serde::Serialize;

/// Where a transaction stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) block_hash: B256,
    pub(crate) block_number: u64,
    pub(crate) index: usize,
    pub(crate) timestamp: u64,
    pub(crate) base_fee: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum TransactionView {
    Ethereum(Box<EthereumView<EthereumTransaction>>),
    System(Box<SystemView>),
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SystemView {
    hash: TxHash,
    #[serde(rename = "type")]
    type_byte: U8,
    chain_id: U64,
    nonce: U64,
    from: Address,
    to: Address,
    value: U256,
    input: Bytes,
    gas: U64,
    gas_price: U256,
    v: U64,
    r: B256,
    s: B256,
    block_hash: B256,
    block_number: U64,
    block_timestamp: U64,
    transaction_index: U64,
}

/// A transaction of a final block.
pub(crate) fn transaction_view(full: &FullBlock, index: usize) -> Option<TransactionView> {
    let transaction = full.block.transactions.get(index)?;
    let place = full.place(index);
    Some(match transaction {
        Transaction::Ethereum(signed) => TransactionView::Ethereum(Box::new(signed_view(
            signed,
            *full.senders.get(index)?,
            place,
        ))),
        Transaction::System(system) => {
            TransactionView::System(Box::new(system_view(system, place)))
        }
    })
}

/// Every transaction of a final block.
pub(crate) fn transaction_views(full: &FullBlock) -> Vec<TransactionView> {
    (0..full.block.transactions.len()).filter_map(|index| transaction_view(full, index)).collect()
}

/// A transaction that waits.
pub(crate) fn pooled_view(pooled: &PooledTransaction) -> EthereumView<EthereumTransaction> {
    EthereumView {
        inner: Recovered::new_unchecked(pooled.signed().clone(), pooled.sender()),
        block_hash: None,
        block_number: None,
        transaction_index: None,
        effective_gas_price: None,
        block_timestamp: None,
    }
}

fn signed_view(
    signed: &EthereumTransaction,
    sender: Address,
    place: Place,
) -> EthereumView<EthereumTransaction> {
    EthereumView {
        inner: Recovered::new_unchecked(signed.clone(), sender),
        block_hash: Some(place.block_hash),
        block_number: Some(place.block_number),
        transaction_index: u64::try_from(place.index).ok(),
        effective_gas_price: Some(signed.effective_gas_price(place.base_fee)),
        block_timestamp: Some(place.timestamp),
    }
}

fn system_view(system: &SystemTransaction, place: Place) -> SystemView {
    SystemView {
        hash: system.hash(),
        type_byte: U8::from(SYSTEM_TYPE),
        chain_id: U64::from(system.chain_id),
        nonce: U64::ZERO,
        from: SYSTEM_ADDRESS,
        to: system.to,
        value: U256::ZERO,
        input: system.input.clone(),
        gas: U64::from(system.gas_limit),
        gas_price: U256::ZERO,
        v: U64::ZERO,
        r: B256::ZERO,
        s: B256::ZERO,
        block_hash: place.block_hash,
        block_number: U64::from(place.block_number),
        block_timestamp: U64::from(place.timestamp),
        transaction_index: U64::from(place.index),
    }
}

impl FullBlock {
    pub(crate) fn place(&self, index: usize) -> Place {
        let header = &self.block.header;
        Place {
            block_hash: self.hash,
            block_number: header.number,
            index,
            timestamp: header.timestamp,
            base_fee: header.base_fee_per_gas,
        }
    }
}
