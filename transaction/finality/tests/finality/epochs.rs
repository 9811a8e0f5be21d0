//! I12 and I13: sets change at the end of an epoch, by a quorum's decision, and whoever trusts the
//! genesis hash can follow them.

use std::{num::NonZeroU64, sync::LazyLock};

use alloy_primitives::B256;
use commonware_cryptography::Signer as _;
use proptest::prelude::*;
use sahara_finality::{
    Block, CertificateError, ChangeError, EpochRules, Handover, LightClient, LightError, RoundSeal,
    RuleViolation, Seal, SignedChange, ValidatorChange, ValidatorSet, ValidatorSetError,
    check_child, closes_epoch, epoch_of, genesis_block, verify_finalization,
};

use crate::support::{CHAIN_ID, Network, keys, validator};

const LENGTH: NonZeroU64 = NonZeroU64::new(2).unwrap();

fn encode(block: &Block) -> Vec<u8> {
    alloy_rlp::encode(&block.header)
}

static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::new);
static FOUR: LazyLock<Network> = LazyLock::new(|| Network::new(4));
static SIGNED: LazyLock<Vec<u8>> = LazyLock::new(|| signed(&FOUR, 3).encoded());

/// Validators 1 to 4 in epoch 0 (blocks 0 and 1), then 3 to 6 in epoch 1 (blocks 2 and 3), then 7.
struct Chain {
    first: Network,
    second: Network,
    third: Network,
    blocks: Vec<Block>,
}

impl Chain {
    fn new() -> Self {
        let first = Network::new(4);
        let second = first.handed_to(&[3, 4, 5, 6]);
        let third = first.handed_to(&[7]);
        let genesis = first.genesis.clone();
        let one = first.child_in(&genesis, 0, (0, Some(&second.validators)), Vec::new());
        let two = second.child_in(&one, 1, (1, None), Vec::new());
        let three = second.child_in(&two, 2, (1, Some(&third.validators)), Vec::new());
        let four = third.child_in(&three, 0, (2, None), Vec::new());
        Self { first, second, third, blocks: vec![genesis, one, two, three, four] }
    }

    fn handover(&self, network: &Network, number: usize, next: &Network) -> Handover {
        let block = &self.blocks[number];
        let signers: Vec<_> = (0..network.validators.quorum()).collect();
        Handover {
            header: encode(block).into(),
            seal: block.seal.encoded().into(),
            certificate: network.certify(block, &signers).unwrap().into(),
            validators: next.validators.clone(),
        }
    }

    fn handovers(&self) -> [Handover; 2] {
        [self.handover(&self.first, 1, &self.second), self.handover(&self.second, 3, &self.third)]
    }

    fn client(&self) -> LightClient {
        let validators = self.first.validators.clone();
        let genesis = encode(&self.first.genesis);
        LightClient::new(self.first.chain.genesis, &genesis, CHAIN_ID, validators).unwrap()
    }
}

#[test]
fn i12_sets_are_followed_from_genesis() {
    let chain = &*CHAIN;
    let client = chain.client().following(&chain.handovers()).unwrap();
    for (number, network) in [(1, &chain.first), (2, &chain.second), (4, &chain.third)] {
        let block = &chain.blocks[number];
        let certificate = network.certify(block, &(0..network.keys.len()).collect::<Vec<_>>());
        let verified = client.verify(&encode(block), &certificate.unwrap()).unwrap();
        assert_eq!(verified.hash(), block.hash());
    }
    assert_eq!(client.validators(0), Some(&chain.first.validators));
    assert_eq!(client.validators(1), Some(&chain.second.validators));
    assert_eq!(client.validators(9), Some(&chain.third.validators));
}

#[test]
fn i12_a_set_is_trusted_only_in_its_own_epochs() {
    let chain = &*CHAIN;
    let [first, second] = chain.handovers();
    let block = encode(&chain.blocks[4]);
    let certificate = chain.third.certify(&chain.blocks[4], &[0]).unwrap();
    // Without having been shown how the set came about.
    assert!(chain.client().verify(&block, &certificate).is_err());
    // A handover whose own epoch is not known yet.
    assert!(chain.client().following([&second]).is_err());
    // The former set signs on.
    let client = chain.client().following([&first]).unwrap();
    let old = chain.first.certify(&chain.blocks[2], &[0, 1, 2]).unwrap();
    assert!(client.verify(&encode(&chain.blocks[2]), &old).is_err());
    // Both sets together verify what each signed in its epoch.
    let known = (1, &chain.second.validators);
    let wrong = chain.first.certify(&chain.blocks[1], &[0, 1, 2]).unwrap();
    let verified =
        verify_finalization(&chain.first.chain, known, chain.blocks[1].hash(), &wrong).map(|_| ());
    assert_eq!(verified, Err(CertificateError::OtherEpoch { expected: 1, got: 0 }));
}

