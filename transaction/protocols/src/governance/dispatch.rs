//! Decoded call → rule.

use super::{
    Content, Vote, executing, parameters, pause,
    proposals::{self, find, shown, standing},
    proposing,
    storage::{BALLOTS, DEPOSITS, GUARDIAN_RESTS, NONCES, NUMBERED, TALLIES},
    upgrade, views, voting,
};
use crate::{
    dispatch::Call,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U48};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    GOVERNANCE,
    IGovernance::{self, IGovernanceCalls as Function, Kind},
    IProtocol, STAKING, signing,
};
use sahara_primitives::Amount;

fn key(id: U256) -> B256 {
    B256::from(id)
}

/// Only what a proposal does goes on.
fn only_vote(caller: Address) -> Result<(), Failure> {
    if caller == GOVERNANCE {
        return Ok(());
    }
    Err(IGovernance::GovernorOnlyExecutor { account: caller }.into())
}

/// The identifier of what a call names by its content.
macro_rules! content {
    ($call:expr) => {
        Content {
            targets: $call.targets,
            values: $call.values,
            calldatas: $call.calldatas,
            description_hash: $call.descriptionHash,
        }
    };
}

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, value) = (call.caller, call.value);
    match call.decode::<Function>()? {
        Function::propose(f) => call.change(f, |f| {
            let description_hash = proposing::describe(state, &f.description)?;
            let IGovernance::proposeCall { targets, values, calldatas, description } = f;
            let content = Content { targets, values, calldatas, description_hash };
            proposing::propose(state, caller, content, description).map(shown)
        }),
        Function::queue_0(f) => call.change(f, |f| {
            let id = content!(f).id(state)?;
            executing::queue(state, id).map(|()| shown(id))
        }),
        Function::queue_1(f) => {
            call.change(f, |f| executing::queue(state, key(f.proposalId)).map(Into::into))
        }
        Function::execute_0(f) => call.payable(f, |f| {
            let id = content!(f).id(state)?;
            executing::execute(state, id, value).map(|()| shown(id))
        }),
        Function::execute_1(f) => {
            call.payable(f, |f| executing::execute(state, key(f.proposalId), value).map(Into::into))
        }
        Function::cancel_0(f) => call.change(f, |f| {
            let id = content!(f).id(state)?;
            proposing::cancel(state, caller, id).map(|()| shown(id))
        }),
        Function::cancel_1(f) => {
            call.change(f, |f| proposing::cancel(state, caller, key(f.proposalId)).map(Into::into))
        }
        Function::depositFor(f) => call.payable(f, |f| {
            proposing::deposit_for(state, caller, f.account, value).map(Into::into)
        }),
        Function::withdrawDeposit(f) => call.change(f, |f| {
            let amount = Amount::from_base_units(f.amount);
            proposing::withdraw_deposit(state, caller, amount).map(Into::into)
        }),
        Function::beginExecution(f) => call.change(f, |f| {
            let actions = executing::begin_for_face(state, caller, key(f.proposalId))?;
            let parts = actions.into_iter().map(|action| (action.target, Bytes::from(action.data)));
            let (targets, calldatas) = parts.unzip();
            Ok(IGovernance::beginExecutionReturn { targets, calldatas })
        }),
        other => vote(state, call, other),
    }
}

fn vote(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match function {
        Function::castVote(f) => call.change(f, |f| {
            let vote = Vote { support: f.support, ..Vote::default() };
            Ok(voting::cast(state, caller, key(f.proposalId), vote)?.base_units())
        }),
        Function::castVoteWithReason(f) => call.change(f, |f| {
            let vote = Vote { support: f.support, reason: f.reason, ..Vote::default() };
            Ok(voting::cast(state, caller, key(f.proposalId), vote)?.base_units())
        }),
        Function::castVoteWithReasonAndParams(f) => call.change(f, |f| {
            let vote = Vote { support: f.support, reason: f.reason, params: f.params };
            Ok(voting::cast(state, caller, key(f.proposalId), vote)?.base_units())
        }),
        Function::castVoteBySig(f) => call.change(f, |f| {
            let vote = Vote { support: f.support, ..Vote::default() };
            let signed = (false, f.signature.as_ref());
            let id = key(f.proposalId);
            Ok(voting::cast_signed(state, f.voter, id, vote, signed)?.base_units())
        }),
        Function::castVoteWithReasonAndParamsBySig(f) => call.change(f, |f| {
            let vote = Vote { support: f.support, reason: f.reason, params: f.params };
            let signed = (true, f.signature.as_ref());
            let id = key(f.proposalId);
            Ok(voting::cast_signed(state, f.voter, id, vote, signed)?.base_units())
        }),
        other => rule(state, call, other),
    }
}

