//! [`Standing`], [`WorkerRecord`], [`GatewayRecord`], [`Listing`]: who is registered, as stored.

use super::NOTICE_SECONDS;
use crate::state::Failure;
use crate::storage::{Pack, Unpack, Value};
use alloy_primitives::U256;
use sahara_primitives::{BasisPoints, Price, Prices, Timestamp};

/// A bond and its times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Coin held for it; 0: not registered.
    pub(crate) bond: u128,
    /// When it was posted.
    pub(crate) registered_at: u64,
    /// When the notice ends; 0: none was given.
    pub(crate) leaving_at: u64,
}

impl Standing {
    /// Whether the account ever registered and has not withdrawn its bond.
    pub(crate) const fn is_registered(&self) -> bool {
        self.bond > 0
    }

    /// Whether notice was given.
    pub(crate) const fn is_leaving(&self) -> bool {
        self.leaving_at > 0
    }

    /// Whether the bond stands behind what the account does now.
    pub(crate) const fn is_bonded(&self, now: Timestamp) -> bool {
        self.is_registered() && (!self.is_leaving() || now.0 < self.leaving_at)
    }

    /// Whether the notice has ended, so that the bond may go.
    pub(crate) const fn is_free(&self, now: Timestamp) -> bool {
        self.is_registered() && self.is_leaving() && now.0 >= self.leaving_at
    }

    fn pack(&self) -> Pack {
        Pack::new()
            .number(96, self.bond)
            .number(64, self.registered_at.into())
            .number(64, self.leaving_at.into())
    }

    fn unpack(word: &mut Unpack) -> Result<Self, Failure> {
        Ok(Self {
            bond: word.number(96)?,
            registered_at: word.number(64)?,
            leaving_at: word.number(64)?,
        })
    }
}

/// A worker: `bond u96 | registered at u64 | leaving at u64 | offers u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WorkerRecord {
    /// Its bond.
    pub(crate) standing: Standing,
    /// Assets that it serves.
    pub(crate) offers: u32,
}

impl Value for WorkerRecord {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        self.standing.pack().number(32, self.offers.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { standing: Standing::unpack(&mut word)?, offers: word.number(32)? })
    }
}

/// A gateway: `bond u96 | registered at u64 | leaving at u64 | fee u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GatewayRecord {
    /// Its bond.
    pub(crate) standing: Standing,
    /// Its part on top of worker and asset price.
    pub(crate) fee: BasisPoints,
}

impl Value for GatewayRecord {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        self.standing.pack().number(16, self.fee.points().into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let standing = Standing::unpack(&mut word)?;
        let fee = BasisPoints::new(word.number(16)?)
            .map_err(|error| Failure::Fatal(format!("a stored fee: {error}")))?;
        Ok(Self { standing, fee })
    }
}

/// Where a worker stands in an asset's list: `place u64 | stopped at u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Position in the list, from 1; 0: not served.
    pub(crate) place: u64,
    /// When it was last unserved; 0: never.
    pub(crate) stopped_at: u64,
}

impl Listing {
    /// Whether the asset is served.
    pub(crate) const fn is_served(&self) -> bool {
        self.place > 0
    }

    /// Whether work on a channel opened at `opened_at` can still be paid: served now, or until
    /// recently and within the channel's life.
    pub(crate) const fn earns(&self, opened_at: Timestamp, now: Timestamp) -> bool {
        self.is_served()
            || (self.stopped_at > 0
                && self.stopped_at >= opened_at.0
                && now.0 <= self.stopped_at.saturating_add(NOTICE_SECONDS))
    }
}

impl Value for Listing {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(64, self.place.into())
            .number(64, self.stopped_at.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { place: word.number(64)?, stopped_at: word.number(64)? })
    }
}

/// A worker's prices for an asset: `input u128 | output u128`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked(pub(crate) Prices);

impl Value for Asked {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(128, self.0.input.0)
            .number(128, self.0.output.0)
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self(Prices { input: Price(word.number(128)?), output: Price(word.number(128)?) }))
    }
}
