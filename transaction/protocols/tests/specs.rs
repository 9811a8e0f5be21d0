//! Every invariant of a spec is borne by a test: under a path that the spec names there is a function
//! whose name begins with the invariant's number, as `i2_i3_a_table_is_whole` with I2 and I3.

mod sources;

use std::{collections::BTreeSet, fs};

/// Whether a word is the number of an invariant: a letter and digits.
fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix(|first: char| first.is_ascii_alphabetic());
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
    })
}

/// What a spec numbers: the items of its lists that begin with a number.
fn invariants(spec: &str) -> BTreeSet<String> {
    let items = spec.lines().filter_map(|line| line.strip_prefix("- "));
    let numbers = items.filter_map(|item| item.split_whitespace().next());
    let numbers = numbers.map(|word| word.trim_matches('*').to_lowercase());
    numbers.filter(|word| is_number(word)).collect()
}

/// Where a spec says that its code and its tests are. A file of code stands for what lies beside it,
/// where its tests are; a file of tests for itself.
fn places(spec: &str) -> BTreeSet<&str> {
    let quoted = spec.split('`').skip(1).step_by(2).filter(|path| !path.contains(' '));
    let is_ours = |path: &str| {
        path.split_once('/').is_some_and(|(layer, _)| sources::LAYERS.contains(&layer))
    };
    let place = |path| match str::rsplit_once(path, '/') {
        Some((directory, file)) if file.ends_with(".rs") && !path.contains("/tests/") => directory,
        _ => path,
    };
    quoted.filter(|path| is_ours(path)).map(place).collect()
}

/// The numbers that the names of functions begin with.
fn borne(functions: &BTreeSet<String>) -> BTreeSet<&str> {
    functions.iter().flat_map(|name| name.split('_').take_while(|word| is_number(word))).collect()
}

#[test]
fn every_invariant_of_every_spec_is_borne_by_a_test_where_the_spec_says() {
    let mut faults = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(sources::root().join("specs")).unwrap() {
        let place = entry.unwrap().path();
        let name = place.file_name().unwrap().to_string_lossy().into_owned();
        let spec = fs::read_to_string(&place).unwrap();
        let (invariants, places) = (invariants(&spec), places(&spec));
        if name.starts_with("00") && invariants.is_empty() {
            faults.push(format!("{name} has no invariants"));
        }
        let absent = places.iter().filter(|path| !sources::root().join(path).exists());
        faults.extend(absent.map(|path| format!("{name} names {path}, which does not exist")));
        let functions = sources::functions(&places);
        let borne = borne(&functions);
        let bare = invariants.iter().filter(|number| !borne.contains(number.as_str()));
        faults.extend(bare.map(|number| format!("{name}: no test bears {number}")));
        count += invariants.len();
    }
    assert!(count > 100, "{count} invariants were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn the_index_leads_to_every_spec_once() {
    let specs = sources::root().join("specs");
    let index = fs::read_to_string(specs.join("README.md")).unwrap();
    let linked = index.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let mut linked: Vec<_> = linked.map(|(file, _)| file.to_owned()).collect();
    linked.retain(|file| file.starts_with("00"));
    linked.sort();
    let mut present: Vec<_> = fs::read_dir(specs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|file| file != "README.md")
        .collect();
    present.sort();
    assert_eq!(linked, present);
}

#[test]
fn numbers_and_places_are_read_as_people_read_them() {
    let spec = "Code: `transaction/chain/src/trie/` and `data/index/src/plans.rs`, `a/b`,\n\
                `data/vault/tests/v.rs`.\n\
                - **I1** holds\n- G12 as well\n- Ideas do not\nI3 neither";
    assert_eq!(invariants(spec), BTreeSet::from(["g12".to_owned(), "i1".to_owned()]));
    let expected = ["data/index/src", "data/vault/tests/v.rs", "transaction/chain/src/trie/"];
    assert_eq!(places(spec), BTreeSet::from(expected));
    let functions = BTreeSet::from(["i1_g2_of_both".to_owned(), "of_i3_none".to_owned()]);
    assert_eq!(borne(&functions), BTreeSet::from(["g2", "i1"]));
}
