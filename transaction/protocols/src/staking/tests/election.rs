//! Random lives of validators against a book that is kept by hand from the spec: who stands, who is in jail, who
//! left, and who has which seats in every epoch.

use super::{
    faults::{count, report},
    *,
};
use std::collections::BTreeMap;

/// Operations after which a new world begins, with other validators.
const CHAPTER: u64 = 400;
/// Turns of a validator's that are looked at, and how many of them it may miss.
const WINDOW: u8 = 10;
const MAY_MISS: u8 = 4;
const JAIL: u64 = 600;
/// Seconds for which seats are fixed.
const PERIOD: u64 = DAY / 4;
const SEATS: u16 = 9;
const MOST_KEYS: u32 = 3;

/// What a reader of the spec remembers of a validator; its stake is another model's matter.
#[derive(Default)]
struct Life {
    keys: u32,
    is_leaving: bool,
    is_tombstoned: bool,
    jailed_until: Option<u64>,
    /// Its turns since it was last let out: whether it missed them.
    turns: Vec<bool>,
}

impl Life {
    const fn stands(&self) -> bool {
        !self.is_leaving && !self.is_tombstoned && self.jailed_until.is_none()
    }
}

struct Play {
    world: Undo,
    dice: Dice,
    operators: usize,
    lives: BTreeMap<Address, Life>,
    /// Of the present epoch.
    seats: Vec<(Address, u32)>,
    apportioned_at: u64,
    /// When it was decided who has seats in an epoch.
    decided_at: Vec<u64>,
    keys: u8,
    done: BTreeMap<&'static str, u32>,
}

impl Play {
    fn new(seed: u64, operators: usize) -> Self {
        let mut world = world(0, 1);
        for number in 0..operators {
            world.state.fund(operator(number), Amount::from_u128(1 << 90));
        }
        let set = IStaking::setParametersCall {
            parameters: IStaking::Parameters {
                epoch: u32::try_from(PERIOD).unwrap(),
                seats: SEATS,
                jail: u32::try_from(JAIL).unwrap(),
                window: WINDOW,
                maxMissed: MAY_MISS,
                ..Parameters::default().into()
            },
        };
        world.call(GOVERNANCE, STAKING, 0, &set).unwrap();
        let (lives, seats, done) = Default::default();
        let mut play = Self {
            world,
            dice: Dice(seed),
            operators,
            lives,
            seats,
            apportioned_at: START,
            decided_at: vec![START],
            keys: 0,
            done,
        };
        // Epochs are counted from the first validator on.
        play.create(operator(0));
        play
    }

    fn now(&self) -> u64 {
        self.world.state.block.timestamp.0
    }

