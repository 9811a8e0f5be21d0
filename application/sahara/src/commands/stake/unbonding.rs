//! What is on its way out.

use crate::{
    output::{Format, from_now, now, table, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{IStaking, STAKING};
use sahara_primitives::{Address, Amount, Timestamp, U256};
use serde::Serialize;

/// Validators fetched at once: more than an account can stand behind.
const PAGE: u64 = 100;

#[derive(Serialize)]
struct Row {
    validator: Address,
    amount: Amount,
    completes_at: u64,
}

/// Shows every unbonding of an account, the next one first.
pub(super) async fn show(session: &Session, account: Address, format: Format) -> Result<()> {
    let client = session.client()?;
    let count = U256::from(PAGE);
    let call = IStaking::delegationsOfCall { delegator: account, start: U256::ZERO, count };
    let validators = client.call(STAKING, &call).await.map_err(refused)?.validators;
    let mut rows = Vec::new();
    for validator in validators {
        let call = IStaking::unbondingsCall { delegator: account, validator };
        let found = client.call(STAKING, &call).await.map_err(refused)?;
        rows.extend(found.into_iter().map(|one| Row {
            validator,
            amount: Amount::from_base_units(one.amount),
            completes_at: one.completesAt,
        }));
    }
    rows.sort_by_key(|row| row.completes_at);
    format.print(&rows, |rows| page(rows, account))
}

fn page(rows: &[Row], account: Address) -> String {
    if rows.is_empty() {
        return format!("nothing of {account} is on its way out");
    }
    let mut lines = vec![["SAHARA", "FREE AT", "", "VALIDATOR"].map(String::from).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let at = Timestamp(row.completes_at);
        let left = if at <= now() {
            String::from("now: `sahara stake withdraw`")
        } else {
            from_now(at, now())
        };
        vec![row.amount.to_string(), utc(at), left, row.validator.to_string()]
    }));
    table(&lines)
}
