//! [`Schedule`], [`Move`] and the settings, as stored.

use crate::{
    erc721::MARK_BITS,
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{AIRDROP, COMMUNITY, INCENTIVE_POOL, INVESTORS, TEAM};
use sahara_primitives::Timestamp;

/// The pools, in the order of their numbers in storage.
pub(super) const POOLS: [Address; 5] = [AIRDROP, COMMUNITY, INCENTIVE_POOL, TEAM, INVESTORS];

/// The number of a pool.
pub(super) fn pool_number(account: Address) -> Option<u8> {
    POOLS.iter().position(|pool| *pool == account).and_then(|index| u8::try_from(index).ok())
}

/// A part of a pool and its beneficiary. Three words:
/// `total u96 | released u96 | delay u32 | curve u16 | pool u8 | flags`, `beneficiary`,
/// `offered to: 160 | mark: 96`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Everything it binds or bound.
    pub(crate) total: u128,
    /// What left the pool.
    pub(crate) released: u128,
    /// Seconds by which the curve is moved back.
    pub(crate) delay: u64,
    /// The curve's number.
    pub(crate) curve: u16,
    /// The pool's number.
    pub(crate) pool: u8,
    /// Whether the authority may end it.
    pub(crate) is_revocable: bool,
    /// Whether coin leaves by announced moves only.
    pub(crate) needs_notice: bool,
    /// Whether it ended: everything it still binds is free.
    pub(crate) is_revoked: bool,
    /// Whose it is; zero: held for grants or claims.
    pub(crate) beneficiary: Address,
    /// Who may take it over.
    pub(crate) offered_to: Address,
    /// The mark of the beneficiary's word, [`crate::erc721::mark_of`], when it offered it.
    pub(crate) mark: u128,
}

impl Schedule {
    /// The pool's account.
    pub(super) fn account(&self) -> Address {
        POOLS.get(usize::from(self.pool)).copied().unwrap_or_default()
    }

    /// Whether it waits for grants or claims.
    pub(super) fn is_held(&self) -> bool {
        self.beneficiary.is_zero()
    }

    /// Whether it comes free where it lies.
    pub(super) fn is_in_place(&self) -> bool {
        self.beneficiary == self.account()
    }
}

impl Value for Schedule {
    type Words = [U256; 3];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let first = Pack::new()
            .number(96, self.total)
            .number(96, self.released)
            .number(32, self.delay.into())
            .number(16, self.curve.into())
            .number(8, self.pool.into())
            .flag(self.is_revocable)
            .flag(self.needs_notice)
            .flag(self.is_revoked)
            .finish()?;
        let [beneficiary] = self.beneficiary.pack()?;
        let offered = Pack::new().address(self.offered_to).number(MARK_BITS, self.mark);
        Ok([first, beneficiary, offered.finish()?])
    }

    fn unpack([first, beneficiary, offered]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut offered) = (Unpack::new(*first), Unpack::new(*offered));
        Ok(Self {
            total: first.number(96)?,
            released: first.number(96)?,
            delay: first.number(32)?,
            curve: first.number(16)?,
            pool: first.number(8)?,
            is_revocable: first.flag(),
            needs_notice: first.flag(),
            is_revoked: first.flag(),
            beneficiary: Address::unpack(&[*beneficiary])?,
            offered_to: offered.address(),
            mark: offered.number(MARK_BITS)?,
        })
    }
}

/// What became of an announced move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits, or it expired.
    #[default]
    Announced,
    /// It was executed.
    Executed,
    /// It was taken back.
    Cancelled,
}

/// An announced move. Two words: `to 160 | schedule u64 | pool u8 | fate u8` and
/// `amount u96 | mark u96 | executable at u64`; it was announced one notice before, and expires one window
/// later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Move {
    /// Who receives it.
    pub(crate) to: Address,
    /// The schedule it comes from; 0: what is free in the pool.
    pub(crate) schedule: u64,
    /// The pool's number.
    pub(crate) pool: u8,
    /// What became of it.
    pub(crate) fate: Fate,
    /// How much.
    pub(crate) amount: u128,
    /// The beginning of the beneficiary's name ([`crate::assets::giver`]) when it announced it; zero for a
    /// move from a pool.
    pub(crate) mark: u128,
    /// The first second of its execution.
    pub(crate) executable_at: u64,
}

impl Value for Move {
    type Words = [U256; 2];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let fate = match self.fate {
            Fate::Announced => 0,
            Fate::Executed => 1,
            Fate::Cancelled => 2,
        };
        let first = Pack::new().address(self.to).number(64, self.schedule.into());
        let second = Pack::new().number(96, self.amount).number(MARK_BITS, self.mark);
        Ok([
            first.number(8, self.pool.into()).number(8, fate).finish()?,
            second.number(64, self.executable_at.into()).finish()?,
        ])
    }

    fn unpack([first, second]: &Self::Words) -> Result<Self, Failure> {
        let (mut first, mut second) = (Unpack::new(*first), Unpack::new(*second));
        Ok(Self {
            to: first.address(),
            schedule: first.number(64)?,
            pool: first.number(8)?,
            fate: match first.number::<u8>(8)? {
                0 => Fate::Announced,
                1 => Fate::Executed,
                2 => Fate::Cancelled,
                other => return Err(Failure::Fatal(format!("a move has no fate {other}"))),
            },
            amount: second.number(96)?,
            mark: second.number(MARK_BITS)?,
            executable_at: second.number(64)?,
        })
    }
}

/// What genesis sets: `notice u64 | window u64 | opens u64 | closes u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Seconds between an announcement and the first moment of its execution.
    pub(crate) notice: u64,
    /// Seconds in which an announced move may be executed.
    pub(crate) window: u64,
    /// The first second of the airdrop.
    pub(crate) opens: Timestamp,
    /// The first second after the airdrop.
    pub(crate) closes: Timestamp,
}

impl Value for Settings {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let numbers = [self.notice, self.window, self.opens.0, self.closes.0];
        let word = numbers.into_iter().fold(Pack::new(), |pack, n| pack.number(64, n.into()));
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut word = Unpack::new(*word);
        let [notice, window] = [word.number(64)?, word.number(64)?];
        let [opens, closes] = [word.number(64)?, word.number(64)?].map(Timestamp);
        Ok(Self { notice, window, opens, closes })
    }
}

/// An airdrop leaf's two hashes: 160 bytes, then 32.
pub(super) fn hash_leaf(words: [U256; 5]) -> B256 {
    let bytes: Vec<u8> = words.iter().flat_map(U256::to_be_bytes::<32>).collect();
    alloy_primitives::keccak256(alloy_primitives::keccak256(bytes))
}
