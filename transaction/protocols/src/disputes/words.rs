//! What disputes stores.

use super::parameters::Windows;
use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::IDisputes::{self, Ground};

fn broken() -> Failure {
    Failure::Fatal("a complaint's record is broken".into())
}

/// A complaint: `complainant 160 | asset u64 | ground u8 | delisting | drawn | closed | appealed | decided |
/// decided for it`, `bond u96 | claimed u96 | filed at u64`, `answer bond u96 | appeal bond u96 | seats u8 |
/// for it u8 | against u8 | revealed u8`, `answerer 160 | places u64`, `appellant 160 | four times u24`,
/// `evidence`, `answer`, `owner 160 | the fifth time u24 | seat fee u72`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Who complains.
    pub(crate) complainant: Address,
    /// About what.
    pub(crate) asset: u64,
    /// Why.
    pub(crate) ground: Ground,
    /// Whether the asset should no longer be sold.
    pub(crate) is_delisting: bool,
    /// Whether a jury was drawn, or could not be.
    pub(crate) is_drawn: bool,
    /// Whether everything was paid out.
    pub(crate) is_closed: bool,
    /// Whether governance said something, and what.
    pub(crate) decision: Option<bool>,
    /// What the complainant put in.
    pub(crate) bond: u128,
    /// New income that it had held before the ruling.
    pub(crate) claimed: u128,
    /// When it was filed.
    pub(crate) filed_at: u64,
    /// What the owner put in.
    pub(crate) answer_bond: u128,
    /// What the appellant put in.
    pub(crate) appeal_bond: u128,
    /// Seats that were drawn.
    pub(crate) seats: u32,
    /// Seats that said yes.
    pub(crate) for_it: u32,
    /// Seats that said no.
    pub(crate) against: u32,
    /// Who answered; nobody when zero.
    pub(crate) answerer: Address,
    /// Places on the list of jurors when it was filed: those that can be drawn.
    pub(crate) places: u64,
    /// Who appealed; nobody when zero.
    pub(crate) appellant: Address,
    /// Hash of what the complainant shows.
    pub(crate) evidence: B256,
    /// Hash of what the owner shows.
    pub(crate) answer: B256,
    /// Whose the asset was when it was filed.
    pub(crate) owner: Address,
    /// Its times.
    pub(crate) windows: Windows,
    /// What a seat that spoke is paid.
    pub(crate) seat_fee: u128,
}

impl Value for Complaint {
    type Words = [U256; 8];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let ground = u8::from(self.ground);
        let head = Pack::new().address(self.complainant).number(64, self.asset.into());
        let head = head.number(8, ground.into()).flag(self.is_delisting).flag(self.is_drawn);
        let head = head.flag(self.is_closed).flag(self.decision.is_some());
        let coin = Pack::new().number(96, self.bond).number(96, self.claimed);
        let bonds = Pack::new().number(96, self.answer_bond).number(96, self.appeal_bond);
        let counts = [self.seats, self.for_it, self.against];
        let bonds = counts.into_iter().fold(bonds, |word, count| word.number(8, count.into()));
        let answerer = Pack::new().address(self.answerer).number(64, self.places.into());
        let Windows { answer, commit, reveal, appeal, decision } = self.windows;
        let appellant = Pack::new().address(self.appellant);
        let appellant = [answer, commit, reveal, appeal]
            .into_iter()
            .fold(appellant, |word, time| word.number(24, time.into()));
        let owner = Pack::new().address(self.owner).number(24, decision.into());
        Ok([
            head.flag(self.decision == Some(true)).finish()?,
            coin.number(64, self.filed_at.into()).finish()?,
            bonds.finish()?,
            answerer.finish()?,
            appellant.finish()?,
            self.evidence.into(),
            self.answer.into(),
            owner.number(72, self.seat_fee).finish()?,
        ])
    }

    fn unpack(words: &Self::Words) -> Result<Self, Failure> {
        let [head, coin, bonds, answerer, appellant, evidence, answer, owner] = *words;
        let (mut head, mut coin) = (Unpack::new(head), Unpack::new(coin));
        let (mut bonds, mut answerer) = (Unpack::new(bonds), Unpack::new(answerer));
        let (mut appellant, mut owner) = (Unpack::new(appellant), Unpack::new(owner));
        Ok(Self {
            complainant: head.address(),
            asset: head.number(64)?,
            ground: Ground::try_from(head.number::<u8>(8)?).map_err(|_| broken())?,
            is_delisting: head.flag(),
            is_drawn: head.flag(),
            is_closed: head.flag(),
            decision: match (head.flag(), head.flag()) {
                (false, _) => None,
                (true, is_upheld) => Some(is_upheld),
            },
            bond: coin.number(96)?,
            claimed: coin.number(96)?,
            filed_at: coin.number(64)?,
            answer_bond: bonds.number(96)?,
            appeal_bond: bonds.number(96)?,
            seats: bonds.number(8)?,
            for_it: bonds.number(8)?,
            against: bonds.number(8)?,
            answerer: answerer.address(),
            places: answerer.number(64)?,
            appellant: appellant.address(),
            evidence: evidence.into(),
            answer: answer.into(),
            owner: owner.address(),
            windows: Windows {
                answer: appellant.number(24)?,
                commit: appellant.number(24)?,
                reveal: appellant.number(24)?,
                appeal: appellant.number(24)?,
                decision: owner.number(24)?,
            },
            seat_fee: owner.number(72)?,
        })
    }
}

