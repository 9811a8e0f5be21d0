use super::*;
use crate::{
    liabilities::liabilities_total,
    state::Failure,
    undo::{Dice, OPERATIONS, Undo},
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    GOVERNANCE,
    IIncentives::{self, Award, GrantState},
    INCENTIVE_POOL, INCENTIVES,
};
use sahara_primitives::{Amount, Timestamp};

mod behaviour;
mod model;
mod times;
mod usage;

const COIN: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const MANAGER: Address = Address::repeat_byte(0xa0);
const REVIEWER: Address = Address::repeat_byte(0xa1);

fn person(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 1)
}

fn ask<C: SolCall>(world: &mut Undo, who: Address, call: &C) -> Result<C::Return, Failure> {
    world.call(who, INCENTIVES, 0, call)
}

fn arrive(world: &mut Undo, amount: u128) {
    let before = world.held(INCENTIVES);
    world.state.fund(INCENTIVES, Amount::from_u128(before + amount));
    let done =
        world.atomically(|state| receive(state, Amount::from_u128(amount)).map(|()| Bytes::new()));
    done.unwrap();
}

fn programme(budget: u128, ends_at: u64) -> IIncentives::openProgrammeCall {
    let (budget, terms) = (U256::from(budget), B256::repeat_byte(1));
    IIncentives::openProgrammeCall { manager: MANAGER, budget, endsAt: ends_at, terms }
}

/// A programme of 1,000 SAHARA for a year.
fn world() -> Undo {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    arrive(&mut world, 1_500 * COIN);
    let opened = ask(&mut world, GOVERNANCE, &programme(1_000 * COIN, START + 365 * DAY));
    assert_eq!(opened, Ok(1));
    world
}

fn pass(world: &mut Undo, seconds: u64) {
    world.state.block.timestamp.0 += seconds;
}

fn coins(amounts: &[u128]) -> Vec<U256> {
    amounts.iter().map(|amount| U256::from(amount * COIN)).collect()
}

fn grant(
    programme: u64,
    amounts: &[u128],
    days: &[u64],
    now: u64,
) -> IIncentives::proposeGrantCall {
    IIncentives::proposeGrantCall {
        programme,
        amounts: coins(amounts),
        dueTimes: days.iter().map(|day| now + day * DAY).collect(),
        proposal: B256::repeat_byte(2),
    }
}

fn left(world: &mut Undo, programme: u64) -> u128 {
    let shown = ask(world, MANAGER, &IIncentives::programmeCall { programme }).unwrap();
    shown.left.to::<u128>() / COIN
}

/// I1, from the words alone.
fn check_books(world: &Undo) {
    let owed = liabilities_total(INCENTIVES, world.state.slots_of(INCENTIVES)).unwrap();
    assert_eq!(owed, U256::from(world.held(INCENTIVES)));
}
