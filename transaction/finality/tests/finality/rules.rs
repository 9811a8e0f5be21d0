//! I6: time never goes back, randomness leaves no choice, and every fixed field is fixed.

use std::num::NonZeroU64;

use alloy_primitives::{Address, B64, B256, U256};
use proptest::prelude::*;
use sahara_finality::{
    Block, EpochRules, RuleViolation, Seal, ValidatorSet, ValidatorSetError, check_child,
    check_header,
};

use crate::support::{Network, validator};

fn check(network: &Network, block: &Block) -> Result<(), RuleViolation> {
    check_among(network, block, &network.validators)
}

fn check_among(
    network: &Network,
    block: &Block,
    validators: &ValidatorSet,
) -> Result<(), RuleViolation> {
    let length = NonZeroU64::new(10).unwrap();
    let epoch = EpochRules { length, validators, next_validators: None };
    check_child(&network.genesis, block, &network.chain, &epoch)
}

type Change = fn(&mut Block);

/// Sets the time, as a proposer would.
fn at(block: &mut Block, milliseconds: u64) {
    block.header.nonce = B64::new(milliseconds.to_be_bytes());
    block.header.timestamp = milliseconds / 1000;
}

#[test]
fn a_block_that_keeps_the_rules_is_accepted() {
    let network = Network::new(3);
    for leader in 0..3 {
        check(&network, &network.child(&network.genesis, leader, Vec::new())).unwrap();
    }
}

proptest! {
    #[test]
    fn i6_time_never_goes_back(offset in -5_000_i64..5_000) {
        let network = Network::new(1);
        let mut block = network.child(&network.genesis, 0, Vec::new());
        let parent = network.genesis.milliseconds();
        at(&mut block, parent.checked_add_signed(offset).unwrap());
        let expected = if offset < 0 {
            Err(RuleViolation::TimeWentBack { parent, got: block.milliseconds() })
        } else {
            Ok(())
        };
        prop_assert_eq!(check(&network, &block), expected);
    }

    #[test]
    fn i6_seconds_and_milliseconds_agree(timestamp in any::<u64>(), milliseconds in any::<u64>()) {
        let mut header = Network::new(1).genesis.header;
        header.timestamp = timestamp;
        header.nonce = B64::new(milliseconds.to_be_bytes());
        prop_assert_eq!(check_header(&header).is_ok(), timestamp == milliseconds / 1000);
    }
}

#[test]
fn i6_randomness_is_the_leaders_and_unique() {
    let network = Network::new(2);
    let first = network.child(&network.genesis, 0, Vec::new());
    let again = network.child(&network.genesis, 0, Vec::new());
    assert_eq!(first.header.mix_hash, again.header.mix_hash, "a leader cannot draw twice");
    let other = network.child(&network.genesis, 1, Vec::new());
    assert_ne!(first.header.mix_hash, other.header.mix_hash);

    let mut swapped = first.clone();
    let (Seal::Round(mut seal), Seal::Round(others)) = (first.seal.clone(), other.seal) else {
        panic!("both are sealed");
    };
    seal.randomness = others.randomness;
    swapped.header.mix_hash = seal.prevrandao(network.genesis.header.mix_hash);
    swapped.seal = Seal::Round(seal);
    swapped.header.extra_data = swapped.seal.commitment().to_vec().into();
    assert_eq!(check(&network, &swapped), Err(RuleViolation::Randomness));

    let mut chosen = first;
    chosen.header.mix_hash = B256::repeat_byte(9);
    assert_eq!(check(&network, &chosen), Err(RuleViolation::Prevrandao));
}

#[test]
fn i6_randomness_of_another_network_is_refused() {
    let (network, other) = (Network::new(1), Network::new(2));
    let mut block = other.child(&network.genesis, 0, Vec::new());
    block.header.beneficiary = network.validators.as_slice()[0].fee_address;
    assert_eq!(check(&network, &block), Err(RuleViolation::Randomness));
}

#[test]
fn every_fixed_field_is_checked() {
    let network = Network::new(1);
    let changes: [(&str, Change); 10] = [
        ("sha3Uncles", |block| block.header.ommers_hash = B256::ZERO),
        ("difficulty", |block| block.header.difficulty = U256::from(1)),
        ("withdrawalsRoot", |block| block.header.withdrawals_root = None),
        ("blobGasUsed", |block| block.header.blob_gas_used = Some(1)),
        ("excessBlobGas", |block| block.header.excess_blob_gas = None),
        ("parentBeaconBlockRoot", |block| {
            block.header.parent_beacon_block_root = Some(B256::repeat_byte(1));
        }),
        ("requestsHash", |block| block.header.requests_hash = Some(B256::ZERO)),
        ("blockAccessListHash", |block| block.header.block_access_list_hash = Some(B256::ZERO)),
        ("slotNumber", |block| block.header.slot_number = Some(1)),
        ("baseFeePerGas", |block| block.header.base_fee_per_gas = None),
    ];
    for (field, change) in changes {
        let mut block = network.child(&network.genesis, 0, Vec::new());
        change(&mut block);
        assert_eq!(check(&network, &block), Err(RuleViolation::FixedField(field)));
    }
}

#[test]
fn number_parent_beneficiary_and_leader_are_checked() {
    let network = Network::new(2);
    let block = network.child(&network.genesis, 0, Vec::new());
    let grandchild = network.child(&block, 0, Vec::new());
    assert!(matches!(check(&network, &grandchild), Err(RuleViolation::Number { .. })));

    let mut other = block.clone();
    other.header.parent_hash = B256::ZERO;
    assert!(matches!(check(&network, &other), Err(RuleViolation::Parent { .. })));

    let mut other = block.clone();
    other.header.beneficiary = Address::ZERO;
    assert!(matches!(check(&network, &other), Err(RuleViolation::Beneficiary { .. })));

    let strangers = ValidatorSet::new(vec![validator(9)]).unwrap();
    let result = check_among(&network, &block, &strangers);
    assert_eq!(result, Err(RuleViolation::UnknownLeader));
}

#[test]
fn a_validator_set_is_ordered_distinct_and_proven() {
    let (one, two) = (validator(1), validator(2));
    let set = ValidatorSet::new(vec![one.clone(), two.clone()]).unwrap();
    assert_eq!(set, ValidatorSet::new(vec![two.clone(), one.clone()]).unwrap());
    assert_eq!(ValidatorSet::new(vec![]), Err(ValidatorSetError::Size(0)));
    assert_eq!(
        ValidatorSet::new(vec![one.clone(), one.clone()]),
        Err(ValidatorSetError::Duplicate)
    );
    let mut rogue = two;
    rogue.possession = one.possession;
    assert!(matches!(ValidatorSet::new(vec![one, rogue]), Err(ValidatorSetError::Possession(_))));
}

#[test]
fn a_validator_set_is_json() {
    let set = Network::new(3).validators;
    let text = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<ValidatorSet>(&text).unwrap(), set);
    assert!(text.contains("\"networkKey\":\"0x"), "{text}");
    assert!(serde_json::from_str::<ValidatorSet>("[]").is_err());
}