/// A share of future income: `account 160 | basis points u16`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    /// Whose.
    pub(crate) account: Address,
    /// In basis points.
    pub(crate) share: u16,
}

impl Value for Share {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().address(self.account).number(16, self.share.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { account: word.address(), share: word.number(16)? })
    }
}

impl From<Share> for IDisputes::Share {
    fn from(stored: Share) -> Self {
        Self { account: stored.account, share: stored.share }
    }
}

/// What holds for an asset: `open u32 | spared until u64 | corrected u64 | delisted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Complaints that are not closed.
    pub(crate) open: u32,
    /// Until when nothing is held before a ruling.
    pub(crate) spared_until: u64,
    /// The complaint whose shares are paid; 0: none.
    pub(crate) corrected: u64,
    /// Whether it is not sold.
    pub(crate) is_delisted: bool,
}

impl Standing {
    /// Whether payments must ask.
    pub(crate) const fn is_marked(&self) -> bool {
        self.open > 0 || self.corrected > 0
    }
}

impl Value for Standing {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(32, self.open.into()).number(64, self.spared_until.into());
        let word = word.number(64, self.corrected.into()).flag(self.is_delisted);
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            open: word.number(32)?,
            spared_until: word.number(64)?,
            corrected: word.number(64)?,
            is_delisted: word.flag(),
        })
    }
}

/// Open complaints that have income held, four to a word; 0: a free place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claimants(pub(crate) [u64; super::MAX_CLAIMANTS]);

impl Claimants {
    /// Those there are, each with its bit.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, u8)> {
        let bits = (0_u32..).map(|place| 1_u8.wrapping_shl(place));
        self.0.into_iter().zip(bits).filter(|(number, _)| *number > 0)
    }

    /// The bit of a complaint; none when it had no place.
    pub(crate) fn bit(&self, complaint: u64) -> u8 {
        self.all().find(|(number, _)| *number == complaint).map_or(0, |(_, bit)| bit)
    }

    /// Puts one number in the place of another, if that is there.
    pub(crate) fn replace(&mut self, before: u64, after: u64) {
        if let Some(place) = self.0.iter_mut().find(|number| **number == before) {
            *place = after;
        }
    }
}

impl Value for Claimants {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let [a, b, c, d, e, f, g, h] = self.0;
        let word = |four: [u64; 4]| {
            let put = |word: Pack, number: u64| word.number(64, number.into());
            four.into_iter().fold(Pack::new(), put).finish()
        };
        Ok([word([a, b, c, d])?, word([e, f, g, h])?])
    }

    fn unpack(words: &Self::Words) -> Result<Self, Failure> {
        let mut words = words.map(Unpack::new);
        let mut claimants = Self::default();
        for (place, number) in claimants.0.iter_mut().enumerate() {
            let word = words.get_mut(place.wrapping_shr(2)).ok_or_else(broken)?;
            *number = word.number(64)?;
        }
        Ok(claimants)
    }
}

/// New income that waits: `earner 160 | claims u8`, `amount u96`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Escrow {
    /// Who earned it; zero: who owns the asset when it is given back.
    pub(crate) earner: Address,
    /// The open complaints that claim it, by their bits.
    pub(crate) claims: u8,
    /// How much.
    pub(crate) amount: u128,
}

impl Value for Escrow {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let who = Pack::new().address(self.earner).number(8, self.claims.into());
        Ok([who.finish()?, Pack::new().number(96, self.amount).finish()?])
    }

    fn unpack([who, amount]: &Self::Words) -> Result<Self, Failure> {
        let mut who = Unpack::new(*who);
        Ok(Self {
            earner: who.address(),
            claims: who.number(8)?,
            amount: Unpack::new(*amount).number(96)?,
        })
    }
}

/// A place on the list of jurors: `account 160 | since u64`; nobody's has its position among the free ones
/// for a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whose; nobody's when zero.
    pub(crate) account: Address,
    /// Since when.
    pub(crate) since: u64,
}

impl Place {
    /// Nobody's, at this position among the free ones.
    pub(crate) const fn free(position: u64) -> Self {
        Self { account: Address::ZERO, since: position }
    }
}

impl Value for Place {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().address(self.account).number(64, self.since.into());
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self { account: word.address(), since: word.number(64)? })
    }
}

/// A juror's seats: `seats u8 | revealed | said yes`, `commitment`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    /// How many.
    pub(crate) seats: u32,
    /// Whether it spoke.
    pub(crate) has_revealed: bool,
    /// What it said.
    pub(crate) is_upheld: bool,
    /// What it committed to; zero: nothing.
    pub(crate) commitment: B256,
}

impl Value for Seat {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(8, self.seats.into()).flag(self.has_revealed);
        Ok([word.flag(self.is_upheld).finish()?, self.commitment.into()])
    }

    fn unpack([word, commitment]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        Ok(Self {
            seats: word.number(8)?,
            has_revealed: word.flag(),
            is_upheld: word.flag(),
            commitment: (*commitment).into(),
        })
    }
}
