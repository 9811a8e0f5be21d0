//! `sahara award`: what the incentive pool's coin is spent on.

mod hackathon;
mod round;
mod show;
mod usage;

use crate::{
    cli::{Award, Doing},
    commands::act::Act,
    failure::Failure,
    output::{Format, now},
    session::Session,
};
use alloy_primitives::{Bytes, keccak256};
use alloy_sol_types::SolCall;
use eyre::{Result, WrapErr};
use sahara_abi::{IIncentives, INCENTIVES};
use sahara_primitives::{Amount, B256, U256};
use serde_json::json;
use std::path::Path;

/// Runs a command about awards.
pub(crate) async fn run(award: &Award, session: &Session, format: Format) -> Result<()> {
    match award {
        Award::List => show::list(session, format).await,
        Award::Show { grant } => show::grant(session, *grant, format).await,
        Award::Budget { .. } => budget(award, format),
        Award::Propose { .. } => propose(award, session, format).await,
        Award::Approve { grant, reviewer, doing } => {
            let call = IIncentives::approveGrantCall { grant: *grant, reviewer: *reviewer };
            act(doing).report(session, &call, format).await
        }
        Award::Deliver { grant, evidence, doing } => {
            let call = IIncentives::deliverCall { grant: *grant, evidence: hash(evidence)? };
            act(doing).report(session, &call, format).await
        }
        Award::Review { grant, verdict, reason, doing } => {
            let reason = reason.as_deref().map(hash).transpose()?.unwrap_or_default();
            let is_accepted = verdict == "accept";
            let call = IIncentives::reviewCall { grant: *grant, isAccepted: is_accepted, reason };
            act(doing).report(session, &call, format).await
        }
        Award::Pay { grant, doing } => {
            let call = IIncentives::settleReviewCall { grant: *grant };
            act(doing).report(session, &call, format).await
        }
        Award::End { grant, doing } => {
            let call = IIncentives::endGrantCall { grant: *grant };
            act(doing).report(session, &call, format).await
        }
        Award::Hackathon(hackathon) => hackathon::run(hackathon, session, format).await,
        Award::Usage(usage) => usage::run(usage, session, format).await,
        Award::Round(round) => round::run(round, session, format).await,
    }
}

/// A call to the protocol, without coin.
const fn act(doing: &Doing) -> Act<'_> {
    Act::of(doing, INCENTIVES, Amount::ZERO)
}

/// What goes on chain of a document.
fn hash(file: &Path) -> Result<B256> {
    let bytes = std::fs::read(file).wrap_err_with(|| format!("could not read {}", file.display()));
    Ok(keccak256(bytes?))
}

/// A call that only a proposal can make.
fn budget(award: &Award, format: Format) -> Result<()> {
    let Award::Budget { manager, budget, runs, terms } = award else { return Ok(()) };
    let call = IIncentives::openProgrammeCall {
        manager: *manager,
        budget: budget.base_units(),
        endsAt: now().0.saturating_add(runs.0),
        terms: hash(terms)?,
    };
    let data = Bytes::from(call.abi_encode());
    format.print(&json!({"target": INCENTIVES, "data": data}), |_| {
        format!(
            "sahara gov propose 'A budget of {budget} SAHARA' --call {INCENTIVES}:{data} --dry-run"
        )
    })
}

/// `500@30d`: an amount, and when it is due.
fn milestone(text: &str) -> Result<(U256, u64)> {
    let wrong =
        || Failure::usage(format!("`{text}` is no milestone: expected SAHARA@SPAN, as 500@30d"));
    let (amount, span) = text.split_once('@').ok_or_else(wrong)?;
    let amount: Amount = amount.parse().map_err(|_| wrong())?;
    let span: crate::cli::Span = span.parse().map_err(|_| wrong())?;
    Ok((amount.base_units(), now().0.saturating_add(span.0)))
}

async fn propose(award: &Award, session: &Session, format: Format) -> Result<()> {
    let Award::Propose { programme, milestones, proposal, doing } = award else { return Ok(()) };
    let plan = milestones.iter().map(|text| milestone(text)).collect::<Result<Vec<_>>>()?;
    let (amounts, due_times) = plan.into_iter().unzip();
    let call = IIncentives::proposeGrantCall {
        programme: *programme,
        amounts,
        dueTimes: due_times,
        proposal: hash(proposal)?,
    };
    let Some(outcome) = act(doing).perform(session, &call, format).await? else { return Ok(()) };
    let proposed = outcome.events::<IIncentives::GrantProposed>();
    let number = proposed.first().map(|event| event.data.grant).unwrap_or_default();
    format.print(&json!({"grant": number, "transaction": outcome.hash}), |_| {
        format!("grant {number} waits for the manager of programme {programme}")
    })
}
