//! The surroundings of a transaction: its block, and itself, as the machine wants them.

use crate::{
    rules::{Fork, Rules},
    sender::recover_authorization,
};
use alloy_consensus::Transaction as _;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, TxKind, U256};
use revm::{
    context::{BlockEnv as MachineBlock, TxEnv, either::Either},
    context_interface::block::BlobExcessGasAndPrice,
};
use sahara_finality::EthereumTransaction;

/// What a block is executed with, all of it in its header or computed from its parent's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockEnv {
    /// Height.
    pub number: u64,
    /// Unix time in seconds, what `TIMESTAMP` returns.
    pub timestamp: u64,
    /// Hash of the parent, written to the history contract (EIP-2935).
    pub parent_hash: B256,
    /// The leader's fee address, what `COINBASE` returns.
    pub beneficiary: Address,
    /// The most gas the block may use, the system transaction's included.
    pub gas_limit: u64,
    /// Base units per gas.
    pub base_fee: u64,
    /// What `PREVRANDAO` returns.
    pub prevrandao: B256,
    /// Fee addresses of the validators, one per seat, in the order of the validator set. With
    /// them the block's system transaction is determined. Ignored by Ethereum's rules.
    pub recipients: Vec<Address>,
    /// Who missed a turn to lead between the parent and this block, once for each. Part of the system
    /// transaction like the recipients.
    pub missed: Vec<Address>,
    /// Whether it is the last block but one of an epoch, whose system transaction decides who
    /// validates in the next and needs more gas.
    pub is_electing: bool,
    /// What only Ethereum's rules know.
    pub ethereum: EthereumEnv,
}

/// The part of a block that only Ethereum's rules know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EthereumEnv {
    /// Proof of work difficulty, before the merge.
    pub difficulty: U256,
    /// EIP-4844.
    pub excess_blob_gas: Option<u64>,
    /// EIP-4788.
    pub parent_beacon_block_root: Option<B256>,
    /// EIP-4895.
    pub withdrawals: Vec<Withdrawal>,
    /// Height and beneficiary of each uncle.
    pub uncles: Vec<(u64, Address)>,
}

impl BlockEnv {
    pub(crate) fn to_machine(&self, rules: &Rules) -> MachineBlock {
        let excess = self.ethereum.excess_blob_gas.unwrap_or_default();
        MachineBlock {
            number: U256::from(self.number),
            beneficiary: self.beneficiary,
            timestamp: U256::from(self.timestamp),
            gas_limit: self.gas_limit,
            basefee: self.base_fee,
            difficulty: self.ethereum.difficulty,
            prevrandao: rules.is_active(Fork::MERGE).then_some(self.prevrandao),
            blob_excess_gas_and_price: rules
                .is_active(Fork::CANCUN)
                .then(|| BlobExcessGasAndPrice::new(excess, rules.blob_fraction())),
            ..MachineBlock::default()
        }
    }
}

/// The transaction as the machine wants it.
pub(crate) fn transaction_env(transaction: &EthereumTransaction, sender: Address) -> TxEnv {
    let authorizations = transaction.authorization_list().unwrap_or_default();
    TxEnv {
        tx_type: transaction.tx_type().into(),
        caller: sender,
        gas_limit: transaction.gas_limit(),
        gas_price: transaction.max_fee_per_gas(),
        kind: transaction.to().map_or(TxKind::Create, TxKind::Call),
        value: transaction.value(),
        data: transaction.input().clone(),
        nonce: transaction.nonce(),
        chain_id: transaction.chain_id(),
        access_list: transaction.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: transaction.max_priority_fee_per_gas(),
        blob_hashes: transaction.blob_versioned_hashes().unwrap_or_default().to_vec(),
        max_fee_per_blob_gas: transaction.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: authorizations
            .iter()
            .map(|signed| Either::Right(recover_authorization(signed)))
            .collect(),
    }
}
