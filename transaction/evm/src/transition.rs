//! A whole block: from the parent's state to a diff and receipts.

use crate::{
    builder::BlockBuilder,
    env::BlockEnv,
    refusal::Refusal,
    rules::Rules,
    sender::RecoveredTransaction,
    state::{ParentState, StateDiff, StateError},
    supply::SupplyError,
};
use alloy_primitives::{Address, Bloom};
use sahara_finality::{SystemTransaction, TxReceipt};

/// Why a block has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum TransitionError {
    /// The parent state cannot be read: this node's problem, not the block's.
    #[error(transparent)]
    State(StateError),
    /// The block holds a transaction that cannot stand there.
    #[error("transaction {index}: {refusal}")]
    Transaction {
        /// Its position.
        index: usize,
        /// Why.
        refusal: Refusal,
    },
    /// The block's system transaction is not the one its state calls for.
    #[error("the block's system transaction is wrong: expected {expected:?}, got {got:?}")]
    SystemTransaction {
        /// What must stand last in the block.
        expected: Option<Box<SystemTransaction>>,
        /// What stands there.
        got: Option<Box<SystemTransaction>>,
    },
    /// Coin was made or destroyed.
    #[error(transparent)]
    SupplyLaw(#[from] SupplyError),
    /// Governance upgraded the chain at this height, and this program does not have the upgrade.
    #[error(
        "from block {height} on the chain needs version {needed} of the protocols, this program has \
             version {supported}: install a newer one"
    )]
    Upgrade {
        /// The block.
        height: u64,
        /// The version it needs.
        needed: u32,
        /// The newest version this program has.
        supported: u32,
    },
    /// A rule found its own state broken.
    #[error("the transition cannot go on: {0}")]
    Fatal(String),
}

/// What a block did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockOutcome {
    /// What it changed.
    pub diff: StateDiff,
    /// One per transaction, the system transaction's last.
    pub receipts: Vec<TxReceipt>,
    /// One per transaction, as the receipts.
    pub executions: Vec<Execution>,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// EIP-4844, zero under Sahara's rules.
    pub blob_gas_used: u64,
    /// The union of the receipts' blooms.
    pub logs_bloom: Bloom,
    /// What stands last in the block, if anything is to be done.
    pub system_transaction: Option<SystemTransaction>,
}

/// What a receipt as RPC shows it has beyond [`TxReceipt`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Execution {
    /// Gas of this transaction alone, refunds deducted.
    pub gas_used: u64,
    /// Base units paid per gas.
    pub effective_gas_price: u128,
    /// The contract it deployed.
    pub contract_address: Option<Address>,
}

/// Executes a block: `transactions` as signed, then its system transaction, which must be exactly
/// the one that the state calls for.
///
/// # Errors
/// See [`TransitionError`]; only [`TransitionError::State`] is this node's own fault.
pub fn execute_block<S: ParentState>(
    rules: Rules,
    parent: S,
    env: BlockEnv,
    transactions: &[RecoveredTransaction],
    system: Option<&SystemTransaction>,
) -> Result<BlockOutcome, TransitionError> {
    let mut builder = BlockBuilder::new(rules, parent, env)?;
    for (index, transaction) in transactions.iter().enumerate() {
        if let Err(refusal) = builder.try_transaction(transaction)? {
            return Err(TransitionError::Transaction { index, refusal });
        }
    }
    let outcome = builder.finish()?;
    if outcome.system_transaction.as_ref() != system {
        return Err(TransitionError::SystemTransaction {
            expected: outcome.system_transaction.map(Box::new),
            got: system.cloned().map(Box::new),
        });
    }
    Ok(outcome)
}