/// What proposals and the guardian do.
fn rule(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match function {
        Function::setRules(f) => call.change(f, |f| {
            only_vote(caller)?;
            parameters::set_rules(state, f.kind, &f.rules).map(Into::into)
        }),
        Function::setSettings(f) => call.change(f, |f| {
            only_vote(caller)?;
            parameters::set_settings(state, &f.settings).map(Into::into)
        }),
        Function::pause(f) => call
            .change(f, |f| pause::pause(state, caller, &f.protocols, f.duration).map(Into::into)),
        Function::unpause(f) => {
            call.change(f, |f| pause::unpause(state, caller, &f.protocols).map(Into::into))
        }
        Function::scheduleUpgrade(f) => call
            .change(f, |f| upgrade::schedule(state, caller, f.version, f.height).map(Into::into)),
        Function::cancelUpgrade(f) => {
            call.change(f, |_| upgrade::cancel(state, caller).map(Into::into))
        }
        other => view(state, call, other),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each function")]
fn view(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::state(f) => call.view(f, |f| {
            let proposal = find(state, key(f.proposalId))?;
            standing(state, key(f.proposalId), &proposal)
        }),
        Function::proposalSnapshot(f) => {
            call.view(f, |f| Ok(U256::from(find(state, key(f.proposalId))?.starts_at)))
        }
        Function::proposalDeadline(f) => {
            call.view(f, |f| Ok(U256::from(find(state, key(f.proposalId))?.ends_at)))
        }
        Function::proposalProposer(f) => {
            call.view(f, |f| Ok(find(state, key(f.proposalId))?.proposer))
        }
        Function::proposalEta(f) => {
            call.view(f, |f| Ok(U256::from(find(state, key(f.proposalId))?.eta)))
        }
        Function::proposalNeedsQueuing(f) => {
            call.view(f, |f| find(state, key(f.proposalId)).map(|_| true))
        }
        Function::proposalVotes(f) => call.view(f, |f| {
            find(state, key(f.proposalId))?;
            let [against, in_favour, abstained, _] =
                TALLIES.get(state, key(f.proposalId))?.votes.map(U256::from);
            Ok(IGovernance::proposalVotesReturn {
                againstVotes: against,
                forVotes: in_favour,
                abstainVotes: abstained,
            })
        }),
        Function::hasVoted(f) => {
            call.view(f, |f| Ok(BALLOTS.get(state, (key(f.proposalId), f.account))?.has_voted))
        }
        Function::proposalKind(f) => call.view(f, |f| views::kind(state, key(f.proposalId))),
        Function::proposalRules(f) => call.view(f, |f| views::rules(state, key(f.proposalId))),
        Function::failedExecution(f) => {
            call.view(f, |f| views::failed_execution(state, key(f.proposalId)))
        }
        Function::tally(f) => call.view(f, |f| views::tally(state, key(f.proposalId))),
        Function::proposalCount(f) => call.view(f, |_| Ok(U256::from(NUMBERED.len(state, ())?))),
        Function::proposalDetails(f) => call.view(f, |f| {
            let Content { targets, values, calldatas, description_hash } =
                proposals::content(state, key(f.proposalId))?;
            let hash = description_hash;
            Ok(IGovernance::proposalDetailsReturn {
                targets,
                values,
                calldatas,
                descriptionHash: hash,
            })
        }),
        Function::proposalDetailsAt(f) => call.view(f, |f| {
            let id = NUMBERED.get(state, (), f.index.saturating_to())?;
            let Content { targets, values, calldatas, description_hash } =
                proposals::content(state, id)?;
            Ok(IGovernance::proposalDetailsAtReturn {
                proposalId: shown(id),
                targets,
                values,
                calldatas,
                descriptionHash: description_hash,
            })
        }),
        other => standing_rules(state, call, other),
    }
}

/// What holds for proposals to come, and for accounts.
fn standing_rules(
    state: &mut impl Write,
    call: &Call<'_>,
    function: Function,
) -> Result<Bytes, Failure> {
    match function {
        Function::proposalThreshold(f) => {
            call.view(f, |_| Ok(U256::from(parameters::settings(state)?.proposal_votes)))
        }
        Function::votingDelay(f) => call.view(f, |_| views::usual_delay(state)),
        Function::votingPeriod(f) => {
            call.view(f, |_| Ok(U256::from(parameters::rules_of(state, Kind::Parameter)?.period)))
        }
        Function::quorum(f) => call.view(f, |f| views::usual_quorum(state, f.timepoint)),
        Function::getVotes(f) => call.view(f, |f| votes(state, f.account, f.timepoint)),
        Function::getVotesWithParams(f) => call.view(f, |f| votes(state, f.account, f.timepoint)),
        Function::depositOf(f) => call.view(f, |f| DEPOSITS.get(state, f.account)),
        Function::kindOf(f) => call.view(f, |f| views::target_kinds(state, f.targets, f.calldatas)),
        Function::rulesOf(f) => call.view(f, |f| Ok(parameters::rules_of(state, f.kind)?.shown())),
        Function::settings(f) => call.view(f, |_| Ok(parameters::settings(state)?.shown())),
        Function::pausedUntil(f) => call.view(f, |f| pause::paused_until(state, f.protocol)),
        Function::guardianRestsUntil(f) => call.view(f, |_| GUARDIAN_RESTS.get(state)),
        Function::upgrade(f) => call.view(f, |_| upgrade::shown(state)),
        Function::nonces(f) => call.view(f, |f| NONCES.get(state, f.owner)),
        Function::hashProposal(f) => call.view(f, |f| content!(f).id(state).map(shown)),
        Function::getProposalId(f) => call.view(f, |f| content!(f).id(state).map(shown)),
        other => names(state, call, other),
    }
}

fn votes(state: &mut impl Read, account: Address, timepoint: U256) -> Result<U256, Failure> {
    Ok(U256::from(voting::weight(state, account, timepoint.saturating_to())?))
}

/// What never changes.
fn names(state: &impl Read, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::name(f) => call.view(f, |_| Ok(views::name())),
        Function::version(f) => call.view(f, |_| Ok(views::version())),
        Function::COUNTING_MODE(f) => call.view(f, |_| Ok(views::counting_mode())),
        Function::BALLOT_TYPEHASH(f) => call.view(f, |_| {
            Ok(alloy_primitives::keccak256(signing::Ballot::eip712_encode_type().as_bytes()))
        }),
        Function::EXTENDED_BALLOT_TYPEHASH(f) => call.view(f, |_| {
            let text = signing::ExtendedBallot::eip712_encode_type();
            Ok(alloy_primitives::keccak256(text.as_bytes()))
        }),
        Function::supportsInterface(f) => call.view(f, |f| Ok(views::supports(f.interfaceId.0))),
        Function::eip712Domain(f) => call.view(f, |_| Ok(views::domain(state))),
        Function::clock(f) => call.view(f, |_| Ok(U48::saturating_from(state.block().timestamp.0))),
        Function::CLOCK_MODE(f) => call.view(f, |_| Ok("mode=timestamp".into())),
        Function::token(f) => call.view(f, |_| Ok(STAKING)),
        Function::timelock(f) => call.view(f, |_| Ok(GOVERNANCE)),
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}
