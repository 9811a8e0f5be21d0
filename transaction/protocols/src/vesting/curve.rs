//! [`Curve`]: how much of an amount has come free at a time. Pure; no state.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::U256;
use sahara_abi::IVesting;
use sahara_primitives::{BasisPoints, Timestamp};

/// How an amount comes free: nothing before `cliff`, everything from `end` on, and between them
///
/// ```text
/// first + (total - first) * (t - start) / (end - start)      first = total * at_cliff / 10,000
/// ```
///
/// rounded down, where nothing of the second part counts before `start`. With `at_cliff = 0` and
/// `start < cliff` it is the line from `start` with a gate at `cliff`; with `start = end = cliff` it
/// is everything at once. A curve with steps knows their seconds instead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Curve {
    /// Nothing comes free before.
    pub cliff: Timestamp,
    /// Where the line begins.
    pub start: Timestamp,
    /// Everything is free from here on.
    pub end: Timestamp,
    /// What comes free at the cliff at once.
    pub at_cliff: BasisPoints,
    /// The seconds at which equal parts come free, in order; when there are any, nothing else counts.
    pub steps: Vec<Timestamp>,
}

fn wide(number: u64) -> U256 {
    U256::from(number)
}

/// `floor(amount * numerator / denominator)`, and all of it for a denominator of 0.
fn part(amount: u128, numerator: u64, denominator: u64) -> u128 {
    let product = U256::from(amount).checked_mul(wide(numerator));
    let quotient = product.and_then(|product| product.checked_div(wide(denominator)));
    quotient.map_or(amount, |part| u128::try_from(part).unwrap_or(amount)).min(amount)
}

impl Curve {
    /// Everything at one moment.
    pub fn at(time: Timestamp) -> Self {
        Self { cliff: time, start: time, end: time, ..Self::default() }
    }

    /// Equal parts at these seconds.
    pub fn stepped(steps: Vec<Timestamp>) -> Self {
        let first = steps.first().copied().unwrap_or_default();
        let last = steps.last().copied().unwrap_or_default();
        Self { cliff: first, start: first, end: last, at_cliff: BasisPoints::ZERO, steps }
    }

    /// How much of `total` is free at `time`.
    pub fn vested(&self, total: u128, time: Timestamp) -> u128 {
        if !self.steps.is_empty() {
            let passed = self.steps.partition_point(|step| *step <= time);
            let length = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
            return part(total, length(passed), length(self.steps.len()));
        }
        if time < self.cliff {
            return 0;
        }
        if time >= self.end {
            return total;
        }
        let first = part(total, u64::from(self.at_cliff.points()), 10_000);
        let rest = total.saturating_sub(first);
        let elapsed = time.0.saturating_sub(self.start.0);
        let line = part(rest, elapsed, self.end.0.saturating_sub(self.start.0));
        first.saturating_add(line)
    }

    /// Everything of `total` that comes free after a time, in order. A line that has begun is shown
    /// from that time on.
    pub fn unlocks(&self, total: u128, after: Timestamp) -> Vec<IVesting::Unlock> {
        let free = |time| self.vested(total, time);
        let mut unlocks = Vec::new();
        let mut add = |begins: Timestamp, ends: Timestamp, amount: u128| {
            if amount > 0 && ends > after {
                let amount = U256::from(amount);
                unlocks.push(IVesting::Unlock { begins: begins.0, ends: ends.0, amount });
            }
        };
        if self.steps.is_empty() {
            let line = self.start.max(self.cliff);
            if line >= self.end {
                // No line: at most what comes at the cliff, and the rest at the end.
                let first = if self.cliff < self.end { free(self.cliff) } else { 0 };
                add(self.cliff, self.cliff, first);
                let end = self.end.max(self.cliff);
                add(end, end, total.saturating_sub(first));
            } else {
                add(self.cliff, self.cliff, free(self.cliff));
                let begins = line.max(after);
                add(begins, self.end, total.saturating_sub(free(begins)));
            }
        }
        let mut before = 0;
        for step in &self.steps {
            let now = free(*step);
            add(*step, *step, now.saturating_sub(before));
            before = now;
        }
        unlocks
    }
}

/// The numbers of a curve: `cliff u64 | start u64 | end u64 | at cliff u16 | steps u16`; the steps'
/// seconds stand elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CurveWord {
    pub(crate) cliff: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) at_cliff: BasisPoints,
    pub(crate) steps: u16,
}

impl Value for CurveWord {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .number(64, self.cliff.0.into())
            .number(64, self.start.0.into())
            .number(64, self.end.0.into())
            .number(16, self.at_cliff.points().into())
            .number(16, self.steps.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let [cliff, start, end] = [word.number(64)?, word.number(64)?, word.number(64)?];
        let at_cliff = BasisPoints::new(word.number(16)?)
            .map_err(|error| Failure::Fatal(format!("a stored curve: {error}")))?;
        Ok(Self {
            cliff: Timestamp(cliff),
            start: Timestamp(start),
            end: Timestamp(end),
            at_cliff,
            steps: word.number(16)?,
        })
    }
}

/// Four seconds in a word, the first highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times(pub(crate) [u64; 4]);

impl Value for Times {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = self.0.iter().fold(Pack::new(), |pack, time| pack.number(64, (*time).into()));
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        let mut times = [0; 4];
        for time in &mut times {
            *time = fields.number(64)?;
        }
        Ok(Self(times))
    }
}
