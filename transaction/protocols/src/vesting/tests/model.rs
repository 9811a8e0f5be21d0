//! Random sequences against a list of promises that is added up from scratch at every step.

use super::*;
use IVesting::{
    acceptBeneficiaryCall, announceCall, announceFromPoolCall, cancelCall, closeAirdropCall,
    executeCall, grantCall, offerBeneficiaryCall, releaseCall, revokeCall,
};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u64 = 6;

fn person(number: u64) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 1)
}

#[derive(Clone, Debug)]
struct Promise {
    pool: usize,
    owner: Option<Address>,
    offered: Option<Address>,
    total: u128,
    paid: u128,
    delay: u64,
    is_revocable: bool,
    is_over: bool,
}

#[derive(Clone, Debug)]
struct Planned {
    from: usize,
    promise: Option<usize>,
    by: Option<Address>,
    to: Address,
    amount: u128,
    due: u64,
    is_open: bool,
}

/// What a class has freed by a time, in the words of the token page.
fn freed(pool: usize, total: u128, time: u64) -> u128 {
    let line = |amount: u128, from: u64, to: u64| {
        let seconds = time.clamp(from, to) - from;
        amount * u128::from(seconds) / u128::from(to - from)
    };
    match pool {
        0 if time < START => 0,
        0 => {
            let first = total * 44 / 100;
            first + line(total - first, month(6), month(12))
        }
        1 | 2 => total * (1..=48).filter(|step| month(*step) <= time).count() as u128 / 48,
        _ if time < month(12) => 0,
        _ => {
            let first = total / 4;
            first + line(total - first, month(12), month(48))
        }
    }
}

