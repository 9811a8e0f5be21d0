//! What was tried against the protocols, and must not succeed again.

use crate::governor::{propose, send, standing, town, view};
use crate::world::{COIN, Draft};
use alloy_primitives::{Address, U256};
use alloy_sol_types::{SolCall, SolError};
use sahara_abi::{
    COIN as COIN_PROTOCOL, GOVERNANCE, ICoin,
    IGovernance::{self, ProposalState},
    IStaking, STAKING,
};
use sahara_evm::call;

/// Init code that calls with the same data again and again until little gas is left, then remembers how
/// often.
fn hammer(to: Address, head: &[u8], length: u32) -> Vec<u8> {
    let mut code = Vec::new();
    for (index, chunk) in head.chunks(32).enumerate() {
        let mut word = [0_u8; 32];
        word[..chunk.len()].copy_from_slice(chunk);
        code.push(0x7f);
        code.extend(word);
        code.push(0x61);
        code.extend(u16::try_from(index * 32).unwrap().to_be_bytes());
        code.push(0x52);
    }
    code.extend([0x60, 0]);
    let start = u16::try_from(code.len()).unwrap();
    code.extend([0x5b, 0x60, 0, 0x60, 0, 0x62]);
    code.extend(&length.to_be_bytes()[1..]);
    code.extend([0x60, 0, 0x60, 0, 0x73]);
    code.extend(to.as_slice());
    code.extend([0x5a, 0xf1, 0x50, 0x60, 1, 0x01]);
    // While more than 700,000 gas is left, so that no call runs out of it.
    code.extend([0x62, 0x0a, 0xae, 0x60, 0x5a, 0x11, 0x61]);
    code.extend(start.to_be_bytes());
    code.extend([0x57, 0x60, 0, 0x55, 0x00]);
    code
}

/// Data of a proposal without calls and with a long description; it is refused after that was hashed.
fn long_proposal(length: u32) -> Vec<u8> {
    let word = |number: u32| U256::from(number).to_be_bytes::<32>();
    let mut head = <IGovernance::proposeCall as SolCall>::SELECTOR.to_vec();
    for offset in [0x80, 0x80, 0x80, 0xa0, 0] {
        head.extend(word(offset));
    }
    head.extend(word((length - 4 - 0xa0 - 64) / 32 * 32));
    head
}

#[test]
fn i8_call_data_is_paid_for_before_anything_looks_at_it() {
    const GAS: u64 = 3_000_000;
    let length: u32 = 512 * 1024;
    let words = u64::from(length / 32);
    for (head, price) in [(vec![1, 2, 3, 4], 12), (long_proposal(length), 18)] {
        let mut world = town();
        world.env.gas_limit = 300_000_000;
        let code = hammer(GOVERNANCE, &head, length);
        let nonce = world.nonce(2);
        let draft = Draft { key: 2, nonce, data: code.into(), gas: GAS, ..Draft::default() };
        let outcome = world.block(&[draft]);
        assert!(outcome.receipts[0].status);
        let contract = outcome.executions[0].contract_address.unwrap();
        let calls: u64 = world.state.storage[&contract][&U256::ZERO].to();
        assert!(calls > 0 && calls * words * price <= GAS, "{calls} calls");
    }
}

fn proposal(actions: &[(Address, Vec<u8>)]) -> IGovernance::proposeCall {
    IGovernance::proposeCall {
        targets: actions.iter().map(|(target, _)| *target).collect(),
        values: vec![U256::ZERO; actions.len()],
        calldatas: actions.iter().map(|(_, data)| data.clone().into()).collect(),
        description: String::new(),
    }
}

#[test]
fn no_vote_moves_the_coin_that_governance_holds_for_others() {
    let mut world = town();
    let thief = Address::repeat_byte(0x66);
    let value = COIN * U256::from(900);
    for data in [
        ICoin::transferCall { to: thief, value }.abi_encode(),
        ICoin::approveCall { spender: thief, value }.abi_encode(),
    ] {
        let propose = proposal(&[(COIN_PROTOCOL, data)]);
        let request = alloy_rpc_types_eth::TransactionRequest::default()
            .from(crate::world::account(1))
            .to(GOVERNANCE)
            .input(propose.abi_encode().into());
        let outcome = call(world.rules, &world.state, &world.env, &request, None).unwrap();
        let invalid = IGovernance::InvalidAction { index: U256::ZERO };
        assert_eq!(outcome.output, invalid.abi_encode(), "{}", outcome.output);
        assert!(!send(&mut world, 1, GOVERNANCE, U256::ZERO, &propose));
    }
}

#[test]
fn what_is_too_long_to_be_read_in_its_time_is_refused_when_it_is_proposed() {
    let mut world = town();
    world.env.gas_limit = 300_000_000;
    let parameters = view(&world, STAKING, &IStaking::parametersCall {});
    let mut data = IStaking::setParametersCall { parameters }.abi_encode();
    data.resize(8_000, 0);
    for (count, is_taken) in [(1, true), (10, false)] {
        let propose = proposal(&vec![(STAKING, data.clone()); count]);
        let draft = Draft::call(1, world.nonce(1), GOVERNANCE, propose.abi_encode());
        let outcome = world.block(&[Draft { gas: 16_000_000, ..draft }]);
        assert_eq!(outcome.receipts[0].status, is_taken, "{count}");
        assert!(outcome.executions[0].gas_used < 16_000_000);
    }
    let id = propose(&mut world, Address::ZERO, Vec::new());
    assert_eq!(standing(&world, id), ProposalState::Pending);
}

#[test]
fn comparing_the_books_is_paid_by_what_was_touched() {
    alloy_sol_types::sol! {
        struct Call3 { address target; bool allowFailure; bytes callData; }
        struct Result3 { bool success; bytes returnData; }
        function aggregate3(Call3[] calldata calls) external payable returns (Result3[] memory returnData);
    }
    let world = town();
    let parameters = view(&world, STAKING, &IStaking::parametersCall {});
    let data = IStaking::setParametersCall { parameters }.abi_encode();
    let propose = proposal(&[(STAKING, data)]).abi_encode();
    let touch = |number: u64| {
        let holder = Address::from_word(U256::from(number + 1_000).into());
        (COIN_PROTOCOL, ICoin::balanceOfCall { account: holder }.abi_encode())
    };
    // The contract has no deposit, so that trying the proposal out is all that happens.
    let gas = |touched: u64, is_proposing: bool| {
        let last = is_proposing.then(|| (GOVERNANCE, propose.clone()));
        let calls = (0..touched).map(touch).chain(last);
        let calls =
            calls.map(|(target, data)| Call3 { target, allowFailure: true, callData: data.into() });
        let input = aggregate3Call { calls: calls.collect() }.abi_encode();
        let request = alloy_rpc_types_eth::TransactionRequest::default()
            .to(sahara_evm::MULTICALL3)
            .input(input.into());
        let outcome = call(world.rules, &world.state, &world.env, &request, None).unwrap();
        let answers = aggregate3Call::abi_decode_returns(&outcome.output).unwrap();
        if is_proposing {
            let last = &answers.last().unwrap().returnData;
            assert!(last.starts_with(&IGovernance::InsufficientDeposit::SELECTOR), "{last}");
        }
        outcome.gas_used
    };
    let price = |touched| gas(touched, true) - gas(touched, false);
    assert!(price(300) >= price(0) + 300 * 100, "{} and {}", price(300), price(0));
}
