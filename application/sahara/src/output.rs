//! Printing: tables for people, one JSON value for machines.

use crate::failure::Failure;
use eyre::Result;
use sahara_primitives::Timestamp;
use serde::Serialize;
use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

/// How a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for a terminal.
    Text,
    /// One JSON value on standard output.
    Json,
}

impl Format {
    /// What the flag says.
    pub(crate) const fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }

    /// Refuses a flag that asks for another format, when JSON is asked for too.
    pub(crate) fn refuse_beside(self, flag: &str, is_given: bool) -> Result<()> {
        if self == Self::Json && is_given {
            let text = format!("{flag} and --json are two formats: expected one of them");
            return Err(Failure::usage(text));
        }
        Ok(())
    }

    /// Prints `value` as JSON, or what `text` makes of it.
    pub(crate) fn print<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> Result<()> {
        let text = match self {
            Self::Json => serde_json::to_string_pretty(value)?,
            Self::Text => text(value),
        };
        say(text.trim_end())
    }
}

/// One text and a line's end on standard output. A reader who went away is an error, not a panic.
pub(crate) fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Columns padded to their widest cell; the first row is the head.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Names and values, one a line.
pub(crate) fn pairs<N: Into<String>>(rows: impl IntoIterator<Item = (N, String)>) -> String {
    let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name.into(), value]).collect();
    table(&rows)
}

/// `1 block`, `2 blocks`.
pub(crate) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(now.as_secs())
}

/// `2026-11-22 19:04:05 UTC`.
pub(crate) fn utc(at: Timestamp) -> String {
    let (days, seconds) = (at.0 / 86_400, at.0 % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// `2026-11-22`.
pub(crate) fn day_of(at: Timestamp) -> String {
    let (year, month, day) = civil(at.0 / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `in 59 min`, `3 days ago`.
pub(crate) fn from_now(at: Timestamp, now: Timestamp) -> String {
    let apart = at.0.abs_diff(now.0);
    let span = match apart {
        0..120 => format!("{apart} s"),
        120..7_200 => format!("{} min", apart / 60),
        7_200..172_800 => format!("{} hours", apart / 3_600),
        _ => format!("{} days", apart / 86_400),
    };
    if at >= now { format!("in {span}") } else { format!("{span} ago") }
}

/// Year, month and day of a day since 1970-01-01, by eras of 400 years that begin in March.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = year_of_era + era * 400;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

#[cfg(test)]
mod tests {
    use super::{from_now, table, utc};
    use sahara_primitives::Timestamp;

    #[test]
    fn times_read_as_calendars_do() {
        for (at, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_795_374_245, "2026-11-22 19:04:05 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(utc(Timestamp(at)), expected);
        }
    }

    #[test]
    fn distances_say_their_direction() {
        let now = Timestamp(1_000_000);
        assert_eq!(from_now(Timestamp(1_003_599), now), "in 59 min");
        assert_eq!(from_now(Timestamp(999_990), now), "10 s ago");
        assert_eq!(from_now(Timestamp(1_000_000 + 86_400 * 30), now), "in 30 days");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["A".into(), "LONG".into()], vec!["abc".into(), "x".into()]];
        assert_eq!(table(&rows), "A    LONG\nabc  x");
    }
}
