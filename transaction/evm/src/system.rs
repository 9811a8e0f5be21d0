//! What a block does without anyone's signature: the history contract at its start, the system
//! transaction at its end.

use crate::{
    env::BlockEnv,
    ethereum,
    machine::{Machine, MachineContext},
    rules::{Fork, Rules},
    state::ParentState,
    transition::TransitionError,
};
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_primitives::{Address, Bytes};
use alloy_sol_types::SolCall as _;
use revm::{
    context::result::{ExecutionResult, HaltReason},
    inspector::Inspector,
};
use sahara_abi::{ISystem, SYSTEM, SYSTEM_CALLER};
use sahara_finality::SystemTransaction;
use sahara_protocols::royalties::SWEEP;

/// Gas for one credit of the sweep with all that surrounds it: at most 57,800 where the member is
/// its pool's only one, so that the whole turn is for its sake, and its account is new.
pub const CREDIT_GAS: u64 = 62_500;

/// Gas for the whole sweep.
#[expect(clippy::as_conversions, reason = "u32 to u64, in a constant")]
pub const SWEEP_GAS: u64 = SWEEP as u64 * CREDIT_GAS;

/// Gas for delegators, 32 at 100,000, and for the turn of an epoch, 512 candidates at 8,500 and 256
/// seats at 22,500.
const STAKING_GAS: u64 = 14_000_000;

/// Gas for one seat's part of the fees: 142,000 when it is a validator's first and the validator's fee
/// address is new.
pub const SEAT_GAS: u64 = 150_000;

/// Gas of Ethereum's own calls at the edges of a block, in no one's budget.
pub(crate) const EDGE_GAS: u64 = 30_000_000;

/// The gas limit of the system transaction for a number of seats. So much of the block's gas limit
/// is kept from users' transactions.
pub fn system_gas(seats: usize) -> u64 {
    let seats = u64::try_from(seats).unwrap_or(u64::MAX);
    SWEEP_GAS.saturating_add(STAKING_GAS).saturating_add(SEAT_GAS.saturating_mul(seats))
}

/// Runs what stands before the first transaction.
pub(crate) fn open_block<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    rules: &Rules,
    env: &BlockEnv,
) -> Result<(), TransitionError> {
    if rules.is_active(Fork::PRAGUE) && env.number > 0 {
        let parent = Bytes::copy_from_slice(env.parent_hash.as_slice());
        edge_call(machine, HISTORY_STORAGE_ADDRESS, parent)?;
    }
    if !rules.is_native() {
        ethereum::open_block(machine, rules, env)?;
    }
    Ok(())
}

/// A call of Ethereum's system address to one of its contracts; nothing happens without the code.
pub(crate) fn edge_call<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    to: Address,
    data: Bytes,
) -> Result<(), TransitionError> {
    let has_code = machine
        .state()
        .account(to)?
        .is_some_and(|account| account.code_hash != alloy_primitives::KECCAK256_EMPTY);
    if has_code {
        machine.run_system(SYSTEM_CALLER, to, data, EDGE_GAS)?;
        machine.commit()?;
    }
    Ok(())
}

/// The system transaction of this block, should there be anything for it to do.
pub(crate) fn transaction(rules: &Rules, env: &BlockEnv) -> SystemTransaction {
    let call =
        ISystem::endBlockCall { leader: env.beneficiary, recipients: env.recipients.clone() };
    SystemTransaction {
        chain_id: rules.chain_id(),
        block_number: env.number,
        index: 0,
        to: SYSTEM,
        input: call.abi_encode().into(),
        gas_limit: system_gas(env.recipients.len()),
    }
}

/// Executes and commits the system transaction, unless it would change nothing: then it has no
/// place in the block.
pub(crate) fn run<S: ParentState, I: Inspector<MachineContext<S>>>(
    machine: &mut Machine<S, I>,
    transaction: &SystemTransaction,
) -> Result<Option<ExecutionResult<HaltReason>>, TransitionError> {
    let SystemTransaction { to, input, gas_limit, .. } = transaction;
    let result = machine.run_system(SYSTEM_CALLER, *to, input.clone(), *gas_limit)?;
    if !result.is_success() {
        return Err(TransitionError::Fatal(format!("the system transaction failed: {result:?}")));
    }
    let changes = machine.take_changes();
    if machine.state().is_same_after(&changes)? {
        return Ok(None);
    }
    machine.state().commit(changes)?;
    Ok(Some(result))
}
