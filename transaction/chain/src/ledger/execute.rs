//! Checking and applying blocks.

use super::{
    Applied, Inner,
    seats::{SeatsError, Turns, turns},
};
use crate::{
    metrics::SupplyCheck,
    pool,
    store::{ExecutedBlock, PendingState, StoreError},
};
use alloy_consensus::{Header, transaction::Recovered};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent as _;
use rayon::prelude::*;
use sahara_abi::{ISystem, SYSTEM};
use sahara_evm::{
    BlockEnv, BlockOutcome, RecoveredTransaction, Rules, SenderError, TransitionError,
    execute_block, next_base_fee,
};
use sahara_finality::{
    Block, EthereumTransaction, RoundSeal, SYSTEM_ADDRESS, SystemTransaction, Transaction,
    TxReceipt, header_milliseconds, receipts_root,
};
use std::{sync::Arc, time::Instant};
use tracing::warn;

/// Why a block was not made or taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecutionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Seats(#[from] SeatsError),
    #[error(transparent)]
    Transition(#[from] TransitionError),
    #[error("transaction {index}: {error}")]
    Sender { index: usize, error: SenderError },
    #[error("transaction {0} is a system transaction, which may only stand last")]
    MisplacedSystem(usize),
    #[error("the block has the seal of block 0")]
    Unsealed,
    #[error("header field {field}: expected {expected}, got {got}")]
    Header { field: &'static str, expected: String, got: String },
}

impl ExecutionError {
    /// Whether the chain was upgraded and this program was not: it must not go on.
    pub(super) const fn is_outdated(&self) -> bool {
        matches!(self, Self::Transition(TransitionError::Upgrade { .. }))
    }
}

/// What the next block's transactions will meet. The base fee moves with time; just after a block
/// it is still the block's, unless the floor was raised in it.
pub(super) fn pool_head(header: &Header, floor: u64) -> pool::Head {
    pool::Head {
        number: header.number,
        timestamp: header.timestamp,
        base_fee: header.base_fee_per_gas.unwrap_or_default().max(floor),
        base_fee_floor: floor,
        gas_limit: header.gas_limit,
    }
}

pub(super) fn environment(
    inner: &Inner,
    parent: &Header,
    header: &Header,
    seal: &RoundSeal,
) -> Result<BlockEnv, ExecutionError> {
    let place = (header.parent_hash, header.number);
    let Turns { recipients, missed, is_electing } = turns(inner, place, seal)?;
    let elapsed = header_milliseconds(header).saturating_sub(header_milliseconds(parent));
    let state = inner.pending.state_after(header.parent_hash)?;
    let fees = inner.fees.governed(&state).map_err(TransitionError::State)?;
    Ok(BlockEnv {
        number: header.number,
        timestamp: header.timestamp,
        parent_hash: header.parent_hash,
        beneficiary: header.beneficiary,
        gas_limit: parent.gas_limit,
        base_fee: next_base_fee(&fees, parent, elapsed),
        prevrandao: header.mix_hash,
        recipients,
        missed,
        is_electing,
        ..BlockEnv::default()
    })
}

/// Executes a block's transactions, of which the last may be the system's, and closes the block.
pub(super) type Execute = fn(
    Rules,
    PendingState,
    BlockEnv,
    &[RecoveredTransaction],
    Option<&SystemTransaction>,
) -> Result<BlockOutcome, TransitionError>;

/// Executes `block` on `parent` and holds it when everything that comes from execution is right.
pub(super) fn check(
    inner: &Inner,
    parent: &Block,
    block: &Arc<Block>,
    execute: Execute,
) -> Result<(), ExecutionError> {
    let seal = block.seal.as_round().ok_or(ExecutionError::Unsealed)?;
    let env = environment(inner, &parent.header, &block.header, seal)?;
    expect("gas limit", env.gas_limit, block.header.gas_limit)?;
    expect("base fee", Some(env.base_fee), block.header.base_fee_per_gas)?;
    let started = Instant::now();
    let (signed, system) = recover(inner, block)?;
    let state = inner.pending.state_after(block.header.parent_hash)?;
    let outcome = execute(inner.rules, state, env, &signed, system);
    count_supply_check(inner, &outcome);
    let outcome = outcome?;
    let (root, trie) = inner.pending.root_after(block.header.parent_hash, &outcome.diff)?;
    inner.metrics.execute_seconds.observe(started.elapsed().as_secs_f64());
    compare(&block.header, &outcome, root)?;
    let mut senders: Vec<Address> = signed.iter().map(Recovered::signer).collect();
    senders.extend(system.map(|_| SYSTEM_ADDRESS));
    let executed = ExecutedBlock {
        receipts: Arc::new(outcome.receipts),
        senders,
        diff: outcome.diff,
        trie,
        block: Arc::clone(block),
    };
    Ok(inner.pending.insert(Arc::new(executed))?)
}

fn compare(header: &Header, outcome: &BlockOutcome, root: B256) -> Result<(), ExecutionError> {
    expect("gas used", outcome.gas_used, header.gas_used)?;
    expect("logs bloom", outcome.logs_bloom, header.logs_bloom)?;
    expect("receipts root", receipts_root(&outcome.receipts), header.receipts_root)?;
    expect("state root", root, header.state_root)
}

fn expect<T: Copy + PartialEq + std::fmt::Debug>(
    field: &'static str,
    expected: T,
    got: T,
) -> Result<(), ExecutionError> {
    if expected == got {
        return Ok(());
    }
    Err(ExecutionError::Header {
        field,
        expected: format!("{expected:?}"),
        got: format!("{got:?}"),
    })
}

type Signed<'a> = (Vec<RecoveredTransaction>, Option<&'a SystemTransaction>);

