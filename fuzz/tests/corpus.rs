//! What the fuzzers kept, and damaged variants of it, on every change.

use sahara_fuzz::TARGETS;
use std::{fs, path::Path};

/// Each file of each corpus: whole, cut at each quarter, and with single bytes changed.
#[test]
fn nothing_that_was_found_panics() {
    for target in TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        let files: Vec<_> = fs::read_dir(&corpus)
            .unwrap_or_else(|error| panic!("{}: {error}", corpus.display()))
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(!files.is_empty(), "{} has no corpus", target.name);
        (target.run)(&[]);
        for file in files {
            let bytes = fs::read(&file).unwrap();
            (target.run)(&bytes);
            for quarter in 1..4 {
                (target.run)(&bytes[..bytes.len() * quarter / 4]);
            }
            for place in (0..bytes.len()).step_by(1 + bytes.len() / 16) {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << (place % 8);
                (target.run)(&damaged);
            }
        }
    }
}
