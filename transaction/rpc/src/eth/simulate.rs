//! `eth_simulateV1`: calls in blocks that never come about.

use crate::{error::Failure, eth::calls::unsigned, node::Node};
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, Header, Sealed, TxEip1559, constants::EMPTY_ROOT_HASH,
    proofs::calculate_transaction_root,
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, TxKind, U256};
use alloy_rpc_types_eth::{
    Block, BlockOverrides, BlockTransactions, Header as HeaderView, Log, Transaction,
    TransactionRequest,
    simulate::{
        MAX_SIMULATE_BLOCKS, SimBlock, SimCallResult, SimulateError, SimulatePayload,
        SimulatedBlock as BlockResult,
    },
};
use jsonrpsee::proc_macros::rpc;
use sahara_chain::store::StateView;
use sahara_evm::{BlockEnv, CallOutcome, CallStatus, SimulatedBlock, Simulation, next_base_fee};
use sahara_finality::EthereumTransaction;

type View = Transaction<EthereumTransaction>;
type Simulated = BlockResult<Block<View>>;
type Ran = (TransactionRequest, CallOutcome);

/// The most calls of one request.
const MAX_CALLS: usize = 5_000;

/// Who is shown to log moved coin.
const TRANSFERS: Address = Address::repeat_byte(0xee);

/// Seconds between simulated blocks, as other clients count.
const BLOCK_SECONDS: u64 = 12;

#[rpc(server, namespace = "eth")]
pub(crate) trait SimulateApi {
    /// The blocks have no state root, since nothing is kept, and so hashes of their own.
    #[method(name = "simulateV1")]
    async fn simulate(
        &self,
        payload: SimulatePayload,
        block: Option<BlockId>,
    ) -> Result<Vec<Simulated>, Failure>;
}

