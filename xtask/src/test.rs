//! `cargo xtask test`: the only definition of "checked".

use crate::{
    alerts, contracts, layers,
    shell::{cargo, command, output, run, run_apart, target},
    tools, web,
};
use eyre::{Result, WrapErr as _, bail, eyre};
use serde_json::{Value, json};
use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// Scenarios of a minute or more begin first, so that none of them is left alone at the end.
const LONG: [&str; 4] = ["the_web", "a_validator_cheats", "governor", "a_validator_is_away"];

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
    alerts::check()?;
    contracts::check()?;
    web::check()?;
    // Builds the program too, which has a test of its own, with the features that the tests have.
    run(&mut cargo(&["test", "--workspace", "--no-run", "--quiet"]))?;
    run(command(target().join("debug/sahara")).args(["model", "fetch"]))?;
    tests()
}

/// Runs all tests, whatever fails: one package's after the other, then the scenarios, two at a time.
fn tests() -> Result<()> {
    let (scenarios, others) = programs()?;
    let mut alone = cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins"]);
    for other in &others {
        alone.args(["--test", other]);
    }
    let mut failed: Vec<_> =
        [run(&mut alone), run(&mut cargo(&["test", "--workspace", "--no-fail-fast", "--doc"]))]
            .into_iter()
            .filter_map(Result::err)
            .map(|error| error.to_string())
            .collect();
    failed.extend(at_once(scenarios)?);
    if !failed.is_empty() {
        bail!("{}", failed.join("\n"));
    }
    Ok(())
}

/// The names of all test programs: of the scenarios, the long ones first, and of everything else.
#[expect(clippy::indexing_slicing, reason = "what JSON lacks is null")]
fn programs() -> Result<(Vec<String>, Vec<String>)> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata).wrap_err("cargo's metadata")?;
    let (mut scenarios, mut others) = (Vec::new(), Vec::new());
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let names = match package["name"].as_str() {
            Some("sahara-scenarios") => &mut scenarios,
            _ => &mut others,
        };
        let targets = package["targets"].as_array().into_iter().flatten();
        let tests = targets.filter(|target| target["kind"] == json!(["test"]));
        names.extend(tests.filter_map(|test| test["name"].as_str().map(str::to_owned)));
    }
    scenarios.sort_by_key(|name| LONG.iter().position(|long| long == name).unwrap_or(LONG.len()));
    Ok((scenarios, others))
}

/// Scenarios wait for blocks more than they compute: two share the machine. What each says is shown when it
/// has ended; the answer is what failed.
fn at_once(scenarios: Vec<String>) -> Result<Vec<String>> {
    let waiting = Mutex::new(scenarios.into_iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<Vec<String>> {
        let mut failed = Vec::new();
        while let Some(name) = next() {
            let mut test = cargo(&["test", "--workspace", "--quiet", "--test", &name]);
            if !run_apart(test.env("SAHARA_TOOLS", tools::directory()))? {
                failed.push(format!("the scenario `{name}` failed"));
            }
        }
        Ok(failed)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let mut failed = work()?;
        failed.extend(other.join().map_err(|_| eyre!("a runner of scenarios panicked"))??);
        Ok(failed)
    })
}

/// Runs every check and says how long it took.
pub(crate) fn check() -> Result<()> {
    let start = Instant::now();
    everything()?;
    println!("\nxtask test: everything holds, {} s", start.elapsed().as_secs());
    Ok(())
}
