//! The invariants of the protocol `validators`: V1 to V3.
#![expect(clippy::unwrap_used, reason = "what cannot fail here ends the test")]

use alloy_primitives::{Address, B256};
use alloy_sol_types::{SolError, SolEvent};
use proptest::prelude::*;
use sahara_abi::IValidators;
use sahara_finality::{SignedChange, ValidatorChange, ValidatorKeys, ValidatorSet};
use sahara_protocols::{
    BlockContext, Failure, MemoryState,
    validators::{Founding, change, epoch_length, found, starts, validators_of},
};
use std::collections::BTreeMap;

const LENGTH: u64 = 10;
const ORIGIN: B256 = B256::repeat_byte(3);

fn keys(seed: u8) -> ValidatorKeys {
    ValidatorKeys::from_secret(&[seed; 32]).unwrap()
}

fn set(seeds: &[u8]) -> ValidatorSet {
    let seat = |seed: &u8| keys(*seed).validator(Address::repeat_byte(*seed));
    ValidatorSet::new(seeds.iter().map(seat).collect()).unwrap()
}

fn founded(first: &[u8]) -> MemoryState {
    let mut state = MemoryState::default();
    let validators = &set(first);
    found(
        &mut state,
        &Founding { epoch_length: LENGTH, origin: ORIGIN, validators, by_stake: false },
    )
    .unwrap();
    state
}

const fn at(state: &mut MemoryState, number: u64) {
    state.block = BlockContext { number, ..state.block };
}

fn signed(
    state: &MemoryState,
    epoch: u64,
    (current, signers): (&[u8], &[u8]),
    next: &[u8],
) -> Vec<u8> {
    let change = ValidatorChange {
        chain_id: state.block.chain_id,
        origin: ORIGIN,
        epoch,
        current: set(current).hash(),
        next: set(next),
    };
    let signatures: Vec<_> =
        signers.iter().map(|seed| change.sign(&keys(*seed).consensus)).collect();
    // Whoever collects makes no quorum of too few; a liar claims one.
    let mut collected = change.collect(&set(current), &signatures).unwrap_or_else(|_| {
        let all: Vec<_> = current.iter().map(|seed| change.sign(&keys(*seed).consensus)).collect();
        change.collect(&set(current), &all).unwrap()
    });
    collected.signers.truncate(signers.len());
    collected.encoded()
}

fn is<E: SolError>(outcome: Result<(), Failure>) -> bool {
    matches!(outcome, Err(Failure::Revert(bytes)) if bytes.starts_with(&E::SELECTOR))
}

fn set_at(state: &mut MemoryState, epoch: u64) -> ValidatorSet {
    ValidatorSet::decode(&validators_of(state, epoch).unwrap().unwrap().0).unwrap()
}

#[test]
fn v3_every_epoch_has_a_set() {
    let mut state = founded(&[1, 2, 3, 4]);
    for epoch in [0, 1, 1_000_000] {
        assert_eq!(set_at(&mut state, epoch), set(&[1, 2, 3, 4]));
    }
    assert_eq!(epoch_length(&mut state), Ok(LENGTH));
    assert_eq!(starts(&mut state), Ok(vec![0]));
}

#[test]
fn v2_a_quorum_replaces_the_set_from_the_next_epoch_on() {
    let mut state = founded(&[1, 2, 3, 4]);
    at(&mut state, 25);
    let message = signed(&state, 2, (&[1, 2, 3, 4], &[1, 2, 4]), &[2, 3, 4, 5, 6]);
    change(&mut state, &message).unwrap();
    assert_eq!(set_at(&mut state, 2), set(&[1, 2, 3, 4]));
    assert_eq!(set_at(&mut state, 3), set(&[2, 3, 4, 5, 6]));
    assert_eq!(set_at(&mut state, 9), set(&[2, 3, 4, 5, 6]));
    assert_eq!(starts(&mut state), Ok(vec![0, 3]));
    let log = IValidators::ValidatorsChanged::decode_log(&state.logs[0]).unwrap();
    assert_eq!((log.epoch, log.validators), (3, set(&[2, 3, 4, 5, 6]).hash()));

    // The new set decides about the next; the old one does not any more (V3: both stay readable).
    at(&mut state, 31);
    let old = signed(&state, 3, (&[1, 2, 3, 4], &[1, 2, 3, 4]), &[1]);
    assert!(is::<IValidators::ChangeRefused>(change(&mut state, &old)));
    let new = signed(&state, 3, (&[2, 3, 4, 5, 6], &[2, 3, 4, 5]), &[5]);
    change(&mut state, &new).unwrap();
    assert_eq!(set_at(&mut state, 4), set(&[5]));
    assert_eq!(set_at(&mut state, 0), set(&[1, 2, 3, 4]));
}

