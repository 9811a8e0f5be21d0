//! `sahara vesting`.

mod schedules;

use crate::{
    cli::{Doing, Vesting},
    commands::act::Act,
    output::{Format, from_now, now, say, table, utc},
    refusal::refused,
    session::Session,
};
use eyre::Result;
use sahara_abi::{IVesting, VESTING};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, Timestamp, U256};
use serde::Serialize;

/// Moves fetched at once.
const PAGE: u64 = 256;

/// One coming event.
#[derive(Clone, Serialize)]
struct Entry {
    begins: u64,
    ends: u64,
    what: &'static str,
    number: u64,
    from: Address,
    to: Address,
    amount: Amount,
}

/// Runs a vesting command.
pub(crate) async fn run(vesting: &Vesting, session: &Session, format: Format) -> Result<()> {
    match vesting {
        Vesting::Calendar { .. } => calendar(vesting, session, format).await,
        Vesting::Show { account } => schedules::show(session, *account, format).await,
        Vesting::Calc { class, amount, delay } => {
            schedules::calc(session, (class, *amount), delay.0, format).await
        }
        Vesting::Release { schedule, doing } => {
            let call = IVesting::releaseCall { schedule: *schedule };
            act(doing).report(session, &call, format).await
        }
        Vesting::Announce { schedule, to, amount, doing } => {
            let amount = amount.base_units();
            let call = IVesting::announceCall { schedule: *schedule, to: *to, amount };
            act(doing).report(session, &call, format).await
        }
        Vesting::Execute { number, doing } => {
            let call = IVesting::executeCall { id: *number };
            act(doing).report(session, &call, format).await
        }
        Vesting::Cancel { number, doing } => {
            let call = IVesting::cancelCall { id: *number };
            act(doing).report(session, &call, format).await
        }
    }
}

/// A call to the protocol, without coin.
const fn act(doing: &Doing) -> Act<'_> {
    Act::of(doing, VESTING, Amount::ZERO)
}

async fn calendar(vesting: &Vesting, session: &Session, format: Format) -> Result<()> {
    let Vesting::Calendar { csv, ical, account } = vesting else { return Ok(()) };
    format.refuse_beside("--csv", *csv)?;
    format.refuse_beside("--ical", *ical)?;
    let client = session.client()?;
    let mut entries = unlocks(&client).await?;
    entries.extend(moves(&client).await?);
    if let Some(account) = account {
        entries.retain(|entry| entry.from == *account || entry.to == *account);
    }
    entries.sort_by_key(|entry| (entry.begins, entry.number));
    if *csv {
        return say(as_csv(&entries).trim_end());
    }
    if *ical {
        return say(as_ical(&entries, now()).trim_end());
    }
    format.print(&entries, |entries| as_table(entries))
}

async fn unlocks(client: &ChainClient) -> Result<Vec<Entry>> {
    let count = client.call(VESTING, &IVesting::scheduleCountCall {}).await.map_err(refused)?;
    let mut entries = Vec::new();
    for number in 1..=count {
        let call = IVesting::scheduleCall { schedule: number };
        let schedule = client.call(VESTING, &call).await.map_err(refused)?;
        let call = IVesting::unlocksCall { schedule: number, afterTime: now().0 };
        for unlock in client.call(VESTING, &call).await.map_err(refused)? {
            entries.push(Entry {
                begins: unlock.begins,
                ends: unlock.ends,
                what: "unlock",
                number,
                from: schedule.pool,
                to: schedule.beneficiary,
                amount: Amount::from_base_units(unlock.amount),
            });
        }
    }
    Ok(entries)
}

