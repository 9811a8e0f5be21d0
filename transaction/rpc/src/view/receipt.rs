//! Receipts as `eth_getTransactionReceipt` shows them.

use crate::node::FullBlock;
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bloom, U8, U64, U128};
use alloy_rpc_types_eth::Log;
use sahara_finality::{Transaction, TxReceipt};
use serde::Serialize;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptView {
    #[serde(rename = "type")]
    type_byte: U8,
    status: U64,
    cumulative_gas_used: U64,
    logs: Vec<Log>,
    logs_bloom: Bloom,
    pub(crate) transaction_hash: B256,
    transaction_index: U64,
    block_hash: B256,
    block_number: U64,
    gas_used: U64,
    effective_gas_price: U128,
    from: Address,
    to: Option<Address>,
    contract_address: Option<Address>,
}

/// The receipts of a final block.
pub(crate) fn receipt_views(full: &FullBlock) -> Vec<ReceiptView> {
    let mut first_log = 0_u64;
    let view = |index| {
        let view = view(full, index, first_log)?;
        first_log = first_log.saturating_add(u64::try_from(view.logs.len()).ok()?);
        Some(view)
    };
    (0..full.receipts.len()).map_while(view).collect()
}

/// One receipt of a final block.
pub(crate) fn receipt_view(full: &FullBlock, index: usize) -> Option<ReceiptView> {
    let before: usize = full.receipts.iter().take(index).map(|receipt| receipt.logs.len()).sum();
    view(full, index, u64::try_from(before).ok()?)
}

fn view(full: &FullBlock, index: usize, first_log: u64) -> Option<ReceiptView> {
    let transaction = full.block.transactions.get(index)?;
    let (receipt, sender) = (full.receipts.get(index)?, *full.senders.get(index)?);
    let before = index.checked_sub(1).and_then(|before| full.receipts.get(before));
    let gas_before = before.map_or(0, |before| before.cumulative_gas_used);
    let (to, created, price) = about(transaction, sender, full.block.header.base_fee_per_gas);
    let transaction_hash = transaction.hash();
    Some(ReceiptView {
        type_byte: U8::from(receipt.type_byte),
        status: U64::from(u8::from(receipt.status)),
        cumulative_gas_used: U64::from(receipt.cumulative_gas_used),
        logs: log_views(full, index, receipt, first_log).collect(),
        logs_bloom: receipt.bloom(),
        transaction_hash,
        transaction_index: U64::from(index),
        block_hash: full.hash,
        block_number: U64::from(full.block.header.number),
        gas_used: U64::from(receipt.cumulative_gas_used.saturating_sub(gas_before)),
        effective_gas_price: U128::from(price),
        from: sender,
        to,
        contract_address: created,
    })
}

/// Whom it called, what it created, and the price of its gas.
fn about(
    transaction: &Transaction,
    sender: Address,
    base_fee: Option<u64>,
) -> (Option<Address>, Option<Address>, u128) {
    match transaction {
        Transaction::Ethereum(signed) => {
            let created = signed.is_create().then(|| sender.create(signed.nonce()));
            (signed.to(), created, signed.effective_gas_price(base_fee))
        }
        Transaction::System(system) => (Some(system.to), None, 0),
    }
}

/// The logs of one receipt, of which `first_log` is the first in the block.
pub(crate) fn log_views<'a>(
    full: &'a FullBlock,
    index: usize,
    receipt: &'a TxReceipt,
    first_log: u64,
) -> impl Iterator<Item = Log> + 'a {
    let transaction_hash = full.block.transactions.get(index).map(Transaction::hash);
    let view = move |(log_index, log): (u64, &alloy_primitives::Log)| Log {
        inner: log.clone(),
        block_hash: Some(full.hash),
        block_number: Some(full.block.header.number),
        block_timestamp: Some(full.block.header.timestamp),
        transaction_hash,
        transaction_index: u64::try_from(index).ok(),
        log_index: Some(log_index),
        removed: false,
    };
    (first_log..).zip(&receipt.logs).map(view)
}
