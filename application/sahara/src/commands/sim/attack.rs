//! What it costs to halt the chain, and to decide alone what it says.

use crate::{
    cli::{Attack, Distribution, Dollars},
    failure::Failure,
    output::{Format, table},
};
use eyre::{Result, WrapErr};
use sahara_chain::genesis::GenesisFile;
use sahara_finality::quorum;
use sahara_primitives::{Amount, BasisPoints, U256};
use sahara_protocols::staking::{Parameters, seats::seats};
use serde::Serialize;
use std::{cmp::Reverse, fs, path::Path};

/// The commission that simulated validators ask: 5 %, the default of `sahara stake create`.
pub(super) const COMMISSION: u16 = 500;

/// The largest weight of a validator in a distribution: parts differ from the exact ones by less than a
/// billionth of it.
const WEIGHT: u128 = 1_000_000_000;

/// An attacker's bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    pub(super) honest_stake: Amount,
    pub(super) validators: usize,
    pub(super) price: String,
    /// To halt: with more than a third of the seats no quorum comes about.
    pub(super) halt: Cost,
    /// To decide alone: with a quorum of the seats.
    pub(super) decide: Cost,
    /// The fewest of the honest validators that could halt together, without an attacker.
    pub(super) together: usize,
}

/// What somebody must own, and what of it the chain takes for signing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Cost {
    pub(super) seats: u32,
    pub(super) stake: Amount,
    /// Of all stake, the attacker's with it, in basis points, rounded down.
    pub(super) of_all: u64,
    pub(super) dollars: String,
    pub(super) slashed: Amount,
}

/// `honest` divided among so many validators, in base units, each part rounded down.
pub(super) fn spread(honest: Amount, validators: u32, how: Distribution) -> Vec<u128> {
    let weight = |rank: u32| match how {
        Distribution::Equal => WEIGHT,
        Distribution::Zipf => WEIGHT / u128::from(rank),
    };
    let all: u128 = (1..=validators).map(weight).sum();
    let whole = honest.to_u128().unwrap_or_default();
    (1..=validators).map(|rank| whole.saturating_mul(weight(rank)) / all.max(1)).collect()
}

