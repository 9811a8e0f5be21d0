//! A vote for what cannot be done: the block comes about, the proposal waits until it expires. What only
//! this node cannot read decides nothing.

use crate::{
    governor::{accept, execute, propose, send, standing, town_of, view},
    support::MemoryState,
    world::{COIN, STRANGER, World, account},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolError, SolEvent};
use sahara_abi::{
    COMMUNITY, FEES, GOVERNANCE,
    IGovernance::{self, ProposalState},
    ISystem, IVesting, SYSTEM, VESTING,
};
use sahara_evm::{Account, BlockBuilder, ParentState, StateError, TransitionError};
use sahara_protocols::Parameters;

/// Blocks until the chain tried to execute something; whether it failed.
pub(crate) fn tried(world: &mut World) -> Option<IGovernance::ExecutionFailed> {
    for _ in 0..60 {
        world.env.timestamp += 1;
        let outcome = world.block(&[]);
        let mut logs = outcome.receipts.iter().flat_map(|receipt| &receipt.logs);
        let failed =
            logs.clone().find_map(|log| IGovernance::ExecutionFailed::decode_log(log).ok());
        if let Some(log) = failed {
            return Some(log.data);
        }
        if logs.any(|log| IGovernance::ProposalExecuted::decode_log(log).is_ok()) {
            return None;
        }
    }
    panic!("nothing was tried")
}

fn refused() -> Bytes {
    IGovernance::InvalidAction { index: U256::ZERO }.abi_encode().into()
}

/// A chain that accepted a change of parameters, and where these stand.
fn with_parameters() -> (World, U256, U256) {
    let mut world = town_of(|config| config.parameters = Some(Parameters::DEFAULT.into()));
    let place = *world.state.storage[&SYSTEM].keys().next().unwrap();
    let parameters: ISystem::Parameters = Parameters::DEFAULT.into();
    let parameters = ISystem::Parameters { marketFee: 250, ..parameters };
    let id = propose(&mut world, SYSTEM, ISystem::setParametersCall { parameters }.abi_encode());
    accept(&mut world, id);
    (world, id, place)
}

fn corrupt(world: &mut World, protocol: Address, place: U256, word: U256) -> U256 {
    world.state.storage.get_mut(&protocol).unwrap().insert(place, word).unwrap()
}

#[test]
fn i5_a_broken_rule_fails_the_proposal_and_the_block_comes_about() {
    let (mut world, id, place) = with_parameters();
    let good = corrupt(&mut world, SYSTEM, place, U256::MAX);
    let failed = tried(&mut world).unwrap();
    assert_eq!((failed.proposalId, failed.reason), (id, refused()));
    assert_eq!(standing(&world, id), ProposalState::Queued);
    let shown = view(&world, GOVERNANCE, &IGovernance::failedExecutionCall { proposalId: id });
    assert_eq!(shown.selector, IGovernance::InvalidAction::SELECTOR);
    assert!(shown.at > 0);
    assert!(!execute(&mut world, id), "a transaction that reverts, and no broken block");
    corrupt(&mut world, SYSTEM, place, good);
    assert!(execute(&mut world, id));
    assert_eq!(view(&world, SYSTEM, &ISystem::parametersCall {}).marketFee, 250);
}

#[test]
fn what_is_not_broken_is_executed_in_the_same_way() {
    let (mut world, id, _) = with_parameters();
    assert!(tried(&mut world).is_none());
    assert_eq!(standing(&world, id), ProposalState::Executed);
    let shown = view(&world, GOVERNANCE, &IGovernance::failedExecutionCall { proposalId: id });
    assert_eq!(shown.at, 0);
}

/// A chain that accepted to execute an announced move to [`STRANGER`], and where the move stands.
fn with_move() -> (World, U256, U256) {
    let mut world = town_of(|config| config.vesting.window = 40 * 86_400);
    // The first part of the treasury is free after a month.
    world.env.timestamp += 32 * 86_400;
    let announce = IVesting::announceFromPoolCall { pool: COMMUNITY, to: STRANGER, amount: COIN };
    assert!(send(&mut world, 1, VESTING, U256::ZERO, &announce));
    world.env.timestamp += 61;
    let id = propose(&mut world, VESTING, IVesting::executeCall { id: 1 }.abi_encode());
    accept(&mut world, id);
    let words = &world.state.storage[&VESTING];
    let is_receiver = |word: U256| word.to_be_bytes::<32>().starts_with(STRANGER.as_slice());
    let place = *words.iter().find(|(_, word)| is_receiver(**word)).unwrap().0;
    (world, id, place)
}

#[test]
fn i5_coin_left_where_fees_wait_is_taken_back_and_the_block_comes_about() {
    let (mut world, id, place) = with_move();
    let good = world.state.storage[&VESTING][&place];
    let mut bytes = good.to_be_bytes::<32>();
    bytes[..20].copy_from_slice(FEES.as_slice());
    corrupt(&mut world, VESTING, place, U256::from_be_bytes(bytes));
    let before = world.state.balance(COMMUNITY);
    let failed = tried(&mut world).unwrap();
    assert_eq!((failed.proposalId, failed.reason), (id, refused()));
    assert_eq!(world.state.balance(FEES), U256::ZERO);
    assert_eq!(world.state.balance(COMMUNITY), before);
    assert_eq!(standing(&world, id), ProposalState::Queued);
    corrupt(&mut world, VESTING, place, good);
    assert!(execute(&mut world, id));
    assert_eq!(world.state.balance(STRANGER), COIN);
}

/// A state whose words of one protocol cannot be read.
struct Torn<'a>(&'a MemoryState, Address);

impl ParentState for Torn<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.0.account(address)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        if address == self.1 {
            return Err(StateError("a torn page".into()));
        }
        self.0.storage(address, slot)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, StateError> {
        self.0.code(code_hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        self.0.block_hash(number)
    }
}

#[test]
fn i5_what_only_this_node_cannot_read_fails_no_proposal() {
    let (mut world, _, _) = with_move();
    let mut ends = Vec::new();
    for _ in 0..60 {
        world.env.timestamp += 1;
        let torn = Torn(&world.state, VESTING);
        let made = BlockBuilder::new(world.rules, torn, world.env.clone()).unwrap().finish();
        // Its own fault: no transaction and no proposal is blamed for it.
        let is_unread =
            matches!(&made, Err(TransitionError::State(error)) if error.0 == "a torn page");
        assert!(made.is_ok() || is_unread, "{made:?}");
        ends.push(made.is_ok());
        let outcome = world.block(&[]);
        let mut logs = outcome.receipts.iter().flat_map(|receipt| &receipt.logs);
        if logs.any(|log| IGovernance::ProposalExecuted::decode_log(log).is_ok()) {
            break;
        }
    }
    // The block that needs the page is not made here; all before it are.
    assert_eq!(ends.pop(), Some(false));
    assert!(!ends.is_empty() && ends.iter().all(|is_made| *is_made));
}

#[test]
fn a_deposit_that_is_not_there_ends_no_block() {
    let (mut world, id, _) = with_parameters();
    // Somebody else has what governance should hold.
    let held = world.state.accounts.get_mut(&GOVERNANCE).unwrap();
    let coin = std::mem::take(&mut held.balance);
    world.state.accounts.get_mut(&account(2)).unwrap().balance += coin;
    let failed = tried(&mut world).unwrap();
    assert_eq!(failed.proposalId, id);
    assert_eq!(standing(&world, id), ProposalState::Succeeded);
}
