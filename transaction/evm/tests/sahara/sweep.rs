//! The reserve for the sweep at a block's end holds the most expensive sweep there can be.

use crate::world::{OTHER, STRANGER, World};
use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    IAssets::{Derivatives, Kind},
    IRoyalties, ROYALTIES,
};
use sahara_evm::{CREDIT_GAS, SWEEP_GAS};
use sahara_primitives::{Amount, BasisPoints, Prices};
use sahara_protocols::{
    MemoryState,
    assets::{self, Registration},
    royalties::{self, SWEEP, Share},
};

/// One SAHARA.
const OWED: u128 = 1_000_000_000_000_000_000;

/// As many waiting pools, each with one member whose account does not exist yet: every credit pays
/// for a pool's turn and for a new account. The rules themselves register and pay.
fn fill(world: &mut World, pools: u32) {
    let mut books = MemoryState::default();
    let owed = Amount::from_u128(OWED);
    for index in 0..pools {
        let account = Address::from_word(keccak256(index.to_be_bytes()));
        let asset = Registration {
            kind: Kind::Dataset,
            content_hash: B256::ZERO,
            metadata: String::new(),
            prices: Prices::default(),
            derivative_royalty: BasisPoints::ZERO,
            derivatives: Derivatives::None,
            edges: vec![],
            members: vec![Share { account, units: 1 }],
            owner_units: 0,
            is_open: false,
        };
        let asset = assets::register(&mut books, OTHER, &asset).unwrap();
        books.fund(STRANGER, owed);
        royalties::pay_from(&mut books, STRANGER, STRANGER, asset, owed).unwrap();
    }
    for ((protocol, slot), word) in books.words {
        world.state.storage.entry(protocol).or_default().insert(slot, word);
    }
    let account = world.state.accounts.get_mut(&ROYALTIES).unwrap();
    account.balance += books.balances[&ROYALTIES].base_units();
}

#[test]
fn the_most_expensive_sweep_fits_its_reserve() {
    let mut world = World::new();
    fill(&mut world, SWEEP + 10);
    let outcome = world.builder().finish().unwrap();
    let logs = &outcome.receipts.last().unwrap().logs;
    let credits = logs.iter().filter(|log| IRoyalties::Settled::decode_log(log).is_ok()).count();
    assert_eq!(credits, usize::try_from(SWEEP).unwrap(), "the bound is reached and kept");
    let each = outcome.gas_used / u64::from(SWEEP);
    println!("{} gas, {each} for each credit", outcome.gas_used);
    assert!(outcome.gas_used <= SWEEP_GAS && each <= CREDIT_GAS, "{each}");
    assert!(outcome.gas_used > SWEEP_GAS / 100 * 85, "the reserve is no guess: {each}");
}
