//! Random trees, payments and activations against a model that knows all contributors from the start.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
    Pay { asset: usize, units: u128 },
    Activate { asset: usize, index: u32, twist: u8 },
    Settle { person: u8 },
    Sell { asset: usize, to: u8 },
    EndBlock,
}

fn person(number: u8) -> Address {
    Address::repeat_byte(number + 1)
}

fn step() -> impl Strategy<Value = Step> {
    let payment = prop_oneof![1u128..20, 1u128..1 << 60, 1u128..1 << 80];
    prop_oneof![
        3 => (0usize..3, payment).prop_map(|(asset, units)| Step::Pay { asset, units }),
        5 => (0usize..3, 0u32..9, 0u8..12)
            .prop_map(|(asset, index, twist)| Step::Activate { asset, index, twist }),
        1 => (0u8..5).prop_map(|person| Step::Settle { person }),
        1 => (0usize..3, 0u8..5).prop_map(|(asset, to)| Step::Sell { asset, to }),
        1 => Just(Step::EndBlock),
    ]
}

/// A pool as anyone with the whole list would compute it.
struct Pool {
    id: AssetId,
    tree: SumTree,
    leaves: Vec<Contribution>,
    members: BTreeMap<Address, u128>,
    active: Vec<bool>,
    owner: Address,
    owner_units: u128,
    /// What the owner's units were due when the present owner came, in whole units.
    deposited: u128,
    earned_by_owners: BTreeMap<Address, u128>,
    seat_due: u128,
}

impl Pool {
    fn units(&self) -> u128 {
        let leaves: u128 = self.leaves.iter().map(|leaf| leaf.units).sum();
        leaves + self.members.values().sum::<u128>() + self.owner_units
    }

    fn due(&self, units: u128) -> u128 {
        let acc: U256 = U256::from(self.deposited).wrapping_shl(128) / U256::from(self.units());
        (U256::from(units) * acc).wrapping_shr(128).to::<u128>()
    }

    /// What an account has had from this pool, credited or not.
    fn wealth(&self, account: Address) -> u128 {
        let leaves = self.leaves.iter().zip(&self.active);
        let active = leaves.filter(|(leaf, is_active)| **is_active && leaf.contributor == account);
        let units: u128 = active.map(|(leaf, _)| leaf.units).sum();
        let named = self.members.get(&account).copied().unwrap_or_default();
        let mut wealth = self.due(units + named);
        wealth += self.earned_by_owners.get(&account).copied().unwrap_or_default();
        if self.owner == account {
            wealth += self.due(self.owner_units) - self.seat_due;
        }
        wealth
    }
}

type Plan = (Vec<(u8, u128)>, Vec<(u8, u128)>, u128);

fn plan() -> impl Strategy<Value = Plan> {
    let units = || prop_oneof![1u128..5, 1u128..1 << 88];
    let leaves = proptest::collection::vec((0u8..5, units()), 1..9);
    let members = proptest::collection::vec((0u8..5, units()), 0..3);
    (leaves, members, prop_oneof![Just(0), units()])
}

fn found(state: &mut MemoryState, (leaves, members, owner_units): Plan) -> Pool {
    let members: BTreeMap<_, _> =
        members.into_iter().map(|(n, units)| (person(n), units)).collect();
    let leaves: Vec<_> = leaves.into_iter().map(|(n, units)| (person(n), units)).collect();
    let (tree, leaves) = tree(&leaves);
    let named: Vec<_> = members.iter().map(|(account, units)| (*account, *units)).collect();
    let id = committed(state, &tree.root(), &named, owner_units);
    let active = vec![false; leaves.len()];
    Pool {
        id,
        tree,
        leaves,
        members,
        active,
        owner: ALICE,
        owner_units,
        deposited: 0,
        earned_by_owners: BTreeMap::new(),
        seat_due: 0,
    }
}