    fn did(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    fn stake(&mut self, who: Address) -> u128 {
        shown(&mut self.world, who).stake.to()
    }

    fn key(&mut self) -> IStaking::SeatKey {
        self.keys += 1;
        seat_key(self.keys)
    }

    fn step(&mut self) {
        let who = operator(usize::try_from(self.dice.below(self.operators as u64)).unwrap());
        match self.dice.below(40) {
            0 | 1 => self.create(who),
            2 | 3 => self.add_key(who),
            4..8 => self.join(who),
            8..11 => self.part(who),
            11 => self.leave(who),
            12..30 => self.take_turn(who),
            30..33 => self.unjail(who),
            33 => self.double_vote(who),
            34..37 => {
                let seconds = self.dice.below(PERIOD / 3);
                later(&mut self.world, seconds);
            }
            _ => self.next_epoch(),
        }
        self.check();
    }

    fn create(&mut self, who: Address) {
        let is_new = !self.lives.contains_key(&who);
        let keys = if is_new { vec![self.key()] } else { Vec::new() };
        let call = IStaking::createValidatorCall { commission: 0, feeAddress: who, keys };
        let stake = (1_000 + u128::from(self.dice.below(4_000))) * COIN;
        assert_eq!(self.world.call(who, STAKING, stake, &call).is_ok(), is_new);
        if is_new {
            self.lives.insert(who, Life { keys: 1, ..Life::default() });
        }
    }

    fn add_key(&mut self, who: Address) {
        let Some(keys) = self.lives.get(&who).map(|life| life.keys) else { return };
        if keys < MOST_KEYS {
            let call = IStaking::addSeatKeyCall { key: self.key() };
            self.world.call(who, STAKING, 0, &call).unwrap();
            self.lives.get_mut(&who).unwrap().keys += 1;
        }
    }

    fn join(&mut self, who: Address) {
        let is_open =
            self.lives.get(&who).is_some_and(|life| !life.is_leaving && !life.is_tombstoned);
        let amount = (1 + u128::from(self.dice.below(3_000))) * COIN;
        assert_eq!(join(&mut self.world, person(0), who, amount).is_ok(), is_open);
    }

    /// Takes coin out, often all of it; entries may be full.
    fn part(&mut self, who: Address) {
        if !self.lives.contains_key(&who) {
            return;
        }
        let delegator = if self.dice.below(2) == 0 { who } else { person(0) };
        let all: u128 = held(&mut self.world, delegator, who).value.to();
        let amount = if self.dice.below(2) == 0 { all } else { self.dice.amount(all) };
        drop(part(&mut self.world, delegator, who, amount));
    }

    fn leave(&mut self, who: Address) {
        if self.dice.below(4) > 0 {
            return;
        }
        let may = self.lives.get(&who).is_some_and(|life| !life.is_leaving);
        let call = IStaking::leaveValidatorCall {};
        assert_eq!(self.world.call(who, STAKING, 0, &call).is_ok(), may);
        if may {
            self.lives.get_mut(&who).unwrap().is_leaving = true;
            self.did("left");
        }
    }

    /// A turn of its own, which it misses once in three times; more than four of the last ten, and it is in jail.
    fn take_turn(&mut self, who: Address) {
        let is_missed = self.dice.below(3) == 0;
        let (present, missed) = if is_missed { (vec![], vec![who]) } else { (vec![who], vec![]) };
        count(&mut self.world, &present, &missed).unwrap();
        let until = self.now() + JAIL;
        let Some(life) = self.lives.get_mut(&who) else { return };
        if life.jailed_until.is_some() {
            return;
        }
        life.turns.push(is_missed);
        let window = usize::from(WINDOW);
        let Some(from) = life.turns.len().checked_sub(window) else { return };
        let missed = life.turns[from..].iter().filter(|is_missed| **is_missed).count();
        if missed > usize::from(MAY_MISS) {
            (life.jailed_until, life.turns) = (Some(until), Vec::new());
            self.did("jailed");
        }
    }

    fn unjail(&mut self, who: Address) {
        let now = self.now();
        let may = self.lives.get(&who).is_some_and(|life| {
            !life.is_tombstoned && life.jailed_until.is_some_and(|until| now >= until)
        });
        let done = self.world.call(who, STAKING, 0, &IStaking::unjailCall {});
        assert_eq!(done.is_ok(), may);
        if may {
            self.lives.get_mut(&who).unwrap().jailed_until = None;
            self.did("let out");
        }
    }

    /// Evidence about an epoch that was, is, or is yet to come.
    fn double_vote(&mut self, who: Address) {
        if self.dice.below(4) > 0 {
            return;
        }
        let epoch = self.dice.below(self.decided_at.len() as u64 + 1);
        let decided_at = self.decided_at.get(usize::try_from(epoch).unwrap()).copied();
        let now = self.now();
        let may = self.lives.get(&who).is_some_and(|life| !life.is_tombstoned)
            && decided_at.is_some_and(|decided_at| now < decided_at + UNBONDING);
        let done = report(&mut self.world, who, &[u8::try_from(epoch).unwrap()]);
        assert_eq!(done.is_ok(), may, "{done:?}");
        if may {
            let life = self.lives.get_mut(&who).unwrap();
            (life.is_tombstoned, life.jailed_until) = (true, Some(u64::MAX));
            self.did("shut out");
        }
    }

    /// One seat after the other to the largest quotient, of equal ones to the larger stake.
    fn apportioned(&mut self) -> Vec<(Address, u32)> {
        let standing = self.lives.iter().filter(|(_, life)| life.stands());
        let standing: Vec<_> = standing.map(|(who, life)| (*who, life.keys)).collect();
        let mut won: Vec<_> =
            standing.into_iter().map(|(who, keys)| (who, keys, self.stake(who), 0_u32)).collect();
        for _ in 0..SEATS {
            let open = won.iter_mut().filter(|(_, keys, stake, seats)| *stake > 0 && seats < keys);
            let best = open.reduce(|best, one| {
                let worth = |stake: u128, other: u32| stake * u128::from(other + 1);
                let (mine, its) = (worth(one.2, best.3), worth(best.2, one.3));
                if (mine, one.2) > (its, best.2) { one } else { best }
            });
            let Some(best) = best else { break };
            best.3 += 1;
        }
        won.into_iter().filter(|one| one.3 > 0).map(|one| (one.0, one.3)).collect()
    }

    fn next_epoch(&mut self) {
        next_epoch(&mut self.world);
        let now = self.now();
        let seated: Vec<_> = self.seats.iter().map(|(who, _)| *who).collect();
        let all_stand = !seated.is_empty()
            && seated.iter().all(|who| self.lives[who].stands() && self.stake(*who) > 0);
        if now >= self.apportioned_at + PERIOD || !all_stand {
            let won = self.apportioned();
            if won.is_empty() {
                self.did("nobody stood");
            } else {
                let seats =
                    won.into_iter().flat_map(|(who, won)| (0..won).map(move |key| (who, key)));
                (self.seats, self.apportioned_at) = (seats.collect(), now);
                self.did("apportioned");
            }
        } else {
            self.did("kept");
        }
        let epoch = self.decided_at.len() as u64;
        self.decided_at.push(now);
        let call = IStaking::seatsOfCall { epoch };
        let shown = self.world.call(REPORTER, STAKING, 0, &call).unwrap();
        let shown: Vec<_> = shown.validators.into_iter().zip(shown.keys).collect();
        assert_eq!(shown, self.seats, "in epoch {epoch}");
        self.check_consensus(epoch);
    }

    /// Consensus has the same seats.
    fn check_consensus(&mut self, epoch: u64) {
        if self.seats.is_empty() {
            return;
        }
        let (bytes, _) = validators_of(&mut self.world.state, epoch).unwrap().unwrap();
        let set = ValidatorSet::decode(&bytes).unwrap();
        let mut seats: Vec<_> = set.as_slice().iter().map(|one| one.fee_address).collect();
        seats.sort();
        let mut expected: Vec<_> = self.seats.iter().map(|(who, _)| *who).collect();
        expected.sort();
        assert_eq!(seats, expected, "in epoch {epoch}");
    }

    fn check(&mut self) {
        let next = self.world.call(REPORTER, STAKING, 0, &IStaking::nextSeatsCall {}).unwrap();
        let next: Vec<_> = next.validators.into_iter().zip(next.seats).collect();
        assert_eq!(next, self.apportioned());
        for (who, life) in &self.lives {
            let shown = shown(&mut self.world, *who);
            assert_eq!(shown.keys, life.keys);
            assert_eq!(
                (shown.isLeaving, shown.isTombstoned, shown.isJailed),
                (life.is_leaving, life.is_tombstoned, life.jailed_until.is_some())
            );
            if let Some(until) = life.jailed_until {
                assert_eq!(shown.jailedUntil, until);
            }
        }
    }
}

/// I8 and the spec's chapters on validators, faults and seats: a fifth of the other models' operations, since an
/// election decodes keys.
#[test]
fn i8_who_stands_and_who_has_seats_is_what_a_book_by_hand_says() {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for chapter in 0..(OPERATIONS / 5).div_ceil(CHAPTER) {
        // From one validator, which may leave none behind, to eight.
        let mut play = Play::new(chapter, 1 + usize::try_from(chapter * 3 % 8).unwrap());
        for _ in 0..CHAPTER {
            play.step();
        }
        check_books(&play.world.state);
        for (what, count) in play.done {
            *done.entry(what).or_default() += count;
        }
    }
    assert_eq!(done.len(), 7, "{done:?}");
}
