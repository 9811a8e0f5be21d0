//! Schedules, and a calculator on the classes' curves.

use crate::{
    output::{Format, from_now, now, table, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{IVesting, VESTING};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, BasisPoints, Timestamp, U256};
use sahara_protocols::vesting::Curve;
use serde::Serialize;

/// The classes' schedules, numbers 1 to 5.
const CLASSES: [&str; 5] = ["airdrop", "community", "incentive-pool", "team", "investors"];

/// Schedules fetched at once.
const PAGE: u64 = 256;

#[derive(Serialize)]
struct Row {
    number: u64,
    class: String,
    beneficiary: Address,
    total: Amount,
    released: Amount,
    releasable: Amount,
    next_unlock: Option<u64>,
    is_revocable: bool,
    needs_notice: bool,
    is_revoked: bool,
}

const fn coins(units: U256) -> Amount {
    Amount::from_base_units(units)
}

/// Shows an account's schedules, or the classes'.
pub(super) async fn show(
    session: &Session,
    account: Option<Address>,
    format: Format,
) -> Result<()> {
    let client = session.client()?;
    let numbers = match account {
        Some(account) => numbers(&client, account).await?,
        None => (1..=5).collect(),
    };
    let mut rows = Vec::new();
    for number in numbers {
        let call = IVesting::scheduleCall { schedule: number };
        let one = client.call(VESTING, &call).await.map_err(refused)?;
        let is_account = account.is_none_or(|account| account == one.beneficiary);
        if !is_account {
            continue;
        }
        let call = IVesting::unlocksCall { schedule: number, afterTime: now().0 };
        let coming = client.call(VESTING, &call).await.map_err(refused)?;
        let releasable = client.call(VESTING, &IVesting::releasableCall { schedule: number }).await;
        rows.push(Row {
            number,
            class: class_of(&client, one.pool).await?,
            beneficiary: one.beneficiary,
            total: coins(one.total),
            released: coins(one.released),
            releasable: coins(releasable.map_err(refused)?),
            next_unlock: coming.first().map(|unlock| unlock.begins),
            is_revocable: one.isRevocable,
            needs_notice: one.needsNotice,
            is_revoked: one.isRevoked,
        });
    }
    format.print(&rows, |rows| page(rows))
}

async fn numbers(client: &ChainClient, account: Address) -> Result<Vec<u64>> {
    let mut numbers = Vec::new();
    loop {
        let start = U256::from(numbers.len());
        let call = IVesting::schedulesOfCall { account, start, count: U256::from(PAGE) };
        let page = client.call(VESTING, &call).await.map_err(refused)?;
        let is_last = page.schedules.is_empty();
        numbers.extend(page.schedules);
        if is_last || U256::from(numbers.len()) >= page.total {
            return Ok(numbers);
        }
    }
}

/// The class whose coin lies in a pool.
async fn class_of(client: &ChainClient, pool: Address) -> Result<String> {
    for (number, name) in (1..).zip(CLASSES) {
        let call = IVesting::scheduleCall { schedule: number };
        if client.call(VESTING, &call).await.map_err(refused)?.pool == pool {
            return Ok(name.into());
        }
    }
    Ok(pool.to_string())
}

fn page(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::from(
            "no schedules: `sahara vesting show` without an account shows the classes'",
        );
    }
    let head =
        ["SCHEDULE", "CLASS", "SAHARA", "RELEASED", "CAN BE RELEASED", "NEXT UNLOCK", "NOTES"];
    let mut lines = vec![head.map(String::from).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let next = row.next_unlock.map_or_else(String::new, |at| {
            let at = Timestamp(at);
            if at <= now() {
                "under way".into()
            } else {
                format!("{}, {}", utc(at), from_now(at, now()))
            }
        });
        let notes = [
            (row.is_revoked, "revoked"),
            (row.is_revocable, "revocable"),
            (row.needs_notice, "moves are announced"),
        ];
        let notes: Vec<_> = notes.iter().filter(|(is, _)| *is).map(|(_, note)| *note).collect();
        vec![
            row.number.to_string(),
            row.class.clone(),
            row.total.to_string(),
            row.released.to_string(),
            row.releasable.to_string(),
            next,
            notes.join(", "),
        ]
    }));
    table(&lines)
}

#[derive(Serialize)]
struct Unlock {
    begins: u64,
    ends: u64,
    amount: Amount,
}

/// The curve of a class as the chain has it, so much later.
async fn curve(client: &ChainClient, number: u64, delay: u64) -> Result<Curve> {
    let call = IVesting::scheduleCall { schedule: number };
    let one = client.call(VESTING, &call).await.map_err(refused)?;
    let at = |time: u64| Timestamp(time.saturating_add(delay));
    let mut steps = Vec::new();
    if one.steps > 0 {
        let call = IVesting::unlocksCall { schedule: number, afterTime: 0 };
        let all = client.call(VESTING, &call).await.map_err(refused)?;
        steps.extend(all.iter().map(|unlock| at(unlock.begins)));
    }
    let at_cliff = BasisPoints::new(one.atCliff)?;
    Ok(Curve { cliff: at(one.cliff), start: at(one.start), end: at(one.end), at_cliff, steps })
}

/// What comes free when of an amount on a class's curve, by the chain's own function.
pub(super) async fn calc(
    session: &Session,
    (class, amount): (&str, Amount),
    delay: u64,
    format: Format,
) -> Result<()> {
    let client = session.client()?;
    let number =
        (1..).zip(CLASSES).find(|(_, name)| *name == class).map_or(1, |(number, _)| number);
    let curve = curve(&client, number, delay).await?;
    let units = amount.to_u128().unwrap_or(u128::MAX);
    let free = Amount::from_u128(curve.vested(units, now()));
    let unlocks = curve.unlocks(units, Timestamp(0)).into_iter().map(|unlock| Unlock {
        begins: unlock.begins,
        ends: unlock.ends,
        amount: coins(unlock.amount),
    });
    let unlocks: Vec<_> = unlocks.collect();
    format.print(&serde_json::json!({"free_now": free, "unlocks": unlocks}), |_| {
        let mut rows = vec![["BEGINS", "", "ENDS", "SAHARA"].map(String::from).to_vec()];
        rows.extend(unlocks.iter().map(|one| {
            let (begins, ends) = (Timestamp(one.begins), Timestamp(one.ends));
            vec![utc(begins), from_now(begins, now()), utc(ends), one.amount.to_string()]
        }));
        format!("{}\nfree now: {free} SAHARA", table(&rows))
    })
}
