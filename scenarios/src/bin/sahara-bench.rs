//! Runs a benchmark by name: `cargo xtask bench NAME` calls it with the release build.
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use eyre::WrapErr as _;
use sahara_scenarios::{bench, isolated};
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

fn block_on(work: impl Future<Output = eyre::Result<()>>) -> eyre::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
