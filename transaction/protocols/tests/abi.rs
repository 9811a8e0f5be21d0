//! Every selector of every interface is answered, and only as its mutability allows.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolError};
use sahara_abi::{IChannels, IProtocol, PROTOCOLS};
use sahara_primitives::Amount;
use sahara_protocols::{Call, Failure, MemoryState, is_protocol, protocols};

const CALLER: Address = Address::repeat_byte(0xca);

fn ask(protocol: Address, data: &[u8], value: u128, is_static: bool) -> Result<Bytes, Failure> {
    let mut state = MemoryState::default();
    state.fund(CALLER, Amount::ONE_COIN);
    let value = Amount::from_u128(value);
    state.call(protocol, Call { caller: CALLER, value, data, is_static })
}

fn is_refused_as<E: SolError>(answer: &Result<Bytes, Failure>) -> bool {
    matches!(answer, Err(Failure::Revert(bytes)) if bytes.starts_with(&E::SELECTOR))
}

/// The selector with arguments of zero words: empty arrays, zero numbers, first variants.
fn zeros(selector: &[u8]) -> Vec<u8> {
    [selector, &[0; 64 * 32]].concat()
}

#[test]
fn both_tables_of_protocols_are_equal() {
    let published: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.address).collect();
    assert_eq!(protocols(), published);
    assert!(published.iter().all(|address| is_protocol(*address)));
    assert!(!is_protocol(CALLER) && !is_protocol(Address::ZERO));
}

#[test]
fn every_selector_is_answered() {
    for protocol in PROTOCOLS {
        for function in (protocol.abi)().functions() {
            let data = zeros(function.selector().as_slice());
            let answer = ask(protocol.address, &data, 0, false);
            let name = format!("{}.{}", protocol.name, function.name);
            assert!(!is_refused_as::<IProtocol::InvalidCall>(&answer), "{name}: {answer:?}");
            assert!(!matches!(answer, Err(Failure::Fatal(_))), "{name}: {answer:?}");
        }
    }
}

#[test]
fn a_static_call_and_coin_are_refused_where_the_interface_says_so() {
    for protocol in PROTOCOLS {
        for function in (protocol.abi)().functions() {
            let data = zeros(function.selector().as_slice());
            let name = format!("{}.{}", protocol.name, function.name);
            let mutability = function.state_mutability.as_json_str();
            let in_static = ask(protocol.address, &data, 0, true);
            let changes = !matches!(mutability, "view" | "pure");
            assert_eq!(is_refused_as::<IProtocol::StaticCall>(&in_static), changes, "{name}");
            let with_coin = ask(protocol.address, &data, 1, false);
            let takes_none = mutability != "payable";
            assert_eq!(is_refused_as::<IProtocol::NotPayable>(&with_coin), takes_none, "{name}");
        }
    }
}

#[test]
fn unknown_and_malformed_calls_are_refused() {
    for protocol in PROTOCOLS {
        let refused = |data: &[u8]| {
            is_refused_as::<IProtocol::InvalidCall>(&ask(protocol.address, data, 0, false))
        };
        assert!(refused(&[]), "plain coin to {}", protocol.name);
        assert!(refused(&[1, 2, 3]) && refused(&zeros(&[0xff; 4])), "{}", protocol.name);
        for function in (protocol.abi)().functions().filter(|f| !f.inputs.is_empty()) {
            let data = zeros(function.selector().as_slice());
            assert!(refused(&data[..4]), "{}.{}", protocol.name, function.name);
            assert!(refused(&data[..20]), "{}.{}", protocol.name, function.name);
        }
    }
}

/// A `claimBatch` whose 200 claims are one claim, whose 200 lines are one line.
fn overlapping() -> Vec<u8> {
    const MANY: u64 = 200;
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let heads = |to: u64| std::iter::repeat_n(to, usize::try_from(MANY).unwrap_or(0));
    let selector = IChannels::claimBatchCall::SELECTOR.to_vec();
    // Offsets count from the first head of their array: a claim of eight words, its signature, lines.
    let claim = [0, 0, 0, 0, 0, 0, 8 * 32, 9 * 32, 0, MANY];
    let line = [0, 0, 0, 0, 5 * 32, 0];
    let words = [32, MANY].into_iter().chain(heads(MANY * 32)).chain(claim);
    let words = words.chain(heads(MANY * 32)).chain(line);
    selector.into_iter().chain(words.flat_map(word)).collect()
}

#[test]
fn arrays_that_overlap_are_refused_before_they_grow() {
    let data = overlapping();
    let answer = ask(sahara_abi::CHANNELS, &data, 0, false);
    assert!(is_refused_as::<IProtocol::InvalidCall>(&answer), "{answer:?}");
    assert!(IChannels::claimBatchCall::abi_decode(&data).is_ok(), "only its size is wrong");
}

#[test]
fn plain_coin_is_refused_and_stays_with_its_sender() {
    for protocol in protocols() {
        let mut state = MemoryState::default();
        state.fund(CALLER, Amount::ONE_COIN);
        let call = Call { caller: CALLER, value: Amount::ONE_COIN, data: &[], is_static: false };
        assert!(state.call(*protocol, call).is_err());
        assert_eq!(state.balances.get(&CALLER), Some(&Amount::ONE_COIN));
    }
}

#[test]
fn an_address_that_is_no_protocol_is_the_callers_mistake() {
    assert!(matches!(ask(CALLER, &[], 0, false), Err(Failure::Fatal(_))));
}
