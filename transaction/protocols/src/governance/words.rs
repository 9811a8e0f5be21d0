//! What governance stores.

use super::parameters::Rules;
use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};

/// A proposal. Three words: `proposer 160 | kind u8 | actions u8 | canceled | executed | settled | calls
/// contracts`, `starts at u48 | ends at u48 | eta u48 | number u64 | expires at u48`, `deposit u96 |
/// delay u32 | period u32 | timelock u32 | quorum u16 | threshold u16 | veto u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, a bit each in the word")]
pub(crate) struct Proposal {
    /// Who made it; zero: there is none.
    pub(crate) proposer: Address,
    /// The number of its kind.
    pub(crate) kind: u8,
    /// How many calls it makes.
    pub(crate) actions: u8,
    /// Whether its proposer took it back.
    pub(crate) is_canceled: bool,
    /// Whether it was executed.
    pub(crate) is_executed: bool,
    /// Whether the deposit went where it goes.
    pub(crate) is_settled: bool,
    /// Whether it calls contracts, which the protocol's own code does.
    pub(crate) calls_contracts: bool,
    /// Votes are taken after this second.
    pub(crate) starts_at: u64,
    /// The last second of votes.
    pub(crate) ends_at: u64,
    /// When it may be executed; 0: it was not queued.
    pub(crate) eta: u64,
    /// Its place among all proposals.
    pub(crate) number: u64,
    /// From when on it can no longer be executed, as the settings had it when it was queued.
    pub(crate) expires_at: u64,
    /// What is behind it.
    pub(crate) deposit: u128,
    /// What held for its kind when it was made; the deposit of them is the one above.
    pub(crate) rules: Rules,
}

impl Value for Proposal {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new()
            .address(self.proposer)
            .number(8, self.kind.into())
            .number(8, self.actions.into())
            .flag(self.is_canceled)
            .flag(self.is_executed)
            .flag(self.is_settled)
            .flag(self.calls_contracts);
        let times = [self.starts_at, self.ends_at, self.eta];
        let second = times.into_iter().fold(Pack::new(), |pack, time| pack.number(48, time.into()));
        let second = second.number(64, self.number.into()).number(48, self.expires_at.into());
        let third = self.rules.put(Pack::new().number(96, self.deposit));
        Ok([first.finish()?, second.finish()?, third.finish()?])
    }

    fn unpack([first, second, third]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        let mut third = Unpack::new(*third);
        let deposit = third.number(96)?;
        Ok(Self {
            proposer: first.address(),
            kind: first.number(8)?,
            actions: first.number(8)?,
            is_canceled: first.flag(),
            is_executed: first.flag(),
            is_settled: first.flag(),
            calls_contracts: first.flag(),
            starts_at: second.number(48)?,
            ends_at: second.number(48)?,
            eta: second.number(48)?,
            number: second.number(64)?,
            expires_at: second.number(48)?,
            deposit,
            rules: Rules::take(&mut third)?,
        })
    }
}

/// Votes so far, by bonded coin. Three words: `against u96 | for u96 | counted at u48`,
/// `abstained u96 | vetoed u96`, `all bonded coin u96`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// By the number of support: against, for, abstain, veto.
    pub(crate) votes: [u128; 4],
    /// The second at whose end votes are counted; 0: nobody has voted yet.
    pub(crate) counted_at: u64,
    /// All bonded coin then.
    pub(crate) all: u128,
}

impl Value for Tally {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let [against, in_favour, abstained, vetoed] = self.votes;
        let first = Pack::new().number(96, against).number(96, in_favour);
        Ok([
            first.number(48, self.counted_at.into()).finish()?,
            Pack::new().number(96, abstained).number(96, vetoed).finish()?,
            Pack::new().number(96, self.all).finish()?,
        ])
    }

    fn unpack([first, second, third]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        let [against, in_favour] = [first.number(96)?, first.number(96)?];
        Ok(Self {
            votes: [against, in_favour, second.number(96)?, second.number(96)?],
            counted_at: first.number(48)?,
            all: Unpack::new(*third).number(96)?,
        })
    }
}

/// What an account did about a proposal: `has voted | inherits | support u8 | overridden u96`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ballot {
    /// Whether it voted.
    pub(crate) has_voted: bool,
    /// Whether its vote counted for those behind it too.
    pub(crate) inherits: bool,
    /// What it voted.
    pub(crate) support: u8,
    /// Coin behind it, as a validator, whose owners voted themselves.
    pub(crate) overridden: u128,
}

impl Value for Ballot {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().flag(self.has_voted).flag(self.inherits);
        let word = word.number(8, self.support.into()).number(96, self.overridden);
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            has_voted: word.flag(),
            inherits: word.flag(),
            support: word.number(8)?,
            overridden: word.number(96)?,
        })
    }
}

/// A pause of a protocol's entries: `until u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pause {
    /// The first second after it.
    pub(crate) until: u64,
}

impl Value for Pause {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        self.until.pack()
    }

    fn unpack(words: &Self::Words) -> Result<Self, Failure> {
        Ok(Self { until: u64::unpack(words)? })
    }
}

/// An upgrade of the protocols: `height u64 | version u32 | before u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Upgrade {
    /// The first block under it.
    pub(crate) height: u64,
    /// The version that a node must have from then on.
    pub(crate) version: u32,
    /// The version until then.
    pub(crate) before: u32,
}

impl Upgrade {
    /// The version that a block needs.
    pub(crate) const fn needed_at(&self, height: u64) -> u32 {
        if height >= self.height { self.version } else { self.before }
    }
}

impl Value for Upgrade {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(64, self.height.into()).number(32, self.version.into());
        word.number(32, self.before.into()).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { height: word.number(64)?, version: word.number(32)?, before: word.number(32)? })
    }
}

/// That the chain could not do what was decided: `at u64 | selector u32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failed {
    /// When it tried; 0: it did not, or nothing failed.
    pub(crate) at: u64,
    /// The first bytes of the refusal; 0 where it has none.
    pub(crate) selector: u32,
}

impl Value for Failed {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(64, self.at.into()).number(32, self.selector.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { at: word.number(64)?, selector: word.number(32)? })
    }
}
