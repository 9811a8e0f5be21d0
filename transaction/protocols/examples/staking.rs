//! STAKE-1: what a slash and a reward cost, by the number of delegators behind the validator.
//!
//! `cargo run --release -p sahara-protocols --example staking -- 1000000`
//!
//! A line for each size: words read and written, transfers, gas if every word and account were cold
//! (specs/0009: 2,100 a read, 2,900 a change, 20,000 a fresh word, 5,500 a transfer), and
//! the processor time of the rule over a map in memory, median of many.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, looks at the clock, and fails by panicking"
)]

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use sahara_abi::{FEES, INCENTIVE_POOL, IStaking, STAKING, SYSTEM_CALLER};
use sahara_primitives::Amount;
use sahara_protocols::{Call, MemoryState, call, liabilities_total, memory::Count, staking};
use std::time::{Duration, Instant};

const VALIDATOR: Address = Address::repeat_byte(0xee);

/// Slashes and rewards measured at each size.
const ROUNDS: u64 = 100;

/// What one does.
#[derive(Debug, Default)]
struct Measured {
    count: Count,
    times: Vec<Duration>,
}

fn send<C: SolCall>(state: &mut MemoryState, caller: Address, value: Amount, request: &C) {
    let held = state.balances.get(&caller).copied().unwrap_or_default();
    let rest = held.checked_sub(value).expect("the caller has it");
    state.fund(caller, rest);
    let there = state.balances.get(&STAKING).copied().unwrap_or_default();
    state.fund(STAKING, there.checked_add(value).expect("less than all coin"));
    let data = request.abi_encode();
    call(STAKING, state, Call { caller, value, data: &data, is_static: false }).expect("taken");
    state.logs.clear();
}

/// A validator with so many delegators of one coin each.
fn crowd(delegators: u64) -> MemoryState {
    let mut state = MemoryState::default();
    let own = Amount::from_coins(1_000_000);
    state.fund(VALIDATOR, own);
    let create =
        IStaking::createValidatorCall { commission: 0, feeAddress: VALIDATOR, keys: Vec::new() };
    send(&mut state, VALIDATOR, own, &create);
    let join = IStaking::delegateCall { validator: VALIDATOR };
    for number in 0..delegators {
        let account = Address::left_padding_from(&(number | 1 << 40).to_be_bytes());
        state.fund(account, Amount::ONE_COIN);
        send(&mut state, account, Amount::ONE_COIN, &join);
    }
    state.fund(FEES, Amount::from_coins(1_000_000));
    state.block.timestamp.0 += 1;
    state
}

fn measure(state: &mut MemoryState, into: &mut Measured, work: impl FnOnce(&mut MemoryState)) {
    state.count = Count::default();
    let start = Instant::now();
    work(state);
    into.times.push(start.elapsed());
    into.count = state.count;
    state.logs.clear();
}

/// Rewards, and misses until the validator is slashed: only the last of a hundred is measured.
fn play(state: &mut MemoryState) -> [Measured; 2] {
    let [mut reward, mut slash] = <[Measured; 2]>::default();
    for _ in 0..ROUNDS {
        measure(state, &mut reward, |state| {
            let amount = Amount::from_coins(1);
            staking::reward(state, FEES, VALIDATOR, amount).expect("there is a stake");
        });
        let miss = |state: &mut MemoryState| {
            staking::participation(state, SYSTEM_CALLER, &[], &[VALIDATOR]).expect("counted");
        };
        (1..100).for_each(|_| miss(state));
        let before = state.balances.get(&INCENTIVE_POOL).copied().unwrap_or_default();
        measure(state, &mut slash, miss);
        let after = state.balances.get(&INCENTIVE_POOL).copied().unwrap_or_default();
        assert!(after > before, "the hundredth miss is a slash");
        state.block.timestamp.0 += 600;
        send(state, VALIDATOR, Amount::ZERO, &IStaking::unjailCall {});
    }
    [reward, slash]
}

fn print(what: &str, delegators: u64, mut measured: Measured) {
    measured.times.sort();
    let median = measured.times.get(measured.times.len() / 2).copied().unwrap_or_default();
    let Count { loads, stores, fresh_stores, transfers, gas, .. } = measured.count;
    let changes = stores - fresh_stores;
    let all = loads * 2_100 + changes * 2_900 + fresh_stores * 20_000 + transfers * 5_500 + gas;
    println!(
        "{what:6} {delegators:>9} delegators: {loads} words read, {stores} written, {transfers} transfers, at most {all} gas, {:.1} us",
        median.as_secs_f64() * 1e6
    );
}

fn main() {
    let asked = std::env::args().nth(1);
    let most: u64 = asked.map_or(100_000, |text| text.parse().expect("a number of delegators"));
    for delegators in [10, 1_000, 100_000, 1_000_000].into_iter().filter(|size| *size <= most) {
        let mut state = crowd(delegators);
        let [reward, slash] = play(&mut state);
        let held = state.balances.get(&STAKING).copied().unwrap_or_default().base_units();
        let owed = liabilities_total(STAKING, state.slots_of(STAKING)).expect("the words add up");
        assert_eq!(owed, held, "conserved to the unit");
        assert!(owed > U256::ZERO);
        print("reward", delegators, reward);
        print("slash", delegators, slash);
    }
}
