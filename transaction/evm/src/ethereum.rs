//! What only Ethereum's rules do at the edges of a block: beacon roots, requests, withdrawals, and
//! the rewards of old.

use crate::{
    env::BlockEnv,
    machine::{Machine, MachineContext},
    rules::{Fork, Rules},
    state::ParentState,
    system::edge_call,
    transition::TransitionError,
};
use alloy_eips::{
    eip4788::BEACON_ROOTS_ADDRESS, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
};
use alloy_primitives::{Bytes, U256};
use revm::inspector::Inspector;

const COIN: u128 = 1_000_000_000_000_000_000;

pub(crate) fn open_block<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    rules: &Rules,
    env: &BlockEnv,
) -> Result<(), TransitionError> {
    if let Some(root) = env.ethereum.parent_beacon_block_root
        && rules.is_active(Fork::CANCUN)
        && env.number > 0
    {
        edge_call(machine, BEACON_ROOTS_ADDRESS, Bytes::copy_from_slice(root.as_slice()))?;
    }
    Ok(())
}

pub(crate) fn close_block<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    rules: &Rules,
    env: &BlockEnv,
) -> Result<(), TransitionError> {
    if rules.is_active(Fork::PRAGUE) {
        edge_call(machine, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
        edge_call(machine, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, Bytes::new())?;
    }
    if !rules.is_active(Fork::MERGE) {
        reward(machine, rules, env)?;
    }
    for withdrawal in &env.ethereum.withdrawals {
        machine.state().credit(withdrawal.address, withdrawal.amount_wei())?;
    }
    Ok(())
}

/// Proof of work: the block's reward, a 32nd of it more for each uncle, and to each uncle an eighth
/// less for each block it is late.
fn reward<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    rules: &Rules,
    env: &BlockEnv,
) -> Result<(), TransitionError> {
    let base = match rules.fork() {
        fork if fork.is_enabled_in(Fork::PETERSBURG) => 2,
        fork if fork.is_enabled_in(Fork::BYZANTIUM) => 3,
        _ => 5,
    };
    let base = U256::from(COIN).saturating_mul(U256::from(base));
    let part = |of: U256, by: u64| of.checked_div(U256::from(by)).unwrap_or_default();
    let mut miner = base;
    for (number, beneficiary) in &env.ethereum.uncles {
        miner = miner.saturating_add(part(base, 32));
        let distance = env.number.saturating_sub(*number);
        let eighths = U256::from(8_u64.saturating_sub(distance));
        machine.state().credit(*beneficiary, part(base.saturating_mul(eighths), 8))?;
    }
    machine.state().credit(env.beneficiary, miner)?;
    Ok(())
}