proptest! {
    #[test]
    fn i4_no_byte_of_a_handover_can_be_changed(
        part in 0..3_usize,
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let chain = &*CHAIN;
        let [mut first, _] = chain.handovers();
        let target = [&mut first.header, &mut first.seal, &mut first.certificate].remove_at(part);
        let mut bytes = target.to_vec();
        *position.get_mut(&mut bytes) ^= flip;
        *target = bytes.into();
        prop_assert!(chain.client().hand_over(&first).is_err());
    }

    #[test]
    fn i13_only_a_quorum_decides(signers in prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4)) {
        let network = &*FOUR;
        let change = change(network, 3);
        let signatures: Vec<_> =
            signers.iter().map(|index| change.sign(&network.keys[*index].consensus)).collect();
        let collected = change.collect(&network.validators, &signatures);
        prop_assert_eq!(collected.is_ok(), signers.len() >= 3);
        if let Ok(signed) = collected {
            let decoded = SignedChange::decode(&signed.encoded()).unwrap();
            prop_assert_eq!(decoded.verify(CHAIN_ID, ORIGIN, &network.validators), Ok(()));
        }
    }

    #[test]
    fn i13_no_byte_of_a_change_can_be_changed(
        position in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let network = &*FOUR;
        let mut bytes = SIGNED.clone();
        *position.get_mut(&mut bytes) ^= flip;
        let verified = SignedChange::decode(&bytes)
            .and_then(|change| change.verify(CHAIN_ID, ORIGIN, &network.validators));
        prop_assert!(verified.is_err());
    }

    #[test]
    fn i2_a_set_decodes_to_itself(count in 1..6_u8, port in any::<u16>()) {
        let mut all: Vec<_> = (1..=count).map(validator).collect();
        all[0].address = Some(([127, 0, 0, 1], port).into());
        let set = ValidatorSet::new(all).unwrap();
        prop_assert_eq!(&ValidatorSet::decode(&set.encoded()).unwrap(), &set);
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(serde_json::from_str::<ValidatorSet>(&text).unwrap(), set);
    }
}

trait RemoveAt<T> {
    fn remove_at(self, index: usize) -> T;
}

impl<T, const N: usize> RemoveAt<T> for [T; N] {
    fn remove_at(self, index: usize) -> T {
        self.into_iter().nth(index).unwrap()
    }
}

const ORIGIN: B256 = B256::repeat_byte(8);

fn change(network: &Network, epoch: u64) -> ValidatorChange {
    ValidatorChange {
        chain_id: CHAIN_ID,
        origin: ORIGIN,
        epoch,
        current: network.validators.hash(),
        next: ValidatorSet::new(vec![validator(8), validator(9)]).unwrap(),
    }
}

fn signed(network: &Network, epoch: u64) -> SignedChange {
    let change = change(network, epoch);
    let signatures: Vec<_> = network.keys.iter().map(|one| change.sign(&one.consensus)).collect();
    change.collect(&network.validators, &signatures).unwrap()
}

#[test]
fn i13_a_change_is_of_one_network_one_epoch_and_one_set() {
    let network = &*FOUR;
    let signed = signed(network, 3);
    let set = &network.validators;
    assert_eq!(signed.verify(CHAIN_ID, ORIGIN, set), Ok(()));
    let refused = Err(ChangeError::Signature);
    assert_eq!(signed.verify(CHAIN_ID + 1, ORIGIN, set), refused);
    assert_eq!(signed.verify(CHAIN_ID, B256::ZERO, set), refused);
    assert_eq!(SignedChange { epoch: 4, ..signed.clone() }.verify(CHAIN_ID, ORIGIN, set), refused);
    let others = Network::new(5).validators;
    assert!(signed.verify(CHAIN_ID, ORIGIN, &others).is_err());
    let twice = SignedChange { signers: vec![0, 0, 0], ..signed.clone() };
    assert_eq!(twice.verify(CHAIN_ID, ORIGIN, set), Err(ChangeError::Signers(4)));
    let fewer = SignedChange { signers: vec![0, 1], ..signed };
    let short = Err(ChangeError::NoQuorum { got: 2, seats: 4, quorum: 3 });
    assert_eq!(fewer.verify(CHAIN_ID, ORIGIN, set), short);
}

