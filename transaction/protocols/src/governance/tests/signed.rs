//! Votes by signature.

use super::*;
use alloy_primitives::keccak256;
use alloy_sol_types::SolStruct;
use sahara_abi::signing::{Ballot, ExtendedBallot, governance_domain};
use secp256k1::{Message, SECP256K1, SecretKey};

fn signer() -> (SecretKey, Address) {
    let key = SecretKey::from_byte_array([7; 32]).unwrap();
    let [_, point @ ..] = key.public_key(SECP256K1).serialize_uncompressed();
    (key, Address::from_word(keccak256(point)))
}

fn sign(message: &impl SolStruct) -> Bytes {
    let hash = message.eip712_signing_hash(&governance_domain(sahara_primitives::LOCAL_CHAIN_ID));
    let (key, _) = signer();
    let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &key);
    let (id, compact) = signature.serialize_compact();
    [compact.as_slice(), &[27 + u8::try_from(i32::from(id)).unwrap()]].concat().into()
}

/// Two proposals on which votes are taken, and a voter with 5,000 SAHARA who sends nothing itself.
fn assembly() -> (Undo, [U256; 2], Address) {
    let mut world = world(1, 1);
    let (_, voter) = signer();
    world.state.fund(voter, Amount::from_coins(5_000));
    join(&mut world, voter, operator(0), 5_000 * COIN);
    pass(&mut world, DAY);
    let ids = ["one", "two"].map(|name| propose(&mut world, person(0), &[text()], name).unwrap());
    open(&mut world, ids[0]);
    (world, ids, voter)
}

#[test]
fn a_signed_ballot_counts_for_its_signer_once_and_for_one_proposal() {
    let (mut world, [id, other], voter) = assembly();
    let ballot = Ballot { proposalId: id, support: VETO, voter, nonce: U256::ZERO };
    let signature = sign(&ballot);
    let call = IGovernance::castVoteBySigCall { proposalId: id, support: VETO, voter, signature };
    let invalid: Failure = IGovernance::GovernorInvalidSignature { voter }.into();
    let mut changed = call.clone();
    changed.support = IN_FAVOUR;
    assert_eq!(world.call(STRANGER, GOVERNANCE, 0, &changed), Err(invalid.clone()));
    changed = call.clone();
    changed.proposalId = other;
    assert_eq!(world.call(STRANGER, GOVERNANCE, 0, &changed), Err(invalid.clone()));
    assert_eq!(world.call(STRANGER, GOVERNANCE, 0, &call), Ok(U256::from(5_000 * COIN)));
    assert_eq!(world.call(STRANGER, GOVERNANCE, 0, &call), Err(invalid));
    assert_eq!(ask(&mut world, &IGovernance::noncesCall { owner: voter }), U256::ONE);
    assert!(ask(&mut world, &IGovernance::hasVotedCall { proposalId: id, account: voter }));
}

#[test]
fn an_extended_ballot_carries_its_reason_and_parameters() {
    let (mut world, [id, _], voter) = assembly();
    let (reason, params) = (String::from("because"), Bytes::from(vec![1, 2, 3]));
    let (proposal_id, support, nonce) = (id, ABSTAIN, U256::ZERO);
    let ballot = ExtendedBallot {
        proposalId: proposal_id,
        support,
        voter,
        nonce,
        reason: reason.clone(),
        params: params.clone(),
    };
    let mut call = IGovernance::castVoteWithReasonAndParamsBySigCall {
        proposalId: id,
        support,
        voter,
        reason,
        params,
        signature: sign(&ballot),
    };
    call.reason.push('!');
    assert!(world.call(STRANGER, GOVERNANCE, 0, &call).is_err());
    call.reason.pop();
    world.call(STRANGER, GOVERNANCE, 0, &call).unwrap();
    let cast = logged::<IGovernance::VoteCastWithParams>(&world);
    assert_eq!((cast.len(), cast[0].reason.as_str(), cast[0].voter), (1, "because", voter));
}
