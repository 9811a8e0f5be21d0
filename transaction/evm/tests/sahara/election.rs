//! The block that decides who validates next, at its largest: 512 candidates for 256 seats.

use crate::world::{COIN, World, account};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{STAKING, VALIDATORS};
use sahara_evm::{Account, system_gas};
use sahara_finality::{ValidatorKeys, ValidatorSet};
use sahara_primitives::{Amount, Timestamp};
use sahara_protocols::{
    BlockContext, MemoryState as Rules,
    staking::{self, Founder, KeyBytes, MAX_SEATS, MAX_VALIDATORS, Parameters},
    validators::{Founding, found},
};

fn operator(number: u64) -> Address {
    let mut bytes = [0x77; 20];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Address::from(bytes)
}

fn keys(number: u64) -> ValidatorKeys {
    let mut secret = [1; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    ValidatorKeys::from_secret(&secret).unwrap()
}

/// A chain on which as many validators stand as there can be, each with a stake of its own size.
fn town(world: &mut World) {
    let block = BlockContext {
        chain_id: crate::world::CHAIN_ID,
        number: 0,
        timestamp: Timestamp(1_000),
        randomness: B256::ZERO,
    };
    let mut rules = Rules { block, ..Rules::default() };
    let seats = vec![keys(0).validator(operator(0))];
    let founding = Founding {
        epoch_length: 4,
        origin: B256::ZERO,
        validators: &ValidatorSet::new(seats).unwrap(),
        by_stake: true,
    };
    found(&mut rules, &founding).unwrap();
    let founders: Vec<_> = (1..=MAX_VALIDATORS)
        .map(|number| {
            let stake = Amount::from_coins(1_000 + number);
            rules.fund(operator(number), stake);
            let fee_address = operator(number);
            let keys = vec![KeyBytes::of(&keys(number).validator(fee_address))];
            Founder { operator: fee_address, stake, commission: 0, fee_address, keys }
        })
        .collect();
    let parameters = Parameters { seats: MAX_SEATS, epoch: 1, ..Parameters::default() };
    staking::found(&mut rules, parameters, &founders).unwrap();
    for ((address, slot), word) in rules.words {
        world.state.storage.entry(address).or_default().insert(slot, word);
    }
    // The stakes are the first account's coin.
    let staked = rules.balances[&STAKING].base_units();
    let held = |world: &World, address| world.state.accounts[&address].balance;
    let (payer, pot) = (held(world, account(1)), held(world, STAKING));
    let set = |world: &mut World, address, balance| {
        let account: &mut Account = world.state.accounts.get_mut(&address).unwrap();
        account.balance = balance;
    };
    set(world, account(1), payer - staked);
    set(world, STAKING, pot + staked);
    assert!(staked > COIN * U256::from(512_000) && world.state.storage.contains_key(&VALIDATORS));
}

#[test]
fn deciding_among_512_candidates_fits_the_gas_that_is_kept_for_it() {
    let mut world = World::new();
    town(&mut world);
    let ordinary = world.block(&[]).executions.last().map_or(0, |system| system.gas_used);
    assert!(ordinary < 1_000_000, "an ordinary block elects nobody: {ordinary}");
    // Block 2 of an epoch of 4 is the last but one.
    world.env.is_electing = true;
    let kept = system_gas(&world.env);
    let elected = world.block(&[]);
    let used = elected.executions.last().unwrap().gas_used;
    println!("{used} gas for 256 seats among 512 candidates; {kept} are kept");
    assert!(elected.receipts.last().unwrap().status);
    assert!(used > 20_000_000, "it decided: {used}");
    assert!(used < 67_000_000, "more than what is kept for an election alone: {used}");
}
