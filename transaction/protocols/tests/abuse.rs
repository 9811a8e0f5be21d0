//! Documents name tests: each of them exists, and in `docs/abuse.md` every protocol has a naive model.

mod sources;

use std::{collections::BTreeSet, fs};

fn document() -> String {
    fs::read_to_string(sources::root().join("docs/abuse.md")).unwrap_or_default()
}

#[test]
fn every_protocol_has_a_naive_model() {
    let text = document();
    let (_, table) = text.split_once("## Random calls against naive models").unwrap();
    let rows: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
        .map(|(name, _)| name)
        .collect();
    let names = sahara_abi::PROTOCOLS.iter().map(|protocol| protocol.name);
    let missing: Vec<_> = names.filter(|name| !rows.contains(name)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn every_test_that_the_table_of_abuse_names_exists() {
    let text = document();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let named: Vec<_> = rows
        .filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "))
        .flat_map(|(_, tests)| tests.split(", "))
        .map(|test| test.trim_matches('`'))
        .collect();
    assert!(named.len() > 50, "{} tests are named", named.len());
    let functions = sources::functions(sources::LAYERS);
    let missing: Vec<_> = named.iter().filter(|test| !functions.contains(**test)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

/// Names that read as tests do: sentences of five words or more.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let is_written = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_';
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(move |name| name.split('_').count() > 4 && name.chars().all(is_written))
}

#[test]
fn every_test_that_any_document_names_exists() {
    let functions = sources::functions(sources::LAYERS);
    let mut missing = Vec::new();
    for directory in ["", "docs", "specs"] {
        for entry in fs::read_dir(sources::root().join(directory)).unwrap() {
            let place = entry.unwrap().path();
            if place.extension().is_none_or(|end| end != "md") {
                continue;
            }
            let text = fs::read_to_string(&place).unwrap();
            let absent = sentences(&text).filter(|name| !functions.contains(*name));
            missing.extend(absent.map(|name| format!("{}: {name}", place.display())));
        }
    }
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