/// From so many transactions on, waking other threads costs less than they do.
const PARALLEL_TRANSACTIONS: usize = 16;

/// The block's transactions with their senders; the pool remembers most of them.
fn recover<'a>(inner: &Inner, block: &'a Block) -> Result<Signed<'a>, ExecutionError> {
    let (system, users) = match block.transactions.split_last() {
        Some((Transaction::System(system), users)) => (Some(system), users),
        _ => (None, block.transactions.as_slice()),
    };
    let recovered = |(index, transaction): (usize, &'a Transaction)| {
        let signed = transaction.as_ethereum().ok_or(ExecutionError::MisplacedSystem(index))?;
        let sender =
            sender(inner, signed).map_err(|error| ExecutionError::Sender { index, error })?;
        Ok(Recovered::new_unchecked(signed.clone(), sender))
    };
    let signed: Result<_, ExecutionError> = if users.len() < PARALLEL_TRANSACTIONS {
        users.iter().enumerate().map(recovered).collect()
    } else {
        users.par_iter().enumerate().map(recovered).collect()
    };
    Ok((signed?, system))
}

fn sender(inner: &Inner, signed: &EthereumTransaction) -> Result<Address, SenderError> {
    inner.pool.sender(signed.hash()).map_or_else(|| sahara_evm::recover(signed), Ok)
}

/// Commits a final block, executing it first when this node has not yet.
pub(super) fn finalize(
    inner: &Inner,
    block: &Arc<Block>,
    certificate: Option<&[u8]>,
) -> Result<Applied, ExecutionError> {
    let hash = block.hash();
    let store = inner.pending.store();
    if inner.pending.block(hash).is_none() && store.head().number < block.header.number {
        let number = block.header.number.saturating_sub(1);
        let missing = || StoreError::UnknownBlock(block.header.parent_hash);
        let parent = store.block(number)?.ok_or_else(missing)?;
        check(inner, &parent, block, execute_block)?;
    }
    let held = inner.pending.block(hash);
    let started = Instant::now();
    inner.pending.finalize(hash, certificate)?;
    inner.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
    if let Some(held) = &held {
        inner.metrics.count_block(block);
        report_recovered(inner, block, &held.receipts);
    }
    let changed = held.map(|held| held.diff.accounts.keys().copied().collect());
    let head = store.head();
    let fees = inner.fees.governed(&store.state()).map_err(TransitionError::State)?;
    Ok(Applied {
        number: head.number,
        pool: pool_head(&head.header, fees.base_fee_floor),
        changed: changed.unwrap_or_default(),
    })
}

/// Every block that ran to its end was held against the supply law.
pub(super) fn count_supply_check(inner: &Inner, outcome: &Result<BlockOutcome, TransitionError>) {
    match outcome {
        Ok(_) => inner.metrics.count_supply_check(SupplyCheck::Kept),
        Err(TransitionError::SupplyLaw(error)) => {
            warn!(%error, "a block breaks the supply law");
            inner.metrics.count_supply_check(SupplyCheck::Broken);
        }
        Err(_) => {}
    }
}

/// Coin went to the incentive pool because nobody's books knew of it. Users can force that; where
/// none did, a protocol forgot to book what it took in, so it is said aloud and counted.
fn report_recovered(inner: &Inner, block: &Block, receipts: &[TxReceipt]) {
    for (transaction, receipt) in block.transactions.iter().zip(receipts) {
        for amount in recovered(receipt) {
            let (number, transaction) = (block.header.number, transaction.hash());
            warn!(number, %transaction, %amount, "coin that no books know of was recovered");
            inner.metrics.count_recovered(amount);
        }
    }
}

fn recovered(receipt: &TxReceipt) -> impl Iterator<Item = U256> {
    let logs = receipt.logs.iter().filter(|log| log.address == SYSTEM);
    logs.filter_map(|log| ISystem::Recovered::decode_log(log).ok()).map(|log| log.data.amount)
}
