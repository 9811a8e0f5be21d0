//! Contributors too many to write down: committed while a pool is open, activated one by one after.
//!
//! The committed units belong to the pool from the seal on, whether activated or not. So an activation
//! changes no units: it only says whose some of them are, and what they earned is a function of
//! everything ever deposited, as any member's.

use super::{
    members::{self, Share, to_u96, too_many_units},
    settlement,
    storage::{COMMITMENTS, Commitment, FLOWS, LEAVES, Leaf, TERMS},
};
use crate::{
    dispatch::is_reserved,
    royalties::pool::Accumulator,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256};
use sahara_abi::IContributions;
use sahara_primitives::{
    Amount, AssetId,
    merkle_sum::{Contribution, MOST_LEAVES, SumProof, SumRoot},
};

/// Gas for a node of a proof: keccak256 of at most 150 bytes.
const NODE_GAS: u64 = 60;

/// Commits the open pool of `asset`.
pub(crate) fn commit(
    state: &mut impl Write,
    asset: AssetId,
    root: B256,
    units: u128,
    count: u32,
) -> Result<(), Failure> {
    if COMMITMENTS.get(state, asset)?.units > 0 {
        return Err(IContributions::AlreadyCommitted { asset: asset.0 }.into());
    }
    if units == 0 || count == 0 || count > MOST_LEAVES {
        let (units, most) = (to_u96(units)?, MOST_LEAVES);
        return Err(IContributions::InvalidCommitment { units, count, most }.into());
    }
    let commitment = Commitment { root, units, count, ..Commitment::default() };
    COMMITMENTS.set(state, asset, &commitment)
}

/// Activates one leaf and pays what it earned so far; `false` when it was active already.
pub(crate) fn activate(
    state: &mut impl Write,
    asset: AssetId,
    leaf: &Contribution,
    proof: &SumProof,
) -> Result<bool, Failure> {
    let index = proof.index;
    if LEAVES.get(state, (asset, index))?.units > 0 {
        return Ok(false);
    }
    let commitment = COMMITMENTS.get(state, asset)?;
    check(state, asset, &commitment, (leaf, proof))?;
    let Contribution { contributor, units } = *leaf;
    let activated_units = commitment.activated_units.checked_add(units);
    let activated_units = activated_units
        .filter(|activated| *activated <= commitment.units)
        .ok_or(IContributions::OverAllocated { asset: asset.0, index })?;
    let activated = commitment.activated.saturating_add(1);
    let commitment = Commitment { activated_units, activated, ..commitment };
    COMMITMENTS.set(state, asset, &commitment)?;
    LEAVES.set(state, (asset, index), &Leaf { contributor, units })?;
    members::activate(state, asset, Share { account: contributor, units })?;
    settlement::settle_pool(state, contributor, asset, 1)?;
    Ok(true)
}

fn check(
    state: &mut impl Read,
    asset: AssetId,
    commitment: &Commitment,
    (leaf, proof): (&Contribution, &SumProof),
) -> Result<(), Failure> {
    let (id, index) = (asset.0, proof.index);
    let Contribution { contributor, units } = *leaf;
    if units == 0 || contributor.is_zero() || is_reserved(contributor) {
        let units = to_u96(units)?;
        let error = IContributions::InvalidContribution { asset: id, index, contributor, units };
        return Err(error.into());
    }
    let nodes = u64::try_from(proof.siblings.len()).unwrap_or(u64::MAX).saturating_add(2);
    state.charge(NODE_GAS.saturating_mul(nodes))?;
    let Commitment { root, units, count, .. } = *commitment;
    if proof.verify(&SumRoot { root, units, count }, leaf) {
        return Ok(());
    }
    Err(IContributions::InvalidProof { asset: id, index }.into())
}

/// The commitment of a pool; of none every field is zero.
pub(crate) fn commitment(state: &mut impl Read, asset: AssetId) -> Result<Commitment, Failure> {
    COMMITMENTS.get(state, asset)
}

/// An activated leaf: its contributor and units; zeros for one that was not.
pub(crate) fn leaf(state: &mut impl Read, asset: AssetId, index: u32) -> Result<Leaf, Failure> {
    LEAVES.get(state, (asset, index))
}

/// What `units` of a pool were due since the first deposit.
pub(crate) fn due_for(
    state: &mut impl Read,
    asset: AssetId,
    units: u128,
) -> Result<Amount, Failure> {
    let (flow, terms) = (FLOWS.get(state, asset)?, TERMS.get(state, asset)?);
    if units > terms.units {
        return Err(too_many_units());
    }
    let due = Accumulator::after(flow.deposited, terms.units).owed(units, 0);
    due.map(Amount::from_u128).ok_or_else(settlement::overpaid)
}

/// The member enrolled at a position, and its units without those activated later; `None` for a
/// position that has none.
pub(crate) fn enrolled(
    state: &mut impl Read,
    asset: AssetId,
    position: u32,
) -> Result<Option<Contribution>, Failure> {
    if position >= TERMS.get(state, asset)?.enrolled {
        return Ok(None);
    }
    let contributor: Address = super::storage::ROSTERS.get(state, (asset, position))?;
    let units = super::storage::MEMBERS.get(state, (asset, contributor))?.units;
    let later = super::storage::LATER.get(state, (asset, contributor))?;
    let later = u128::try_from(later).map_err(|_| settlement::overpaid())?;
    Ok(Some(Contribution { contributor, units: units.saturating_sub(later) }))
}

/// Contributions of an account, over all pools.
pub(crate) fn contributions_of(state: &mut impl Read, account: Address) -> Result<u32, Failure> {
    Ok(super::storage::LISTINGS.get(state, account)?.contributions)
}
