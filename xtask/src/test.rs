//! `cargo xtask test`: the only definition of "checked".

use crate::{
    contracts, layers,
    shell::{cargo, command, run, target},
    tools, web,
};
use eyre::Result;
use std::time::Instant;

/// Runs every check, cheapest first.
fn everything() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    layers::check()?;
    run(&mut cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))?;
    run(cargo(&["doc", "--workspace", "--no-deps", "--quiet"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    tools::install()?;
    contracts::check()?;
    web::check()?;
    // Builds the program too, which has a test of its own, with the features that the tests have.
    run(&mut cargo(&["test", "--workspace", "--no-run", "--quiet"]))?;
    run(command(target().join("debug/sahara")).args(["model", "fetch"]))?;
    run(cargo(&["test", "--workspace", "--no-fail-fast"]).env("SAHARA_TOOLS", tools::directory()))
}

/// Runs every check and says how long it took.
pub(crate) fn check() -> Result<()> {
    let start = Instant::now();
    everything()?;
    println!("\nxtask test: everything holds, {} s", start.elapsed().as_secs());
    Ok(())
}
