//! [`Allowance`]: what a gateway may still collect under a key grant, and until when.

use crate::state::Failure;
use crate::storage::{Pack, Unpack, Value};
use alloy_primitives::U256;
use sahara_abi::{IChannels, IProtocol};
use sahara_primitives::{Amount, Timestamp};

/// The open side of a key grant: its daily cap with what was used of it, and its end.
///
/// One word: `max per day u96 | used u96 | day u24 | valid until u40`. The cap on everything needs
/// no field: a channel's deposit never passes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// The most to be collected in one UTC day.
    pub(crate) max_per_day: u128,
    /// Collected on `day`.
    pub(crate) used: u128,
    /// Days since the Unix epoch of the last collection.
    pub(crate) day: u64,
    /// The last second of the grant; a revocation brings it forward.
    pub(crate) valid_until: u64,
}

/// The last second that the word can hold, in the year 36,812; later ones are clipped to it.
const LAST_SECOND: u64 = (1 << 40) - 1;

impl Allowance {
    /// A grant of which nothing was used.
    pub(crate) fn new(max_per_day: u128, valid_until: u64) -> Self {
        Self { max_per_day, valid_until: valid_until.min(LAST_SECOND), ..Self::default() }
    }

    /// What was collected on the day of `now`: another day's use does not count.
    pub(crate) fn used_today(&self, now: Timestamp) -> u128 {
        if self.day == now.day() { self.used } else { 0 }
    }

    /// Uses `amount` of the day's cap.
    ///
    /// # Errors
    /// [`IChannels::GrantDayExceeded`].
    pub(crate) fn spend(&mut self, amount: Amount, now: Timestamp) -> Result<(), Failure> {
        let today = Amount::from_u128(self.used_today(now))
            .checked_add(amount)
            .map_err(|_| IProtocol::Overflow {})?;
        let used = today.to_u128().filter(|used| *used <= self.max_per_day).ok_or_else(|| {
            IChannels::GrantDayExceeded {
                today: today.base_units(),
                maxPerDay: U256::from(self.max_per_day),
            }
        })?;
        (self.used, self.day) = (used, now.day());
        Ok(())
    }

    /// Ends the grant no later than `now`.
    pub(crate) fn end(&mut self, now: Timestamp) {
        self.valid_until = self.valid_until.min(now.0);
    }
}

impl Value for Allowance {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(96, self.max_per_day)
            .number(96, self.used)
            .number(24, self.day.into())
            .number(40, self.valid_until.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            max_per_day: word.number(96)?,
            used: word.number(96)?,
            day: word.number(24)?,
            valid_until: word.number(40)?,
        })
    }
}
