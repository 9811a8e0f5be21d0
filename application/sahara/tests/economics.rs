//! `docs/economics.md` shows what the program prints, and its plots are what it draws.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking; helpers of integration tests are not recognised as such"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// What the program prints, without a network and with nothing from the environment.
fn printed(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sahara"));
    let output = command.args(arguments).env_clear().stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_block_is_what_its_command_prints() {
    let text = fs::read_to_string(docs().join("economics.md")).unwrap();
    let blocks: Vec<_> = text.split("```text\n$ sahara ").skip(1).collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let (command, rest) = block.split_once('\n').unwrap();
        let shown = rest.split("```").next().unwrap();
        let words: Vec<_> = command.split(' ').collect();
        assert_eq!(printed(&words), shown, "the block of `sahara {command}` is old");
    }
}

#[test]
fn every_plot_is_what_the_simulation_draws() {
    let place = tempfile::tempdir().unwrap();
    printed(&["sim", "--svg", place.path().to_str().unwrap()]);
    let names = |directory: &Path| -> BTreeSet<String> {
        let files = fs::read_dir(directory).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    let drawn = names(place.path());
    assert_eq!(drawn, names(&docs().join("economics")));
    let text = fs::read_to_string(docs().join("economics.md")).unwrap();
    for name in drawn {
        let read = |directory: &Path| fs::read(directory.join(&name)).unwrap();
        let committed = read(&docs().join("economics"));
        assert_eq!(
            read(place.path()),
            committed,
            "{name} is old: `sahara sim --svg docs/economics` draws it"
        );
        assert!(text.contains(&format!("](economics/{name})")), "{name} is not shown");
    }
}

#[test]
fn a_demand_can_be_printed_changed_and_run() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("mine.json");
    let base = printed(&["sim", "demand", "base"]);
    let file_name = file.to_str().unwrap();
    fs::write(&file, &base).unwrap();
    let csv = printed(&["sim", "--file", file_name, "--csv"]);
    assert_eq!(csv, printed(&["sim", "--demand", "base", "--csv"]));
    assert_eq!(csv.lines().count(), 122);
    fs::write(&file, base.replace("\"requests\": 1000000", "\"requests\": 0")).unwrap();
    let changed = printed(&["sim", "--file", file_name, "--csv"]);
    assert_ne!(csv, changed);
    let years: serde_json::Value =
        serde_json::from_str(&printed(&["sim", "--file", file_name, "--json"])).unwrap();
    assert_eq!(years[9]["year"], 10);
    assert_eq!(years[9]["requests"], 0);
}
