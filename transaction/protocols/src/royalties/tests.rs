use super::{pool::Accumulator, *};
use crate::{
    assets::{self, Edge, Registration},
    liabilities::{liabilities_change, liabilities_total},
    memory::{Count, MemoryState},
    state::{Failure, Read},
    system::end_block,
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    IAssets::{Derivatives, Kind, NotSealed, Relation, UnknownAsset},
    IRoyalties, ROYALTIES,
};
use sahara_primitives::{AssetId, BasisPoints, Prices};

mod behaviour;
mod depth;
mod model;

const PAYER: Address = Address::repeat_byte(0xee);
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);

fn amount(units: u128) -> Amount {
    Amount::from_u128(units)
}

fn rich() -> MemoryState {
    let mut state = MemoryState::default();
    state.fund(PAYER, amount(1 << 100));
    state
}

fn shares(members: &[(Address, u128)]) -> Vec<Share> {
    members.iter().map(|(account, units)| Share { account: *account, units: *units }).collect()
}

fn plan(
    parents: &[u64],
    royalty: u16,
    members: &[(Address, u128)],
    owner_units: u128,
) -> Registration {
    let edge = |id: &u64| Edge { parent: AssetId(*id), relation: Relation::DerivedFrom };
    Registration {
        kind: Kind::Dataset,
        content_hash: B256::ZERO,
        metadata: String::new(),
        prices: Prices::default(),
        derivative_royalty: BasisPoints::new(royalty).unwrap(),
        derivatives: Derivatives::Open,
        edges: parents.iter().map(edge).collect(),
        members: shares(members),
        owner_units,
        is_open: false,
    }
}

/// Pays from a wallet as channels do from their account.
fn pay(state: &mut MemoryState, asset: AssetId, units: u128) -> Result<(), Failure> {
    state.atomically(|state| pay_from(state, PAYER, PAYER, asset, amount(units)))
}

fn balance(state: &mut MemoryState, account: Address) -> u128 {
    state.balance(account).unwrap().to_u128().unwrap()
}

fn earned_by(state: &mut MemoryState, account: Address) -> u128 {
    earned(state, account).unwrap().to_u128().unwrap()
}

fn counted(state: &mut MemoryState, work: impl FnOnce(&mut MemoryState)) -> Count {
    state.count = Count::default();
    work(state);
    state.count
}

/// The recount checks I1 over members and gives I4.
fn check(state: &mut MemoryState) {
    let slots: Vec<_> = state.slots_of(ROYALTIES).collect();
    let owed = liabilities_total(ROYALTIES, slots).unwrap();
    assert_eq!(state.balance(ROYALTIES).unwrap().base_units(), owed);
}
