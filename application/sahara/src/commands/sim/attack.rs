//! What it costs to halt the chain, and to decide alone what it says.

use crate::{
    cli::{Attack, Dollars},
    failure::Failure,
    output::{Format, table},
};
use eyre::Result;
use sahara_finality::quorum;
use sahara_primitives::{Amount, BasisPoints};
use sahara_protocols::staking::{Parameters, seats::seats};
use serde::Serialize;

/// The commission that simulated validators ask: 5 %, the default of `sahara stake create`.
pub(super) const COMMISSION: u16 = 500;

/// An attacker's bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) honest_stake: Amount,
    pub(super) price: String,
    /// To halt: with more than a third of the seats no quorum comes about.
    pub(super) halt: Cost,
    /// To decide alone: with a quorum of the seats.
    pub(super) decide: Cost,
}

/// What somebody must own, and what of it the chain takes for signing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Cost {
    pub(super) seats: u32,
    pub(super) stake: Amount,
    pub(super) dollars: String,
    pub(super) slashed: Amount,
}

/// The least whole coins with which one account gets `wanted` of `n` seats, by the chain's own
/// apportionment, beside `honest` divided evenly among as many validators as there are seats.
pub(super) fn least(honest: Amount, n: u32, wanted: u32) -> u64 {
    let part = honest.div_floor(n.into()).and_then(Amount::to_u128).unwrap_or_default();
    let others = usize::try_from(n).unwrap_or_default();
    let wins = |coins: u64| {
        let mut stakes = vec![part; others];
        stakes.push(Amount::from_coins(coins).to_u128().unwrap_or(u128::MAX));
        seats(&stakes, n).last().is_some_and(|won| *won >= wanted)
    };
    let (mut low, mut high) = (0_u64, 10_000_000_000_u64);
    while low < high {
        let middle = low + (high - low) / 2;
        if wins(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// Seats that stop a quorum, and seats that are one.
pub(super) fn thresholds(n: u32) -> (u32, u32) {
    let quorum = u32::try_from(quorum(usize::try_from(n).unwrap_or_default())).unwrap_or(n);
    (n.saturating_sub(quorum).saturating_add(1), quorum)
}

/// All bills, for each stake and price.
pub(super) fn rows(stakes: &[Amount], prices: &[Dollars], rules: &Parameters) -> Result<Vec<Row>> {
    let slash = BasisPoints::new(rules.double_sign_slash)?;
    let n = u32::from(rules.seats);
    let (halt, decide) = thresholds(n);
    let mut rows = Vec::new();
    for honest in stakes {
        let bill = |seats: u32, price: Dollars| -> Result<Cost> {
            let stake = Amount::from_coins(least(*honest, n, seats));
            Ok(Cost { seats, stake, dollars: price.of(stake), slashed: slash.of(stake)? })
        };
        for price in prices {
            let (halt, decide) = (bill(halt, *price)?, bill(decide, *price)?);
            rows.push(Row { honest_stake: *honest, price: price.to_string(), halt, decide });
        }
    }
    Ok(rows)
}

/// Runs `sahara sim attack`.
pub(super) fn run(asked: &Attack, format: Format) -> Result<()> {
    let rules = Parameters { seats: asked.seats, ..Parameters::default() };
    if !rules.is_valid() {
        return Err(Failure::usage(format!(
            "{} seats are not possible: expected 1 to 256",
            asked.seats
        )));
    }
    let rows = rows(&asked.stakes, &asked.prices, &rules)?;
    format.print(&rows, |rows| page(rows, &rules))
}

fn page(rows: &[Row], rules: &Parameters) -> String {
    let head = ["HONEST STAKE", "PRICE", "TO HALT", "", "TO DECIDE ALONE", "", "SLASHED"];
    let mut lines = vec![head.map(String::from).to_vec()];
    for Row { honest_stake, price, halt, decide } in rows {
        lines.push(vec![
            honest_stake.to_string(),
            price.clone(),
            halt.stake.to_string(),
            halt.dollars.clone(),
            decide.stake.to_string(),
            decide.dollars.clone(),
            decide.slashed.to_string(),
        ]);
    }
    let (halt, decide) = thresholds(rules.seats.into());
    format!(
        "{}\nof {} seats: {halt} halt, {decide} decide alone; whole SAHARA to be staked beside the honest stake, whole dollars",
        table(&lines),
        rules.seats
    )
}
