//! `docs/abuse.md` names tests; each of them exists, and every protocol has a naive model among them.

mod sources;

use std::{collections::BTreeSet, fs};

fn document() -> String {
    fs::read_to_string(sources::root().join("docs/abuse.md")).unwrap()
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
