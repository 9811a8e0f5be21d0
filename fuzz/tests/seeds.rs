//! What the fuzzers begin with is what it is called: a seed that its decoder refuses leads nowhere.
#![expect(clippy::unwrap_used, reason = "a seed that cannot be read ends the test")]

use sahara_chain::{
    consensus::{Said, requested_block},
    sync::wire::Message,
};
use sahara_compute::Bundle;
use std::{fs, path::Path};

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let files = fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path());
    let named = files.map(|path| (path.display().to_string(), path));
    let seeds = named.filter(|(name, _)| name.contains("/seed-"));
    let seeds: Vec<_> = seeds.map(|(name, path)| (name, fs::read(path).unwrap())).collect();
    assert!(seeds.len() >= 3, "{target} has too few seeds");
    seeds
}

fn are_understood(target: &str, decodes: impl Fn(&[u8]) -> bool) {
    for (name, bytes) in seeds(target) {
        assert!(decodes(&bytes), "{name} is not understood");
    }
}

#[test]
fn seeds_of_votes_certificates_requests_and_bundles_are_understood() {
    are_understood("vote", |bytes| Said::vote(bytes).is_some());
    are_understood("vote_certificate", |bytes| Said::certificate(bytes, 4).is_some());
    are_understood("block_request", |bytes| requested_block(bytes).is_some());
    are_understood("sync_message", |bytes| Message::decode(bytes).is_ok());
    are_understood("bundle", |bytes| serde_json::from_slice::<Bundle>(bytes).is_ok());
}
