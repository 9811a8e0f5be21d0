//! New income that waits: who earned it, and which open complaints claim it.

use super::{
    phases::{find, keep},
    storage::{CLAIMANTS, ESCROWS},
    words::{Escrow, Standing},
};
use crate::{
    assets, royalties,
    state::{Failure, Read, Write, overflow},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{DISPUTES as ADDRESS, IDisputes};
use sahara_primitives::{Amount, AssetId};
use std::collections::BTreeMap;

/// Entries of an asset beyond which a new one names no earner but who owns the asset at the end: what a
/// payment looks through stays small, however often the asset changes hands.
const MOST_ENTRIES: u64 = 32;

/// Holds of a part of a payment what open complaints claim; returns the rest. The same coin is claimed by each
/// that has room for it, so as much is held as the one with the most room claims.
pub(super) fn hold(
    state: &mut impl Write,
    from: Address,
    (asset, standing): (AssetId, &Standing),
    part: Amount,
) -> Result<Amount, Failure> {
    let now = state.block().timestamp.0;
    let units = part.to_u128().unwrap_or(u128::MAX);
    let mut claims = Vec::new();
    for (number, bit) in CLAIMANTS.get(state, asset)?.all() {
        let mut complaint = find(state, number)?;
        let claimed = complaint.room(now, standing.spared_until).min(units);
        if claimed == 0 {
            continue;
        }
        claims.push((claimed, bit));
        if complaint.is_before_ruling(now) {
            complaint.claimed = complaint.claimed.saturating_add(claimed);
            keep(state, number, &complaint)?;
        }
    }
    let held = put(state, asset, claims)?;
    if held == 0 {
        return Ok(part);
    }
    let held = Amount::from_u128(held);
    state.move_coin(from, ADDRESS, held)?;
    state.emit(ADDRESS, IDisputes::Held { asset: asset.0, amount: held.base_units() })?;
    part.checked_sub(held).map_err(overflow)
}

/// Writes down new income in layers: the lowest is claimed by all, each further one by those who claim more.
/// Returns the whole.
fn put(
    state: &mut impl Write,
    asset: AssetId,
    mut claims: Vec<(u128, u8)>,
) -> Result<u128, Failure> {
    if claims.is_empty() {
        return Ok(0);
    }
    let earner = assets::title(state, asset)?.owner;
    claims.sort_unstable();
    let mut all = claims.iter().fold(0_u8, |all, (_, bit)| all | bit);
    let mut held = 0_u128;
    for (claimed, bit) in claims {
        let amount = claimed.saturating_sub(held);
        if amount > 0 {
            add(state, asset, Escrow { earner, claims: all, amount })?;
            held = claimed;
        }
        all &= !bit;
    }
    Ok(held)
}

/// Adds to the entry of the same earner and claims, or makes one.
fn add(state: &mut impl Write, asset: AssetId, escrow: Escrow) -> Result<(), Failure> {
    let entries = ESCROWS.len(state, asset)?;
    for index in (0..entries).rev() {
        let mut entry = ESCROWS.get(state, asset, index)?;
        if (entry.earner, entry.claims) == (escrow.earner, escrow.claims) {
            entry.amount = entry.amount.saturating_add(escrow.amount);
            return ESCROWS.replace(state, asset, index, &entry);
        }
    }
    if entries >= MOST_ENTRIES && !escrow.earner.is_zero() {
        return add(state, asset, Escrow { earner: Address::ZERO, ..escrow });
    }
    ESCROWS.push(state, asset, &escrow).map(|_| ())
}

/// Takes a complaint that ends off what waits. Upheld, everything that it claims is its complainant's, whoever else
/// claims it; otherwise what nobody else claims goes back to who earned it. Returns how much left.
pub(super) fn settle(
    state: &mut impl Write,
    (asset, number): (AssetId, u64),
    complainant: Option<Address>,
) -> Result<u128, Failure> {
    let bit = CLAIMANTS.update(state, asset, |claimants| {
        let bit = claimants.bit(number);
        if bit > 0 {
            claimants.replace(number, 0);
        }
        Ok(bit)
    })?;
    if bit == 0 {
        return Ok(0);
    }
    let (rest, leaving) = divide(state, asset, bit, complainant.is_some())?;
    rewrite(state, asset, &rest)?;
    let left = leaving.values().fold(0_u128, |sum, amount| sum.saturating_add(*amount));
    match complainant {
        Some(complainant) if left > 0 => {
            state.move_coin(ADDRESS, complainant, Amount::from_u128(left))?;
        }
        Some(_) => {}
        None => {
            for (earner, amount) in leaving {
                let amount = Amount::from_u128(amount);
                royalties::give_back(state, ADDRESS, (asset, earner), amount)?;
            }
        }
    }
    Ok(left)
}

/// What still waits without the claims of one bit, and what leaves, by who earned it.
fn divide(
    state: &mut impl Read,
    asset: AssetId,
    bit: u8,
    is_upheld: bool,
) -> Result<(Vec<Escrow>, BTreeMap<Address, u128>), Failure> {
    let (mut rest, mut leaving) = (Vec::<Escrow>::new(), BTreeMap::<Address, u128>::new());
    for index in 0..ESCROWS.len(state, asset)? {
        let entry = ESCROWS.get(state, asset, index)?;
        let others = entry.claims & !bit;
        let is_claimed = entry.claims != others;
        if is_claimed && (is_upheld || others == 0) {
            let sum = leaving.entry(entry.earner).or_default();
            *sum = sum.saturating_add(entry.amount);
            continue;
        }
        let same = |kept: &&mut Escrow| (kept.earner, kept.claims) == (entry.earner, others);
        match rest.iter_mut().find(same) {
            Some(kept) => kept.amount = kept.amount.saturating_add(entry.amount),
            None => rest.push(Escrow { claims: others, ..entry }),
        }
    }
    Ok((rest, leaving))
}

fn rewrite(state: &mut impl Write, asset: AssetId, rest: &[Escrow]) -> Result<(), Failure> {
    for (index, entry) in (0_u64..).zip(rest) {
        ESCROWS.replace(state, asset, index, entry)?;
    }
    let kept = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    while let Some(last) = ESCROWS.len(state, asset)?.checked_sub(1).filter(|last| *last >= kept) {
        ESCROWS.swap_remove(state, asset, last)?;
    }
    Ok(())
}

/// What of an asset's income a complaint would get if it were upheld now.
pub(super) fn claimed_by(
    state: &mut impl Read,
    asset: AssetId,
    number: u64,
) -> Result<u128, Failure> {
    let bit = CLAIMANTS.get(state, asset)?.bit(number);
    let mut sum = 0_u128;
    for index in 0..ESCROWS.len(state, asset)? {
        let entry = ESCROWS.get(state, asset, index)?;
        if entry.claims & bit > 0 {
            sum = sum.saturating_add(entry.amount);
        }
    }
    Ok(sum)
}

/// Everything that waits of an asset's income.
pub(super) fn escrows(
    state: &mut impl Read,
    asset: AssetId,
) -> Result<Vec<IDisputes::Escrow>, Failure> {
    let claimants = CLAIMANTS.get(state, asset)?;
    let shown = |entry: Escrow| IDisputes::Escrow {
        earner: entry.earner,
        amount: U256::from(entry.amount),
        complaints: claimants
            .all()
            .filter(|(_, bit)| entry.claims & bit > 0)
            .map(|(number, _)| number)
            .collect(),
    };
    (0..ESCROWS.len(state, asset)?)
        .map(|index| Ok(shown(ESCROWS.get(state, asset, index)?)))
        .collect()
}