/// The least whole coins with which one account gets `wanted` of `n` seats, by the chain's own
/// apportionment, beside validators with these stakes and as many keys as they could need.
pub(super) fn least_beside(honest: &[u128], n: u32, wanted: u32) -> u64 {
    let wins = |coins: u64| {
        let mut stakes = honest.to_vec();
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

/// As [`least_beside`], with `honest` divided evenly among as many validators as there are seats.
pub(super) fn least(honest: Amount, n: u32, wanted: u32) -> u64 {
    least_beside(&spread(honest, n, Distribution::Equal), n, wanted)
}

/// The fewest of these validators that have `wanted` of `n` seats together.
pub(super) fn fewest(honest: &[u128], n: u32, wanted: u32) -> usize {
    let mut won = seats(honest, n);
    won.sort_unstable_by_key(|seats| Reverse(*seats));
    let mut sum = 0;
    let short = won.iter().take_while(|seats| {
        sum += **seats;
        sum < wanted
    });
    won.len().min(short.count() + 1)
}

/// Seats that stop a quorum, and seats that are one.
pub(in crate::commands) fn thresholds(n: u32) -> (u32, u32) {
    let quorum = u32::try_from(quorum(usize::try_from(n).unwrap_or_default())).unwrap_or(n);
    (n.saturating_sub(quorum).saturating_add(1), quorum)
}

fn of_all(part: Amount, rest: Amount) -> u64 {
    let all = part.base_units().saturating_add(rest.base_units());
    let scaled = part.base_units().saturating_mul(U256::from(10_000));
    scaled.checked_div(all).map_or(0, |points| points.saturating_to())
}

/// All bills, for each way in which honest stake lies and each price.
pub(super) fn rows(
    lies: &[(Amount, Vec<u128>)],
    prices: &[Dollars],
    rules: &Parameters,
) -> Result<Vec<Row>> {
    let slash = BasisPoints::new(rules.double_sign_slash)?;
    let n = u32::from(rules.seats);
    let (halt, decide) = thresholds(n);
    let mut rows = Vec::new();
    for (honest, stakes) in lies {
        let together = fewest(stakes, n, halt);
        let needed = [halt, decide].map(|seats| (seats, least_beside(stakes, n, seats)));
        for price in prices {
            let bill = |(seats, coins): (u32, u64)| -> Result<Cost> {
                let stake = Amount::from_coins(coins);
                let (dollars, slashed) = (price.of(stake), slash.of(stake)?);
                Ok(Cost { seats, stake, of_all: of_all(stake, *honest), dollars, slashed })
            };
            let [halt, decide] = needed.map(bill);
            rows.push(Row {
                honest_stake: *honest,
                validators: stakes.len(),
                price: price.to_string(),
                halt: halt?,
                decide: decide?,
                together,
            });
        }
    }
    Ok(rows)
}

/// Runs `sahara sim attack`.
pub(super) fn run(asked: &Attack, format: Format) -> Result<()> {
    if let Some(file) = &asked.genesis {
        let (rules, stakes) = of_genesis(file)?;
        let rows = rows(&[stakes], &asked.prices, &rules)?;
        return format.print(&rows, |rows| page(rows, &rules, true));
    }
    let rules = Parameters { seats: asked.seats, ..Parameters::default() };
    if !rules.is_valid() {
        return Err(Failure::usage(format!(
            "{} seats are not possible: expected 1 to 256",
            asked.seats
        )));
    }
    let is_plain = asked.validators.is_empty() && asked.distribution == Distribution::Equal;
    let seats = [asked.seats];
    let counts = if asked.validators.is_empty() { &seats[..] } else { asked.validators.as_slice() };
    let mut lies = Vec::new();
    for honest in &asked.stakes {
        for count in counts {
            lies.push((*honest, spread(*honest, u32::from(*count), asked.distribution)));
        }
    }
    let rows = rows(&lies, &asked.prices, &rules)?;
    format.print(&rows, |rows| page(rows, &rules, !is_plain))
}

/// The stakes with which a network begins, and its rules.
fn of_genesis(file: &Path) -> Result<(Parameters, (Amount, Vec<u128>))> {
    let bytes = fs::read(file).wrap_err_with(|| format!("could not read {}", file.display()))?;
    let staking = GenesisFile::parse(&bytes)?.staking.ok_or_else(|| {
        Failure::usage(format!(
            "{} has no stakes: its validators follow each other by signatures",
            file.display()
        ))
    })?;
    let all = Amount::sum(staking.stakes.iter().map(|one| one.stake))?;
    let stakes = staking.stakes.iter().map(|one| one.stake.to_u128().unwrap_or(u128::MAX));
    let stakes = stakes.collect();
    Ok((staking.parameters.map(Into::into).unwrap_or_default(), (all, stakes)))
}

fn page(rows: &[Row], rules: &Parameters, is_detailed: bool) -> String {
    let plain = ["HONEST STAKE", "PRICE", "TO HALT", "", "TO DECIDE ALONE", "", "SLASHED"];
    let detailed =
        ["HONEST STAKE", "VALIDATORS", "PRICE", "TO HALT", "", "OF ALL", "TO DECIDE ALONE", ""];
    let detailed: Vec<_> = detailed.into_iter().chain(["SLASHED", "LARGEST"]).collect();
    let head = if is_detailed { detailed } else { plain.to_vec() };
    let mut lines: Vec<Vec<_>> = vec![head.into_iter().map(String::from).collect()];
    for Row { honest_stake, validators, price, halt, decide, together } in rows {
        let mut line = vec![honest_stake.to_string()];
        line.extend(is_detailed.then(|| validators.to_string()));
        line.extend([price.clone(), halt.stake.to_string(), halt.dollars.clone()]);
        let of_all = || format!("{}.{:02} %", halt.of_all / 100, halt.of_all % 100);
        line.extend(is_detailed.then(of_all));
        line.extend([decide.stake.to_string(), decide.dollars.clone(), decide.slashed.to_string()]);
        line.extend(is_detailed.then(|| together.to_string()));
        lines.push(line);
    }
    let (halt, decide) = thresholds(rules.seats.into());
    let mut text = format!(
        "{}\nof {} seats: {halt} halt, {decide} decide alone; whole SAHARA to be staked beside the honest stake, whole dollars",
        table(&lines),
        rules.seats
    );
    if is_detailed {
        text.push_str(
            "\nof all: of all stake then; largest: so many of these validators could halt together",
        );
    }
    text
}
