//! Random sequences against books that are kept by hand: everyone is settled at every reward, what
//! is unbonding is slashed at every slash, one by one.

use super::{shares::Bond, *};

const VALIDATORS: usize = 5;
const PEOPLE: usize = 6;
/// Operations after which a new world begins, so that stakes do not dwindle to nothing.
const CHAPTER: u64 = 2_500;

#[derive(Clone, Debug, Default)]
struct Held {
    shares: u128,
    owed: u128,
    frac: U256,
}

#[derive(Clone, Debug)]
struct Out {
    amount: u128,
    created: u64,
}

#[derive(Clone, Debug)]
struct Moved {
    source: usize,
    created: u64,
    seen: usize,
    shares: u128,
}

#[derive(Clone, Debug, Default)]
struct House {
    stake: u128,
    shares: u128,
    unpaid: u128,
    rem: U256,
    slashes: Vec<(u64, u16)>,
    /// Holders: people, then the operator.
    held: Vec<Held>,
    out: Vec<[Option<Out>; 7]>,
    moved: Vec<[Option<Moved>; 7]>,
}

/// `ceil(a * b / c)` and `floor`, by division and rest.
fn up(a: u128, b: u128, c: u128) -> u128 {
    let (product, c) = (U256::from(a) * U256::from(b), U256::from(c));
    (product / c + U256::from(u8::from(!(product % c).is_zero()))).to()
}

fn down(a: u128, b: u128, c: u128) -> u128 {
    (U256::from(a) * U256::from(b) / U256::from(c)).to()
}

impl House {
    fn value(&self, shares: u128) -> u128 {
        if self.shares == 0 { 0 } else { down(shares, self.stake, self.shares) }
    }

    fn join(&mut self, who: usize, amount: u128) -> Option<u128> {
        let bought = match (self.stake, self.shares) {
            (_, 0) => amount,
            (0, _) => return None,
            (stake, shares) => down(amount, shares, stake),
        };
        self.stake += amount;
        self.shares += bought;
        self.held[who].shares += bought;
        (bought > 0 && self.stake < 1 << 96 && self.shares < 1 << 112).then_some(bought)
    }

    /// Everything that is asked for, or more for the last one.
    fn part(&mut self, who: usize, amount: u128, locked: u128) -> Option<u128> {
        let free = self.held[who].shares - locked;
        let available = self.value(free);
        if amount == 0 || amount > available {
            return None;
        }
        let sold = if amount == available { free } else { up(amount, self.shares, self.stake) };
        Some(self.sell(who, sold, amount))
    }

    fn sell(&mut self, who: usize, sold: u128, amount: u128) -> u128 {
        let amount = if sold == self.shares { self.stake } else { amount };
        self.stake -= amount;
        self.shares -= sold;
        self.held[who].shares -= sold;
        if sold > 0 && self.held[who].shares == 0 {
            self.rem += std::mem::take(&mut self.held[who].frac);
        }
        amount
    }

    /// Divides a reward and settles everyone.
    fn reward(&mut self, amount: u128) {
        let scaled: U256 = (U256::from(amount) << 128) + self.rem;
        let (each, rest) = scaled.div_rem(U256::from(self.shares));
        self.rem = rest;
        self.unpaid += amount;
        for holder in &mut self.held {
            let owed = each * U256::from(holder.shares) + holder.frac;
            holder.owed += (owed >> 128_usize).to::<u128>();
            holder.frac = owed & U256::from(u128::MAX);
        }
    }
}

#[derive(Clone, Debug)]
struct Books {
    now: u64,
    houses: Vec<House>,
    wallets: Vec<u128>,
    incentive: u128,
}

impl Books {
    fn touch(&mut self, who: usize, house: usize) {
        let owed = std::mem::take(&mut self.houses[house].held[who].owed);
        self.houses[house].unpaid -= owed;
        self.wallets[who] += owed;
    }

