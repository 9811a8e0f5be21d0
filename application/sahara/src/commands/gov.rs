//! `sahara gov`.

use crate::{
    cli::{Doing, Gov, Signer},
    commands::act::Act,
    failure::Failure,
    output::{Format, from_now, now, pairs, table, utc},
    refusal::refused,
    session::Session,
};
use alloy_primitives::{Bytes, FixedBytes};
use eyre::{Result, eyre};
use sahara_abi::{
    GOVERNANCE,
    IGovernance::{self, Kind, ProposalState},
};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, Timestamp, U256};
use serde::Serialize;
use serde_json::json;

#[derive(Serialize)]
struct Shown {
    number: u64,
    id: U256,
    kind: &'static str,
    state: &'static str,
    proposer: Address,
    votes_begin: u64,
    votes_end: u64,
    executable_at: u64,
    failed_at: u64,
    /// The first bytes of the refusal; zeros where there was none.
    failed_with: FixedBytes<4>,
    against: Amount,
    in_favour: Amount,
    abstained: Amount,
    vetoed: Amount,
    all: Amount,
    quorum: u16,
    threshold: u16,
    calls: Vec<Action>,
}

#[derive(Serialize)]
struct Action {
    target: Address,
    data: Bytes,
}

#[derive(Serialize)]
struct RuleRow {
    kind: &'static str,
    delay: u32,
    period: u32,
    timelock: u32,
    quorum: u16,
    threshold: u16,
    veto: u16,
    deposit: Amount,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Text, "text"),
    (Kind::Emergency, "emergency"),
    (Kind::Parameter, "parameter"),
    (Kind::Treasury, "treasury"),
    (Kind::Upgrade, "upgrade"),
];

fn word(kind: Kind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("unknown", |(_, word)| word)
}

const fn state_word(state: ProposalState) -> &'static str {
    match state {
        ProposalState::Pending => "pending",
        ProposalState::Active => "active",
        ProposalState::Canceled => "canceled",
        ProposalState::Defeated => "defeated",
        ProposalState::Succeeded => "succeeded",
        ProposalState::Queued => "queued",
        ProposalState::Expired => "expired",
        ProposalState::Executed => "executed",
        ProposalState::__Invalid => "unknown",
    }
}

