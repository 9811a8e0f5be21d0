//! One function per function of `ICoin`.

use super::storage::{ALLOWANCES, NONCES};
use crate::{
    assets,
    dispatch::is_protocol,
    signature,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    COIN, ICoin,
    signing::{Permit, coin_domain},
};
use sahara_primitives::Amount;

/// Gas for the hashes of an EIP-712 message of up to eight words.
pub(super) const TYPED_HASH_GAS: u64 = 400;

/// A permit as it comes: what its owner signed, and the signature.
#[derive(Clone, Copy, Debug)]
pub struct SignedPermit {
    /// Whose coin.
    pub owner: Address,
    /// Who may move it.
    pub spender: Address,
    /// How much.
    pub value: U256,
    /// Until when, in seconds.
    pub deadline: U256,
    /// Recovery number, 27 or 28.
    pub v: u8,
    /// Signature.
    pub r: B256,
    /// Signature, in the lower half of the order.
    pub s: B256,
}

/// The account's coin.
///
/// # Errors
/// Those of the state.
pub fn balance_of(state: &mut impl Read, account: Address) -> Result<Amount, Failure> {
    state.balance(account)
}

/// What `spender` may move of `owner`'s coin.
///
/// # Errors
/// Those of the state.
pub fn allowance(state: &mut impl Read, owner: Address, spender: Address) -> Result<U256, Failure> {
    let name = assets::giver(state, owner)?;
    ALLOWANCES.get(state, (name, spender))
}

/// Permits that `owner` used so far: the nonce of the next.
///
/// # Errors
/// Those of the state.
pub fn nonce_of(state: &mut impl Read, owner: Address) -> Result<U256, Failure> {
    NONCES.get(state, owner)
}

/// The EIP-712 domain of permits on this chain.
pub fn domain_separator(state: &impl Read) -> B256 {
    coin_domain(state.block().chain_id).separator()
}

/// Moves coin.
///
/// # Errors
/// `ERC20InvalidSender` for protocols, whose coin is others'; `ERC20InvalidReceiver` for the zero address
/// and protocols; `ERC20InsufficientBalance`.
pub fn transfer(
    state: &mut impl Write,
    from: Address,
    to: Address,
    amount: Amount,
) -> Result<(), Failure> {
    if is_protocol(from) {
        return Err(ICoin::ERC20InvalidSender { sender: from }.into());
    }
    if to.is_zero() || is_protocol(to) {
        return Err(ICoin::ERC20InvalidReceiver { receiver: to }.into());
    }
    state.move_coin(from, to, amount)?;
    state.emit(COIN, ICoin::Transfer { from, to, value: amount.base_units() })
}

/// Sets what `spender` may move of `owner`'s coin.
///
/// # Errors
/// `ERC20InvalidApprover` for protocols, `ERC20InvalidSpender` for the zero address.
pub fn approve(
    state: &mut impl Write,
    owner: Address,
    spender: Address,
    value: U256,
) -> Result<(), Failure> {
    if is_protocol(owner) {
        return Err(ICoin::ERC20InvalidApprover { approver: owner }.into());
    }
    if spender.is_zero() {
        return Err(ICoin::ERC20InvalidSpender { spender }.into());
    }
    let name = assets::giver(state, owner)?;
    ALLOWANCES.set(state, (name, spender), &value)?;
    state.emit(COIN, ICoin::Approval { owner, spender, value })
}

/// Moves coin of `from` on its allowance for `spender`.
///
/// # Errors
/// `ERC20InsufficientAllowance`; otherwise as [`transfer`].
pub fn transfer_from(
    state: &mut impl Write,
    spender: Address,
    from: Address,
    to: Address,
    amount: Amount,
) -> Result<(), Failure> {
    let needed = amount.base_units();
    let name = assets::giver(state, from)?;
    let allowance = ALLOWANCES.get(state, (name, spender))?;
    if allowance != U256::MAX {
        let rest = allowance.checked_sub(needed).ok_or(ICoin::ERC20InsufficientAllowance {
            spender,
            allowance,
            needed,
        })?;
        ALLOWANCES.set(state, (name, spender), &rest)?;
    }
    // Nothing can be taken by whom nothing was allowed, and it must not void an asset's listing either.
    if !amount.is_zero() {
        assets::count_taken(state, spender, from)?;
    }
    transfer(state, from, to, amount)
}

/// Sets an allowance by its owner's signature.
///
/// # Errors
/// `ERC2612ExpiredSignature`, `ERC2612InvalidSigner`; otherwise as [`approve`].
pub fn permit(state: &mut impl Write, permit: SignedPermit) -> Result<(), Failure> {
    let SignedPermit { owner, spender, value, deadline, v, r, s } = permit;
    let block = state.block();
    if deadline < U256::from(block.timestamp.0) {
        return Err(ICoin::ERC2612ExpiredSignature { deadline }.into());
    }
    state.charge(TYPED_HASH_GAS)?;
    let nonce = NONCES.get(state, owner)?;
    let message = Permit { owner, spender, value, nonce, deadline };
    let hash = message.eip712_signing_hash(&coin_domain(block.chain_id));
    let signer = signature::recover(state, hash, v, r, s)?;
    if signer != Some(owner) || owner.is_zero() {
        let signer = signer.unwrap_or_default();
        return Err(ICoin::ERC2612InvalidSigner { signer, owner }.into());
    }
    NONCES.set(state, owner, &nonce.wrapping_add(U256::ONE))?;
    approve(state, owner, spender, value)
}
