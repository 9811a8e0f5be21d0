//! Files and texts of strangers: what assets consist of, key files, and headers that say who asks.

use alloy_primitives::Address;
use sahara_client::{Keystore, ValidatorKeystore};
use sahara_compute::JobToken;
use sahara_primitives::Milliseconds;
use sahara_vault::{
    Document, Manifest, card_of,
    metadata::{Croissant, Gguf, Safetensors},
    stranger::{self, Text},
};
use std::sync::LazyLock;

/// The files that a Croissant description may speak of.
static FILES: LazyLock<Manifest> = LazyLock::new(|| {
    let digest = "00".repeat(32);
    let text = format!(
        r#"{{"format":"sahara/manifest/1","files":[{{"path":"data.csv","size":1,"blake3":"{digest}","sha256":"{digest}"}}]}}"#
    );
    match Manifest::read(&text) {
        Ok(manifest) => manifest,
        Err(error) => panic!("{error}"),
    }
});

/// What weights say of themselves: a header that is understood counts what it names.
pub(crate) fn weights_header(data: &[u8]) {
    if let Ok(header) = Gguf::read(data) {
        let counted = header.encodings.values().sum::<u64>();
        assert_eq!(counted, header.tensors, "a tensor was passed over");
    }
    let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
    if let Ok(header) = Safetensors::read(data, size) {
        let counted = header.types.values().sum::<u64>();
        assert_eq!(counted, header.parameters, "weights of no type");
    }
}

/// A manifest has one form; a document that was read can be written and read again.
pub(crate) fn asset_texts(data: &[u8]) {
    drop(Croissant::read(data, &FILES));
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(manifest) = Manifest::read(text) {
        assert_eq!(manifest.text().ok().as_deref(), Some(text), "two forms of one manifest");
    }
    if let Ok(document) = Document::read(text)
        && let Ok(again) = document.text()
    {
        assert!(Document::read(&again).is_ok(), "what was written is not understood");
    }
    drop(card_of(text));
    drop(stranger::read(Text::Card, text));
}

/// Headers with signatures: a worker's token is for one body, whoever signed it.
pub(crate) fn signed_header(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = text.split(':').next().and_then(|at| at.parse().ok()).unwrap_or_default();
    let read =
        |body: &[u8]| JobToken::read(text, Address::ZERO, ("/jobs", body), Milliseconds(now));
    if let (Ok(one), Ok(other)) = (read(b"one"), read(b"other")) {
        assert_ne!(one.hash, other.hash, "a token for two bodies");
    }
    drop(stranger::read(Text::Signature, text));
}

/// A key file that is understood says the same when it is written again. It is not opened: that costs
/// as much as its writer wanted, within bounds that tests hold.
pub(crate) fn key_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(file) = Keystore::from_json(text) {
        let again = Keystore::from_json(&file.to_json());
        assert_eq!(again.ok(), Some(file), "understood in two ways");
    }
    if let Ok(file) = ValidatorKeystore::from_json(text) {
        let again = ValidatorKeystore::from_json(&file.to_json());
        assert_eq!(again.ok(), Some(file), "understood in two ways");
    }
}
