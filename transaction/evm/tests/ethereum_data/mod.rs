//! Where Ethereum's own test data lies, which is not part of this repository.

use std::path::PathBuf;

/// A file or directory of the data, unless it is absent, which is said.
pub(crate) fn find(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SAHARA_CONFORMANCE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    let place = root.join(part);
    if place.exists() {
        return Some(place);
    }
    eprintln!("absent: {} (set SAHARA_CONFORMANCE); nothing was tested", place.display());
    None
}
