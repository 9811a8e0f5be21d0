//! Lineage: from the tables of the parents to the table of a child, and from a payment to its parts.
//! Pure; of the state only gas is asked.
//!
//! # Cost
//! Sixteen parents with 64 ancestors each are 1,040 rows. Reading them again is cheap, so uniting them is
//! charged by the row; and so is finding who is at fault, which unites what is left once for each parent
//! that it gives up.
//!
//! # Rounding
//! An ancestor's part is rounded down, the asset itself takes the remainder, so that the parts always
//! add up to the payment.

use super::record::broken;
use crate::state::{Failure, Read, overflow};
use alloy_primitives::U256;
use sahara_abi::{IAssets, MAX_ANCESTORS};
use sahara_primitives::{Amount, AssetId, BasisPoints};
use std::{cmp::Reverse, collections::BTreeMap};

/// Set in a stored share when the ancestor's pool has members; shares need 13 bits.
const HAS_MEMBERS: u16 = 0x8000;

/// One row of an asset's table: an ancestor and its part of the asset's income.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The ancestor.
    pub asset: AssetId,
    /// Its part: the largest over all paths.
    pub share: BasisPoints,
    /// Whether its pool has members. A sealed asset never changes that, so a payment need not ask.
    pub has_members: bool,
}

/// A parent, as a row at its own rate, and its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) parent: Row,
    pub(crate) rows: Vec<Row>,
}

impl Row {
    /// Ten bytes a row: asset, share with the members' bit.
    pub(crate) fn encode(rows: &[Self]) -> Vec<u8> {
        let bytes = rows.iter().map(|row| {
            let members = if row.has_members { HAS_MEMBERS } else { 0 };
            (row.asset.0.to_be_bytes(), (row.share.points() | members).to_be_bytes())
        });
        bytes.flat_map(|(asset, share)| asset.into_iter().chain(share)).collect()
    }

    /// The rows that [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Self>, Failure> {
        let (chunks, rest) = bytes.as_chunks::<10>();
        if !rest.is_empty() {
            return Err(broken());
        }
        let row = |[asset @ .., high, low]: &[u8; 10]| {
            let share = u16::from_be_bytes([*high, *low]);
            Ok(Self {
                asset: AssetId(u64::from_be_bytes(*asset)),
                share: BasisPoints::new(share & !HAS_MEMBERS).map_err(|_| broken())?,
                has_members: share & HAS_MEMBERS != 0,
            })
        };
        chunks.iter().map(row).collect()
    }
}

/// Gas for a row that is put into a table: 60 ns at a transfer's rate.
const ROW_GAS: u64 = 20;

impl Line {
    /// Who takes part through this line. Who asks for nothing has no row.
    fn shares(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain([&self.parent]).filter(|row| row.share.points() > 0)
    }
}

/// Gas for going through lines once.
fn work<'a>(lines: impl IntoIterator<Item = &'a Line>) -> u64 {
    let rows = lines.into_iter().map(|line| line.rows.len().saturating_add(1));
    let rows = u64::try_from(rows.fold(0, usize::saturating_add)).unwrap_or(u64::MAX);
    rows.saturating_mul(ROW_GAS)
}

/// The union of lines: per ancestor the largest share.
fn unite(lines: &[Line]) -> BTreeMap<AssetId, Row> {
    let mut table = BTreeMap::<AssetId, Row>::new();
    for row in lines.iter().flat_map(Line::shares) {
        let place = table.entry(row.asset).or_insert(*row);
        *place = (*place).max(*row);
    }
    table
}

fn total(table: &BTreeMap<AssetId, Row>) -> u64 {
    table.values().map(|row| u64::from(row.share.points())).fold(0, u64::saturating_add)
}

/// The table of a child with these lines, in order of ids.
///
/// # Errors
/// `TooManyAncestors`; `RoyaltyCapExceeded`, which names the fewest parents, those that add most
/// first, without which the rest would be within the cap.
pub(crate) fn flatten(
    state: &mut impl Read,
    lines: &[Line],
    most: BasisPoints,
) -> Result<Vec<Row>, Failure> {
    state.charge(work(lines))?;
    let table = unite(lines);
    let (total, most) = (total(&table), u64::from(most.points()));
    if total > most {
        let parents = at_fault(state, lines, (total, most))?;
        let (total, most) = (U256::from(total), U256::from(most));
        return Err(IAssets::RoyaltyCapExceeded { total, most, parents }.into());
    }
    if table.len() > MAX_ANCESTORS {
        return Err(IAssets::TooManyAncestors {
            ancestors: U256::from(table.len()),
            most: U256::from(MAX_ANCESTORS),
        }
        .into());
    }
    Ok(table.into_values().collect())
}

