//! Random sequences against a ledger that knows complaints only from what was said and paid.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use waits::Waits;

mod waits;

const PEOPLE: usize = 8;
const ASSETS_PLAYED: u64 = 4;
/// More than can have an asset's income held.
const COMPLAINANTS: u8 = 11;
/// What an observer remembers of a complaint.
#[derive(Clone, Debug, Default)]
struct Seen {
    asset: u64,
    complainant: Address,
    filed_at: u64,
    bond: u128,
    claimed: u128,
    put_in: u128,
    /// Whether it has income held.
    has_place: bool,
    /// Whether nobody could be drawn.
    is_unjudged: bool,
    said: BTreeMap<Address, bool>,
    seats: BTreeMap<Address, u32>,
    decision: Option<bool>,
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
            None if for_it * 2 > all => Ruling::Upheld,
            None if against * 2 > all => Ruling::Dismissed,
            None => Ruling::Open,
        }
    }
}

struct Play {
    world: Undo,
    dice: Dice,
    seen: Vec<Seen>,
    /// Those that are not closed.
    live: BTreeSet<usize>,
    promised: BTreeMap<(usize, Address), bool>,
    shares: BTreeMap<u64, u16>,
    owners: BTreeMap<u64, Address>,
    spared: BTreeMap<u64, u64>,
    waits: BTreeMap<u64, Waits>,
    closed: u64,
    /// By juries alone.
    ruled: u64,
    /// Closings that left coin with other complaints, and those that gave it to former owners.
    shared: u64,
    former: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = world(PEOPLE);
        let mut owners = BTreeMap::new();
        for number in 0..ASSETS_PLAYED {
            owners.insert(asset(&mut world, &[], number % 2 == 0), OWNER);
        }
        for number in 0..COMPLAINANTS {
            let rich = Amount::from_u128(1_000_000_000 * COIN);
            world.state.fund(complainant(number), rich);
        }
        let (seen, live, promised, shares, spared, waits) = Default::default();
        let (closed, ruled, shared, former) = Default::default();
        let dice = Dice(seed);
        Self {
            world,
            dice,
            seen,
            live,
            promised,
            shares,
            owners,
            spared,
            waits,
            closed,
            ruled,
            shared,
            former,
        }
    }

    fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.dice.below(below as u64)).unwrap()
    }

    /// One that is not closed.
    fn one(&mut self) -> Option<(usize, u64)> {
        let index = self.index(self.live.len());
        let place = *self.live.iter().nth(index)?;
        Some((place, place as u64 + 1))
    }

    /// Those whose filing was so long ago.
    fn aged(&self, ages: std::ops::Range<u64>) -> Vec<(usize, u64)> {
        let now = now(&self.world);
        let is_aged = |place: &&usize| ages.contains(&(now - self.seen[**place].filed_at));
        self.live.iter().filter(is_aged).map(|place| (*place, *place as u64 + 1)).collect()
    }

    fn step(&mut self) {
        match self.dice.below(24) {
            0 | 1 => self.file(),
            2..7 => self.pay(),
            7 => self.answer(),
            8..11 => self.promise(),
            11..14 => self.reveal(),
            14 => self.appeal(),
            15 => self.decide(),
            16..19 => self.close(),
            19 => self.list(),
            20 => self.give(),
            _ => {
                let hours = 1 + self.dice.below(14);
                pass(&mut self.world, hours * 3_600);
                for drawn in events::<IDisputes::JuryDrawn>(&self.world) {
                    let place = usize::try_from(drawn.complaint).unwrap() - 1;
                    self.seen[place].is_unjudged = drawn.jurors.is_empty();
                }
            }
        }
    }

    fn file(&mut self) {
        let asset = 1 + self.dice.below(ASSETS_PLAYED);
        let bond = 100 * COIN + self.dice.amount(50 * COIN);
        let number = u8::try_from(self.dice.below(COMPLAINANTS.into())).unwrap();
        let who = complainant(number);
        let open: Vec<_> = self.live.iter().map(|place| &self.seen[*place]).collect();
        let about = || open.iter().filter(|seen| seen.asset == asset);
        let is_second = about().any(|seen| seen.complainant == who);
        let has_place = about().filter(|seen| seen.has_place).count() < MAX_CLAIMANTS;
        let filed = file_by(&mut self.world, who, asset, bond);
        assert_eq!(filed.is_err(), is_second || self.owners[&asset] == who);
        if filed.is_ok() {
            let filed_at = now(&self.world);
            let (complainant, put_in) = (who, bond);
            self.live.insert(self.seen.len());
            self.seen.push(Seen {
                asset,
                complainant,
                filed_at,
                bond,
                put_in,
                has_place,
                ..Seen::default()
            });
        }
    }

    /// How much more a complaint claims.
    fn room(&self, seen: &Seen) -> u128 {
        let now = now(&self.world);
        let is_spared = self.spared.get(&seen.asset).is_some_and(|until| now < *until);
        match now - seen.filed_at {
            _ if !seen.has_place => 0,
            HOLDING.. => 0,
            REVEAL.. if seen.ruling() == Ruling::Upheld => u128::MAX,
            REVEAL.. => 0,
            _ if is_spared || seen.is_unjudged => 0,
            _ => seen.bond - seen.claimed,
        }
    }

    /// I2, I6 and I9: what is held and redirected of a payment is what the observer expects.
    fn pay(&mut self) {
        let asset = 1 + self.dice.below(ASSETS_PLAYED);
        let amount = 1 + self.dice.amount(60 * COIN);
        let redirected = self.shares.get(&asset).map_or(0, |share| {
            let part = U256::from(amount) * U256::from(*share) / U256::from(10_000);
            part.to::<u128>()
        });
        let mut claims = BTreeMap::<usize, u128>::new();
        for place in &self.live {
            let seen = &self.seen[*place];
            let claimed = (amount - redirected).min(self.room(seen));
            if seen.asset == asset && claimed > 0 {
                claims.insert(*place, claimed);
            }
        }
        let now = now(&self.world);
        for (place, claimed) in &claims {
            let seen = &mut self.seen[*place];
            if now - seen.filed_at < REVEAL {
                seen.claimed += claimed;
            }
        }
        let held = self.wait(asset, &claims);
        let before = (self.world.held(DISPUTES), self.world.held(VICTIM));
        pay(&mut self.world, asset, amount);
        let after = (self.world.held(DISPUTES), self.world.held(VICTIM));
        assert_eq!((after.0 - before.0, after.1 - before.1), (held, redirected));
        self.check_escrows(asset);
    }

    fn answer(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let owner = self.owners[&self.seen[place].asset];
        let call = IDisputes::answerCall { complaint, evidence: B256::ZERO };
        if self.world.call(owner, DISPUTES, 100 * COIN, &call).is_ok() {
            self.seen[place].put_in += 100 * COIN;
        }
    }

    fn promise(&mut self) {
        for (place, complaint) in self.aged(ANSWER..COMMIT) {
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
    }

    /// I5: only what was promised is taken, once.
    fn reveal(&mut self) {
        for (place, complaint) in self.aged(COMMIT..REVEAL) {
            for number in 0..PEOPLE {
                let (who, is_upheld) = (juror(number), self.dice.below(2) > 0);
                if reveal(&mut self.world, complaint, who, is_upheld).is_ok() {
                    assert_eq!(self.promised.get(&(place, who)), Some(&is_upheld));
                    assert_eq!(self.seen[place].said.insert(who, is_upheld), None);
                }
            }
        }
    }

    fn appeal(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let Seen { asset, complainant, .. } = self.seen[place];
        let who = if self.dice.below(2) > 0 { self.owners[&asset] } else { complainant };
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

    /// I3 and I9: what leaves is what came in, and what waits goes to the complainant or to who earned it.
    fn close(&mut self) {
        let Some((place, complaint)) = self.one() else { return };
        let before = self.world.held(DISPUTES);
        if close(&mut self.world, complaint).is_err() {
            return;
        }
        assert!(self.live.remove(&place), "once");
        let Seen { asset, put_in, .. } = self.seen[place];
        let expected = self.seen[place].ruling();
        let (left, given) = self.leave(place, expected == Ruling::Upheld);
        assert_eq!(before - self.world.held(DISPUTES), put_in + left);
        let closed = events::<IDisputes::Closed>(&self.world);
        let (ruling, held) = (closed[0].ruling, closed[0].held);
        assert_eq!((ruling, held), (expected, U256::from(left)));
        self.check_given(asset, &given);
        self.ruled += u64::from(ruling != Ruling::Open && self.seen[place].decision.is_none());
        if ruling == Ruling::Upheld {
            self.shares.insert(asset, 4_000);
        }
        if ruling == Ruling::Open {
            self.spared.insert(asset, now(&self.world) + HOLDING);
        }
        self.closed += 1;
        self.check_escrows(asset);
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

/// I1, I2, I3, I5, I6, I9 over random sequences.
#[test]
fn i1_i3_i9_every_coin_that_came_in_goes_out_once() {
    let mut play = Play::new(19);
    for step in 0..OPERATIONS {
        play.step();
        if step % 16 == 0 {
            check_books(&play.world);
        }
        let bonds = play.live.iter().map(|place| play.seen[*place].put_in);
        let waits = play.waits.values().flat_map(BTreeMap::values);
        let open: u128 = bonds.chain(waits.copied()).sum();
        assert_eq!(play.world.held(DISPUTES), open);
    }
    assert!(play.closed > 20, "{} complaints were closed", play.closed);
    assert!(play.ruled > 0, "{} complaints were ruled", play.ruled);
    assert!(play.shared > 0, "{} closings left coin with other complaints", play.shared);
    assert!(play.former > 0, "{} closings paid former owners", play.former);
}
