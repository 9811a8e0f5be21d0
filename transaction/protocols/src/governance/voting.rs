//! Votes: bonded coin speaks for itself, or through the validator it stands behind.

use super::{
    proposals::{expect, find, shown, standing},
    storage::{BALLOTS, NONCES, TALLIES},
    words::{Ballot, Proposal, Tally},
};
use crate::{
    signature, staking,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    GOVERNANCE as ADDRESS,
    IGovernance::{self, ProposalState},
    signing::{Ballot as SignedBallot, ExtendedBallot, governance_domain},
};
use sahara_primitives::Amount;

/// Gas for the hashes of an EIP-712 message of up to eight words.
const TYPED_HASH_GAS: u64 = 400;

/// What a voter says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vote {
    /// 0 against, 1 for, 2 abstain, 3 veto.
    pub support: u8,
    /// Why.
    pub reason: String,
    /// Not used; kept in the event as `OpenZeppelin`'s Governor does.
    pub params: Bytes,
}

/// The second whose end decides what votes weigh that begin at `time`: the last before its epoch.
///
/// # Errors
/// `ERC5805FutureLookup` for the present second and later ones.
pub(super) fn weighed_at(state: &mut impl Read, time: u64) -> Result<U256, Failure> {
    let now = state.block().timestamp.0;
    if time >= now {
        let clock = alloy_primitives::aliases::U48::saturating_from(now);
        let timepoint = U256::from(time);
        return Err(IGovernance::ERC5805FutureLookup { timepoint, clock }.into());
    }
    let began = staking::epoch_start(state, time)?;
    Ok(U256::from(began.saturating_sub(1)))
}

fn units(amount: Amount) -> u128 {
    amount.to_u128().unwrap_or(u128::MAX)
}

fn broken() -> Failure {
    Failure::Fatal("votes of a proposal do not add up".into())
}

/// All bonded coin that votes beginning at `time` are counted against.
pub(super) fn all_votes(state: &mut impl Read, time: u64) -> Result<u128, Failure> {
    let at = weighed_at(state, time)?;
    Ok(units(staking::past_total(state, at)?))
}

/// What an account's vote weighs while nobody behind it votes otherwise.
pub(super) fn weight(state: &mut impl Read, account: Address, time: u64) -> Result<u128, Failure> {
    let at = weighed_at(state, time)?;
    let mut sum = 0_u128;
    for (_, part) in elsewhere(state, account, at)? {
        sum = sum.saturating_add(part);
    }
    Ok(sum.saturating_add(units(at_home(state, account, at)?.0)))
}

/// What an account has behind others.
fn elsewhere(
    state: &mut impl Read,
    account: Address,
    at: U256,
) -> Result<Vec<(Address, u128)>, Failure> {
    let mut parts = Vec::new();
    for validator in staking::backed(state, account)? {
        if validator != account {
            let part = staking::past_delegation(state, account, validator, at)?;
            if part > 0 {
                parts.push((validator, part));
            }
        }
    }
    Ok(parts)
}

/// What stands behind an account as a validator, and whether it speaks for all of it: who was shut
/// out for a double vote speaks for its own coin only.
fn at_home(state: &mut impl Read, account: Address, at: U256) -> Result<(Amount, bool), Failure> {
    let all = staking::past_stake(state, account, at)?;
    if all.is_zero() {
        return Ok((all, false));
    }
    if staking::is_tombstoned(state, account)? {
        let own = staking::past_delegation(state, account, account, at)?;
        return Ok((Amount::from_u128(own), false));
    }
    Ok((all, true))
}

/// Opens the count with the first vote.
fn opened(state: &mut impl Read, id: B256, proposal: &Proposal) -> Result<Tally, Failure> {
    let tally = TALLIES.get(state, id)?;
    if tally.counted_at > 0 {
        return Ok(tally);
    }
    let at = weighed_at(state, proposal.starts_at)?;
    let all = units(staking::past_total(state, at)?);
    Ok(Tally { counted_at: at.saturating_to(), all, ..Tally::default() })
}

fn slot(tally: &mut Tally, support: u8) -> Result<&mut u128, Failure> {
    let place = tally.votes.get_mut(usize::from(support));
    place.ok_or_else(|| IGovernance::GovernorInvalidVoteType {}.into())
}

