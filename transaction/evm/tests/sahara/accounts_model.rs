//! Assets' own accounts against a model: who acts for which account, through which others, and what counts.

use crate::{
    accounts::{IAccount, asset, execute, make, read, send},
    world::{Draft, STRANGER, World, account},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use proptest::prelude::*;
use sahara_abi::{ASSETS, IAssets, IMarket, MARKET};

/// Assets 1 to 3, by position.
const COUNT: usize = 3;

/// What each account has in the beginning.
const COIN: u64 = 100;

/// Who owns an asset: one of two people, or an asset's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Person(u8),
    Account(usize),
}

/// What is tried with an asset.
#[derive(Clone, Copy, Debug)]
enum Deed {
    /// Its account pays so much to a stranger.
    Spend(u64),
    /// Its owner gives it away.
    Give(Owner),
    /// Its account runs other code as its own.
    Delegate,
}

/// `by` does it as if the owners above the asset ended with itself.
#[derive(Clone, Copy, Debug)]
struct Step {
    by: u8,
    asset: usize,
    deed: Deed,
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![(1..3_u8).prop_map(Owner::Person), (0..COUNT).prop_map(Owner::Account)]
}

fn step() -> impl Strategy<Value = Step> {
    let deed = prop_oneof![
        4 => (0..40_u64).prop_map(Deed::Spend),
        5 => owner().prop_map(Deed::Give),
        1 => Just(Deed::Delegate),
    ];
    (1..3_u8, 0..COUNT, deed).prop_map(|(by, asset, deed)| Step { by, asset, deed })
}

/// The chain and the model, which must agree after every step.
struct Play {
    world: World,
    accounts: [Address; COUNT],
    owners: [Owner; COUNT],
    actions: [u64; COUNT],
    transfers: [u64; COUNT],
    coin: [u64; COUNT],
}

impl Play {
    fn new() -> Self {
        let mut world = World::new();
        let people = [1, 2, 1];
        let accounts = people.map(|person| {
            let (id, place) = asset(&mut world, person);
            assert!(make(&mut world, id).0);
            let gift = Draft::transfer(2, world.nonce(2), place, U256::from(COIN));
            world.block(&[Draft { gas: 60_000, ..gift }]);
            place
        });
        let owners = people.map(Owner::Person);
        let (actions, transfers) = ([0; COUNT], [0; COUNT]);
        Self { world, accounts, owners, actions, transfers, coin: [COIN; COUNT] }
    }

    fn address(&self, owner: Owner) -> Address {
        match owner {
            Owner::Person(key) => account(key),
            Owner::Account(asset) => self.accounts[asset],
        }
    }

    /// The accounts above an owner, nearest first, and who stands at their end.
    fn above(&self, mut owner: Owner) -> (Vec<usize>, u8) {
        let mut accounts = vec![];
        loop {
            match owner {
                Owner::Person(key) => return (accounts, key),
                Owner::Account(asset) => {
                    accounts.push(asset);
                    owner = self.owners[asset];
                }
            }
        }
    }

    fn step(&mut self, step: Step) {
        let Step { by, asset, deed } = step;
        let (above, person) = self.above(self.owners[asset]);
        let is_possible = match deed {
            Deed::Spend(value) => value <= self.coin[asset],
            Deed::Give(to) => !self.above(to).0.contains(&asset),
            Deed::Delegate => false,
        };
        let (to, data) = self.call(asset, deed);
        let (to, data) = above.iter().fold((to, data), |(to, data), holder| {
            (self.accounts[*holder], execute(to, U256::ZERO, data))
        });
        let (got, _) = send(&mut self.world, by, to, data);
        assert_eq!(got, by == person && is_possible, "{step:?}");
        if got {
            above.into_iter().for_each(|holder| self.actions[holder] += 1);
            match deed {
                Deed::Spend(value) => {
                    self.actions[asset] += 1;
                    self.coin[asset] -= value;
                }
                Deed::Give(to) => {
                    self.transfers[asset] += 1;
                    self.owners[asset] = to;
                }
                Deed::Delegate => {}
            }
        }
        self.compare();
    }

    /// What the asset's owner has to call.
    fn call(&self, asset: usize, deed: Deed) -> (Address, Vec<u8>) {
        let place = self.accounts[asset];
        match deed {
            Deed::Spend(value) => (place, execute(STRANGER, U256::from(value), vec![])),
            Deed::Give(to) => {
                let (from, to) = (self.address(self.owners[asset]), self.address(to));
                let token_id = U256::from(asset + 1);
                (ASSETS, IAssets::transferFromCall { from, to, tokenId: token_id }.abi_encode())
            }
            Deed::Delegate => {
                let (to, value, data) = (STRANGER, U256::ZERO, Bytes::new());
                (place, IAccount::executeCall { to, value, data, operation: 1 }.abi_encode())
            }
        }
    }

    fn compare(&self) {
        for asset in 0..COUNT {
            let (place, owner) = (self.accounts[asset], self.address(self.owners[asset]));
            let (collection, token_id) = (ASSETS, U256::from(asset + 1));
            let held = read(&self.world, ASSETS, &IAssets::ownerOfCall { tokenId: token_id });
            assert_eq!(held, owner);
            assert_eq!(read(&self.world, place, &IAccount::ownerCall {}), owner);
            let actions = U256::from(self.actions[asset]);
            assert_eq!(read(&self.world, place, &IAccount::stateCall {}), actions);
            let call = IMarket::stateOfCall { collection, tokenId: token_id };
            let state = B256::from(actions | U256::from(self.transfers[asset]) << 128);
            assert_eq!(read(&self.world, MARKET, &call), state);
            assert_eq!(self.world.state.balance(place), U256::from(self.coin[asset]));
        }
        let spent: u64 = self.coin.iter().map(|left| COIN - left).sum();
        assert_eq!(self.world.state.balance(STRANGER), U256::from(spent));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accounts_act_for_whoever_stands_above_them(steps in proptest::collection::vec(step(), 1..24)) {
        let mut play = Play::new();
        steps.into_iter().for_each(|step| play.step(step));
    }
}
