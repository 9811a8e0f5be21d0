//! The reserve for the sweep at a block's end holds the most expensive sweep there can be.

use crate::world::World;
use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolEvent;
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_evm::{CREDIT_GAS, SWEEP_GAS};
use sahara_protocols::royalties::SWEEP;

/// One SAHARA.
const OWED: u128 = 1_000_000_000_000_000_000;

/// A slot as `protocols/storage.rs` lays it out.
fn slot(map: u8, key: &[&[u8]], word: u8) -> U256 {
    let hash = keccak256([[map].as_slice(), &key.concat()].concat());
    let mut slot = [0; 32];
    slot[0] = map;
    slot[1..31].copy_from_slice(&hash[..30]);
    slot[31] = word;
    U256::from_be_bytes(slot)
}

/// Fields from the highest bit down: width and value.
fn pack(fields: &[(usize, u128)]) -> U256 {
    let mut used = 0;
    let mut word = U256::ZERO;
    for (bits, value) in fields {
        used += bits;
        word |= U256::from(*value) << (256 - used);
    }
    word
}

/// As many waiting pools, each with one member whose account does not exist yet: every credit pays
/// for a pool's turn and for a new account.
fn fill(world: &mut World, pools: u32) {
    let words = world.state.storage.entry(ROYALTIES).or_default();
    for index in 0..pools {
        let asset = u64::from(index) + 1;
        let key = asset.to_be_bytes();
        let member = Address::from_word(keccak256(key));
        words.insert(slot(0, &[&key], 0), pack(&[(112, OWED), (112, 0), (30, 0), (1, 1)]));
        words.insert(slot(0, &[&key], 1), pack(&[(96, 1), (32, 1), (48, asset.into()), (1, 1)]));
        let holding = pack(&[(96, 1), (112, 0), (48, asset.into())]);
        words.insert(slot(1, &[&key, member.as_slice()], 0), holding);
        let position = 0_u32.to_be_bytes();
        let account = U256::from_be_slice(member.as_slice());
        words.insert(slot(2, &[&key, &position], 0), account);
        let ring = words.entry(slot(7, &[&(index >> 2).to_be_bytes()], 0)).or_default();
        *ring |= U256::from(asset) << (192 - 64 * (index & 3));
    }
    words.insert(slot(6, &[], 0), pack(&[(32, 0), (32, pools.into())]));
    let account = world.state.accounts.get_mut(&ROYALTIES).unwrap();
    account.balance += U256::from(OWED) * U256::from(pools);
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
