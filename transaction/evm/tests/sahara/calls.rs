//! Calls, estimates and traces.

use crate::world::{COIN, Draft, GWEI, STRANGER, World, account};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::{
    TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use alloy_rpc_types_trace::geth::{
    GethDebugBuiltInTracerType, GethDebugTracerType, GethDebugTracingOptions,
};
use alloy_sol_types::{Revert, SolCall, SolError};
use sahara_abi::{COIN as COIN_PROTOCOL, FEES, ICoin, SYSTEM, SYSTEM_CALLER};
use sahara_evm::{
    CallError, MULTICALL3, Refusal, Replay, TraceError, admit, call, create_access_list,
    estimate_gas, trace_block, trace_call, trace_transaction,
};

fn balance_of(holder: Address) -> TransactionRequest {
    let input = ICoin::balanceOfCall { account: holder }.abi_encode();
    TransactionRequest::default().to(COIN_PROTOCOL).input(input.into())
}

fn tracer(kind: GethDebugBuiltInTracerType) -> GethDebugTracingOptions {
    let tracer = Some(GethDebugTracerType::BuiltInTracer(kind));
    GethDebugTracingOptions { tracer, ..GethDebugTracingOptions::default() }
}

#[test]
fn a_call_reads_the_state_and_its_overrides() {
    let world = World::new();
    let run = |overrides| {
        let outcome = call(world.rules, &world.state, &world.env, &balance_of(STRANGER), overrides);
        U256::from_be_slice(&outcome.unwrap().output)
    };
    assert_eq!(run(None), U256::ZERO);
    let rich = AccountOverride::default().with_balance(COIN);
    let overrides: StateOverride = [(STRANGER, rich)].into_iter().collect();
    assert_eq!(run(Some(&overrides)), COIN);
}

#[test]
fn a_transfer_is_estimated_at_21000() {
    let world = World::new();
    let request = TransactionRequest::default().from(account(1)).to(STRANGER).value(COIN);
    for gas in [21_000, 100_000, 21_000] {
        let request = TransactionRequest { gas: Some(gas), ..request.clone() };
        let outcome = call(world.rules, &world.state, &world.env, &request, None);
        assert_eq!(outcome.unwrap().gas_used, 21_000);
    }
    let estimate = estimate_gas(world.rules, &world.state, &world.env, &request, None).unwrap();
    assert_eq!(estimate, 21_000);
    let poor = request.from(STRANGER);
    let refused = estimate_gas(world.rules, &world.state, &world.env, &poor, None).unwrap_err();
    assert!(matches!(refused, CallError::Refused(Refusal::InsufficientFunds { .. })), "{refused}");
}

#[test]
fn an_estimate_is_enough_and_little_more() {
    let mut world = World::new();
    let input = ICoin::transferCall { to: STRANGER, value: COIN }.abi_encode();
    let request = TransactionRequest::default()
        .from(account(1))
        .to(COIN_PROTOCOL)
        .input(input.clone().into());
    let gas = estimate_gas(world.rules, &world.state, &world.env, &request, None).unwrap();
    let draft = Draft { gas, ..Draft::call(1, 0, COIN_PROTOCOL, input) };
    let outcome = world.block(&[draft]);
    assert!(outcome.receipts[0].status);
    assert!(gas <= outcome.executions[0].gas_used * 103 / 100);
}

#[test]
fn an_estimate_of_what_fails_carries_the_revert() {
    let world = World::new();
    let input = ICoin::transferCall { to: STRANGER, value: COIN }.abi_encode();
    let request =
        TransactionRequest::default().from(STRANGER).to(COIN_PROTOCOL).input(input.into());
    let failed = estimate_gas(world.rules, &world.state, &world.env, &request, None).unwrap_err();
    let CallError::Failed(outcome) = &failed else { panic!("{failed}") };
    assert!(ICoin::ERC20InsufficientBalance::abi_decode(&outcome.output).is_ok());
    assert!(failed.to_string().starts_with("execution reverted"), "{failed}");
}

#[test]
fn multicall_answers_many_at_once() {
    alloy_sol_types::sol! {
        struct Call3 { address target; bool allowFailure; bytes callData; }
        struct Result3 { bool success; bytes returnData; }
        function aggregate3(Call3[] calldata calls) external payable returns (Result3[] memory returnData);
    }
    let world = World::new();
    let read = |holder| Call3 {
        target: COIN_PROTOCOL,
        allowFailure: false,
        callData: ICoin::balanceOfCall { account: holder }.abi_encode().into(),
    };
    let broken =
        |allowed| Call3 { target: COIN_PROTOCOL, allowFailure: allowed, callData: Bytes::new() };
    let run = |calls| {
        let input = aggregate3Call { calls }.abi_encode();
        let request = TransactionRequest::default().to(MULTICALL3).input(input.into());
        call(world.rules, &world.state, &world.env, &request, None).unwrap()
    };
    let good = run(vec![read(account(1)), broken(true), read(STRANGER)]);
    let answers = aggregate3Call::abi_decode_returns(&good.output).unwrap();
    assert_eq!(
        answers.iter().map(|answer| answer.success).collect::<Vec<_>>(),
        [true, false, true]
    );
    assert_eq!(U256::from_be_slice(&answers[0].returnData), world.state.balance(account(1)));
    let bad = run(vec![broken(false)]);
    assert!(!bad.is_success());
    assert_eq!(Revert::abi_decode(&bad.output).unwrap().reason, "Multicall3: call failed");
    assert_eq!(bad.failure(), "execution reverted: Multicall3: call failed");
}

#[test]
fn an_access_list_is_found_and_used() {
    let world = World::new();
    let request = balance_of(STRANGER).from(account(1));
    let (_, outcome) =
        create_access_list(world.rules, &world.state, &world.env, &request, None).unwrap();
    assert!(outcome.is_success());
}

#[test]
fn a_block_is_traced_with_its_system_transaction() {
    let world = World::new();
    let input = ICoin::transferCall { to: STRANGER, value: COIN }.abi_encode();
    let transactions = [
        Draft::transfer(1, 0, STRANGER, COIN).sign(),
        Draft::call(2, 0, COIN_PROTOCOL, input).sign(),
    ];
    let mut builder = world.builder();
    for transaction in &transactions {
        builder.try_transaction(transaction).unwrap().unwrap();
    }
    let outcome = builder.finish().unwrap();
    let block = Replay {
        env: &world.env,
        transactions: &transactions,
        system: outcome.system_transaction.as_ref(),
        hash: B256::repeat_byte(1),
    };
    let options = tracer(GethDebugBuiltInTracerType::CallTracer);
    let traces = trace_block(world.rules, &world.state, block, &options).unwrap();
    let frames: Vec<_> =
        traces.into_iter().map(|(_, trace)| trace.try_into_call_frame().unwrap()).collect();
    assert_eq!(frames.len(), 3);
    for (frame, execution) in frames.iter().zip(&outcome.executions) {
        assert_eq!(frame.gas_used, U256::from(execution.gas_used));
    }
    assert_eq!(
        (frames[1].to, frames[2].from, frames[2].to),
        (Some(COIN_PROTOCOL), SYSTEM_CALLER, Some(SYSTEM))
    );
    let one = trace_transaction(world.rules, &world.state, block, 1, &options).unwrap();
    assert_eq!(one.try_into_call_frame().unwrap(), frames[1]);
    let options = tracer(GethDebugBuiltInTracerType::PreStateTracer);
    let before = trace_transaction(world.rules, &world.state, block, 0, &options).unwrap();
    let before = serde_json::to_value(&before).unwrap();
    let sender = &before[format!("{:?}", account(1))];
    assert_eq!(sender["balance"], format!("{:#x}", world.state.balance(account(1))));
    assert!(trace_transaction(world.rules, &world.state, block, 3, &options).is_err());
}

#[test]
fn a_call_is_traced() {
    let world = World::new();
    let options = GethDebugTracingOptions::default();
    let request = balance_of(STRANGER);
    let trace =
        trace_call(world.rules, &world.state, &world.env, (&request, None), &options).unwrap();
    let frame = trace.try_into_default_frame().unwrap();
    assert!(!frame.failed);
}

/// Bytecode: how it begins, then what it repeats for ever.
fn forever(begin: &[u8], again: &[u8]) -> Bytes {
    let start = u8::try_from(begin.len()).unwrap();
    // JUMPDEST, what is repeated, PUSH1 start, JUMP.
    [begin, &[0x5b], again, &[0x60, start, 0x56]].concat().into()
}

#[test]
fn a_trace_that_would_fill_the_memory_is_refused() {
    let world = World::new();
    let steps = GethDebugTracingOptions::default();
    let calls = tracer(GethDebugBuiltInTracerType::CallTracer);
    let memory = {
        let mut options = steps.clone();
        options.config.enable_memory = Some(true);
        options
    };
    // Pushes that stay, then steps over a deep stack; slots of which each step shows all; a large memory;
    // calls of the identity with a large input.
    let deep = [vec![0x5f; 200], vec![0x5b; 10]].concat();
    let slots: &[u8] = &[0x5a, 0x54, 0x50];
    let large: &[u8] = &[0x61, 0xff, 0xff, 0x51, 0x50];
    let call: &[u8] = &[0x5f, 0x5f, 0x62, 0x01, 0x00, 0x00, 0x5f, 0x60, 0x04, 0x5a, 0xfa, 0x50];
    for (name, code, options) in [
        ("stack", forever(&deep, &[0x5f, 0x50]), &steps),
        ("slots", forever(&[], slots), &steps),
        ("memory", forever(&[], large), &memory),
        ("calls", forever(&[], call), &calls),
    ] {
        let rich = AccountOverride::default().with_code(code);
        let overrides: StateOverride = [(STRANGER, rich)].into_iter().collect();
        for gas in [None, Some(u64::MAX)] {
            let request = TransactionRequest { gas, ..TransactionRequest::default().to(STRANGER) };
            let call = (&request, Some(&overrides));
            let trace = trace_call(world.rules, &world.state, &world.env, call, options);
            assert!(matches!(trace, Err(TraceError::TooLarge)), "{name}: {trace:?}");
        }
        // What is modest is shown.
        let request =
            TransactionRequest { gas: Some(37_000), ..TransactionRequest::default().to(STRANGER) };
        let call = (&request, Some(&overrides));
        let trace = trace_call(world.rules, &world.state, &world.env, call, options);
        assert!(trace.is_ok(), "{name}: {trace:?}");
    }
}

#[test]
fn admission_says_what_can_be_spent() {
    let world = World::new();
    let ahead = Draft::transfer(1, 7, STRANGER, COIN).sign();
    let account = admit(world.rules, &world.state, &world.env, &ahead).unwrap().unwrap();
    assert_eq!((account.nonce, account.balance), (0, world.state.balance(ahead.signer())));
    let short = Draft { gas: 20_000, ..Draft::transfer(1, 0, STRANGER, COIN) }.sign();
    let refused = admit(world.rules, &world.state, &world.env, &short).unwrap().unwrap_err();
    assert!(matches!(refused, Refusal::IntrinsicGas { .. }));
    assert_eq!(world.state.balance(FEES), U256::ZERO);
    assert!(world.env.base_fee == GWEI);
}
