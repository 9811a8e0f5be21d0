//! [`Parameters`]: the times and the coin of complaints, with the defaults.

use super::{JURY, storage::PARAMETERS};
use crate::{
    dispatch::require_governance,
    state::{Failure, Read, Write},
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{DISPUTES as ADDRESS, IDisputes, IProtocol};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const COIN: u128 = 1_000_000_000_000_000_000;

/// The longest that a complaint lasts, and so the longest that income waits for it: whatever is voted, an
/// owner has no more to fear.
const LONGEST: u64 = 14 * DAY;

/// The longest time to answer: a complaint may have to wait for an earlier one's, see [`Windows::behind`].
const LONGEST_ANSWER: u64 = 4 * DAY;

/// The shortest times that a vote may set: enough to see a complaint, to speak and to appeal, and for the five
/// to six days of a treasury proposal, which decides an appeal.
const SHORTEST: Windows =
    Windows { answer: DAY, commit: 12 * HOUR, reveal: 12 * HOUR, appeal: DAY, decision: 6 * DAY };

/// The smallest least bond that a vote may set: for a tenth of the default nobody complains for fun.
const LEAST_BOND: u128 = 10 * COIN;

/// The largest least bond: a hundred times the default.
const MOST_BOND: u128 = 10_000 * COIN;

/// The smallest fee of a seat that a vote may set, a tenth of the default: jurors are paid for their work.
const LEAST_FEE: u128 = 300_000_000_000_000_000;

/// The least coin behind a place that a vote may set: a tenth of the default.
const LEAST_PLACE: u128 = 100 * COIN;

/// The most coin behind a place, ten times the default: there are jurors whatever is voted.
const MOST_PLACE: u128 = 10_000 * COIN;

/// The times of a complaint in seconds, one after another from its filing on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Windows {
    /// For the owner's answer; then a jury is drawn.
    pub answer: u64,
    /// For the jurors to commit.
    pub commit: u64,
    /// For the jurors to say what they committed to; then the ruling stands.
    pub reveal: u64,
    /// For both sides to appeal.
    pub appeal: u64,
    /// For governance to decide an appeal.
    pub decision: u64,
}

impl Windows {
    /// Two days, one, one, two, and eight: a proposal that is made in the last second of the appeals needs five to six.
    pub const DEFAULT: Self =
        Self { answer: 2 * DAY, commit: DAY, reveal: DAY, appeal: 2 * DAY, decision: 8 * DAY };

    /// Seconds from the filing from which no block goes on with a draw that found stale places: jurors need
    /// the other half of their time to commit.
    pub const fn drawing_end(&self) -> u64 {
        self.answer.saturating_add(self.commit.div_euclid(2))
    }

    /// Seconds from the filing at which jurors no longer commit, and reveal.
    pub const fn commit_end(&self) -> u64 {
        self.answer.saturating_add(self.commit)
    }

    /// Seconds from the filing at which the jury's ruling stands.
    pub const fn reveal_end(&self) -> u64 {
        self.commit_end().saturating_add(self.reveal)
    }

    /// Seconds from the filing until which sides may appeal.
    pub const fn appeal_end(&self) -> u64 {
        self.reveal_end().saturating_add(self.appeal)
    }

    /// Seconds from the filing at which governance's time is over, and nothing more is held.
    pub const fn end(&self) -> u64 {
        self.appeal_end().saturating_add(self.decision)
    }

    /// The same for a complaint whose jury is not due before another's, in `least` seconds: juries are drawn
    /// in the order of filing. What the answer gains, the decision loses where it would take too long.
    pub(super) fn behind(self, least: u64) -> Self {
        let later = Self { answer: self.answer.max(least), ..self };
        let decision = later.decision.min(LONGEST.saturating_sub(later.appeal_end()));
        Self { decision, ..later }
    }

    const fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("answer", self.answer),
            ("commit", self.commit),
            ("reveal", self.reveal),
            ("appeal", self.appeal),
            ("decision", self.decision),
        ]
    }

    /// In the order of the fields, 24 bits each: 194 days.
    fn put(&self, word: Pack) -> Pack {
        self.named().into_iter().fold(word, |word, (_, time)| word.number(24, time.into()))
    }
}

/// What governance may set. A complaint keeps the times and the fee with which it was filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The times.
    pub windows: Windows,
    /// The least bond of a complaint, an answer and an appeal.
    pub least_bond: u128,
    /// What a seat of the jury is paid out of the complaint's bond.
    pub seat_fee: u128,
    /// Bonded coin behind a place on the list of jurors. A stake has as many places in one account as in many.
    pub place: u128,
}

impl Parameters {
    /// Bonds of 100 SAHARA, 3 SAHARA a seat, and a place for 1,000 SAHARA.
    pub const DEFAULT: Self = Self {
        windows: Windows::DEFAULT,
        least_bond: 100 * COIN,
        seat_fee: 3 * COIN,
        place: 1_000 * COIN,
    };

