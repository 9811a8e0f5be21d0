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
use sahara_protocols::{
    disputes::DRAW_GAS,
    governance::{BOOKS_GAS, EXECUTION_GAS},
    royalties::SWEEP,
};

/// Gas for one credit of the sweep with all that surrounds it: at most 33,300 where the member is
/// its pool's only one, so that the whole turn is for its sake, and its account is new.
pub const CREDIT_GAS: u64 = 36_000;

/// Gas for the whole sweep.
#[expect(clippy::as_conversions, reason = "u32 to u64, in a constant")]
pub const SWEEP_GAS: u64 = SWEEP as u64 * CREDIT_GAS;

/// Gas for delegators, 32 at 100,000.
const STAKING_GAS: u64 = 4_000_000;

/// Gas for deciding who validates in the next epoch: 512 candidates at 8,500, and for each of 256 seats
/// 22,500 to remember its holder, 15,000 to read its keys, and 9 words of 22,500 for its entry.
const ELECTION_GAS: u64 = 67_000_000;

/// Gas for counting a turn: 35,000, and up to 300,000 where it is one missed turn too many, so that
/// the validator is slashed and jailed.
const TURN_GAS: u64 = 350_000;

/// Gas for what votes decided: the calls of one proposal, all books after them, and four looks at the agenda.
const GOVERNANCE_GAS: u64 = EXECUTION_GAS + BOOKS_GAS + 1_500_000;

/// Gas for drawing a jury, and for looking whether one is due.
const DISPUTES_GAS: u64 = DRAW_GAS + 100_000;

/// Gas for one seat's part of the fees: 142,000 when it is a validator's first and the validator's fee
/// address is new.
pub const SEAT_GAS: u64 = 150_000;

/// Gas of Ethereum's own calls at the edges of a block, in no one's budget.
pub(crate) const EDGE_GAS: u64 = 30_000_000;

/// The gas limit of the system transaction of a block. So much of the block's gas limit is kept from
/// users' transactions.
pub fn system_gas(env: &BlockEnv) -> u64 {
    let many = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let seats = SEAT_GAS.saturating_mul(many(env.recipients.len()));
    let turns = TURN_GAS.saturating_mul(many(env.missed.len()).saturating_add(1));
    let election = if env.is_electing { ELECTION_GAS } else { 0 };
    [STAKING_GAS, GOVERNANCE_GAS, DISPUTES_GAS, seats, turns, election]
        .into_iter()
        .fold(SWEEP_GAS, u64::saturating_add)
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
    let (recipients, missed) = (env.recipients.clone(), env.missed.clone());
    let call = ISystem::endBlockCall { leader: env.beneficiary, recipients, missed };
    SystemTransaction {
        chain_id: rules.chain_id(),
        block_number: env.number,
        index: 0,
        to: SYSTEM,
        input: call.abi_encode().into(),
        gas_limit: system_gas(env),
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
