//! Making proposals, taking them back, and the coin behind them.

use super::{
    agenda,
    counting::Verdict,
    executing::try_out,
    kinds::Action,
    parameters::{Rules, rules_of, settings},
    proposals::{Content, expect, find, hashing, keep, shown, standing, verdict},
    storage::{CALLS, DEPOSITS, DESCRIPTIONS, NUMBERED, PROPOSALS, TARGETS},
    words::Proposal,
};
use crate::{
    dispatch::is_reserved,
    staking,
    state::{Failure, Read, Write, overflow},
    storage::Text,
};
use alloy_primitives::{Address, B256, U256, hex, keccak256};
use sahara_abi::{
    GOVERNANCE as ADDRESS,
    IGovernance::{self, Kind, ProposalState},
    INCENTIVE_POOL,
};
use sahara_primitives::Amount;

/// The most calls of one proposal.
pub const MAX_ACTIONS: usize = 16;

/// Adds coin that was sent to what `account` may put behind proposals.
///
/// # Errors
/// `GovernorRestrictedProposer` for accounts that can never propose, nor take it back.
pub fn deposit_for(
    state: &mut impl Write,
    caller: Address,
    account: Address,
    amount: Amount,
) -> Result<(), Failure> {
    if account.is_zero() || is_reserved(account) {
        return Err(IGovernance::GovernorRestrictedProposer { proposer: account }.into());
    }
    change(state, account, |free| free.checked_add(amount).map_err(overflow))?;
    let amount = amount.base_units();
    state.emit(ADDRESS, IGovernance::DepositAdded { account, from: caller, amount })
}

fn change(
    state: &mut impl Write,
    account: Address,
    work: impl FnOnce(Amount) -> Result<Amount, Failure>,
) -> Result<(), Failure> {
    DEPOSITS.update(state, account, |free| {
        *free = work(Amount::from_base_units(*free))?.base_units();
        Ok(())
    })
}

fn take(state: &mut impl Write, account: Address, amount: Amount) -> Result<(), Failure> {
    change(state, account, |free| {
        free.checked_sub(amount).map_err(|_| {
            let (free, needed) = (free.base_units(), amount.base_units());
            IGovernance::InsufficientDeposit { account, free, needed }.into()
        })
    })
}

/// Returns coin that stands behind no proposal.
///
/// # Errors
/// `InsufficientDeposit`.
pub fn withdraw_deposit(
    state: &mut impl Write,
    caller: Address,
    amount: Amount,
) -> Result<(), Failure> {
    take(state, caller, amount)?;
    state.move_coin(ADDRESS, caller, amount)?;
    let amount = amount.base_units();
    state.emit(ADDRESS, IGovernance::DepositWithdrawn { account: caller, amount })
}

/// What a proposal with these calls is about, and the strictest of each of their kinds' rules.
pub(super) fn judge(state: &mut impl Read, actions: &[Action]) -> Result<(Kind, Rules), Failure> {
    let mut strictest: Option<(Kind, Rules)> = None;
    for (index, action) in actions.iter().enumerate() {
        let invalid = IGovernance::InvalidAction { index: U256::from(index) };
        let kind = action.kind().ok_or_else(|| invalid.clone())?;
        if index >= MAX_ACTIONS || action.data.len() > Text::<(B256, u32)>::MOST {
            return Err(invalid.into());
        }
        let rules = rules_of(state, kind)?;
        strictest = Some(strictest.map_or((kind, rules), |(other, before)| {
            let kind = if u8::from(kind) > u8::from(other) { kind } else { other };
            (kind, before.stricter(rules))
        }));
    }
    strictest.ok_or_else(|| IGovernance::InvalidAction { index: U256::ZERO }.into())
}

/// The calls, one for each target.
pub(super) fn parse(content: &Content) -> Result<Vec<Action>, Failure> {
    let Content { targets, values, calldatas, .. } = content;
    if targets.is_empty() || targets.len() != values.len() || targets.len() != calldatas.len() {
        return Err(IGovernance::GovernorInvalidProposalLength {
            targets: U256::from(targets.len()),
            calldatas: U256::from(calldatas.len()),
            values: U256::from(values.len()),
        }
        .into());
    }
    if let Some(index) = values.iter().position(|value| !value.is_zero()) {
        return Err(IGovernance::ProposalWithCoin { index: U256::from(index) }.into());
    }
    let actions = targets.iter().zip(calldatas);
    Ok(actions.map(|(target, data)| Action { target: *target, data: data.to_vec() }).collect())
}

/// A description that ends with `#proposer=0x…` is for that proposer only, so that nobody can make a
/// proposal in another's place and take it back.
pub(super) fn may_propose(proposer: Address, description: &str) -> bool {
    const MARK: &[u8] = b"#proposer=0x";
    let bytes = description.as_bytes();
    let end = bytes.len().checked_sub(MARK.len().saturating_add(40));
    let Some(end) = end.and_then(|start| bytes.get(start..)) else { return true };
    let Some(digits) = end.strip_prefix(MARK) else { return true };
    let mut named = Address::ZERO;
    hex::decode_to_slice(digits, named.as_mut_slice()).is_err() || named == proposer
}

