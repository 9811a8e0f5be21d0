//! `sahara abi`.

use crate::output::{Format, table};
use alloy_primitives::Address;
use sahara_abi::PROTOCOLS;
use serde::Serialize;

#[derive(Serialize)]
struct Row {
    name: &'static str,
    address: Address,
    abi: alloy_json_abi::JsonAbi,
}

/// Prints name, address and ABI of every native protocol.
pub(crate) fn run(format: Format) -> eyre::Result<()> {
    let rows: Vec<Row> = PROTOCOLS
        .iter()
        .map(|protocol| Row {
            name: protocol.name,
            address: protocol.address,
            abi: protocol.interface(),
        })
        .collect();
    format.print(&rows, |rows| {
        let mut lines =
            vec![vec!["PROTOCOL".into(), "ADDRESS".into(), "FUNCTIONS".into(), "EVENTS".into()]];
        lines.extend(rows.iter().map(|row| {
            let (functions, events) = (row.abi.functions().count(), row.abi.events().count());
            vec![
                row.name.into(),
                row.address.to_string(),
                functions.to_string(),
                events.to_string(),
            ]
        }));
        format!("{}\n\nThe ABIs: sahara abi --json", table(&lines))
    })
}
