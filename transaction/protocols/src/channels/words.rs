//! [`Balance`], [`Progress`], [`Terms`], [`Earning`]: a channel as the store holds it.
//!
//! ```text
//! Balance   | settled u96 | deposit u96 | close requested at u32 | flags u8 | seq u24 |
//! Progress  | base u96 | gateway address |
//! Terms     | payer address | protocol fee u16 | gateway fee u16 | opened at u64 |
//! Earning   | worker u128 | asset u128 |
//! ```
//! A claim reads the first three and writes the first two; terms are written once.

use crate::state::Failure;
use crate::storage::{Pack, Unpack, Value};
use alloy_primitives::{Address, U256};
use sahara_primitives::{BasisPoints, FeeRates};

/// What a channel holds and where it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// Collected, all parts together.
    pub(crate) settled: u128,
    /// Set aside, the collected part included; closing lowers it to `settled`.
    pub(crate) deposit: u128,
    /// When the payer asked for the rest; 0 until then.
    pub(crate) close_requested_at: u32,
    /// Nothing happens to it any more.
    pub(crate) is_closed: bool,
    /// Opened by a key grant: charges are asserted within its caps, not signed as vouchers.
    pub(crate) is_grant: bool,
    /// The key grant lists its assets.
    pub(crate) is_restricted: bool,
    /// The next receipt to be claimed.
    pub(crate) seq: u32,
}

impl Balance {
    /// What the channel still holds.
    pub(crate) const fn held(&self) -> u128 {
        self.deposit.saturating_sub(self.settled)
    }
}

impl Value for Balance {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(96, self.settled)
            .number(96, self.deposit)
            .number(32, self.close_requested_at.into())
            .number(5, 0)
            .flag(self.is_restricted)
            .flag(self.is_grant)
            .flag(self.is_closed)
            .number(24, self.seq.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let (settled, deposit) = (word.number(96)?, word.number(96)?);
        let close_requested_at = word.number(32)?;
        word.bits(5);
        let is_restricted = word.flag();
        let is_grant = word.flag();
        let is_closed = word.flag();
        let seq = word.number(24)?;
        Ok(Self { settled, deposit, close_requested_at, is_closed, is_grant, is_restricted, seq })
    }
}

/// What moves with every claim beside the balance, and who may claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Worker and asset parts of everything collected.
    pub(crate) base: u128,
    /// The only account that may claim. The zero address: no such channel.
    pub(crate) gateway: Address,
}

impl Value for Progress {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new().number(96, self.base).address(self.gateway).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { base: word.number(96)?, gateway: word.address() })
    }
}

/// What is fixed when a channel is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Whose deposit it is.
    pub(crate) payer: Address,
    /// Fees on worker and asset parts.
    pub(crate) rates: FeeRates,
    /// Seconds of the block that opened it.
    pub(crate) opened_at: u64,
}

impl Value for Terms {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .address(self.payer)
            .number(16, self.rates.protocol.points().into())
            .number(16, self.rates.gateway.points().into())
            .number(64, self.opened_at.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let payer = word.address();
        let mut rate = || {
            BasisPoints::new(word.number(16)?)
                .map_err(|error| Failure::Fatal(format!("a stored fee: {error}")))
        };
        let rates = FeeRates { protocol: rate()?, gateway: rate()? };
        Ok(Self { payer, rates, opened_at: word.number(64)? })
    }
}

/// What a worker signed last: earned on the channel, all in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Earning {
    /// To the worker.
    pub(crate) worker: u128,
    /// To the asset, through this worker.
    pub(crate) asset: u128,
}

impl Earning {
    /// What `newer` adds, or `None` when a part is smaller or both are equal.
    pub(crate) fn delta(self, newer: Self) -> Option<Self> {
        let worker = newer.worker.checked_sub(self.worker)?;
        let asset = newer.asset.checked_sub(self.asset)?;
        (worker > 0 || asset > 0).then_some(Self { worker, asset })
    }
}

impl Value for Earning {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new().number(128, self.worker).number(128, self.asset).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { worker: word.number(128)?, asset: word.number(128)? })
    }
}