#[derive(Debug)]
pub(crate) struct Simulate(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl SimulateApiServer for Simulate {
    async fn simulate(
        &self,
        payload: SimulatePayload,
        block: Option<BlockId>,
    ) -> Result<Vec<Simulated>, Failure> {
        self.0.compute(move |node| simulate(node, &payload, block)).await
    }
}

fn simulate(
    node: &Node,
    payload: &SimulatePayload,
    block: Option<BlockId>,
) -> Result<Vec<Simulated>, Failure> {
    let calls: usize = payload.block_state_calls.iter().map(|one| one.calls.len()).sum();
    if payload.block_state_calls.is_empty() {
        return Err(Failure::Parameters("empty input".into()));
    }
    if calls > MAX_CALLS {
        return Err(Failure::Limit(format!("too many calls: {calls}, at most {MAX_CALLS}")));
    }
    let state = node.state(block)?;
    let mut parent = node.store().header(state.number())?.ok_or(Failure::UnknownBlock)?.header;
    let mut parent_hash = node.head_of(Some(state.number().into()))?.hash;
    let mut simulation = Simulation::new(node.rules(), state);
    let mut done = Vec::new();
    for one in &planned(&parent, &payload.block_state_calls)? {
        let env = environment(node, (&parent, parent_hash), one, payload.validation)?;
        let work = SimulatedBlock {
            overrides: one.state_overrides.as_ref(),
            calls: &one.calls,
            is_validated: payload.validation,
            traces_transfers: payload.trace_transfers,
        };
        let (next, ran): (Simulation<StateView>, _) =
            simulation.block(&env, work).map_err(Failure::from_simulation)?;
        simulation = next;
        let made = assemble(node, (&env, &parent), &ran)?;
        simulation.seal(env.number, made.header.hash);
        let result = result(made, ran, payload.return_full_transactions);
        (parent, parent_hash) = (result.inner.header.inner.clone(), result.inner.header.hash);
        done.push(result);
    }
    Ok(done)
}

/// The blocks asked for, with number and time, and empty ones where numbers are left out.
fn planned(parent: &Header, asked: &[SimBlock]) -> Result<Vec<SimBlock>, Failure> {
    let (first, mut number, mut time) = (parent.number, parent.number, parent.timestamp);
    let mut blocks = Vec::new();
    for one in asked {
        let overrides = one.block_overrides.clone().unwrap_or_default();
        let next = overrides.number.map_or(number.saturating_add(1), |asked| asked.saturating_to());
        if next <= number {
            return Err(Failure::Simulation {
                code: -38_020,
                text: format!("block numbers must be in order: {next} <= {number}"),
            });
        }
        if next.saturating_sub(first) > MAX_SIMULATE_BLOCKS {
            return Err(Failure::Simulation { code: -38_026, text: "too many blocks".into() });
        }
        while number.saturating_add(1) < next {
            number = number.saturating_add(1);
            time = time.saturating_add(BLOCK_SECONDS);
            blocks.push(at(SimBlock::default(), number, time));
        }
        let asked_time = overrides.time.unwrap_or_else(|| time.saturating_add(BLOCK_SECONDS));
        if asked_time <= time {
            return Err(Failure::Simulation {
                code: -38_021,
                text: format!("block timestamps must be in order: {asked_time} <= {time}"),
            });
        }
        (number, time) = (next, asked_time);
        blocks.push(at(one.clone(), number, time));
    }
    Ok(blocks)
}

fn at(mut block: SimBlock, number: u64, time: u64) -> SimBlock {
    let overrides = block.block_overrides.get_or_insert_default();
    overrides.number = Some(U256::from(number));
    overrides.time = Some(time);
    block
}

fn environment(
    node: &Node,
    (parent, parent_hash): (&Header, B256),
    block: &SimBlock,
    is_validated: bool,
) -> Result<BlockEnv, Failure> {
    let overrides: BlockOverrides = block.block_overrides.clone().unwrap_or_default();
    // Who does not ask for real rules gets gas for nothing.
    let base_fee =
        if is_validated { next_base_fee(&node.fees()?, parent, BLOCK_SECONDS * 1_000) } else { 0 };
    let env = BlockEnv { parent_hash, base_fee, prevrandao: B256::ZERO, ..node.env(parent) };
    Ok(env.with_overrides(&overrides))
}

/// The block that these calls make.
fn assemble(
    node: &Node,
    (env, parent): (&BlockEnv, &Header),
    ran: &[Ran],
) -> Result<Block<View>, Failure> {
    let mut transactions = Vec::new();
    for (request, _) in ran {
        transactions.push(transaction(node, request, env.base_fee)?);
    }
    let gas_used = ran.iter().map(|(_, outcome)| outcome.gas_used).sum();
    let mut bloom = Bloom::ZERO;
    let successful = ran.iter().filter(|(_, outcome)| outcome.is_success());
    let logs = successful.flat_map(|(_, outcome)| &outcome.logs);
    // Moved coin shown as a log is none.
    logs.filter(|log| log.address != TRANSFERS).for_each(|log| bloom.accrue_log(log));
    let signed: Vec<_> = transactions.iter().map(|one| one.inner.inner().clone()).collect();
    let header = Header {
        parent_hash: env.parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: env.beneficiary,
        state_root: B256::ZERO,
        transactions_root: calculate_transaction_root(&signed),
        receipts_root: if ran.is_empty() { EMPTY_ROOT_HASH } else { B256::ZERO },
        logs_bloom: bloom,
        number: env.number,
        gas_limit: env.gas_limit,
        gas_used,
        timestamp: env.timestamp,
        mix_hash: env.prevrandao,
        base_fee_per_gas: Some(env.base_fee),
        extra_data: Bytes::new(),
        nonce: B64::ZERO,
        withdrawals_root: parent.withdrawals_root.map(|_| EMPTY_ROOT_HASH),
        blob_gas_used: parent.blob_gas_used.map(|_| 0),
        parent_beacon_block_root: parent.parent_beacon_block_root.map(|_| B256::ZERO),
        ..parent.clone()
    };
    let withdrawals = header.withdrawals_root.map(|_| Default::default());
    let hash = header.hash_slow();
    for (index, one) in (0_u64..).zip(&mut transactions) {
        one.block_hash = Some(hash);
        one.block_number = Some(env.number);
        one.transaction_index = Some(index);
        one.block_timestamp = Some(env.timestamp);
    }
    Ok(Block {
        header: HeaderView::from_consensus(Sealed::new_unchecked(header, hash), None, None),
        uncles: Vec::new(),
        transactions: BlockTransactions::Full(transactions),
        withdrawals,
    })
}

/// A call as the transaction it would be, with a signature of zeros.
fn transaction(node: &Node, request: &TransactionRequest, base_fee: u64) -> Result<View, Failure> {
    if request.authorization_list.is_some() || request.blob_versioned_hashes.is_some() {
        return Err(Failure::NotSupported("simulated calls are transactions of type 2"));
    }
    let max_fee = request.max_fee_per_gas.or(request.gas_price).unwrap_or_default();
    let tip = request.max_priority_fee_per_gas.or(request.gas_price).unwrap_or_default();
    let body = TxEip1559 {
        chain_id: request.chain_id.unwrap_or_else(|| node.rules().chain_id()),
        nonce: request.nonce.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or_default(),
        max_fee_per_gas: max_fee,
        max_priority_fee_per_gas: tip,
        to: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        access_list: request.access_list.clone().unwrap_or_default(),
        input: request.input.input().cloned().unwrap_or_default(),
    };
    let sender: Address = request.from.unwrap_or_default();
    let mut view = unsigned(body, sender);
    view.effective_gas_price = Some(max_fee.min(tip.saturating_add(base_fee.into())));
    Ok(view)
}

fn result(mut block: Block<View>, ran: Vec<Ran>, is_full: bool) -> Simulated {
    let hashes: Vec<B256> = block.transactions.hashes().collect();
    let (number, hash) = (block.header.number, block.header.hash);
    let timestamp = block.header.timestamp;
    if !is_full {
        block.transactions = BlockTransactions::Hashes(hashes.clone());
    }
    let mut log_index = 0;
    let mut calls = Vec::new();
    for ((index, transaction), (_, outcome)) in (0_u64..).zip(hashes).zip(ran) {
        let error = error(&outcome);
        let status = outcome.is_success();
        // What a failed call logged did not happen.
        let logs = if status { outcome.logs } else { Vec::new() };
        let logs = logs.into_iter().map(|inner| {
            let log = Log {
                inner,
                block_hash: Some(hash),
                block_number: Some(number),
                block_timestamp: Some(timestamp),
                transaction_hash: Some(transaction),
                transaction_index: Some(index),
                log_index: Some(log_index),
                removed: false,
            };
            log_index = log_index.saturating_add(1);
            log
        });
        calls.push(SimCallResult {
            return_data: outcome.output,
            logs: logs.collect(),
            gas_used: outcome.gas_used,
            max_used_gas: Some(outcome.gas_spent),
            status,
            error,
        });
    }
    Simulated { inner: block, calls }
}

fn error(outcome: &CallOutcome) -> Option<SimulateError> {
    let message = outcome.failure();
    match outcome.status {
        CallStatus::Success => None,
        CallStatus::Reverted => {
            let (code, data) = (SimulateError::EXECUTION_REVERTED_CODE, outcome.output.clone());
            Some(SimulateError { code, message, data: Some(data) })
        }
        CallStatus::Halted(_) => Some(SimulateError {
            code: SimulateError::VM_EXECUTION_ERROR_CODE,
            message,
            data: None,
        }),
    }
}
