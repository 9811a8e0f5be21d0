use super::*;
use crate::{
    GENESIS_SUPPLY,
    memory::MemoryState,
    state::{Failure, Write},
};
use alloy_primitives::{Address, B256, keccak256};
use alloy_sol_types::SolStruct;
use proptest::prelude::*;
use sahara_abi::{
    ICoin, INCENTIVE_POOL, PROTOCOLS,
    signing::{Permit, coin_domain},
};
use sahara_primitives::Amount;
use secp256k1::{Message, SECP256K1, SecretKey};

mod authorizations;
mod model;

const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const CAROL: Address = Address::repeat_byte(0xca);

fn amount(units: u128) -> Amount {
    Amount::from_u128(units)
}

fn with_coin() -> MemoryState {
    let mut state = MemoryState::default();
    state.fund(ALICE, amount(100));
    state
}

fn balance(state: &mut MemoryState, account: Address) -> u128 {
    balance_of(state, account).unwrap().to_u128().unwrap()
}

#[test]
fn the_supply_is_ten_billion() {
    assert_eq!(GENESIS_SUPPLY.to_string(), "10000000000");
}

#[test]
fn a_transfer_moves_native_coin_and_says_so() {
    let state = &mut with_coin();
    transfer(state, ALICE, BOB, amount(30)).unwrap();
    assert_eq!((balance(state, ALICE), balance(state, BOB)), (70, 30));
    assert_eq!(state.logs.len(), 1);
}

#[test]
fn more_than_there_is_cannot_be_moved() {
    let error = ICoin::ERC20InsufficientBalance {
        sender: ALICE,
        balance: U256::from(100),
        needed: U256::from(101),
    };
    assert_eq!(transfer(&mut with_coin(), ALICE, BOB, amount(101)), Err(error.into()));
}

#[test]
fn i3_no_protocol_and_not_the_zero_address_receives_coin() {
    let closed = PROTOCOLS.iter().map(|protocol| protocol.address).chain([Address::ZERO]);
    for receiver in closed {
        let error = ICoin::ERC20InvalidReceiver { receiver };
        assert_eq!(transfer(&mut with_coin(), ALICE, receiver, amount(1)), Err(error.into()));
    }
    assert!(transfer(&mut with_coin(), ALICE, INCENTIVE_POOL, amount(1)).is_ok());
}

#[test]
fn i2_what_a_protocol_holds_nobody_moves_not_even_the_protocol() {
    let mut state = with_coin();
    for protocol in PROTOCOLS {
        let holder = protocol.address;
        state.fund(holder, amount(5));
        let refused: Failure = ICoin::ERC20InvalidSender { sender: holder }.into();
        assert_eq!(transfer(&mut state, holder, ALICE, amount(1)), Err(refused));
        let refused: Failure = ICoin::ERC20InvalidApprover { approver: holder }.into();
        assert_eq!(approve(&mut state, holder, ALICE, U256::from(1)), Err(refused));
    }
}

#[test]
fn an_allowance_shrinks_as_it_is_used() {
    let state = &mut with_coin();
    approve(state, ALICE, BOB, U256::from(50)).unwrap();
    transfer_from(state, BOB, ALICE, CAROL, amount(20)).unwrap();
    assert_eq!(allowance(state, ALICE, BOB), Ok(U256::from(30)));
    let error = ICoin::ERC20InsufficientAllowance {
        spender: BOB,
        allowance: U256::from(30),
        needed: U256::from(31),
    };
    assert_eq!(transfer_from(state, BOB, ALICE, CAROL, amount(31)), Err(error.into()));
}

#[test]
fn an_allowance_without_limit_stays() {
    let state = &mut with_coin();
    approve(state, ALICE, BOB, U256::MAX).unwrap();
    transfer_from(state, BOB, ALICE, CAROL, amount(20)).unwrap();
    assert_eq!(allowance(state, ALICE, BOB), Ok(U256::MAX));
    let nobody = ICoin::ERC20InvalidSpender { spender: Address::ZERO };
    assert_eq!(approve(state, ALICE, Address::ZERO, U256::ONE), Err(nobody.into()));
}

