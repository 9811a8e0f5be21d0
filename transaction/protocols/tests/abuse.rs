//! `docs/abuse.md` names tests; each of them exists.

mod sources;

use std::fs;

#[test]
fn every_test_that_the_table_of_abuse_names_exists() {
    let text = fs::read_to_string(sources::root().join("docs/abuse.md")).unwrap();
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
