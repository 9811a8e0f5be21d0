//! [`Parameters`]: what governance may set, with the defaults.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::U256;
use sahara_abi::IStaking;

const DAY: u32 = 86_400;

/// The longest epoch and jail.
const LONGEST: u32 = 28 * DAY;

/// The longest unbonding: the voting history.
const LONGEST_UNBONDING: u32 = 60 * DAY;

/// The shortest epoch that a vote may set.
const SHORTEST_EPOCH: u32 = 3_600;

/// The shortest unbonding that a vote may set.
const SHORTEST_UNBONDING: u32 = 7 * DAY;

/// The defaults are those of the test network; its evidence that expires before unbonding ends is not
/// among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// Seconds of an epoch, for which seats are fixed: a day.
    pub epoch: u32,
    /// Seconds between leaving and withdrawal: 21 days, for which stake answers for old faults.
    pub unbonding: u32,
    /// Seconds in jail for downtime: 600.
    pub jail: u32,
    /// Seats of an epoch: 100.
    pub seats: u16,
    /// The highest commission in basis points: 20 %.
    pub max_commission: u16,
    /// The most it may change in a day, in basis points: 1 %.
    pub max_commission_change: u16,
    /// What a double vote costs, in basis points: 5 % of the stake.
    pub double_sign_slash: u16,
    /// What downtime costs, in basis points: 1 % of the stake.
    pub downtime_slash: u16,
    /// What of a slash the reporter gets, in basis points: 5 %, so that reporting oneself saves little.
    pub bounty: u16,
    /// Blocks over which presence is counted, up to 128: 100.
    pub window: u8,
    /// The most of them that may be missed: 50.
    pub max_missed: u8,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            epoch: 86_400,
            unbonding: 21 * 86_400,
            jail: 600,
            seats: 100,
            max_commission: 2_000,
            max_commission_change: 100,
            double_sign_slash: 500,
            downtime_slash: 100,
            bounty: 500,
            window: 100,
            max_missed: 50,
        }
    }
}

impl Parameters {
    /// Whether a chain could live with them: no ratio takes everything, an epoch ends within the time for
    /// which stake answers, and soon enough that votes, which wait for its end, are taken.
    pub const fn is_valid(&self) -> bool {
        self.epoch > 0
            && self.epoch <= self.unbonding
            && self.epoch <= LONGEST
            && self.unbonding <= LONGEST_UNBONDING
            && self.jail <= LONGEST
            && self.seats > 0
            && self.seats <= super::MAX_SEATS
            && self.max_commission <= 10_000
            && self.max_commission_change <= 10_000
            && self.double_sign_slash <= 5_000
            && self.downtime_slash <= 5_000
            && self.bounty <= 5_000
            && self.window > 0
            && self.window <= 128
            && self.max_missed < self.window
    }
}

impl Parameters {
    /// Whether a vote may change `before` to them: epochs of an hour and an unbonding of seven days are the
    /// least, or what a network that began with less has.
    pub(super) fn may_follow(&self, before: &Self) -> bool {
        self.is_valid()
            && self.epoch >= before.epoch.min(SHORTEST_EPOCH)
            && self.unbonding >= before.unbonding.min(SHORTEST_UNBONDING)
    }
}

/// A word of zeros stands for the defaults, so that genesis needs to write none.
impl Value for Parameters {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let times = Pack::new().number(32, self.epoch.into()).number(32, self.unbonding.into());
        [
            self.seats,
            self.max_commission,
            self.max_commission_change,
            self.double_sign_slash,
            self.downtime_slash,
            self.bounty,
        ]
        .into_iter()
        .fold(times.number(32, self.jail.into()), |pack, ratio| pack.number(16, ratio.into()))
        .number(8, self.window.into())
        .number(8, self.max_missed.into())
        .finish()
        .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        if word.is_zero() {
            return Ok(Self::default());
        }
        let mut word = Unpack::new(*word);
        Ok(Self {
            epoch: word.number(32)?,
            unbonding: word.number(32)?,
            jail: word.number(32)?,
            seats: word.number(16)?,
            max_commission: word.number(16)?,
            max_commission_change: word.number(16)?,
            double_sign_slash: word.number(16)?,
            downtime_slash: word.number(16)?,
            bounty: word.number(16)?,
            window: word.number(8)?,
            max_missed: word.number(8)?,
        })
    }
}

impl From<IStaking::Parameters> for Parameters {
    fn from(shown: IStaking::Parameters) -> Self {
        Self {
            epoch: shown.epoch,
            unbonding: shown.unbonding,
            jail: shown.jail,
            seats: shown.seats,
            max_commission: shown.maxCommission,
            max_commission_change: shown.maxCommissionChange,
            double_sign_slash: shown.doubleSignSlash,
            downtime_slash: shown.downtimeSlash,
            bounty: shown.bounty,
            window: shown.window,
            max_missed: shown.maxMissed,
        }
    }
}

impl From<Parameters> for IStaking::Parameters {
    fn from(stored: Parameters) -> Self {
        Self {
            epoch: stored.epoch,
            unbonding: stored.unbonding,
            jail: stored.jail,
            seats: stored.seats,
            maxCommission: stored.max_commission,
            maxCommissionChange: stored.max_commission_change,
            doubleSignSlash: stored.double_sign_slash,
            downtimeSlash: stored.downtime_slash,
            bounty: stored.bounty,
            window: stored.window,
            maxMissed: stored.max_missed,
        }
    }
}
