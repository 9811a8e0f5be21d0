use super::*;
use crate::{
    liabilities::liabilities_total,
    memory::MemoryState,
    state::Failure,
    undo::{Dice, OPERATIONS, Undo},
    validators::{Founding, found as found_validators, validators_of},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use sahara_abi::{FEES, GOVERNANCE, INCENTIVE_POOL, IStaking, STAKING, SYSTEM_CALLER};
use sahara_finality::{Validator, ValidatorKeys, ValidatorSet, to_hex};
use sahara_primitives::Timestamp;

mod arithmetic;
mod behaviour;
mod books;
mod cost;
mod election;
mod faults;
mod model;
mod power;

const COIN: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const LENGTH: u64 = 10;
const UNBONDING: u64 = 21 * DAY;
const REPORTER: Address = Address::repeat_byte(0xee);

fn person(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 1)
}

fn operator(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 0x81)
}

fn fees_of(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 0xb1)
}

fn bytes(text: &str) -> Bytes {
    alloy_primitives::hex::decode(text).unwrap().into()
}

fn seat(number: u8) -> Validator {
    ValidatorKeys::from_secret(&[number; 32]).unwrap().validator(Address::ZERO)
}

fn seat_key(number: u8) -> IStaking::SeatKey {
    let validator = seat(number);
    IStaking::SeatKey {
        consensusKey: bytes(&to_hex(&validator.consensus_key)),
        possession: bytes(&to_hex(&validator.possession)),
        networkKey: B256::from_slice(&bytes(&to_hex(&validator.network_key))),
        ip: [7; 16].into(),
        port: u16::from(number),
    }
}

fn creation(number: usize, commission: u16) -> IStaking::createValidatorCall {
    let keys = vec![seat_key(u8::try_from(number).unwrap() + 1)];
    IStaking::createValidatorCall { commission, feeAddress: fees_of(number), keys }
}

/// Validators with 1,000 SAHARA of their own each and a commission of 10 %, and people with coin.
fn world(validators: usize, people: usize) -> Undo {
    let mut world = Undo::default();
    let founding = Founding {
        epoch_length: LENGTH,
        origin: B256::ZERO,
        validators: &ValidatorSet::new(vec![seat(99)]).unwrap(),
        by_stake: true,
    };
    found_validators(&mut world.state, &founding).unwrap();
    world.state.logs.clear();
    world.state.block.timestamp = Timestamp(START);
    for number in 0..validators {
        world.state.fund(operator(number), Amount::from_u128(10_000 * COIN));
        let call = creation(number, 1_000);
        world.call(operator(number), STAKING, 1_000 * COIN, &call).unwrap();
    }
    for number in 0..people {
        world.state.fund(person(number), Amount::from_u128(1 << 90));
    }
    world
}

fn at(world: &mut Undo, time: u64) {
    world.state.block.timestamp = Timestamp(time);
}

fn later(world: &mut Undo, seconds: u64) {
    let now = world.state.block.timestamp.0;
    at(world, now + seconds);
}

/// Lets the last block but one of the epoch pass, and begins the next epoch.
fn next_epoch(world: &mut Undo) {
    let next = (world.state.block.number / LENGTH + 1) * LENGTH;
    world.state.block.number = next - 2;
    run(world, turn);
    world.state.block.number = next;
}

fn run(world: &mut Undo, rule: impl FnOnce(&mut Undo) -> Result<(), Failure>) {
    world.atomically(|state| rule(state).map(|()| Bytes::new())).unwrap();
}

fn earn(world: &mut Undo, recipient: Address, amount: u128) {
    world.state.fund(FEES, Amount::from_u128(amount));
    run(world, |state| reward(state, FEES, recipient, Amount::from_u128(amount)));
}

fn cut(world: &mut Undo, validator: Address, points: u16, fault_at: u64) {
    run(world, |state| slashing::slash(state, validator, points, fault_at, None));
}

fn join(world: &mut Undo, who: Address, validator: Address, amount: u128) -> Result<(), Failure> {
    let call = IStaking::delegateCall { validator };
    world.call(who, STAKING, amount, &call).map(drop)
}

fn part(world: &mut Undo, who: Address, validator: Address, amount: u128) -> Result<u64, Failure> {
    let call = IStaking::undelegateCall { validator, amount: U256::from(amount) };
    world.call(who, STAKING, 0, &call)
}

fn over(
    world: &mut Undo,
    who: Address,
    [source, destination]: [Address; 2],
    amount: u128,
) -> Result<(), Failure> {
    let amount = U256::from(amount);
    let call = IStaking::redelegateCall { source, destination, amount };
    world.call(who, STAKING, 0, &call).map(drop)
}

fn take(world: &mut Undo, delegator: Address, validator: Address) -> Result<u128, Failure> {
    let call = IStaking::withdrawCall { delegator, validator };
    world.call(REPORTER, STAKING, 0, &call).map(|amount| amount.to())
}

fn apply(world: &mut Undo, delegator: Address, validator: Address) -> u128 {
    let call = IStaking::applySlashesCall { delegator, validator };
    world.call(REPORTER, STAKING, 0, &call).unwrap().to()
}

fn held(world: &mut Undo, delegator: Address, validator: Address) -> IStaking::Delegation {
    let call = IStaking::delegationCall { delegator, validator };
    world.call(REPORTER, STAKING, 0, &call).unwrap()
}

fn shown(world: &mut Undo, validator: Address) -> IStaking::Validator {
    world.call(REPORTER, STAKING, 0, &IStaking::validatorCall { validator }).unwrap()
}

/// I1, from the words alone.
fn check_books(state: &MemoryState) {
    let owed = liabilities_total(STAKING, state.slots_of(STAKING)).unwrap();
    let held = state.balances.get(&STAKING).copied().unwrap_or_default();
    assert_eq!(owed, held.base_units());
}