/// Takes away the parent whose line adds most until the rest is within the cap.
fn at_fault(
    state: &mut impl Read,
    lines: &[Line],
    (mut total, most): (u64, u64),
) -> Result<Vec<u64>, Failure> {
    let mut rest: Vec<&Line> = lines.iter().collect();
    let mut parents = Vec::new();
    while total > most {
        state.charge(work(rest.iter().copied()))?;
        let added = added(&rest);
        let worst = added.into_iter().enumerate().min_by_key(|(_, sum)| Reverse(*sum));
        let Some((index, sum)) = worst else { break };
        parents.push(rest.remove(index).parent.asset.0);
        total = total.saturating_sub(sum);
    }
    Ok(parents)
}

/// What each line adds to the others: of every ancestor of which it has the largest share, what that is
/// above the next one's.
fn added(lines: &[&Line]) -> Vec<u64> {
    let mut best = BTreeMap::<AssetId, Best>::new();
    for (line, row) in lines
        .iter()
        .enumerate()
        .flat_map(|(index, line)| line.shares().map(move |row| (index, row)))
    {
        best.entry(row.asset).or_default().see(line, row.share.points());
    }
    let mut sums = vec![0_u64; lines.len()];
    for Best { line, share, next } in best.into_values() {
        if let Some(sum) = sums.get_mut(line) {
            *sum = sum.saturating_add(share.saturating_sub(next).into());
        }
    }
    sums
}

/// The largest share of an ancestor, whose line has it, and the largest of the others.
#[derive(Clone, Copy, Debug, Default)]
struct Best {
    line: usize,
    share: u16,
    next: u16,
}

impl Best {
    const fn see(&mut self, line: usize, share: u16) {
        if share > self.share {
            *self = Self { line, share, next: self.share };
        } else if share > self.next {
            self.next = share;
        }
    }
}

/// The parts of a payment: one per row, and what remains for the asset itself.
///
/// # Errors
/// `Overflow` for amounts above 2^242.
pub fn split(rows: &[Row], amount: Amount) -> Result<(Vec<(Row, Amount)>, Amount), Failure> {
    let mut parts = Vec::new();
    let mut own = amount;
    for row in rows {
        let part = row.share.of(amount).map_err(overflow)?;
        own = own.checked_sub(part).map_err(overflow)?;
        parts.push((*row, part));
    }
    Ok((parts, own))
}

/// The sum of a table's shares, which the caps keep below the whole.
pub(crate) fn total_share(rows: &[Row]) -> u16 {
    rows.iter().map(|row| row.share.points()).fold(0, u16::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryState;
    use proptest::prelude::*;

    fn row((asset, share): (u64, u16)) -> Row {
        let share = BasisPoints::new(share).unwrap();
        Row { asset: AssetId(asset), share, has_members: false }
    }

    fn line(parent: (u64, u16), rows: &[(u64, u16)]) -> Line {
        Line { parent: row(parent), rows: rows.iter().copied().map(row).collect() }
    }

    /// Every union anew: what a refusal must name.
    fn named(lines: &[Line], most: u64) -> Vec<u64> {
        let (mut rest, mut parents) = (lines.to_vec(), Vec::new());
        while total(&unite(&rest)) > most {
            let without = |gone: usize| {
                let others = rest.iter().enumerate().filter(|(index, _)| *index != gone);
                total(&unite(&others.map(|(_, line)| line.clone()).collect::<Vec<_>>()))
            };
            let worst = (0..rest.len()).min_by_key(|index| without(*index)).unwrap();
            parents.push(rest.remove(worst).parent.asset.0);
        }
        parents
    }

    /// Sixteen parents at 20 %, each below the same 64.
    fn crowd() -> Vec<Line> {
        let rows: Vec<(u64, u16)> = (1..=64).map(|asset| (asset, 1)).collect();
        (0..16).map(|index| line((100 + index, 2_000), &rows)).collect()
    }

    #[test]
    fn finding_who_is_at_fault_is_paid_by_the_row() {
        let (state, lines) = (&mut MemoryState::default(), crowd());
        assert!(flatten(state, &lines, BasisPoints::constant(5_000)).is_err());
        // Fourteen parents are given up: 16 lines of 65 rows for the table, then 16, 15 ... 3.
        let seen: u64 = 16 + (3..=16).sum::<u64>();
        assert_eq!(state.count.gas, seen * 65 * ROW_GAS);
    }

    proptest! {
        #[test]
        fn a_refusal_names_what_every_union_anew_would(
            plans in proptest::collection::vec((0u16..2_001, proptest::collection::btree_map(1u64..9, 0u16..900, 0..6)), 0..9),
            most in 0u16..6_000,
        ) {
            let lines: Vec<Line> = (100..).zip(&plans).map(|(parent, (share, rows))| {
                line((parent, *share), &rows.iter().map(|(asset, share)| (*asset, *share)).collect::<Vec<_>>())
            }).collect();
            let most = u64::from(most);
            let all = total(&unite(&lines));
            let found = at_fault(&mut MemoryState::default(), &lines, (all, most)).unwrap();
            prop_assert_eq!(found, named(&lines, most));
        }
    }
}
