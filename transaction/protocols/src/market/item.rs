//! What can be sold: whether it may be moved, in which state it is, and how its price is divided.

use super::words::{Collection, Thing};
use crate::{
    assets, licenses, royalties,
    state::{Failure, Read, Write, overflow},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{ASSETS, IAssets, IMarket, LICENSES, MARKET as ADDRESS};
use sahara_primitives::{Amount, AssetId, BasisPoints};

impl Collection {
    /// Its address.
    pub(super) const fn address(self) -> Address {
        match self {
            Self::Assets => ASSETS,
            Self::Licenses => LICENSES,
        }
    }

    /// The collection at an address.
    ///
    /// # Errors
    /// `UnknownCollection`.
    pub(super) fn at(address: Address) -> Result<Self, Failure> {
        match address {
            ASSETS => Ok(Self::Assets),
            LICENSES => Ok(Self::Licenses),
            _ => Err(IMarket::UnknownCollection { collection: address }.into()),
        }
    }
}

impl Thing {
    /// What a caller names; an id past 64 bits is none of either collection.
    pub(super) fn new(collection: Address, token_id: U256, state: B256) -> Result<Self, Failure> {
        let collection = Collection::at(collection)?;
        let token = u64::try_from(token_id).map_err(|_| match collection {
            Collection::Assets => {
                Failure::from(IAssets::ERC721NonexistentToken { tokenId: token_id })
            }
            Collection::Licenses => {
                sahara_abi::ILicenses::ERC721NonexistentToken { tokenId: token_id }.into()
            }
        })?;
        Ok(Self { collection, token, state })
    }

    /// The id in its collection.
    pub(super) fn token_id(self) -> U256 {
        U256::from(self.token)
    }

    /// Who owns it.
    pub(super) fn owner(self, state: &mut impl Read) -> Result<Address, Failure> {
        match self.collection {
            Collection::Assets => assets::owner_of(state, self.token_id()),
            Collection::Licenses => licenses::owner_of(state, self.token_id()),
        }
    }

    /// The asset that it is, or is a licence of.
    fn asset(self, state: &mut impl Read) -> Result<AssetId, Failure> {
        match self.collection {
            Collection::Assets => Ok(AssetId(self.token)),
            Collection::Licenses => Ok(AssetId(licenses::license(state, self.token_id())?.asset)),
        }
    }

    /// The part of a price for those who made the asset possible.
    fn royalty(self, state: &mut impl Read, price: Amount) -> Result<Amount, Failure> {
        match self.collection {
            Collection::Assets => {
                let title = assets::title(state, AssetId(self.token))?;
                title.derivative_royalty.of(price).map_err(overflow)
            }
            Collection::Licenses => Ok(licenses::royalty_info(state, self.token_id(), price)?.1),
        }
    }

    /// Refuses what could not be moved from `seller` to `to` by `operator` now, or is not in the state
    /// that was committed to. Others may have renewed a licence since: nobody spoils a sale by a gift to its
    /// item.
    pub(super) fn check(
        self,
        state: &mut impl Read,
        operator: Address,
        path: (Address, Address),
    ) -> Result<(), Failure> {
        self.check_movable(state, operator, path)?;
        let is_license = self.collection == Collection::Licenses;
        if is_license && licenses::stands_as_listed(state, self.token_id(), self.state)? {
            return Ok(());
        }
        self.check_state(state)
    }

    /// As [`Self::check`], but a licence may have been renewed since by its holder, too: where a bidder's coin
    /// waits it gets at least what it bid for, and the holder has it in hand whether that is sold.
    pub(super) fn check_kept(
        self,
        state: &mut impl Read,
        operator: Address,
        path: (Address, Address),
    ) -> Result<(), Failure> {
        self.check_movable(state, operator, path)?;
        let is_license = self.collection == Collection::Licenses;
        if is_license && licenses::stands_as(state, self.token_id(), self.state)? {
            return Ok(());
        }
        self.check_state(state)
    }

    /// Refuses what could not be moved from `seller` to `to` by `operator` now.
    pub(super) fn check_movable(
        self,
        state: &mut impl Read,
        operator: Address,
        (seller, to): (Address, Address),
    ) -> Result<(), Failure> {
        if self.owner(state)? != seller {
            let (collection, token_id) = (self.collection.address(), self.token_id());
            return Err(IMarket::NotMovable { collection, tokenId: token_id, seller }.into());
        }
        match self.collection {
            Collection::Assets => {
                if !assets::title(state, AssetId(self.token))?.is_sealed {
                    return Err(IAssets::NotSealed { asset: self.token }.into());
                }
                crate::disputes::check_listed(state, AssetId(self.token))?;
                assets::check_transfer(state, operator, (seller, to), self.token_id())?;
            }
            Collection::Licenses => {
                licenses::check_transfer(state, operator, (seller, to), self.token_id())?;
            }
        }
        Ok(())
    }

    /// Refuses what is not in the state that was committed to.
    fn check_state(self, state: &mut impl Read) -> Result<(), Failure> {
        let found = state_of(state, self)?;
        self.expect_state(found)
    }

    /// Refuses another state than the one that was committed to.
    pub(super) fn expect_state(self, found: B256) -> Result<(), Failure> {
        if found == self.state {
            return Ok(());
        }
        let (collection, token_id) = (self.collection.address(), self.token_id());
        let expected = self.state;
        Err(IMarket::StateChanged { collection, tokenId: token_id, state: found, expected }.into())
    }

    /// Moves it.
    pub(super) fn transfer(
        self,
        state: &mut impl Write,
        operator: Address,
        path: (Address, Address),
    ) -> Result<(), Failure> {
        match self.collection {
            Collection::Assets => assets::transfer_from(state, operator, path, self.token_id()),
            Collection::Licenses => licenses::transfer_from(state, operator, path, self.token_id()),
        }
    }

    /// How a price is divided.
    pub(super) fn parts(
        self,
        state: &mut impl Read,
        price: Amount,
        referral: BasisPoints,
    ) -> Result<Parts, Failure> {
        let royalty = self.royalty(state, price)?;
        let referral = referral.of(price).map_err(overflow)?;
        let rest = price.checked_sub(royalty).and_then(|rest| rest.checked_sub(referral));
        Ok(Parts { seller: rest.map_err(overflow)?, royalty, referral })
    }
}

/// The bits from which on an asset's state has what others took from its account and its owner of rights to
/// it, its transfers, and the offers of licences; below are its account's actions.
const TAKEN: usize = 64;
const TRANSFERS: usize = 128;
const OFFERS: usize = 192;

/// The state that listings commit to. An asset: how often its own account has acted, slot 0 of that
/// account, and how often others took from it by its leave, so that it cannot be drained; together with
/// that, how often its owner took or gave rights to it, a next version or a derivative, and complaints about it were upheld; how often it changed
/// hands, so that a listing that was forgotten sells nothing when it comes back; and how often terms were
/// offered for it, so that nobody gives licences of it away while it is being sold. A licence: its end, its
/// uses, its standing.
pub(super) fn state_of(state: &mut impl Read, thing: Thing) -> Result<B256, Failure> {
    match thing.collection {
        Collection::Assets => {
            let id = AssetId(thing.token);
            let account = assets::account_of(state, id)?;
            let actions = state.load(account, U256::ZERO)?;
            let taken = U256::from(assets::taken_of(state, id)?).wrapping_shl(TAKEN);
            let title = assets::title(state, id)?;
            let transfers = U256::from(assets::transfers_of(state, id, &title)?);
            let transfers = transfers.wrapping_shl(TRANSFERS);
            let offers = U256::from(licenses::offers_made(state, id)?).wrapping_shl(OFFERS);
            Ok((actions | taken | transfers | offers).into())
        }
        Collection::Licenses => licenses::standing_word(state, thing.token_id()),
    }
}

/// A price, divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// What the seller gets: what the others leave.
    pub(super) seller: Amount,
    /// For those who made the asset possible.
    pub(super) royalty: Amount,
    /// For whoever brought the buyer.
    pub(super) referral: Amount,
}

