//! [`License`], [`Seat`], [`Seatings`], [`Offering`]: what stands in the slots.

use super::MAX_SEATINGS;
use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256};
use sahara_primitives::{AssetId, Timestamp};

/// Bits of [`License::own_renewals`], and all of them.
const RENEWAL_BITS: usize = 15;
const MOST_RENEWALS: u16 = 0x7fff;

/// A licence: `holder: 160 | asset: 48 | seats: 16 | taken: 16`, `expires at: 40 | locked until: 40 |
/// use limit: 64 | uses: 64 | epoch: 32 | is revoked: 1 | own renewals: 15`, and the terms' id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct License {
    /// Who holds it; zero: no such licence.
    pub(crate) holder: Address,
    /// What may be used.
    pub(crate) asset: AssetId,
    /// How many may use it.
    pub(crate) seats: u16,
    /// How many seats are assigned.
    pub(crate) taken: u16,
    /// When it ends; 0: never.
    pub(crate) expires_at: u64,
    /// Until when one of its seats is within its use window.
    pub(crate) locked_until: u64,
    /// Uses granted; 0: no limit.
    pub(crate) use_limit: u64,
    /// Uses counted.
    pub(crate) uses: u64,
    /// Transfers so far: a seat counts only for the holder who assigned it.
    pub(crate) epoch: u32,
    /// Whether it was ended.
    pub(crate) is_revoked: bool,
    /// How often its holder renewed it, modulo 2^15: what the holder listed before was for less.
    pub(crate) own_renewals: u16,
    /// Its terms.
    pub(crate) terms: B256,
}

impl License {
    /// A licence that grants nothing yet.
    pub(crate) const fn blank(holder: Address, asset: AssetId, terms: B256) -> Self {
        Self {
            holder,
            asset,
            seats: 0,
            taken: 0,
            expires_at: 0,
            locked_until: 0,
            use_limit: 0,
            uses: 0,
            epoch: 0,
            is_revoked: false,
            own_renewals: 0,
            terms,
        }
    }

    /// The licence after its holder renewed it.
    pub(crate) const fn renewed_by_holder(self) -> Self {
        let own_renewals = self.own_renewals.wrapping_add(1) & MOST_RENEWALS;
        Self { own_renewals, ..self }
    }

    /// Whether it has ended by time: it lasts up to the second before `expires_at`.
    pub(crate) const fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at > 0 && now.0 >= self.expires_at
    }

    /// Uses that can still be counted. Without a limit they never run out, whatever was counted: or
    /// whoever has one of its seats could end a licence for all by counting more than there ever are.
    pub(crate) const fn uses_left(&self) -> u64 {
        if self.use_limit == 0 { u64::MAX } else { self.use_limit.saturating_sub(self.uses) }
    }
}

impl Value for License {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new()
            .address(self.holder)
            .number(48, self.asset.0.into())
            .number(16, self.seats.into())
            .number(16, self.taken.into())
            .finish()?;
        let second = Pack::new()
            .number(40, self.expires_at.into())
            .number(40, self.locked_until.into())
            .number(64, self.use_limit.into())
            .number(64, self.uses.into())
            .number(32, self.epoch.into())
            .flag(self.is_revoked)
            .number(RENEWAL_BITS, self.own_renewals.into())
            .finish()?;
        Ok([first, second, U256::from_be_bytes(self.terms.0)])
    }

    fn unpack([first, second, terms]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            holder: first.address(),
            asset: AssetId(first.number(48)?),
            seats: first.number(16)?,
            taken: first.number(16)?,
            expires_at: second.number(40)?,
            locked_until: second.number(40)?,
            use_limit: second.number(64)?,
            uses: second.number(64)?,
            epoch: second.number(32)?,
            is_revoked: second.flag(),
            own_renewals: second.number(RENEWAL_BITS)?,
            terms: B256::from(*terms),
        })
    }
}

