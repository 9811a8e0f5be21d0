//! What rounds by settled usage store.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{B256, U256};

/// A round by settled usage: `programme u64 | count until u64 | closes at u64`, `left u96 | total u96`,
/// `counted u128`, `terms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsageRound {
    /// Which programme pays.
    pub(crate) programme: u64,
    /// The first second at which nothing is counted any more, and awards are paid.
    pub(crate) count_until: u64,
    /// The first second that is too late for an award.
    pub(crate) closes_at: u64,
    /// What is set aside.
    pub(crate) left: u128,
    /// What was set aside in the beginning.
    pub(crate) total: u128,
    /// Fees of all assets.
    pub(crate) counted: u128,
    /// Of what it is for.
    pub(crate) terms: B256,
}

impl Value for UsageRound {
    type Words = [U256; 4];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let times = [self.programme, self.count_until, self.closes_at];
        let first = times.into_iter().fold(Pack::new(), |pack, time| pack.number(64, time.into()));
        let second = Pack::new().number(96, self.left).number(96, self.total);
        let third = Pack::new().number(128, self.counted);
        let terms = U256::from_be_bytes(self.terms.0);
        Ok([first.finish()?, second.finish()?, third.finish()?, terms])
    }

    fn unpack([first, second, third, terms]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            programme: first.number(64)?,
            count_until: first.number(64)?,
            closes_at: first.number(64)?,
            left: second.number(96)?,
            total: second.number(96)?,
            counted: Unpack::new(*third).number(128)?,
            terms: B256::from(*terms),
        })
    }
}

/// What was counted for an asset: `fees u128 | paid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Fees of unrelated payers.
    pub(crate) fees: u128,
    /// Whether its part was paid.
    pub(crate) is_paid: bool,
}

impl Value for Usage {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new().number(128, self.fees).flag(self.is_paid).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { fees: word.number(128)?, is_paid: word.flag() })
    }
}
