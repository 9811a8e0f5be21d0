//! Programmes and what they spend on.

use crate::{
    output::{Format, from_now, now, pairs, table, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{
    IIncentives::{self, GrantState},
    INCENTIVES,
};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, B256, Timestamp, U256};
use serde::Serialize;

#[derive(Serialize)]
struct All {
    unassigned: Amount,
    programmes: Vec<Programme>,
    awards: Vec<Row>,
}

#[derive(Serialize)]
struct Programme {
    number: u64,
    manager: Address,
    budget: Amount,
    left: Amount,
    ends_at: u64,
    is_closed: bool,
}

#[derive(Serialize)]
struct Row {
    what: &'static str,
    number: u64,
    programme: u64,
    state: String,
    /// What happens next, if time decides it.
    until: u64,
    left: Amount,
}

#[derive(Serialize)]
struct Grant {
    number: u64,
    programme: u64,
    state: &'static str,
    grantee: Address,
    reviewer: Address,
    total: Amount,
    left: Amount,
    paid: u32,
    /// From when on a delivery that waits is paid without a review; 0: none waits.
    silent_at: u64,
    proposal: B256,
    milestones: Vec<Milestone>,
}

#[derive(Serialize)]
struct Milestone {
    amount: Amount,
    due_at: u64,
    evidence: B256,
}

const fn coins(units: U256) -> Amount {
    Amount::from_base_units(units)
}

const fn state_word(state: GrantState) -> &'static str {
    match state {
        GrantState::Proposed => "waits for the manager",
        GrantState::Running => "running",
        GrantState::Completed => "completed",
        GrantState::Ended => "ended",
        GrantState::__Invalid => "unknown",
    }
}

fn time(at: u64) -> String {
    if at == 0 {
        return String::new();
    }
    format!("{}, {}", utc(Timestamp(at)), from_now(Timestamp(at), now()))
}

/// Shows everything there is.
pub(super) async fn list(session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let unassigned = client.call(INCENTIVES, &IIncentives::unassignedCall {}).await;
    let counts = client.call(INCENTIVES, &IIncentives::countsCall {}).await.map_err(refused)?;
    let mut programmes = Vec::new();
    for number in 1..=counts.programmes {
        let call = IIncentives::programmeCall { programme: number };
        let one = client.call(INCENTIVES, &call).await.map_err(refused)?;
        programmes.push(Programme {
            number,
            manager: one.manager,
            budget: coins(one.budget),
            left: coins(one.left),
            ends_at: one.endsAt,
            is_closed: one.isClosed,
        });
    }
    let mut awards = Vec::new();
    for number in 1..=counts.grants {
        awards.push(grant_row(&client, number).await?);
    }
    for number in 1..=counts.hackathons {
        awards.push(hackathon_row(&client, number).await?);
    }
    for number in 1..=counts.rounds {
        awards.push(round_row(&client, number).await?);
    }
    let rounds = client.call(INCENTIVES, &IIncentives::usageRoundsCall {}).await;
    for number in 1..=rounds.map_err(refused)? {
        awards.push(usage_row(&client, number).await?);
    }
    let unassigned = coins(unassigned.map_err(refused)?);
    format.print(&All { unassigned, programmes, awards }, page)
}

async fn grant_row(client: &ChainClient, number: u64) -> Result<Row> {
    let call = IIncentives::grantCall { grant: number };
    let one = client.call(INCENTIVES, &call).await.map_err(refused)?;
    let waits = if one.deliveredAt > 0 { ", a delivery waits" } else { "" };
    let state =
        format!("{}, {} of {} paid{waits}", state_word(one.state), one.paid, one.milestones);
    let until = silent_at(&one);
    Ok(Row { what: "grant", number, programme: one.programme, state, until, left: coins(one.left) })
}

async fn hackathon_row(client: &ChainClient, number: u64) -> Result<Row> {
    let call = IIncentives::hackathonCall { hackathon: number };
    let one = client.call(INCENTIVES, &call).await.map_err(refused)?;
    let (state, until) = if one.isFinished {
        (String::from("prizes were paid"), 0)
    } else if now().0 < one.submitUntil {
        (format!("takes works, {} so far", one.entries), one.submitUntil)
    } else {
        (format!("{} of {} judges judged", one.judged, one.judges), one.judgeUntil)
    };
    let (programme, left) = (one.programme, coins(one.left));
    Ok(Row { what: "hackathon", number, programme, state, until, left })
}

