//! `sahara dispute`.

use crate::{
    cli::{Dispute, Doing, share},
    commands::act::Act,
    failure::Failure,
    output::{Format, from_now, now, pairs, table, utc},
    refusal::refused,
    session::Session,
};
use alloy_primitives::keccak256;
use eyre::{Result, WrapErr, eyre};
use sahara_abi::{
    DISPUTES,
    IDisputes::{self, Ground, Phase, Ruling},
};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::{Address, Amount, B256, Timestamp};
use serde::Serialize;
use serde_json::json;
use std::path::Path;

#[derive(Serialize)]
struct Shown {
    number: u64,
    asset: u64,
    ground: &'static str,
    phase: &'static str,
    phase_ends_at: u64,
    ruling: &'static str,
    complainant: Address,
    answerer: Address,
    appellant: Address,
    filed_at: u64,
    bond: Amount,
    held: Amount,
    seats: u32,
    for_it: u32,
    against: u32,
    delist: bool,
    evidence: B256,
    answer: B256,
    shares: Vec<(Address, u16)>,
    jurors: Vec<Juror>,
}

/// Times in seconds, one after another from the filing on.
#[derive(Serialize)]
struct Rules {
    answer: u32,
    commit: u32,
    reveal: u32,
    appeal: u32,
    decision: u32,
    least_bond: Amount,
    seat_fee: Amount,
    place: Amount,
}

#[derive(Serialize)]
struct Juror {
    account: Address,
    seats: u32,
    has_committed: bool,
    has_revealed: bool,
}

const GROUNDS: [(Ground, &str); 3] = [
    (Ground::StolenData, "stolen-data"),
    (Ground::FalseLineage, "false-lineage"),
    (Ground::BreachedTerms, "breached-terms"),
];

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Answering => "waits for an answer",
        Phase::Committing => "jurors commit",
        Phase::Revealing => "jurors reveal",
        Phase::Appealable => "can be appealed",
        Phase::Appealed => "governance may decide",
        Phase::Closable => "can be closed",
        Phase::Closed => "closed",
        Phase::__Invalid => "unknown",
    }
}

const fn ruling_word(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Open => "open",
        Ruling::Upheld => "upheld",
        Ruling::Dismissed => "dismissed",
        Ruling::__Invalid => "unknown",
    }
}

/// Runs a command about disputes.
pub(crate) async fn run(dispute: &Dispute, session: &Session, format: Format) -> Result<()> {
    match dispute {
        Dispute::List => list(session, format).await,
        Dispute::Show { complaint } => {
            let shown = show(&session.client()?, *complaint).await?;
            format.print(&shown, details)
        }
        Dispute::Rules => {
            let shown = rules(&session.client()?).await?;
            format.print(&shown, rules_text)
        }
        Dispute::File { .. } => file(dispute, session, format).await,
        Dispute::Answer { complaint, evidence, bond, doing } => {
            let call = IDisputes::answerCall { complaint: *complaint, evidence: hash(evidence)? };
            act(*bond, doing).report(session, &call, format).await
        }
        Dispute::Appeal { complaint, reason, bond, doing } => {
            let call = IDisputes::appealCall { complaint: *complaint, reason: hash(reason)? };
            act(*bond, doing).report(session, &call, format).await
        }
        Dispute::Enlist { places, doing } => {
            let call = IDisputes::enlistCall { places: *places };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
        Dispute::Discharge { doing } => {
            act(Amount::ZERO, doing).report(session, &IDisputes::dischargeCall {}, format).await
        }
        Dispute::Commit { complaint, verdict, doing } => {
            let key = session.key(&doing.signer).await?;
            let asked = IDisputes::commitmentOfCall {
                complaint: *complaint,
                juror: key.address(),
                isUpheld: verdict == "uphold",
                salt: salt(&key, *complaint),
            };
            let commitment = session.client()?.call(DISPUTES, &asked).await.map_err(refused)?;
            let call = IDisputes::commitCall { complaint: *complaint, commitment };
            act(Amount::ZERO, doing).report_as(&key, session, &call, format).await
        }
        Dispute::Reveal { complaint, verdict, doing } => {
            let key = session.key(&doing.signer).await?;
            let (is_upheld, salt) = (verdict == "uphold", salt(&key, *complaint));
            let call = IDisputes::revealCall { complaint: *complaint, isUpheld: is_upheld, salt };
            act(Amount::ZERO, doing).report_as(&key, session, &call, format).await
        }
        Dispute::Close { complaint, doing } => {
            let call = IDisputes::closeCall { complaint: *complaint };
            act(Amount::ZERO, doing).report(session, &call, format).await
        }
    }
}

/// The same whenever it is asked: signatures are deterministic, and nobody else can make it.
fn salt(key: &SigningKey, complaint: u64) -> B256 {
    keccak256(key.sign_message(format!("sahara/dispute/{complaint}")))
}

fn hash(file: &Path) -> Result<B256> {
    let bytes = std::fs::read(file).wrap_err_with(|| format!("could not read {}", file.display()));
    Ok(keccak256(bytes?))
}

const fn act(value: Amount, doing: &Doing) -> Act<'_> {
    Act::of(doing, DISPUTES, value)
}

