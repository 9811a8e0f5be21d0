//! Random sequences against a model that settles everyone after every deposit, with the accumulator
//! that MECHANISMS describes, member by member.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: u8 = 6;

fn person(number: u8) -> Address {
    Address::repeat_byte(number + 1)
}

/// A holder of units: a member, or whoever owns the asset.
#[derive(Clone, Debug)]
struct Holder {
    account: Option<Address>,
    units: u128,
    snap: U256,
    frac: U256,
}

#[derive(Clone, Debug, Default)]
struct NaivePool {
    owner: Address,
    parents: Vec<u64>,
    royalty: u16,
    holders: Vec<Holder>,
    acc: U256,
    rem: U256,
}

impl NaivePool {
    fn units(&self) -> U256 {
        self.holders.iter().map(|holder| U256::from(holder.units)).sum()
    }

    /// Deposits, and settles everyone at once.
    fn deposit(&mut self, amount: u128) -> Vec<(Address, u128)> {
        let units = self.units();
        if units.is_zero() {
            return vec![(self.owner, amount)];
        }
        let scaled = (U256::from(amount) << 128) + self.rem;
        self.acc += scaled / units;
        self.rem = scaled % units;
        let (owner, acc) = (self.owner, self.acc);
        let settle = |holder: &mut Holder| {
            let owed = U256::from(holder.units) * (acc - holder.snap) + holder.frac;
            holder.snap = acc;
            holder.frac = owed & ((U256::ONE << 128) - U256::ONE);
            (holder.account.unwrap_or(owner), (owed >> 128_usize).to::<u128>())
        };
        self.holders.iter_mut().map(settle).collect()
    }
}

/// All pools, and what everyone has, earned included.
#[derive(Clone, Debug, Default)]
struct Model {
    pools: BTreeMap<u64, NaivePool>,
    wealth: BTreeMap<Address, u128>,
}

impl Model {
    fn reach(&self, parents: &[u64]) -> BTreeSet<u64> {
        let below = parents.iter().flat_map(|id| self.reach(&self.pools[id].parents));
        below.chain(parents.iter().copied()).collect()
    }

    fn pay(&mut self, asset: u64, amount: u128) {
        let mut own = amount;
        for id in self.reach(&self.pools[&asset].parents.clone()) {
            let part = amount * u128::from(self.pools[&id].royalty) / 10_000;
            own -= part;
            self.deposit(id, part);
        }
        self.deposit(asset, own);
    }

