//! Building, checking and applying blocks.

use super::{Applied, Inner};
use crate::{
    consensus::BuildContext,
    pool,
    store::{ExecutedBlock, StoreError},
};
use alloy_consensus::{Header, transaction::Recovered};
use alloy_primitives::{Address, B256};
use rayon::prelude::*;
use sahara_evm::{
    BlockBuilder, BlockEnv, BlockOutcome, RecoveredTransaction, Refusal, SenderError,
    TransitionError, execute_block, next_base_fee,
};
use sahara_finality::{
    Block, EthereumTransaction, MAX_TRANSACTIONS_BYTES, SYSTEM_ADDRESS, Seal, SystemTransaction,
    Transaction, header_milliseconds, receipts_root, transaction_length, transactions_root,
};
use std::sync::Arc;

/// Room kept in a block for its system transaction: at most 512 seats of 32 bytes and its frame.
const SYSTEM_BYTES: usize = 20_000;

/// Why a block was not made or taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExecutionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transition(#[from] TransitionError),
    #[error("transaction {index}: {error}")]
    Sender { index: usize, error: SenderError },
    #[error("transaction {0} is a system transaction, which may only stand last")]
    MisplacedSystem(usize),
    #[error("header field {field}: expected {expected}, got {got}")]
    Header { field: &'static str, expected: String, got: String },
}

/// What the next block's transactions will meet. The base fee moves with time; just after a block
/// it is still the block's.
pub(super) fn pool_head(header: &Header) -> pool::Head {
    pool::Head {
        number: header.number,
        base_fee: header.base_fee_per_gas.unwrap_or_default(),
        gas_limit: header.gas_limit,
    }
}

fn environment(inner: &Inner, parent: &Header, header: &Header) -> BlockEnv {
    let elapsed = header_milliseconds(header).saturating_sub(header_milliseconds(parent));
    BlockEnv {
        number: header.number,
        timestamp: header.timestamp,
        parent_hash: header.parent_hash,
        beneficiary: header.beneficiary,
        gas_limit: parent.gas_limit,
        base_fee: next_base_fee(&inner.fees, parent, elapsed),
        prevrandao: header.mix_hash,
        recipients: inner.recipients.clone(),
        ..BlockEnv::default()
    }
}

/// Builds a block from the pool on `parent` and holds it.
pub(super) fn build(
    inner: &Inner,
    parent: &Block,
    context: BuildContext,
) -> Result<Block, ExecutionError> {
    let BuildContext { mut header, seal } = context;
    let env = environment(inner, &parent.header, &header);
    let (gas_limit, base_fee) = (env.gas_limit, env.base_fee);
    let parent_hash = header.parent_hash;
    let mut builder = BlockBuilder::new(inner.rules, inner.pending.state_after(parent_hash)?, env)?;
    let (mut transactions, mut senders) = fill(inner, &mut builder, base_fee)?;
    let outcome = builder.finish()?;
    if let Some(system) = outcome.system_transaction.clone() {
        transactions.push(Transaction::System(system));
        senders.push(SYSTEM_ADDRESS);
    }
    let (root, trie) = inner.pending.root_after(parent_hash, &outcome.diff)?;
    header.gas_limit = gas_limit;
    header.base_fee_per_gas = Some(base_fee);
    header.gas_used = outcome.gas_used;
    header.logs_bloom = outcome.logs_bloom;
    header.transactions_root = transactions_root(&transactions);
    header.receipts_root = receipts_root(&outcome.receipts);
    header.state_root = root;
    let block = Block { header, seal: Seal::Round(seal), transactions };
    let executed = ExecutedBlock {
        block: Arc::new(block.clone()),
        receipts: Arc::new(outcome.receipts),
        senders,
        diff: outcome.diff,
        trie,
    };
    inner.pending.insert(Arc::new(executed))?;
    Ok(block)
}

/// Takes the best paying transactions until the block is full.
fn fill<S: sahara_evm::ParentState>(
    inner: &Inner,
    builder: &mut BlockBuilder<S>,
    base_fee: u64,
) -> Result<(Vec<Transaction>, Vec<Address>), ExecutionError> {
    let (mut transactions, mut senders) = (Vec::new(), Vec::new());
    let mut room = MAX_TRANSACTIONS_BYTES.saturating_sub(SYSTEM_BYTES);
    let mut best = inner.pool.best(base_fee, builder.gas_left());
    while let Some(pooled) = best.next() {
        let sender = pooled.sender();
        // Included by an ancestor that is not final yet: the pool learns of it later.
        if builder.account(sender).map_err(TransitionError::State)?.nonce > pooled.nonce() {
            continue;
        }
        let length = transaction_length(pooled.transaction());
        if length > room {
            best.skip_sender();
            continue;
        }
        let recovered = Recovered::new_unchecked(pooled.signed().clone(), sender);
        match builder.try_transaction(&recovered)? {
            Ok(_) => {
                room = room.saturating_sub(length);
                transactions.push(pooled.transaction().clone());
                senders.push(sender);
            }
            Err(refusal) => {
                best.skip_sender();
                refuse(inner, pooled.hash());
                if matches!(refusal, Refusal::BlockGasLimit { available, .. } if available < MIN_GAS)
                {
                    break;
                }
            }
        }
    }
    Ok((transactions, senders))
}

/// Remembers a refused transaction; when there are many, the memory starts anew.
fn refuse(inner: &Inner, hash: B256) {
    let mut refused = inner.refused.lock();
    if refused.len() >= MOST_REFUSED {
        refused.clear();
    }
    refused.insert(hash);
}

/// Bounds the memory of refused transactions to about a megabyte.
const MOST_REFUSED: usize = 16_384;

/// What the cheapest transaction costs: with less left, the block is full.
const MIN_GAS: u64 = 21_000;

/// Executes `block` on `parent` and holds it when everything that comes from execution is right.
pub(super) fn check(
    inner: &Inner,
    parent: &Block,
    block: &Arc<Block>,
) -> Result<(), ExecutionError> {
    let env = environment(inner, &parent.header, &block.header);
    expect("gas limit", env.gas_limit, block.header.gas_limit)?;
    expect("base fee", Some(env.base_fee), block.header.base_fee_per_gas)?;
    let (signed, system) = recover(inner, block)?;
    let state = inner.pending.state_after(block.header.parent_hash)?;
    let outcome = execute_block(inner.rules, state, env, &signed, system)?;
    let (root, trie) = inner.pending.root_after(block.header.parent_hash, &outcome.diff)?;
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

/// The block's transactions with their senders; the pool remembers most of them.
fn recover<'a>(inner: &Inner, block: &'a Block) -> Result<Signed<'a>, ExecutionError> {
    let (system, users) = match block.transactions.split_last() {
        Some((Transaction::System(system), users)) => (Some(system), users),
        _ => (None, block.transactions.as_slice()),
    };
    let signed = users.par_iter().enumerate().map(|(index, transaction)| {
        let signed = transaction.as_ethereum().ok_or(ExecutionError::MisplacedSystem(index))?;
        let sender =
            sender(inner, signed).map_err(|error| ExecutionError::Sender { index, error })?;
        Ok(Recovered::new_unchecked(signed.clone(), sender))
    });
    Ok((signed.collect::<Result<_, ExecutionError>>()?, system))
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
        check(inner, &parent, block)?;
    }
    let changed =
        inner.pending.block(hash).map(|held| held.diff.accounts.keys().copied().collect());
    inner.pending.finalize(hash, certificate)?;
    let head = store.head();
    Ok(Applied {
        number: head.number,
        pool: pool_head(&head.header),
        changed: changed.unwrap_or_default(),
    })
}
