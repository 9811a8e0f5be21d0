//! `sahara award usage`.

use super::act;
use crate::{
    cli::{Doing, Usage},
    failure::Failure,
    output::{Format, now, utc},
    refusal::refused,
    session::Session,
};
use alloy_rpc_types_eth::Filter;
use eyre::Result;
use sahara_abi::{CHANNELS, IChannels, IIncentives, INCENTIVES};
use sahara_primitives::{Amount, B256, Timestamp, U256};
use serde_json::json;
use std::collections::BTreeSet;

/// Entries that one call counts.
const PAGE: usize = 64;

/// Runs a command about rounds by settled usage.
pub(super) async fn run(asked: &Usage, session: &Session, format: Format) -> Result<()> {
    match asked {
        Usage::Open { .. } => open(asked, session, format).await,
        Usage::Count { round, asset, doing } => {
            count(session, (*round, *asset), doing, format).await
        }
        Usage::Pay { round, asset, doing } => {
            let call = IIncentives::awardUsageCall { round: *round, asset: *asset };
            act(doing).report(session, &call, format).await
        }
        Usage::Close { round, doing } => {
            let call = IIncentives::closeUsageRoundCall { round: *round };
            act(doing).report(session, &call, format).await
        }
    }
}

async fn open(asked: &Usage, session: &Session, format: Format) -> Result<()> {
    let Usage::Open { programme, total, counting, paying, doing } = asked else { return Ok(()) };
    let count_until = now().0.saturating_add(counting.0);
    let call = IIncentives::openUsageRoundCall {
        programme: *programme,
        total: total.base_units(),
        countUntil: count_until,
        closesAt: count_until.saturating_add(paying.0),
        terms: Default::default(),
    };
    let Some(outcome) = act(doing).perform(session, &call, format).await? else { return Ok(()) };
    let opened = outcome.events::<IIncentives::UsageRoundOpened>();
    let number = opened.first().map(|event| event.data.round).unwrap_or_default();
    format.print(&json!({"round": number, "count_until": count_until}), |_| {
        format!("round {number} by usage: owners count until {}", utc(Timestamp(count_until)))
    })
}

/// Everything that a worker ever earned with the asset, as far as it brought fees that count now.
async fn entries(session: &Session, asset: u64) -> Result<(Vec<IIncentives::Served>, Amount)> {
    let client = session.client()?;
    let filter = Filter::new().address(CHANNELS).from_block(0);
    let filter = filter.topic2(B256::from(U256::from(asset)));
    let earned = client.events::<IChannels::Earned>(filter).await.map_err(refused)?;
    let named: BTreeSet<_> =
        earned.iter().map(|(_, event)| (event.data.channelId, event.data.worker)).collect();
    let (mut entries, mut fees) = (Vec::new(), Amount::ZERO);
    for (channel_id, worker) in named {
        let served = IIncentives::Served { channelId: channel_id, worker };
        let asked = IIncentives::countableCall { asset, served: served.clone() };
        let found = client.call(INCENTIVES, &asked).await.map_err(refused)?;
        if !found.isRelated && !found.fees.is_zero() {
            fees = fees.checked_add(Amount::from_base_units(found.fees))?;
            entries.push(served);
        }
    }
    Ok((entries, fees))
}

async fn count(
    session: &Session,
    (round, asset): (u64, u64),
    doing: &Doing,
    format: Format,
) -> Result<()> {
    let (entries, fees) = entries(session, asset).await?;
    if entries.is_empty() {
        return Err(Failure::refused(format!(
            "nobody unrelated paid fees for asset {asset} that no round has counted yet"
        )));
    }
    for served in entries.chunks(PAGE) {
        let call = IIncentives::countUsageCall { round, asset, served: served.to_vec() };
        if act(doing).perform(session, &call, format).await?.is_none() {
            return Ok(());
        }
    }
    let number = entries.len();
    format.print(&json!({"round": round, "asset": asset, "fees": fees, "entries": number}), |_| {
        format!("{fees} SAHARA of fees were counted for asset {asset} in round {round}; it gets at most as much")
    })
}
