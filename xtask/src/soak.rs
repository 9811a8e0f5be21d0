//! `cargo xtask soak NAME`: runs too long for every change.

use crate::{
    bench,
    shell::{cargo, run},
};
use eyre::{Result, bail};

/// Name and what it does.
const SOAKS: &[(&str, &str)] = &[
    ("protocols", "random call sequences against the naive models, 100,000 cases each"),
    ("conservation", "ROY-3: a million random events, every unit where the books say"),
    ("decoders", "every property test of finality and primitives with 100,000 cases each"),
];

/// Runs one soak, or lists them.
pub(crate) fn start(arguments: &[String]) -> Result<()> {
    let packages: &[&str] = match arguments.first().map(String::as_str) {
        Some("protocols") => &["sahara-protocols"],
        Some("decoders") => &["sahara-primitives", "sahara-finality"],
        Some("conservation") => return bench::conservation(),
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
