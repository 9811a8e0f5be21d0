use super::*;
use crate::memory::MemoryState;
use alloy_sol_types::SolCall;
use proptest::prelude::*;
use sahara_abi::ISystem;
use sahara_primitives::Amount;

fn validator(number: u8) -> Address {
    Address::repeat_byte(number)
}

fn balance(state: &MemoryState, account: Address) -> u128 {
    state.balances.get(&account).and_then(|amount| amount.to_u128()).unwrap_or_default()
}

#[test]
fn validators_take_equal_parts_and_the_leader_the_rest() {
    let state = &mut MemoryState::default();
    state.fund(FEES, Amount::from_u128(1_003));
    end_block(state, validator(2), &[1, 2, 3, 3].map(validator)).unwrap();
    let paid = [1, 2, 3].map(|number| balance(state, validator(number)));
    assert_eq!(balance(state, INCENTIVE_POOL), 20);
    assert_eq!(paid, [245, 248, 490]);
    assert_eq!(balance(state, FEES), 0);
}

#[test]
fn only_the_system_ends_a_block() {
    let state = &mut MemoryState::default();
    let data = ISystem::endBlockCall { leader: validator(1), recipients: vec![], missed: vec![] }
        .abi_encode();
    let call = |caller| Call { caller, value: Amount::ZERO, data: &data, is_static: false };
    let refusal = OnlySystem { caller: validator(1) };
    assert_eq!(state.call(SYSTEM, call(validator(1))), Err(refusal.into()));
    assert!(state.call(SYSTEM, call(SYSTEM_CALLER)).is_ok());
}

#[test]
fn a_block_without_fees_says_nothing() {
    let state = &mut MemoryState::default();
    end_block(state, validator(1), &[validator(1)]).unwrap();
    assert_eq!(*state, MemoryState { count: state.count, ..MemoryState::default() });
}

proptest! {
    #[test]
    fn no_fee_is_lost(total in any::<u64>(), seats in proptest::collection::vec(1u8..9, 0..20)) {
        let state = &mut MemoryState::default();
        state.fund(FEES, Amount::from_u128(total.into()));
        let recipients: Vec<_> = seats.iter().copied().map(validator).collect();
        end_block(state, validator(1), &recipients).unwrap();
        let sum = Amount::sum(state.balances.values().copied()).unwrap();
        prop_assert_eq!(sum, Amount::from_u128(total.into()));
        prop_assert_eq!(balance(state, FEES), 0);
    }
}

mod gas;
mod governed;
