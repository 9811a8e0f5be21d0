//! `cargo xtask soak NAME`: runs too long for every change.

use crate::{
    bench,
    shell::{cargo, command, root, run, target},
};
use eyre::{Result, WrapErr, bail};
use std::{num::NonZeroU32, path::Path};

/// Name and what it does.
const SOAKS: &[(&str, &str)] = &[
    ("protocols", "random call sequences against the naive models, 100,000 cases each"),
    (
        "staking",
        "a million random operations with tens of thousands of slashes, every unit in the books",
    ),
    ("conservation", "ROY-3: a million random events, every unit where the books say"),
    ("decoders", "every property test of finality and primitives with 100,000 cases each"),
    (
        "simulation",
        "crashes, cuts, failing disks, liars and changing sets in virtual time: simulation [SEEDS], 200 of each",
    ),
    ("kills", "kill -9 under load, one validator process or all four: kills [KILLS], 100 times"),
    (
        "power",
        "the power fails at four validators under load, on an ext4 of their own: power [CUTS], 30 times; as root",
    ),
    ("systemd", "a validator installed under a systemd of its own, killed and stopped; as root"),
    ("container", "a validator in a container of its file, killed and stopped; as root"),
    (
        "fuzz",
        "libFuzzer on every decoder that meets the network: fuzz [TARGET] [SECONDS], an hour each",
    ),
];

/// Seeds of each simulation where none are asked for.
const SEEDS: u32 = 200;
/// Kills where none are asked for.
const KILLS: u32 = 100;

/// Cuts of the power where none are asked for.
const CUTS: u32 = 30;

/// Runs one soak, or lists them.
pub(crate) fn start(arguments: &[String]) -> Result<()> {
    let options = arguments.get(1..).unwrap_or_default();
    let packages: &[&str] = match arguments.first().map(String::as_str) {
        Some("protocols") => &["sahara-protocols"],
        Some("decoders") => &["sahara-primitives", "sahara-finality"],
        Some("staking") => return staking(),
        Some("conservation") => return bench::conservation(),
        Some("simulation") => return simulation(&count(options, "SEEDS", SEEDS)?),
        Some("kills") => return kills(&count(options, "KILLS", KILLS)?),
        Some("power") => return power(&count(options, "CUTS", CUTS)?),
        Some("systemd") => return packaged("under-systemd.sh"),
        Some("container") => return packaged("in-a-container.sh"),
        Some("fuzz") => return fuzz(options),
        Some(other) => bail!("unknown soak `{other}`: `cargo xtask soak` lists them"),
        None => {
            for (name, what) in SOAKS {
                println!("{name:13} {what}");
            }
            return Ok(());
        }
    };
    for package in packages {
        run(cargo(&["test", "--release", "--package", package]).env("PROPTEST_CASES", "100000"))?;
    }
    Ok(())
}

/// The model test of staking with a million operations (built with `SAHARA_SOAK` set).
fn staking() -> Result<()> {
    let tests = ["--package", "sahara-protocols", "--lib", "--", "staking::tests::model"];
    run(cargo(&["test", "--release"]).args(tests).args(["--nocapture"]).env("SAHARA_SOAK", "1"))
}

/// How often, as the only option of a soak says, or as usual.
fn count(options: &[String], name: &str, usual: u32) -> Result<String> {
    let [asked] = options else {
        if options.is_empty() {
            return Ok(usual.to_string());
        }
        bail!("expected [{name}] and no more, got `{}`", options.join(" "));
    };
    let count = asked
        .parse::<NonZeroU32>()
        .wrap_err_with(|| format!("expected a number of {name} from 1 on, got `{asked}`"))?;
    Ok(count.to_string())
}

/// The simulations whose run depends on chance, with many seeds.
fn simulation(seeds: &str) -> Result<()> {
    let tests = ["--package", "sahara-chain", "--test", "simulation", "--"];
    let chosen = ["i7_", "i8_", "i9_", "i14_"];
    run(cargo(&["test", "--release"]).args(tests).args(chosen).env("SAHARA_SEEDS", seeds))
}

fn kills(kills: &str) -> Result<()> {
    run(&mut cargo(&["test", "--workspace", "--no-run"]))?;
    let tests = ["test", "--workspace", "--test", "faults", "--", "kills", "--nocapture"];
    run(cargo(&tests).env("SAHARA_KILLS", kills))
}

