//! Queueing and executing what votes decided, by anyone, and by the chain when nobody does.

use super::{
    agenda,
    kinds::Action,
    parameters::settings,
    proposals::{actions, expect, find, keep, shown, standing},
    proposing::settle,
    storage::{FAILED, NUMBERED},
    words::{Failed, Proposal},
};
use crate::{
    dispatch::{Call, call},
    state::{Failure, Write},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use sahara_abi::{
    FEES, GOVERNANCE as ADDRESS,
    IGovernance::{self, ProposalState},
    IProtocol,
};
use sahara_primitives::Amount;

/// What the calls of a proposal may use; a proposal that needs more is refused when it is made.
pub const EXECUTION_GAS: u64 = 3_000_000;

/// Gas for a word that is read for the first time.
const READ_GAS: u64 = 2_100;

/// Proposals that the chain looks at in one block; at most one of them is executed.
const LOOKS: usize = 4;

/// What comparing all books may cost on top of it at the end of a block, which has touched more than a
/// proposal's transaction: 20,000 accounts and words, where an election of 512 candidates touches 14,000.
pub const BOOKS_GAS: u64 = 2_000_000;

/// What one look may use: the calls, the books, and what is written about them, about 200,000 where a
/// queued proposal's deposit goes back and the agenda is long.
const LOOK_GAS: u64 = EXECUTION_GAS + BOOKS_GAS + 700_000;

/// Makes the calls in order, then compares all books. Calls that break a rule's own state, that call
/// contracts, or after which protocols do not hold what they owe are refused, whatever they were: nobody
/// may be able to vote for a block that cannot be made.
///
/// # Errors
/// That of the first call that is refused, and its place, the last call's for the books; never
/// [`Failure::Fatal`].
fn run(state: &mut impl Write, actions: &[Action]) -> Result<(), (usize, Failure)> {
    if actions.iter().all(Action::is_text) {
        return Ok(());
    }
    let waiting = state.balance(FEES).map_err(|failure| (0, failure))?;
    for (index, action) in actions.iter().enumerate() {
        make(state, action).map_err(|failure| {
            let failure = match failure {
                // The words of a fault are not part of the consensus rules.
                Failure::Fatal(_) | Failure::CallsOut => invalid(index),
                failure => failure,
            };
            (index, failure)
        })?;
    }
    let last = actions.len().saturating_sub(1);
    match keeps_books(state, waiting) {
        Ok(true) => Ok(()),
        Ok(false) => Err((last, invalid(last))),
        Err(failure) => Err((last, failure)),
    }
}

fn invalid(index: usize) -> Failure {
    IGovernance::InvalidAction { index: U256::from(index) }.into()
}

fn make(state: &mut impl Write, action: &Action) -> Result<(), Failure> {
    if action.is_text() {
        return Ok(());
    }
    let request =
        Call { caller: ADDRESS, value: Amount::ZERO, data: &action.data, is_static: false };
    call(action.target, state, request).map(drop)
}

/// Whether all books are kept, and no more coin than before lies where the block's fees wait: after they
/// were divided, what comes there would be left over, and no block may end with it.
fn keeps_books(state: &mut impl Write, waiting: Amount) -> Result<bool, Failure> {
    Ok(state.balance(FEES)? == waiting && state.keeps_books()?)
}

/// Gas for reading the calls when their time comes, which a proposal is made with.
fn reading(actions: &[Action]) -> u64 {
    actions.iter().fold(0, |gas: u64, action| {
        let words = u64::try_from(action.data.len().div_ceil(31)).unwrap_or(u64::MAX);
        gas.saturating_add(words.saturating_add(2).saturating_mul(READ_GAS))
    })
}

/// Tries the calls out and takes everything back. Contracts cannot be called from here: proposals
/// that call some are not tried out.
///
/// # Errors
/// `ProposalWouldFail`, `InvalidAction`.
pub(super) fn try_out(state: &mut impl Write, actions: &[Action]) -> Result<(), Failure> {
    if actions.iter().any(Action::calls_contract) {
        return Ok(());
    }
    let mut refused = None;
    let tried = state.attempt(EXECUTION_GAS, |state| {
        let paid = state.charge(reading(actions)).map_err(|failure| (0, failure));
        refused = paid.and_then(|()| run(state, actions)).err();
        // Whatever happened: nothing of it stays.
        Err::<(), _>(match &refused {
            Some((_, failure)) => failure.clone(),
            None => Failure::CallsOut,
        })
    })?;
    let Some((index, _)) = refused else { return Ok(()) };
    let index = U256::from(index);
    Err(match tried {
        Err(Failure::Revert(reason)) => IGovernance::ProposalWouldFail { index, reason }.into(),
        Err(Failure::OutOfGas) => {
            IGovernance::ProposalWouldFail { index, reason: Bytes::new() }.into()
        }
        _ => IGovernance::InvalidAction { index }.into(),
    })
}

/// Begins the time after which an accepted proposal may be executed.
///
/// # Errors
/// `GovernorNonexistentProposal`, `GovernorUnexpectedProposalState`.
pub fn queue(state: &mut impl Write, id: B256) -> Result<(), Failure> {
    let mut proposal = find(state, id)?;
    let current = standing(state, id, &proposal)?;
    expect(id, current, &[ProposalState::Succeeded])?;
    let now = state.block().timestamp.0;
    proposal.eta = now.saturating_add(proposal.rules.timelock.into());
    proposal.expires_at = proposal.eta.saturating_add(settings(state)?.grace.into());
    settle(state, id, &mut proposal)?;
    keep(state, id, &proposal)?;
    let (proposal_id, eta) = (shown(id), U256::from(proposal.eta));
    state.emit(ADDRESS, IGovernance::ProposalQueued { proposalId: proposal_id, etaSeconds: eta })
}

/// Marks a proposal executed, before its calls are made.
fn begin(state: &mut impl Write, id: B256, proposal: Proposal) -> Result<Vec<Action>, Failure> {
    let current = standing(state, id, &proposal)?;
    expect(id, current, &[ProposalState::Succeeded, ProposalState::Queued])?;
    if proposal.eta == 0 {
        return Err(IGovernance::GovernorNotQueuedProposal { proposalId: shown(id) }.into());
    }
    if state.block().timestamp.0 < proposal.eta {
        let (proposal_id, eta) = (shown(id), U256::from(proposal.eta));
        return Err(
            IGovernance::ExecutionTooEarly { proposalId: proposal_id, etaSeconds: eta }.into()
        );
    }
    keep(state, id, &Proposal { is_executed: true, ..proposal })?;
    state.emit(ADDRESS, IGovernance::ProposalExecuted { proposalId: shown(id) })?;
    actions(state, id, &proposal)
}

/// Executes a queued proposal.
///
/// # Errors
/// `GovernorNonexistentProposal`, `GovernorUnexpectedProposalState`, `GovernorNotQueuedProposal`,
/// `ExecutionTooEarly`, and those of the calls it makes. [`Failure::CallsOut`] when it calls
/// contracts.
pub fn execute(state: &mut impl Write, id: B256, value: Amount) -> Result<(), Failure> {
    let proposal = find(state, id)?;
    if !value.is_zero() {
        return Err(IGovernance::ProposalWithCoin { index: U256::ZERO }.into());
    }
    if proposal.calls_contracts {
        return Err(Failure::CallsOut);
    }
    let actions = begin(state, id, proposal)?;
    run(state, &actions).map_err(|(_, failure)| failure)
}

/// Begins an execution whose calls the protocol's own code makes.
///
/// # Errors
/// `OnlySelf`; otherwise as [`execute`].
pub(super) fn begin_for_face(
    state: &mut impl Write,
    caller: Address,
    id: B256,
) -> Result<Vec<Action>, Failure> {
    if caller != ADDRESS {
        return Err(IProtocol::OnlySelf { caller }.into());
    }
    let proposal = find(state, id)?;
    begin(state, id, proposal)
}

/// At the end of every block: queues what was accepted, executes what is due, returns deposits. What fails
/// at that is said and leaves the agenda: it is no reason to end no block.
pub(crate) fn turn(state: &mut impl Write) -> Result<(), Failure> {
    let now = state.block().timestamp.0;
    for _ in 0..LOOKS {
        let Some(number) = agenda::due(state, now)? else { return Ok(()) };
        agenda::pop(state)?;
        let id = NUMBERED.get(state, (), number)?;
        match state.attempt(LOOK_GAS, |state| look(state, id, number))? {
            Ok(false) => {}
            Ok(true) => return Ok(()),
            Err(failure) => return report(state, id, failure),
        }
    }
    Ok(())
}

/// Does what a proposal has waited for; whether it was executed.
fn look(state: &mut impl Write, id: B256, number: u64) -> Result<bool, Failure> {
    let mut proposal = find(state, id)?;
    let patience = u64::from(settings(state)?.patience);
    match standing(state, id, &proposal)? {
        ProposalState::Succeeded => {
            queue(state, id)?;
            let eta = find(state, id)?.eta;
            agenda::push(state, eta.saturating_add(patience), number)?;
        }
        ProposalState::Queued => {
            let at = proposal.eta.saturating_add(patience);
            if state.block().timestamp.0 < at {
                agenda::push(state, at, number)?;
            } else if !proposal.calls_contracts {
                carry_out(state, id)?;
                return Ok(true);
            }
        }
        ProposalState::Defeated => {
            settle(state, id, &mut proposal)?;
            keep(state, id, &proposal)?;
        }
        _ => {}
    }
    Ok(false)
}

/// Executes a proposal; when it is refused, says so and leaves it to anyone until it expires.
fn carry_out(state: &mut impl Write, id: B256) -> Result<(), Failure> {
    let gas = EXECUTION_GAS.saturating_add(BOOKS_GAS);
    match state.attempt(gas, |state| execute(state, id, Amount::ZERO))? {
        Ok(()) => Ok(()),
        Err(failure) => report(state, id, failure),
    }
}

/// Writes down and says that the chain could not do what was decided.
fn report(state: &mut impl Write, id: B256, failure: Failure) -> Result<(), Failure> {
    let reason = match failure {
        Failure::Revert(reason) => reason,
        Failure::CallsOut | Failure::OutOfGas | Failure::Fatal(_) => Bytes::new(),
        Failure::Store(_) => return Err(failure),
    };
    let selector = reason.first_chunk::<4>().map_or(0, |selector| u32::from_be_bytes(*selector));
    FAILED.set(state, id, &Failed { at: state.block().timestamp.0, selector })?;
    state.emit(ADDRESS, IGovernance::ExecutionFailed { proposalId: shown(id), reason })
}
