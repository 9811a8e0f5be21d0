//! What a dispute does to an asset's income, and to what may be done with the asset.

use super::{
    escrow,
    storage::{SHARES, STANDINGS},
};
use crate::state::{Failure, Read, Write, overflow};
use alloy_primitives::Address;
use sahara_abi::{DISPUTES as ADDRESS, IDisputes};
use sahara_primitives::{Amount, AssetId, BasisPoints};

/// Takes from a part of a payment, which `from` holds, what a dispute has a claim on; returns the rest.
/// Shares of an upheld complaint come first, what open ones hold is of the rest.
///
/// # Errors
/// Those of the state.
pub(crate) fn divert(
    state: &mut impl Write,
    from: Address,
    asset: AssetId,
    part: Amount,
) -> Result<Amount, Failure> {
    let standing = STANDINGS.get(state, asset)?;
    let mut rest = part;
    if standing.corrected > 0 {
        rest = redirect(state, from, (asset, standing.corrected), part)?;
    }
    if standing.open > 0 {
        rest = escrow::hold(state, from, (asset, &standing), rest)?;
    }
    Ok(rest)
}

fn redirect(
    state: &mut impl Write,
    from: Address,
    (asset, number): (AssetId, u64),
    part: Amount,
) -> Result<Amount, Failure> {
    let mut rest = part;
    for index in 0..SHARES.len(state, number)? {
        let to = SHARES.get(state, number, index)?;
        let ratio = BasisPoints::new(to.share).map_err(|_| broken())?;
        let amount = ratio.of(part).map_err(overflow)?;
        if amount.is_zero() {
            continue;
        }
        rest = rest.checked_sub(amount).map_err(overflow)?;
        state.move_coin(from, to.account, amount)?;
        let event = IDisputes::Redirected {
            complaint: number,
            asset: asset.0,
            account: to.account,
            amount: amount.base_units(),
        };
        state.emit(ADDRESS, event)?;
    }
    Ok(rest)
}

fn broken() -> Failure {
    Failure::Fatal("a share of an asset's income is above one".into())
}

/// Refuses an asset that lost a dispute.
///
/// # Errors
/// `AssetDelisted`.
pub(crate) fn check_listed(state: &mut impl Read, asset: AssetId) -> Result<(), Failure> {
    if is_listed(state, asset)? {
        return Ok(());
    }
    Err(IDisputes::AssetDelisted { asset: asset.0 }.into())
}

/// Whether an asset lost no dispute that asked that it is no longer sold.
///
/// # Errors
/// Those of the state.
pub(crate) fn is_listed(state: &mut impl Read, asset: AssetId) -> Result<bool, Failure> {
    Ok(!STANDINGS.get(state, asset)?.is_delisted)
}
