//! What incentives stores. The coin set aside for a thing is the high field of its second word.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256};

fn hash(word: U256) -> B256 {
    B256::from(word)
}

const fn word(hash: B256) -> U256 {
    U256::from_be_bytes(hash.0)
}

/// A programme: `manager 160 | ends at u64 | closed`, `left u96 | budget u96`, `terms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Programme {
    /// Who spends.
    pub(crate) manager: Address,
    /// The first second after it.
    pub(crate) ends_at: u64,
    /// Whether it is over.
    pub(crate) is_closed: bool,
    /// What is not promised.
    pub(crate) left: u128,
    /// What governance gave it.
    pub(crate) budget: u128,
    /// Of what it is for.
    pub(crate) terms: B256,
}

impl Value for Programme {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().address(self.manager).number(64, self.ends_at.into());
        let second = Pack::new().number(96, self.left).number(96, self.budget);
        Ok([first.flag(self.is_closed).finish()?, second.finish()?, word(self.terms)])
    }

    fn unpack([first, second, terms]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            manager: first.address(),
            ends_at: first.number(64)?,
            is_closed: first.flag(),
            left: second.number(96)?,
            budget: second.number(96)?,
            terms: hash(*terms),
        })
    }
}

/// A grant: `grantee 160 | programme u64 | state u8`, `left u96 | total u96 | milestones u16 | paid u16`,
/// `reviewer 160 | delivered at u64`, `proposal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Who is paid.
    pub(crate) grantee: Address,
    /// From which programme.
    pub(crate) programme: u64,
    /// The number of its state.
    pub(crate) state: u8,
    /// What is set aside.
    pub(crate) left: u128,
    /// All milestones.
    pub(crate) total: u128,
    /// How many milestones.
    pub(crate) milestones: u32,
    /// How many of them were paid.
    pub(crate) paid: u32,
    /// Who reviews.
    pub(crate) reviewer: Address,
    /// When the next milestone was delivered; 0: it was not.
    pub(crate) delivered_at: u64,
    /// Of what was proposed.
    pub(crate) proposal: B256,
}

impl Value for Grant {
    type Words = [U256; 4];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().address(self.grantee).number(64, self.programme.into());
        let second = Pack::new().number(96, self.left).number(96, self.total);
        let second = second.number(16, self.milestones.into()).number(16, self.paid.into());
        let third = Pack::new().address(self.reviewer).number(64, self.delivered_at.into());
        Ok([
            first.number(8, self.state.into()).finish()?,
            second.finish()?,
            third.finish()?,
            word(self.proposal),
        ])
    }

    fn unpack([first, second, third, proposal]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        let mut third = Unpack::new(*third);
        Ok(Self {
            grantee: first.address(),
            programme: first.number(64)?,
            state: first.number(8)?,
            left: second.number(96)?,
            total: second.number(96)?,
            milestones: second.number(16)?,
            paid: second.number(16)?,
            reviewer: third.address(),
            delivered_at: third.number(64)?,
            proposal: hash(*proposal),
        })
    }
}

/// A milestone: `amount u96 | due at u64`, `evidence`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Milestone {
    /// What it pays.
    pub(crate) amount: u128,
    /// The first second that is too late.
    pub(crate) due_at: u64,
    /// Of what was delivered last.
    pub(crate) evidence: B256,
}

impl Value for Milestone {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().number(96, self.amount).number(64, self.due_at.into());
        Ok([first.finish()?, word(self.evidence)])
    }

    fn unpack([first, evidence]: &Self::Words) -> Result<Self, Failure> {
        let mut first = Unpack::new(*first);
        let (amount, due_at) = (first.number(96)?, first.number(64)?);
        Ok(Self { amount, due_at, evidence: hash(*evidence) })
    }
}

