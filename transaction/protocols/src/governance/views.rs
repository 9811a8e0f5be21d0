//! What can be read of proposals.

use super::{
    counting::{COUNTING_MODE, quorum},
    parameters::rules_of,
    proposals::{find, standing},
    storage::{FAILED, TALLIES},
    voting::{all_votes, weighed_at},
    words::Failed,
};
use crate::{
    staking,
    state::{Failure, Read},
};
use alloy_primitives::{Address, B256, FixedBytes, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{
    GOVERNANCE as ADDRESS,
    IGovernance::{self, Kind, ProposalState},
    signing::governance_domain,
};

/// The name in the domain of signatures.
pub(super) fn name() -> String {
    governance_domain(0).name.unwrap_or_default().into_owned()
}

/// The version in the domain of signatures.
pub(super) fn version() -> String {
    governance_domain(0).version.unwrap_or_default().into_owned()
}

pub(super) fn counting_mode() -> String {
    COUNTING_MODE.into()
}

pub(super) fn domain(state: &impl Read) -> IGovernance::eip712DomainReturn {
    IGovernance::eip712DomainReturn {
        fields: FixedBytes([0x0f]),
        name: name(),
        version: version(),
        chainId: U256::from(state.block().chain_id),
        verifyingContract: ADDRESS,
        salt: B256::ZERO,
        extensions: Vec::new(),
    }
}

/// ERC-165: of `IGovernor`, with and without its newest function, as `OpenZeppelin`'s answers.
pub(super) fn supports(interface: [u8; 4]) -> bool {
    const ERC165: [u8; 4] = [0x01, 0xff, 0xc9, 0xa7];
    let old = [
        IGovernance::nameCall::SELECTOR,
        IGovernance::versionCall::SELECTOR,
        IGovernance::COUNTING_MODECall::SELECTOR,
        IGovernance::hashProposalCall::SELECTOR,
        IGovernance::stateCall::SELECTOR,
        IGovernance::proposalThresholdCall::SELECTOR,
        IGovernance::proposalSnapshotCall::SELECTOR,
        IGovernance::proposalDeadlineCall::SELECTOR,
        IGovernance::proposalProposerCall::SELECTOR,
        IGovernance::proposalEtaCall::SELECTOR,
        IGovernance::proposalNeedsQueuingCall::SELECTOR,
        IGovernance::votingDelayCall::SELECTOR,
        IGovernance::votingPeriodCall::SELECTOR,
        IGovernance::quorumCall::SELECTOR,
        IGovernance::getVotesCall::SELECTOR,
        IGovernance::getVotesWithParamsCall::SELECTOR,
        IGovernance::hasVotedCall::SELECTOR,
        IGovernance::proposeCall::SELECTOR,
        IGovernance::queue_0Call::SELECTOR,
        IGovernance::execute_0Call::SELECTOR,
        IGovernance::cancel_0Call::SELECTOR,
        IGovernance::castVoteCall::SELECTOR,
        IGovernance::castVoteWithReasonCall::SELECTOR,
        IGovernance::castVoteWithReasonAndParamsCall::SELECTOR,
        IGovernance::castVoteBySigCall::SELECTOR,
        IGovernance::castVoteWithReasonAndParamsBySigCall::SELECTOR,
    ];
    let fold = |sum: u32, selector: &[u8; 4]| sum ^ u32::from_be_bytes(*selector);
    let old = old.iter().fold(0, fold);
    let new = fold(old, &IGovernance::getProposalIdCall::SELECTOR);
    interface == ERC165 || [old, new].contains(&u32::from_be_bytes(interface))
}

/// The number of votes that a parameter proposal beginning at `timepoint` needs.
pub(super) fn usual_quorum(state: &mut impl Read, timepoint: U256) -> Result<U256, Failure> {
    let all = all_votes(state, timepoint.saturating_to())?;
    let points = rules_of(state, Kind::Parameter)?.quorum;
    Ok(U256::from(quorum(all, points)))
}

/// Seconds until voting on a parameter proposal made now begins.
pub(super) fn usual_delay(state: &mut impl Read) -> Result<U256, Failure> {
    let delay = rules_of(state, Kind::Parameter)?.delay;
    Ok(U256::from(delay.max(staking::epoch_length(state)?)))
}

pub(super) fn kind(state: &mut impl Read, id: B256) -> Result<Kind, Failure> {
    let number = find(state, id)?.kind;
    Kind::try_from(number).map_err(|_| Failure::Fatal(format!("there is no kind {number}")))
}

pub(super) fn rules(state: &mut impl Read, id: B256) -> Result<IGovernance::Rules, Failure> {
    let proposal = find(state, id)?;
    // Its deposit is what still stands behind it.
    let deposit = U256::from(proposal.deposit);
    Ok(IGovernance::Rules { deposit, ..proposal.rules.shown() })
}

pub(super) fn tally(state: &mut impl Read, id: B256) -> Result<IGovernance::Tally, Failure> {
    let proposal = find(state, id)?;
    let mut tally = TALLIES.get(state, id)?;
    let is_pending = standing(state, id, &proposal)? == ProposalState::Pending;
    if tally.counted_at == 0 && !is_pending && proposal.starts_at < state.block().timestamp.0 {
        tally.counted_at = weighed_at(state, proposal.starts_at)?.saturating_to();
        tally.all = all_votes(state, proposal.starts_at)?;
    }
    let [against, in_favour, abstained, vetoed] = tally.votes.map(U256::from);
    let (all, counted_at) = (U256::from(tally.all), tally.counted_at);
    Ok(IGovernance::Tally {
        against,
        inFavour: in_favour,
        abstained,
        vetoed,
        all,
        countedAt: counted_at,
    })
}

/// When the chain could not do what a proposal decided, and the refusal's selector.
pub(super) fn failed_execution(
    state: &mut impl Read,
    id: B256,
) -> Result<IGovernance::failedExecutionReturn, Failure> {
    find(state, id)?;
    let Failed { at, selector } = FAILED.get(state, id)?;
    Ok(IGovernance::failedExecutionReturn { at, selector: selector.to_be_bytes().into() })
}

/// Of whom a target list is about, without storing it.
pub(super) fn target_kinds(
    state: &mut impl Read,
    targets: Vec<Address>,
    calldatas: Vec<alloy_primitives::Bytes>,
) -> Result<Kind, Failure> {
    let values = targets.iter().map(|_| U256::ZERO).collect();
    let content = super::Content { targets, values, calldatas, description_hash: B256::ZERO };
    let actions = super::proposing::parse(&content)?;
    Ok(super::proposing::judge(state, &actions)?.0)
}
