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
use sahara_evm::FeeParameters;
use sahara_primitives::BasisPoints;
use sahara_protocols::{FeeParts, Parameters};
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
    let parameters = if fees.defaults {
        Parameters::DEFAULT
    } else {
        let shown = session.client()?.call(SYSTEM, &ISystem::parametersCall {}).await;
        let shown = shown.map_err(refused)?;
        Parameters::try_from(&shown).map_err(|_| eyre!("the chain's parameters are not valid"))?
    };
    format.print(&rows(&parameters), |rows| {
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

fn rows(fees: &Parameters) -> Vec<Row> {
    let row = |what, amount: String, to: String| Row { what, amount, to };
    let pool = || String::from("incentive pool");
    let floor = FeeParameters::default().base_fee_floor / 1_000_000_000;
    let tax = percent(FeeParts::TAX);
    let seats = 10_000_u16.saturating_sub(FeeParts::TAX.points());
    let seats = percent(BasisPoints::new(seats).unwrap_or_default());
    vec![
        row(
            "gas: base fee and tip",
            format!("at least {floor} gwei a unit"),
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
