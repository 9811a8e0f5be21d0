//! From a decoded call to its rule.

use super::{payment, settlement, views};
use crate::{
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::{Bytes, U256};
use sahara_abi::IRoyalties::{IRoyaltiesCalls as Calls, poolsOfReturn, statementReturn};
use sahara_primitives::AssetId;

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    match call.decode()? {
        Calls::pay(c) => call.payable(c, |c| {
            payment::pay(state, call.caller, AssetId(c.asset), call.value).map(Into::into)
        }),
        Calls::settle(c) => call.change(c, |c| {
            let pools: Vec<_> = c.assets.iter().copied().map(AssetId).collect();
            Ok(settlement::settle(state, c.account, &pools)?.base_units())
        }),
        Calls::earned(c) => call.view(c, |c| Ok(views::earned(state, c.account)?.base_units())),
        Calls::earnedIn(c) => {
            call.view(c, |c| Ok(views::earned_in(state, c.account, AssetId(c.asset))?.base_units()))
        }
        Calls::paidTo(c) => {
            call.view(c, |c| Ok(views::paid_to(state, c.account, AssetId(c.asset))?.base_units()))
        }
        Calls::pool(c) => call.view(c, |c| views::pool(state, AssetId(c.asset))),
        Calls::unitsOf(c) => call.view(c, |c| {
            let units = views::units_of(state, AssetId(c.asset), c.account)?;
            Ok(units.try_into().unwrap_or_default())
        }),
        Calls::statement(c) => call.view(c, |c| {
            let (statements, total) = views::statement(state, c.account, c.start, c.count)?;
            Ok(statementReturn { statements, total: U256::from(total) })
        }),
        Calls::poolsOf(c) => call.view(c, |c| {
            let (assets, total) = views::pools_of(state, c.account, c.start, c.count)?;
            Ok(poolsOfReturn { assets, total: U256::from(total) })
        }),
    }
}