/// A hackathon: `programme u64 | submit until u64 | judge until u64 | prizes u8 | judges u8 | judged u8 |
/// finished`, `left u96 | entries u64`, `terms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hackathon {
    /// Which programme pays.
    pub(crate) programme: u64,
    /// The first second that is too late to submit, and the first to judge.
    pub(crate) submit_until: u64,
    /// The first second that is too late to judge.
    pub(crate) judge_until: u64,
    /// How many prizes.
    pub(crate) prizes: u32,
    /// How many judges.
    pub(crate) judges: u32,
    /// How many of them judged.
    pub(crate) judged: u32,
    /// Whether the prizes were paid.
    pub(crate) is_finished: bool,
    /// What is set aside.
    pub(crate) left: u128,
    /// How many works were entered.
    pub(crate) entries: u64,
    /// Of what it is about.
    pub(crate) terms: B256,
}

impl Value for Hackathon {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let times = [self.programme, self.submit_until, self.judge_until];
        let first = times.into_iter().fold(Pack::new(), |pack, time| pack.number(64, time.into()));
        let counts = [self.prizes, self.judges, self.judged];
        let first = counts.into_iter().fold(first, |pack, count| pack.number(8, count.into()));
        let second = Pack::new().number(96, self.left).number(64, self.entries.into());
        Ok([first.flag(self.is_finished).finish()?, second.finish()?, word(self.terms)])
    }

    fn unpack([first, second, terms]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            programme: first.number(64)?,
            submit_until: first.number(64)?,
            judge_until: first.number(64)?,
            prizes: first.number(8)?,
            judges: first.number(8)?,
            judged: first.number(8)?,
            is_finished: first.flag(),
            left: second.number(96)?,
            entries: second.number(64)?,
            terms: hash(*terms),
        })
    }
}

/// A judge: `is one | has judged`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Judge {
    /// Whether the account judges.
    pub(crate) is_judge: bool,
    /// Whether it did.
    pub(crate) has_judged: bool,
}

impl Value for Judge {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new().flag(self.is_judge).flag(self.has_judged).finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { is_judge: word.flag(), has_judged: word.flag() })
    }
}

/// An entry: `place u64 | points u64`; the first place is 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place in the order of works; 0: there is none.
    pub(crate) place: u64,
    /// What judges gave it.
    pub(crate) points: u64,
}

impl Value for Entry {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(64, self.place.into()).number(64, self.points.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { place: word.number(64)?, points: word.number(64)? })
    }
}

/// A round of awards: `programme u64 | closes at u64 | by usage | claims from u64 | closed`,
/// `left u96 | total u96`, `root`, `terms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Round {
    /// Which programme pays.
    pub(crate) programme: u64,
    /// The first second in which awards are paid.
    pub(crate) claims_from: u64,
    /// The first second that is too late to claim.
    pub(crate) closes_at: u64,
    /// Whether what nobody claimed went back.
    pub(crate) is_closed: bool,
    /// Whether an award is at most the fees named with it.
    pub(crate) is_by_usage: bool,
    /// What is set aside.
    pub(crate) left: u128,
    /// What was set aside in the beginning.
    pub(crate) total: u128,
    /// Of the list of awards.
    pub(crate) root: B256,
    /// Of how the list was made.
    pub(crate) terms: B256,
}

impl Value for Round {
    type Words = [U256; 4];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new().number(64, self.programme.into());
        let first = first.number(64, self.closes_at.into()).flag(self.is_by_usage);
        let first = first.number(64, self.claims_from.into()).flag(self.is_closed);
        let second = Pack::new().number(96, self.left).number(96, self.total);
        Ok([first.finish()?, second.finish()?, word(self.root), word(self.terms)])
    }

    fn unpack([first, second, root, terms]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            programme: first.number(64)?,
            closes_at: first.number(64)?,
            is_by_usage: first.flag(),
            claims_from: first.number(64)?,
            is_closed: first.flag(),
            left: second.number(96)?,
            total: second.number(96)?,
            root: hash(*root),
            terms: hash(*terms),
        })
    }
}
