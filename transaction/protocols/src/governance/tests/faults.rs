//! What goes wrong while the chain does what was decided: the proposal fails, never the block.

use super::*;
use alloy_sol_types::SolError;
use sahara_abi::{ICoin, ISystem, SYSTEM};

/// A town in which a change of the economy's parameters was accepted, a second before the chain queues it;
/// and where these parameters stand.
fn decided() -> (Undo, U256, (Address, U256)) {
    let mut world = world(1, 2);
    join(&mut world, person(0), operator(0), 10_000 * COIN);
    let parameters: ISystem::Parameters = crate::Parameters::DEFAULT.into();
    let set = ISystem::setParametersCall { parameters: parameters.clone() };
    world.call(GOVERNANCE, SYSTEM, 0, &set).unwrap();
    let place = *world.state.words.keys().find(|(protocol, _)| *protocol == SYSTEM).unwrap();
    pass(&mut world, DAY);
    let parameters = ISystem::Parameters { marketFee: 250, ..parameters };
    let action = (SYSTEM, ISystem::setParametersCall { parameters }.abi_encode());
    let id = propose(&mut world, person(0), &[action], "a market fee").unwrap();
    open(&mut world, id);
    vote(&mut world, operator(0), id, IN_FAVOUR).unwrap();
    close(&mut world, id);
    pass(&mut world, 3_599);
    (world, id, place)
}

fn failed(world: &mut Undo, id: U256) -> (u64, [u8; 4]) {
    let shown = ask(world, &IGovernance::failedExecutionCall { proposalId: id });
    (shown.at, shown.selector.0)
}

#[test]
fn i5_a_rule_that_finds_its_state_broken_fails_the_proposal_and_no_block() {
    let (mut world, id, place) = decided();
    pass(&mut world, 1);
    pass(&mut world, DAY);
    let good = world.state.words.insert(place, U256::MAX).unwrap();
    let refused = IGovernance::InvalidAction { index: U256::ZERO };
    assert_eq!(execute(&mut world, id), Err(refused.clone().into()), "a revert like any other");
    assert_eq!(failed(&mut world, id), (0, [0; 4]));
    pass(&mut world, 3_600);
    let said = logged::<IGovernance::ExecutionFailed>(&world);
    assert_eq!((said.len(), said[0].reason.clone()), (1, refused.abi_encode().into()));
    assert!(logged::<IGovernance::ProposalExecuted>(&world).is_empty());
    let at = now(&world);
    assert_eq!(failed(&mut world, id), (at, IGovernance::InvalidAction::SELECTOR));
    assert_eq!(standing(&mut world, id), ProposalState::Queued);
    pass(&mut world, DAY);
    assert_eq!(failed(&mut world, id).0, at, "the chain tries once");
    // Whoever repairs the cause can have it executed.
    world.state.words.insert(place, good);
    execute(&mut world, id).unwrap();
    assert_eq!(standing(&mut world, id), ProposalState::Executed);
    assert_eq!(crate::parameters(&mut world).unwrap().market_fee.points(), 250);
    check_books(&world);
}

#[test]
fn i5_what_nobody_repairs_expires() {
    let (mut world, id, place) = decided();
    pass(&mut world, 1);
    world.state.words.insert(place, U256::MAX);
    pass(&mut world, DAY + 3_600);
    assert_eq!(standing(&mut world, id), ProposalState::Queued);
    pass(&mut world, 14 * DAY);
    assert_eq!(standing(&mut world, id), ProposalState::Expired);
    assert!(execute(&mut world, id).is_err());
}

#[test]
fn a_proposal_whose_state_is_broken_is_refused_when_it_is_made() {
    let (mut world, _, place) = decided();
    world.state.words.insert(place, U256::MAX);
    let parameters: ISystem::Parameters = crate::Parameters::DEFAULT.into();
    let action = (SYSTEM, ISystem::setParametersCall { parameters }.abi_encode());
    let refused = propose(&mut world, person(1), &[action], "another");
    let reason = IGovernance::InvalidAction { index: U256::ZERO }.abi_encode().into();
    let index = U256::ZERO;
    assert_eq!(refused, Err(IGovernance::ProposalWouldFail { index, reason }.into()));
}

#[test]
fn a_deposit_that_cannot_go_back_ends_no_block() {
    let (mut world, id, _) = decided();
    let other = propose(&mut world, person(1), &[text()], "meanwhile").unwrap();
    let held = Amount::from_u128(world.held(GOVERNANCE));
    world.state.fund(GOVERNANCE, Amount::ZERO);
    pass(&mut world, 1);
    let said = logged::<IGovernance::ExecutionFailed>(&world);
    assert_eq!((said.len(), said[0].proposalId), (1, id));
    let at = now(&world);
    assert_eq!(failed(&mut world, id), (at, ICoin::ERC20InsufficientBalance::SELECTOR));
    assert_eq!(standing(&mut world, id), ProposalState::Succeeded, "all of the look is taken back");
    world.state.fund(GOVERNANCE, held);
    queue(&mut world, id).unwrap();
    pass(&mut world, DAY);
    execute(&mut world, id).unwrap();
    check_books(&world);
    // The agenda goes on with what comes next.
    open(&mut world, other);
    vote(&mut world, operator(0), other, IN_FAVOUR).unwrap();
    close(&mut world, other);
    pass(&mut world, 3_600);
    assert_eq!(standing(&mut world, other), ProposalState::Queued);
}