async fn round_row(client: &ChainClient, number: u64) -> Result<Row> {
    let call = IIncentives::roundCall { round: number };
    let one = client.call(INCENTIVES, &call).await.map_err(refused)?;
    let state = if now().0 < one.closesAt { "takes claims" } else { "over" };
    let (programme, left) = (one.programme, coins(one.left));
    Ok(Row { what: "round", number, programme, state: state.into(), until: one.closesAt, left })
}

async fn usage_row(client: &ChainClient, number: u64) -> Result<Row> {
    let call = IIncentives::usageRoundCall { round: number };
    let one = client.call(INCENTIVES, &call).await.map_err(refused)?;
    let counted = coins(one.counted);
    let (state, until) = match now().0 {
        at if at < one.countUntil => (format!("counts, {counted} so far"), one.countUntil),
        at if at < one.closesAt => (format!("pays for fees of {counted}"), one.closesAt),
        _ => (String::from("over"), one.closesAt),
    };
    let (programme, left) = (one.programme, coins(one.left));
    Ok(Row { what: "usage round", number, programme, state, until, left })
}

const fn silent_at(grant: &IIncentives::Grant) -> u64 {
    match grant.deliveredAt {
        0 => 0,
        at => at.saturating_add(sahara_protocols::incentives::REVIEW),
    }
}

fn page(all: &All) -> String {
    if all.programmes.is_empty() {
        return format!(
            "no programmes, {} SAHARA unassigned: `sahara award budget` makes the call of a proposal",
            all.unassigned
        );
    }
    let mut rows =
        vec![["PROGRAMME", "BUDGET", "LEFT", "ENDS", "MANAGER"].map(String::from).to_vec()];
    rows.extend(all.programmes.iter().map(|one| {
        let ends = if one.is_closed { String::from("closed") } else { time(one.ends_at) };
        let number = one.number.to_string();
        vec![number, one.budget.to_string(), one.left.to_string(), ends, one.manager.to_string()]
    }));
    let mut text = table(&rows);
    if !all.awards.is_empty() {
        let head = ["AWARD", "PROGRAMME", "SET ASIDE", "STATE", "UNTIL"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(all.awards.iter().map(|one| {
            let name = format!("{} {}", one.what, one.number);
            let (programme, left) = (one.programme.to_string(), one.left.to_string());
            vec![name, programme, left, one.state.clone(), time(one.until)]
        }));
        text = format!("{text}\n\n{}", table(&rows));
    }
    format!("{text}\n\nunassigned: {} SAHARA", all.unassigned)
}

/// Shows a grant.
pub(super) async fn grant(session: &Session, number: u64, format: Format) -> Result<()> {
    let client = session.client()?;
    let one = client.call(INCENTIVES, &IIncentives::grantCall { grant: number }).await;
    let one = one.map_err(refused)?;
    let mut milestones = Vec::new();
    for index in 0..one.milestones {
        let call = IIncentives::milestoneCall { grant: number, index };
        let found = client.call(INCENTIVES, &call).await.map_err(refused)?;
        let (amount, due_at) = (coins(found.amount), found.dueAt);
        milestones.push(Milestone { amount, due_at, evidence: found.evidence });
    }
    let shown = Grant {
        number,
        programme: one.programme,
        state: state_word(one.state),
        grantee: one.grantee,
        reviewer: one.reviewer,
        total: coins(one.total),
        left: coins(one.left),
        paid: one.paid,
        silent_at: silent_at(&one),
        proposal: one.proposal,
        milestones,
    };
    format.print(&shown, details)
}

fn details(shown: &Grant) -> String {
    let mut text = pairs([
        ("grant", format!("{} of programme {}, {}", shown.number, shown.programme, shown.state)),
        ("grantee", shown.grantee.to_string()),
        ("reviewer", shown.reviewer.to_string()),
        ("total", format!("{} SAHARA, {} set aside", shown.total, shown.left)),
        ("paid without review", time(shown.silent_at)),
        ("proposal", shown.proposal.to_string()),
    ]);
    for (place, one) in (0..).zip(&shown.milestones) {
        let state = if place < shown.paid { "paid" } else { "due" };
        text.push_str(&format!("\n{} SAHARA {state} {}", one.amount, time(one.due_at)));
    }
    text
}