    fn deposit(&mut self, id: u64, amount: u128) {
        for (account, paid) in self.pools.get_mut(&id).unwrap().deposit(amount) {
            *self.wealth.entry(account).or_default() += paid;
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Register {
        parents: Vec<u64>,
        royalty: u16,
        members: Vec<(u8, u128)>,
        owner: u8,
        owner_units: u128,
    },
    Pay {
        asset: u64,
        units: u128,
    },
    Settle {
        person: u8,
        asset: u64,
    },
    Transfer {
        asset: u64,
        to: u8,
    },
    Send {
        person: u8,
    },
    EndBlock,
}

fn units() -> impl Strategy<Value = u128> {
    prop_oneof![1u128..5, 1u128..1 << 90]
}

fn step() -> impl Strategy<Value = Step> {
    let members = proptest::collection::vec((0..PEOPLE, units()), 0..5);
    let parents = proptest::collection::vec(1u64..12, 0..4);
    let payment = prop_oneof![1u128..20, 1u128..1 << 60, 1u128..1 << 90];
    let owner_units = prop_oneof![Just(0), units()];
    prop_oneof![
        2 => (parents, 0u16..900, members, 0..PEOPLE, owner_units).prop_map(
            |(parents, royalty, members, owner, owner_units)|
                Step::Register { parents, royalty, members, owner, owner_units }),
        4 => (1u64..12, payment).prop_map(|(asset, units)| Step::Pay { asset, units }),
        2 => (0..PEOPLE, 1u64..12).prop_map(|(person, asset)| Step::Settle { person, asset }),
        2 => (1u64..12, 0..PEOPLE).prop_map(|(asset, to)| Step::Transfer { asset, to }),
        1 => (0..PEOPLE).prop_map(|person| Step::Send { person }),
        1 => Just(Step::EndBlock),
    ]
}

fn register(state: &mut MemoryState, model: &mut Model, step: Step) {
    let Step::Register { mut parents, royalty, members, owner, owner_units } = step else { return };
    let known = assets::count(state).unwrap();
    parents.sort_unstable();
    parents.dedup();
    parents.retain(|id| *id <= known);
    let members: BTreeMap<u8, u128> = members.into_iter().collect();
    let shares: Vec<_> = members.iter().map(|(n, units)| (person(*n), *units)).collect();
    let asset = plan(&parents, royalty, &shares, owner_units);
    let registered = state.atomically(|state| assets::register(state, person(owner), &asset));
    let total: u64 =
        model.reach(&parents).iter().map(|id| u64::from(model.pools[id].royalty)).sum();
    assert_eq!(registered.is_ok(), total <= 5_000);
    let Ok(id) = registered else { return };
    let holder = |account, units| Holder { account, units, snap: U256::ZERO, frac: U256::ZERO };
    let mut holders: Vec<_> = shares.iter().map(|(a, units)| holder(Some(*a), *units)).collect();
    if !holders.is_empty() && owner_units > 0 {
        holders.push(holder(None, owner_units));
    }
    let pool =
        NaivePool { owner: person(owner), parents, royalty, holders, ..NaivePool::default() };
    model.pools.insert(id.0, pool);
}

fn run(state: &mut MemoryState, model: &mut Model, step: Step) {
    match step {
        Step::Register { .. } => register(state, model, step),
        Step::Pay { asset, units } => {
            let result = pay(state, AssetId(asset), units);
            assert_eq!(result.is_ok(), model.pools.contains_key(&asset));
            if result.is_ok() {
                model.pay(asset, units);
            }
        }
        Step::Settle { person: number, asset } => {
            let said = earned_in(state, person(number), AssetId(asset)).unwrap_or_default();
            let before = balance(state, person(number));
            let paid = settle(state, person(number), &[AssetId(asset)]).unwrap();
            assert_eq!(paid, said, "I5");
            assert_eq!(amount(balance(state, person(number)) - before), paid);
        }
        Step::Transfer { asset, to } => {
            let Some(pool) = model.pools.get_mut(&asset) else { return };
            let path = (pool.owner, person(to));
            assets::transfer_from(state, pool.owner, path, U256::from(asset)).unwrap();
            pool.owner = person(to);
        }
        Step::Send { person: number } => before_transaction(state, person(number)).unwrap(),
        Step::EndBlock => end_block(state, person(0), &[]).unwrap(),
    }
}

/// What the changed words say is what the royalties' coin did.
fn check_change(before: &MemoryState, after: &mut MemoryState) {
    let slots: BTreeSet<U256> =
        before.slots_of(ROYALTIES).chain(after.slots_of(ROYALTIES)).map(|(slot, _)| slot).collect();
    let word = |state: &MemoryState, slot| {
        state.words.get(&(ROYALTIES, slot)).copied().unwrap_or_default()
    };
    let changes: Vec<_> =
        slots.into_iter().map(|slot| (slot, word(before, slot), word(after, slot))).collect();
    let (increase, decrease) = liabilities_change(ROYALTIES, changes).unwrap();
    let coin = |state: &mut MemoryState| state.balance(ROYALTIES).unwrap().base_units();
    assert_eq!(coin(&mut before.clone()) + increase, coin(after) + decrease);
}

/// Every account's list of pools names exactly the pools in which it holds units.
fn check_listings(state: &mut MemoryState, model: &Model, account: Address) {
    let holds = |pool: &NaivePool| {
        pool.holders.iter().any(|holder| holder.account.unwrap_or(pool.owner) == account)
    };
    let expected: Vec<u64> =
        model.pools.iter().filter(|(_, pool)| holds(pool)).map(|(id, _)| *id).collect();
    let (mut listed, total) = views::pools_of(state, account, U256::ZERO, U256::MAX).unwrap();
    listed.sort_unstable();
    assert_eq!(listed, expected);
    assert_eq!(usize::try_from(total).unwrap(), expected.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn i1_i2_i4_i5_pools_pay_what_the_naive_model_pays(steps in proptest::collection::vec(step(), 1..70)) {
        let (state, mut model) = (&mut rich(), Model::default());
        for step in steps {
            let before = state.clone();
            run(state, &mut model, step);
            check(state);
            check_change(&before, state);
            prop_assert_eq!(Amount::sum(state.balances.values().copied()), Ok(amount(1 << 100)));
            for account in (0..PEOPLE).map(person) {
                let wealth = balance(state, account) + earned_by(state, account);
                prop_assert_eq!(wealth, model.wealth.get(&account).copied().unwrap_or_default());
                check_listings(state, &model, account);
            }
        }
    }

    #[test]
    fn i1_the_accumulator_is_the_one_that_is_updated_step_by_step(
        deposits in proptest::collection::vec(0u128..1 << 100, 1..40), units in 1u128..1 << 96,
        part in 0u16..=10_000,
    ) {
        let part = (U256::from(units) * U256::from(part) / U256::from(10_000)).to::<u128>();
        let (mut acc, mut rem, mut total) = (U256::ZERO, U256::ZERO, 0);
        let (mut paid, mut snap, mut frac) = (0, U256::ZERO, U256::ZERO);
        for deposit in deposits {
            let scaled = (U256::from(deposit) << 128) + rem;
            acc += scaled / U256::from(units);
            rem = scaled % U256::from(units);
            total += deposit;
            let now = Accumulator::after(total, units);
            prop_assert_eq!(now, Accumulator { acc, rem });
            let owed = U256::from(part) * (acc - snap) + frac;
            let pay = (owed >> 128_usize).to::<u128>();
            prop_assert_eq!(now.owed(part, paid), Some(pay));
            (snap, frac, paid) = (acc, owed & ((U256::ONE << 128) - U256::ONE), paid + pay);
            prop_assert_eq!(now.owed_scaled(part, paid), Some(frac));
        }
    }
}
