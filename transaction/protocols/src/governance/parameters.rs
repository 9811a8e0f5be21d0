//! [`Rules`] of a kind of proposal and [`Settings`] of all, with the defaults.

use super::storage::{RULES, SETTINGS};
use crate::{
    state::{Failure, Read, Write},
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{
    GOVERNANCE as ADDRESS,
    IGovernance::{self, Kind},
};
use sahara_primitives::Amount;

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// The longest delay, vote or timelock: what is voted about must be within the voting history, 60 days.
const LONGEST: u32 = 28 * DAY;

/// The most coin that a proposal may need, behind it and bonded: 1,000,000 SAHARA, a ten-thousandth of all.
const MOST_COIN: u128 = 1_000_000_000_000_000_000_000_000;

/// Kinds of proposals, mildest first.
pub const KINDS: [Kind; 5] =
    [Kind::Text, Kind::Emergency, Kind::Parameter, Kind::Treasury, Kind::Upgrade];

/// What holds for proposals of a kind: seconds and basis points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Until voting begins; at least an epoch of staking in any case.
    pub delay: u32,
    /// Of voting.
    pub period: u32,
    /// Between queueing and execution.
    pub timelock: u32,
    /// Of all bonded coin, what must vote.
    pub quorum: u16,
    /// Of all votes but abstentions, what votes for must exceed.
    pub threshold: u16,
    /// Of all votes, what vetoes must exceed.
    pub veto: u16,
    /// Base units behind a proposal.
    pub deposit: u128,
}

impl Rules {
    /// Quorum 33.4 %, veto 33.4 %, threshold 50 %, voting for two days: the test network's. What it
    /// calls expedited, a day at 66.7 %, is an emergency's; an upgrade needs 66.7 % too, and a week.
    pub const fn default_of(kind: Kind) -> Self {
        const COIN: u128 = 1_000_000_000_000_000_000;
        let plain = Self {
            delay: DAY,
            period: 2 * DAY,
            timelock: 0,
            quorum: 3_340,
            threshold: 5_000,
            veto: 3_340,
            deposit: 1_000 * COIN,
        };
        match kind {
            Kind::Text => plain,
            Kind::Emergency => {
                Self { period: DAY, threshold: 6_670, deposit: 10_000 * COIN, ..plain }
            }
            Kind::Parameter => Self { timelock: DAY, deposit: 5_000 * COIN, ..plain },
            Kind::Treasury => Self { timelock: 2 * DAY, deposit: 5_000 * COIN, ..plain },
            Kind::Upgrade | Kind::__Invalid => Self {
                period: 5 * DAY,
                timelock: 7 * DAY,
                threshold: 6_670,
                deposit: 10_000 * COIN,
                ..plain
            },
        }
    }

    /// Whether decisions remain possible under them, and are decisions of more than half.
    pub const fn is_valid(&self) -> bool {
        self.delay <= LONGEST
            && self.period > 0
            && self.period <= LONGEST
            && self.timelock <= LONGEST
            && self.quorum > 0
            && self.quorum <= 6_700
            && self.threshold >= 5_000
            && self.threshold <= 9_000
            && self.veto >= 1_000
            && self.veto <= 5_000
            && self.deposit <= MOST_COIN
    }

    /// Of each of the two what is stricter.
    #[must_use]
    pub(super) fn stricter(self, other: Self) -> Self {
        Self {
            delay: self.delay.max(other.delay),
            period: self.period.max(other.period),
            timelock: self.timelock.max(other.timelock),
            quorum: self.quorum.max(other.quorum),
            threshold: self.threshold.max(other.threshold),
            veto: self.veto.min(other.veto),
            deposit: self.deposit.max(other.deposit),
        }
    }

    /// Puts all but the deposit.
    pub(super) fn put(&self, word: Pack) -> Pack {
        let times = [self.delay, self.period, self.timelock];
        let word = times.into_iter().fold(word, |word, time| word.number(32, time.into()));
        let ratios = [self.quorum, self.threshold, self.veto];
        ratios.into_iter().fold(word, |word, ratio| word.number(16, ratio.into()))
    }

    /// What [`Self::put`] put; the deposit is zero.
    pub(super) fn take(word: &mut Unpack) -> Result<Self, Failure> {
        Ok(Self {
            delay: word.number(32)?,
            period: word.number(32)?,
            timelock: word.number(32)?,
            quorum: word.number(16)?,
            threshold: word.number(16)?,
            veto: word.number(16)?,
            deposit: 0,
        })
    }

    pub(super) fn shown(&self) -> IGovernance::Rules {
        IGovernance::Rules {
            delay: self.delay,
            period: self.period,
            timelock: self.timelock,
            quorum: self.quorum,
            threshold: self.threshold,
            veto: self.veto,
            deposit: U256::from(self.deposit),
        }
    }

    fn parse(shown: &IGovernance::Rules) -> Option<Self> {
        let rules = Self {
            delay: shown.delay,
            period: shown.period,
            timelock: shown.timelock,
            quorum: shown.quorum,
            threshold: shown.threshold,
            veto: shown.veto,
            deposit: shown.deposit.try_into().ok()?,
        };
        rules.is_valid().then_some(rules)
    }
}

/// `deposit u96 | delay u32 | period u32 | timelock u32 | quorum u16 | threshold u16 | veto u16`.
impl Value for Rules {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        self.put(Pack::new().number(96, self.deposit)).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let deposit = word.number(96)?;
        Ok(Self { deposit, ..Self::take(&mut word)? })
    }
}

