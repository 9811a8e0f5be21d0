//! What the two collections of ERC-721 have in common: balances, approvals and operators. Events and errors
//! have the same signatures in both interfaces, so the words of one serve both (a test holds them equal).
//!
//! Leave is kept under the name of who gave it (see [`assets::giver`]): what an asset's own account allowed
//! ends when the asset changes hands.

use crate::{
    assets,
    state::{Failure, Read, Write},
    storage::{Key, Map, Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IAssets, IProtocol};

/// Who may move a token once, `to: 160 | mark: 96`. The mark is the beginning of the giver's name where that
/// is not its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Approval {
    to: Address,
    mark: u128,
}

/// Bytes and bits of [`Approval::mark`].
const MARK_BYTES: usize = 12;
pub(crate) const MARK_BITS: usize = 8 * MARK_BYTES;

impl Value for Approval {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().address(self.to).number(MARK_BITS, self.mark).finish()?;
        Ok([word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { to: word.address(), mark: word.number(MARK_BITS)? })
    }
}

/// The mark of an owner's leave now: zero where its name is its address.
///
/// # Errors
/// Those of the state.
pub(crate) fn mark_of(state: &mut impl Read, owner: Address) -> Result<u128, Failure> {
    let name = assets::giver(state, owner)?;
    Ok(if name == owner { 0 } else { beginning_of(name) })
}

/// The first bits of a name, as many as a mark has.
pub(crate) fn beginning_of(name: Address) -> u128 {
    let bytes = name.iter().take(MARK_BYTES);
    bytes.fold(0_u128, |sum, byte| sum.wrapping_shl(8) | u128::from(*byte))
}

/// A token and who owns it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<K> {
    /// The key of its words.
    pub(crate) id: K,
    /// Its id on the wire.
    pub(crate) token_id: U256,
    /// Its owner.
    pub(crate) owner: Address,
}

/// Where a collection keeps what is common.
#[derive(Debug)]
pub(crate) struct Collection<K> {
    /// The collection, which logs.
    pub(crate) address: Address,
    /// Tokens held, by owner.
    pub(crate) holdings: Map<Address, u64>,
    /// By the owner's name and the operator.
    pub(crate) operators: Map<(Address, Address), bool>,
    /// Who may move a token once.
    pub(crate) approvals: Map<K, Approval>,
}

impl<K: Key> Collection<K> {
    /// Tokens that `owner` holds.
    ///
    /// # Errors
    /// `ERC721InvalidOwner` for the zero address.
    pub(crate) fn balance_of(&self, state: &mut impl Read, owner: Address) -> Result<u64, Failure> {
        if owner.is_zero() {
            return Err(IAssets::ERC721InvalidOwner { owner }.into());
        }
        self.holdings.get(state, owner)
    }

