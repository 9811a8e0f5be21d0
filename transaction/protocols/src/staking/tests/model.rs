//! Random sequences against books that are kept by hand: everyone is settled at every reward, what
//! is unbonding is slashed at every slash, one by one.

use super::{
    books::{Books, Held, House},
    shares::Bond,
    *,
};

const VALIDATORS: usize = 5;
const PEOPLE: usize = 6;
/// Operations after which a new world begins, so that stakes do not dwindle to nothing.
const CHAPTER: u64 = 2_500;

struct Play {
    world: Undo,
    dice: Dice,
    books: Books,
    slashes: u64,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = world(VALIDATORS, PEOPLE);
        for number in 0..VALIDATORS {
            world.state.fund(operator(number), Amount::ZERO);
        }
        let house = |number: usize| {
            let mut house = House {
                stake: 1_000 * COIN,
                shares: 1_000 * COIN,
                held: vec![Held::default(); PEOPLE + VALIDATORS],
                out: vec![Default::default(); PEOPLE + VALIDATORS],
                moved: vec![Default::default(); PEOPLE + VALIDATORS],
                ..House::default()
            };
            house.held[PEOPLE + number].shares = 1_000 * COIN;
            house
        };
        let mut wallets = vec![1 << 90; PEOPLE];
        wallets.extend([0; VALIDATORS]);
        let houses = (0..VALIDATORS).map(house).collect();
        let books = Books { now: START, houses, wallets, incentive: 0 };
        Self { world, dice: Dice(seed), books, slashes: 0 }
    }

    fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.dice.below(below as u64)).unwrap()
    }

    /// Does it in the books, or leaves them as they were.
    fn book<R>(&mut self, work: impl FnOnce(&mut Books) -> Option<R>) -> Option<R> {
        let before = self.books.clone();
        let result = work(&mut self.books);
        if result.is_none() {
            self.books = before;
        }
        result
    }

    /// What a holder may ask for: anything, often exactly everything.
    fn wish(&mut self, who: usize, house: usize) -> u128 {
        let house = &self.books.houses[house];
        let all = house.value(house.held[who].shares);
        match self.dice.below(6) {
            0 => all,
            1 => all + 1,
            2 => all.saturating_sub(1),
            _ => self.dice.amount(all.max(1)),
        }
    }

    fn step(&mut self) {
        let (who, house) = (self.index(PEOPLE), self.index(VALIDATORS));
        let (account, validator) = (person(who), operator(house));
        match self.dice.below(32) {
            0..3 => self.wait(),
            3..8 => {
                let most = if self.dice.below(3) == 0 { 20 } else { 1 << 70 };
                let amount = self.dice.amount(most);
                let expected = self.book(|books| books.join(who, house, amount));
                let result = join(&mut self.world, account, validator, amount);
                assert_eq!(result.is_ok(), expected.is_some(), "{result:?}");
            }
            8..13 => {
                let amount = self.wish(who, house);
                let expected = self.book(|books| books.leave(who, house, amount));
                let result = part(&mut self.world, account, validator, amount);
                assert_eq!(result.is_ok(), expected.is_some(), "{result:?}");
            }
            13..17 => {
                let to = self.index(VALIDATORS);
                let amount = self.wish(who, house);
                let expected = self.book(|books| books.go_over(who, house, to, amount));
                let result = over(&mut self.world, account, [validator, operator(to)], amount);
                assert_eq!(result.is_ok(), expected.is_some(), "{result:?}");
            }
            17..20 => {
                let expected = self.book(|books| books.withdraw(who, house));
                let result = take(&mut self.world, account, validator);
                assert_eq!(result.ok(), expected);
            }
            20..24 => self.reward(house),
            24..27 => self.slash(house),
            27..30 => self.collect(who, house),
            _ => self.end_block(),
        }
    }

    fn collect(&mut self, who: usize, house: usize) {
        let (account, validator) = (person(who), operator(house));
        match self.dice.below(3) {
            0 => {
                let call = IStaking::settleCall { delegator: account, validator };
                let paid = self.world.call(REPORTER, STAKING, 0, &call).unwrap();
                let owed = self.books.houses[house].held[who].owed;
                assert_eq!(paid, U256::from(owed));
                self.books.touch(who, house);
            }
            1 => {
                let owed = self.books.houses[house].held[who].owed;
                let expected = self.book(|books| {
                    books.touch(who, house);
                    books.join(who, house, owed)
                });
                let call = IStaking::compoundCall { validator };
                let result = self.world.call(account, STAKING, 0, &call);
                assert_eq!(result.is_ok(), expected.is_some(), "{result:?}");
            }
            _ => {
                apply(&mut self.world, account, validator);
                self.books.reach(who, house);
            }
        }
    }

    fn wait(&mut self) {
        let seconds = match self.dice.below(5) {
            0 => 1,
            1 => self.dice.below(100),
            2 => DAY,
            3 => self.dice.below(4 * DAY),
            _ => self.dice.below(UNBONDING),
        };
        later(&mut self.world, seconds);
        self.books.now += seconds;
    }

    fn reward(&mut self, house: usize) {
        let most = if self.dice.below(2) == 0 { 50 } else { 1 << 66 };
        let amount = 1 + self.dice.amount(most);
        earn(&mut self.world, operator(house), amount);
        let commission = amount / 10;
        if self.books.houses[house].shares > 0 {
            self.books.houses[house].reward(amount - commission);
        }
    }

    fn slash(&mut self, house: usize) {
        let points = if self.dice.below(6) == 0 { 500 } else { 1 + self.dice.below(100) };
        let points = u16::try_from(points).unwrap();
        let reach = if self.dice.below(3) == 0 { 2 } else { UNBONDING };
        let fault = self.books.now - self.dice.below(reach);
        cut(&mut self.world, operator(house), points, fault);
        self.books.slash(house, points, fault);
        self.slashes += 1;
    }

    /// The sweep pays when it comes by; who was paid is read off.
    fn end_block(&mut self) {
        run(&mut self.world, |state| sweep(state).and_then(|()| turn(state)));
        self.world.state.block.number += 1;
        let before: Vec<_> = self.books.wallets.clone();
        for house in 0..VALIDATORS {
            for who in 0..PEOPLE + VALIDATORS {
                let owed = self.books.houses[house].held[who].owed;
                let earned = held(&mut self.world, account(who), operator(house)).earned;
                if earned != U256::from(owed) {
                    assert!(owed >= DUST && earned.is_zero());
                    self.books.touch(who, house);
                }
            }
        }
        let paid = before.iter().zip(&self.books.wallets).filter(|(before, now)| before < now);
        assert!(paid.count() <= SWEEP_LOOKS as usize);
    }

    fn check(&mut self) {
        for (who, wallet) in self.books.wallets.clone().into_iter().enumerate() {
            assert_eq!(self.world.held(account(who)), wallet, "{who}");
        }
        let waiting = self.waiting();
        assert_eq!(self.world.held(INCENTIVE_POOL) + waiting, self.books.incentive);
        let mut owed = 0;
        for number in 0..VALIDATORS {
            let record = storage::VALIDATORS.get(&mut self.world, operator(number)).unwrap();
            let rewards = storage::REWARDS.get(&mut self.world, operator(number)).unwrap();
            let house = &self.books.houses[number];
            // I3
            let bond = Bond { stake: house.stake, shares: house.shares };
            assert_eq!(record.bond, bond, "validator {number}");
            assert_eq!(house.held.iter().map(|held| held.shares).sum::<u128>(), house.shares);
            assert!(house.shares > 0 || house.stake == 0);
            // I2
            assert_eq!((rewards.unpaid, rewards.pool.rem), (house.unpaid, house.rem));
            let due = |held: &Held| (U256::from(held.owed) << 128) + held.frac;
            let all: U256 = house.held.iter().map(due).sum::<U256>() + house.rem;
            assert_eq!(U256::from(house.unpaid) << 128, all);
            let out = house.out.iter().flatten().flatten().map(|out| out.amount).sum::<u128>();
            owed += house.stake + house.unpaid + out;
        }
        // I1
        assert_eq!(self.world.held(STAKING), owed + waiting);
    }

    /// What the books took from unbonding coin and the chain will when it is touched.
    fn waiting(&mut self) -> u128 {
        let mut sum = 0;
        for number in 0..VALIDATORS {
            for who in 0..PEOPLE {
                let out = &self.books.houses[number].out[who];
                let booked: u128 = out.iter().flatten().map(|out| out.amount).sum();
                let world = &mut self.world.state;
                let stored: u128 = (0..MAX_ENTRIES)
                    .map(|place| (operator(number), person(who), place))
                    .map(|key| storage::UNBONDINGS.get(world, key).unwrap().amount)
                    .sum();
                sum += stored - booked;
            }
        }
        sum
    }
}

fn account(who: usize) -> Address {
    if who < PEOPLE { person(who) } else { operator(who - PEOPLE) }
}

#[test]
fn i1_i2_i3_i5_hold_over_random_sequences() {
    let mut slashes = 0;
    for chapter in 0..OPERATIONS / CHAPTER {
        let mut play = Play::new(chapter);
        for operation in 0..CHAPTER {
            play.step();
            if operation % 16 == 0 {
                play.check();
            }
        }
        play.check();
        check_books(&play.world.state);
        slashes += play.slashes;
    }
    assert!(slashes * 12 > OPERATIONS, "{slashes} slashes");
    println!("{OPERATIONS} operations, {slashes} slashes, every unit where the books say");
}
