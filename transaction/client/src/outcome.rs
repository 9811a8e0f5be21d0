//! What a transaction did.

use alloy_primitives::{Address, B256, Log as PlainLog, U64, U128};
use alloy_rpc_types_eth::Log;
use alloy_sol_types::SolEvent;
use sahara_primitives::Amount;
use serde::Deserialize;

/// The receipt of a final transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxOutcome {
    /// The transaction.
    pub hash: B256,
    /// Its block.
    pub block_number: u64,
    /// Its block's hash.
    pub block_hash: B256,
    /// Its position in the block.
    pub index: u64,
    /// Whether it did not revert.
    pub succeeded: bool,
    /// Gas used.
    pub gas_used: u64,
    /// Base units paid per gas.
    pub gas_price: u128,
    /// The contract it created.
    pub created: Option<Address>,
    /// What it logged.
    pub logs: Vec<Log>,
}

/// The parts of `eth_getTransactionReceipt` that are used here.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptAnswer {
    transaction_hash: B256,
    block_number: U64,
    block_hash: B256,
    transaction_index: U64,
    status: U64,
    gas_used: U64,
    effective_gas_price: U128,
    #[serde(default)]
    contract_address: Option<Address>,
    logs: Vec<Log>,
}

impl From<ReceiptAnswer> for TxOutcome {
    fn from(answer: ReceiptAnswer) -> Self {
        Self {
            hash: answer.transaction_hash,
            block_number: answer.block_number.to(),
            block_hash: answer.block_hash,
            index: answer.transaction_index.to(),
            succeeded: answer.status == U64::from(1),
            gas_used: answer.gas_used.to(),
            gas_price: answer.effective_gas_price.to(),
            created: answer.contract_address,
            logs: answer.logs,
        }
    }
}

impl TxOutcome {
    /// What the gas cost.
    #[must_use]
    pub fn fee(&self) -> Amount {
        Amount::from_u128(u128::from(self.gas_used).saturating_mul(self.gas_price))
    }

    /// The logs that are this event, decoded, with the contract each came from.
    #[must_use]
    pub fn events<E: SolEvent>(&self) -> Vec<PlainLog<E>> {
        self.logs.iter().filter_map(|log| E::decode_log(&log.inner).ok()).collect()
    }
}
