//! Random sequences against a ledger that knows complaints only from what was said and paid.

use super::*;
use std::collections::BTreeMap;

const PEOPLE: usize = 8;
const ASSETS_PLAYED: u64 = 4;

/// What an observer remembers of a complaint.
#[derive(Clone, Debug, Default)]
struct Seen {
    asset: u64,
    filed_at: u64,
    bond: u128,
    held: u128,
    put_in: u128,
    said: BTreeMap<Address, bool>,
    seats: BTreeMap<Address, u32>,
    decision: Option<bool>,
    is_closed: bool,
}

impl Seen {
    /// The ruling, counted from who said what.
    fn ruling(&self) -> Ruling {
        let side = |wanted: bool| -> u32 {
            let said = self.said.iter().filter(|(_, said)| **said == wanted);
            said.map(|(who, _)| self.seats[who]).sum()
        };
        let (for_it, against) = (side(true), side(false));
        let all: u32 = self.seats.values().sum();
        match self.decision {
            Some(true) => Ruling::Upheld,
            Some(false) => Ruling::Dismissed,
            None if (for_it + against) * 2 <= all || for_it == against => Ruling::Open,
            None if for_it > against => Ruling::Upheld,
            None => Ruling::Dismissed,
        }
    }
}

struct Play {
    world: Undo,
    dice: Dice,
    seen: Vec<Seen>,
    promised: BTreeMap<(usize, Address), bool>,
    shares: BTreeMap<u64, u16>,
    closed: u64,
    /// By juries alone.
    ruled: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = world(PEOPLE);
        for number in 0..ASSETS_PLAYED {
            asset(&mut world, &[], number % 2 == 0);
        }
        let (seen, promised, shares) = Default::default();
        Self { world, dice: Dice(seed), seen, promised, shares, closed: 0, ruled: 0 }
    }

    fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.dice.below(below as u64)).unwrap()
    }

    fn one(&mut self) -> Option<(usize, u64)> {
        // Mostly one of the last, which still live.
        let back = 1 + usize::try_from(self.dice.below(ASSETS_PLAYED)).unwrap();
        let place = self.seen.len().checked_sub(back)?;
        Some((place, place as u64 + 1))
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0 | 1 => self.file(),
            2..6 => self.pay(),
            6 => self.answer(),
            7..10 => self.promise(),
            10..13 => self.reveal(),
            13 => self.appeal(),
            14 => self.decide(),
            15 => self.close(),
            16 => self.list(),
            _ => {
                let hours = 1 + self.dice.below(14);
                pass(&mut self.world, hours * 3_600);
            }
        }
    }

    fn file(&mut self) {
        let asset = 1 + self.dice.below(ASSETS_PLAYED);
        let bond = 100 * COIN + self.dice.amount(50 * COIN);
        let is_open = self.seen.iter().any(|seen| seen.asset == asset && !seen.is_closed);
        let filed = file(&mut self.world, asset, bond);
        assert_eq!(filed.is_err(), is_open);
        if filed.is_ok() {
            let filed_at = now(&self.world);
            self.seen.push(Seen { asset, filed_at, bond, put_in: bond, ..Seen::default() });
        }
    }

    /// I2 and I6: what is held and redirected of a payment is what the observer expects.
    fn pay(&mut self) {
        let asset = 1 + self.dice.below(ASSETS_PLAYED);
        let amount = 1 + self.dice.amount(60 * COIN);
        let redirected = self.shares.get(&asset).map_or(0, |share| {
            let part = U256::from(amount) * U256::from(*share) / U256::from(10_000);
            part.to::<u128>()
        });
        let now = now(&self.world);
        let open = self.seen.iter_mut().find(|seen| seen.asset == asset && !seen.is_closed);
        let held = open.map_or(0, |seen| {
            let room = match now - seen.filed_at {
                HOLDING.. => 0,
                REVEAL.. if seen.ruling() == Ruling::Upheld => u128::MAX,
                REVEAL.. => 0,
                _ => seen.bond - seen.held,
            };
            let held = (amount - redirected).min(room);
            seen.held += held;
            held
        });
        let before = (self.world.held(DISPUTES), self.world.held(VICTIM));
        pay(&mut self.world, asset, amount);
        let after = (self.world.held(DISPUTES), self.world.held(VICTIM));
        assert_eq!((after.0 - before.0, after.1 - before.1), (held, redirected));
    }

    fn answer(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let call = IDisputes::answerCall { complaint, evidence: B256::ZERO };
        if self.world.call(OWNER, DISPUTES, 100 * COIN, &call).is_ok() {
            self.seen[place].put_in += 100 * COIN;
        }
    }

    fn promise(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        for number in 0..PEOPLE {
            let (who, is_upheld) = (juror(number), self.dice.below(3) > 0);
            if promise(&mut self.world, complaint, who, is_upheld).is_ok() {
                self.promised.insert((place, who), is_upheld);
            }
        }
        let jurors = jury(&mut self.world, complaint);
        self.seen[place].seats =
            jurors.into_iter().map(|juror| (juror.account, juror.seats)).collect();
    }

    /// I5: only what was promised is taken, once.
    fn reveal(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        for number in 0..PEOPLE {
            let (who, is_upheld) = (juror(number), self.dice.below(2) > 0);
            if reveal(&mut self.world, complaint, who, is_upheld).is_ok() {
                assert_eq!(self.promised.get(&(place, who)), Some(&is_upheld));
                assert_eq!(self.seen[place].said.insert(who, is_upheld), None);
            }
        }
    }

    fn appeal(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let who = if self.dice.below(2) > 0 { OWNER } else { VICTIM };
        let call = IDisputes::appealCall { complaint, reason: B256::ZERO };
        if self.world.call(who, DISPUTES, 100 * COIN, &call).is_ok() {
            self.seen[place].put_in += 100 * COIN;
        }
    }

    fn decide(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let is_upheld = self.dice.below(2) > 0;
        let call = IDisputes::decideCall { complaint, isUpheld: is_upheld };
        if ask(&mut self.world, GOVERNANCE, &call).is_ok() {
            self.seen[place].decision = Some(is_upheld);
        }
    }

    /// I3: what leaves is what came in.
    fn close(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let before = self.world.held(DISPUTES);
        if close(&mut self.world, complaint).is_err() {
            return;
        }
        let seen = &mut self.seen[place];
        assert!(!seen.is_closed, "once");
        seen.is_closed = true;
        assert_eq!(before - self.world.held(DISPUTES), seen.put_in + seen.held);
        let ruling = events::<IDisputes::Closed>(&self.world)[0].ruling;
        assert_eq!(ruling, seen.ruling());
        self.ruled += u64::from(ruling != Ruling::Open && seen.decision.is_none());
        if ruling == Ruling::Upheld {
            self.shares.insert(seen.asset, 4_000);
        }
        self.closed += 1;
    }

    fn list(&mut self) {
        let who = juror(self.index(PEOPLE));
        if self.dice.below(8) == 0 {
            ask(&mut self.world, who, &IDisputes::dischargeCall {}).unwrap();
            return;
        }
        for number in 0..PEOPLE {
            drop(ask(&mut self.world, juror(number), &IDisputes::enlistCall { places: 1 }));
        }
    }
}

/// I1, I2, I3, I5, I6 over random sequences.
#[test]
fn i1_i3_every_coin_that_came_in_goes_out_once() {
    let mut play = Play::new(19);
    for step in 0..OPERATIONS {
        play.step();
        if step % 16 == 0 {
            check_books(&play.world);
        }
        let open: u128 = play
            .seen
            .iter()
            .filter(|seen| !seen.is_closed)
            .map(|seen| seen.put_in + seen.held)
            .sum();
        assert_eq!(play.world.held(DISPUTES), open);
    }
    assert!(play.closed > 20, "{} complaints were closed", play.closed);
    assert!(play.ruled > 0, "{} complaints were ruled", play.ruled);
}