async fn moves(client: &ChainClient) -> Result<Vec<Entry>> {
    let count = client.call(VESTING, &IVesting::moveCountCall {}).await.map_err(refused)?;
    let (mut entries, mut first) = (Vec::new(), 1);
    while first <= count {
        let call = IVesting::movesCall { first, count: U256::from(PAGE) };
        let page = client.call(VESTING, &call).await.map_err(refused)?;
        for (number, planned) in (first..).zip(page) {
            let is_coming =
                planned.state == IVesting::MoveState::Announced && planned.expiresAt > now().0;
            if is_coming {
                entries.push(Entry {
                    begins: planned.executableAt,
                    ends: planned.expiresAt,
                    what: "move",
                    number,
                    from: planned.from,
                    to: planned.to,
                    amount: Amount::from_base_units(planned.amount),
                });
            }
        }
        first = first.saturating_add(PAGE);
    }
    Ok(entries)
}

fn as_table(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return String::from("nothing comes free and nothing is announced");
    }
    let head = ["BEGINS", "", "ENDS", "WHAT", "SAHARA", "FROM", "TO"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(entries.iter().map(|entry| {
        vec![
            utc(Timestamp(entry.begins)),
            from_now(Timestamp(entry.begins), now()),
            utc(Timestamp(entry.ends)),
            format!("{} {}", entry.what, entry.number),
            entry.amount.to_string(),
            entry.from.to_string(),
            entry.to.to_string(),
        ]
    }));
    table(&rows)
}

fn as_csv(entries: &[Entry]) -> String {
    let mut text = String::from("begins,ends,what,number,amount,from,to\n");
    for entry in entries {
        let Entry { begins, ends, what, number, from, to, amount } = entry;
        text.push_str(&format!("{begins},{ends},{what},{number},{amount},{from},{to}\n"));
    }
    text
}

/// `2026-11-22 19:04:05 UTC` as RFC 5545 writes it.
fn stamp(at: Timestamp) -> String {
    let digits: String = utc(at).chars().filter(char::is_ascii_digit).collect();
    let (day, time) = digits.split_at(digits.len().min(8));
    format!("{day}T{time}Z")
}

fn as_ical(entries: &[Entry], made: Timestamp) -> String {
    let mut lines = vec!["BEGIN:VCALENDAR".to_owned(), "VERSION:2.0".into()];
    lines.push("PRODID:-//Sahara//vesting calendar//EN".into());
    for entry in entries {
        let Entry { begins, ends, what, number, from, to, amount } = entry;
        lines.extend([
            "BEGIN:VEVENT".into(),
            format!("UID:{what}-{number}-{begins}@sahara"),
            format!("DTSTAMP:{}", stamp(made)),
            format!("DTSTART:{}", stamp(Timestamp(*begins))),
            format!("DTEND:{}", stamp(Timestamp((*ends).max(begins.saturating_add(1))))),
            format!("SUMMARY:{what} of {amount} SAHARA"),
            // Lines are folded at 75 bytes.
            format!("DESCRIPTION:from {from}"),
            format!(" to {to}"),
            "END:VEVENT".into(),
        ]);
    }
    lines.push("END:VCALENDAR".into());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            begins: 1_795_374_245,
            ends: 1_795_374_245,
            what: "unlock",
            number: 3,
            from: Address::repeat_byte(1),
            to: Address::repeat_byte(2),
            amount: Amount::from_coins(5),
        }
    }

    #[test]
    fn a_calendar_reads_as_calendar_programs_expect() {
        let text = as_ical(&[entry()], Timestamp(0));
        for line in [
            "BEGIN:VCALENDAR\r\n",
            "\r\nUID:unlock-3-1795374245@sahara\r\n",
            "\r\nDTSTART:20261122T190405Z\r\nDTEND:20261122T190406Z\r\n",
            "\r\nSUMMARY:unlock of 5 SAHARA\r\n",
        ] {
            assert!(text.contains(line), "{line:?} in {text}");
        }
        assert!(text.lines().all(|line| line.len() <= 75), "{text}");
        assert!(text.ends_with("END:VCALENDAR"));
    }

    #[test]
    fn a_table_of_values_has_a_line_an_entry() {
        let text = as_csv(&[entry(), entry()]);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().nth(1).unwrap().starts_with("1795374245,1795374245,unlock,3,5,0x01"));
    }
}
