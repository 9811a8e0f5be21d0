//! `sahara fees`: what a user pays, and who gets it.
//!
//! The one table: amounts are those of the chain's parameters, or their defaults where the rules have them.

use crate::{
    cli::Fees,
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use eyre::{Result, eyre};
use sahara_abi::{ISystem, SYSTEM};
use sahara_primitives::BasisPoints;
use sahara_protocols::{FeeParts, GasParameters, Parameters};
use serde::Serialize;

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Row {
    what: &'static str,
    amount: String,
    to: String,
}

/// Shows the table.
pub(crate) async fn run(fees: &Fees, session: &Session, format: Format) -> Result<()> {
    let (parameters, gas) = if fees.defaults {
        (Parameters::DEFAULT, GasParameters::DEFAULT)
    } else {
        let client = session.client()?;
        let shown = client.call(SYSTEM, &ISystem::parametersCall {}).await.map_err(refused)?;
        let gas = client.call(SYSTEM, &ISystem::gasParametersCall {}).await.map_err(refused)?;
        let invalid = |_| eyre!("the chain's parameters are not valid");
        (Parameters::try_from(&shown).map_err(invalid)?, GasParameters::from(&gas))
    };
    format.print(&rows(&parameters, gas), |rows| {
        let mut lines = vec![["A USER PAYS", "HOW MUCH", "WHO GETS IT"].map(String::from).to_vec()];
        lines.extend(
            rows.iter().map(|row| vec![row.what.into(), row.amount.clone(), row.to.clone()]),
        );
        table(&lines)
    })
}

/// `1 %`, `2.5 %`.
fn percent(ratio: BasisPoints) -> String {
    let (whole, part) = (ratio.points() / 100, format!("{:02}", ratio.points() % 100));
    match part.trim_end_matches('0') {
        "" => format!("{whole} %"),
        part => format!("{whole}.{part} %"),
    }
}

/// `1 gwei`, `0.25 gwei`.
fn gwei(units: u64) -> String {
    let (whole, part) = (units / 1_000_000_000, format!("{:09}", units % 1_000_000_000));
    match part.trim_end_matches('0') {
        "" => format!("{whole} gwei"),
        part => format!("{whole}.{part} gwei"),
    }
}

fn rows(fees: &Parameters, gas: GasParameters) -> Vec<Row> {
    let row = |what, amount: String, to: String| Row { what, amount, to };
    let pool = || String::from("incentive pool");
    let tax = percent(FeeParts::TAX);
    let seats = 10_000_u16.saturating_sub(FeeParts::TAX.points());
    let seats = percent(BasisPoints::new(seats).unwrap_or_default());
    vec![
        row(
            "gas: base fee and tip",
            format!("at least {} a unit", gwei(gas.base_fee_floor)),
            format!("{seats} validators by seats, {tax} incentive pool; nothing is burned"),
        ),
        row("answer: computing", "the worker's price a token".into(), "worker".into()),
        row(
            "answer: using the asset",
            "the owner's price a token".into(),
            format!(
                "its members or owner; ancestors at most {} each, {} together",
                percent(fees.max_derivative_royalty),
                percent(fees.max_lineage_royalty)
            ),
        ),
        row("answer: protocol fee", format!("{} on top", percent(fees.protocol_fee)), pool()),
        row(
            "answer: gateway fee",
            format!("the gateway's, at most {}", percent(fees.max_gateway_fee)),
            "gateway".into(),
        ),
        row("licence", "its price".into(), "the asset and its ancestors, as above".into()),
        row("licence: fee", format!("{} on top", percent(fees.license_fee)), pool()),
        row(
            "market: price",
            "its price".into(),
            format!(
                "seller; referrer at most {}; a resold licence's asset at most {}",
                percent(fees.max_referral),
                percent(fees.max_resale_royalty)
            ),
        ),
        row("market: fee", format!("{} on top", percent(fees.market_fee)), pool()),
        row("market: listing on chain", format!("{} SAHARA", fees.listing_fee), pool()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_that_was_voted_is_shown_to_the_unit() {
        let shown = |base_fee_floor| {
            rows(&Parameters::DEFAULT, GasParameters { base_fee_floor })[0].amount.clone()
        };
        assert_eq!(shown(1_000_000_000), "at least 1 gwei a unit");
        assert_eq!(shown(250_000_000), "at least 0.25 gwei a unit");
        assert_eq!(shown(7_000_000_001), "at least 7.000000001 gwei a unit");
    }
}
