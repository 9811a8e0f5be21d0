//! An account's pools: a list whose first three entries share a word with its length.

use super::storage::{FURTHER, LISTINGS, Listing};
use crate::state::{Failure, Read, Write};
use alloy_primitives::Address;
use sahara_primitives::AssetId;

/// Entries in the listing's own word.
const FIRST: u32 = 3;

/// Where an entry beyond the first stands: its word and its place in it.
fn place(position: u32) -> (u32, usize) {
    let further = position.saturating_sub(FIRST);
    (further >> 2, usize::try_from(further & 3).unwrap_or_default())
}

fn broken() -> Failure {
    Failure::Fatal("an account's list of pools is broken".into())
}

fn first(position: u32) -> Option<usize> {
    usize::try_from(position).ok().filter(|_| position < FIRST)
}

/// The entry at a position of a listing that was read.
pub(super) fn entry(
    state: &mut impl Read,
    account: Address,
    listing: &Listing,
    position: u32,
) -> Result<AssetId, Failure> {
    if let Some(index) = first(position) {
        return listing.first.get(index).copied().map(AssetId).ok_or_else(broken);
    }
    let (word, index) = place(position);
    FURTHER.get(state, (account, word))?.0.get(index).copied().map(AssetId).ok_or_else(broken)
}

fn write(
    state: &mut impl Write,
    account: Address,
    listing: &mut Listing,
    position: u32,
    asset: u64,
) -> Result<(), Failure> {
    if let Some(index) = first(position) {
        *listing.first.get_mut(index).ok_or_else(broken)? = asset;
        return Ok(());
    }
    let (word, index) = place(position);
    FURTHER.update(state, (account, word), |ids| {
        *ids.0.get_mut(index).ok_or_else(broken)? = asset;
        Ok(())
    })
}

/// Counts a contribution in a pool that is listed already.
pub(super) fn count_contribution(state: &mut impl Write, account: Address) -> Result<(), Failure> {
    LISTINGS.update(state, account, |listing| {
        listing.contributions = listing.contributions.saturating_add(1);
        Ok(())
    })
}

/// Appends a pool, counts the contributions that come with it, and returns its position.
pub(super) fn push(
    state: &mut impl Write,
    account: Address,
    asset: AssetId,
    contributions: u32,
) -> Result<u32, Failure> {
    let mut listing = LISTINGS.get(state, account)?;
    listing.contributions = listing.contributions.saturating_add(contributions);
    let position = listing.number;
    listing.number = position.checked_add(1).ok_or_else(broken)?;
    write(state, account, &mut listing, position, asset.0)?;
    LISTINGS.set(state, account, &listing)?;
    Ok(position)
}

/// Removes the entry at a position by moving the last one there; returns the moved one.
pub(super) fn remove(
    state: &mut impl Write,
    account: Address,
    position: u32,
) -> Result<Option<AssetId>, Failure> {
    let mut listing = LISTINGS.get(state, account)?;
    let last = listing.number.checked_sub(1).filter(|last| position <= *last);
    let last = last.ok_or_else(broken)?;
    let moved = entry(state, account, &listing, last)?;
    listing.number = last;
    listing.cursor = if listing.cursor >= last { 0 } else { listing.cursor };
    write(state, account, &mut listing, last, 0)?;
    if position != last {
        write(state, account, &mut listing, position, moved.0)?;
    }
    LISTINGS.set(state, account, &listing)?;
    Ok((position != last).then_some(moved))
}
