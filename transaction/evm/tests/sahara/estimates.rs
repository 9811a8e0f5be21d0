//! An estimate is enough for the block that comes, not only for the one that was.

use crate::{
    governor::{send, town},
    native::{pay, shared_asset},
    world::{COIN, Draft, STRANGER, World, account},
};
use alloy_primitives::{Address, Bytes, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::{SolCall, SolEvent as _};
use sahara_abi::{COIN as COIN_PROTOCOL, ICoin, IRoyalties, IStaking, STAKING};
use sahara_evm::{call, estimate_gas};

fn request(key: u8, to: Address, value: U256, input: Vec<u8>) -> TransactionRequest {
    let request = TransactionRequest::default().from(account(key)).to(to).value(value);
    request.input(Bytes::from(input).into())
}

fn estimate(world: &World, request: &TransactionRequest) -> u64 {
    estimate_gas(world.rules, &world.state, &world.env, request, None).unwrap()
}

/// What the call uses now.
fn used(world: &World, request: &TransactionRequest) -> u64 {
    call(world.rules, &world.state, &world.env, request, None).unwrap().gas_used
}

#[test]
fn a_delegation_estimated_in_the_second_of_another_is_made_in_the_next() {
    let mut world = town();
    let delegate = IStaking::delegateCall { validator: account(1) };
    assert!(send(&mut world, 2, STAKING, COIN, &delegate));
    // As a node estimates on the last final block: in the second of its marks.
    world.env.timestamp -= 1;
    let again = request(2, STAKING, COIN, delegate.abi_encode());
    let (now, gas) = (used(&world, &again), estimate(&world, &again));
    world.env.timestamp += 1;
    let draft =
        Draft { value: COIN, ..Draft::call(2, world.nonce(2), STAKING, delegate.abi_encode()) };
    let outcome = world.block(&[Draft { gas, ..draft }]);
    assert!(outcome.receipts[0].status, "estimated {gas}, it used {now} a second before");
    assert!(outcome.executions[0].gas_used > now, "a new second costs new marks");
}

#[test]
fn a_sender_who_is_paid_between_estimate_and_block_has_gas_for_its_settlement() {
    let mut world = World::new();
    let asset = shared_asset(&mut world);
    let coin = Draft::transfer(2, world.nonce(2), account(3), COIN);
    assert!(world.block(&[coin]).receipts[0].status);
    let input = ICoin::transferCall { to: STRANGER, value: U256::from(1) }.abi_encode();
    let gas = estimate(&world, &request(3, COIN_PROTOCOL, U256::ZERO, input.clone()));
    let payment = pay(&world, asset, COIN);
    let outcome = world.block(&[payment, Draft { gas, ..Draft::call(3, 0, COIN_PROTOCOL, input) }]);
    let receipt = &outcome.receipts[1];
    assert!(receipt.logs.iter().any(|log| IRoyalties::Settled::decode_log(log).is_ok()));
    assert!(receipt.status, "estimated {gas}");
}

#[test]
fn a_margin_is_only_where_time_or_earnings_may_add_and_within_what_was_asked() {
    let mut world = town();
    let transfer = ICoin::transferCall { to: STRANGER, value: COIN }.abi_encode();
    let transfer = request(1, COIN_PROTOCOL, U256::ZERO, transfer);
    assert!(estimate(&world, &transfer) <= used(&world, &transfer) * 103 / 100);
    let asset = shared_asset(&mut world);
    let plain = request(3, STRANGER, U256::ZERO, Vec::new());
    let (exact, gas) = (used(&world, &plain), estimate(&world, &plain));
    assert_eq!(gas, exact, "a member of the pool of asset {asset} sends coin");
    let delegate = IStaking::delegateCall { validator: account(1) }.abi_encode();
    let free = request(2, STAKING, COIN, delegate);
    let most = estimate(&world, &free) - 100_000;
    let bounded = TransactionRequest { gas: Some(most), ..free };
    assert!(estimate(&world, &bounded) <= most);
}
