//! What the sources say, for tests that hold documents against them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Directories with code, from the root.
pub(crate) const LAYERS: [&str; 6] =
    ["foundation", "transaction", "data", "execution", "application", "scenarios"];

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(place: PathBuf, found: &mut Vec<PathBuf>) {
    if place.extension().is_some_and(|end| end == "rs") {
        found.push(place);
        return;
    }
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !["node_modules", "target", "dist"].iter().any(|foreign| name == *foreign) {
            sources(entry.path(), found);
        }
    }
}

/// Names of functions in some files and directories, from `fn NAME(`.
pub(crate) fn functions<P: AsRef<Path>>(places: impl IntoIterator<Item = P>) -> BTreeSet<String> {
    let mut files = Vec::new();
    for place in places {
        sources(root().join(place), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap_or_default();
        let found = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
        names.extend(found.map(|(name, _)| name.trim().to_owned()));
    }
    names
}
