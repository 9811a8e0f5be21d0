//! EIP-3009: coin moved by its owner's signature, with random nonces, so that several can wait at once
//! and none holds up another.

use super::{
    rules::{TYPED_HASH_GAS, transfer},
    storage::AUTHORIZATIONS,
};
use crate::{
    signature,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    COIN, ICoin,
    signing::{
        CancelAuthorization, ReceiveWithAuthorization, TransferWithAuthorization, coin_domain,
    },
};
use sahara_primitives::Amount;

/// What an owner signed: coin for a receiver, within a time, once.
#[derive(Clone, Copy, Debug)]
pub struct Authorization {
    /// Whose coin.
    pub from: Address,
    /// Who receives it.
    pub to: Address,
    /// How much.
    pub value: U256,
    /// Valid only after this second.
    pub valid_after: U256,
    /// Valid only before this second.
    pub valid_before: U256,
    /// Any number the owner never used.
    pub nonce: B256,
}

/// A signature as it comes.
#[derive(Clone, Copy, Debug)]
pub enum Signed<'a> {
    /// Recovery number (27 or 28), `r`, and `s` in the lower half of the order.
    Parts(u8, B256, B256),
    /// The 65 bytes `r || s || v`.
    Bytes(&'a [u8]),
}

impl Signed<'_> {
    /// Checks that `account` signed this message.
    fn check(
        self,
        state: &mut impl Read,
        account: Address,
        message: &impl SolStruct,
    ) -> Result<(), Failure> {
        state.charge(TYPED_HASH_GAS)?;
        let hash = message.eip712_signing_hash(&coin_domain(state.block().chain_id));
        let signer = match self {
            Self::Parts(v, r, s) => signature::recover(state, hash, v, r, s)?,
            Self::Bytes(bytes) => signature::recover_bytes(state, hash, bytes)?,
        };
        if signer == Some(account) && !account.is_zero() {
            return Ok(());
        }
        let (signer, authorizer) = (signer.unwrap_or_default(), account);
        Err(ICoin::AuthorizationInvalidSigner { signer, authorizer }.into())
    }
}

/// Whether an account's nonce was used or cancelled.
///
/// # Errors
/// Those of the state.
pub fn authorization_state(
    state: &mut impl Read,
    authorizer: Address,
    nonce: B256,
) -> Result<bool, Failure> {
    AUTHORIZATIONS.get(state, (authorizer, nonce))
}

/// Moves coin by its owner's signature.
///
/// # Errors
/// `AuthorizationNotYetValid`, `AuthorizationExpired`, `AuthorizationUsedOrCanceled`,
/// `AuthorizationInvalidSigner`; otherwise as [`transfer`].
pub fn transfer_with_authorization(
    state: &mut impl Write,
    about: &Authorization,
    signed: Signed<'_>,
) -> Result<(), Failure> {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = *about;
    let message = TransferWithAuthorization {
        from,
        to,
        value,
        validAfter: valid_after,
        validBefore: valid_before,
        nonce,
    };
    carry_out(state, about, signed, &message)
}

/// Moves coin by its owner's signature to `caller`, who must be the receiver.
///
/// # Errors
/// `AuthorizationNotForCaller`; otherwise as [`transfer_with_authorization`].
pub fn receive_with_authorization(
    state: &mut impl Write,
    caller: Address,
    about: &Authorization,
    signed: Signed<'_>,
) -> Result<(), Failure> {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = *about;
    if caller != to {
        return Err(ICoin::AuthorizationNotForCaller { caller, to }.into());
    }
    let message = ReceiveWithAuthorization {
        from,
        to,
        value,
        validAfter: valid_after,
        validBefore: valid_before,
        nonce,
    };
    carry_out(state, about, signed, &message)
}

fn carry_out(
    state: &mut impl Write,
    about: &Authorization,
    signed: Signed<'_>,
    message: &impl SolStruct,
) -> Result<(), Failure> {
    let now = U256::from(state.block().timestamp.0);
    if now <= about.valid_after {
        return Err(ICoin::AuthorizationNotYetValid { validAfter: about.valid_after }.into());
    }
    if now >= about.valid_before {
        return Err(ICoin::AuthorizationExpired { validBefore: about.valid_before }.into());
    }
    signed.check(state, about.from, message)?;
    use_up(state, about.from, about.nonce)?;
    let (authorizer, nonce) = (about.from, about.nonce);
    state.emit(COIN, ICoin::AuthorizationUsed { authorizer, nonce })?;
    transfer(state, about.from, about.to, Amount::from_base_units(about.value))
}

/// Makes a nonce useless, by its owner's signature.
///
/// # Errors
/// `AuthorizationUsedOrCanceled`, `AuthorizationInvalidSigner`.
pub fn cancel_authorization(
    state: &mut impl Write,
    authorizer: Address,
    nonce: B256,
    signed: Signed<'_>,
) -> Result<(), Failure> {
    signed.check(state, authorizer, &CancelAuthorization { authorizer, nonce })?;
    use_up(state, authorizer, nonce)?;
    state.emit(COIN, ICoin::AuthorizationCanceled { authorizer, nonce })
}

fn use_up(state: &mut impl Write, authorizer: Address, nonce: B256) -> Result<(), Failure> {
    if AUTHORIZATIONS.get(state, (authorizer, nonce))? {
        return Err(ICoin::AuthorizationUsedOrCanceled { authorizer, nonce }.into());
    }
    AUTHORIZATIONS.set(state, (authorizer, nonce), &true)
}
