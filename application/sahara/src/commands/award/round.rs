//! `sahara award round`: awards by a list.

use super::{act, hash};
use crate::{
    cli::{Doing, Round},
    commands::airdrop::{parse, proof, root_of},
    failure::Failure,
    output::{Format, now, utc},
    refusal::refused,
    session::Session,
};
use eyre::{Result, WrapErr};
use sahara_abi::{IIncentives, INCENTIVES};
use sahara_primitives::{Address, Amount, B256, Timestamp, U256};
use sahara_protocols::incentives::leaf;
use serde_json::json;
use std::path::Path;

/// Runs a command about rounds of awards.
pub(super) async fn run(asked: &Round, session: &Session, format: Format) -> Result<()> {
    match asked {
        Round::Open { .. } => open(asked, session, format).await,
        Round::Claim { round, list, index, doing } => {
            claim(session, (*round, *index), list, doing, format).await
        }
        Round::Close { round, doing } => {
            let call = IIncentives::closeRoundCall { round: *round };
            act(doing).report(session, &call, format).await
        }
    }
}

fn read(file: &Path) -> Result<Vec<(Address, Amount)>> {
    let text = std::fs::read_to_string(file);
    parse(&text.wrap_err_with(|| format!("could not read {}", file.display()))?)
}

const fn award(index: u64, (account, amount): (Address, Amount)) -> IIncentives::Award {
    let amount = amount.base_units();
    IIncentives::Award { index, account, asset: 0, fees: U256::ZERO, amount }
}

fn leaves(chain_id: u64, round: u64, list: &[(Address, Amount)]) -> Vec<B256> {
    let awards = (0..).zip(list).map(|(index, line)| award(index, *line));
    awards.map(|award| leaf(chain_id, round, &award)).collect()
}

async fn open(asked: &Round, session: &Session, format: Format) -> Result<()> {
    let Round::Open { programme, list, claims, terms, doing } = asked else { return Ok(()) };
    let client = session.client()?;
    let list = read(list)?;
    let chain_id = client.chain_id().await.map_err(refused)?;
    let counts = client.call(INCENTIVES, &IIncentives::countsCall {}).await.map_err(refused)?;
    let next = counts.rounds.saturating_add(1);
    let total = Amount::sum(list.iter().map(|(_, amount)| *amount))?;
    let closes_at = now().0.saturating_add(claims.0);
    let call = IIncentives::openRoundCall {
        programme: *programme,
        root: root_of(leaves(chain_id, next, &list)),
        total: total.base_units(),
        closesAt: closes_at,
        isByUsage: false,
        terms: hash(terms)?,
    };
    let Some(outcome) = act(doing).perform(session, &call, format).await? else { return Ok(()) };
    let opened = outcome.events::<IIncentives::RoundOpened>();
    let number = opened.first().map(|event| event.data.round).unwrap_or_default();
    if number != next {
        return Err(Failure::refused(format!(
            "another round was opened at the same moment: round {number} has the list of round {next}, so nobody can claim from it; open it again, its coin comes back at {}",
            utc(Timestamp(closes_at))
        )));
    }
    let shown = json!({"round": number, "root": call.root, "total": total, "closes_at": closes_at});
    format.print(&shown, |_| {
        let until = utc(Timestamp(closes_at));
        format!(
            "round {number}: {total} SAHARA for {} accounts until {until}; publish the list",
            list.len()
        )
    })
}

async fn claim(
    session: &Session,
    (round, index): (u64, u64),
    file: &Path,
    doing: &Doing,
    format: Format,
) -> Result<()> {
    let list = read(file)?;
    let chain_id = session.client()?.chain_id().await.map_err(refused)?;
    let line = usize::try_from(index).ok().and_then(|place| list.get(place)).ok_or_else(|| {
        Failure::not_found(format!("the list has no award {index}; the first is 0"))
    })?;
    let call = IIncentives::claimCall {
        round,
        award: award(index, *line),
        proof: proof(leaves(chain_id, round, &list), index),
    };
    act(doing).report(session, &call, format).await
}
