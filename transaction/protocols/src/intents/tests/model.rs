//! Random sequences against books kept by hand.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u8 = 4;

#[derive(Debug, Default)]
struct Given {
    left: u128,
    per_intent: u128,
    per_day: u128,
    spent: BTreeMap<u64, u128>,
}

struct Play {
    world: Undo,
    dice: Dice,
    people: Vec<Earner>,
    deposits: BTreeMap<Address, u128>,
    used: BTreeSet<(Address, u64)>,
    given: Given,
    relayed: u64,
    refused: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let (mut world, _) = world();
        world.state.fund(SPONSOR, Amount::from_coins(1_000_000));
        Self {
            world,
            dice: Dice(seed),
            people: (0..PEOPLE).map(|number| Earner::new(40 + number)).collect(),
            deposits: BTreeMap::new(),
            used: BTreeSet::new(),
            given: Given::default(),
            relayed: 0,
            refused: 0,
        }
    }

    fn person(&mut self) -> Earner {
        self.people[usize::try_from(self.dice.below(PEOPLE.into())).unwrap()]
    }

    fn now(&self) -> u64 {
        self.world.state.block.timestamp.0
    }

    fn step(&mut self) {
        match self.dice.below(16) {
            0..3 => {
                let (person, amount) = (self.person(), self.dice.amount(COIN));
                earn(&mut self.world, person, amount);
                *self.deposits.entry(person.account).or_default() += amount;
            }
            3 => self.sponsor(),
            4 => self.take_back(),
            5 => self.cancel(),
            6 => self.world.state.block.timestamp.0 += self.dice.below(20_000),
            _ => self.relay(),
        }
    }

    fn sponsor(&mut self) {
        let amount = self.dice.amount(COIN);
        let (per_intent, per_day) = (self.dice.amount(COIN / 100), self.dice.amount(COIN / 10));
        sponsor(&mut self.world, amount, per_intent, per_day);
        self.given.left += amount;
        (self.given.per_intent, self.given.per_day) = (per_intent, per_day);
    }

    fn take_back(&mut self) {
        let amount = self.dice.amount(COIN);
        let call = IIntents::withdrawBudgetCall { relayer: RELAYER, amount: U256::from(amount) };
        let is_done = ask(&mut self.world, SPONSOR, &call).is_ok();
        assert_eq!(is_done, amount <= self.given.left);
        if is_done {
            self.given.left -= amount;
        }
    }

    fn cancel(&mut self) {
        let (person, nonce) = (self.person(), self.dice.below(OPERATIONS / 8));
        let call = IIntents::cancelCall { nonce: U256::from(nonce) };
        let is_done = ask(&mut self.world, person.account, &call).is_ok();
        assert_eq!(is_done, self.used.insert((person.account, nonce)));
    }

    fn relay(&mut self) {
        let (person, amount) = (self.person(), self.dice.amount(COIN / 4));
        let nonce = self.dice.below(OPERATIONS / 8);
        let relayer =
            [Address::ZERO, RELAYER, SPONSOR][usize::try_from(self.dice.below(3)).unwrap()];
        let intent = Intent {
            maxFee: U256::from(self.dice.amount(COIN / 1_000)),
            relayer,
            validUntil: self.now() + self.dice.below(8),
            ..person.withdrawal(amount, nonce)
        };
        let is_own = self.dice.below(8) > 0;
        let signature = if is_own { person } else { Earner::new(99) }.sign(&intent);
        let (gas, base_fee) = (self.dice.below(400_000), self.dice.below(20 * GWEI));
        self.world.state.cost = Cost { base_fee, gas, ..Cost::default() };
        let is_free = !self.used.contains(&(person.account, nonce));
        let deposit = self.deposits.get(&person.account).copied().unwrap_or_default();
        let may = is_own
            && is_free
            && relayer != SPONSOR
            && intent.validUntil > self.now()
            && amount <= deposit;
        let before = (self.world.held(person.account), self.world.held(RELAYER));
        let done = relay_sponsored(&mut self.world, RELAYER, &intent, signature);
        assert_eq!(done.is_ok(), may, "{done:?}");
        let Ok((fee, sponsored)) = done else {
            self.refused += 1;
            return;
        };
        self.relayed += 1;
        self.used.insert((person.account, nonce));
        *self.deposits.get_mut(&person.account).unwrap() -= amount;
        // I3 and I4.
        let due = u128::from(gas + 3_500) * u128::from(base_fee);
        assert_eq!(fee, due.min(amount).min(intent.maxFee.to()));
        let after = (self.world.held(person.account), self.world.held(RELAYER));
        assert_eq!(after, (before.0 + amount - fee, before.1 + fee + sponsored));
        self.check_sponsored(due, fee, sponsored, base_fee);
    }

    /// I5.
    fn check_sponsored(&mut self, due: u128, fee: u128, sponsored: u128, base_fee: u64) {
        let day = self.now() / 86_400;
        let spent = self.given.spent.entry(day).or_default();
        let room = self.given.per_day.saturating_sub(*spent);
        let room = room.min(self.given.per_intent).min(self.given.left);
        let more = if fee == 0 { 1_600 } else { 2_500 } * u128::from(base_fee);
        let wanted = if due > fee { due - fee + more } else { 0 };
        assert_eq!(sponsored, wanted.min(room));
        *spent += sponsored;
        self.given.left -= sponsored;
    }
}

/// I1, I2, I3, I5 over random sequences.
#[test]
fn i1_i2_i3_i5_nobody_pays_more_or_twice() {
    let mut play = Play::new(22);
    for step in 0..OPERATIONS {
        play.step();
        if step % 16 == 0 {
            check_books(&play.world);
            assert_eq!(play.world.held(INTENTS), play.given.left);
        }
    }
    assert!(play.relayed > 500 && play.refused > 500, "{} {}", play.relayed, play.refused);
}
