//! Under construction.

use crate::{dispatch::Call, liabilities::RawSlot, state::{Failure, Write}, storage::Region};
use alloy_primitives::{Address, Bytes, U256};
use sahara_abi::IProtocol;
use sahara_primitives::{Amount, AssetId};
use std::collections::BTreeMap;

pub(crate) const LAYOUT: &[Region] = &[];

pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}

pub(crate) fn call(_: &mut impl Write, _: &Call<'_>) -> Result<Bytes, Failure> {
    Err(IProtocol::InvalidCall {}.into())
}

pub(crate) const fn check_pools(_: &BTreeMap<RawSlot, U256>) -> Result<(), Failure> {
    Ok(())
}

/// Settles up to 16 of the sender's pools.
///
/// # Errors
/// Those of the state.
pub fn before_transaction(_: &mut impl Write, _: Address) -> Result<(), Failure> {
    Ok(())
}

pub(crate) fn sweep(_: &mut impl Write) -> Result<(), Failure> {
    Ok(())
}

/// Divides `amount`, which `from` holds, among those who made `asset` possible; `payer` is named in the log.
///
/// # Errors
/// `UnknownAsset`, `NotSealed`, `PoolFull`.
pub fn pay_from(
    _: &mut impl Write,
    _: Address,
    _: Address,
    _: AssetId,
    _: Amount,
) -> Result<(), Failure> {
    Ok(())
}
