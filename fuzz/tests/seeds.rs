//! What the fuzzers begin with is what it is called: a seed that its decoder refuses leads nowhere.

use sahara_chain::{
    consensus::{Said, requested_block},
    sync::wire::Message,
};
use sahara_compute::Bundle;
use std::{fs, path::Path};

/// A target and what its seeds must be for its decoder.
type Understands = (&'static str, fn(&[u8]) -> bool);

const TARGETS: [Understands; 5] = [
    ("vote", |bytes| Said::vote(bytes).is_some()),
    ("vote_certificate", |bytes| Said::certificate(bytes, 4).is_some()),
    ("block_request", |bytes| requested_block(bytes).is_some()),
    ("sync_message", |bytes| Message::decode(bytes).is_ok()),
    ("bundle", |bytes| serde_json::from_slice::<Bundle>(bytes).is_ok()),
];

#[test]
fn seeds_of_votes_certificates_requests_and_bundles_are_understood() {
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