async fn file(dispute: &Dispute, session: &Session, format: Format) -> Result<()> {
    let Dispute::File { asset, ground, evidence, bond, shares, delist, dry_run, signer } = dispute
    else {
        return Ok(());
    };
    let ground = GROUNDS.iter().find(|(_, word)| word == ground).map(|(ground, _)| *ground);
    let parsed = shares.iter().map(|text| {
        let wrong =
            || Failure::usage(format!("`{text}` is no share: expected ADDRESS=POINTS, 1 to 10000"));
        let (account, share) = share(text).ok_or_else(wrong)?;
        Ok(IDisputes::Share { account, share })
    });
    let call = IDisputes::fileCall {
        asset: *asset,
        ground: ground.ok_or_else(|| eyre!("an unknown ground"))?,
        evidence: hash(evidence)?,
        isDelisting: *delist,
        shares: parsed.collect::<Result<_>>()?,
    };
    let client = session.client()?;
    if *dry_run {
        return plan(&client, &call, *bond, format).await;
    }
    let key = session.key(signer).await?;
    let outcome = client.send(&key, DISPUTES, *bond, &call).await.map_err(refused)?;
    let filed = outcome.events::<IDisputes::Filed>();
    let filed = filed.first().ok_or_else(|| eyre!("the chain filed no complaint"))?;
    let number = filed.data.complaint;
    let shown =
        json!({"complaint": number, "transaction": outcome.hash, "evidence": call.evidence});
    format.print(&shown, |_| {
        format!("complaint {number}; keep the evidence, its keccak256 is {}", call.evidence)
    })
}

/// What filing would do.
async fn plan(
    client: &ChainClient,
    call: &IDisputes::fileCall,
    bond: Amount,
    format: Format,
) -> Result<()> {
    let rules = rules(client).await?;
    let standing = client.call(DISPUTES, &IDisputes::standingCall { asset: call.asset }).await;
    let standing = standing.map_err(refused)?;
    let mut time = now();
    let times = [rules.answer, rules.commit, rules.reveal, rules.appeal, rules.decision];
    let [answer, commit, reveal, appeal, end] = times.map(|seconds| {
        time = Timestamp(time.0.saturating_add(seconds.into()));
        time
    });
    let shown = json!({
        "asset": call.asset, "bond": bond, "evidence": call.evidence,
        "open_complaints": standing.open, "answer_until": answer.0, "commit_until": commit.0,
        "reveal_until": reveal.0, "appeal_until": appeal.0, "decided_by": end.0,
    });
    format.print(&shown, |_| {
        let mut text = pairs([
            ("at stake", format!("{bond} SAHARA, lost if the complaint is dismissed")),
            ("held at most", format!("{bond} SAHARA of new income, all of it once upheld")),
            ("its owner answers until", utc(answer)),
            ("jurors commit until", utc(commit)),
            ("jurors reveal until", utc(reveal)),
            ("appeals until", utc(appeal)),
            ("over at the latest", utc(end)),
        ]);
        if standing.open > 0 {
            text.push_str(&format!(
                "\nopen about it already: {}; what several claim is the first one's that is upheld",
                standing.open
            ));
        }
        text
    })
}

async fn rules(client: &ChainClient) -> Result<Rules> {
    let set = client.call(DISPUTES, &IDisputes::parametersCall {}).await.map_err(refused)?;
    Ok(Rules {
        answer: set.answer,
        commit: set.commit,
        reveal: set.reveal,
        appeal: set.appeal,
        decision: set.decision,
        least_bond: Amount::from_base_units(set.leastBond),
        seat_fee: Amount::from_base_units(set.seatFee),
        place: Amount::from_base_units(set.place),
    })
}

fn rules_text(rules: &Rules) -> String {
    pairs([
        ("the owner answers within", format!("{} s", rules.answer)),
        ("then jurors commit for", format!("{} s", rules.commit)),
        ("then jurors reveal for", format!("{} s", rules.reveal)),
        ("then sides may appeal for", format!("{} s", rules.appeal)),
        ("then governance decides within", format!("{} s", rules.decision)),
        ("least bond", format!("{} SAHARA", rules.least_bond)),
        ("a juror is paid, a seat", format!("{} SAHARA", rules.seat_fee)),
        ("bonded coin a place needs", format!("{} SAHARA", rules.place)),
    ])
}

