use super::*;
use crate::{
    assets::{self, Edge, Registration},
    liabilities::liabilities_total,
    memory::{Count, MemoryState},
    royalties::{self, DUST, Share, pay_from},
    state::Read,
};
use alloy_primitives::{Address, B256};
use sahara_abi::{
    CONTRIBUTIONS,
    IAssets::{self, Derivatives, Kind, Relation},
    IContributions, ROYALTIES,
};
use sahara_primitives::{
    Amount, AssetId, BasisPoints, Prices,
    merkle_sum::{Contribution, SumNode, SumProof, SumRoot, SumTree},
};

mod behaviour;
mod face;
mod model;

const PAYER: Address = Address::repeat_byte(0xee);
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);

fn rich() -> MemoryState {
    let mut state = MemoryState::default();
    state.fund(PAYER, Amount::from_u128(1 << 100));
    state
}

fn tree(leaves: &[(Address, u128)]) -> (SumTree, Vec<Contribution>) {
    let leaf = |(contributor, units): &(Address, u128)| Contribution {
        contributor: *contributor,
        units: *units,
    };
    let leaves: Vec<_> = leaves.iter().map(leaf).collect();
    (SumTree::new(&leaves).unwrap(), leaves)
}

/// An open dataset of Alice's, with members by name and units of its owner's.
fn open(state: &mut MemoryState, members: &[(Address, u128)], owner_units: u128) -> AssetId {
    let share = |(account, units): &(Address, u128)| Share { account: *account, units: *units };
    let asset = Registration {
        kind: Kind::Dataset,
        content_hash: B256::ZERO,
        metadata: "ipfs://card".into(),
        prices: Prices::default(),
        derivative_royalty: BasisPoints::constant(1_000),
        derivatives: Derivatives::Open,
        edges: vec![],
        members: members.iter().map(share).collect(),
        owner_units,
        is_open: true,
    };
    assets::register(state, ALICE, &asset).unwrap()
}

/// The same, committed to a tree and sealed.
fn committed(
    state: &mut MemoryState,
    root: &SumRoot,
    members: &[(Address, u128)],
    owner_units: u128,
) -> AssetId {
    let asset = open(state, members, owner_units);
    commit(state, ALICE, asset, root).unwrap();
    assets::seal(state, ALICE, asset).unwrap();
    asset
}

fn pay(state: &mut MemoryState, asset: AssetId, units: u128) {
    pay_from(state, PAYER, PAYER, asset, Amount::from_u128(units)).unwrap();
}

fn balance(state: &mut MemoryState, account: Address) -> u128 {
    state.balance(account).unwrap().to_u128().unwrap()
}

/// Every pool adds up, over all members and those who wait.
fn check(state: &mut MemoryState) {
    let slots: Vec<_> = state.slots_of(ROYALTIES).collect();
    let owed = liabilities_total(ROYALTIES, slots).unwrap();
    assert_eq!(state.balance(ROYALTIES).unwrap().base_units(), owed);
}

fn one(tree: &SumTree, leaves: &[Contribution], index: u32) -> [(Contribution, SumProof); 1] {
    [(leaves[usize::try_from(index).unwrap()], tree.prove(index).unwrap())]
}
