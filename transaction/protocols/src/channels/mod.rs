//! Under construction: answers nothing yet.

use crate::{dispatch::Call, liabilities::RawSlot, state::{Failure, Write}, storage::Region};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IProtocol;

pub(crate) const LAYOUT: &[Region] = &[];

pub(crate) const fn liability(_: RawSlot, _: U256) -> Result<U256, Failure> {
    Ok(U256::ZERO)
}

pub(crate) fn call(_: &mut impl Write, _: &Call<'_>) -> Result<Bytes, Failure> {
    Err(IProtocol::InvalidCall {}.into())
}