/// Runs a governance command.
pub(crate) async fn run(gov: &Gov, session: &Session, format: Format) -> Result<()> {
    match gov {
        Gov::List => list(session, format).await,
        Gov::Show { proposal } => {
            let shown = show(&session.client()?, *proposal).await?;
            format.print(&shown, details)
        }
        Gov::Rules => rules(session, format).await,
        Gov::Deposit { amount, doing } => {
            let key = session.key(&doing.signer).await?;
            let call = IGovernance::depositForCall { account: key.address() };
            act(*amount, doing).report_as(&key, session, &call, format).await
        }
        Gov::Propose { description, calls, dry_run, signer } => {
            let call = proposed(description, calls)?;
            if *dry_run {
                return try_out(session, &call, signer, format).await;
            }
            propose(session, &call, signer, format).await
        }
        Gov::Vote { proposal, support, reason, doing } => {
            let support = match support.as_str() {
                "against" => 0,
                "for" => 1,
                "abstain" => 2,
                _ => 3,
            };
            let id = identifier(&session.client()?, *proposal).await?;
            let reason = reason.clone();
            let call = IGovernance::castVoteWithReasonCall { proposalId: id, support, reason };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
        Gov::Queue { proposal, doing } => {
            let proposal_id = identifier(&session.client()?, *proposal).await?;
            let call = IGovernance::queue_1Call { proposalId: proposal_id };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
        Gov::Execute { proposal, doing } => {
            let proposal_id = identifier(&session.client()?, *proposal).await?;
            let call = IGovernance::execute_1Call { proposalId: proposal_id };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
        Gov::Cancel { proposal, doing } => {
            let proposal_id = identifier(&session.client()?, *proposal).await?;
            let call = IGovernance::cancel_1Call { proposalId: proposal_id };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
    }
}

const fn act(value: Amount, doing: &Doing) -> Act<'_> {
    Act::of(doing, GOVERNANCE, value)
}

fn parse(text: &str) -> Result<(Address, Bytes)> {
    let wrong = || Failure::usage(format!("`{text}` is no call: expected ADDRESS:DATA"));
    let (target, data) = text.split_once(':').ok_or_else(wrong)?;
    Ok((target.parse().map_err(|_| wrong())?, data.parse().map_err(|_| wrong())?))
}

fn proposed(description: &str, calls: &[String]) -> Result<IGovernance::proposeCall> {
    let mut actions = calls.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?;
    if actions.is_empty() {
        actions.push((Address::ZERO, Bytes::new()));
    }
    let values = vec![U256::ZERO; actions.len()];
    let (targets, calldatas) = actions.into_iter().unzip();
    let description = description.to_owned();
    Ok(IGovernance::proposeCall { targets, values, calldatas, description })
}

/// Whether the chain would take it now, and when what would happen.
async fn try_out(
    session: &Session,
    call: &IGovernance::proposeCall,
    signer: &Signer,
    format: Format,
) -> Result<()> {
    let key = session.key(signer).await?;
    let client = session.client()?;
    let id =
        client.simulate(key.address(), GOVERNANCE, Amount::ZERO, call).await.map_err(refused)?;
    format.print(&json!({"would_be_taken": true, "id": id}), |_| {
        String::from(
            "the chain would take it: its calls were tried out; `sahara gov rules` has times and deposits",
        )
    })
}

async fn propose(
    session: &Session,
    call: &IGovernance::proposeCall,
    signer: &Signer,
    format: Format,
) -> Result<()> {
    let key = session.key(signer).await?;
    let client = session.client()?;
    let outcome = client.send(&key, GOVERNANCE, Amount::ZERO, call).await.map_err(refused)?;
    let created = outcome.events::<IGovernance::ProposalCreated>();
    let created = created.first().ok_or_else(|| eyre!("the chain made no proposal"))?;
    let number = client.call(GOVERNANCE, &IGovernance::proposalCountCall {}).await;
    let number: u64 = number.map_err(refused)?.saturating_to();
    let id = created.data.proposalId;
    let begins = Timestamp(created.data.voteStart.saturating_to());
    format.print(
        &json!({"number": number, "id": id, "transaction": outcome.hash, "votes_begin": begins.0}),
        |_| format!("proposal {number}; votes are taken from {} on", utc(begins)),
    )
}

async fn identifier(client: &ChainClient, number: u64) -> Result<U256> {
    let count = client.call(GOVERNANCE, &IGovernance::proposalCountCall {}).await;
    let count: u64 = count.map_err(refused)?.saturating_to();
    let index = number.checked_sub(1).filter(|index| *index < count).ok_or_else(|| {
        Failure::not_found(format!("there is no proposal {number}: `sahara gov list` shows all"))
    })?;
    let call = IGovernance::proposalDetailsAtCall { index: U256::from(index) };
    Ok(client.call(GOVERNANCE, &call).await.map_err(refused)?.proposalId)
}

async fn show(client: &ChainClient, number: u64) -> Result<Shown> {
    let id = identifier(client, number).await?;
    macro_rules! read {
        ($call:ident) => {
            client
                .call(GOVERNANCE, &IGovernance::$call { proposalId: id })
                .await
                .map_err(refused)?
        };
    }
    let (tally, rules, details) =
        (read!(tallyCall), read!(proposalRulesCall), read!(proposalDetailsCall));
    let failed = read!(failedExecutionCall);
    let coins = Amount::from_base_units;
    let calls = details.targets.into_iter().zip(details.calldatas);
    Ok(Shown {
        number,
        id,
        kind: word(read!(proposalKindCall)),
        state: state_word(read!(stateCall)),
        proposer: read!(proposalProposerCall),
        votes_begin: read!(proposalSnapshotCall).saturating_to(),
        votes_end: read!(proposalDeadlineCall).saturating_to(),
        executable_at: read!(proposalEtaCall).saturating_to(),
        failed_at: failed.at,
        failed_with: failed.selector,
        against: coins(tally.against),
        in_favour: coins(tally.inFavour),
        abstained: coins(tally.abstained),
        vetoed: coins(tally.vetoed),
        all: coins(tally.all),
        quorum: rules.quorum,
        threshold: rules.threshold,
        calls: calls.map(|(target, data)| Action { target, data }).collect(),
    })
}

fn details(shown: &Shown) -> String {
    let time = |at: u64| match at {
        0 => String::from("not queued"),
        at => format!("{}, {}", utc(Timestamp(at)), from_now(Timestamp(at), now())),
    };
    let coins = |amount: Amount| format!("{amount} SAHARA");
    let percent = |points: u16| format!("{}.{:02} %", points / 100, points % 100);
    let mut text = pairs([
        ("proposal", format!("{} ({}), {}", shown.number, shown.kind, shown.state)),
        ("identifier", shown.id.to_string()),
        ("proposer", shown.proposer.to_string()),
        ("votes begin", time(shown.votes_begin)),
        ("votes end", time(shown.votes_end)),
        ("can be executed", time(shown.executable_at)),
        ("for", coins(shown.in_favour)),
        ("against", coins(shown.against)),
        ("abstained", coins(shown.abstained)),
        ("vetoed", coins(shown.vetoed)),
        ("all bonded coin", coins(shown.all)),
        ("quorum", percent(shown.quorum)),
        ("threshold", percent(shown.threshold)),
    ]);
    if shown.failed_at > 0 {
        let why = if shown.failed_with.is_zero() {
            String::from("most likely it takes more gas than the chain gives")
        } else {
            format!("refused with {}", shown.failed_with)
        };
        text.push_str(&format!(
            "\nthe chain could not do it ({}): {why}; anyone may try again: `sahara gov execute`",
            utc(Timestamp(shown.failed_at))
        ));
    }
    for call in &shown.calls {
        text.push_str(&format!("\ncalls {} with {}", call.target, call.data));
    }
    text
}

async fn list(session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let count = client.call(GOVERNANCE, &IGovernance::proposalCountCall {}).await;
    let count: u64 = count.map_err(refused)?.saturating_to();
    let mut shown = Vec::new();
    for number in 1..=count {
        shown.push(show(&client, number).await?);
    }
    format.print(&shown, |shown| {
        if shown.is_empty() {
            return String::from("no proposals: make one with `sahara gov propose`");
        }
        let head = ["NUMBER", "KIND", "STATE", "FOR", "AGAINST", "VETOED", "VOTES END"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(shown.iter().map(|one| {
            vec![
                one.number.to_string(),
                one.kind.into(),
                one.state.into(),
                one.in_favour.to_string(),
                one.against.to_string(),
                one.vetoed.to_string(),
                utc(Timestamp(one.votes_end)),
            ]
        }));
        table(&rows)
    })
}

async fn rules(session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let mut shown = Vec::new();
    for (kind, word) in KINDS {
        let rules = client.call(GOVERNANCE, &IGovernance::rulesOfCall { kind }).await;
        let rules = rules.map_err(refused)?;
        shown.push(RuleRow {
            kind: word,
            delay: rules.delay,
            period: rules.period,
            timelock: rules.timelock,
            quorum: rules.quorum,
            threshold: rules.threshold,
            veto: rules.veto,
            deposit: Amount::from_base_units(rules.deposit),
        });
    }
    format.print(&shown, |shown| {
        let head =
            ["KIND", "DELAY s", "VOTES s", "TIMELOCK s", "QUORUM", "THRESHOLD", "VETO", "DEPOSIT"];
        let mut rows = vec![head.map(String::from).to_vec()];
        let percent = |points: u16| format!("{}.{:02} %", points / 100, points % 100);
        rows.extend(shown.iter().map(|one| {
            vec![
                one.kind.into(),
                one.delay.to_string(),
                one.period.to_string(),
                one.timelock.to_string(),
                percent(one.quorum),
                percent(one.threshold),
                percent(one.veto),
                one.deposit.to_string(),
            ]
        }));
        table(&rows)
    })
}
