//! The slots, and what stands in them.

use crate::{
    state::Failure,
    storage::{Map, Pack, Slot, Unpack, Value, storage},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::ROYALTIES;
use sahara_primitives::AssetId;

storage! { ROYALTIES:
    /// What went in and out of a pool: the one word that a payment writes.
    FLOWS: Map<AssetId, Flow> = 0;
    /// Who holds a pool.
    TERMS: Map<AssetId, Terms> = 0, 1;
    /// The units that go with ownership.
    SEATS: Map<AssetId, Seat> = 0, 2;
    /// Contributors to whom a pool is committed.
    COMMITMENTS: Map<AssetId, Commitment> = 0, 4;
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
    /// Activated contributions, by pool and index.
    LEAVES: Map<(AssetId, u32), Leaf> = 8;
    /// Activated units of accounts that were members before, by pool and account.
    LATER: Map<(AssetId, Address), U256> = 9;
}

/// `deposited: 112 | paid: 112 | cursor: 29 | is queued: 1 | is dirty: 1 | is disputed: 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// Everything ever deposited.
    pub(crate) deposited: u128,
    /// Everything ever paid out.
    pub(crate) paid: u128,
    /// The next member the sweep looks at.
    pub(crate) cursor: u32,
    /// Whether the pool waits for the sweep.
    pub(crate) is_queued: bool,
    /// Whether something was deposited since the sweep began its round.
    pub(crate) is_dirty: bool,
    /// Whether a dispute has a claim on what comes in.
    pub(crate) is_disputed: bool,
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
        let sweep = amounts.number(29, self.cursor.into());
        let flags = sweep.flag(self.is_queued).flag(self.is_dirty).flag(self.is_disputed);
        flags.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            deposited: fields.number(112)?,
            paid: fields.number(112)?,
            cursor: fields.number(29)?,
            is_queued: fields.flag(),
            is_dirty: fields.flag(),
            is_disputed: fields.flag(),
        })
    }
}

/// `units: 96 | members: 32 | asset: 48 | is closed: 1 | enrolled: 32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Units of all members; the seat's and the committed ones come in when the pool is closed.
    pub(crate) units: u128,
    /// Number of members, the seat not counted.
    pub(crate) members: u32,
    /// Whose pool it is, so that a recount can read the word without its key.
    pub(crate) asset: u64,
    /// Whether units are final.
    pub(crate) is_closed: bool,
    /// Members that were enrolled by name; others are contributors who were activated.
    pub(crate) enrolled: u32,
}

impl Value for Terms {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let holders = Pack::new().number(96, self.units).number(32, self.members.into());
        let pool = holders.number(48, self.asset.into()).flag(self.is_closed);
        pool.number(32, self.enrolled.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            units: fields.number(96)?,
            members: fields.number(32)?,
            asset: fields.number(48)?,
            is_closed: fields.flag(),
            enrolled: fields.number(32)?,
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

/// `number: 32 | cursor: 32 | contributions: 32 | three assets: 48 each`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Pools of the account.
    pub(crate) number: u32,
    /// The pool that the next transaction settles first.
    pub(crate) cursor: u32,
    /// Contributions of the account, over all pools.
    pub(crate) contributions: u32,
    /// The first pools.
    pub(crate) first: [u64; 3],
}

impl Value for Listing {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().number(32, self.number.into()).number(32, self.cursor.into());
        let head = head.number(32, self.contributions.into());
        let word = self.first.iter().fold(head, |pack, asset| pack.number(48, (*asset).into()));
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            number: fields.number(32)?,
            cursor: fields.number(32)?,
            contributions: fields.number(32)?,
            first: [fields.number(48)?, fields.number(48)?, fields.number(48)?],
        })
    }
}

/// Two words: the root, and `units: 96 | activated units: 96 | count: 32 | activated: 32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commitment {
    /// Root of the Merkle-sum tree.
    pub(crate) root: B256,
    /// Units of all leaves; 0 without a commitment.
    pub(crate) units: u128,
    /// Units of the leaves that were activated.
    pub(crate) activated_units: u128,
    /// Number of leaves.
    pub(crate) count: u32,
    /// Number of leaves that were activated.
    pub(crate) activated: u32,
}

impl Commitment {
    /// Units that wait for their contributors.
    pub(crate) const fn waiting(&self) -> u128 {
        self.units.saturating_sub(self.activated_units)
    }
}

impl Value for Commitment {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let units = Pack::new().number(96, self.units).number(96, self.activated_units);
        let counts = units.number(32, self.count.into()).number(32, self.activated.into());
        Ok([self.root.into(), counts.finish()?])
    }

    fn unpack([root, word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            root: (*root).into(),
            units: fields.number(96)?,
            activated_units: fields.number(96)?,
            count: fields.number(32)?,
            activated: fields.number(32)?,
        })
    }
}

/// `contributor: 160 | units: 96`; units 0 for a leaf that was not activated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Who contributed.
    pub(crate) contributor: Address,
    /// How many units.
    pub(crate) units: u128,
}

impl Value for Leaf {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().address(self.contributor).number(96, self.units);
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self { contributor: fields.address(), units: fields.number(96)? })
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
