//! Looking proposals up, and where one stands.

use super::{
    counting::Verdict,
    kinds::Action,
    parameters::Rules,
    storage::{CALLS, DESCRIPTIONS, PROPOSALS, TALLIES, TARGETS},
    words::Proposal,
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolValue;
use sahara_abi::IGovernance::{self, ProposalState};

/// Gas for a keccak256 of a word of data, beyond the first.
const HASH_WORD_GAS: u64 = 6;

/// Gas for the keccak256 of so many bytes.
pub(super) fn hashing(bytes: usize) -> u64 {
    let words = u64::try_from(bytes.div_ceil(32)).unwrap_or(u64::MAX);
    words.saturating_mul(HASH_WORD_GAS).saturating_add(30)
}

/// What identifies a proposal: what it calls, and the hash of its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Whom it calls.
    pub targets: Vec<Address>,
    /// With how much coin: none.
    pub values: Vec<U256>,
    /// With what.
    pub calldatas: Vec<Bytes>,
    /// Of its description.
    pub description_hash: B256,
}

impl Content {
    /// The identifier: `keccak256(abi.encode(targets, values, calldatas, descriptionHash))`.
    pub(super) fn id(&self, state: &mut impl Read) -> Result<B256, Failure> {
        let Self { targets, values, calldatas, description_hash } = self;
        let parts = (targets.clone(), values.clone(), calldatas.clone(), *description_hash);
        let encoded = parts.abi_encode_params();
        state.charge(hashing(encoded.len()))?;
        Ok(keccak256(encoded))
    }
}

/// The identifier as it is shown.
pub(super) const fn shown(id: B256) -> U256 {
    U256::from_be_bytes(id.0)
}

/// The proposal, which must exist.
pub(super) fn find(state: &mut impl Read, id: B256) -> Result<Proposal, Failure> {
    let proposal = PROPOSALS.get(state, id)?;
    if proposal.proposer.is_zero() {
        return Err(IGovernance::GovernorNonexistentProposal { proposalId: shown(id) }.into());
    }
    Ok(proposal)
}

/// Writes a proposal back.
pub(super) fn keep(state: &mut impl Write, id: B256, proposal: &Proposal) -> Result<(), Failure> {
    PROPOSALS.replace(state, id, proposal)
}

/// What its votes decide, which is final after its last second of votes.
pub(super) fn verdict(state: &mut impl Read, id: B256, rules: &Rules) -> Result<Verdict, Failure> {
    Ok(TALLIES.get(state, id)?.verdict(rules))
}

/// Where a proposal stands.
pub(super) fn standing(
    state: &mut impl Read,
    id: B256,
    proposal: &Proposal,
) -> Result<ProposalState, Failure> {
    let now = state.block().timestamp.0;
    if proposal.is_executed {
        return Ok(ProposalState::Executed);
    }
    if proposal.is_canceled {
        return Ok(ProposalState::Canceled);
    }
    if proposal.starts_at >= now {
        return Ok(ProposalState::Pending);
    }
    if proposal.ends_at >= now {
        return Ok(ProposalState::Active);
    }
    if proposal.eta > 0 {
        let is_over = now >= proposal.expires_at;
        return Ok(if is_over { ProposalState::Expired } else { ProposalState::Queued });
    }
    match verdict(state, id, &proposal.rules)? {
        Verdict::Passed => Ok(ProposalState::Succeeded),
        Verdict::NoQuorum | Verdict::Vetoed | Verdict::Rejected => Ok(ProposalState::Defeated),
    }
}

/// Refuses a proposal that stands elsewhere, in `OpenZeppelin`'s words.
pub(super) fn expect(
    id: B256,
    current: ProposalState,
    expected: &[ProposalState],
) -> Result<(), Failure> {
    if expected.contains(&current) {
        return Ok(());
    }
    let bits = expected.iter().fold(U256::ZERO, |bits, state| {
        bits | U256::ONE.wrapping_shl(usize::from(u8::from(*state)))
    });
    Err(IGovernance::GovernorUnexpectedProposalState {
        proposalId: shown(id),
        current,
        expectedStates: B256::from(bits),
    }
    .into())
}

/// The calls of a proposal.
pub(super) fn actions(
    state: &mut impl Read,
    id: B256,
    proposal: &Proposal,
) -> Result<Vec<Action>, Failure> {
    (0..u32::from(proposal.actions))
        .map(|place| {
            let target = TARGETS.get(state, (id, place))?;
            Ok(Action { target, data: CALLS.get(state, (id, place))? })
        })
        .collect()
}

/// What a proposal's identifier was made of.
pub(super) fn content(state: &mut impl Read, id: B256) -> Result<Content, Failure> {
    let proposal = find(state, id)?;
    let actions = actions(state, id, &proposal)?;
    let values = actions.iter().map(|_| U256::ZERO).collect();
    let (targets, calldatas) =
        actions.into_iter().map(|action| (action.target, Bytes::from(action.data))).unzip();
    Ok(Content { targets, values, calldatas, description_hash: DESCRIPTIONS.get(state, id)? })
}