async fn show(client: &ChainClient, number: u64) -> Result<Shown> {
    let asked = IDisputes::complaintCall { complaint: number };
    let one = client.call(DISPUTES, &asked).await.map_err(refused)?;
    let shares = client.call(DISPUTES, &IDisputes::sharesOfCall { complaint: number }).await;
    let jurors = client.call(DISPUTES, &IDisputes::juryCall { complaint: number }).await;
    let ground = GROUNDS.iter().find(|(ground, _)| *ground == one.ground);
    let juror = |juror: IDisputes::Juror| Juror {
        account: juror.account,
        seats: juror.seats,
        has_committed: juror.hasCommitted,
        has_revealed: juror.hasRevealed,
    };
    Ok(Shown {
        number,
        asset: one.asset,
        ground: ground.map_or("unknown", |(_, word)| word),
        phase: phase_word(one.phase),
        phase_ends_at: one.phaseEndsAt,
        ruling: ruling_word(one.ruling),
        complainant: one.complainant,
        answerer: one.answerer,
        appellant: one.appellant,
        filed_at: one.filedAt,
        bond: Amount::from_base_units(one.bond),
        held: Amount::from_base_units(one.held),
        seats: one.seats,
        for_it: one.forIt,
        against: one.against,
        delist: one.isDelisting,
        evidence: one.evidence,
        answer: one.answer,
        shares: shares.map_err(refused)?.into_iter().map(|one| (one.account, one.share)).collect(),
        jurors: jurors.map_err(refused)?.into_iter().map(juror).collect(),
    })
}

/// What the jury said, and how many of its seats decide: silent ones count for neither side.
fn spoken(shown: &Shown) -> String {
    let Shown { seats, for_it, against, .. } = shown;
    if *seats == 0 {
        return String::from("no jury yet, or none could be drawn");
    }
    format!("{seats}: {for_it} for, {against} against; {} decide", seats / 2 + 1)
}

fn details(shown: &Shown) -> String {
    let ends = match shown.phase_ends_at {
        0 => String::new(),
        at => format!(" until {}, {}", utc(Timestamp(at)), from_now(Timestamp(at), now())),
    };
    let someone = |account: Address, text: &str| {
        if account.is_zero() { String::from(text) } else { account.to_string() }
    };
    let mut text = pairs([
        ("complaint", format!("{} about asset {} ({})", shown.number, shown.asset, shown.ground)),
        ("phase", format!("{}{ends}", shown.phase)),
        ("ruling", shown.ruling.into()),
        ("complainant", shown.complainant.to_string()),
        ("answered by", someone(shown.answerer, "nobody")),
        ("appealed by", someone(shown.appellant, "nobody")),
        ("filed", utc(Timestamp(shown.filed_at))),
        ("bond", format!("{} SAHARA", shown.bond)),
        ("held", format!("{} SAHARA", shown.held)),
        ("seats", spoken(shown)),
        ("asks to delist", if shown.delist { "yes" } else { "no" }.into()),
        ("evidence", shown.evidence.to_string()),
        ("answer", shown.answer.to_string()),
    ]);
    for (account, points) in &shown.shares {
        text.push_str(&format!("\nasks {}.{:02} % for {account}", points / 100, points % 100));
    }
    for juror in &shown.jurors {
        let state = match (juror.has_committed, juror.has_revealed) {
            (_, true) => "has spoken",
            (true, _) => "has committed",
            _ => "has not committed",
        };
        text.push_str(&format!("\njuror {} ({}) {state}", juror.account, juror.seats));
    }
    text
}

async fn list(session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let counts = client.call(DISPUTES, &IDisputes::countsCall {}).await.map_err(refused)?;
    let mut shown = Vec::new();
    for number in 1..=counts.complaints {
        shown.push(show(&client, number).await?);
    }
    format.print(&shown, |shown| {
        if shown.is_empty() {
            return format!("no complaints; the list of jurors has {} places", counts.places);
        }
        let head = ["NUMBER", "ASSET", "GROUND", "PHASE", "RULING", "BOND", "HELD"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(shown.iter().map(|one| {
            vec![
                one.number.to_string(),
                one.asset.to_string(),
                one.ground.into(),
                one.phase.into(),
                one.ruling.into(),
                one.bond.to_string(),
                one.held.to_string(),
            ]
        }));
        table(&rows)
    })
}