/// Casts a vote; returns its weight.
///
/// # Errors
/// `GovernorNonexistentProposal`, `GovernorUnexpectedProposalState`, `GovernorAlreadyCastVote`,
/// `GovernorInvalidVoteType`.
pub fn cast(
    state: &mut impl Write,
    voter: Address,
    id: B256,
    vote: Vote,
) -> Result<Amount, Failure> {
    let proposal = find(state, id)?;
    let current = standing(state, id, &proposal)?;
    expect(id, current, &[ProposalState::Active])?;
    let ballot = BALLOTS.get(state, (id, voter))?;
    if ballot.has_voted {
        return Err(IGovernance::GovernorAlreadyCastVote { voter }.into());
    }
    let mut tally = opened(state, id, &proposal)?;
    slot(&mut tally, vote.support)?;
    let at = U256::from(tally.counted_at);
    let (home, inherits) = at_home(state, voter, at)?;
    let mut weight = units(home);
    if inherits {
        weight = weight.checked_sub(ballot.overridden).ok_or_else(broken)?;
    }
    for (validator, part) in elsewhere(state, voter, at)? {
        take_over(state, id, &mut tally, (validator, part))?;
        weight = weight.checked_add(part).ok_or_else(broken)?;
    }
    let place = slot(&mut tally, vote.support)?;
    *place = place.checked_add(weight).ok_or_else(broken)?;
    TALLIES.replace(state, id, &tally)?;
    let ballot = Ballot { has_voted: true, inherits, support: vote.support, ..ballot };
    BALLOTS.replace(state, (id, voter), &ballot)?;
    announce(state, voter, id, weight, vote)?;
    Ok(Amount::from_u128(weight))
}

/// A part of what stands behind a validator is no longer the validator's to vote with.
fn take_over(
    state: &mut impl Write,
    id: B256,
    tally: &mut Tally,
    (validator, part): (Address, u128),
) -> Result<(), Failure> {
    let mut house = BALLOTS.get(state, (id, validator))?;
    house.overridden = house.overridden.checked_add(part).ok_or_else(broken)?;
    BALLOTS.replace(state, (id, validator), &house)?;
    if !house.has_voted || !house.inherits {
        return Ok(());
    }
    let place = slot(tally, house.support)?;
    *place = place.checked_sub(part).ok_or_else(broken)?;
    state.emit(
        ADDRESS,
        IGovernance::VoteReduced {
            delegate: validator,
            proposalId: shown(id),
            support: house.support,
            weight: U256::from(part),
        },
    )
}

fn announce(
    state: &mut impl Write,
    voter: Address,
    id: B256,
    weight: u128,
    vote: Vote,
) -> Result<(), Failure> {
    let Vote { support, reason, params } = vote;
    let (proposal_id, weight) = (shown(id), U256::from(weight));
    if params.is_empty() {
        let event =
            IGovernance::VoteCast { voter, proposalId: proposal_id, support, weight, reason };
        return state.emit(ADDRESS, event);
    }
    let proposal = proposal_id;
    state.emit(
        ADDRESS,
        IGovernance::VoteCastWithParams {
            voter,
            proposalId: proposal,
            support,
            weight,
            reason,
            params,
        },
    )
}

/// Casts a vote that its voter signed: a plain ballot, or an extended one with reason and parameters.
///
/// # Errors
/// `GovernorInvalidSignature`; otherwise as [`cast`].
pub fn cast_signed(
    state: &mut impl Write,
    voter: Address,
    id: B256,
    vote: Vote,
    (is_extended, signature): (bool, &[u8]),
) -> Result<Amount, Failure> {
    let words = vote.reason.len().saturating_add(vote.params.len()).div_ceil(32);
    let more = u64::try_from(words).unwrap_or(u64::MAX).saturating_mul(6);
    state.charge(TYPED_HASH_GAS.saturating_add(more))?;
    let nonce = NONCES.get(state, voter)?;
    let (proposal_id, support) = (shown(id), vote.support);
    let domain = governance_domain(state.block().chain_id);
    let hash = if is_extended {
        let (reason, params) = (vote.reason.clone(), vote.params.clone());
        let message =
            ExtendedBallot { proposalId: proposal_id, support, voter, nonce, reason, params };
        message.eip712_signing_hash(&domain)
    } else {
        let message = SignedBallot { proposalId: proposal_id, support, voter, nonce };
        message.eip712_signing_hash(&domain)
    };
    let signer = signature::recover_bytes(state, hash, signature)?;
    if signer != Some(voter) || voter.is_zero() {
        return Err(IGovernance::GovernorInvalidSignature { voter }.into());
    }
    NONCES.set(state, voter, &nonce.wrapping_add(U256::ONE))?;
    cast(state, voter, id, vote)
}