/// An activation, or one of many wrong ones; a wrong one changes nothing.
fn try_activation(state: &mut MemoryState, pool: &mut Pool, index: u32, twist: u8) {
    let place = usize::try_from(index).unwrap();
    let known = pool.leaves.get(place).copied();
    let mut leaf = known.unwrap_or(Contribution { contributor: BOB, units: 1 });
    let mut proof = pool.tree.prove(index).unwrap_or(SumProof { index, siblings: vec![] });
    match twist {
        1 => leaf.units += 1,
        2 => leaf.units -= 1,
        3 => leaf.contributor = Address::repeat_byte(0x77),
        4 => proof.index ^= 1,
        5 => drop(proof.siblings.pop()),
        6 => proof.siblings.extend(proof.siblings.first().copied()),
        7 => proof.siblings.iter_mut().for_each(|sibling| sibling.sum += 1),
        8 => leaf.units += 1 << 96,
        _ => {}
    }
    let is_right = known == Some(leaf) && pool.tree.prove(index) == Some(proof.clone());
    let other = usize::try_from(proof.index).unwrap();
    let was_active = pool.active.get(other).copied().unwrap_or_default();
    let before = state.clone();
    let outcome = state.atomically(|state| activate(state, pool.id, &[(leaf, proof)]));
    match outcome {
        Ok(1) => {
            assert!(is_right && !was_active);
            pool.active[place] = true;
        }
        Ok(_) => assert!(was_active, "only what is active is passed over"),
        Err(_) => assert!(!is_right && !was_active),
    }
    if outcome != Ok(1) {
        assert_eq!((&before.words, &before.balances), (&state.words, &state.balances));
    }
}

fn run(state: &mut MemoryState, pools: &mut [Pool], step: &Step) {
    match *step {
        Step::Pay { asset, units } => {
            pay(state, pools[asset].id, units);
            pools[asset].deposited += units;
        }
        Step::Activate { asset, index, twist } => {
            try_activation(state, &mut pools[asset], index, twist);
        }
        Step::Settle { person: number } => {
            let ids: Vec<_> = pools.iter().map(|pool| pool.id).collect();
            royalties::settle(state, person(number), &ids).unwrap();
        }
        Step::Sell { asset, to } => {
            let pool = &mut pools[asset];
            assets::transfer_from(state, pool.owner, (pool.owner, person(to)), pool.id.into())
                .unwrap();
            let due = pool.due(pool.owner_units);
            *pool.earned_by_owners.entry(pool.owner).or_default() += due - pool.seat_due;
            (pool.seat_due, pool.owner) = (due, person(to));
        }
        Step::EndBlock => crate::system::end_block(state, ALICE, &[]).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn i1_i6_i7_contributors_get_what_the_whole_list_says(
        plans in proptest::collection::vec(plan(), 3), steps in proptest::collection::vec(step(), 1..60),
    ) {
        let state = &mut rich();
        state.fund(PAYER, Amount::from_u128(1 << 110));
        let mut pools: Vec<_> = plans.into_iter().map(|plan| found(state, plan)).collect();
        for step in &steps {
            run(state, &mut pools, step);
            check(state);
            for account in (0..5).map(person).chain([ALICE]) {
                let has = balance(state, account)
                    + royalties::earned(state, account).unwrap().to_u128().unwrap();
                let wealth: u128 = pools.iter().map(|pool| pool.wealth(account)).sum();
                prop_assert_eq!(has, wealth, "{}", account);
                let held = pools.iter().map(|pool| {
                    let leaves = pool.leaves.iter().zip(&pool.active);
                    let active = leaves.filter(|(leaf, is)| **is && leaf.contributor == account);
                    active.count() + usize::from(pool.members.contains_key(&account))
                });
                let held: usize = held.sum();
                prop_assert_eq!(usize::try_from(balance_of(state, account).unwrap()).unwrap(), held);
            }
        }
        // However late: everyone activated has exactly what all units say, and the pool keeps only the rest.
        for pool in &mut pools {
            for index in 0..pool.tree.root().count {
                try_activation(state, pool, index, 0);
            }
            prop_assert!(pool.active.iter().all(|is| *is));
        }
        check(state);
    }
}
