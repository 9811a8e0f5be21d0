//! Files as people publish them, and as attackers do.

use super::{Document, MAX_TEXT, card_of, gguf, safetensors};
use crate::{content_hash, manifest::Manifest};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};

fn describe(directory: &Path) -> Result<Document, crate::VaultError> {
    Document::of(directory, &Manifest::of(directory)?)
}

#[test]
fn a_model_says_who_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("model.gguf"), gguf::tests::sample()).unwrap();
    fs::write(at("model.safetensors"), safetensors::tests::file(safetensors::tests::HEADER, 32))
        .unwrap();
    fs::write(at("LICENSE"), "Apache License, Version 2.0").unwrap();
    let card = "---\nlanguage: [en]\nbase_model: a/b\ndatasets:\n- c/d\ntags: [chat, tiny]\n---\n# Heading\n\n![x](y)\n\nA little model\nfor tests.\n\nMore.";
    fs::write(at("README.md"), card).unwrap();
    let document = describe(directory.path()).unwrap();
    assert_eq!(document.name, "Little One", "the weights' own name comes before a heading");
    assert_eq!(document.license, "apache-2.0");
    assert_eq!(document.license_text, "Apache License, Version 2.0");
    assert_eq!(document.description, "A little model for tests.");
    assert_eq!(document.parameters, Some(320));
    assert_eq!(document.tags, ["chat", "tiny"]);
    assert_eq!(
        (&document.base_models[..], &document.datasets[..]),
        (&["a/b".to_owned()][..], &["c/d".to_owned()][..])
    );
    let text = document.text().unwrap();
    assert_eq!(Document::read(&text).unwrap(), document);
    // What stands on chain leads back to it.
    let uri = document.uri(&serde_json::Map::new()).unwrap();
    let card = card_of(&uri);
    assert_eq!(card.document, Some(content_hash(text.as_bytes())));
    assert_eq!((card.name.as_str(), card.license.as_str()), ("Little One", "apache-2.0"));
    assert!(card.has_manifest);
}

#[test]
fn a_given_hash_is_held_to_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("rows.csv"), "a,b\n1,2\n").unwrap();
    let croissant = |hash: &str| {
        format!(
            r#"{{"@type":"sc:Dataset","conformsTo":"http://mlcommons.org/croissant/1.0","name":"Rows","license":"https://creativecommons.org/licenses/by/4.0/","keywords":["numbers"],
            "distribution":[{{"@type":"cr:FileObject","name":"rows","contentUrl":"rows.csv","sha256":"{hash}"}}],
            "recordSet":[{{"name":"rows","field":[{{"name":"a","dataType":"sc:Integer"}}]}}]}}"#
        )
    };
    let right = hex::encode(Sha256::digest("a,b\n1,2\n"));
    fs::write(at("croissant.json"), croissant(&right)).unwrap();
    let document = describe(directory.path()).unwrap();
    assert_eq!((document.name.as_str(), document.tags[0].as_str()), ("Rows", "numbers"));
    assert!(document.license.contains("by/4.0"));
    let croissant_ = document.croissant.unwrap();
    assert_eq!(
        (croissant_.checked_files, &croissant_.fields[..]),
        (1, &["rows/a: sc:Integer".to_owned()][..])
    );
    fs::write(at("croissant.json"), croissant(&"0".repeat(64))).unwrap();
    let error = describe(directory.path()).unwrap_err();
    assert!(error.to_string().contains("`rows.csv`"), "{error}");
}

#[test]
fn what_passes_a_limit_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (name, content) in [
        ("README.md", "x".repeat(MAX_TEXT as usize + 1)),
        ("LICENSE", "x".repeat(MAX_TEXT as usize + 1)),
        ("model.gguf", "not one".into()),
        ("model.safetensors", "not one".into()),
        ("README.md", "---\na: [\n---\n".into()),
    ] {
        fs::write(at(name), content).unwrap();
        let error = describe(directory.path()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(name) || text.contains("front matter"), "{name}: {text}");
        fs::remove_file(at(name)).unwrap();
    }
}

#[test]
fn a_uri_has_room_for_the_longest_names() {
    let long = Document {
        format: super::FORMAT.into(),
        name: "%#\"\\ü".repeat(40),
        description: "\u{1F600}".repeat(4_000),
        tags: vec!["t%".repeat(50); 64],
        ..Document::default()
    };
    let uri = long.uri(&serde_json::Map::new()).unwrap();
    assert!(uri.len() <= 2_048);
    assert_eq!(card_of(&uri).name, "%#\"\\ü".repeat(40));
    assert!(!uri.contains(['%', '#']));
    for hostile in ["", "data:application/json,", "data:application/json,[1]", "https://x"] {
        assert_eq!(card_of(hostile), super::Card::default());
    }
}
