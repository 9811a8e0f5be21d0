//! The airdrop: claims by Merkle proof, each with its own schedule.

use super::{
    grants::cut,
    rules::{check_authority, class_of, keep, release, schedule, unbind},
    storage::{CLAIMED, ROOT, SETTINGS},
    words::{Schedule, hash_leaf},
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, U256, keccak256};
use sahara_abi::{AIRDROP, COMMUNITY, IVesting, VESTING as ADDRESS};
use sahara_primitives::Amount;

/// Gas for a hash of 32 or 64 bytes and the step around it.
const HASH_GAS: u64 = 60;

/// The airdrop's number among the pools.
const POOL: u8 = 0;

/// A claim: what its leaf says, and why the leaf is in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Place in the list; claimed once.
    pub index: u64,
    /// Whose it is.
    pub account: Address,
    /// How much in all.
    pub amount: Amount,
    /// Siblings, bottom first.
    pub proof: Vec<B256>,
}

/// The leaf: `keccak256(keccak256(abi.encode(chainId, contract, index, account, amount)))`. Twice, so
/// that no inner node (64 bytes, hashed once) can pass for a leaf.
pub fn leaf(chain_id: u64, index: u64, account: Address, amount: Amount) -> B256 {
    hash_leaf([
        U256::from(chain_id),
        U256::from_be_slice(ADDRESS.as_slice()),
        U256::from(index),
        U256::from_be_slice(account.as_slice()),
        amount.base_units(),
    ])
}

fn climb(leaf: B256, proof: &[B256]) -> B256 {
    proof.iter().fold(leaf, |node, sibling| {
        let (left, right) = if node <= *sibling { (node, *sibling) } else { (*sibling, node) };
        keccak256([left.0, right.0].concat())
    })
}

/// Sets the root, once.
///
/// # Errors
/// `OnlyAuthority`, `AirdropAlreadyPublished`, `AirdropOver`.
pub fn publish_airdrop(state: &mut impl Write, caller: Address, root: B256) -> Result<(), Failure> {
    check_authority(state, caller)?;
    let (closes, now) = (SETTINGS.get(state)?.closes, state.block().timestamp);
    if now >= closes {
        return Err(IVesting::AirdropOver { closes: closes.0 }.into());
    }
    let before = ROOT.get(state)?;
    if !before.is_zero() {
        return Err(IVesting::AirdropAlreadyPublished { root: before }.into());
    }
    ROOT.update(state, |stored| {
        *stored = root;
        Ok(())
    })?;
    state.emit(ADDRESS, IVesting::AirdropPublished { root })
}

fn bit(index: u64) -> (u64, U256) {
    let place = usize::try_from(index & 0xff).unwrap_or_default();
    (index >> 8, U256::ONE.wrapping_shl(place))
}

/// Whether an index was claimed.
pub(super) fn is_claimed(state: &mut impl Read, index: u64) -> Result<bool, Failure> {
    let (word, bit) = bit(index);
    Ok(!(CLAIMED.get(state, word)? & bit).is_zero())
}

/// Cuts the claimed allocation from the airdrop and pays what is free of it; returns the number of
/// its schedule.
///
/// # Errors
/// `AirdropNotOpen`, `AirdropOver`, `AlreadyClaimed`, `InvalidAirdropProof`; `GrantTooLarge` when the
/// list promises more than the class.
pub fn claim(state: &mut impl Write, claim: &Claim) -> Result<u64, Failure> {
    let Claim { index, account, amount, .. } = *claim;
    let (settings, now) = (SETTINGS.get(state)?, state.block().timestamp);
    if now < settings.opens {
        return Err(IVesting::AirdropNotOpen { opens: settings.opens.0 }.into());
    }
    if now >= settings.closes {
        return Err(IVesting::AirdropOver { closes: settings.closes.0 }.into());
    }
    let length = u64::try_from(claim.proof.len()).unwrap_or(u64::MAX);
    state.charge(HASH_GAS.saturating_mul(length.saturating_add(2)))?;
    let (root, chain_id) = (ROOT.get(state)?, state.block().chain_id);
    if root.is_zero() || climb(leaf(chain_id, index, account, amount), &claim.proof) != root {
        return Err(IVesting::InvalidAirdropProof { index }.into());
    }
    let (word, bit) = bit(index);
    CLAIMED.update(state, word, |claimed| {
        if !(*claimed & bit).is_zero() {
            return Err(IVesting::AlreadyClaimed { index }.into());
        }
        *claimed |= bit;
        Ok(())
    })?;
    let part = Schedule { pool: POOL, beneficiary: account, ..Schedule::default() };
    let schedule = cut(state, part, amount)?;
    let amount = amount.base_units();
    state.emit(ADDRESS, IVesting::Claimed { index, account, amount, schedule })?;
    release(state, schedule)?;
    Ok(schedule)
}

/// Returns to the treasury what nobody claimed.
///
/// # Errors
/// `AirdropNotOver`.
pub fn close_airdrop(state: &mut impl Write) -> Result<(), Failure> {
    let (closes, now) = (SETTINGS.get(state)?.closes, state.block().timestamp);
    if now < closes {
        return Err(IVesting::AirdropNotOver { closes: closes.0 }.into());
    }
    let mut class = schedule(state, class_of(POOL))?;
    let unclaimed = std::mem::take(&mut class.total);
    keep(state, class_of(POOL), &class)?;
    unbind(state, POOL, unclaimed)?;
    state.move_coin(AIRDROP, COMMUNITY, Amount::from_u128(unclaimed))?;
    state.emit(ADDRESS, IVesting::AirdropClosed { unclaimed: U256::from(unclaimed) })
}
