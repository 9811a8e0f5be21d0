//! A vote for what became dearer than the chain pays for: the proposal fails alone, and nothing is stuck.

use crate::{
    faults::tried,
    governor::{accept, execute, propose, standing, town, view},
    world::{Draft, World, account},
};
use alloy_primitives::{Bytes, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, GOVERNANCE, IAssets,
    IGovernance::{self, ProposalState},
    IRoyalties, ISystem, ROYALTIES, SYSTEM,
};
use sahara_protocols::{
    Parameters,
    governance::{BOOKS_GAS, EXECUTION_GAS},
    royalties::MAX_SETTLED_POOLS,
};

/// The most gas of a transaction (EIP-7825).
const TRANSACTION_GAS: u64 = 1 << 24;

/// Calls of the proposal, each for as many pools as one call settles.
const CALLS: u64 = 10;

const MEMBER: u8 = 3;
const OWNER: u8 = 2;

fn pools() -> u64 {
    CALLS * u64::try_from(MAX_SETTLED_POOLS).unwrap()
}

/// Sends calls of the owner's, sixty-four a block: voting is over within seconds.
fn send(world: &mut World, calls: &[Draft]) {
    for some in calls.chunks(64) {
        let drafts: Vec<_> = (world.nonce(OWNER)..)
            .zip(some)
            .map(|(nonce, draft)| Draft { nonce, ..draft.clone() })
            .collect();
        let outcome = world.block(&drafts);
        assert!(outcome.receipts.iter().all(|receipt| receipt.status));
    }
}

/// Pools with nothing in them, each with a member beside its owner.
fn found(world: &mut World) {
    let register = |_| {
        let members = vec![IAssets::Member { account: account(MEMBER), units: U96::from(1) }];
        let registration = crate::native::registration(members);
        Draft::call(OWNER, 0, ASSETS, IAssets::registerCall { registration }.abi_encode())
    };
    send(world, &(0..pools()).map(register).collect::<Vec<_>>());
}

/// Pays a little for each: too little for the sweep.
fn fill(world: &mut World) {
    let pay = |asset| {
        let draft = Draft::call(OWNER, 0, ROYALTIES, IRoyalties::payCall { asset }.abi_encode());
        Draft { value: U256::from(1_000), ..draft }
    };
    send(world, &(1..=pools()).map(pay).collect::<Vec<_>>());
}

/// Proposes to settle all pools for the member.
fn propose_to_settle(world: &mut World) -> U256 {
    let all: Vec<_> = (1..=pools()).collect();
    let settle = |assets: &[u64]| -> Bytes {
        let call = IRoyalties::settleCall { account: account(MEMBER), assets: assets.to_vec() };
        call.abi_encode().into()
    };
    let calldatas: Vec<_> = all.chunks(MAX_SETTLED_POOLS).map(settle).collect();
    let call = IGovernance::proposeCall {
        targets: vec![ROYALTIES; calldatas.len()],
        values: vec![U256::ZERO; calldatas.len()],
        calldatas,
        description: "pay everyone".into(),
    };
    let draft = Draft::call(1, world.nonce(1), GOVERNANCE, call.abi_encode());
    let outcome = world.block(&[Draft { gas: TRANSACTION_GAS, ..draft }]);
    let mut logs = outcome.receipts[0].logs.iter();
    let made = logs.find_map(|log| IGovernance::ProposalCreated::decode_log(log).ok());
    // What is cheap while nothing waits was tried out and taken.
    made.unwrap().proposalId
}

fn free_deposit(world: &World) -> U256 {
    view(world, GOVERNANCE, &IGovernance::depositOfCall { account: account(1) })
}

#[test]
fn i5_an_execution_that_runs_out_of_gas_fails_alone_and_its_deposit_goes_back() {
    let mut world = town();
    let deposit = free_deposit(&world);
    found(&mut world);
    let id = propose_to_settle(&mut world);
    let behind = deposit - free_deposit(&world);
    assert!(behind > U256::ZERO && world.state.balance(GOVERNANCE) == deposit);
    fill(&mut world);
    accept(&mut world, id);

    // The chain tries it at the end of a block, which comes about, and says that it failed, without a reason.
    let failed = tried(&mut world).expect("it needs more than the chain gives it");
    assert_eq!((failed.proposalId, failed.reason), (id, Bytes::new()));
    assert_eq!(standing(&world, id), ProposalState::Queued);
    let shown = view(&world, GOVERNANCE, &IGovernance::failedExecutionCall { proposalId: id });
    assert!(shown.at > 0 && shown.selector.is_zero());
    assert_eq!(world.state.balance(account(MEMBER)), U256::ZERO, "nothing of it is left");

    // What stood behind it went back when it was queued; nothing is held but what is free.
    assert_eq!(free_deposit(&world), deposit - behind);
    assert_eq!(world.state.balance(GOVERNANCE), deposit - behind);

    // The next proposal is executed by the chain as if nothing had been.
    let parameters: ISystem::Parameters = Parameters::DEFAULT.into();
    let parameters = ISystem::Parameters { marketFee: 250, ..parameters };
    let data = ISystem::setParametersCall { parameters }.abi_encode();
    let next = propose(&mut world, SYSTEM, data);
    accept(&mut world, next);
    assert!(tried(&mut world).is_none());
    assert_eq!(standing(&world, next), ProposalState::Executed);

    // Whoever pays for it executes it; with too little gas a transaction fails, and that is all.
    assert!(!execute(&mut world, id));
    let call = IGovernance::execute_1Call { proposalId: id }.abi_encode();
    let draft = Draft::call(OWNER, world.nonce(OWNER), GOVERNANCE, call);
    let outcome = world.block(&[Draft { gas: TRANSACTION_GAS, ..draft }]);
    let gas = outcome.executions[0].gas_used;
    assert!(outcome.receipts[0].status && gas > EXECUTION_GAS + BOOKS_GAS, "{gas}");
    assert_eq!(standing(&world, id), ProposalState::Executed);
    assert_eq!(world.state.balance(account(MEMBER)), U256::from(500 * pools()));
}
