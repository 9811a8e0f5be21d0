//! Random payments, settlements, sales, activations and sweeps over a lineage with pools, and after
//! them every unit where the books say.

use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    IAssets::{Derivatives, Kind, Relation},
    ROYALTIES,
};
use sahara_primitives::{
    Amount, AssetId, BasisPoints, Prices,
    merkle_sum::{Contribution, SumTree},
};
use sahara_protocols::{
    MemoryState, Read as _,
    assets::{self, Edge, Registration},
    before_transaction, contributions, end_block, liabilities_total,
    royalties::{self, Share},
};
use std::collections::BTreeSet;

const PAYER: Address = Address::repeat_byte(0xee);
const PEOPLE: u64 = 20;
const ASSETS: u64 = 40;
const LEAVES: u32 = 32;

/// Deterministic, so that a failure can be looked at again.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    const fn throw(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn person(&mut self) -> Address {
        person(self.throw(PEOPLE))
    }
}

fn person(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1_0000).to_be_bytes())
}

/// The economy and what was paid into it.
#[derive(Debug)]
pub(crate) struct Economy {
    state: MemoryState,
    trees: Vec<(AssetId, SumTree, Vec<Contribution>)>,
    dice: Dice,
    paid: u128,
}

impl Economy {
    /// Forty assets; every fourth is committed to contributors, most others have members.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = MemoryState::default();
        state.fund(PAYER, Amount::from_u128(1 << 100));
        let mut economy = Self { state, trees: Vec::new(), dice: Dice(seed), paid: 0 };
        for number in 1..=ASSETS {
            economy.register(number);
        }
        economy
    }

    fn register(&mut self, number: u64) {
        let dice = &mut self.dice;
        let accounts: BTreeSet<_> = (0..dice.throw(6)).map(|_| dice.person()).collect();
        let mut units = || u128::from(dice.throw(1_000)) + 1;
        let members = accounts.into_iter().map(|account| Share { account, units: units() });
        let members = members.collect();
        let parents: BTreeSet<_> = (0..dice.throw(4)).map(|_| dice.throw(ASSETS) + 1).collect();
        let parents = parents.into_iter().filter(|parent| *parent < number);
        let edge = |id| Edge { parent: AssetId(id), relation: Relation::DerivedFrom };
        let is_committed = number.is_multiple_of(4);
        let asset = Registration {
            kind: Kind::Dataset,
            content_hash: B256::ZERO,
            metadata: String::new(),
            prices: Prices::default(),
            derivative_royalty: BasisPoints::constant(100),
            derivatives: Derivatives::Open,
            edges: parents.map(edge).collect(),
            members,
            owner_units: u128::from(dice.throw(50)),
            is_open: is_committed,
        };
        let owner = dice.person();
        let id = assets::register(&mut self.state, owner, &asset).expect("it is within the caps");
        if is_committed {
            self.commit(id, owner);
        }
    }

    fn commit(&mut self, id: AssetId, owner: Address) {
        let leaf = |dice: &mut Dice| Contribution {
            contributor: dice.person(),
            units: u128::from(dice.throw(100)) + 1,
        };
        let leaves: Vec<_> = (0..LEAVES).map(|_| leaf(&mut self.dice)).collect();
        let tree = SumTree::new(&leaves).expect("leaves have units");
        contributions::commit(&mut self.state, owner, id, &tree.root()).expect("it is open");
        assets::seal(&mut self.state, owner, id).expect("it is open");
        self.trees.push((id, tree, leaves));
    }

    /// One random event.
    pub(crate) fn step(&mut self) {
        let (state, dice) = (&mut self.state, &mut self.dice);
        let (asset, person) = (AssetId(dice.throw(ASSETS) + 1), dice.person());
        let done = match dice.throw(16) {
            0..=8 => {
                let size = dice.throw(3) * 30;
                let amount = u128::from(dice.throw((1 << size) + 1));
                self.paid += amount;
                royalties::pay_from(state, PAYER, PAYER, asset, Amount::from_u128(amount))
            }
            9 | 10 => royalties::settle(state, person, &[asset]).map(drop),
            11 | 12 => before_transaction(state, person),
            13 => {
                let owner = assets::owner_of(state, asset.into()).expect("it exists");
                assets::transfer_from(state, owner, (owner, person), asset.into())
            }
            14 => {
                let place = usize::try_from(dice.throw(10)).unwrap_or_default();
                let (id, tree, leaves) = &self.trees[place];
                let index = u32::try_from(dice.throw(LEAVES.into())).unwrap_or_default();
                let leaf = leaves[usize::try_from(index).unwrap_or_default()];
                let proof = tree.prove(index).expect("within the tree");
                contributions::activate(state, *id, &[(leaf, proof)]).map(drop)
            }
            _ => end_block(state, person, &[]),
        };
        done.expect("the event is a right one");
        self.state.logs.clear();
    }

    /// Everything paid is with somebody or in a pool, and every pool adds up over its holders.
    pub(crate) fn check(&mut self) {
        let slots: Vec<_> = self.state.slots_of(ROYALTIES).collect();
        let owed = liabilities_total(ROYALTIES, slots).expect("every pool adds up");
        let mut balance = |account| self.state.balance(account).expect("it is in memory");
        assert_eq!(balance(ROYALTIES).base_units(), owed);
        let held = (0..PEOPLE).map(|number| balance(person(number)).base_units());
        let held: U256 = held.fold(U256::ZERO, |sum, part| sum + part);
        assert_eq!(held + owed, U256::from(self.paid));
        assert_eq!(balance(PAYER), Amount::from_u128((1 << 100) - self.paid));
    }

    /// Base units paid so far.
    pub(crate) const fn paid(&self) -> u128 {
        self.paid
    }
}
