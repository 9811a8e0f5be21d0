//! `docs/abuse.md` names tests; each of them exists, and every protocol has a naive model among them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const LAYERS: [&str; 6] =
    ["foundation", "transaction", "data", "execution", "application", "scenarios"];

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_foreign = ["node_modules", "target", "dist"].iter().any(|other| name == *other);
        if path.is_dir() && !is_foreign {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Names of functions, from `fn NAME(`.
fn functions(root: &Path) -> BTreeSet<String> {
    let mut files = Vec::new();
    for layer in LAYERS {
        sources(&root.join(layer), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
        names.extend(found.map(|(name, _)| name.trim().to_owned()));
    }
    names
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/abuse.md")).unwrap()
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
    let functions = functions(root());
    let missing: Vec<_> = named.iter().filter(|test| !functions.contains(**test)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}