fn owner() -> (SecretKey, Address) {
    let key = SecretKey::from_byte_array([9; 32]).unwrap();
    let [_, point @ ..] = key.public_key(SECP256K1).serialize_uncompressed();
    (key, Address::from_word(keccak256(point)))
}

fn signed(chain_id: u64, nonce: u64, deadline: u64) -> SignedPermit {
    let (key, owner) = owner();
    let (value, nonce, deadline) = (U256::from(7), U256::from(nonce), U256::from(deadline));
    let message = Permit { owner, spender: BOB, value, nonce, deadline };
    let hash = message.eip712_signing_hash(&coin_domain(chain_id));
    let (id, rs) =
        SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key).serialize_compact();
    let v = 27 + u8::try_from(i32::from(id)).unwrap();
    let (r, s) = (B256::from_slice(&rs[..32]), B256::from_slice(&rs[32..]));
    SignedPermit { owner, spender: BOB, value, deadline, v, r, s }
}

fn is_wrong_signer(result: Result<(), Failure>) -> bool {
    use alloy_sol_types::SolError;
    let selector = ICoin::ERC2612InvalidSigner::SELECTOR;
    matches!(result, Err(Failure::Revert(bytes)) if bytes.starts_with(&selector))
}

#[test]
fn i4_a_permit_works_once_and_in_time() {
    let state = &mut with_coin();
    let (chain, now) = (state.block.chain_id, state.block.timestamp.0);
    let late = ICoin::ERC2612ExpiredSignature { deadline: U256::from(now - 1) };
    assert_eq!(permit(state, signed(chain, 0, now - 1)), Err(late.into()));
    permit(state, signed(chain, 0, now)).unwrap();
    assert_eq!(allowance(state, owner().1, BOB), Ok(U256::from(7)));
    assert_eq!(nonce_of(state, owner().1), Ok(U256::ONE));
    assert!(is_wrong_signer(permit(state, signed(chain, 0, now))), "replayed");
}

#[test]
fn i4_a_permit_of_another_chain_or_a_twin_signature_is_refused() {
    let state = &mut with_coin();
    let (chain, now) = (state.block.chain_id, state.block.timestamp.0);
    assert!(is_wrong_signer(permit(state, signed(chain + 1, 0, now))));
    let good = signed(chain, 0, now);
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let twin = B256::from(order - U256::from_be_bytes(good.s.0));
    assert!(is_wrong_signer(permit(state, SignedPermit { s: twin, v: 55 - good.v, ..good })));
    assert!(is_wrong_signer(permit(state, SignedPermit { value: U256::from(8), ..good })));
    assert!(is_wrong_signer(permit(state, SignedPermit { owner: ALICE, ..good })));
}

proptest! {
    #[test]
    fn i1_nothing_is_created_or_lost(
        moves in proptest::collection::vec((0usize..3, 0usize..3, 0usize..3, 0u128..120, any::<bool>()), 1..40),
    ) {
        let state = &mut with_coin();
        let people = [ALICE, BOB, CAROL];
        for (spender, from, to, units, is_direct) in moves {
            let (spender, from, to) = (people[spender], people[from], people[to]);
            let before = balance(state, from);
            let allowed = allowance(state, from, spender).unwrap();
            let result = state.atomically(|state| if is_direct {
                transfer(state, from, to, amount(units))
            } else {
                approve(state, to, spender, U256::from(units))?;
                transfer_from(state, spender, from, to, amount(units))
            });
            let may = is_direct || from == to || allowed >= U256::from(units);
            prop_assert_eq!(result.is_ok(), may && before >= units);
            prop_assert_eq!(Amount::sum(state.balances.values().copied()), Ok(amount(100)));
        }
    }
}

#[test]
fn allowances_and_nonces_stand_in_their_slots() {
    let state = &mut with_coin();
    approve(state, ALICE, BOB, U256::from(5)).unwrap();
    let slot = storage::ALLOWANCES.slot((ALICE, BOB));
    assert_eq!(state.words.get(&(sahara_abi::COIN, slot)), Some(&U256::from(5)));
    state.store(sahara_abi::COIN, storage::NONCES.slot(BOB), U256::from(3)).unwrap();
    assert_eq!(nonce_of(state, BOB), Ok(U256::from(3)));
}
