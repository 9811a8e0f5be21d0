//! Names, selectors and topics are what the world calls: a change here is a reviewed decision.

use alloy_sol_types::SolStruct;
use sahara_abi::{IChannels, IIntents, IMarket, PROTOCOLS, Protocol, protocol_at, signing};
use std::collections::BTreeSet;

fn lines(protocol: &Protocol) -> String {
    let abi = (protocol.abi)();
    let functions = abi.functions().map(|function| {
        let mutability = function.state_mutability.as_json_str();
        let outputs: Vec<_> = function.outputs.iter().map(|o| o.selector_type()).collect();
        let (selector, signature) = (function.selector(), function.signature());
        format!("{selector} {mutability:<10} {signature} -> ({})", outputs.join(","))
    });
    let events = abi.events().map(|e| format!("{} {}", e.selector(), e.full_signature()));
    let errors = abi.errors().map(|e| format!("{} error {}", e.selector(), e.signature()));
    let mut all: Vec<_> = functions.chain(events).chain(errors).collect();
    all.sort_by_key(|line| line.split_once(' ').map(|(_, rest)| rest.to_owned()));
    format!("{} at {}\n{}", protocol.name, protocol.address, all.join("\n"))
}

#[test]
fn every_interface_keeps_its_words() {
    for protocol in PROTOCOLS {
        insta::assert_snapshot!(protocol.name, lines(protocol));
    }
}

#[test]
fn no_two_words_of_an_interface_share_a_selector() {
    for protocol in PROTOCOLS {
        let abi = protocol.interface();
        let functions: Vec<_> = abi.functions().map(|f| f.selector()).collect();
        let errors: Vec<_> = abi.errors().map(|e| e.selector()).collect();
        assert_eq!(functions.iter().collect::<BTreeSet<_>>().len(), functions.len());
        assert_eq!(errors.iter().collect::<BTreeSet<_>>().len(), errors.len());
    }
}

#[test]
fn addresses_are_in_order_and_found() {
    let addresses: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.address).collect();
    assert!(addresses.is_sorted());
    for address in addresses {
        assert_eq!(protocol_at(address).map(|protocol| protocol.address), Some(address));
    }
    assert!(protocol_at(sahara_abi::FEES).is_none(), "an account, not a protocol");
}

#[test]
fn signed_messages_keep_their_types_and_domains() {
    let chain = sahara_primitives::LOCAL_CHAIN_ID;
    let types = [
        IChannels::Reservation::eip712_encode_type(),
        IChannels::KeyGrant::eip712_encode_type(),
        IChannels::Voucher::eip712_encode_type(),
        IChannels::Earning::eip712_encode_type(),
        signing::Permit::eip712_encode_type(),
        signing::TransferWithAuthorization::eip712_encode_type(),
        signing::ReceiveWithAuthorization::eip712_encode_type(),
        signing::CancelAuthorization::eip712_encode_type(),
        signing::Ballot::eip712_encode_type(),
        signing::ExtendedBallot::eip712_encode_type(),
        signing::Request::eip712_encode_type(),
        signing::Output::eip712_encode_type(),
        signing::VaultRequest::eip712_encode_type(),
        IMarket::Listing::eip712_encode_type(),
        IIntents::Intent::eip712_encode_type(),
    ];
    let domains = [
        signing::channels_domain(chain),
        signing::coin_domain(chain),
        signing::market_domain(chain),
        signing::governance_domain(chain),
        signing::vault_domain(chain),
        signing::intents_domain(chain),
    ]
    .map(|domain| format!("{} {}", domain.encode_type(), domain.separator()));
    insta::assert_snapshot!(format!("{}\n{}", types.join("\n"), domains.join("\n")));
}
