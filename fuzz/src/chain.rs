//! What validators and nodes send each other, and what a light client is shown.

use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::Decodable as _;
use alloy_trie::{Nibbles, TrieAccount};
use sahara_chain::{
    consensus::{self, Content, Envelope, Missed, MissedBlock, Said, requested_block},
    genesis::{DEFAULT_EPOCH_LENGTH, GenesisFile},
    store::PastBlock,
    sync::wire::{Answer, HandoverParts, Message},
    trie::{Stub, open},
};
use sahara_evm::GenesisConfig;
use sahara_finality::{
    Block, ChainIdentity, Handover, LightClient, Scheme, Seal, SignedChange, Transaction,
    TxReceipt, ValidatorKeys, ValidatorSet, decode_header, proven_conflict, verifier,
    verify_account, verify_finalization, verify_receipt, verify_storage,
};
use std::sync::LazyLock;

/// Whoever checks: a chain of four validators.
static CHAIN: LazyLock<(ChainIdentity, ValidatorSet, ValidatorKeys)> = LazyLock::new(|| {
    let keys = |seed: u8| match ValidatorKeys::from_secret(&[seed; 32]) {
        Ok(keys) => keys,
        Err(error) => panic!("{error}"),
    };
    let set = (1..=4).map(|seed| keys(seed).validator(Address::repeat_byte(seed))).collect();
    let Ok(set) = ValidatorSet::new(set) else { panic!("four different validators") };
    (ChainIdentity { chain_id: 724_272, genesis: B256::repeat_byte(1) }, set, keys(1))
});

/// A stranger to the chain of the four, who knows its block 0.
static LIGHT: LazyLock<LightClient> = LazyLock::new(|| {
    let (ChainIdentity { chain_id, .. }, validators, _) = &*CHAIN;
    let config = GenesisConfig::local(*chain_id, 1_750_000_000_000, &[Address::repeat_byte(8)]);
    let validators = validators.clone();
    let file = GenesisFile {
        config,
        validators: validators.clone(),
        epoch_length: DEFAULT_EPOCH_LENGTH,
        staking: None,
    };
    let client = file.build().map(|genesis| {
        let header = alloy_rlp::encode(&genesis.block.header);
        LightClient::new(genesis.block.hash(), &header, *chain_id, validators)
    });
    match client {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => panic!("{error}"),
        Err(error) => panic!("{error}"),
    }
});

/// Checks what the four signed.
static VERIFIER: LazyLock<Scheme> = LazyLock::new(|| verifier(&CHAIN.0, &CHAIN.1));

/// An accepted encoding is the one encoding of its value.
fn is_canonical(encoded: &[u8], given: &[u8]) {
    assert_eq!(encoded, given, "two encodings of one value");
}

pub(crate) fn transaction(data: &[u8]) {
    if let Ok(transaction) = Transaction::decode(data) {
        is_canonical(&transaction.encoded(), data);
        let _hash = transaction.hash();
    }
}

pub(crate) fn transactions_message(data: &[u8]) {
    for bytes in consensus::gossip::decode_batch(data).unwrap_or_default() {
        transaction(&bytes);
    }
}

/// Nobody here signs: whatever a vote or certificate says, none of the four said it. What was understood
/// is understood alike when it is said again.
fn said(said: Option<Said>, again: fn(&[u8]) -> Option<Said>) {
    let Some(said) = said else { return };
    let same = again(said.encoded());
    assert_eq!(same.as_ref().map(Said::encoded), Some(said.encoded()), "understood in two ways");
    assert!(!said.is_signed(&VERIFIER), "a vote that nobody signed");
}

pub(crate) fn vote(data: &[u8]) {
    said(Said::vote(data), Said::vote);
}

pub(crate) fn vote_certificate(data: &[u8]) {
    let understood = |data: &[u8]| Said::certificate(data, 4);
    said(understood(data), understood);
}

pub(crate) fn block_request(data: &[u8]) {
    if let Some(encoded) = requested_block(data) {
        assert_eq!(requested_block(&encoded), Some(encoded.clone()), "understood in two ways");
    }
}