    /// Applies old faults to what came to a house; whether all are applied.
    fn reach(&mut self, who: usize, house: usize) -> bool {
        let mut is_done = true;
        for place in 0..7 {
            let Some(mut moved) = self.houses[house].moved[who][place].take() else { continue };
            let slashes = &self.houses[moved.source].slashes;
            let end = slashes.len().min(moved.seen + 64);
            let mut left = moved.shares;
            for (fault, points) in &slashes[moved.seen..end] {
                if *fault <= moved.created {
                    left -= up(left, (*points).into(), 10_000);
                }
            }
            let all = end == slashes.len() || left == 0;
            moved.seen = end;
            let sold = moved.shares - left;
            if sold > 0 {
                self.touch(who, house);
                let worth = self.houses[house].value(sold);
                self.incentive += self.houses[house].sell(who, sold, worth);
            }
            moved.shares = left;
            is_done &= all;
            let is_mature = self.now >= moved.created + UNBONDING;
            if !(is_mature && all || left == 0) {
                self.houses[house].moved[who][place] = Some(moved);
            }
        }
        is_done
    }

    fn locked(&self, who: usize, house: usize) -> u128 {
        let moved = self.houses[house].moved[who].iter().flatten();
        moved.filter(|moved| self.now < moved.created + UNBONDING).map(|moved| moved.shares).sum()
    }

    fn join(&mut self, who: usize, house: usize, amount: u128) -> Option<()> {
        if amount == 0 || !self.reach(who, house) {
            return None;
        }
        self.touch(who, house);
        self.wallets[who] -= amount;
        self.houses[house].join(who, amount).map(drop)
    }

    fn part(&mut self, who: usize, house: usize, amount: u128) -> Option<u128> {
        if !self.reach(who, house) {
            return None;
        }
        self.touch(who, house);
        let locked = self.locked(who, house);
        self.houses[house].part(who, amount, locked)
    }

    fn leave(&mut self, who: usize, house: usize, amount: u128) -> Option<()> {
        let amount = self.part(who, house, amount)?;
        let place = self.houses[house].out[who].iter_mut().find(|place| place.is_none())?;
        *place = Some(Out { amount, created: self.now });
        Some(())
    }

    fn go_over(&mut self, who: usize, source: usize, to: usize, amount: u128) -> Option<()> {
        if source == to || amount == 0 || !self.reach(who, source) || !self.reach(who, to) {
            return None;
        }
        let amount = self.part(who, source, amount)?;
        self.touch(who, to);
        let shares = self.houses[to].join(who, amount)?;
        let seen = self.houses[source].slashes.len();
        let created = self.now;
        let place = self.houses[to].moved[who].iter_mut().find(|place| place.is_none())?;
        *place = Some(Moved { source, created, seen, shares });
        Some(())
    }

    fn withdraw(&mut self, who: usize, house: usize) -> Option<u128> {
        let mut found = None;
        for place in &mut self.houses[house].out[who] {
            if let Some(out) = place.take_if(|out| self.now >= out.created + UNBONDING) {
                found = Some(found.unwrap_or(0) + out.amount);
            }
        }
        self.wallets[who] += found?;
        found
    }

    fn slash(&mut self, house: usize, points: u16, fault: u64) {
        let house = &mut self.houses[house];
        let cut = down(house.stake, points.into(), 10_000);
        house.stake -= cut;
        house.slashes.push((fault, points));
        self.incentive += cut;
        for out in house.out.iter_mut().flatten().flatten() {
            if out.created >= fault {
                let cut = up(out.amount, points.into(), 10_000);
                out.amount -= cut;
                self.incentive += cut;
            }
        }
    }
}

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
            27 => {
                let call = IStaking::settleCall { delegator: account, validator };
                let paid = self.world.call(REPORTER, STAKING, 0, &call).unwrap();
                let owed = self.books.houses[house].held[who].owed;
                assert_eq!(paid, U256::from(owed));
                self.books.touch(who, house);
            }
            28 => {
                let owed = self.books.houses[house].held[who].owed;
                let expected = self.book(|books| {
                    books.touch(who, house);
                    books.join(who, house, owed)
                });
                let call = IStaking::compoundCall { validator };
                let result = self.world.call(account, STAKING, 0, &call);
                assert_eq!(result.is_ok(), expected.is_some(), "{result:?}");
            }
            29 => {
                apply(&mut self.world, account, validator);
                self.books.reach(who, house);
            }
            _ => self.end_block(),
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
}
