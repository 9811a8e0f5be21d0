//! A simulation as a table and as comma-separated values.

use super::{
    attack::{least, thresholds},
    chart::short,
    ledger::{Month, Rules, Run},
    plots::whole,
};
use crate::output::table;
use eyre::Result;
use sahara_primitives::Amount;
use serde::Serialize;

/// The end of a year.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Year {
    demand: String,
    year: usize,
    pub(super) ends: u64,
    circulating: Amount,
    staked: Amount,
    /// Millions.
    requests: u64,
    paid: Amount,
    gas_price: u64,
    validators: Amount,
    /// Of the stake, in basis points.
    earned_basis_points: u64,
    pool_income: Amount,
    pool_free: Amount,
    treasury_free: Amount,
    /// What an attacker stakes beside this to halt the chain.
    to_halt: Amount,
}

/// Every year of every run.
pub(super) fn years(runs: &[Run], rules: &Rules) -> Result<Vec<Year>> {
    let mut years = Vec::new();
    let seats = u32::from(rules.staking.seats);
    let (halt, _) = thresholds(seats);
    for run in runs {
        for year in 1..=run.months.len() / 12 {
            let end = year * 12;
            let last = run.months.get(end).copied().unwrap_or_default();
            let twelve: Vec<&Month> = run.months.iter().take(end + 1).rev().take(12).collect();
            let sum =
                |read: fn(&Month) -> Amount| Amount::sum(twelve.iter().map(|month| read(month)));
            let validators = sum(|month| month.validators)?;
            years.push(Year {
                demand: run.demand.name.clone(),
                year,
                ends: rules.time(u32::try_from(end)?).0,
                circulating: last.circulating,
                staked: last.staked,
                requests: twelve.iter().map(|month| month.requests).sum(),
                paid: sum(|month| month.paid)?,
                gas_price: last.gas_price,
                validators,
                earned_basis_points: points(validators, last.staked),
                pool_income: sum(|month| month.tax)?
                    .checked_add(sum(|month| month.protocol_fees)?)?,
                pool_free: last.pool_free,
                treasury_free: last.treasury_free,
                to_halt: Amount::from_coins(least(last.staked, seats, halt)),
            });
        }
    }
    Ok(years)
}

/// `floor(10,000 * part / whole)`.
fn points(part: Amount, whole: Amount) -> u64 {
    let scaled = part.base_units().saturating_mul(alloy_primitives::U256::from(10_000));
    scaled.checked_div(whole.base_units()).map_or(0, |points| points.saturating_to())
}

/// For people: whole SAHARA in short.
pub(super) fn page(years: &[Year]) -> String {
    let head = [
        "DEMAND",
        "YEAR",
        "CIRCULATING",
        "STAKED",
        "REQUESTS",
        "PAID",
        "GAS PRICE",
        "VALIDATORS",
        "A YEAR",
        "POOL EARNS",
        "POOL FREE",
        "TO HALT",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(years.iter().map(|year| {
        let coins = |amount: Amount| short(whole(amount));
        vec![
            year.demand.clone(),
            year.year.to_string(),
            coins(year.circulating),
            coins(year.staked),
            short(year.requests),
            coins(year.paid),
            format!("{} gwei", year.gas_price / 1_000_000_000),
            coins(year.validators),
            format!("{}.{:02} %", year.earned_basis_points / 100, year.earned_basis_points % 100),
            coins(year.pool_income),
            coins(year.pool_free),
            coins(year.to_halt),
        ]
    }));
    table(&rows)
}

/// For programs: every month, in SAHARA to the unit.
pub(super) fn csv(runs: &[Run]) -> String {
    let mut text = String::from(
        "demand,month,circulating,staked,bound,pool,pool_free,treasury,treasury_free,requests,paid,gas_fees,gas_price,validators,commission,tax,protocol_fees,spent\n",
    );
    for run in runs {
        for (number, month) in run.months.iter().enumerate() {
            let Month { circulating, staked, bound, pool, pool_free, .. } = month;
            let Month { treasury, treasury_free, requests, paid, gas_fees, .. } = month;
            let Month { gas_price, validators, commission, tax, protocol_fees, spent, .. } = month;
            let name = run.demand.name.replace(',', " ");
            text.push_str(&format!(
                "{name},{number},{circulating},{staked},{bound},{pool},{pool_free},{treasury},{treasury_free},{requests},{paid},{gas_fees},{gas_price},{validators},{commission},{tax},{protocol_fees},{spent}\n"
            ));
        }
    }
    text
}