/// What holds for all proposals and for pauses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Seconds after which the chain does what anyone may do: an hour.
    pub patience: u32,
    /// Seconds in which a queued proposal can be executed: 14 days.
    pub grace: u32,
    /// The longest pause: three days.
    pub pause_for: u32,
    /// Between the end of one pause by the guardian and its next: 30 days.
    pub pause_rest: u32,
    /// Who may pause; zero: nobody but a vote.
    pub guardian: Address,
    /// Bonded coin that a proposer needs.
    pub proposal_votes: u128,
}

impl Settings {
    const DEFAULT: Self = Self {
        patience: HOUR,
        grace: 14 * DAY,
        pause_for: 3 * DAY,
        pause_rest: 30 * DAY,
        guardian: Address::ZERO,
        proposal_votes: 0,
    };

    /// Whether the chain gets to execute, and pauses stay exceptions.
    pub const fn is_valid(&self) -> bool {
        self.patience <= 7 * DAY
            && self.grace > self.patience
            && self.grace <= 2 * LONGEST
            && self.pause_for > 0
            && self.pause_for <= 14 * DAY
            && self.pause_rest >= self.pause_for
            && self.proposal_votes <= MOST_COIN
    }

    pub(super) fn shown(&self) -> IGovernance::Settings {
        IGovernance::Settings {
            patience: self.patience,
            grace: self.grace,
            pauseFor: self.pause_for,
            pauseRest: self.pause_rest,
            guardian: self.guardian,
            proposalVotes: U256::from(self.proposal_votes),
        }
    }

    fn parse(shown: &IGovernance::Settings) -> Option<Self> {
        let settings = Self {
            patience: shown.patience,
            grace: shown.grace,
            pause_for: shown.pauseFor,
            pause_rest: shown.pauseRest,
            guardian: shown.guardian,
            proposal_votes: shown.proposalVotes.try_into().ok()?,
        };
        settings.is_valid().then_some(settings)
    }
}

/// `patience u32 | grace u32 | pause for u32 | pause rest u32 | proposal votes u96`, `guardian`.
impl Value for Settings {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let times = [self.patience, self.grace, self.pause_for, self.pause_rest];
        let word = times.into_iter().fold(Pack::new(), |word, time| word.number(32, time.into()));
        let [guardian] = self.guardian.pack()?;
        Ok([word.number(96, self.proposal_votes).finish()?, guardian])
    }

    fn unpack([word, guardian]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            patience: word.number(32)?,
            grace: word.number(32)?,
            pause_for: word.number(32)?,
            pause_rest: word.number(32)?,
            proposal_votes: word.number(96)?,
            guardian: Address::unpack(&[*guardian])?,
        })
    }
}

/// The rules of a kind as they stand.
pub(super) fn rules_of(state: &mut impl Read, kind: Kind) -> Result<Rules, Failure> {
    let stored = RULES.get(state, u32::from(u8::from(kind)))?;
    Ok(if stored.period == 0 { Rules::default_of(kind) } else { stored })
}

/// The settings as they stand.
pub(super) fn settings(state: &mut impl Read) -> Result<Settings, Failure> {
    let stored = SETTINGS.get(state)?;
    Ok(if stored.grace == 0 { Settings::DEFAULT } else { stored })
}

/// Sets the rules of a kind.
///
/// # Errors
/// `InvalidRules`.
pub(super) fn set_rules(
    state: &mut impl Write,
    kind: Kind,
    shown: &IGovernance::Rules,
) -> Result<(), Failure> {
    let rules = Rules::parse(shown).ok_or(IGovernance::InvalidRules {})?;
    RULES.set(state, u32::from(u8::from(kind)), &rules)?;
    state.emit(ADDRESS, IGovernance::RulesChanged { kind, rules: shown.clone() })
}

/// Sets the settings.
///
/// # Errors
/// `InvalidSettings`.
pub(super) fn set_settings(
    state: &mut impl Write,
    shown: &IGovernance::Settings,
) -> Result<(), Failure> {
    let settings = Settings::parse(shown).ok_or(IGovernance::InvalidSettings {})?;
    SETTINGS.update(state, |stored| {
        *stored = settings;
        Ok(())
    })?;
    state.emit(ADDRESS, IGovernance::SettingsChanged { settings: shown.clone() })
}

/// Writes what genesis says into a state in which nothing of this protocol stands yet.
///
/// # Errors
/// `InvalidRules`, `InvalidSettings`.
pub fn found(state: &mut impl Write, setup: &IGovernance::Setup) -> Result<(), Failure> {
    for (kind, rules) in KINDS.into_iter().zip(&setup.rules) {
        set_rules(state, kind, rules)?;
    }
    set_settings(state, &setup.settings)
}

/// The defaults, with delays of seconds: for a chain on which one wants to see a vote through.
pub fn quick(seconds: u32, guardian: Address) -> IGovernance::Setup {
    let rules = KINDS.map(|kind| {
        let usual = Rules::default_of(kind);
        let timelock = if usual.timelock == 0 { 0 } else { seconds };
        let period = seconds.saturating_mul(4);
        let deposit = Amount::from_coins(100).to_u128().unwrap_or_default();
        Rules { delay: seconds, period, timelock, deposit, ..usual }.shown()
    });
    let patience = seconds.saturating_mul(4);
    let settings = Settings { patience, guardian, ..Settings::DEFAULT }.shown();
    IGovernance::Setup { rules, settings }
}
