//! What staking stores.

use super::shares::{Accumulator, Bond, Due};
use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};

/// A validator's stake: `stake u96 | shares u112 | commission u16 | registered | jailed | tombstoned |
/// leaving | unlisted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, a bit each in the word")]
pub(crate) struct Validator {
    /// Stake and shares.
    pub(crate) bond: Bond,
    /// Its part of rewards, in basis points.
    pub(crate) commission: u16,
    /// Whether it was ever created.
    pub(crate) is_registered: bool,
    /// Whether it must not take part.
    pub(crate) is_jailed: bool,
    /// Whether it never may again.
    pub(crate) is_tombstoned: bool,
    /// Whether it left by itself.
    pub(crate) is_leaving: bool,
    /// Whether it is not on the list of those who stand for seats.
    pub(crate) is_unlisted: bool,
}

impl Value for Validator {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(96, self.bond.stake)
            .number(112, self.bond.shares)
            .number(16, self.commission.into())
            .flag(self.is_registered)
            .flag(self.is_jailed)
            .flag(self.is_tombstoned)
            .flag(self.is_leaving)
            .flag(self.is_unlisted)
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            bond: Bond { stake: word.number(96)?, shares: word.number(112)? },
            commission: word.number(16)?,
            is_registered: word.flag(),
            is_jailed: word.flag(),
            is_tombstoned: word.flag(),
            is_leaving: word.flag(),
            is_unlisted: word.flag(),
        })
    }
}

/// What a validator's delegators earned. Three words: `unpaid u112`, `acc`, `rem`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewards {
    /// Deposited and not yet paid.
    pub(crate) unpaid: u128,
    /// How it is divided.
    pub(crate) pool: Accumulator,
}

impl Value for Rewards {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([Pack::new().number(112, self.unpaid).finish()?, self.pool.acc, self.pool.rem])
    }

    fn unpack([unpaid, acc, rem]: &Self::Words) -> Result<Self, Failure> {
        let unpaid = Unpack::new(*unpaid).number(112)?;
        Ok(Self { unpaid, pool: Accumulator { acc: *acc, rem: *rem } })
    }
}

/// What is rarely asked of a validator. Two words: `fee address 160 | keys u32 | place u32`,
/// `commission changed at u64 | jailed until u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    /// Receives the commission.
    pub(crate) fee_address: Address,
    /// Its seat keys.
    pub(crate) keys: u32,
    /// Its place in the list of validators.
    pub(crate) place: u32,
    /// When the commission was last set.
    pub(crate) commission_changed_at: u64,
    /// When it may leave jail.
    pub(crate) jailed_until: u64,
}

impl Value for Profile {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().address(self.fee_address).number(32, self.keys.into());
        let second = Pack::new().number(64, self.commission_changed_at.into());
        Ok([
            first.number(32, self.place.into()).finish()?,
            second.number(64, self.jailed_until.into()).finish()?,
        ])
    }

    fn unpack([first, second]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            fee_address: first.address(),
            keys: first.number(32)?,
            place: first.number(32)?,
            commission_changed_at: second.number(64)?,
            jailed_until: second.number(64)?,
        })
    }
}

/// The last blocks a validator should have taken part in: `missed bits u128 | place u8 | seen u8`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Presence {
    /// A bit for each of the last blocks: missed.
    pub(crate) missed: u128,
    /// Where the next one goes.
    pub(crate) place: u8,
    /// How many were seen, up to the window.
    pub(crate) seen: u8,
}

impl Value for Presence {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(128, self.missed).number(8, self.place.into());
        word.number(8, self.seen.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { missed: word.number(128)?, place: word.number(8)?, seen: word.number(8)? })
    }
}

/// A slash of a validator: `fault at u64 | ratio u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slash {
    /// What was bonded then is answerable.
    pub(crate) fault_at: u64,
    /// Basis points.
    pub(crate) points: u16,
}

impl Value for Slash {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(64, self.fault_at.into()).number(16, self.points.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { fault_at: word.number(64)?, points: word.number(16)? })
    }
}

/// An account's part of a validator. Three words: `shares u112 | roster place u32 | is listed`, `snap`,
/// `frac u128`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delegation {
    /// Its shares.
    pub(crate) shares: u128,
    /// Its place in the validator's roster, while it has shares.
    pub(crate) place: u32,
    /// Whether the validator is in the account's list.
    pub(crate) is_listed: bool,
    /// What it has of the rewards.
    pub(crate) due: Due,
}

