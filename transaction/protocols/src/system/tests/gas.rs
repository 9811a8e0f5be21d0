//! What gas costs at least, as governance sets it.

use super::*;
use crate::storage::Value;
use alloy_primitives::U256;
use alloy_sol_types::SolEvent;
use sahara_abi::GOVERNANCE;

const GWEI: u64 = 1_000_000_000;

fn ask<C: SolCall>(
    state: &mut MemoryState,
    caller: Address,
    call: &C,
) -> Result<C::Return, Failure> {
    let request = Call { caller, value: Amount::ZERO, data: &call.abi_encode(), is_static: false };
    state.call(SYSTEM, request).map(|data| C::abi_decode_returns(&data).unwrap())
}

fn set(state: &mut MemoryState, caller: Address, floor: u64) -> Result<(), Failure> {
    let parameters = ISystem::GasParameters { baseFeeFloor: floor };
    ask(state, caller, &ISystem::setGasParametersCall { parameters }).map(drop)
}

fn floor(state: &mut MemoryState) -> u64 {
    ask(state, Address::ZERO, &ISystem::gasParametersCall {}).unwrap().baseFeeFloor
}

#[test]
fn only_governance_moves_the_floor_and_says_so() {
    let state = &mut MemoryState::default();
    assert_eq!(floor(state), GWEI);
    let refused = IProtocol::OnlyGovernance { caller: validator(1) };
    assert_eq!(set(state, validator(1), 2 * GWEI), Err(refused.into()));
    set(state, GOVERNANCE, 2 * GWEI).unwrap();
    assert_eq!(floor(state), 2 * GWEI);
    let said = ISystem::GasParametersChanged::decode_log(state.logs.last().unwrap()).unwrap();
    assert_eq!(said.data.parameters.baseFeeFloor, 2 * GWEI);
    let word = state.words[&(SYSTEM, gas_parameters_slot())];
    assert_eq!(GasParameters::of_word(word), Ok(GasParameters { base_fee_floor: 2 * GWEI }));
}

#[test]
fn no_vote_makes_gas_free_or_unpayable_or_moves_it_far_at_once() {
    let refused: Failure = IProtocol::InvalidParameters {}.into();
    let tried = [
        (GWEI, 0, false),
        (GWEI, GWEI / 10 - 1, false),
        (GWEI, GWEI / 10, true),
        (GWEI, 10 * GWEI, true),
        (GWEI, 10 * GWEI + 1, false),
        (10 * GWEI, GWEI - 1, false),
        (10 * GWEI, GWEI, true),
        (5_000 * GWEI, 10_000 * GWEI, true),
        (5_000 * GWEI, 10_000 * GWEI + 1, false),
        (GWEI, u64::MAX, false),
    ];
    for (before, after, is_taken) in tried {
        let state = &mut MemoryState::default();
        found_gas_parameters(state, GasParameters { base_fee_floor: before }).unwrap();
        let expected = if is_taken { Ok(()) } else { Err(refused.clone()) };
        assert_eq!(set(state, GOVERNANCE, after), expected, "{before} to {after}");
        assert_eq!(floor(state), if is_taken { after } else { before });
    }
}

#[test]
fn genesis_writes_nothing_for_the_default_and_takes_only_what_a_vote_could_reach() {
    let state = &mut MemoryState::default();
    found_gas_parameters(state, GasParameters::DEFAULT).unwrap();
    assert!(state.words.is_empty());
    for wrong in [0, GWEI / 10 - 1, 10_000 * GWEI + 1] {
        assert!(found_gas_parameters(state, GasParameters { base_fee_floor: wrong }).is_err());
    }
}

proptest! {
    #[test]
    fn a_valid_floor_is_stored_whole_and_is_no_word_of_zeros(floor in GWEI / 10..=10_000 * GWEI) {
        let parameters = GasParameters { base_fee_floor: floor };
        let [word] = parameters.pack().unwrap();
        prop_assert_ne!(word, U256::ZERO);
        prop_assert_eq!(GasParameters::of_word(word), Ok(parameters));
    }
}