    /// Who may move the token once, beside its owner and operators; zero: nobody.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) fn approved(
        &self,
        state: &mut impl Read,
        token: Token<K>,
    ) -> Result<Address, Failure> {
        let Approval { to, mark } = self.approvals.get(state, token.id)?;
        if to.is_zero() || mark == mark_of(state, token.owner)? {
            return Ok(to);
        }
        Ok(Address::ZERO)
    }

    /// Whether `operator` may move everything of `owner`.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) fn is_operator(
        &self,
        state: &mut impl Read,
        owner: Address,
        operator: Address,
    ) -> Result<bool, Failure> {
        let name = assets::giver(state, owner)?;
        self.operators.get(state, (name, operator))
    }

    /// Lets `to` move the token once; the zero address takes it back.
    ///
    /// # Errors
    /// `ERC721InsufficientApproval` for who is neither its owner nor an operator.
    pub(crate) fn approve(
        &self,
        state: &mut impl Write,
        caller: Address,
        to: Address,
        token: Token<K>,
    ) -> Result<(), Failure> {
        let Token { id, token_id, owner } = token;
        if caller != owner && !self.is_operator(state, owner, caller)? {
            return Err(refused(caller, token_id));
        }
        let mark = if to.is_zero() { 0 } else { mark_of(state, owner)? };
        self.approvals.set(state, id, &Approval { to, mark })?;
        let event = IAssets::Approval { owner, approved: to, tokenId: token_id };
        state.emit(self.address, event)
    }

    /// Lets `operator` move everything of `owner`, or no longer.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) fn set_operator(
        &self,
        state: &mut impl Write,
        owner: Address,
        operator: Address,
        approved: bool,
    ) -> Result<(), Failure> {
        let name = assets::giver(state, owner)?;
        self.operators.set(state, (name, operator), &approved)?;
        state.emit(self.address, IAssets::ApprovalForAll { owner, operator, approved })
    }

    /// Refuses an operator that may not move the token.
    ///
    /// # Errors
    /// `ERC721InsufficientApproval`.
    pub(crate) fn check(
        &self,
        state: &mut impl Read,
        operator: Address,
        token: Token<K>,
    ) -> Result<(), Failure> {
        if operator == token.owner {
            return Ok(());
        }
        let approved = self.approved(state, token)?;
        let is_approved = !approved.is_zero() && operator == approved;
        if is_approved || self.is_operator(state, token.owner, operator)? {
            return Ok(());
        }
        Err(refused(operator, token.token_id))
    }

    /// Counts a token that was just made for its first owner.
    ///
    /// # Errors
    /// `Overflow`, and those of the state.
    pub(crate) fn mint(
        &self,
        state: &mut impl Write,
        token_id: U256,
        owner: Address,
    ) -> Result<(), Failure> {
        self.holdings.update(state, owner, |held| {
            *held = held.checked_add(1).ok_or(IProtocol::Overflow {})?;
            Ok(())
        })?;
        let (from, to) = (Address::ZERO, owner);
        state.emit(self.address, IAssets::Transfer { from, to, tokenId: token_id })
    }

    /// Counts a token that `operator` moved to `to`; its approval ends.
    ///
    /// # Errors
    /// Those of the state.
    pub(crate) fn pass(
        &self,
        state: &mut impl Write,
        operator: Address,
        Token { id, token_id, owner }: Token<K>,
        to: Address,
    ) -> Result<(), Failure> {
        self.approvals.replace(state, id, &Approval::default())?;
        for (account, is_from) in [(owner, true), (to, false)] {
            self.holdings.update(state, account, |held| {
                *held = if is_from { held.saturating_sub(1) } else { held.saturating_add(1) };
                Ok(())
            })?;
        }
        assets::count_taken(state, operator, owner)?;
        let event = IAssets::Transfer { from: owner, to, tokenId: token_id };
        state.emit(self.address, event)
    }
}

fn refused(operator: Address, token_id: U256) -> Failure {
    IAssets::ERC721InsufficientApproval { operator, tokenId: token_id }.into()
}

#[cfg(test)]
mod tests {
    use alloy_sol_types::{SolError, SolEvent};
    use sahara_abi::{IAssets, ILicenses};

    #[test]
    fn the_words_of_one_collection_are_the_others() {
        let events = [
            (IAssets::Transfer::SIGNATURE_HASH, ILicenses::Transfer::SIGNATURE_HASH),
            (IAssets::Approval::SIGNATURE_HASH, ILicenses::Approval::SIGNATURE_HASH),
            (IAssets::ApprovalForAll::SIGNATURE_HASH, ILicenses::ApprovalForAll::SIGNATURE_HASH),
        ];
        events.into_iter().for_each(|(one, other)| assert_eq!(one, other));
        let errors = [
            (
                IAssets::ERC721InsufficientApproval::SELECTOR,
                ILicenses::ERC721InsufficientApproval::SELECTOR,
            ),
            (IAssets::ERC721InvalidOwner::SELECTOR, ILicenses::ERC721InvalidOwner::SELECTOR),
        ];
        errors.into_iter().for_each(|(one, other)| assert_eq!(one, other));
    }
}
