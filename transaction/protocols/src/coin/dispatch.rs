//! From a decoded call to its rule.

use super::{NAME, SignedPermit, rules};
use crate::{
    GENESIS_SUPPLY,
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::Bytes;
use sahara_abi::ICoin::ICoinCalls as Calls;
use sahara_primitives::{Amount, COIN_DECIMALS, COIN_SYMBOL};

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let (caller, amount) = (call.caller, Amount::from_base_units);
    match call.decode()? {
        Calls::name(c) => call.view(c, |_| Ok(NAME.into())),
        Calls::symbol(c) => call.view(c, |_| Ok(COIN_SYMBOL.into())),
        Calls::decimals(c) => call.view(c, |_| Ok(COIN_DECIMALS)),
        Calls::totalSupply(c) => call.view(c, |_| Ok(GENESIS_SUPPLY.base_units())),
        Calls::balanceOf(c) => {
            call.view(c, |c| Ok(rules::balance_of(state, c.account)?.base_units()))
        }
        Calls::allowance(c) => call.view(c, |c| rules::allowance(state, c.owner, c.spender)),
        Calls::nonces(c) => call.view(c, |c| rules::nonce_of(state, c.owner)),
        Calls::DOMAIN_SEPARATOR(c) => call.view(c, |_| Ok(rules::domain_separator(state))),
        Calls::transfer(c) => {
            call.change(c, |c| rules::transfer(state, caller, c.to, amount(c.value)).map(|()| true))
        }
        Calls::approve(c) => {
            call.change(c, |c| rules::approve(state, caller, c.spender, c.value).map(|()| true))
        }
        Calls::transferFrom(c) => call.change(c, |c| {
            rules::transfer_from(state, caller, c.from, c.to, amount(c.value)).map(|()| true)
        }),
        Calls::permit(c) => call.change(c, |c| {
            let (owner, spender, value, deadline) = (c.owner, c.spender, c.value, c.deadline);
            let permit = SignedPermit { owner, spender, value, deadline, v: c.v, r: c.r, s: c.s };
            rules::permit(state, permit)?;
            Ok(().into())
        }),
    }
}
