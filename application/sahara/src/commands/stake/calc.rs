//! What a stake would earn.

use crate::{
    failure::Failure,
    output::{Format, pairs},
    refusal::refused,
    session::Session,
};
use alloy_rpc_types_eth::Filter;
use eyre::{Result, eyre};
use sahara_abi::{IStaking, ISystem, STAKING, SYSTEM};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, U256};
use sahara_protocols::staking::commission_of;
use serde::Serialize;

/// Seconds of a year of 365 days.
const YEAR: u64 = 31_536_000;

#[derive(Serialize)]
struct Shown {
    amount: Amount,
    /// Of all validators now.
    stake: Amount,
    blocks: u64,
    seconds: u64,
    /// What validators got of fees in these blocks.
    fees: Amount,
    commission_basis_points: u16,
    /// What the amount would earn in a year.
    a_year: Amount,
    earned_basis_points: u64,
}

/// What an amount earns of fees in a year, when they were so much in some seconds: its part of the stake
/// that it would then be part of, less commission; rounded down.
fn estimate(
    fees: Amount,
    seconds: u64,
    (amount, stake): (Amount, Amount),
    commission: u16,
) -> Option<Amount> {
    let all = stake.checked_add(amount).ok()?.base_units();
    let year = fees.base_units().checked_mul(U256::from(YEAR))?.checked_div(U256::from(seconds))?;
    let part = year.checked_mul(amount.base_units())?.checked_div(all)?;
    let part = u128::try_from(part).ok()?;
    Some(Amount::from_u128(part.saturating_sub(commission_of(part, commission))))
}

async fn time(client: &ChainClient, block: u64) -> Result<u64> {
    let shown: serde_json::Value = client
        .request("eth_getBlockByNumber", (format!("0x{block:x}"), false))
        .await
        .map_err(refused)?;
    let time = shown.get("timestamp").and_then(serde_json::Value::as_str);
    let time = time.and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    time.ok_or_else(|| eyre!("block {block} has no time"))
}

/// Estimates from the fees of the last blocks.
pub(super) async fn run(
    session: &Session,
    (amount, validator): (Amount, Option<Address>),
    blocks: u64,
    format: Format,
) -> Result<()> {
    let client = session.client()?;
    let head = client.block_number().await.map_err(refused)?.0;
    let first = head.saturating_sub(blocks);
    let seconds = time(&client, head).await?.saturating_sub(time(&client, first).await?);
    let filter = Filter::new().address(SYSTEM).from_block(first.saturating_add(1)).to_block(head);
    let events = client.events::<ISystem::FeesDistributed>(filter).await.map_err(refused)?;
    let fees = events.iter().map(|(_, event)| Amount::from_base_units(event.data.validators));
    let fees = Amount::sum(fees)?;
    let mut stake = Amount::ZERO;
    for validator in super::all(session).await? {
        let call = IStaking::validatorCall { validator };
        let record = client.call(STAKING, &call).await.map_err(refused)?;
        stake = stake.checked_add(Amount::from_base_units(record.stake))?;
    }
    let commission = match validator {
        Some(validator) => {
            let call = IStaking::validatorCall { validator };
            client.call(STAKING, &call).await.map_err(refused)?.commission
        }
        None => 0,
    };
    let a_year = estimate(fees, seconds, (amount, stake), commission).ok_or_else(|| {
        Failure::refused(
            "expected an amount, and blocks between which time has passed: ask again later",
        )
    })?;
    let points = a_year.base_units().saturating_mul(U256::from(10_000));
    let earned_basis_points =
        points.checked_div(amount.base_units()).unwrap_or_default().saturating_to();
    let shown = Shown {
        amount,
        stake,
        blocks: head.saturating_sub(first),
        seconds,
        fees,
        commission_basis_points: commission,
        a_year,
        earned_basis_points,
    };
    format.print(&shown, page)
}

fn page(shown: &Shown) -> String {
    let percent = |points: u64| format!("{}.{:02} %", points / 100, points % 100);
    let rows = pairs([
        ("stake", format!("{} SAHARA beside {} of all others", shown.amount, shown.stake)),
        (
            "fees",
            format!(
                "{} SAHARA to validators in {} blocks, {} s",
                shown.fees, shown.blocks, shown.seconds
            ),
        ),
        ("commission", percent(shown.commission_basis_points.into())),
        (
            "earns a year",
            format!("{} SAHARA, {}", shown.a_year, percent(shown.earned_basis_points)),
        ),
    ]);
    format!("{rows}\nif fees stay as they were; there is no inflation, validators earn fees alone")
}

#[cfg(test)]
mod tests {
    use super::{YEAR, estimate};
    use sahara_primitives::Amount;

    #[test]
    fn an_estimate_is_the_part_of_the_stake_less_commission() {
        let coins = Amount::from_coins;
        // 10 SAHARA of fees in a thousandth of a year; a tenth of the stake; 5 % commission.
        let seconds = YEAR / 1_000;
        let earned = estimate(coins(10), seconds, (coins(100), coins(900)), 500);
        assert_eq!(earned, Some(coins(950)));
        assert_eq!(estimate(coins(10), 0, (coins(1), coins(1)), 0), None);
        assert_eq!(estimate(coins(10), 1, (Amount::ZERO, Amount::ZERO), 0), None);
    }
}
