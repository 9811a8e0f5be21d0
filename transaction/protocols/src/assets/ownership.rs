//! Ownership: ERC-721. `safeTransferFrom` is the protocol's own code (it calls the receiver), which
//! comes back here as [`transfer_for`].

use super::{
    accounts,
    record::{TURN, Title},
    storage::{APPROVED, HOLDINGS, OPERATORS, TITLES, TURNS},
};
use crate::{
    dispatch::is_reserved,
    erc721::{Collection, Token},
    royalties,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{ASSETS, IAssets, IProtocol};
use sahara_primitives::AssetId;

/// The asset behind an ERC-721 id.
fn token(state: &mut impl Read, token: U256) -> Result<(AssetId, Title), Failure> {
    let unknown = || IAssets::ERC721NonexistentToken { tokenId: token };
    let id = AssetId(u64::try_from(token).map_err(|_| unknown())?);
    let title = TITLES.get(state, id)?;
    if title.owner.is_zero() { Err(unknown().into()) } else { Ok((id, title)) }
}

/// ERC-721's common part.
pub(super) const TOKENS: Collection<AssetId> =
    Collection { address: ASSETS, holdings: HOLDINGS, operators: OPERATORS, approvals: APPROVED };

/// Assets that `owner` holds.
///
/// # Errors
/// `ERC721InvalidOwner` for the zero address.
pub fn balance_of(state: &mut impl Read, owner: Address) -> Result<u64, Failure> {
    TOKENS.balance_of(state, owner)
}

/// Who owns an asset.
///
/// # Errors
/// `ERC721NonexistentToken`.
pub fn owner_of(state: &mut impl Read, id: U256) -> Result<Address, Failure> {
    Ok(token(state, id)?.1.owner)
}

/// Who may move the asset once, beside its owner and operators.
pub(super) fn approved(state: &mut impl Read, token_id: U256) -> Result<Address, Failure> {
    let (id, Title { owner, .. }) = token(state, token_id)?;
    TOKENS.approved(state, Token { id, token_id, owner })
}

/// The asset's name in marketplaces' terms: whom a sale pays.
pub(super) fn royalty_info(
    state: &mut impl Read,
    id: U256,
    price: U256,
) -> Result<(Address, U256), Failure> {
    let (_, title) = token(state, id)?;
    let price = sahara_primitives::Amount::from_base_units(price);
    let amount = title.derivative_royalty.of(price).map_err(crate::state::overflow)?;
    Ok((title.owner, amount.base_units()))
}

/// Lets `to` move the asset once; the zero address takes it back.
///
/// # Errors
/// `ERC721NonexistentToken`, `ERC721InsufficientApproval`.
pub fn approve(
    state: &mut impl Write,
    caller: Address,
    to: Address,
    token_id: U256,
) -> Result<(), Failure> {
    let (id, Title { owner, .. }) = token(state, token_id)?;
    TOKENS.approve(state, caller, to, Token { id, token_id, owner })
}

/// Lets `operator` move everything of `owner`, or no longer.
///
/// # Errors
/// Those of the state.
pub fn set_approval_for_all(
    state: &mut impl Write,
    owner: Address,
    operator: Address,
    approved: bool,
) -> Result<(), Failure> {
    TOKENS.set_operator(state, owner, operator, approved)
}

/// As [`transfer_from`] by `operator`, asked by the protocol's own code.
///
/// # Errors
/// `OnlySelf` for anyone else; otherwise as [`transfer_from`].
pub fn transfer_for(
    state: &mut impl Write,
    caller: Address,
    operator: Address,
    path: (Address, Address),
    token_id: U256,
) -> Result<(), Failure> {
    if caller != ASSETS {
        return Err(IProtocol::OnlySelf { caller }.into());
    }
    transfer_from(state, operator, path, token_id)
}

/// The asset, if `caller` may move it now.
///
/// # Errors
/// As [`transfer_from`].
pub(crate) fn check_transfer(
    state: &mut impl Read,
    caller: Address,
    (from, to): (Address, Address),
    token_id: U256,
) -> Result<(AssetId, Title), Failure> {
    if to.is_zero() || is_reserved(to) {
        return Err(IAssets::ERC721InvalidReceiver { receiver: to }.into());
    }
    let (id, title) = token(state, token_id)?;
    let owner = title.owner;
    if from != owner {
        let error = IAssets::ERC721IncorrectOwner { sender: from, tokenId: token_id, owner };
        return Err(error.into());
    }
    TOKENS.check(state, caller, Token { id, token_id, owner })?;
    accounts::refuse_cycle(state, id, to)?;
    Ok((id, title))
}

/// Pays the owner what the past earned, then moves the asset and its future income.
///
/// # Errors
/// `ERC721InvalidReceiver` for the zero address and protocols, `ERC721NonexistentToken`,
/// `ERC721IncorrectOwner`, `ERC721InsufficientApproval`, `OwnershipCycle`, `OwnershipTooDeep`.
pub fn transfer_from(
    state: &mut impl Write,
    caller: Address,
    (from, to): (Address, Address),
    token_id: U256,
) -> Result<(), Failure> {
    let (id, title) = check_transfer(state, caller, (from, to), token_id)?;
    if title.has_members {
        royalties::move_seat(state, id, from, to)?;
    }
    let (passed, is_turn) = title.passed_to(to);
    TITLES.set(state, id, &passed)?;
    if is_turn {
        TURNS.update(state, id, |turns| {
            *turns = turns.saturating_add(1);
            Ok(())
        })?;
    }
    TOKENS.pass(state, caller, Token { id, token_id, owner: from }, to)
}

/// How often an asset changed hands, ever: what was listed or allowed before is not when it comes back.
///
/// # Errors
/// Those of the state.
pub(crate) fn transfers_of(
    state: &mut impl Read,
    id: AssetId,
    title: &Title,
) -> Result<u64, Failure> {
    // Only a title that has counted through its first turn may have others behind it.
    let turns = if title.transfers < TURN { 0 } else { TURNS.get(state, id)? };
    Ok(turns.saturating_mul(TURN.into()).saturating_add(title.transfers.into()))
}

/// Says in the asset's title whether a dispute has a claim on what its owner alone earns.
pub(crate) fn mark(
    state: &mut impl Write,
    asset: AssetId,
    is_disputed: bool,
) -> Result<(), Failure> {
    TITLES.update(state, asset, |title| {
        title.is_disputed = is_disputed;
        Ok(())
    })
}
