//! EIP-3009.

use super::*;
use sahara_abi::signing::{
    CancelAuthorization, ReceiveWithAuthorization, TransferWithAuthorization,
};

fn sign(chain_id: u64, message: &impl SolStruct) -> [u8; 65] {
    let hash = message.eip712_signing_hash(&coin_domain(chain_id));
    let digest = Message::from_digest(hash.0);
    let (id, rs) = SECP256K1.sign_ecdsa_recoverable(digest, &owner().0).serialize_compact();
    let v = 27 + u8::try_from(i32::from(id)).unwrap();
    [rs.as_slice(), &[v]].concat().try_into().unwrap()
}

fn parts(bytes: &[u8; 65]) -> Signed<'static> {
    Signed::Parts(bytes[64], B256::from_slice(&bytes[..32]), B256::from_slice(&bytes[32..64]))
}

/// Seven units for Bob, valid for the second of the block.
fn about(state: &MemoryState, nonce: u8) -> Authorization {
    let now = U256::from(state.block.timestamp.0);
    Authorization {
        from: owner().1,
        to: BOB,
        value: U256::from(7),
        valid_after: now - U256::ONE,
        valid_before: now + U256::ONE,
        nonce: B256::repeat_byte(nonce),
    }
}

fn transfer_message(a: Authorization) -> TransferWithAuthorization {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = a;
    TransferWithAuthorization {
        from,
        to,
        value,
        validAfter: valid_after,
        validBefore: valid_before,
        nonce,
    }
}

fn receive_message(a: Authorization) -> ReceiveWithAuthorization {
    let Authorization { from, to, value, valid_after, valid_before, nonce } = a;
    ReceiveWithAuthorization {
        from,
        to,
        value,
        validAfter: valid_after,
        validBefore: valid_before,
        nonce,
    }
}

fn funded() -> MemoryState {
    let mut state = MemoryState::default();
    state.fund(owner().1, amount(100));
    state
}

fn is_refused<E: alloy_sol_types::SolError>(result: Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Revert(bytes)) if bytes.starts_with(&E::SELECTOR))
}

#[test]
fn i5_an_authorization_works_once_whoever_brings_it() {
    let state = &mut funded();
    let (chain, first) = (state.block.chain_id, about(state, 1));
    let signature = sign(chain, &transfer_message(first));
    transfer_with_authorization(state, &first, Signed::Bytes(&signature)).unwrap();
    assert_eq!((balance(state, owner().1), balance(state, BOB)), (93, 7));
    assert_eq!(authorization_state(state, owner().1, first.nonce), Ok(true));
    let used = ICoin::AuthorizationUsedOrCanceled { authorizer: owner().1, nonce: first.nonce };
    let again = transfer_with_authorization(state, &first, parts(&signature));
    assert_eq!(again, Err(used.into()));
    // Another nonce waits for nobody, and both forms of a signature are one.
    let second = about(state, 0);
    let signature = sign(chain, &transfer_message(second));
    transfer_with_authorization(state, &second, parts(&signature)).unwrap();
    assert_eq!(balance(state, BOB), 14);
    assert_eq!(state.logs.len(), 4, "AuthorizationUsed and Transfer, twice");
}

#[test]
fn i5_an_authorization_is_valid_within_its_time_only() {
    let state = &mut funded();
    let (chain, now) = (state.block.chain_id, U256::from(state.block.timestamp.0));
    let early = Authorization { valid_after: now, ..about(state, 1) };
    let signature = sign(chain, &transfer_message(early));
    let error = ICoin::AuthorizationNotYetValid { validAfter: now };
    let result = transfer_with_authorization(state, &early, parts(&signature));
    assert_eq!(result, Err(error.into()));
    let late = Authorization { valid_before: now, ..about(state, 1) };
    let signature = sign(chain, &transfer_message(late));
    let error = ICoin::AuthorizationExpired { validBefore: now };
    let result = transfer_with_authorization(state, &late, parts(&signature));
    assert_eq!(result, Err(error.into()));
}

#[test]
fn i5_only_the_receiver_brings_what_is_for_its_own_call() {
    let state = &mut funded();
    let (chain, about) = (state.block.chain_id, about(state, 1));
    let signature = sign(chain, &receive_message(about));
    let error = ICoin::AuthorizationNotForCaller { caller: CAROL, to: BOB };
    let stolen = receive_with_authorization(state, CAROL, &about, parts(&signature));
    assert_eq!(stolen, Err(error.into()));
    let crossed = transfer_with_authorization(state, &about, parts(&signature));
    assert!(is_refused::<ICoin::AuthorizationInvalidSigner>(crossed), "another type");
    receive_with_authorization(state, BOB, &about, parts(&signature)).unwrap();
    assert_eq!(balance(state, BOB), 7);
}

#[test]
fn i5_what_is_cancelled_never_works_and_what_is_used_cannot_be_cancelled() {
    let state = &mut funded();
    let (chain, about) = (state.block.chain_id, about(state, 1));
    let (authorizer, nonce) = (owner().1, about.nonce);
    let forged = sign(chain, &transfer_message(about));
    let result = cancel_authorization(state, authorizer, nonce, parts(&forged));
    assert!(is_refused::<ICoin::AuthorizationInvalidSigner>(result));
    let word = sign(chain, &CancelAuthorization { authorizer, nonce });
    cancel_authorization(state, authorizer, nonce, Signed::Bytes(&word)).unwrap();
    let used = || ICoin::AuthorizationUsedOrCanceled { authorizer, nonce };
    let result = transfer_with_authorization(state, &about, parts(&forged));
    assert_eq!(result, Err(used().into()));
    let again = cancel_authorization(state, authorizer, nonce, parts(&word));
    assert_eq!(again, Err(used().into()));
    assert_eq!(balance(state, authorizer), 100);
}

#[test]
fn i5_an_authorization_of_another_chain_amount_or_signature_is_refused() {
    let state = &mut funded();
    let (chain, about) = (state.block.chain_id, about(state, 1));
    let good = sign(chain, &transfer_message(about));
    let foreign = sign(chain + 1, &transfer_message(about));
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let mut twin = good;
    twin[32..64].copy_from_slice(&(order - U256::from_be_slice(&good[32..64])).to_be_bytes::<32>());
    twin[64] = 55 - good[64];
    for bytes in [foreign, twin] {
        let result = transfer_with_authorization(state, &about, Signed::Bytes(&bytes));
        assert!(is_refused::<ICoin::AuthorizationInvalidSigner>(result));
    }
    let short = transfer_with_authorization(state, &about, Signed::Bytes(&good[..64]));
    assert!(is_refused::<ICoin::AuthorizationInvalidSigner>(short));
    let more = Authorization { value: U256::from(8), ..about };
    let result = transfer_with_authorization(state, &more, parts(&good));
    assert!(is_refused::<ICoin::AuthorizationInvalidSigner>(result));
}

#[test]
fn an_authorization_beyond_the_balance_is_not_used_up() {
    let state = &mut funded();
    let chain = state.block.chain_id;
    let about = Authorization { value: U256::from(101), ..about(state, 1) };
    let signature = sign(chain, &transfer_message(about));
    let result = state.atomically(|s| transfer_with_authorization(s, &about, parts(&signature)));
    assert!(is_refused::<ICoin::ERC20InsufficientBalance>(result));
    assert_eq!(authorization_state(state, about.from, about.nonce), Ok(false));
}
