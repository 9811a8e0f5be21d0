//! Runs a benchmark by name, as `cargo xtask bench NAME` calls it with the release build; or, with a number of
//! cuts and maybe a seed, `power` of `cargo xtask soak`.
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use eyre::WrapErr as _;
use sahara_scenarios::{bench, isolated, power};
use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let outcome = match name.as_str() {
        "PAY-1" => block_on(bench::payments::run()),
        "FIN-1" => block_on(bench::finality::run()),
        "FIN-2" => isolated(&[&name], bench::links::distance()),
        "SYNC-1" => block_on(bench::joining::run()),
        "STATE-2" => accounts().and_then(|most| block_on(bench::restarting::run(most))),
        "IDLE" => block_on(bench::links::idle()),
        "INF-1" => block_on(bench::gateway::run()),
        "WEB-1" => bench::web::run(),
        "power" => cuts().and_then(|(cuts, seed)| block_on(power::run(cuts, seed))),
        other => Err(eyre::eyre!(
            "unknown benchmark `{other}`: expected PAY-1, FIN-1, FIN-2, SYNC-1, STATE-2, IDLE, INF-1 or WEB-1"
        )),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:?}");
            ExitCode::FAILURE
        }
    }
}

/// The most accounts of STATE-2, as its argument says.
fn accounts() -> eyre::Result<u64> {
    let Some(asked) = std::env::args().nth(2) else { return Ok(bench::restarting::USUAL) };
    asked.parse::<u64>().wrap_err_with(|| format!("expected a number of accounts, got `{asked}`"))
}

/// Cuts of the power and the seed of their moments; the process number where none is asked for.
fn cuts() -> eyre::Result<(u64, u64)> {
    let number = |place: usize, otherwise: u64| match std::env::args().nth(place) {
        Some(asked) => asked.parse().wrap_err_with(|| format!("expected a number, got `{asked}`")),
        None => Ok(otherwise),
    };
    Ok((number(2, 1)?, number(3, std::process::id().into())?))
}

fn block_on(work: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
