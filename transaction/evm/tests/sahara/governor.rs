//! Governance in a real machine: executed by anyone, by the chain, by the code at its address; and the
//! guard of upgrades.

use crate::world::{COIN, Draft, GWEI, World, account};
use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, GOVERNANCE, IAssets,
    IGovernance::{self, ProposalState},
    IStaking, ISystem, STAKING, SYSTEM,
};
use sahara_evm::{
    BlockBuilder, FeeParameters, GenesisConfig, TransitionError, call, execute_block, next_base_fee,
};
use sahara_protocols::governance::{PROTOCOL_VERSION, quick};

/// Runtime code `CALLER PUSH1 0 SSTORE STOP`: it remembers who called.
const REMEMBERS: &str = "6433600055006000526005601bf3";
/// Runtime code `PUSH1 0 PUSH1 0 REVERT`.
const REFUSES: &str = "6460006000fd6000526005601bf3";

pub(crate) fn send<C: SolCall>(
    world: &mut World,
    key: u8,
    to: Address,
    value: U256,
    asked: &C,
) -> bool {
    let draft = Draft { value, ..Draft::call(key, world.nonce(key), to, asked.abi_encode()) };
    world.block(&[draft]).receipts[0].status
}

pub(crate) fn view<C: SolCall>(world: &World, to: Address, asked: &C) -> C::Return {
    let request = TransactionRequest::default().to(to).input(asked.abi_encode().into());
    let outcome = call(world.rules, &world.state, &world.env, &request, None).unwrap();
    C::abi_decode_returns(&outcome.output).unwrap()
}

/// A chain with one validator of a million SAHARA, in its second epoch.
pub(crate) fn town() -> World {
    town_of(|_| ())
}

/// As [`town`], with another genesis.
pub(crate) fn town_of(edit: impl FnOnce(&mut GenesisConfig)) -> World {
    let mut world = World::of(|config| {
        config.governance = Some(quick(4, Address::ZERO));
        edit(config);
    });
    let million = COIN * U256::from(1_000_000);
    let create =
        IStaking::createValidatorCall { commission: 0, feeAddress: account(1), keys: Vec::new() };
    assert!(send(&mut world, 1, STAKING, million, &create));
    let deposit = IGovernance::depositForCall { account: account(1) };
    assert!(send(&mut world, 1, GOVERNANCE, COIN * U256::from(1_000), &deposit));
    world.env.timestamp += 4;
    world.block(&[]);
    world
}

pub(crate) fn propose(world: &mut World, target: Address, data: Vec<u8>) -> U256 {
    let call = IGovernance::proposeCall {
        targets: vec![target],
        values: vec![U256::ZERO],
        calldatas: vec![data.into()],
        description: String::new(),
    };
    let draft = Draft::call(1, world.nonce(1), GOVERNANCE, call.abi_encode());
    let outcome = world.block(&[draft]);
    let logs = outcome.receipts[0].logs.iter();
    logs.filter_map(|log| IGovernance::ProposalCreated::decode_log(log).ok())
        .next()
        .unwrap()
        .proposalId
}

/// A day after a proposal votes for it, and goes to the second after its votes.
pub(crate) fn accept(world: &mut World, id: U256) {
    world.env.timestamp += 86_400;
    world.block(&[]);
    let vote = IGovernance::castVoteCall { proposalId: id, support: 1 };
    assert!(send(world, 1, GOVERNANCE, U256::ZERO, &vote));
    world.env.timestamp += 16;
}

pub(crate) fn standing(world: &World, id: U256) -> ProposalState {
    view(world, GOVERNANCE, &IGovernance::stateCall { proposalId: id })
}

/// Accepts a proposal, queues it and goes to its time.
pub(crate) fn ready(world: &mut World, target: Address, data: Vec<u8>) -> U256 {
    let id = propose(world, target, data);
    accept(world, id);
    assert!(send(world, 2, GOVERNANCE, U256::ZERO, &IGovernance::queue_1Call { proposalId: id }));
    world.env.timestamp += 4;
    id
}

pub(crate) fn execute(world: &mut World, id: U256) -> bool {
    send(world, 2, GOVERNANCE, U256::ZERO, &IGovernance::execute_1Call { proposalId: id })
}

#[test]
fn the_chain_executes_a_parameter_change_in_its_system_transaction() {
    let mut world = town();
    let mut parameters = view(&world, STAKING, &IStaking::parametersCall {});
    parameters.jail = 77;
    let data = IStaking::setParametersCall { parameters }.abi_encode();
    let id = propose(&mut world, STAKING, data);
    accept(&mut world, id);
    let mut executed = None;
    for _ in 0..40 {
        world.env.timestamp += 1;
        let outcome = world.block(&[]);
        let logs: Vec<_> = outcome.receipts.iter().flat_map(|receipt| &receipt.logs).collect();
        if logs.iter().any(|log| IGovernance::ProposalExecuted::decode_log(log).is_ok()) {
            assert!(logs.iter().any(|log| IStaking::ParametersChanged::decode_log(log).is_ok()));
            executed = Some(outcome.executions[0].gas_used);
            break;
        }
    }
    let gas = executed.unwrap();
    assert!(gas < 1_000_000, "{gas}");
    assert_eq!(standing(&world, id), ProposalState::Executed);
    assert_eq!(view(&world, STAKING, &IStaking::parametersCall {}).jail, 77);
}