    /// Refuses those under which nothing could be decided, or an owner has too much to fear.
    ///
    /// # Errors
    /// See [`ParametersError`].
    pub fn check(&self) -> Result<(), ParametersError> {
        let times = self.windows.named().into_iter().map(|(name, time)| (name, u128::from(time)));
        let coins =
            [("leastBond", self.least_bond), ("seatFee", self.seat_fee), ("place", self.place)];
        if let Some((name, _)) = times.chain(coins).find(|(_, value)| *value == 0) {
            return Err(ParametersError::Nothing { name });
        }
        let most = |name, value: u128, most: u128| {
            if value > most { Err(ParametersError::TooMuch { name, value, most }) } else { Ok(()) }
        };
        most("answer", self.windows.answer.into(), LONGEST_ANSWER.into())?;
        most("the sum of all times", self.windows.end().into(), LONGEST.into())?;
        most("leastBond", self.least_bond, MOST_BOND)?;
        most("place", self.place, MOST_PLACE)?;
        // A dismissed complaint's bond pays the jury, and leaves as much for the two others.
        let jury = self.seat_fee.saturating_mul(JURY.into());
        most("seatFee times seven", jury, self.least_bond.div_euclid(2))
    }

    /// Whether a vote may change `before` to them: nothing becomes so short or so little that there are no
    /// disputes any more, unless the network began with less.
    fn may_follow(&self, before: &Self) -> bool {
        let times = self.windows.named().into_iter().zip(before.windows.named());
        let mut times = times.zip(SHORTEST.named());
        times.all(|(((_, time), (_, before)), (_, least))| time >= before.min(least))
            && self.check().is_ok()
            && self.least_bond >= before.least_bond.min(LEAST_BOND)
            && self.seat_fee >= before.seat_fee.min(LEAST_FEE)
            && self.place >= before.place.min(LEAST_PLACE)
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why parameters are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// A time or an amount is zero.
    #[error("{name} of disputes is 0, expected more")]
    Nothing {
        /// Which.
        name: &'static str,
    },
    /// A time or an amount is above its bound.
    #[error("{name} of disputes is {value}, expected at most {most}")]
    TooMuch {
        /// Which.
        name: &'static str,
        /// In seconds or base units.
        value: u128,
        /// The bound.
        most: u128,
    },
    /// The state could not be written.
    #[error("the parameters of disputes do not fit their storage: {0}")]
    Storage(String),
}

/// `five times u24 each | least bond u96`, `seat fee u96 | place u96`. Zeros stand for the defaults, so that genesis
/// needs to write none; valid ones are never zeros.
impl Value for Parameters {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let times = self.windows.put(Pack::new()).number(96, self.least_bond);
        let coins = Pack::new().number(96, self.seat_fee).number(96, self.place);
        Ok([times.finish()?, coins.finish()?])
    }

    fn unpack([times, coins]: &Self::Words) -> Result<Self, Failure> {
        if times.is_zero() {
            return Ok(Self::DEFAULT);
        }
        let (mut times, mut coins) = (Unpack::new(*times), Unpack::new(*coins));
        let windows = Windows {
            answer: times.number(24)?,
            commit: times.number(24)?,
            reveal: times.number(24)?,
            appeal: times.number(24)?,
            decision: times.number(24)?,
        };
        let least_bond = times.number(96)?;
        Ok(Self { windows, least_bond, seat_fee: coins.number(96)?, place: coins.number(96)? })
    }
}

/// What does not fit is more than any bound.
impl From<&IDisputes::Parameters> for Parameters {
    fn from(shown: &IDisputes::Parameters) -> Self {
        let windows = Windows {
            answer: shown.answer.into(),
            commit: shown.commit.into(),
            reveal: shown.reveal.into(),
            appeal: shown.appeal.into(),
            decision: shown.decision.into(),
        };
        let units = |coin: U256| u128::try_from(coin).unwrap_or(u128::MAX);
        let (least_bond, seat_fee) = (units(shown.leastBond), units(shown.seatFee));
        Self { windows, least_bond, seat_fee, place: units(shown.place) }
    }
}

impl From<Parameters> for IDisputes::Parameters {
    fn from(stored: Parameters) -> Self {
        let Windows { answer, commit, reveal, appeal, decision } = stored.windows;
        let seconds = |time: u64| u32::try_from(time).unwrap_or(u32::MAX);
        Self {
            answer: seconds(answer),
            commit: seconds(commit),
            reveal: seconds(reveal),
            appeal: seconds(appeal),
            decision: seconds(decision),
            leastBond: U256::from(stored.least_bond),
            seatFee: U256::from(stored.seat_fee),
            place: U256::from(stored.place),
        }
    }
}

/// The parameters as they stand.
///
/// # Errors
/// Those of the state.
pub(super) fn parameters(state: &mut impl Read) -> Result<Parameters, Failure> {
    PARAMETERS.get(state)
}

/// Writes the parameters that genesis names.
///
/// # Errors
/// See [`ParametersError`].
pub fn found(state: &mut impl Write, shown: &IDisputes::Parameters) -> Result<(), ParametersError> {
    let parameters = Parameters::from(shown);
    parameters.check()?;
    let written = PARAMETERS.update(state, |stored| {
        *stored = parameters;
        Ok(())
    });
    written.map_err(|failure| ParametersError::Storage(format!("{failure:?}")))
}

/// Sets what governance may set.
///
/// # Errors
/// `OnlyGovernance`, `InvalidParameters`.
pub(super) fn set_parameters(
    state: &mut impl Write,
    caller: Address,
    shown: &IDisputes::Parameters,
) -> Result<(), Failure> {
    require_governance(caller)?;
    let parameters = Parameters::from(shown);
    PARAMETERS.update(state, |stored| {
        if !parameters.may_follow(stored) {
            return Err(IProtocol::InvalidParameters {}.into());
        }
        *stored = parameters;
        Ok(())
    })?;
    state.emit(ADDRESS, IDisputes::ParametersChanged { parameters: shown.clone() })
}
