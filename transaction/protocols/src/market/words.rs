//! [`Escrow`], [`Thing`], [`OfferRecord`], [`AuctionRecord`], [`HeldRecord`]: what stands in the slots.
//!
//! Coin that waits is the second word of each record, `price: 128 | fee: 128`, and nothing else.

use crate::{
    erc721::MARK_BITS,
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256};

/// Coin that waits for a sale: the price, and the fee on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Escrow {
    /// To be divided.
    pub(crate) price: u128,
    /// For the incentive pool.
    pub(crate) fee: u128,
}

impl Escrow {
    fn pack(self) -> Result<U256, Failure> {
        Pack::new().number(128, self.price).number(128, self.fee).finish()
    }

    /// The halves of a word.
    pub(crate) fn unpack(word: U256) -> Result<Self, Failure> {
        let mut word = Unpack::new(word);
        Ok(Self { price: word.number(128)?, fee: word.number(128)? })
    }
}

/// Of which collection something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Collection {
    /// Ownership of assets.
    #[default]
    Assets,
    /// Licences.
    Licenses,
}

/// An NFT, and the state in which it is sold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Thing {
    /// Which collection.
    pub(crate) collection: Collection,
    /// Which of it: both count in 64 bits.
    pub(crate) token: u64,
    /// The state that was committed to.
    pub(crate) state: B256,
}

impl Thing {
    fn is_license(self) -> bool {
        self.collection == Collection::Licenses
    }
}

const fn collection(is_license: bool) -> Collection {
    if is_license { Collection::Licenses } else { Collection::Assets }
}

/// `bidder: 160 | ends at: 64 | is a licence: 1`, coin, `token: 64 | mark: 96`, state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfferRecord {
    /// Who pays; zero: no such offer.
    pub(crate) bidder: Address,
    /// From when on it is no longer accepted.
    pub(crate) ends_at: u64,
    /// What waits.
    pub(crate) escrow: Escrow,
    /// The mark of the bidder's word, [`crate::erc721::mark_of`].
    pub(crate) mark: u128,
    /// What is wanted.
    pub(crate) thing: Thing,
}

impl Value for OfferRecord {
    type Words = [U256; 4];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().address(self.bidder).number(64, self.ends_at.into());
        let token = Pack::new().number(64, self.thing.token.into()).number(MARK_BITS, self.mark);
        let (token, state) = (token.finish()?, U256::from_be_bytes(self.thing.state.0));
        Ok([head.flag(self.thing.is_license()).finish()?, self.escrow.pack()?, token, state])
    }

    fn unpack([head, escrow, token, state]: &Self::Words) -> Result<Self, Failure> {
        let (mut head, mut token) = (Unpack::new(*head), Unpack::new(*token));
        let (bidder, ends_at) = (head.address(), head.number(64)?);
        let collection = collection(head.flag());
        let thing = Thing { collection, token: token.number(64)?, state: B256::from(*state) };
        let (escrow, mark) = (Escrow::unpack(*escrow)?, token.number(MARK_BITS)?);
        Ok(Self { bidder, ends_at, escrow, mark, thing })
    }
}

/// `seller: 160 | ends at: 64 | is a licence: 1 | extension: 16`, coin, `bidder: 160 | token: 64`,
/// `reserve: 128 | mark: 96`, state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuctionRecord {
    /// Who sells; zero: no such auction, or it is over.
    pub(crate) seller: Address,
    /// From when on nobody bids.
    pub(crate) ends_at: u64,
    /// For how many seconds after a bid there is time for another.
    pub(crate) extension: u16,
    /// The best bid's coin.
    pub(crate) escrow: Escrow,
    /// Who made it; zero: nobody.
    pub(crate) bidder: Address,
    /// The least first bid.
    pub(crate) reserve: u128,
    /// The mark of the seller's word, [`crate::erc721::mark_of`].
    pub(crate) mark: u128,
    /// What is sold.
    pub(crate) thing: Thing,
}

impl Value for AuctionRecord {
    type Words = [U256; 5];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().address(self.seller).number(64, self.ends_at.into());
        let bidder = Pack::new().address(self.bidder).number(64, self.thing.token.into());
        Ok([
            head.flag(self.thing.is_license()).number(16, self.extension.into()).finish()?,
            self.escrow.pack()?,
            bidder.finish()?,
            Pack::new().number(128, self.reserve).number(MARK_BITS, self.mark).finish()?,
            U256::from_be_bytes(self.thing.state.0),
        ])
    }

    fn unpack([head, escrow, bidder, reserve, state]: &Self::Words) -> Result<Self, Failure> {
        let (mut head, mut by) = (Unpack::new(*head), Unpack::new(*bidder));
        let (seller, ends_at) = (head.address(), head.number(64)?);
        let (collection, extension) = (collection(head.flag()), head.number(16)?);
        let bidder = by.address();
        let thing = Thing { collection, token: by.number(64)?, state: B256::from(*state) };
        let (mut asked, escrow) = (Unpack::new(*reserve), Escrow::unpack(*escrow)?);
        let (reserve, mark) = (asked.number(128)?, asked.number(MARK_BITS)?);
        Ok(Self { seller, ends_at, extension, escrow, bidder, reserve, mark, thing })
    }
}

/// `buyer: 160 | until: 64`, coin, `seller: 160 | licence: 64`, `referrer: 160 | referral: 16`, state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeldRecord {
    /// Who paid and may return it; zero: no such sale.
    pub(crate) buyer: Address,
    /// Up to when it may be returned.
    pub(crate) until: u64,
    /// What waits.
    pub(crate) escrow: Escrow,
    /// Who gets it afterwards.
    pub(crate) seller: Address,
    /// The licence.
    pub(crate) license: u64,
    /// Who brought the buyer.
    pub(crate) referrer: Address,
    /// The referrer's part, basis points.
    pub(crate) referral: u16,
    /// After the sale, what use and passing on would change of the licence.
    pub(crate) state: B256,
}

impl Value for HeldRecord {
    type Words = [U256; 5];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().address(self.buyer).number(64, self.until.into());
        let seller = Pack::new().address(self.seller).number(64, self.license.into());
        let referrer = Pack::new().address(self.referrer).number(16, self.referral.into());
        let state = U256::from_be_bytes(self.state.0);
        Ok([head.finish()?, self.escrow.pack()?, seller.finish()?, referrer.finish()?, state])
    }

    fn unpack([head, escrow, seller, referrer, state]: &Self::Words) -> Result<Self, Failure> {
        let (mut head, mut sold) = (Unpack::new(*head), Unpack::new(*seller));
        let mut referred = Unpack::new(*referrer);
        Ok(Self {
            buyer: head.address(),
            until: head.number(64)?,
            escrow: Escrow::unpack(*escrow)?,
            seller: sold.address(),
            license: sold.number(64)?,
            referrer: referred.address(),
            referral: referred.number(16)?,
            state: B256::from(*state),
        })
    }
}
