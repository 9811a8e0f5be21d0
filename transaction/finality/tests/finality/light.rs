//! I3 and I4: only a quorum makes a certificate, and the genesis hash is all one has to trust.

use std::sync::LazyLock;

use proptest::prelude::*;
use sahara_finality::{
    Block, CertificateError, ChainIdentity, LightClient, LightError, MAX_CERTIFICATE_BYTES,
    ValidatorSet, verify_finalization,
};

use crate::support::{CHAIN_ID, Network};

/// What a stranger is handed beside the genesis hash.
#[derive(Clone)]
struct Bundle {
    genesis: Vec<u8>,
    validators: String,
    header: Vec<u8>,
    certificate: Vec<u8>,
}

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::new(4));
static BLOCK: LazyLock<Block> = LazyLock::new(|| NETWORK.child(&NETWORK.genesis, 1, Vec::new()));
static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle {
    genesis: alloy_rlp::encode(&NETWORK.genesis.header),
    validators: serde_json::to_string(&NETWORK.validators).unwrap(),
    header: alloy_rlp::encode(&BLOCK.header),
    certificate: NETWORK.certify(&BLOCK, &[0, 1, 2]).unwrap(),
});

fn verify(bundle: &Bundle) -> Result<(), String> {
    let validators: ValidatorSet =
        serde_json::from_str(&bundle.validators).map_err(|error| error.to_string())?;
    let client = LightClient::new(NETWORK.chain.genesis, &bundle.genesis, CHAIN_ID, validators)
        .map_err(|error| error.to_string())?;
    let verified = client.verify(&bundle.header, &bundle.certificate);
    verified.map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn i4_the_genesis_hash_is_all_one_has_to_trust() {
    verify(&BUNDLE).unwrap();
}

proptest! {
    #[test]
    fn i4_no_byte_can_be_changed(
        part in 0..4_usize,
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut bundle = BUNDLE.clone();
        let mut text = bundle.validators.into_bytes();
        let target = match part {
            0 => &mut bundle.genesis,
            1 => &mut text,
            2 => &mut bundle.header,
            _ => &mut bundle.certificate,
        };
        *position.get_mut(target) ^= flip;
        let Ok(text) = String::from_utf8(text) else { return Ok(()) };
        // A digit in the other case is still the same digit.
        let same = serde_json::from_str::<ValidatorSet>(&text).is_ok_and(|set| set == NETWORK.validators);
        bundle.validators = text;
        prop_assert_eq!(verify(&bundle).is_ok(), part == 1 && same);
    }

    #[test]
    fn i4_nothing_can_be_added_or_cut(part in 0..3_usize, cut in 1..40_usize, add in any::<u8>()) {
        for grow in [true, false] {
            let mut bundle = BUNDLE.clone();
            let target = match part {
                0 => &mut bundle.genesis,
                1 => &mut bundle.header,
                _ => &mut bundle.certificate,
            };
            if grow { target.push(add) } else { target.truncate(target.len() - cut) }
            prop_assert!(verify(&bundle).is_err());
        }
    }

    #[test]
    fn i3_only_a_quorum_makes_a_certificate(signers in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4)) {
        let certificate = NETWORK.certify(&BLOCK, &signers);
        prop_assert_eq!(certificate.is_some(), signers.len() >= 3);
        if let Some(bytes) = certificate {
            let verified = verify_finalization(&NETWORK.chain, (0, &NETWORK.validators), BLOCK.hash(), &bytes);
            prop_assert!(verified.is_ok());
        }
    }
}

#[test]
fn i3_a_certificate_is_of_one_block_one_network_and_one_set() {
    let Network { chain, validators, .. } = &*NETWORK;
    let bytes = &BUNDLE.certificate;
    assert!(bytes.len() < MAX_CERTIFICATE_BYTES);
    let verify = |chain, set, hash| verify_finalization(chain, (0, set), hash, bytes).map(|_| ());
    assert_eq!(verify(chain, validators, BLOCK.hash()), Ok(()));
    assert!(matches!(
        verify(chain, validators, NETWORK.genesis.hash()),
        Err(CertificateError::OtherBlock { .. })
    ));
    let other = ChainIdentity { chain_id: CHAIN_ID + 1, ..*chain };
    assert_eq!(verify(&other, validators, BLOCK.hash()), Err(CertificateError::NoQuorum));
    let other = ChainIdentity { genesis: BLOCK.hash(), ..*chain };
    assert_eq!(verify(&other, validators, BLOCK.hash()), Err(CertificateError::NoQuorum));
    let five = Network::new(5).validators;
    assert!(verify(chain, &five, BLOCK.hash()).is_err());
}

#[test]
fn i4_a_header_is_final_through_its_descendants() {
    let network = &*NETWORK;
    let second = network.child(&BLOCK, 2, Vec::new());
    let third = network.child(&second, 3, Vec::new());
    let certificate = network.certify(&third, &[1, 2, 3]).unwrap();
    let encode = |block: &Block| alloy_rlp::encode(&block.header);
    let client = LightClient::new(
        network.chain.genesis,
        &BUNDLE.genesis,
        CHAIN_ID,
        network.validators.clone(),
    )
    .unwrap();
    let path = [encode(&second), encode(&third)];
    let verified = client.verify_through(&BUNDLE.header, &path, &certificate).unwrap();
    assert_eq!(verified.hash(), BLOCK.hash());

    let gap = client.verify_through(&BUNDLE.header, &path[1..], &certificate);
    assert_eq!(gap, Err(LightError::BrokenPath(3)));
    let short = client.verify_through(&BUNDLE.header, &path[..1], &certificate);
    assert!(matches!(short, Err(LightError::Certificate(CertificateError::OtherBlock { .. }))));
}

#[test]
fn i4_other_validators_than_those_of_genesis_are_refused() {
    let network = &*NETWORK;
    let others = Network::new(5).validators;
    let client = |chain_id, set| {
        LightClient::new(network.chain.genesis, &BUNDLE.genesis, chain_id, set).map(|_| ())
    };
    assert_eq!(client(CHAIN_ID, others), Err(LightError::OtherValidators));
    let same = network.validators.clone();
    assert_eq!(client(CHAIN_ID + 1, same), Err(LightError::OtherValidators));
}