fn power(cuts: &str) -> Result<()> {
    run(&mut cargo(&["build", "--package", "sahara", "--package", "sahara-scenarios", "--bins"]))?;
    run(command(target().join("debug/sahara-bench")).args(["power", cuts]))
}

/// A script of `packaging/` with the program that was just built.
fn packaged(script: &str) -> Result<()> {
    run(&mut cargo(&["build", "--release", "--package", "sahara", "--bins"]))?;
    run(command(root().join("packaging").join(script)).arg(target().join("release/sahara")))
}

/// Coverage for libFuzzer, as `cargo fuzz` asks the compiler for it; no sanitizer, so that the pinned
/// stable compiler does. Arithmetic is checked as in every release build. Without `--cfg fuzzing`, under
/// which some libraries become others than those that run.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Ccodegen-units=1 -Cdebug-assertions";

const HOST: &str = "x86_64-unknown-linux-gnu";

/// Fuzzes one target or all, then keeps of what was found the least that reaches the same code. What
/// breaks one is kept for it, and the others have their time.
fn fuzz(arguments: &[String]) -> Result<()> {
    let (seconds, names): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| argument.parse::<u32>().is_ok());
    let seconds = seconds.first().map_or("3600", |seconds| seconds.as_str());
    let built = target().join("fuzz");
    // Optimising across crates would come after the instruments are in, and only costs time.
    run(cargo(&["build", "--release", "--package", "sahara-fuzz", "--bin", "fuzz"])
        .args(["--features", "libfuzzer", "--target", HOST, "--target-dir"])
        .arg(&built)
        .env("RUSTFLAGS", INSTRUMENTED)
        .env("CARGO_PROFILE_RELEASE_LTO", "off"))?;
    let corpora = root().join("fuzz/corpus");
    let mut all: Vec<String> = std::fs::read_dir(&corpora)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    all.sort();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("no target `{unknown}`: fuzz/corpus has a directory for each");
    }
    all.retain(|name| names.is_empty() || names.contains(&name));
    let program = built.join(HOST).join("release/fuzz");
    let broken: Vec<_> = all
        .iter()
        .filter_map(|name| {
            let (kept, aside) = (corpora.join(name), target().join("corpus").join(name));
            fuzz_one(&program, (name, seconds), (&kept, &aside))
                .err()
                .map(|error| format!("{name}: {error}; what breaks it lies in {}", aside.display()))
        })
        .collect();
    if broken.is_empty() { Ok(()) } else { bail!("{}", broken.join("\n")) }
}

/// Fuzzes one target from what is kept and what was found before, and keeps what is new.
fn fuzz_one(
    program: &Path,
    (name, seconds): (&str, &str),
    (kept, aside): (&Path, &Path),
) -> Result<()> {
    let (found, breaking) = (aside.join("found"), aside.join("breaking"));
    std::fs::create_dir_all(&found)?;
    std::fs::create_dir_all(&breaking)?;
    let fuzzer = || {
        let mut fuzzer = command(program);
        fuzzer
            .env("SAHARA_FUZZ_TARGET", name)
            .arg(format!("-artifact_prefix={}/", breaking.display()));
        fuzzer
    };
    let fuzzed = run(fuzzer()
        .args(["-rss_limit_mb=4096", "-timeout=10", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .args([&*found, kept]));
    run(fuzzer().arg("-merge=1").args([kept, &*found]))?;
    fuzzed
}

#[cfg(test)]
mod tests {
    use super::count;

    fn asked(options: &[&str]) -> Result<String, String> {
        let options: Vec<_> = options.iter().map(|&option| option.to_owned()).collect();
        count(&options, "SEEDS", 200).map_err(|error| error.to_string())
    }

    #[test]
    fn soak_runs_as_often_as_asked() {
        assert_eq!(asked(&[]).unwrap(), "200");
        assert_eq!(asked(&["7"]).unwrap(), "7");
        for bad in ["", "0", "-1", "many", "4294967296"] {
            let expected = format!("expected a number of SEEDS from 1 on, got `{bad}`");
            assert_eq!(asked(&[bad]).unwrap_err(), expected);
        }
        assert_eq!(asked(&["7", "8"]).unwrap_err(), "expected [SEEDS] and no more, got `7 8`");
    }
}
