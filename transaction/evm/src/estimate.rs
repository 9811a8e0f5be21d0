//! How much gas a call wants: what it uses now, and what it may use more when it runs.
//!
//! A wallet signs the estimate as it is. On this chain a call's cost moves with time and with what others do:
//! a price that falls gives change in the next second, staking writes a new mark in each second and begins new
//! words with an epoch, and a sender is credited with what its pools owe before its transaction, out of its gas. So an estimate of a call that such a thing
//! may befall is higher than what the call uses now; what is not used is not paid.

use crate::{
    call::{CALL_GAS, CallError, Session},
    env::BlockEnv,
    machine::MachineContext,
    rules::Rules,
    state::ParentState,
};
use alloy_primitives::{KECCAK256_EMPTY, TxKind, U256};
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverride};
use alloy_sol_types::SolCall;
use revm::{
    context::TxEnv,
    inspector::{Inspector, NoOpInspector},
};
use sahara_abi::{IRoyalties, ROYALTIES, STAKING};
use sahara_protocols::royalties::POOLS_BEFORE_TRANSACTION;

/// EIP-7825: the most gas a transaction may ask for.
const TRANSACTION_GAS: u64 = 1 << 24;

/// How many seconds later a call is tried as well: a wallet's transaction is in a block of then.
const LATER: u64 = 4;

/// What a call that looks at staking may cost more in a later second or in a new epoch: marks of stake and
/// votes in nine words that were empty.
const STAKING_GAS: u64 = 180_000;

/// What crediting a sender with what one pool owes it costs at most: some ten words read, five changed, one
/// account credited, a log.
const POOL_GAS: u64 = 60_000;

/// The least gas limit with which the call succeeds, to within 1.5 %, and what may come on top of it by the
/// time it runs. Coin sent to an account without code is exact.
///
/// # Errors
/// [`CallError::Failed`] when it fails with all the gas it may have.
pub fn estimate_gas<S: ParentState>(
    rules: Rules,
    state: S,
    env: &BlockEnv,
    request: &TransactionRequest,
    overrides: Option<&StateOverride>,
) -> Result<u64, CallError> {
    let mut session = Session::open(rules, state, env, (request, overrides), NoOpInspector)?;
    let block = env.gas_limit.saturating_sub(crate::system_gas(env));
    let asked = request.gas.unwrap_or(TRANSACTION_GAS).min(TRANSACTION_GAS);
    let most = asked.min(block.max(21_000)).min(session.affordable_gas()?);
    let least = least(&mut session, most)?;
    if !rules.is_native() || only_moves_coin(&mut session)? {
        return Ok(least);
    }
    let margin = margin(&mut session, least)?;
    let later = later(&mut session, most)?;
    Ok(least.max(later).saturating_add(margin).min(most))
}

/// The least gas limit some seconds later; nothing where the call fails then.
fn later<S: ParentState, I: Inspector<MachineContext<S>>>(
    session: &mut Session<S, I>,
    most: u64,
) -> Result<u64, CallError> {
    let time = &mut session.machine.inner.ctx.block.timestamp;
    let now = *time;
    *time = now.saturating_add(U256::from(LATER));
    let found = least(session, most);
    session.machine.inner.ctx.block.timestamp = now;
    match found {
        Err(CallError::Failed(_)) => Ok(0),
        found => found,
    }
}

fn least<S: ParentState, I: Inspector<MachineContext<S>>>(
    session: &mut Session<S, I>,
    most: u64,
) -> Result<u64, CallError> {
    let first = session.run(most)?;
    if !first.is_success() {
        return Err(CallError::Failed(Box::new(first)));
    }
    if session.succeeds(first.gas_used)? {
        return Ok(first.gas_used);
    }
    let (mut low, mut high) = (first.gas_used, most);
    while high.saturating_sub(low) > 1 && !is_close(low, high) {
        let middle = low.midpoint(high);
        if session.succeeds(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}

/// Within 1.5 % of each other.
const fn is_close(low: u64, high: u64) -> bool {
    high.saturating_sub(low).saturating_mul(200) < high.saturating_mul(3)
}

/// Whether nothing is run, so that nothing can run out of gas: a settlement that does not fit is left out.
fn only_moves_coin<S: ParentState, I: Inspector<MachineContext<S>>>(
    session: &mut Session<S, I>,
) -> Result<bool, CallError> {
    let TxKind::Call(to) = session.transaction.kind else { return Ok(false) };
    let account = session.machine.state().account(to)?.unwrap_or_default();
    Ok(session.transaction.data.is_empty() && account.code_hash == KECCAK256_EMPTY)
}

/// What the call may cost more when it runs.
fn margin<S: ParentState, I: Inspector<MachineContext<S>>>(
    session: &mut Session<S, I>,
    least: u64,
) -> Result<u64, CallError> {
    let touched = session.touched(least)?;
    let stakes = touched.get(&STAKING).is_some_and(|account| !account.storage.is_empty());
    let staking = if stakes { STAKING_GAS } else { 0 };
    let pools = pools(session)?.min(POOLS_BEFORE_TRANSACTION.into());
    Ok(staking.saturating_add(pools.saturating_mul(POOL_GAS)))
}

/// How many pools may owe the sender something.
fn pools<S: ParentState, I: Inspector<MachineContext<S>>>(
    session: &mut Session<S, I>,
) -> Result<u64, CallError> {
    let account = session.transaction.caller;
    let asked = IRoyalties::poolsOfCall { account, start: U256::ZERO, count: U256::ZERO };
    session.machine.inner.ctx.cfg.disable_base_fee = true;
    let ran = session.machine.run(TxEnv {
        kind: TxKind::Call(ROYALTIES),
        data: asked.abi_encode().into(),
        gas_limit: CALL_GAS,
        chain_id: session.transaction.chain_id,
        ..TxEnv::default()
    })?;
    drop(session.machine.take_changes());
    // Who cannot be answered for is taken to have none: it is a margin.
    let answer = ran.ok().and_then(|outcome| outcome.into_output()).unwrap_or_default();
    let pools = IRoyalties::poolsOfCall::abi_decode_returns(&answer).ok();
    Ok(pools.map_or(0, |pools| pools.total.saturating_to()))
}
