//! The LicenseNFT: ERC-721, moved only where the terms allow it. `safeTransferFrom` is the protocol's own
//! code (it calls the receiver), which comes back here as [`transfer_for`].

use super::{
    seats,
    storage::{APPROVED, HOLDINGS, LICENSES, OPERATORS},
    views::{held, terms_of},
    words::License,
};
use crate::{
    assets,
    dispatch::is_reserved,
    erc721::{Collection, Token},
    state::{Failure, Read, Write, overflow},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{ILicenses, IProtocol, LICENSES as ADDRESS};
use sahara_primitives::{Amount, BasisPoints};

/// Refuses accounts that can neither hold nor use a licence.
pub(super) fn check_receiver(receiver: Address) -> Result<(), Failure> {
    if receiver.is_zero() || is_reserved(receiver) {
        return Err(ILicenses::ERC721InvalidReceiver { receiver }.into());
    }
    Ok(())
}

/// The id of the map's key: licences are counted in 64 bits.
fn number(token_id: U256) -> Result<u64, Failure> {
    let unknown = ILicenses::ERC721NonexistentToken { tokenId: token_id };
    u64::try_from(token_id).map_err(|_| unknown.into())
}

/// ERC-721's common part.
pub(super) const TOKENS: Collection<u64> =
    Collection { address: ADDRESS, holdings: HOLDINGS, operators: OPERATORS, approvals: APPROVED };

/// A licence by its ERC-721 id, and what is known of it.
fn token(state: &mut impl Read, token_id: U256) -> Result<(Token<u64>, License), Failure> {
    let license = held(state, token_id)?;
    Ok((Token { id: number(token_id)?, token_id, owner: license.holder }, license))
}

/// Licences that `owner` holds.
///
/// # Errors
/// `ERC721InvalidOwner` for the zero address.
pub fn balance_of(state: &mut impl Read, owner: Address) -> Result<u64, Failure> {
    TOKENS.balance_of(state, owner)
}

/// Who holds a licence.
///
/// # Errors
/// `ERC721NonexistentToken`.
pub fn owner_of(state: &mut impl Read, token_id: U256) -> Result<Address, Failure> {
    Ok(held(state, token_id)?.holder)
}

/// Who may move it once, beside its holder and operators.
pub(super) fn approved(state: &mut impl Read, token_id: U256) -> Result<Address, Failure> {
    let (token, _) = token(state, token_id)?;
    TOKENS.approved(state, token)
}

/// Lets `to` move the licence once; the zero address takes it back.
///
/// # Errors
/// `ERC721NonexistentToken`, `ERC721InsufficientApproval`.
pub fn approve(
    state: &mut impl Write,
    caller: Address,
    to: Address,
    token_id: U256,
) -> Result<(), Failure> {
    let (token, _) = token(state, token_id)?;
    TOKENS.approve(state, caller, to, token)
}

/// Lets `operator` move everything of `owner` and assign its seats, or no longer.
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

/// The licence, if `operator` may move it now: its approval, the terms and the seats' windows.
///
/// # Errors
/// As [`transfer_from`].
pub(crate) fn check_transfer(
    state: &mut impl Read,
    operator: Address,
    (from, to): (Address, Address),
    token_id: U256,
) -> Result<License, Failure> {
    check_receiver(to)?;
    let (token, license) = token(state, token_id)?;
    let owner = license.holder;
    if from != owner {
        let error = ILicenses::ERC721IncorrectOwner { sender: from, tokenId: token_id, owner };
        return Err(error.into());
    }
    TOKENS.check(state, operator, token)?;
    if !terms_of(state, license.terms)?.isTransferable {
        let terms = license.terms;
        return Err(ILicenses::NotTransferable { license: token_id, terms }.into());
    }
    if license.is_revoked {
        return Err(ILicenses::LicenseRevoked { license: token_id }.into());
    }
    if state.block().timestamp.0 < license.locked_until {
        let (account, until) = (owner, license.locked_until);
        return Err(ILicenses::SeatInUse { license: token_id, account, until }.into());
    }
    // Who has a seat may have used what no claim has counted yet; who never had one has not.
    if license.taken > 0
        && let Some(until) = seats::counted_until(state, &license)?
    {
        return Err(ILicenses::SeatInUse { license: token_id, account: owner, until }.into());
    }
    Ok(license)
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
    if caller != ADDRESS {
        return Err(IProtocol::OnlySelf { caller }.into());
    }
    transfer_from(state, operator, path, token_id)
}

/// Moves a licence; its seats become free, its approvals end.
///
/// # Errors
/// `ERC721InvalidReceiver`, `ERC721NonexistentToken`, `ERC721IncorrectOwner`,
/// `ERC721InsufficientApproval`, `NotTransferable`, `LicenseRevoked`, `SeatInUse`.
pub fn transfer_from(
    state: &mut impl Write,
    caller: Address,
    (from, to): (Address, Address),
    token_id: U256,
) -> Result<(), Failure> {
    let license = check_transfer(state, caller, (from, to), token_id)?;
    let epoch = license.epoch.checked_add(1).ok_or(IProtocol::Overflow {})?;
    let token = Token { id: number(token_id)?, token_id, owner: from };
    LICENSES.set(state, token.id, &License { holder: to, taken: 0, epoch, ..license })?;
    TOKENS.pass(state, caller, token, to)
}

/// ERC-2981: whom a resale pays, and how much of its price.
///
/// # Errors
/// `ERC721NonexistentToken`, `Overflow`.
pub fn royalty_info(
    state: &mut impl Read,
    token_id: U256,
    price: Amount,
) -> Result<(Address, Amount), Failure> {
    let license = held(state, token_id)?;
    let points = terms_of(state, license.terms)?.resaleRoyalty;
    let share = BasisPoints::new(points)
        .map_err(|error| Failure::Fatal(format!("stored terms: {error}")))?;
    let owner = assets::title(state, license.asset)?.owner;
    Ok((owner, share.of(price).map_err(overflow)?))
}