fn check_proposer(
    state: &mut impl Read,
    proposer: Address,
    description: &str,
) -> Result<(), Failure> {
    if !may_propose(proposer, description) {
        return Err(IGovernance::GovernorRestrictedProposer { proposer }.into());
    }
    let threshold = Amount::from_u128(settings(state)?.proposal_votes);
    if threshold.is_zero() {
        return Ok(());
    }
    let before = state.block().timestamp.0.saturating_sub(1);
    let votes = staking::past_votes(state, proposer, U256::from(before))?;
    if votes < threshold {
        let (votes, threshold) = (votes.base_units(), threshold.base_units());
        return Err(
            IGovernance::GovernorInsufficientProposerVotes { proposer, votes, threshold }.into()
        );
    }
    Ok(())
}

/// Makes a proposal; returns its identifier. What it does is tried out, so that nobody votes about
/// what cannot be done.
///
/// # Errors
/// `GovernorRestrictedProposer`, `GovernorInsufficientProposerVotes`, `GovernorInvalidProposalLength`,
/// `ProposalWithCoin`, `GovernorUnexpectedProposalState` when it was made before, `InvalidAction`,
/// `ProposalWouldFail`, `InsufficientDeposit`.
pub fn propose(
    state: &mut impl Write,
    proposer: Address,
    content: Content,
    description: String,
) -> Result<B256, Failure> {
    check_proposer(state, proposer, &description)?;
    let actions = parse(&content)?;
    let id = content.id(state)?;
    let before = PROPOSALS.get(state, id)?;
    if !before.proposer.is_zero() {
        let current = standing(state, id, &before)?;
        expect(id, current, &[])?;
    }
    let (kind, rules) = judge(state, &actions)?;
    try_out(state, &actions)?;
    take(state, proposer, Amount::from_u128(rules.deposit))?;
    let epoch = staking::epoch_length(state)?;
    let now = state.block().timestamp.0;
    let starts_at = now.saturating_add(u64::from(rules.delay.max(epoch)));
    let ends_at = starts_at.saturating_add(rules.period.into());
    let number = NUMBERED.push(state, (), &id)?;
    let proposal = Proposal {
        proposer,
        kind: u8::from(kind),
        actions: u8::try_from(actions.len()).unwrap_or(u8::MAX),
        calls_contracts: actions.iter().any(Action::calls_contract),
        starts_at,
        ends_at,
        number,
        deposit: rules.deposit,
        rules,
        ..Proposal::default()
    };
    PROPOSALS.set(state, id, &proposal)?;
    store(state, id, &content, &actions)?;
    let patience = u64::from(settings(state)?.patience);
    agenda::push(state, ends_at.saturating_add(1).saturating_add(patience), number)?;
    let signatures = actions.iter().map(|_| String::new()).collect();
    let event = IGovernance::ProposalCreated {
        proposalId: shown(id),
        proposer,
        targets: content.targets,
        values: content.values,
        signatures,
        calldatas: content.calldatas,
        voteStart: U256::from(starts_at),
        voteEnd: U256::from(ends_at),
        description,
    };
    state.emit(ADDRESS, event)?;
    Ok(id)
}

fn store(
    state: &mut impl Write,
    id: B256,
    content: &Content,
    actions: &[Action],
) -> Result<(), Failure> {
    DESCRIPTIONS.set(state, id, &content.description_hash)?;
    for (place, action) in (0_u32..).zip(actions) {
        TARGETS.set(state, (id, place), &action.target)?;
        CALLS.set(state, (id, place), &action.data)?;
    }
    Ok(())
}

/// The hash under which a description stands in an identifier.
pub(super) fn describe(state: &mut impl Read, description: &str) -> Result<B256, Failure> {
    state.charge(hashing(description.len()))?;
    Ok(keccak256(description))
}

/// Sends the deposit where it goes, once: to the incentive pool when the proposal was vetoed, else
/// back. The caller writes the proposal.
pub(super) fn settle(
    state: &mut impl Write,
    id: B256,
    proposal: &mut Proposal,
) -> Result<(), Failure> {
    if std::mem::replace(&mut proposal.is_settled, true) {
        return Ok(());
    }
    let is_vetoed =
        !proposal.is_canceled && verdict(state, id, &proposal.rules)? == Verdict::Vetoed;
    let to = if is_vetoed { INCENTIVE_POOL } else { proposal.proposer };
    let amount = Amount::from_u128(std::mem::take(&mut proposal.deposit));
    state.move_coin(ADDRESS, to, amount)?;
    let amount = amount.base_units();
    state.emit(ADDRESS, IGovernance::DepositSettled { proposalId: shown(id), to, amount })
}

/// Takes a proposal back, before votes begin and by its proposer only.
///
/// # Errors
/// `GovernorNonexistentProposal`, `GovernorUnableToCancel`.
pub fn cancel(state: &mut impl Write, caller: Address, id: B256) -> Result<(), Failure> {
    let mut proposal = find(state, id)?;
    let is_pending = standing(state, id, &proposal)? == ProposalState::Pending;
    if caller != proposal.proposer || !is_pending {
        let (proposal_id, account) = (shown(id), caller);
        return Err(IGovernance::GovernorUnableToCancel { proposalId: proposal_id, account }.into());
    }
    proposal.is_canceled = true;
    settle(state, id, &mut proposal)?;
    keep(state, id, &proposal)?;
    state.emit(ADDRESS, IGovernance::ProposalCanceled { proposalId: shown(id) })
}
