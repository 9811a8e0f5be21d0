//! What intents store.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::U256;

/// What a sponsor lets a relayer be repaid from: `left u96 | per intent u96 | day u64`,
/// `per day u96 | spent on that day u96`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Coin that is left.
    pub(crate) left: u128,
    /// The most for one intent.
    pub(crate) per_intent: u128,
    /// The day on which it was last drawn on, in days of Unix time.
    pub(crate) day: u64,
    /// The most for one day.
    pub(crate) per_day: u128,
    /// What was drawn on that day.
    pub(crate) spent: u128,
}

impl Budget {
    /// What was drawn on a day.
    pub(super) const fn spent_on(&self, day: u64) -> u128 {
        if self.day == day { self.spent } else { 0 }
    }

    /// The most that it pays for an intent on a day.
    pub(super) fn room(&self, day: u64) -> u128 {
        let today = self.per_day.saturating_sub(self.spent_on(day));
        self.left.min(self.per_intent).min(today)
    }
}

impl Value for Budget {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let head = Pack::new().number(96, self.left).number(96, self.per_intent);
        let day = Pack::new().number(96, self.per_day).number(96, self.spent);
        Ok([head.number(64, self.day.into()).finish()?, day.finish()?])
    }

    fn unpack([head, day]: &Self::Words) -> Result<Self, Failure> {
        let (mut head, mut limits) = (Unpack::new(*head), Unpack::new(*day));
        Ok(Self {
            left: head.number(96)?,
            per_intent: head.number(96)?,
            day: head.number(64)?,
            per_day: limits.number(96)?,
            spent: limits.number(96)?,
        })
    }
}