#[test]
fn i13_strangers_and_repetitions_do_not_count() {
    let network = &*FOUR;
    let change = change(network, 0);
    let one = change.sign(&network.keys[0].consensus);
    let stranger = change.sign(&keys(9).consensus);
    let collected = change.collect(&network.validators, &[one, one, stranger]);
    assert_eq!(collected, Err(ChangeError::NoQuorum { got: 1, seats: 4, quorum: 3 }));
}

#[test]
fn i12_the_last_block_of_an_epoch_names_the_next_set_and_no_other_does() {
    let chain = &*CHAIN;
    let Chain { first, second, third, blocks } = chain;
    let check = |parent: usize, block: &Block, validators, next: Option<&Network>| {
        let next_validators = next.map(|next| next.validators.hash());
        let epoch = EpochRules { length: LENGTH, validators, next_validators };
        check_child(&blocks[parent], block, &first.chain, &epoch)
    };
    check(0, &blocks[1], &first.validators, Some(second)).unwrap();
    check(1, &blocks[2], &second.validators, None).unwrap();
    check(2, &blocks[3], &second.validators, Some(third)).unwrap();

    let refused = check(0, &blocks[1], &first.validators, Some(third));
    assert!(matches!(refused, Err(RuleViolation::NextValidators { .. })));
    let silent = first.child_in(&blocks[0], 0, (0, None), Vec::new());
    let refused = check(0, &silent, &first.validators, Some(second));
    assert!(matches!(refused, Err(RuleViolation::NextValidators { .. })));
    let early = second.child_in(&blocks[1], 0, (1, Some(&third.validators)), Vec::new());
    let refused = check(1, &early, &second.validators, None);
    assert!(matches!(refused, Err(RuleViolation::NextValidators { .. })));
    let late = first.child_in(&blocks[1], 0, (0, None), Vec::new());
    let refused = check(1, &late, &first.validators, None);
    assert_eq!(refused, Err(RuleViolation::Epoch { expected: 1, got: 0 }));
}

#[test]
fn an_epoch_is_counted_from_block_zero() {
    let epochs: Vec<_> = (0..5).map(|number| epoch_of(number, LENGTH)).collect();
    assert_eq!(epochs, [0, 0, 1, 1, 2]);
    let closing: Vec<_> = (0..5).filter(|number| closes_epoch(*number, LENGTH)).collect();
    assert_eq!(closing, [1, 3]);
}

#[test]
fn i2_a_set_that_was_proven_before_is_read_without_its_proofs_and_else_alike() {
    let mut seats: Vec<_> = (1..=3).map(validator).collect();
    let honest = ValidatorSet::new(seats.clone()).unwrap();
    assert_eq!(ValidatorSet::decode_proven(&honest.encoded()).unwrap(), honest);
    seats[0].possession = seats[1].possession;
    let unproven = ValidatorSet::of_proven(seats).unwrap().encoded();
    let refused = ValidatorSet::decode(&unproven).unwrap_err();
    assert!(matches!(refused, ValidatorSetError::Possession(_)), "{refused}");
    assert_eq!(ValidatorSet::decode_proven(&unproven).unwrap().encoded(), unproven);
    let longer = [honest.encoded(), vec![0]].concat();
    let refused = ValidatorSet::decode_proven(&longer).unwrap_err();
    assert!(matches!(refused, ValidatorSetError::Malformed(_)), "{refused}");
}

#[test]
fn i12_the_newest_set_and_the_block_that_named_it_are_learned_together() {
    let chain = &*CHAIN;
    let [first, second] = chain.handovers();
    let mut client = chain.client();
    assert_eq!(client.last_end(), 0);
    let proven = client.prove(&first).unwrap();
    assert_eq!((proven.end(), client.last_end()), (1, 0), "proven is not believed yet");
    assert_eq!(client.validators(1), Some(&chain.first.validators));
    client.believe(proven);
    assert_eq!((client.last_end(), client.validators(1)), (1, Some(&chain.second.validators)));
    let wrong = Handover { validators: chain.first.validators.clone(), ..second.clone() };
    assert!(client.hand_over(&wrong).is_err());
    assert_eq!(client.last_end(), 1, "what was refused teaches nothing");
    assert_eq!(client.hand_over(&second), Ok(2));
    assert_eq!(client.last_end(), 3);

    // What another chain's client proved is worth nothing here.
    let mut header = chain.first.genesis.header.clone();
    header.gas_used = 1;
    let other = genesis_block(header, CHAIN_ID, &chain.first.validators);
    let (bytes, validators) = (encode(&other), chain.first.validators.clone());
    let mut stranger = LightClient::new(other.hash(), &bytes, CHAIN_ID, validators).unwrap();
    stranger.believe(chain.client().prove(&first).unwrap());
    assert_eq!(stranger.last_end(), 0);
}

