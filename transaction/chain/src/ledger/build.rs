//! Building a block from the pool.
//!
//! A transaction that cannot stand in the block is refused and stays in the pool. One whose
//! execution breaks the node's own rules, or the node itself, is *banished*, and the block is built
//! anew without it: a fault that a user can reach must not stop the chain. The same holds for what
//! breaks only when the block is closed. Where not even a block without transactions can be closed,
//! nobody is to blame: this node then proposes nothing, and the round goes to the next leader.

use super::{
    Inner,
    execute::{ExecutionError, count_supply_check, environment},
};
use crate::{
    consensus::BuildContext,
    store::{ExecutedBlock, PendingState},
    trie::TrieUpdate,
};
use alloy_consensus::transaction::Recovered;
use alloy_primitives::{Address, B256};
use sahara_evm::{
    BlockBuilder, BlockEnv, BlockOutcome, ParentState, RecoveredTransaction, Refusal,
    TransitionError,
};
use sahara_finality::{
    Block, MAX_TRANSACTIONS_BYTES, SYSTEM_ADDRESS, Seal, Transaction, receipts_root,
    transaction_length, transactions_root,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::error;

/// Room kept in a block for its system transaction: at most 512 seats of 32 bytes and its frame.
const SYSTEM_BYTES: usize = 20_000;

/// How often a block is begun anew without what spoiled it; then it is built without transactions.
const ATTEMPTS: usize = 32;

/// Bounds the memory of refused transactions to about a megabyte.
const MOST_REFUSED: usize = 16_384;

/// How long a leader executes for its block; the transaction in hand is finished. Gas alone bounds no time: a
/// block of 400 million gas of signature recoveries takes six seconds, and no other leader would wait for it.
pub(super) const BUILD_TIME: Duration = Duration::from_millis(400);

/// What the cheapest transaction costs: with less left, the block is full.
const MIN_GAS: u64 = 21_000;

/// Transactions in a block, and who sent them.
#[derive(Debug, Default)]
struct Taken {
    transactions: Vec<Transaction>,
    senders: Vec<Address>,
}

/// A closed block: what it did, and the state after it.
struct Closed {
    outcome: BlockOutcome,
    root: B256,
    trie: TrieUpdate,
}

/// Closes a block over what was taken into it.
type Close<'a> =
    &'a dyn Fn(BlockBuilder<PendingState>, &Taken) -> Result<BlockOutcome, TransitionError>;

/// Why a block did not come about.
enum Spoiled {
    /// By this transaction.
    By(B256, TransitionError),
    /// Closing it failed, after this many transactions.
    AtEnd(usize, Option<B256>, TransitionError),
}

/// Builds a block from the pool on `parent` and holds it.
pub(super) fn build(
    inner: &Inner,
    parent: &Block,
    context: BuildContext,
) -> Result<Block, ExecutionError> {
    build_and_close(inner, parent, context, &|builder, _| builder.finish())
}

fn build_and_close(
    inner: &Inner,
    parent: &Block,
    context: BuildContext,
    close: Close<'_>,
) -> Result<Block, ExecutionError> {
    let started = Instant::now();
    let BuildContext { mut header, seal } = context;
    let env = environment(inner, &parent.header, &header, &seal)?;
    let (gas_limit, base_fee) = (env.gas_limit, env.base_fee);
    let parent_hash = header.parent_hash;
    let (closed, taken) = assemble(inner, parent_hash, &env, close)?;
    let Closed { outcome, root, trie } = closed;
    let Taken { mut transactions, mut senders } = taken;
    if let Some(system) = outcome.system_transaction.clone() {
        transactions.push(Transaction::System(system));
        senders.push(SYSTEM_ADDRESS);
    }
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
    inner.metrics.build_seconds.observe(started.elapsed().as_secs_f64());
    Ok(block)
}

/// Executes what the pool offers, again and again until nothing spoils the block. When closing it
/// fails, nobody can tell which transaction did it: half as many are taken, down to one.
fn assemble(
    inner: &Inner,
    parent: B256,
    env: &BlockEnv,
    close: Close<'_>,
) -> Result<(Closed, Taken), ExecutionError> {
    let mut most = usize::MAX;
    for _ in 0..ATTEMPTS {
        match attempt(inner, parent, env, most, close)? {
            Ok(done) => return Ok(done),
            Err(Spoiled::By(hash, error)) => banish(inner, hash, &error),
            Err(Spoiled::AtEnd(1, Some(hash), error)) => {
                // Only a transaction without which the block closes is to blame.
                empty(inner, parent, env, close)?;
                banish(inner, hash, &error);
                most = usize::MAX;
            }
            Err(Spoiled::AtEnd(0, _, error)) => return Err(error.into()),
            Err(Spoiled::AtEnd(taken, _, _)) => {
                most = taken.div_ceil(2).min(taken.saturating_sub(1));
            }
        }
    }
    empty(inner, parent, env, close)
}

/// A block without users' transactions.
fn empty(
    inner: &Inner,
    parent: B256,
    env: &BlockEnv,
    close: Close<'_>,
) -> Result<(Closed, Taken), ExecutionError> {
    match attempt(inner, parent, env, 0, close)? {
        Ok(done) => Ok(done),
        Err(Spoiled::By(_, error) | Spoiled::AtEnd(_, _, error)) => Err(error.into()),
    }
}

fn attempt(
    inner: &Inner,
    parent: B256,
    env: &BlockEnv,
    most: usize,
    close: Close<'_>,
) -> Result<Result<(Closed, Taken), Spoiled>, ExecutionError> {
    let state = inner.pending.state_after(parent)?;
    let mut builder = BlockBuilder::new(inner.rules, state, env.clone())?;
    let taken = match fill(inner, &mut builder, env.base_fee, most)? {
        Ok(taken) => taken,
        Err(spoiled) => return Ok(Err(spoiled)),
    };
    let closed: Result<Closed, ExecutionError> = contained("closing the block", || {
        let outcome = close(builder, &taken);
        count_supply_check(inner, &outcome);
        let outcome = outcome?;
        let (root, trie) = inner.pending.root_after(parent, &outcome.diff)?;
        Ok(Closed { outcome, root, trie })
    });
    match closed {
        Ok(closed) => Ok(Ok((closed, taken))),
        Err(ExecutionError::Transition(error)) if !matches!(error, TransitionError::State(_)) => {
            let last = taken.transactions.last().map(Transaction::hash);
            Ok(Err(Spoiled::AtEnd(taken.transactions.len(), last, error)))
        }
        Err(error) => Err(error),
    }
}

fn banish(inner: &Inner, hash: B256, reason: &TransitionError) {
    error!(transaction = %hash, %reason, "a transaction breaks this node's rules and is left out for good");
    inner.metrics.banished.inc();
    inner.pool.banish(hash);
}

/// Takes the best paying transactions until the block is full or the time for it is up, at most `most`.
fn fill<S: ParentState>(
    inner: &Inner,
    builder: &mut BlockBuilder<S>,
    base_fee: u64,
    most: usize,
) -> Result<Result<Taken, Spoiled>, ExecutionError> {
    let mut taken = Taken::default();
    let mut room = MAX_TRANSACTIONS_BYTES.saturating_sub(SYSTEM_BYTES);
    let mut best = inner.pool.best(base_fee, builder.gas_left());
    let started = Instant::now();
    while taken.transactions.len() < most
        && (taken.transactions.is_empty() || started.elapsed() < inner.build_time)
        && let Some(pooled) = best.next()
    {
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
        match try_transaction(builder, &recovered) {
            Ok(Ok(())) => {
                room = room.saturating_sub(length);
                taken.transactions.push(pooled.transaction().clone());
                taken.senders.push(sender);
            }
            Ok(Err(refusal)) => {
                best.skip_sender();
                refuse(inner, pooled.hash());
                if matches!(refusal, Refusal::BlockGasLimit { available, .. } if available < MIN_GAS)
                {
                    break;
                }
            }
            Err(error @ TransitionError::State(_)) => return Err(error.into()),
            Err(error) => return Ok(Err(Spoiled::By(pooled.hash(), error))),
        }
    }
    Ok(Ok(taken))
}

fn try_transaction<S: ParentState>(
    builder: &mut BlockBuilder<S>,
    transaction: &RecoveredTransaction,
) -> Result<Result<(), Refusal>, TransitionError> {
    contained("the machine", || Ok(builder.try_transaction(transaction)?.map(drop)))
}

/// A panic is a fault like any other; what it leaves half done is not used again.
fn contained<T, E: From<TransitionError>>(
    what: &str,
    run: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(TransitionError::Fatal(format!("{what} panicked")).into()))
}

/// Remembers a refused transaction; when there are many, the memory starts anew.
fn refuse(inner: &Inner, hash: B256) {
    let mut refused = inner.refused.lock();
    if refused.len() >= MOST_REFUSED {
        refused.clear();
    }
    refused.insert(hash);
}

#[cfg(test)]
mod tests;
