//! What the fuzzers begin with is what it is called: a seed that its decoder refuses leads nowhere.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Decodable as _;
use alloy_trie::{Nibbles, TrieAccount};
use sahara_chain::{
    consensus::{self, Envelope, Missed, MissedBlock, Said, requested_block},
    genesis::GenesisFile,
    sync::wire::{HandoverParts, Message},
    trie::{Stub, open},
};
use sahara_client::{Keystore, ValidatorKeystore};
use sahara_compute::{
    Bundle, Card, ConfigFile as WorkerFile, Event, Job, JobToken, Problem, SignRequest, Signed,
};
use sahara_finality::{
    Block, CertificateError, ChainIdentity, Seal, SignedChange, Transaction, TxReceipt,
    ValidatorKeys, ValidatorSet, decode_header, verify_account, verify_finalization,
    verify_receipt, verify_storage,
};
use sahara_fuzz::TARGETS;
use sahara_gateway::{
    ConfigFile as GatewayFile, Newcomer, PageCall, SignIn,
    stranger::{Body, read},
};
use sahara_primitives::Milliseconds;
use sahara_telemetry::rewritten;
use sahara_vault::{
    Document, Manifest, card_of,
    metadata::{Gguf, Safetensors},
    stranger::{self, Text},
};
use serde_json::{Value, from_slice};
use std::{collections::BTreeSet, fs, path::Path};

/// A target, how many seeds it has at least (one for each kind of message), and what a seed must be for its
/// decoder.
type Understands = (&'static str, usize, fn(&[u8]) -> bool);

const UNDERSTOOD: &[Understands] = &[
    ("transaction", 5, |bytes| Transaction::decode(bytes).is_ok()),
    ("transactions_message", 3, |bytes| {
        let batch = consensus::gossip::decode_batch(bytes).unwrap_or_default();
        !batch.is_empty() && batch.iter().all(|one| Transaction::decode(one).is_ok())
    }),
    ("vote", 3, |bytes| Said::vote(bytes).is_some()),
    ("vote_certificate", 3, |bytes| Said::certificate(bytes, 4).is_some()),
    ("block_request", 3, |bytes| requested_block(bytes).is_some()),
    ("resolver_message", 8, is_resolver_message),
    ("backfill_answer", 3, is_backfill_answer),
    ("sync_message", 15, |bytes| Message::decode(bytes).is_ok()),
    ("trie_run", 3, is_trie_run),
    ("block", 3, |bytes| Block::decode(bytes).is_ok()),
    ("header", 3, |bytes| decode_header(bytes).is_ok()),
    ("seal", 3, |bytes| Seal::decode_exact(bytes).is_ok()),
    ("certificate", 3, is_certificate),
    ("evidence", 6, is_evidence),
    ("validators", 3, |bytes| ValidatorSet::decode(bytes).is_ok()),
    ("set_change", 1, |bytes| SignedChange::decode(bytes).is_ok()),
    ("handover", 3, |bytes| HandoverParts::decode(&mut &*bytes).is_ok()),
    ("receipt", 5, |bytes| TxReceipt::decode(bytes).is_ok()),
    ("state_proof", 3, is_state_proof),
    ("receipt_proof", 3, is_receipt_proof),
    ("genesis", 1, |bytes| GenesisFile::parse(bytes).is_ok()),
    ("rpc_request", 5, is_rpc_request),
    ("gateway_request", 4, is_gateway_request),
    ("web_request", 4, |bytes| match bytes.split_first() {
        Some((0, call)) => from_slice::<PageCall>(call).is_ok_and(|call| call.is_for_pages()),
        Some((_, newcomer)) => from_slice::<Newcomer>(newcomer).is_ok(),
        None => false,
    }),
    ("vault_request", 12, |bytes| {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = std::str::from_utf8(line).unwrap_or_default();
        let (method, path) = line.split_once(' ').unwrap_or_default();
        let is_routed = ["/vault/v1", "/api/datasets/", "/datasets/"];
        matches!(method, "GET" | "HEAD" | "PUT")
            && is_routed.iter().any(|prefix| path.starts_with(prefix))
    }),
    ("index_query", 19, |bytes| {
        let path = std::str::from_utf8(bytes).unwrap_or_default();
        let end = path.find(['/', '?', '\n']).unwrap_or(path.len());
        let places = [
            "accounts",
            "assets",
            "blocks",
            "events",
            "licenses",
            "market",
            "operators",
            "payments",
            "search",
            "stats",
            "transactions",
        ];
        places.contains(&path.get(..end).unwrap_or_default())
    }),
    ("sign_in", 3, |bytes| from_slice::<SignIn>(bytes).is_ok()),
    ("traceparent", 3, |bytes| {
        std::str::from_utf8(bytes).is_ok_and(|header| rewritten(header).is_some())
    }),
    ("protocol_call", 12, is_row_of_calls),
    ("worker_messages", 10, |bytes| {
        from_slice::<Job>(bytes).is_ok()
            || from_slice::<Event>(bytes).is_ok()
            || from_slice::<Card>(bytes).is_ok()
            || from_slice::<SignRequest>(bytes).is_ok()
            || from_slice::<Signed>(bytes).is_ok()
            || from_slice::<Problem>(bytes).is_ok()
    }),
    ("receipt_request", 3, |bytes| from_slice::<SignRequest>(bytes).is_ok()),
    ("bundle", 3, |bytes| from_slice::<Bundle>(bytes).is_ok()),
    // A whole model is longer than any input.
    ("model_file", 2, |bytes| bytes.starts_with(b"GGUF\x03")),
    ("weights_header", 3, |bytes| {
        let read = |size| Safetensors::read(bytes, size).is_ok();
        Gguf::read(bytes).is_ok() || u64::try_from(bytes.len()).is_ok_and(read)
    }),
    ("asset_texts", 5, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let is_croissant = text.contains("mlcommons.org/croissant");
        let is_card = text.starts_with("---\n") && stranger::read(Text::Card, text).is_ok();
        let is_read = Manifest::read(text).is_ok() || Document::read(text).is_ok();
        is_croissant || is_card || is_read || card_of(text).document.is_some()
    }),
    // Signed by somebody: whoever that is follows from the signature.
    ("signed_header", 3, |bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let at = text.split(':').next().and_then(|at| at.parse().ok()).unwrap_or_default();
        JobToken::read(text, Address::ZERO, ("/jobs", b""), Milliseconds(at)).is_ok()
            || stranger::read(Text::Signature, text).is_ok()
    }),
    ("key_file", 3, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        Keystore::from_json(text).is_ok() || ValidatorKeystore::from_json(text).is_ok()
    }),
    ("config_file", 3, |bytes| {
        let is_gateways = from_slice::<GatewayFile>(bytes).is_ok();
        is_gateways || WorkerFile::read(bytes).is_ok()
    }),
];