/// Who takes part in a sale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deal {
    /// Who gets the rest of the price.
    pub(super) seller: Address,
    /// Who pays, and is named in logs.
    pub(super) buyer: Address,
    /// Who brought the buyer; zero: nobody.
    pub(super) referrer: Address,
    /// The referrer's part.
    pub(super) referral: BasisPoints,
}

/// Divides the price of a sale that the protocol holds. An item that changes hands must not have been
/// moved yet: who owned it while the money came takes part in its royalty.
pub(super) fn divide(
    state: &mut impl Write,
    deal: Deal,
    thing: Thing,
    price: Amount,
) -> Result<(), Failure> {
    let referral = if deal.referrer.is_zero() { BasisPoints::ZERO } else { deal.referral };
    let parts = thing.parts(state, price, referral)?;
    let asset = thing.asset(state)?;
    royalties::pay_from(state, ADDRESS, deal.buyer, asset, parts.royalty)?;
    if !parts.referral.is_zero() {
        state.move_coin(ADDRESS, deal.referrer, parts.referral)?;
        let (referrer, amount) = (deal.referrer, parts.referral.base_units());
        state.emit(ADDRESS, IMarket::Referred { referrer, amount })?;
    }
    state.move_coin(ADDRESS, deal.seller, parts.seller)?;
    state.emit(
        ADDRESS,
        IMarket::Sold {
            collection: thing.collection.address(),
            tokenId: thing.token_id(),
            seller: deal.seller,
            buyer: deal.buyer,
            price: price.base_units(),
            royalty: parts.royalty.base_units(),
            referral: parts.referral.base_units(),
        },
    )
}
