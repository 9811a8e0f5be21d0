//! What an account earned, by period and asset, and why.

use crate::{
    cli::Statement,
    commands::income,
    failure::Failure,
    output::{Format, day_of, say, table, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_client::{ChainClient, Filter};
use sahara_primitives::{Address, Amount, Timestamp, U256};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Pools asked for at once.
const PAGE: u64 = 100;

/// What arrived in one period from one asset.
#[derive(Debug, Serialize)]
struct Line {
    period: String,
    asset: u64,
    payments: u64,
    credited: Amount,
}

/// What an account holds of a pool: its reason to earn.
#[derive(Debug, Serialize)]
struct Pool {
    asset: u64,
    units: String,
    owner_units: String,
    pool_units: String,
    deposited: Amount,
    paid: Amount,
    earned: Amount,
}

/// Runs `sahara contribution statement`.
pub(super) async fn run(asked: &Statement, session: &Session, format: Format) -> Result<()> {
    format.refuse_beside("--csv", asked.csv)?;
    let account = match asked.account {
        Some(account) => account,
        None => session.key(&asked.signer).await?.address(),
    };
    let from = asked.from.as_deref().map(check_day).transpose()?;
    let to = asked.to.as_deref().map(check_day).transpose()?;
    let client = session.client()?;
    let is_asked = |day: &str| from.is_none_or(|from| day >= from) && to.is_none_or(|to| day <= to);
    let lines = lines(&client, account, &asked.by, is_asked).await?;
    let total = Amount::sum(lines.iter().map(|line| line.credited))?;
    if asked.csv {
        return say(csv(&lines).trim_end());
    }
    let pools = pools(&client, account).await?;
    let waiting = client.earned(account).await.map_err(refused)?;
    let value = json!({
        "account": account, "by": asked.by, "lines": lines, "credited": total, "waiting": waiting, "pools": pools,
    });
    format.print(&value, |_| text(account, &lines, &pools, (total, waiting)))
}

/// A day as it stands in a calendar: texts of this form compare as days do.
fn check_day(text: &str) -> Result<&str> {
    let is_digit = |place: usize| !matches!(place, 4 | 7);
    let is_day = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| {
            if is_digit(place) { byte.is_ascii_digit() } else { byte == b'-' }
        });
    if is_day {
        Ok(text)
    } else {
        Err(Failure::usage(format!("`{text}` is no day: expected YYYY-MM-DD")))
    }
}

/// The period in which a day is.
fn period<'a>(by: &str, day: &'a str) -> &'a str {
    let length = match by {
        "day" => 10,
        "month" => 7,
        "year" => 4,
        _ => return "all",
    };
    day.get(..length).unwrap_or(day)
}

/// Every credit of the account, added up by period and asset.
async fn lines(
    client: &ChainClient,
    account: Address,
    by: &str,
    is_asked: impl Fn(&str) -> bool,
) -> Result<Vec<Line>> {
    let filter = Filter::new().address(ROYALTIES).from_block(0).topic2(account.into_word());
    let settled = client.events::<IRoyalties::Settled>(filter).await.map_err(refused)?;
    let settled =
        settled.into_iter().map(|(log, event)| (log, event.data.asset, event.data.amount));
    let parts = income::parts(client, |part| part.account == account).await?;
    let parts = parts.into_iter().map(|(log, part)| (log, part.asset, part.amount));
    let mut sums: BTreeMap<(String, u64), (u64, Amount)> = BTreeMap::new();
    for (log, asset, amount) in settled.chain(parts) {
        let at = log.block_timestamp.ok_or_else(|| {
            Failure::network("the node does not say when a log was written: it is no Sahara node")
        })?;
        let day = day_of(Timestamp(at));
        if !is_asked(&day) {
            continue;
        }
        let place = (period(by, &day).to_owned(), asset);
        let (payments, credited) = sums.entry(place).or_default();
        *payments = payments.saturating_add(1);
        *credited = credited.checked_add(Amount::from_base_units(amount))?;
    }
    let line = |((period, asset), (payments, credited))| Line { period, asset, payments, credited };
    Ok(sums.into_iter().map(line).collect())
}

/// Every pool of which the account holds units.
async fn pools(client: &ChainClient, account: Address) -> Result<Vec<Pool>> {
    let mut found = Vec::new();
    loop {
        let (start, count) = (U256::from(found.len()), U256::from(PAGE));
        let call = IRoyalties::statementCall { account, start, count };
        let page = client.call(ROYALTIES, &call).await.map_err(refused)?;
        let is_empty = page.statements.is_empty();
        found.extend(page.statements.iter().map(|one| Pool {
            asset: one.asset,
            units: one.units.to_string(),
            owner_units: one.ownerUnits.to_string(),
            pool_units: one.poolUnits.to_string(),
            deposited: Amount::from_base_units(one.deposited),
            paid: Amount::from_base_units(one.paid),
            earned: Amount::from_base_units(one.earned),
        }));
        if is_empty || U256::from(found.len()) >= page.total {
            return Ok(found);
        }
    }
}

fn csv(lines: &[Line]) -> String {
    let mut text = String::from("period,asset,payments,credited\n");
    for Line { period, asset, payments, credited } in lines {
        text.push_str(&format!("{period},{asset},{payments},{credited}\n"));
    }
    text
}

fn text(
    account: Address,
    lines: &[Line],
    pools: &[Pool],
    (total, waiting): (Amount, Amount),
) -> String {
    let now = utc(crate::output::now());
    let mut parts = vec![format!("{account}, up to {now}, in SAHARA")];
    if lines.is_empty() {
        parts.push(String::from("nothing was credited"));
    } else {
        let mut rows = vec![["PERIOD", "ASSET", "PAYMENTS", "CREDITED"].map(String::from).to_vec()];
        rows.extend(lines.iter().map(|line| {
            let (asset, payments) = (line.asset.to_string(), line.payments.to_string());
            vec![line.period.clone(), asset, payments, line.credited.to_string()]
        }));
        rows.push(vec![String::from("together"), String::new(), String::new(), total.to_string()]);
        parts.push(table(&rows));
    }
    if !pools.is_empty() {
        let head = ["ASSET", "UNITS", "AS OWNER", "OF", "ALL DEPOSITED", "PAID", "WAITING"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(pools.iter().map(|pool| {
            vec![
                pool.asset.to_string(),
                pool.units.clone(),
                pool.owner_units.clone(),
                pool.pool_units.clone(),
                pool.deposited.to_string(),
                pool.paid.to_string(),
                pool.earned.to_string(),
            ]
        }));
        parts.push(format!("Why: units of pools, since they began\n{}", table(&rows)));
    }
    parts.push(format!("{waiting} SAHARA more are earned and credited before they are next spent"));
    parts.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::{check_day, period};

    #[test]
    fn a_period_is_a_beginning_of_its_days() {
        let day = "2026-11-22";
        assert_eq!(
            ["day", "month", "year", "all"].map(|by| period(by, day)),
            ["2026-11-22", "2026-11", "2026", "all"]
        );
    }

    #[test]
    fn what_is_no_day_is_refused() {
        assert!(check_day("2026-11-22").is_ok());
        for text in ["", "2026-11", "22.11.2026", "2026-11-2x", "2026/11/22"] {
            assert!(check_day(text).is_err(), "{text:?} was read");
        }
    }
}
