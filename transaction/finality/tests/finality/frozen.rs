//! The formats that others have stored or will send, byte for byte. A change here needs a version, not a
//! new snapshot: what was final under the old bytes must stay provable.

use std::fmt::Write as _;

use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, U256, hex};
use commonware_codec::Encode as _;
use commonware_consensus::{
    simplex::types::{
        Activity, Certificate, ConflictingFinalize, ConflictingNotarize, Finalization, Finalize,
        Notarization, Notarize, Nullification, Nullify, NullifyFinalize, Proposal, Vote,
    },
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use sahara_finality::{
    Handover, Scheme, Seal, SignedChange, Transaction, TxReceipt, ValidatorChange, ValidatorSet,
    proven_conflict, signer,
};

use crate::support::{CHAIN_ID, KINDS, Network, transaction};

fn each_kind() -> Vec<Transaction> {
    let signature = Signature::new(U256::from(7), U256::from(8), true);
    let fields = || (1, 2_000_000_000, Address::repeat_byte(3), 4, Bytes::from_static(b"input"));
    (0..KINDS).map(|kind| transaction(kind, fields(), signature)).collect()
}

fn change(network: &Network, next: &Network) -> SignedChange {
    let change = ValidatorChange {
        chain_id: CHAIN_ID,
        origin: network.chain.genesis,
        epoch: 1,
        current: network.validators.hash(),
        next: next.validators.clone(),
    };
    let signatures: Vec<_> = network.keys.iter().map(|keys| change.sign(&keys.consensus)).collect();
    change.collect(&network.validators, &signatures).unwrap()
}

fn receipt() -> TxReceipt {
    let data = LogData::new_unchecked(vec![B256::repeat_byte(5)], Bytes::from_static(b"data"));
    let log = Log { address: Address::repeat_byte(6), data };
    TxReceipt { type_byte: 2, status: true, cumulative_gas_used: 21_000, logs: vec![log].into() }
}

#[test]
fn formats_are_frozen() {
    let network = Network::new(4);
    let next = network.handed_to(&[3, 4, 5]);
    let block = network.child(&network.genesis, 0, each_kind());
    let closing = network.child_in(&block, 1, (0, Some(&next.validators)), Vec::new());
    let signed = network.certify(&block, &[0, 1, 2]).unwrap();
    let mut formats = vec![
        ("block", network.genesis.encoded()),
        ("block", block.encoded()),
        ("block", closing.encoded()),
        ("header", alloy_rlp::encode(&block.header)),
        ("certificate", [block.hash().to_vec(), signed].concat()),
        ("validators", network.validators.encoded()),
        ("set_change", change(&network, &next).encoded()),
        ("receipt", receipt().encoded()),
    ];
    let seals =
        [&network.genesis, &block, &closing].map(|block| ("seal", Seal::encoded(&block.seal)));
    formats.extend(seals);
    formats.extend(each_kind().iter().map(|one| ("transaction", one.encoded())));
    let mut text = String::new();
    for (name, bytes) in formats {
        writeln!(text, "{name} {}", hex::encode(bytes)).unwrap();
    }
    insta::assert_snapshot!(text);
}

/// What `sahara_getHandovers` answers and a receipt's proof in a file holds: a seat with a place on the network, and
/// others without.
#[test]
fn a_handover_as_json_is_frozen() {
    let network = Network::new(4);
    let mut seats = network.handed_to(&[3, 4, 5]).validators.as_slice().to_vec();
    seats[0].address = Some("203.0.113.7:9700".parse().unwrap());
    let validators = ValidatorSet::new(seats).unwrap();
    let closing = network.child_in(&network.genesis, 0, (0, Some(&validators)), Vec::new());
    let handover = Handover {
        header: alloy_rlp::encode(&closing.header).into(),
        seal: closing.seal.encoded().into(),
        certificate: network.certify(&closing, &[0, 1, 2]).unwrap().into(),
        validators,
    };
    let text = serde_json::to_string_pretty(&handover).unwrap();
    assert_eq!(serde_json::from_str::<Handover>(&text).unwrap(), handover);
    insta::assert_snapshot!(text);
}

fn round() -> Round {
    Round::new(Epoch::new(5), View::new(300))
}

fn notarize(scheme: &Scheme, block: u8) -> Notarize<Scheme, Digest> {
    let proposal = Proposal::new(round(), View::new(299), Digest([block; 32]));
    Notarize::sign(scheme, proposal).unwrap()
}

fn finalize(scheme: &Scheme, block: u8) -> Finalize<Scheme, Digest> {
    let proposal = Proposal::new(round(), View::new(299), Digest([block; 32]));
    Finalize::sign(scheme, proposal).unwrap()
}

fn nullify(scheme: &Scheme) -> Nullify<Scheme> {
    Nullify::sign::<Digest>(scheme, round()).unwrap()
}

/// Votes and certificates are what nodes of different versions say to each other. Evidence is a rule of
/// the chain besides, and a stored row: its bytes decide who is slashed.
#[test]
fn votes_certificates_and_evidence_are_frozen() {
    let network = Network::new(4);
    let schemes = network
        .keys
        .iter()
        .map(|keys| signer(&network.chain, &network.validators, keys.consensus.clone()).unwrap());
    let schemes = schemes.collect::<Vec<_>>();
    let (one, quorum) = (&schemes[1], &schemes[..3]);
    let votes: [Vote<Scheme, Digest>; 3] = [
        Vote::Notarize(notarize(one, 9)),
        Vote::Nullify(nullify(one)),
        Vote::Finalize(finalize(one, 9)),
    ];
    let notarized = quorum.iter().map(|one| notarize(one, 9)).collect::<Vec<_>>();
    let nullified = quorum.iter().map(nullify).collect::<Vec<_>>();
    let finalized = quorum.iter().map(|one| finalize(one, 9)).collect::<Vec<_>>();
    let notarized = Notarization::from_owned_notarizes(one, non_empty![@notarized], &Sequential);
    let nullified = Nullification::from_owned_nullifies(one, non_empty![@nullified], &Sequential);
    let finalized = Finalization::from_owned_finalizes(one, non_empty![@finalized], &Sequential);
    let certificates: [Certificate<Scheme, Digest>; 3] = [
        Certificate::Notarization(notarized.unwrap()),
        Certificate::Nullification(nullified.unwrap()),
        Certificate::Finalization(finalized.unwrap()),
    ];
    let evidence: [Activity<Scheme, Digest>; 3] = [
        Activity::ConflictingNotarize(ConflictingNotarize::new(notarize(one, 7), notarize(one, 9))),
        Activity::ConflictingFinalize(ConflictingFinalize::new(finalize(one, 7), finalize(one, 9))),
        Activity::NullifyFinalize(NullifyFinalize::new(nullify(one), finalize(one, 9))),
    ];
    let mut text = String::new();
    for vote in votes {
        writeln!(text, "vote {}", hex::encode(vote.encode())).unwrap();
    }
    for certificate in certificates {
        writeln!(text, "vote_certificate {}", hex::encode(certificate.encode())).unwrap();
    }
    let guilty = network.keys[1].validator(Address::ZERO);
    let (network_key, consensus_key) = (&guilty.network_key, &guilty.consensus_key);
    for (activity, tag) in evidence.into_iter().zip([7, 8, 9]) {
        let bytes = activity.encode();
        assert_eq!(bytes.first(), Some(&tag), "the kind of fault");
        let proven = proven_conflict(&network.chain, network_key, consensus_key, &bytes);
        assert_eq!(proven, Some(5), "of the epoch that the votes name");
        writeln!(text, "evidence {}", hex::encode(bytes)).unwrap();
    }
    insta::assert_snapshot!(text);
}