/// A request, or a batch of them.
fn is_rpc_request(bytes: &[u8]) -> bool {
    let is_call = |request: &Value| {
        let part = |name| request.get(name);
        let method = part("method").and_then(Value::as_str);
        let version = part("jsonrpc").and_then(Value::as_str);
        method.is_some_and(|method| method.contains('_'))
            && version == Some("2.0")
            && part("params").is_some_and(Value::is_array)
    };
    match from_slice::<Value>(bytes).unwrap_or_default() {
        Value::Array(batch) => !batch.is_empty() && batch.iter().all(is_call),
        request => is_call(&request),
    }
}

fn is_resolver_message(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        Some((0, message)) => Envelope::of_certificates(message).is_some(),
        Some((1, message)) => Envelope::of_blocks(message).is_some(),
        _ => false,
    }
}

fn is_backfill_answer(bytes: &[u8]) -> bool {
    let Some((asked, answer)) = bytes.split_first() else { return false };
    let asked = Missed::ALL.get(usize::from(*asked));
    asked.is_some_and(|asked| MissedBlock::read(*asked, answer, 4).is_some())
}

/// Two bytes of length, then the node, as the targets cut them.
fn nodes(mut bytes: &[u8]) -> Vec<Bytes> {
    let mut nodes = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (node, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)).min(rest.len()));
        nodes.push(Bytes::copy_from_slice(node));
        bytes = rest;
    }
    nodes
}

fn is_trie_run(bytes: &[u8]) -> bool {
    let nodes = nodes(bytes).into_iter().map(|node| node.0).collect::<Vec<_>>();
    let root = nodes.first().map(keccak256).unwrap_or_default();
    open(Stub { path: Nibbles::new(), hash: root }, nodes).is_ok()
}