#[test]
fn i4_a_seal_of_another_epoch_than_its_certificate_hands_nothing_over() {
    let chain = &*CHAIN;
    let Chain { first, second, blocks, .. } = chain;
    // The quorum signs, in its own epoch, a block whose seal says that a later one ends.
    let mut block = first.child_in(&blocks[0], 0, (0, None), Vec::new());
    let Seal::Round(seal) = block.seal.clone() else { panic!("block 1 has a round") };
    let seal = Seal::Round(RoundSeal { epoch: 5, ..seal.closing(second.validators.hash()) });
    block.header.extra_data = seal.commitment().into();
    let honest = Block { seal: blocks[1].seal.clone(), ..block.clone() };
    let handover = Handover {
        header: encode(&block).into(),
        seal: seal.encoded().into(),
        certificate: first.certify(&honest, &[0, 1, 2]).unwrap().into(),
        validators: second.validators.clone(),
    };
    assert!(chain.client().verify(&handover.header, &handover.certificate).is_ok());
    assert_eq!(chain.client().hand_over(&handover), Err(LightError::NoHandover(1)));
}

#[test]
fn i12_who_trusts_the_end_of_an_epoch_needs_no_handover_before_it_and_believes_no_older_set() {
    let chain = &*CHAIN;
    let Chain { first, second, third, blocks } = chain;
    let [one, two] = chain.handovers();
    let client = chain.client().trusting(blocks[1].hash(), &one).unwrap();
    assert_eq!((client.last_end(), client.validators(0)), (1, None));
    // All handovers or those after it: the older are passed over.
    for shown in [vec![one.clone(), two.clone()], vec![two.clone()]] {
        let client = client.clone().following(&shown).unwrap();
        assert_eq!(client.last_end(), 3);
        let certificate = third.certify(&blocks[4], &[0]).unwrap();
        assert_eq!(
            client.verify(&encode(&blocks[4]), &certificate).unwrap().hash(),
            blocks[4].hash()
        );
        let own = second.certify(&blocks[2], &[0, 1, 2]).unwrap();
        assert!(client.verify(&encode(&blocks[2]), &own).is_ok());
        // A block from before is refused, whoever signed it, and so is what a former set signs of now.
        let old = first.certify(&blocks[1], &[0, 1, 2, 3]).unwrap();
        let refused = client.verify(&encode(&blocks[1]), &old);
        assert_eq!(refused, Err(LightError::UnknownEpoch(0)));
        let now = first.certify(&blocks[2], &[0, 1, 2, 3]).unwrap();
        assert!(client.verify(&encode(&blocks[2]), &now).is_err());
    }
    // Another end of epoch 0, which its set signs later, replaces nothing.
    let other = first.child_in(&blocks[0], 1, (0, Some(&third.validators)), Vec::new());
    let forked = Handover {
        header: encode(&other).into(),
        seal: other.seal.encoded().into(),
        certificate: first.certify(&other, &[0, 1, 2]).unwrap().into(),
        validators: third.validators.clone(),
    };
    assert_ne!(other.hash(), blocks[1].hash());
    let kept = client.following([&forked]).unwrap();
    assert_eq!(kept.validators(1), Some(&second.validators));

    let refused = chain.client().trusting(blocks[3].hash(), &one).unwrap_err();
    let (expected, got) = (blocks[3].hash(), blocks[1].hash());
    assert_eq!(refused, LightError::OtherEnd { expected, got });
    let wrong = Handover { validators: third.validators.clone(), ..one };
    let refused = chain.client().trusting(blocks[1].hash(), &wrong).unwrap_err();
    assert_eq!(refused, LightError::NoHandover(1));
    // A block that ends nothing names nobody.
    let inner = Handover {
        header: encode(&blocks[2]).into(),
        seal: blocks[2].seal.encoded().into(),
        ..two
    };
    let refused = chain.client().trusting(blocks[2].hash(), &inner).unwrap_err();
    assert_eq!(refused, LightError::NoHandover(2));
}

#[test]
fn i4_a_handover_to_others_than_the_seal_names_is_refused() {
    let chain = &*CHAIN;
    let [mut first, _] = chain.handovers();
    first.validators = chain.third.validators.clone();
    assert_eq!(chain.client().hand_over(&first), Err(LightError::NoHandover(1)));
    // The seal of another block that does name them.
    first.seal = chain.blocks[3].seal.encoded().into();
    assert_eq!(chain.client().hand_over(&first), Err(LightError::NoHandover(1)));
    let Seal::Round(seal) = &chain.blocks[3].seal else { panic!("block 3 has a round") };
    assert_eq!(seal.leader, keys(5).network.public_key());
}