impl Value for Delegation {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().number(112, self.shares).number(32, self.place.into());
        let frac = Pack::new().number(128, self.due.frac).finish()?;
        Ok([first.flag(self.is_listed).finish()?, self.due.snap, frac])
    }

    fn unpack([first, snap, frac]: &Self::Words) -> Result<Self, Failure> {
        let mut first = Unpack::new(*first);
        let frac = Unpack::new(*frac).number(128)?;
        Ok(Self {
            shares: first.number(112)?,
            place: first.number(32)?,
            is_listed: first.flag(),
            due: Due { snap: *snap, frac },
        })
    }
}

/// Coin on its way out: `amount u96 | created at u64 | completes at u64 | slashes seen u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unbonding {
    /// What is left after the slashes seen.
    pub(crate) amount: u128,
    /// When it left the stake; 0: an empty place.
    pub(crate) created_at: u64,
    /// When it may be withdrawn.
    pub(crate) completes_at: u64,
    /// The validator's slashes that it has taken into account.
    pub(crate) seen: u32,
}

impl Value for Unbonding {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(96, self.amount)
            .number(64, self.created_at.into())
            .number(64, self.completes_at.into())
            .number(32, self.seen.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            amount: word.number(96)?,
            created_at: word.number(64)?,
            completes_at: word.number(64)?,
            seen: word.number(32)?,
        })
    }
}

/// Shares that came from another validator, for whose faults they still answer. Two words:
/// `source 160 | created at u64 | slashes seen u32` and `shares u112 | matures at u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Redelegation {
    /// The validator they left.
    pub(crate) source: Address,
    /// When they left it; 0: an empty place.
    pub(crate) created_at: u64,
    /// The source's slashes that they have taken into account.
    pub(crate) seen: u32,
    /// Shares of the present validator.
    pub(crate) shares: u128,
    /// When they answer no more and may leave.
    pub(crate) matures_at: u64,
}

impl Value for Redelegation {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().address(self.source).number(64, self.created_at.into());
        Ok([
            first.number(32, self.seen.into()).finish()?,
            Pack::new().number(112, self.shares).number(64, self.matures_at.into()).finish()?,
        ])
    }

    fn unpack([first, second]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            source: first.address(),
            created_at: first.number(64)?,
            seen: first.number(32)?,
            shares: second.number(112)?,
            matures_at: second.number(64)?,
        })
    }
}

/// A value at a time: `time u48 | stake u96 | shares u112`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Seconds.
    pub(crate) time: u64,
    /// Stake, and the shares that divide it; a delegation's mark has shares only.
    pub(crate) bond: Bond,
}

impl Value for Mark {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(48, self.time.into()).number(96, self.bond.stake);
        word.number(112, self.bond.shares).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let time = word.number(48)?;
        Ok(Self { time, bond: Bond { stake: word.number(96)?, shares: word.number(112)? } })
    }
}

/// An epoch of consensus: `seats since u64 | apportioned at u64 | started at u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Epoch {
    /// The epoch from which its seats are.
    pub(crate) seats_since: u64,
    /// When they were apportioned.
    pub(crate) apportioned_at: u64,
    /// What was bonded then made its votes; 0 before there were validators.
    pub(crate) started_at: u64,
}

impl Value for Epoch {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        [self.seats_since, self.apportioned_at, self.started_at]
            .into_iter()
            .fold(Pack::new(), |word, number| word.number(64, number.into()))
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            seats_since: word.number(64)?,
            apportioned_at: word.number(64)?,
            started_at: word.number(64)?,
        })
    }
}

/// A seat of an epoch: `validator 160 | key u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Who holds it.
    pub(crate) validator: Address,
    /// The place of its key among the validator's.
    pub(crate) key: u32,
}

impl Value for Seat {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().address(self.validator).number(32, self.key.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { validator: word.address(), key: word.number(32)? })
    }
}

/// Where the sweep is: `validator u32 | delegator u32 | is running | is dirty`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sweep {
    /// Place in the list of validators.
    pub(crate) validator: u32,
    /// Place in its roster.
    pub(crate) delegator: u32,
    /// Whether a round is under way.
    pub(crate) is_running: bool,
    /// Whether something was earned since the round began.
    pub(crate) is_dirty: bool,
}

impl Value for Sweep {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(32, self.validator.into()).number(32, self.delegator.into());
        word.flag(self.is_running).flag(self.is_dirty).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            validator: word.number(32)?,
            delegator: word.number(32)?,
            is_running: word.flag(),
            is_dirty: word.flag(),
        })
    }
}