#[test]
fn a_cap_that_was_voted_up_holds_for_the_next_block() {
    let mut world = town();
    let registration = IAssets::Registration {
        derivativeRoyalty: 3_000,
        ..crate::native::registration(Vec::new())
    };
    let register = IAssets::registerCall { registration };
    assert!(!send(&mut world, 2, ASSETS, U256::ZERO, &register), "a fifth is the most");
    let mut parameters = view(&world, SYSTEM, &ISystem::parametersCall {});
    parameters.maxDerivativeRoyalty = 3_000;
    let data = ISystem::setParametersCall { parameters: parameters.clone() }.abi_encode();
    assert!(!send(&mut world, 1, SYSTEM, U256::ZERO, &ISystem::setParametersCall { parameters }));
    let id = ready(&mut world, SYSTEM, data);
    assert!(!send(&mut world, 2, ASSETS, U256::ZERO, &register), "accepted is not executed");
    assert!(execute(&mut world, id));
    assert!(send(&mut world, 2, ASSETS, U256::ZERO, &register));
}

#[test]
fn a_floor_that_was_voted_up_is_the_next_blocks_base_fee() {
    let mut world = town();
    let parent = Header { base_fee_per_gas: Some(GWEI), ..Header::default() };
    let next = |world: &World| {
        let fees = FeeParameters::default().governed(&world.state).unwrap();
        next_base_fee(&fees, &parent, 1_000)
    };
    let floor = 7 * GWEI;
    let call = ISystem::setGasParametersCall {
        parameters: ISystem::GasParameters { baseFeeFloor: floor },
    };
    let kind = IGovernance::kindOfCall {
        targets: vec![SYSTEM],
        calldatas: vec![call.abi_encode().into()],
    };
    assert_eq!(view(&world, GOVERNANCE, &kind), IGovernance::Kind::Parameter);
    let id = ready(&mut world, SYSTEM, call.abi_encode());
    assert_eq!(next(&world), GWEI, "accepted is not executed");
    assert!(execute(&mut world, id));
    assert_eq!(next(&world), floor);
    let shown = view(&world, SYSTEM, &ISystem::gasParametersCall {});
    assert_eq!(shown.baseFeeFloor, floor);
}

#[test]
fn what_a_proposal_tried_out_leaves_nothing_but_its_gas() {
    let mut world = town();
    let mut parameters = view(&world, STAKING, &IStaking::parametersCall {});
    parameters.seats = 5;
    let data = IStaking::setParametersCall { parameters }.abi_encode();
    let id = propose(&mut world, STAKING, data);
    assert_eq!(view(&world, STAKING, &IStaking::parametersCall {}).seats, 100);
    assert_eq!(standing(&world, id), ProposalState::Pending);
    // Too little gas is the sender's mistake, not the proposal's.
    let call = IGovernance::proposeCall {
        targets: vec![Address::ZERO],
        values: vec![U256::ZERO],
        calldatas: vec![Default::default()],
        description: "little".into(),
    };
    let draft = Draft::call(1, world.nonce(1), GOVERNANCE, call.abi_encode());
    let outcome = world.block(&[Draft { gas: 60_000, ..draft }]);
    assert!(!outcome.receipts[0].status);
    assert_eq!(outcome.executions[0].gas_used, 60_000);
}

#[test]
fn a_contract_is_called_from_the_address_that_was_voted_about() {
    let mut world = town();
    let contract = world.deploy(2, REMEMBERS, U256::ZERO);
    let id = ready(&mut world, contract, Vec::new());
    assert!(execute(&mut world, id));
    let caller = world.state.storage[&contract][&U256::ZERO];
    assert_eq!(Address::from_word(B256::from(caller)), GOVERNANCE);
    assert_eq!(standing(&world, id), ProposalState::Executed);
    assert!(!execute(&mut world, id), "once");
    let begin = IGovernance::beginExecutionCall { proposalId: id };
    assert!(!send(&mut world, 2, GOVERNANCE, U256::ZERO, &begin));
}

#[test]
fn a_contract_that_refuses_leaves_the_proposal_queued() {
    let mut world = town();
    let contract = world.deploy(2, REFUSES, U256::ZERO);
    let id = ready(&mut world, contract, Vec::new());
    assert!(!execute(&mut world, id));
    assert_eq!(standing(&world, id), ProposalState::Queued);
}

#[test]
fn i9_rules_without_the_upgrade_neither_make_nor_take_its_blocks() {
    let mut world = town();
    let height = world.env.number + 20;
    let version = PROTOCOL_VERSION + 1;
    let data = IGovernance::scheduleUpgradeCall { version, height }.abi_encode();
    let id = ready(&mut world, GOVERNANCE, data);
    assert!(execute(&mut world, id));
    while world.env.number < height {
        world.block(&[]);
    }
    let stopped = TransitionError::Upgrade { height, needed: version, supported: PROTOCOL_VERSION };
    let made = BlockBuilder::new(world.rules, &world.state, world.env.clone()).map(drop);
    assert_eq!(made.unwrap_err().to_string(), stopped.to_string());
    let taken = execute_block(world.rules, &world.state, world.env.clone(), &[], None);
    assert_eq!(taken.unwrap_err().to_string(), stopped.to_string());
    world.rules = world.rules.with_version(version);
    world.block(&[]);
}
