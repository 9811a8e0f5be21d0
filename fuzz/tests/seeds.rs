//! What the fuzzers begin with is what it is called: a seed that its decoder refuses leads nowhere.

use alloy_rlp::Decodable as _;
use sahara_chain::{
    consensus::{Said, requested_block},
    sync::wire::{HandoverParts, Message},
};
use sahara_client::{Keystore, ValidatorKeystore};
use sahara_compute::{Bundle, ConfigFile as WorkerFile};
use sahara_gateway::{ConfigFile as GatewayFile, SignIn};
use sahara_vault::{
    Document, Manifest,
    metadata::{Gguf, Safetensors},
    stranger::{self, Text},
};
use std::{fs, path::Path};

/// A target and what its seeds must be for its decoder.
type Understands = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Understands; 11] = [
    ("vote", |bytes| Said::vote(bytes).is_some()),
    ("vote_certificate", |bytes| Said::certificate(bytes, 4).is_some()),
    ("block_request", |bytes| requested_block(bytes).is_some()),
    ("sync_message", |bytes| Message::decode(bytes).is_ok()),
    ("handover", |bytes| HandoverParts::decode(&mut &*bytes).is_ok()),
    ("weights_header", |bytes| {
        let read = |size| Safetensors::read(bytes, size).is_ok();
        Gguf::read(bytes).is_ok() || u64::try_from(bytes.len()).is_ok_and(read)
    }),
    ("asset_texts", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let is_croissant = text.contains("mlcommons.org/croissant");
        let is_card = text.starts_with("---\n") && stranger::read(Text::Card, text).is_ok();
        is_croissant || is_card || Manifest::read(text).is_ok() || Document::read(text).is_ok()
    }),
    ("key_file", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        Keystore::from_json(text).is_ok() || ValidatorKeystore::from_json(text).is_ok()
    }),
    ("sign_in", |bytes| serde_json::from_slice::<SignIn>(bytes).is_ok()),
    ("config_file", |bytes| {
        let is_gateways = serde_json::from_slice::<GatewayFile>(bytes).is_ok();
        is_gateways || WorkerFile::read(bytes).is_ok()
    }),
    ("bundle", |bytes| serde_json::from_slice::<Bundle>(bytes).is_ok()),
];

#[test]
fn every_seed_is_understood_as_what_it_is_called() {
    for (target, understands) in TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut seeds = 0;
        for entry in fs::read_dir(&corpus).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-")) {
                assert!(
                    understands(&fs::read(&path).unwrap()),
                    "{} is no {target}",
                    path.display()
                );
                seeds += 1;
            }
        }
        assert!(seeds >= 3, "{target} has {seeds} seeds");
    }
}
