//! The slots, and what stands in them.

use crate::{
    state::Failure,
    storage::{Map, Pack, Slot, Unpack, Value, storage},
};
use alloy_primitives::{Address, U256};
use sahara_abi::ROYALTIES;
use sahara_primitives::AssetId;

storage! { ROYALTIES:
    /// What went in and out of a pool: the one word that a payment writes.
    FLOWS: Map<AssetId, Flow> = 0;
    /// Who holds a pool.
    TERMS: Map<AssetId, Terms> = 0, 1;
    /// The units that go with ownership.
    SEATS: Map<AssetId, Seat> = 0, 2;
    /// Members by pool and account.
    MEMBERS: Map<(AssetId, Address), Member> = 1;
    /// Members by pool and position, for the sweep.
    ROSTERS: Map<(AssetId, u32), Address> = 2;
    /// An account's pools: number, cursor, first three.
    LISTINGS: Map<Address, Listing> = 3;
    /// An account's pools from the fourth on, four to a word.
    FURTHER: Map<(Address, u32), Four> = 4;
    /// What former owners were paid while they held the seat, by pool and account.
    PAST: Map<(AssetId, Address), U256> = 5;
    /// Pools that wait for the sweep.
    ENDS: Slot<Ends> = 6;
    /// The ring of waiting pools, four to a word.
    RING: Map<u32, Four> = 7;
}

/// `deposited: 112 | paid: 112 | cursor: 16 | is queued: 1 | is dirty: 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Everything ever deposited.
    pub(crate) deposited: u128,
    /// Everything ever paid out.
    pub(crate) paid: u128,
    /// The next member the sweep looks at.
    pub(crate) cursor: u16,
    /// Whether the pool waits for the sweep.
    pub(crate) is_queued: bool,
    /// Whether something was deposited since the sweep began its round.
    pub(crate) is_dirty: bool,
}

impl Flow {
    /// What members are owed, and the rest.
    pub(crate) const fn waiting(&self) -> u128 {
        self.deposited.saturating_sub(self.paid)
    }
}

impl Value for Flow {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let amounts = Pack::new().number(112, self.deposited).number(112, self.paid);
        let sweep = amounts.number(16, self.cursor.into());
        sweep.flag(self.is_queued).flag(self.is_dirty).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            deposited: fields.number(112)?,
            paid: fields.number(112)?,
            cursor: fields.number(16)?,
            is_queued: fields.flag(),
            is_dirty: fields.flag(),
        })
    }
}

/// `units: 96 | members: 32 | asset: 48 | is closed: 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Units of all members; the seat's come in when the pool is closed.
    pub(crate) units: u128,
    /// Number of members, the seat not counted.
    pub(crate) members: u32,
    /// Whose pool it is, so that a recount can read the word without its key.
    pub(crate) asset: u64,
    /// Whether members and units are final.
    pub(crate) is_closed: bool,
}

impl Value for Terms {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let holders = Pack::new().number(96, self.units).number(32, self.members.into());
        let word = holders.number(48, self.asset.into()).flag(self.is_closed).finish()?;
        Ok([word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            units: fields.number(96)?,
            members: fields.number(32)?,
            asset: fields.number(48)?,
            is_closed: fields.flag(),
        })
    }
}

/// Two words: `units: 96 | paid: 112 | position: 32` and `paid before: 112`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Units that go with ownership.
    pub(crate) units: u128,
    /// Paid to all its holders.
    pub(crate) paid: u128,
    /// Its place in its holder's listing, unless the holder is a member as well.
    pub(crate) position: u32,
    /// Paid to its holders before the present one.
    pub(crate) paid_before: u128,
}

impl Value for Seat {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().number(96, self.units).number(112, self.paid);
        let second = Pack::new().number(112, self.paid_before);
        Ok([first.number(32, self.position.into()).finish()?, second.finish()?])
    }

    fn unpack([first, second]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            units: first.number(96)?,
            paid: first.number(112)?,
            position: first.number(32)?,
            paid_before: second.number(112)?,
        })
    }
}

/// `units: 96 | paid: 112 | asset: 48`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its units; 0 for who is no member.
    pub(crate) units: u128,
    /// Paid so far.
    pub(crate) paid: u128,
    /// Whose pool, so that a recount can read the word without its key.
    pub(crate) asset: u64,
}

impl Value for Member {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let amounts = Pack::new().number(96, self.units).number(112, self.paid);
        amounts.number(48, self.asset.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self { units: fields.number(96)?, paid: fields.number(112)?, asset: fields.number(48)? })
    }
}

/// `number: 32 | cursor: 32 | three assets: 64 each`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Pools of the account.
    pub(crate) number: u32,
    /// The pool that the next transaction settles first.
    pub(crate) cursor: u32,
    /// The first pools.
    pub(crate) first: [u64; 3],
}

impl Value for Listing {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().number(32, self.number.into()).number(32, self.cursor.into());
        let word = self.first.iter().fold(head, |pack, asset| pack.number(64, (*asset).into()));
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            number: fields.number(32)?,
            cursor: fields.number(32)?,
            first: [fields.number(64)?, fields.number(64)?, fields.number(64)?],
        })
    }
}

/// Four ids in a word, the first highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Four(pub(crate) [u64; 4]);

impl Value for Four {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = self.0.iter().fold(Pack::new(), |pack, id| pack.number(64, (*id).into()));
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        let mut ids = [0; 4];
        for id in &mut ids {
            *id = fields.number(64)?;
        }
        Ok(Self(ids))
    }
}

/// `head: 32 | length: 32` of the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    /// Place of the first waiting pool.
    pub(crate) head: u32,
    /// Number of waiting pools.
    pub(crate) length: u32,
}

impl Value for Ends {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(32, self.head.into()).number(32, self.length.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self { head: fields.number(32)?, length: fields.number(32)? })
    }
}