struct Model {
    world: Undo,
    dice: Dice,
    list: List,
    promises: Vec<Promise>,
    moves: Vec<Planned>,
    claimed: BTreeSet<usize>,
    wallets: BTreeMap<Address, u128>,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let leaves = (0..300).map(|_| (person(dice.below(PEOPLE)), 1 + dice.amount(MILLION)));
        let list = List::new(leaves.collect());
        let world = founded(&Plan { airdrop_root: list.root(), ..plan() });
        let promise = |pool: usize| Promise {
            pool,
            owner: (pool == 1 || pool == 2).then(|| POOLS[pool]),
            offered: None,
            total: TOTALS[pool],
            paid: 0,
            delay: 0,
            is_revocable: false,
            is_over: false,
        };
        let promises = (0..5).map(promise).collect();
        let wallets = POOLS.into_iter().zip(TOTALS).collect();
        Self { world, dice, list, promises, moves: vec![], claimed: BTreeSet::new(), wallets }
    }

    fn now(&self) -> u64 {
        self.world.state.block.timestamp.0
    }

    fn free(&self, promise: &Promise) -> u128 {
        if promise.is_over {
            return promise.total;
        }
        let time = self.now().checked_sub(promise.delay);
        time.map_or(0, |time| freed(promise.pool, promise.total, time))
    }

    fn unlocked(&self, pool: usize) -> u128 {
        let in_place = |promise: &&Promise| promise.owner == Some(POOLS[pool]);
        let bound: u128 = match self.promises.iter().find(in_place) {
            Some(class) => class.total - self.free(class),
            None => {
                let here = self.promises.iter().filter(|promise| promise.pool == pool);
                here.map(|promise| promise.total - promise.paid).sum()
            }
        };
        self.wallets[&POOLS[pool]] - bound
    }

    fn pay(&mut self, from: Address, to: Address, amount: u128) {
        *self.wallets.get_mut(&from).unwrap() -= amount;
        *self.wallets.entry(to).or_default() += amount;
    }

    fn pick(&mut self) -> (u64, Option<usize>) {
        let number = self.dice.below(self.promises.len() as u64 + 2);
        let index = usize::try_from(number).unwrap().checked_sub(1);
        (number, index.filter(|index| *index < self.promises.len()))
    }

    fn step(&mut self) {
        match self.dice.below(24) {
            0..3 => {
                let wait = match self.dice.below(4) {
                    0 => 1,
                    1 => self.dice.below(NOTICE),
                    2 => NOTICE + self.dice.below(WINDOW),
                    _ => self.dice.below(400_000),
                };
                let rare = if self.dice.below(40) == 0 { 8 } else { 1 };
                let time = self.now() + wait * rare / 4;
                at(&mut self.world, time);
            }
            3..6 => self.grant(),
            6..10 => self.release(),
            10 => self.revoke(),
            11 | 12 => self.offer(),
            13 | 14 => self.accept(),
            15 | 16 => self.announce(),
            17 => self.announce_from_pool(),
            18 | 19 => self.execute(),
            20 => self.cancel(),
            21 | 22 => self.claim(),
            _ => self.close(),
        }
    }

    fn grant(&mut self) {
        let pool = usize::try_from(self.dice.below(5)).unwrap();
        let beneficiary = person(self.dice.below(PEOPLE));
        let most = if self.dice.below(20) == 0 { TOTALS[4] } else { MILLION };
        let amount = self.dice.amount(most);
        let delay = if self.dice.below(2) == 0 { 0 } else { self.dice.below(100_000_000) };
        let is_revocable = self.dice.below(2) == 0;
        let caller = if self.dice.below(10) == 0 { ALICE } else { AUTHORITY };
        let call = grantCall {
            pool: POOLS[pool],
            beneficiary,
            amount: U256::from(amount),
            delay,
            isRevocable: is_revocable,
        };
        let expected =
            caller == AUTHORITY && pool >= 3 && amount > 0 && amount <= self.promises[pool].total;
        let result = self.world.call(caller, VESTING, 0, &call);
        assert_eq!(result.is_ok(), expected, "{result:?}");
        if expected {
            self.promise(pool, beneficiary, amount, delay, is_revocable);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a promise says")]
    fn promise(
        &mut self,
        pool: usize,
        owner: Address,
        total: u128,
        delay: u64,
        is_revocable: bool,
    ) -> usize {
        self.promises[pool].total -= total;
        self.promises.push(Promise {
            pool,
            owner: Some(owner),
            offered: None,
            total,
            paid: 0,
            delay,
            is_revocable,
            is_over: false,
        });
        self.promises.len() - 1
    }

    fn release(&mut self) {
        let (schedule, index) = self.pick();
        let result = self.world.call(ALICE, VESTING, 0, &releaseCall { schedule });
        let index = index.filter(|index| {
            let Promise { owner, pool, .. } = self.promises[*index];
            owner.is_some() && pool != 3 && owner != Some(POOLS[pool])
        });
        assert_eq!(result.is_ok(), index.is_some(), "{result:?}");
        if let Some(index) = index {
            assert_eq!(result, Ok(U256::from(self.pay_due(index))));
        }
    }

    fn pay_due(&mut self, index: usize) -> u128 {
        let Promise { pool, owner, paid, .. } = self.promises[index];
        let due = self.free(&self.promises[index]) - paid;
        self.promises[index].paid += due;
        self.pay(POOLS[pool], owner.unwrap(), due);
        due
    }

    fn revoke(&mut self) {
        let (schedule, index) = self.pick();
        let result = self.world.call(AUTHORITY, VESTING, 0, &revokeCall { schedule }).map(drop);
        let index = index
            .filter(|index| self.promises[*index].is_revocable && !self.promises[*index].is_over);
        assert_eq!(result.is_ok(), index.is_some(), "{result:?}");
        if let Some(index) = index {
            let free = self.free(&self.promises[index]);
            let Promise { pool, total, .. } = self.promises[index];
            self.promises[pool].total += total - free;
            self.promises[index].total = free;
            self.promises[index].is_over = true;
        }
    }

    fn offer(&mut self) {
        let (schedule, index) = self.pick();
        let (caller, to) = (person(self.dice.below(PEOPLE)), person(self.dice.below(PEOPLE)));
        let call = offerBeneficiaryCall { schedule, to };
        let result = self.world.call(caller, VESTING, 0, &call).map(drop);
        let index = index.filter(|index| self.promises[*index].owner == Some(caller));
        assert_eq!(result.is_ok(), index.is_some(), "{result:?}");
        if let Some(index) = index {
            self.promises[index].offered = Some(to);
        }
    }

    fn accept(&mut self) {
        let (schedule, index) = self.pick();
        let caller = person(self.dice.below(PEOPLE));
        let call = acceptBeneficiaryCall { schedule };
        let result = self.world.call(caller, VESTING, 0, &call).map(drop);
        let index = index.filter(|index| self.promises[*index].offered == Some(caller));
        assert_eq!(result.is_ok(), index.is_some(), "{result:?}");
        if let Some(index) = index {
            self.promises[index].owner = Some(caller);
            self.promises[index].offered = None;
        }
    }

    fn announce(&mut self) {
        let (schedule, index) = self.pick();
        let to = person(self.dice.below(PEOPLE));
        let owner = index.and_then(|index| self.promises[index].owner);
        let caller = owner.filter(|_| self.dice.below(5) > 0).unwrap_or(ALICE);
        let amount = self.dice.amount(MILLION);
        let call = announceCall { schedule, to, amount: U256::from(amount) };
        let result = self.world.call(caller, VESTING, 0, &call);
        let index = index.filter(|index| {
            let Promise { pool, owner, total, paid, .. } = self.promises[*index];
            pool == 3 && owner == Some(caller) && (1..=total - paid).contains(&amount)
        });
        assert_eq!(result.is_ok(), index.is_some(), "{result:?}");
        if index.is_some() {
            let due = self.now() + NOTICE;
            let is_open = true;
            let by = Some(caller);
            self.moves.push(Planned { from: 3, promise: index, by, to, amount, due, is_open });
        }
    }

    fn announce_from_pool(&mut self) {
        let from = usize::try_from(self.dice.below(5)).unwrap();
        let to = match self.dice.below(4) {
            0 => POOLS[usize::try_from(self.dice.below(5)).unwrap()],
            _ => person(self.dice.below(PEOPLE)),
        };
        let most = if self.dice.below(3) == 0 { TOTALS[2] } else { 10 * MILLION };
        let amount = self.dice.amount(most);
        let call = announceFromPoolCall { pool: POOLS[from], to, amount: U256::from(amount) };
        let result = self.world.call(AUTHORITY, VESTING, 0, &call);
        assert_eq!(result.is_ok(), amount > 0 && to != POOLS[from], "{result:?}");
        if result.is_ok() {
            let due = self.now() + NOTICE;
            let (promise, by, is_open) = (None, None, true);
            self.moves.push(Planned { from, promise, by, to, amount, due, is_open });
        }
    }

    /// Whether a move waits, and is its beneficiary's word: whoever takes the schedule over has not given it.
    fn is_open(&self, planned: &Planned) -> bool {
        let owner = planned.promise.and_then(|promise| self.promises[promise].owner);
        planned.is_open && owner == planned.by
    }

    /// A recent move as often as any.
    fn pick_move(&mut self) -> Option<usize> {
        let length = self.moves.len() as u64;
        let recent = length.saturating_sub(8);
        let from = if self.dice.below(2) == 0 { recent } else { 0 };
        let index = usize::try_from(from + self.dice.below(length - from)).unwrap();
        (index < self.moves.len()).then_some(index)
    }

    fn execute(&mut self) {
        let Some(index) = self.pick_move() else { return };
        let call = executeCall { id: index as u64 + 1 };
        let result = self.world.call(ALICE, VESTING, 0, &call).map(drop);
        let is_open = self.is_open(&self.moves[index]);
        let Planned { from, promise, to, amount, due, .. } = self.moves[index].clone();
        let free = match promise {
            None => self.unlocked(from),
            Some(promise) => self.free(&self.promises[promise]) - self.promises[promise].paid,
        };
        let in_time = (due..due + WINDOW).contains(&self.now());
        // I4: only what was announced a notice period before.
        assert_eq!(result.is_ok(), is_open && in_time && amount <= free, "{result:?}");
        if result.is_ok() {
            self.moves[index].is_open = false;
            if let Some(promise) = promise {
                self.promises[promise].paid += amount;
            }
            self.pay(POOLS[from], to, amount);
        }
    }

    fn cancel(&mut self) {
        let Some(index) = self.pick_move() else { return };
        let is_open = self.is_open(&self.moves[index]);
        let promise = self.moves[index].promise;
        let owner = promise.map_or(Some(AUTHORITY), |promise| self.promises[promise].owner);
        let caller = if self.dice.below(3) == 0 { ALICE } else { owner.unwrap() };
        let call = cancelCall { id: index as u64 + 1 };
        let result = self.world.call(caller, VESTING, 0, &call).map(drop);
        assert_eq!(result.is_ok(), is_open && Some(caller) == owner, "{result:?}");
        self.moves[index].is_open &= result.is_err();
    }

    fn claim(&mut self) {
        let index = usize::try_from(self.dice.below(self.list.leaves.len() as u64)).unwrap();
        let call = self.list.claim(index);
        let result = self.world.call(ALICE, VESTING, 0, &call);
        // I5: once, before the close.
        let expected = self.now() < month(15) && !self.claimed.contains(&index);
        assert_eq!(result.is_ok(), expected, "{result:?}");
        if expected {
            self.claimed.insert(index);
            let (owner, amount) = self.list.leaves[index];
            let promise = self.promise(0, owner, amount, 0, false);
            self.pay_due(promise);
        }
    }

    fn close(&mut self) {
        let result = self.world.call(ALICE, VESTING, 0, &closeAirdropCall {}).map(drop);
        let is_over = self.now() >= month(15);
        assert_eq!(result.is_ok(), is_over, "{result:?}");
        if is_over {
            let rest = std::mem::take(&mut self.promises[0].total);
            self.pay(AIRDROP, COMMUNITY, rest);
        }
    }

    fn check(&mut self) {
        for (account, held) in &self.wallets {
            assert_eq!(self.world.held(*account), *held, "{account}");
        }
        assert_eq!(self.wallets.values().sum::<u128>(), TOTALS.iter().sum::<u128>());
        for pool in 0..5 {
            // I1: the pool still holds everything it is bound to.
            let bound = locked_in(&mut self.world, POOLS[pool]).unwrap().to_u128().unwrap();
            assert_eq!(self.wallets[&POOLS[pool]] - bound, self.unlocked(pool));
            // I3: nothing of a class is promised twice, nothing is forgotten.
            let here = self.promises.iter().filter(|promise| promise.pool == pool);
            let all: u128 = here.map(|promise| promise.total).sum();
            let is_closed = pool == 0 && self.promises[0].total == 0;
            assert!(all == TOTALS[pool] || is_closed, "class {pool}");
        }
    }
}

#[test]
fn i1_i2_i3_i4_i5_hold_over_random_sequences() {
    for seed in 0..4 {
        let mut model = Model::new(seed);
        for operation in 0..OPERATIONS / 4 {
            model.step();
            if operation % 8 == 0 {
                model.check();
            }
        }
        model.check();
        assert!(model.promises.len() > 100 && model.moves.len() > 100, "seed {seed} does little");
    }
}
