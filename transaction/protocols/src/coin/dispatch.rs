//! From a decoded call to its rule.

use super::{
    NAME, SignedPermit,
    authorization::{self, Authorization, Signed},
    rules,
};
use crate::{
    GENESIS_SUPPLY,
    dispatch::Call,
    state::{Failure, Write},
};
use alloy_primitives::Bytes;
use sahara_abi::{ICoin::ICoinCalls as Calls, IProtocol};
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
        other => authorized(state, call, other),
    }
}

/// What an EIP-3009 call says; both forms of a signature have the same first arguments.
macro_rules! authorization {
    ($c:ident) => {
        Authorization {
            from: $c.from,
            to: $c.to,
            value: $c.value,
            valid_after: $c.validAfter,
            valid_before: $c.validBefore,
            nonce: $c.nonce,
        }
    };
}

/// Answers EIP-3009.
fn authorized(state: &mut impl Write, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    use authorization::{
        cancel_authorization, receive_with_authorization, transfer_with_authorization,
    };
    let caller = call.caller;
    match function {
        Calls::authorizationState(c) => {
            call.view(c, |c| authorization::authorization_state(state, c.authorizer, c.nonce))
        }
        Calls::transferWithAuthorization_0(c) => call.change(c, |c| {
            let signed = Signed::Parts(c.v, c.r, c.s);
            transfer_with_authorization(state, &authorization!(c), signed).map(Into::into)
        }),
        Calls::transferWithAuthorization_1(c) => call.change(c, |c| {
            let signed = Signed::Bytes(&c.signature);
            transfer_with_authorization(state, &authorization!(c), signed).map(Into::into)
        }),
        Calls::receiveWithAuthorization_0(c) => call.change(c, |c| {
            let signed = Signed::Parts(c.v, c.r, c.s);
            receive_with_authorization(state, caller, &authorization!(c), signed).map(Into::into)
        }),
        Calls::receiveWithAuthorization_1(c) => call.change(c, |c| {
            let signed = Signed::Bytes(&c.signature);
            receive_with_authorization(state, caller, &authorization!(c), signed).map(Into::into)
        }),
        Calls::cancelAuthorization_0(c) => call.change(c, |c| {
            let signed = Signed::Parts(c.v, c.r, c.s);
            cancel_authorization(state, c.authorizer, c.nonce, signed).map(Into::into)
        }),
        Calls::cancelAuthorization_1(c) => call.change(c, |c| {
            let signed = Signed::Bytes(&c.signature);
            cancel_authorization(state, c.authorizer, c.nonce, signed).map(Into::into)
        }),
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}