/// The first byte says what was asked for, the rest is the answer.
pub(crate) fn backfill_answer(data: &[u8]) {
    let Some((asked, answer)) = data.split_first() else { return };
    let asked = match asked % 3 {
        0 => Missed::Block,
        1 => Missed::Finalized,
        _ => Missed::Notarized,
    };
    missed_block(asked, answer);
}

/// Whatever comes with a block, none of the four signed it; and one answer has one block.
fn missed_block(asked: Missed, answer: &[u8]) {
    let Some(understood) = MissedBlock::read(asked, answer, 4) else { return };
    let again = MissedBlock::read(asked, understood.encoded(), 4);
    let Some(again) = again else { panic!("what was understood is not understood again") };
    assert_eq!(again.encoded(), understood.encoded(), "understood in two ways");
    assert_eq!(again.block(), understood.block(), "two blocks in one answer");
    let is_signed = understood.certificate().is_some_and(|said| said.is_signed(&VERIFIER));
    assert!(!is_signed, "a certificate that nobody signed");
}

/// The first byte says on which channel the rest came; an answer is read as whoever asked reads it.
pub(crate) fn resolver_message(data: &[u8]) {
    let Some((channel, message)) = data.split_first() else { return };
    let is_of_certificates = channel % 2 == 0;
    let read = if is_of_certificates { Envelope::of_certificates } else { Envelope::of_blocks };
    let Some(envelope) = read(message) else { return };
    assert_eq!(read(&envelope.encoded()).as_ref(), Some(&envelope), "understood in two ways");
    let Content::Answer(answer) = &envelope.content else { return };
    if is_of_certificates {
        vote_certificate(answer);
    } else {
        Missed::ALL.into_iter().for_each(|asked| missed_block(asked, answer));
    }
}

pub(crate) fn sync_message(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        is_canonical(&message.encoded(), data);
        if let Message::Answer(_, Answer::Past { blocks, .. }) = message {
            for bytes in blocks {
                past_block(&bytes);
            }
        }
    }
}

/// A past block that holds under its own hash holds under no other.
fn past_block(data: &[u8]) {
    let Ok(past) = PastBlock::decode_exact(data) else { return };
    let Ok(block) = Block::decode(&past.block) else { return };
    drop(past.clone().prove(block.hash()));
    assert!(past.prove(B256::repeat_byte(1)).is_err(), "a hash that nobody can find a block for");
}

/// Nodes that open a subtrie are the nodes of its trie: opening it again with as many gives the same.
pub(crate) fn trie_run(data: &[u8]) {
    let nodes = nodes(data).into_iter().map(|node| node.0).collect::<Vec<_>>();
    let Some(first) = nodes.first() else { return };
    let stub = Stub { path: Nibbles::new(), hash: alloy_primitives::keccak256(first) };
    let Ok(opened) = open(stub, nodes.clone()) else { return };
    assert_eq!(opened.nodes.len(), nodes.len(), "a node was passed over");
    let paths = opened.nodes.iter().map(|(path, _)| path);
    assert!(paths.is_sorted(), "a run is not in the order of its rows");
    let longer = nodes.iter().cloned().chain([bytes::Bytes::new()]);
    assert!(open(stub, longer).is_err(), "an empty node is one");
}

pub(crate) fn block(data: &[u8]) {
    if let Ok(block) = Block::decode(data) {
        is_canonical(&block.encoded(), data);
        drop(block.check_commitments());
    }
}

pub(crate) fn header(data: &[u8]) {
    if let Ok(header) = decode_header(data) {
        is_canonical(&alloy_rlp::encode(&header), data);
        drop(sahara_finality::check_header(&header));
        drop(Seal::decode_exact(&header.extra_data));
    }
}

pub(crate) fn seal(data: &[u8]) {
    if let Ok(seal) = Seal::decode_exact(data) {
        is_canonical(&seal.encoded(), data);
        let _context = seal.context(B256::ZERO);
        let _commitment = seal.commitment();
    }
}

