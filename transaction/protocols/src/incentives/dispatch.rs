//! Decoded call → rule.

use super::{
    awards, grants, hackathons, programmes,
    storage::{
        ENTRIES, GRANTS, HACKATHONS, MILESTONES, PROGRAMMES, ROUNDS, UNASSIGNED, USAGE_ROUNDS,
    },
    usage,
};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IIncentives::{self, IIncentivesCalls as Function};

/// Answers a call to the protocol.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match call.decode::<Function>()? {
        Function::openProgramme(f) => call.change(f, |f| {
            let budget = programmes::units(f.budget)?;
            let plan = programmes::planned(f.manager, budget, f.endsAt, f.terms);
            programmes::open(state, caller, plan)
        }),
        Function::closeProgramme(f) => {
            call.change(f, |f| programmes::close(state, caller, f.programme).map(Into::into))
        }
        Function::proposeGrant(f) => call.change(f, |f| {
            let milestones = (f.amounts.as_slice(), f.dueTimes.as_slice());
            grants::propose(state, caller, f.programme, milestones, f.proposal)
        }),
        Function::approveGrant(f) => {
            call.change(f, |f| grants::approve(state, caller, f.grant, f.reviewer).map(Into::into))
        }
        Function::deliver(f) => {
            call.change(f, |f| grants::deliver(state, caller, f.grant, f.evidence).map(Into::into))
        }
        Function::review(f) => call.change(f, |f| {
            grants::review(state, caller, f.grant, f.isAccepted, f.reason).map(Into::into)
        }),
        Function::settleReview(f) => {
            call.change(f, |f| grants::settle_review(state, f.grant).map(Into::into))
        }
        Function::endGrant(f) => {
            call.change(f, |f| grants::end(state, caller, f.grant).map(Into::into))
        }
        other => contest(state, call, other),
    }
}

fn contest(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match function {
        Function::openHackathon(f) => call.change(f, |f| {
            let plan = hackathons::Plan {
                programme: f.programme,
                judges: f.judges,
                prizes: f.prizes,
                submit_until: f.submitUntil,
                judge_until: f.judgeUntil,
                terms: f.terms,
            };
            hackathons::open(state, caller, &plan)
        }),
        Function::submit(f) => call
            .change(f, |f| hackathons::submit(state, caller, f.hackathon, f.work).map(Into::into)),
        Function::judge(f) => call.change(f, |f| {
            hackathons::judge(state, caller, f.hackathon, f.ranking).map(Into::into)
        }),
        Function::finish(f) => {
            call.change(f, |f| hackathons::finish(state, f.hackathon).map(Into::into))
        }
        Function::openRound(f) => call.change(f, |f| {
            let total = programmes::units(f.total)?;
            let about = (f.programme, f.closesAt, f.isByUsage);
            awards::open(state, caller, awards::planned(about, total, f.root, f.terms))
        }),
        Function::claim(f) => {
            call.change(f, |f| awards::claim(state, f.round, &f.award, &f.proof).map(Into::into))
        }
        Function::closeRound(f) => {
            call.change(f, |f| awards::close(state, caller, f.round).map(Into::into))
        }
        other => by_usage(state, call, other),
    }
}

fn by_usage(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match function {
        Function::openUsageRound(f) => call.change(f, |f| {
            let total = programmes::units(f.total)?;
            usage::open(state, caller, usage::planned(&f, total))
        }),
        Function::countUsage(f) => call.change(f, |f| {
            usage::count(state, caller, (f.round, f.asset), &f.served).map(U256::from)
        }),
        Function::awardUsage(f) => {
            call.change(f, |f| usage::award(state, f.round, f.asset).map(U256::from))
        }
        Function::closeUsageRound(f) => {
            call.change(f, |f| usage::close(state, f.round).map(Into::into))
        }
        Function::usageRound(f) => {
            call.view(f, |f| Ok(usage::shown(&usage::find(state, f.round)?)))
        }
        Function::usage(f) => call.view(f, |f| usage::standing(state, f.round, f.asset)),
        Function::countable(f) => call.view(f, |f| usage::countable(state, f.asset, &f.served)),
        Function::usageRounds(f) => call.view(f, |_| USAGE_ROUNDS.len(state, ())),
        other => view(state, call, other),
    }
}

fn view(state: &mut impl Write, call: &Call<'_>, function: Function) -> Result<Bytes, Failure> {
    match function {
        Function::unassigned(f) => call.view(f, |_| UNASSIGNED.get(state)),
        Function::programme(f) => {
            call.view(f, |f| Ok(programmes::shown(&programmes::find(state, f.programme)?)))
        }
        Function::grant(f) => call.view(f, |f| Ok(grants::shown(&grants::find(state, f.grant)?))),
        Function::milestone(f) => call.view(f, |f| {
            grants::find(state, f.grant)?;
            let milestone = MILESTONES.get(state, (f.grant, f.index))?;
            Ok(IIncentives::Milestone {
                amount: U256::from(milestone.amount),
                dueAt: milestone.due_at,
                evidence: milestone.evidence,
            })
        }),
        Function::hackathon(f) => {
            call.view(f, |f| Ok(hackathons::shown(&hackathons::find(state, f.hackathon)?)))
        }
        Function::points(f) => {
            call.view(f, |f| Ok(ENTRIES.get(state, (f.hackathon, f.entrant))?.points))
        }
        Function::round(f) => call.view(f, |f| Ok(awards::shown(&awards::find(state, f.round)?))),
        Function::isAwarded(f) => call.view(f, |f| awards::is_awarded(state, f.round, f.index)),
        Function::awardLeaf(f) => {
            call.view(f, |f| Ok(awards::shown_leaf(state, f.round, &f.award)))
        }
        Function::counts(f) => call.view(f, |_| {
            Ok(IIncentives::countsReturn {
                programmes: PROGRAMMES.len(state, ())?,
                grants: GRANTS.len(state, ())?,
                hackathons: HACKATHONS.len(state, ())?,
                rounds: ROUNDS.len(state, ())?,
            })
        }),
        _ => Err(sahara_abi::IProtocol::InvalidCall {}.into()),
    }
}