/// A seat: `locked until: 40 | epoch: 32 | is assigned: 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Until when it cannot be passed on.
    pub(crate) locked_until: u64,
    /// The licence's epoch when it was assigned.
    pub(crate) epoch: u32,
    /// Whether the account has it.
    pub(crate) is_assigned: bool,
}

impl Seat {
    /// A seat that was given up at a time; what was served to it is counted until its end.
    pub(crate) const fn left(license: &License, until: u64) -> Self {
        Self { locked_until: until, epoch: license.epoch, is_assigned: false }
    }

    /// Whether it was given up under this holder, and what was served to it may still be counted.
    pub(crate) const fn was_left(&self, license: &License, now: Timestamp) -> bool {
        !self.is_assigned && self.epoch == license.epoch && now.0 < self.locked_until
    }

    /// Whether it counts under the licence as it stands.
    pub(crate) const fn is_valid(&self, license: &License) -> bool {
        self.is_assigned && self.epoch == license.epoch
    }
}

impl Value for Seat {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(40, self.locked_until.into()).number(32, self.epoch.into());
        word.flag(self.is_assigned).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            locked_until: word.number(40)?,
            epoch: word.number(32)?,
            is_assigned: word.flag(),
        })
    }
}

/// Whether a gateway counts a holder's uses: `until: 40 | is allowed: 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meter {
    /// Until when it counts what it has served, after it was withdrawn.
    pub(crate) until: u64,
    /// Whether it is the holder's.
    pub(crate) is_allowed: bool,
}

impl Meter {
    /// Whether a claim of this gateway counts.
    pub(crate) const fn may_count(&self, now: Timestamp) -> bool {
        self.is_allowed || now.0 < self.until
    }
}

impl Value for Meter {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(40, self.until.into()).flag(self.is_allowed);
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { until: word.number(40)?, is_allowed: word.flag() })
    }
}

/// All gateways of a holder together: `meters: 32 | until: 40`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metering {
    /// How many it has named.
    pub(crate) meters: u32,
    /// Until when the last one that it withdrew counts.
    pub(crate) until: u64,
}

impl Metering {
    /// Until when somebody may count uses: without end while a gateway is named.
    pub(crate) const fn ends(&self) -> u64 {
        if self.meters > 0 { u64::MAX } else { self.until }
    }
}

impl Value for Metering {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(32, self.meters.into()).number(40, self.until.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { meters: word.number(32)?, until: word.number(40)? })
    }
}

/// Licences of an asset in which an account was seated: four ids to a word, zeros after the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seatings(pub(crate) Vec<u64>);

impl Value for Seatings {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        if self.0.len() > MAX_SEATINGS {
            return Err(Failure::Fatal("an account has more seats than places".into()));
        }
        let mut ids = self.0.iter().chain(std::iter::repeat(&0));
        let mut words = Self::Words::default();
        for word in &mut words {
            let pack = ids.by_ref().take(4).fold(Pack::new(), |p, id| p.number(64, (*id).into()));
            *word = pack.finish()?;
        }
        Ok(words)
    }

    fn unpack(words: &Self::Words) -> Result<Self, Failure> {
        let mut ids = Vec::new();
        for word in words {
            let mut fields = Unpack::new(*word);
            for _ in 0..4 {
                ids.push(fields.number(64)?);
            }
        }
        ids.retain(|id| *id != 0);
        Ok(Self(ids))
    }
}

/// Terms of an asset that bind without a sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offering {
    /// What a reciprocal parent demands; zero: nothing.
    pub(crate) carried: B256,
    /// The free terms on offer; zero: none.
    pub(crate) free: B256,
}

impl Value for Offering {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Ok([self.carried, self.free].map(|hash| U256::from_be_bytes(hash.0)))
    }

    fn unpack([carried, free]: &Self::Words) -> Result<Self, Failure> {
        Ok(Self { carried: B256::from(*carried), free: B256::from(*free) })
    }
}