/// Nobody here signs, so nothing verifies.
pub(crate) fn certificate(data: &[u8]) {
    let (chain, set, _) = &*CHAIN;
    let Some((block, certificate)) = data.split_first_chunk::<32>() else { return };
    let verified = verify_finalization(chain, (0, set), B256::from(*block), certificate);
    assert!(verified.is_err(), "a certificate that nobody signed");
}

pub(crate) fn evidence(data: &[u8]) {
    let (chain, _, keys) = &*CHAIN;
    let validator = keys.validator(Address::ZERO);
    let (network, consensus) = (&validator.network_key, &validator.consensus_key);
    assert_eq!(proven_conflict(chain, network, consensus, data), None, "votes nobody signed");
}

pub(crate) fn validators(data: &[u8]) {
    if let Ok(set) = ValidatorSet::decode(data) {
        is_canonical(&set.encoded(), data);
        assert!(set.quorum() <= set.as_slice().len());
    }
}

pub(crate) fn set_change(data: &[u8]) {
    if let Ok(change) = SignedChange::decode(data) {
        is_canonical(&change.encoded(), data);
        let (chain, set, _) = &*CHAIN;
        assert!(
            change.verify(chain.chain_id, chain.genesis, set).is_err(),
            "a change that nobody signed"
        );
    }
}

/// Nobody here signs, so the validators stay who they are.
pub(crate) fn handover(data: &[u8]) {
    let mut rest = data;
    let Ok(parts) = HandoverParts::decode(&mut rest) else { return };
    let used = data.len().saturating_sub(rest.len());
    is_canonical(&alloy_rlp::encode(&parts), data.get(..used).unwrap_or_default());
    let HandoverParts { header, seal, certificate, validators } = parts;
    let Ok(validators) = ValidatorSet::decode(&validators) else { return };
    let handover = Handover { header, seal, certificate, validators };
    assert!(LIGHT.clone().hand_over(&handover).is_err(), "a handover that nobody signed");
}

pub(crate) fn receipt(data: &[u8]) {
    if let Ok(receipt) = TxReceipt::decode(data) {
        is_canonical(&receipt.encoded(), data);
    }
}

/// Cuts the rest of an input into the nodes of a proof: two bytes of length, then the node.
fn nodes(mut data: &[u8]) -> Vec<Bytes> {
    let mut nodes = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let (node, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        nodes.push(Bytes::copy_from_slice(node));
        data = rest;
    }
    nodes
}

/// A proof under a root that nobody can find nodes for proves nothing. The root is the hash of
/// the first node, so that the walk goes further than its first step.
pub(crate) fn state_proof(data: &[u8]) {
    let Some((key, rest)) = data.split_first_chunk::<32>() else { return };
    let nodes = nodes(rest);
    let root = nodes.first().map_or(B256::ZERO, alloy_primitives::keccak256);
    let key = B256::from(*key);
    let address = Address::from_slice(key.get(12..).unwrap_or_default());
    let account = TrieAccount { nonce: 1, ..TrieAccount::default() };
    let present = verify_account(root, address, Some(&account), &nodes).is_ok();
    let absent = verify_account(root, address, None, &nodes).is_ok();
    assert!(!(present && absent), "an account is there and is not");
    let one = verify_storage(root, key, U256::ONE, &nodes).is_ok();
    let zero = verify_storage(root, key, U256::ZERO, &nodes).is_ok();
    assert!(!(one && zero), "a word is one and zero");
}

pub(crate) fn receipt_proof(data: &[u8]) {
    let Some((index, rest)) = data.split_first() else { return };
    let mut nodes = nodes(rest);
    let receipt = nodes.pop().unwrap_or_default();
    let root = nodes.first().map_or(B256::ZERO, alloy_primitives::keccak256);
    if let Ok(receipt) = TxReceipt::decode(&receipt) {
        drop(verify_receipt(root, usize::from(*index), &receipt, &nodes));
    }
}

pub(crate) fn genesis(data: &[u8]) {
    drop(GenesisFile::parse(data));
}
