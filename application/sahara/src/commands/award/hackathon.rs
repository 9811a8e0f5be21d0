//! `sahara award hackathon`.

use super::{act, hash};
use crate::{
    cli::Hackathon,
    output::{Format, now, utc},
    session::Session,
};
use eyre::Result;
use sahara_abi::IIncentives;
use sahara_primitives::Timestamp;
use serde_json::json;

/// Runs a command about hackathons.
pub(super) async fn run(asked: &Hackathon, session: &Session, format: Format) -> Result<()> {
    match asked {
        Hackathon::Open { .. } => open(asked, session, format).await,
        Hackathon::Enter { hackathon, work, doing } => {
            let call = IIncentives::submitCall { hackathon: *hackathon, work: hash(work)? };
            act(doing).report(session, &call, format).await
        }
        Hackathon::Judge { hackathon, ranking, doing } => {
            let ranking = ranking.clone();
            let call = IIncentives::judgeCall { hackathon: *hackathon, ranking };
            act(doing).report(session, &call, format).await
        }
        Hackathon::Finish { hackathon, doing } => {
            let call = IIncentives::finishCall { hackathon: *hackathon };
            act(doing).report(session, &call, format).await
        }
    }
}

async fn open(asked: &Hackathon, session: &Session, format: Format) -> Result<()> {
    let Hackathon::Open { programme, judges, prizes, submit, judging, terms, doing } = asked else {
        return Ok(());
    };
    let submit_until = now().0.saturating_add(submit.0);
    let judge_until = submit_until.saturating_add(judging.0);
    let call = IIncentives::openHackathonCall {
        programme: *programme,
        judges: judges.clone(),
        prizes: prizes.iter().map(|prize| prize.base_units()).collect(),
        submitUntil: submit_until,
        judgeUntil: judge_until,
        terms: hash(terms)?,
    };
    let Some(outcome) = act(doing).perform(session, &call, format).await? else { return Ok(()) };
    let opened = outcome.events::<IIncentives::HackathonOpened>();
    let number = opened.first().map(|event| event.data.hackathon).unwrap_or_default();
    let shown =
        json!({"hackathon": number, "submit_until": submit_until, "judge_until": judge_until});
    format.print(&shown, |_| {
        let (works, judged) = (utc(Timestamp(submit_until)), utc(Timestamp(judge_until)));
        format!("hackathon {number}: works until {works}, judges until {judged}")
    })
}
