//! Lineage: from the tables of the parents to the table of a child, and from a payment to its parts.
//! Pure; no state.
//!
//! # Rounding
//! An ancestor's part is rounded down, the asset itself takes the remainder, so that the parts always
//! add up to the payment.

use super::record::broken;
use crate::state::{Failure, overflow};
use alloy_primitives::U256;
use sahara_abi::{IAssets, MAX_ANCESTORS};
use sahara_primitives::{Amount, AssetId, BasisPoints};
use std::collections::BTreeMap;

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

/// The union of lines: per ancestor the largest share. Who asks for nothing has no row.
fn unite<'a>(lines: impl IntoIterator<Item = &'a Line>) -> BTreeMap<AssetId, Row> {
    let mut table = BTreeMap::<AssetId, Row>::new();
    for line in lines {
        for row in line.rows.iter().chain([&line.parent]).filter(|row| row.share.points() > 0) {
            let place = table.entry(row.asset).or_insert(*row);
            *place = (*place).max(*row);
        }
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
pub(crate) fn flatten(lines: &[Line], most: BasisPoints) -> Result<Vec<Row>, Failure> {
    let table = unite(lines);
    let most = u64::from(most.points());
    if total(&table) > most {
        return Err(IAssets::RoyaltyCapExceeded {
            total: U256::from(total(&table)),
            most: U256::from(most),
            parents: at_fault(lines, most),
        }
        .into());
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
fn at_fault(lines: &[Line], most: u64) -> Vec<u64> {
    let mut rest: Vec<&Line> = lines.iter().collect();
    let mut parents = Vec::new();
    while total(&unite(rest.iter().copied())) > most {
        let without = |gone: usize| {
            let others = rest.iter().enumerate().filter(|(index, _)| *index != gone);
            total(&unite(others.map(|(_, line)| *line)))
        };
        let Some(worst) = (0..rest.len()).min_by_key(|index| without(*index)) else { break };
        parents.push(rest.remove(worst).parent.asset.0);
    }
    parents
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