/// What it says is understood, and nobody here signed it.
fn is_certificate(bytes: &[u8]) -> bool {
    let Some((block, certificate)) = bytes.split_first_chunk::<32>() else { return false };
    let seats = (1..=4).map(|seed| {
        let keys = ValidatorKeys::from_secret(&[seed; 32]).ok()?;
        Some(keys.validator(Address::repeat_byte(seed)))
    });
    let Some(set) = seats.collect::<Option<Vec<_>>>() else { return false };
    let Ok(set) = ValidatorSet::new(set) else { return false };
    let chain = ChainIdentity { chain_id: 724_272, genesis: B256::repeat_byte(1) };
    let refused = verify_finalization(&chain, (0, &set), B256::from(*block), certificate);
    matches!(refused, Err(CertificateError::NoQuorum | CertificateError::OtherEpoch { .. }))
}

/// A tag, and two votes without theirs: of one kind and length, or one against a view and one for its block.
fn is_evidence(bytes: &[u8]) -> bool {
    let Some((tag, votes)) = bytes.split_first() else { return false };
    let is_vote = |kind: u8, vote: &[u8]| Said::vote(&[&[kind], vote].concat()).is_some();
    let (first, second) = match tag {
        7 => (0, 0),
        8 => (2, 2),
        9 => (1, 2),
        _ => return false,
    };
    (0..votes.len()).any(|cut| {
        let (one, other) = votes.split_at(cut);
        is_vote(first, one) && is_vote(second, other) && one != other
    })
}

fn is_state_proof(bytes: &[u8]) -> bool {
    let Some((key, rest)) = bytes.split_first_chunk::<32>() else { return false };
    let (key, nodes) = (B256::from(*key), nodes(rest));
    let root = nodes.first().map(keccak256).unwrap_or_default();
    let address = Address::from_word(key);
    let account = TrieAccount { nonce: 1, ..TrieAccount::default() };
    [Some(&account), None].into_iter().any(|one| verify_account(root, address, one, &nodes).is_ok())
        || verify_storage(root, key, U256::ONE, &nodes).is_ok()
}

fn is_receipt_proof(bytes: &[u8]) -> bool {
    let Some((index, rest)) = bytes.split_first() else { return false };
    let mut nodes = nodes(rest);
    let receipt = TxReceipt::decode(&nodes.pop().unwrap_or_default());
    let root = nodes.first().map(keccak256).unwrap_or_default();
    receipt.is_ok_and(|one| verify_receipt(root, usize::from(*index), &one, &nodes).is_ok())
}

fn is_gateway_request(bytes: &[u8]) -> bool {
    let kinds = [Body::Chat, Body::Completion, Body::KeyGrant, Body::Payment];
    let Some((kind, body)) = bytes.split_first() else { return false };
    kinds.get(usize::from(kind % 4)).is_some_and(|kind| read(*kind, body).is_ok())
}

/// Protocol, caller, coin, two bytes of length, data with a selector; and again, to the end.
fn is_row_of_calls(mut bytes: &[u8]) -> bool {
    let mut calls = 0;
    while let Some((&[.., long, short], rest)) = bytes.split_first_chunk::<5>() {
        let length = usize::from(u16::from_be_bytes([long, short]));
        let Some((_, rest)) = rest.split_at_checked(length).filter(|_| length >= 4) else {
            return false;
        };
        (calls, bytes) = (calls + 1, rest);
    }
    calls > 0 && bytes.is_empty()
}

/// What libFuzzer found has the name of its hash, and is what it is.
fn is_found(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn every_seed_is_understood_as_what_it_is_called() {
    for (target, least, understands) in UNDERSTOOD {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut seeds = 0;
        for entry in fs::read_dir(&corpus).unwrap() {
            let path = entry.unwrap().path();
            if !path.file_name().is_some_and(|name| is_found(&name.to_string_lossy())) {
                let bytes = fs::read(&path).unwrap();
                assert!(understands(&bytes), "{} is no {target}", path.display());
                seeds += 1;
            }
        }
        assert!(seeds >= *least, "{target} has {seeds} seeds, expected {least}");
    }
}

#[test]
fn every_target_has_seeds() {
    let targets = TARGETS.iter().map(|target| target.name).collect::<BTreeSet<_>>();
    let understood = UNDERSTOOD.iter().map(|(target, ..)| *target).collect::<BTreeSet<_>>();
    assert_eq!(targets, understood);
    assert_eq!(UNDERSTOOD.len(), TARGETS.len(), "one of them stands twice");
}