#[test]
fn v2_too_few_strangers_and_other_epochs_are_refused() {
    let mut state = founded(&[1, 2, 3, 4]);
    let before = state.words.clone();
    let few = signed(&state, 0, (&[1, 2, 3, 4], &[1, 2]), &[5]);
    assert!(is::<IValidators::ChangeRefused>(change(&mut state, &few)));
    let early = signed(&state, 1, (&[1, 2, 3, 4], &[1, 2, 3]), &[5]);
    assert!(is::<IValidators::WrongEpoch>(change(&mut state, &early)));
    assert!(is::<IValidators::ChangeRefused>(change(&mut state, &[])));
    let good = signed(&state, 0, (&[1, 2, 3, 4], &[1, 2, 3]), &[5]);
    let mut other = SignedChange::decode(&good).unwrap();
    other.next = set(&[6]);
    assert!(is::<IValidators::ChangeRefused>(change(&mut state, &other.encoded())));
    state.block.chain_id += 1;
    assert!(is::<IValidators::ChangeRefused>(change(&mut state, &good)));
    assert_eq!(state.words, before);
}

#[test]
fn v1_a_set_is_decided_once_and_not_in_the_last_block() {
    let mut state = founded(&[1, 2, 3, 4]);
    let message = signed(&state, 0, (&[1, 2, 3, 4], &[1, 2, 3]), &[5, 6]);
    at(&mut state, LENGTH - 1);
    assert!(is::<IValidators::EpochCloses>(change(&mut state, &message)));
    at(&mut state, LENGTH - 2);
    change(&mut state, &message).unwrap();
    assert!(is::<IValidators::AlreadyChanged>(change(&mut state, &message)));
}

#[test]
fn checking_is_paid_for_before_it_is_done() {
    let mut state = founded(&[1, 2, 3, 4]);
    let gas = state.count.gas;
    assert!(change(&mut state, &[0; 100]).is_err());
    assert!(state.count.gas - gas > 400_000);
}

/// What somebody tries.
#[derive(Clone, Debug)]
enum Step {
    /// So many blocks pass.
    Wait(u64),
    /// A change for the epoch so many away from now, minus one, signed by so many of the validators of an
    /// epoch so many back, to these.
    Change { ahead: u64, back: u64, signers: usize, next: Vec<u8> },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seats = proptest::sample::subsequence((1..=6).collect::<Vec<u8>>(), 1..=5);
    let change = (prop_oneof![8 => Just(1_u64), 1 => 0..3_u64], 0..2_u64, 1..=5_usize, seats)
        .prop_map(|(ahead, back, signers, next)| Step::Change { ahead, back, signers, next });
    proptest::collection::vec(prop_oneof![(1..9_u64).prop_map(Step::Wait), change], 1..16)
}

/// The refusal that the rules owe, by its selector: none when the change holds.
fn owed(
    sets: &BTreeMap<u64, Vec<u8>>,
    (number, epoch): (u64, u64),
    (is_current, signers): (bool, usize),
) -> Option<[u8; 4]> {
    let now = number / LENGTH;
    let seats = sets.range(..=now).next_back().unwrap().1.len();
    if epoch != now {
        return Some(IValidators::WrongEpoch::SELECTOR);
    }
    if !is_current || signers < seats - (seats - 1) / 3 {
        return Some(IValidators::ChangeRefused::SELECTOR);
    }
    if number % LENGTH == LENGTH - 1 {
        return Some(IValidators::EpochCloses::SELECTOR);
    }
    sets.contains_key(&(now + 1)).then_some(IValidators::AlreadyChanged::SELECTOR)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn v1_v2_v3_the_rules_do_what_a_list_of_sets_does(steps in steps()) {
        let first = vec![1, 2, 3, 4];
        let mut state = founded(&first);
        let mut sets = BTreeMap::from([(0, first)]);
        let mut number = 0;
        for step in steps {
            let (ahead, back, signers, next) = match step {
                Step::Wait(blocks) => {
                    number += blocks;
                    at(&mut state, number);
                    continue;
                }
                Step::Change { ahead, back, signers, next } => (ahead, back, signers, next),
            };
            let now = number / LENGTH;
            let seats = |epoch| sets.range(..=epoch).next_back().unwrap().1.clone();
            let (current, signing) = (seats(now), seats(now.saturating_sub(back)));
            let signers = signers.min(signing.len());
            let epoch = (now + ahead).saturating_sub(1);
            let message = signed(&state, epoch, (&signing, &signing[..signers]), &next);
            let owed = owed(&sets, (number, epoch), (signing == current, signers));
            let outcome = change(&mut state, &message);
            match owed {
                None => {
                    prop_assert_eq!(outcome, Ok(()));
                    sets.insert(now + 1, next);
                }
                Some(selector) => {
                    let Err(Failure::Revert(bytes)) = &outcome else { panic!("{outcome:?}") };
                    prop_assert_eq!(&bytes[..4], &selector);
                }
            }
            let asked: Vec<_> = sets.keys().copied().collect();
            prop_assert_eq!(starts(&mut state), Ok(asked));
            for epoch in 0..now + 3 {
                let (_, seats) = sets.range(..=epoch).next_back().unwrap();
                prop_assert_eq!(set_at(&mut state, epoch), set(seats));
            }
        }
    }
}
