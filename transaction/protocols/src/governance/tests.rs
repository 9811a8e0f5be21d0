use super::{parameters::Rules, *};
use crate::{
    liabilities::liabilities_total,
    state::Failure,
    undo::{Dice, OPERATIONS, Undo},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    GOVERNANCE,
    IGovernance::{self, Kind, ProposalState},
    INCENTIVE_POOL, IStaking, STAKING,
};
use sahara_primitives::{Amount, Timestamp};

mod attacks;
mod counting;
mod faults;
mod life;
mod model;
mod pauses;
mod powers;
mod signed;
mod times;

const COIN: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_800_000_000;
const DAY: u64 = 86_400;
const STRANGER: Address = Address::repeat_byte(0xee);
const AGAINST: u8 = 0;
const ABSTAIN: u8 = 2;

fn person(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 1)
}

fn operator(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 0x81)
}

/// Validators with 1,000 SAHARA of their own each; people with coin and a deposit of 100,000 SAHARA.
fn world(validators: usize, people: usize) -> Undo {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    for number in 0..validators {
        world.state.fund(operator(number), Amount::from_u128(10_000 * COIN));
        let call = IStaking::createValidatorCall {
            commission: 1_000,
            feeAddress: operator(number),
            keys: Vec::new(),
        };
        world.call(operator(number), STAKING, 1_000 * COIN, &call).unwrap();
    }
    for number in 0..people {
        world.state.fund(person(number), Amount::from_u128(1 << 90));
        deposit(&mut world, person(number), 100_000 * COIN);
    }
    world
}

fn deposit(world: &mut Undo, account: Address, amount: u128) {
    let call = IGovernance::depositForCall { account };
    world.call(account, GOVERNANCE, amount, &call).unwrap();
}

fn join(world: &mut Undo, who: Address, validator: Address, amount: u128) {
    let call = IStaking::delegateCall { validator };
    world.call(who, STAKING, amount, &call).unwrap();
}

/// Time passes, and a block ends.
fn pass(world: &mut Undo, seconds: u64) {
    world.state.block.timestamp.0 += seconds;
    world.state.block.number += 1;
    end_block(world);
}

fn end_block(world: &mut Undo) {
    let ended =
        world.atomically(|state| crate::end_block(state, STRANGER, &[]).map(|()| Bytes::new()));
    ended.unwrap();
}

fn now(world: &Undo) -> u64 {
    world.state.block.timestamp.0
}

fn ask<C: SolCall>(world: &mut Undo, call: &C) -> C::Return {
    world.call(STRANGER, GOVERNANCE, 0, call).unwrap()
}

fn proposal(actions: &[(Address, Vec<u8>)], description: &str) -> IGovernance::proposeCall {
    IGovernance::proposeCall {
        targets: actions.iter().map(|(target, _)| *target).collect(),
        values: vec![U256::ZERO; actions.len()],
        calldatas: actions.iter().map(|(_, data)| data.clone().into()).collect(),
        description: description.into(),
    }
}

fn propose(
    world: &mut Undo,
    who: Address,
    actions: &[(Address, Vec<u8>)],
    description: &str,
) -> Result<U256, Failure> {
    world.call(who, GOVERNANCE, 0, &proposal(actions, description))
}

fn vote(world: &mut Undo, who: Address, id: U256, support: u8) -> Result<U256, Failure> {
    world.call(who, GOVERNANCE, 0, &IGovernance::castVoteCall { proposalId: id, support })
}

fn standing(world: &mut Undo, id: U256) -> ProposalState {
    ask(world, &IGovernance::stateCall { proposalId: id })
}

fn tally(world: &mut Undo, id: U256) -> IGovernance::Tally {
    ask(world, &IGovernance::tallyCall { proposalId: id })
}

fn queue(world: &mut Undo, id: U256) -> Result<(), Failure> {
    world.call(STRANGER, GOVERNANCE, 0, &IGovernance::queue_1Call { proposalId: id }).map(drop)
}

fn execute(world: &mut Undo, id: U256) -> Result<(), Failure> {
    world.call(STRANGER, GOVERNANCE, 0, &IGovernance::execute_1Call { proposalId: id }).map(drop)
}

/// A proposal that says something and does nothing.
fn text() -> (Address, Vec<u8>) {
    (Address::ZERO, Vec::new())
}

fn parameters(world: &mut Undo) -> IStaking::Parameters {
    world.call(STRANGER, STAKING, 0, &IStaking::parametersCall {}).unwrap()
}

/// A change of staking's parameters.
fn change(world: &mut Undo, change: impl FnOnce(&mut IStaking::Parameters)) -> (Address, Vec<u8>) {
    let mut parameters = parameters(world);
    change(&mut parameters);
    (STAKING, IStaking::setParametersCall { parameters }.abi_encode())
}

fn logged<E: SolEvent>(world: &Undo) -> Vec<E> {
    world.state.logs.iter().filter_map(|log| E::decode_log(log).ok()).map(|log| log.data).collect()
}

/// I3, from the words alone.
fn check_books(world: &Undo) {
    let owed = liabilities_total(GOVERNANCE, world.state.slots_of(GOVERNANCE)).unwrap();
    assert_eq!(owed, U256::from(world.held(GOVERNANCE)));
}

/// Goes to the middle of a proposal's votes.
fn open(world: &mut Undo, id: U256) {
    let snapshot: u64 = ask(world, &IGovernance::proposalSnapshotCall { proposalId: id }).to();
    while now(world) <= snapshot {
        let step = (snapshot + 1 - now(world)).min(DAY);
        pass(world, step);
    }
    assert_eq!(standing(world, id), ProposalState::Active);
}

/// Goes to the first second after a proposal's votes.
fn close(world: &mut Undo, id: U256) {
    let deadline: u64 = ask(world, &IGovernance::proposalDeadlineCall { proposalId: id }).to();
    let rest = deadline + 1 - now(world);
    pass(world, rest);
}
