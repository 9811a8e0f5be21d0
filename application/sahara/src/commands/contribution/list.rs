//! Lists of contributors, as files of a million rows.

use crate::failure::Failure;
use eyre::{Result, WrapErr};
use sahara_primitives::{
    Address,
    merkle_sum::{Contribution, MOST_LEAVES, SumTree},
};
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// The longest line that is read.
const MAX_LINE: usize = 4_096;

/// A line of JSON; units may be a number or, when it is large, a text.
#[derive(Deserialize)]
struct Row {
    contributor: Address,
    units: Units,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Units {
    Number(u64),
    Text(String),
}

/// A list and its tree.
#[derive(Debug)]
pub(super) struct List {
    pub(super) contributions: Vec<Contribution>,
    pub(super) tree: SumTree,
}

impl List {
    /// Reads a list: line after line, so that its size is bounded only by the tree's.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let contributions = if path == Path::new("-") {
            rows(std::io::stdin().lock(), path)?
        } else {
            let file = File::open(path);
            let file = file.wrap_err_with(|| format!("could not read {}", path.display()))?;
            rows(BufReader::with_capacity(1 << 20, file), path)?
        };
        let tree = SumTree::new(&contributions)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        Ok(Self { contributions, tree })
    }
}

fn rows(mut input: impl BufRead, path: &Path) -> Result<Vec<Contribution>> {
    let (mut found, mut line, mut number) = (Vec::new(), String::new(), 0_u64);
    loop {
        line.clear();
        let could = || format!("could not read {}", path.display());
        if input.read_line(&mut line).wrap_err_with(could)? == 0 {
            return Ok(found);
        }
        number = number.saturating_add(1);
        let text = line.trim();
        if text.is_empty() || (number == 1 && is_head(text)) {
            continue;
        }
        let row = if text.len() > MAX_LINE { None } else { row(text) };
        let row = row.ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            Failure::usage(format!(
                "{}, line {number}: `{shown}` is no contribution: expected CONTRIBUTOR,UNITS or {{\"contributor\": \"0x...\", \"units\": N}}, with at least one unit",
                path.display()
            ))
        })?;
        if found.len() >= usize::try_from(MOST_LEAVES)? {
            return Err(Failure::usage(format!(
                "{} has more than {MOST_LEAVES} contributions: divide it among several assets",
                path.display()
            )));
        }
        found.push(row);
    }
}

/// Whether the first line names the columns.
fn is_head(text: &str) -> bool {
    let (first, second) = text.split_once(',').unwrap_or((text, ""));
    first.trim().eq_ignore_ascii_case("contributor") && second.trim().eq_ignore_ascii_case("units")
}

fn row(text: &str) -> Option<Contribution> {
    let (contributor, units) = if text.starts_with('{') {
        let row: Row = serde_json::from_str(text).ok()?;
        let units = match row.units {
            Units::Number(units) => u128::from(units),
            Units::Text(units) => whole(&units)?,
        };
        (row.contributor, units)
    } else {
        let (contributor, units) = text.split_once(',')?;
        (contributor.trim().parse().ok()?, whole(units.trim())?)
    };
    (units > 0 && !contributor.is_zero()).then_some(Contribution { contributor, units })
}

/// Digits and nothing else.
fn whole(text: &str) -> Option<u128> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{row, rows};
    use std::path::Path;

    const WHO: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

    #[test]
    fn csv_and_json_lines_say_the_same() {
        let json = format!("{{\"contributor\": \"{WHO}\", \"units\": 3}}");
        let large = format!("{{\"contributor\": \"{WHO}\", \"units\": \"3\"}}");
        let expected = row(&format!("{WHO}, 3")).unwrap();
        assert_eq!((row(&json).unwrap(), row(&large).unwrap()), (expected, expected));
        let text = format!("contributor,units\n{WHO},3\n\n{json}\n");
        assert_eq!(rows(text.as_bytes(), Path::new("x")).unwrap(), [expected, expected]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let text = format!("{WHO},3\n{WHO},0\n");
        let error = rows(text.as_bytes(), Path::new("x.csv")).unwrap_err().to_string();
        assert!(error.contains("x.csv, line 2") && error.contains("at least one unit"), "{error}");
        let zero = "0x0000000000000000000000000000000000000000,1";
        for bad in ["0x12,3", WHO, zero, "{\"units\": 3}"] {
            assert!(row(bad).is_none(), "{bad} was read");
        }
        for bad in ["-1", "+1", "1.5", "1e3", "", " "] {
            assert!(row(&format!("{WHO},{bad}")).is_none(), "{bad} was read as units");
        }
    }
}
